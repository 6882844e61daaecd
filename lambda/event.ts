import * as z from 'zod';
import { channelOfAllSchema, digestSchema, tenantSchema } from './config.ts';
import { describeIssues } from './describe-issues.ts';
import { MonitorError } from './errors.ts';

const runSchema = z.strictObject({ tenant: tenantSchema });
const watchSchema = z.strictObject({
  watch: z.literal(true, 'expected true'),
  channels: z.array(channelOfAllSchema).default([]),
});

const rotationSchema = z.strictObject({
  rotation: z.literal(true, 'expected true'),
  /** Renew although it is not due. */
  now: z.boolean().optional(),
  /** Say what would be done, and change nothing. */
  dryRun: z.boolean().optional(),
});

const digestEventSchema = z.strictObject({ digest: digestSchema });

/** What a function is invoked with: a run for one tenant, the daily watch over all, a digest, or the renewal of certificates. */
export type Event =
  | z.infer<typeof runSchema>
  | z.infer<typeof watchSchema>
  | z.infer<typeof digestEventSchema>
  | z.infer<typeof rotationSchema>;

/** @throws MonitorError `event-invalid` that names each wrong field */
export function parseEvent(event: unknown): Event {
  // By its key, not by trying both: what is wrong with a tenant is then told as that.
  const has = (key: string): boolean => typeof event === 'object' && event !== null && key in event;
  const schema = has('watch')
    ? watchSchema
    : has('digest')
      ? digestEventSchema
      : has('rotation')
        ? rotationSchema
        : runSchema;
  const parsed = schema.safeParse(event);
  if (parsed.success) return parsed.data;
  const wanted =
    '{ "tenant": <an entry of tenants, resolved> }, { "watch": true }, { "digest": <an entry of digests, resolved> } or { "rotation": true }';
  throw new MonitorError(
    'event-invalid',
    `The event is not ${wanted}:\n${describeIssues(parsed.error, event, 'the event')}`,
    'Deploy again: the deployment writes the events into the schedules.',
  );
}
