import * as z from './zod.ts';
import { channelOfAllSchema, digestSchema, tenantSchema } from './settings.ts';
import { describeIssues } from './describe-issues.ts';
import { MonitorError } from './errors.ts';

const runSchema = z.strictObject({ tenant: tenantSchema });
const watchSchema = z.strictObject({
  watch: z.literal(true, 'expected true'),
  channels: z.withDefault(z.array(channelOfAllSchema), []),
});

const rotationSchema = z.strictObject({
  rotation: z.literal(true, 'expected true'),
  /** True: renew even if it is not due. */
  now: z.optional(z.boolean()),
  /** True: report what would be done, and change nothing. */
  dryRun: z.optional(z.boolean()),
});

const digestEventSchema = z.strictObject({ digest: digestSchema });

/** The event of an invocation: a run for one tenant, the daily watch over all, a digest, or the renewal of certificates. */
export type Event =
  | z.infer<typeof runSchema>
  | z.infer<typeof watchSchema>
  | z.infer<typeof digestEventSchema>
  | z.infer<typeof rotationSchema>;

/** @throws MonitorError `event-invalid` that lists each wrong field */
export function parseEvent(event: unknown): Event {
  // The key decides about the kind of event, so that the error for a wrong tenant is about the tenant.
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
