import * as z from 'zod';
import { channelOfAllSchema, tenantSchema } from './config.ts';
import { describeIssues } from './describe-issues.ts';
import { MonitorError } from './errors.ts';

const runSchema = z.strictObject({ tenant: tenantSchema });
const watchSchema = z.strictObject({
  watch: z.literal(true, 'wants true'),
  channels: z.array(channelOfAllSchema).default([]),
});

/** What the function is invoked with: a run for one tenant, or the daily watch over all of them. */
export type Event = z.infer<typeof runSchema> | z.infer<typeof watchSchema>;

/** @throws MonitorError `event-invalid` that names each wrong field */
export function parseEvent(event: unknown): Event {
  // By its key, not by trying both: what is wrong with a tenant is then told as that.
  const isWatch = typeof event === 'object' && event !== null && 'watch' in event;
  const parsed = isWatch ? watchSchema.safeParse(event) : runSchema.safeParse(event);
  if (parsed.success) return parsed.data;
  const wanted = '{ "tenant": <an entry of tenants, resolved> } or { "watch": true }';
  throw new MonitorError(
    'event-invalid',
    `The event is not ${wanted}:\n${describeIssues(parsed.error, event, 'the event')}`,
    'Deploy again: the deployment writes the events into the schedules.',
  );
}
