import * as z from '../zod.ts';
import { MonitorError } from '../errors.ts';
import { episodesOf } from '../report/episodes.ts';
import { isDigest, type AnyReport } from '../report/digest-model.ts';
import type { Report, TrendDay } from '../report/model.ts';
import { isUrgent } from '../report/urgency.ts';
import { NOTHING_SETTLED, type Settling } from '../score/settle.ts';
import type { Control } from '../score/snapshot.ts';
import { contentHash } from './content-hash.ts';
import { layout } from './layout.ts';
import { ledgerStateSchema } from './ledger.ts';

const cursorSchema = z.object({
  date: z.string(),
  snapshot: z.string(),
  profiles: z.string(),
  knownUntil: z.optional(z.string()),
});

const kindSchema = z.enum(['start', 'scores', 'controls', 'operations', 'digest']);

/** A report on its way to one destination. */
export const deliverySchema = z.object({
  /** `<first 16 of the report's hash>-<kind>-<destination>`: the same at each repetition. */
  id: z.string(),
  /** 'mail', or the name of a channel. */
  destination: z.string(),
  kind: kindSchema,
  /** Key of the report in the archive. */
  report: z.string(),
  subject: z.string(),
  /** Recipients of a mail; empty for a channel. */
  to: z.array(z.string()),
  urgent: z.boolean(),
  /** ISO 8601: when it was reported. */
  since: z.string(),
  attempts: z.number(),
  /** ISO 8601: the time until which the receiver asked for no further requests. */
  notBefore: z.nullable(z.string()),
  /** The reason why it did not get through, for people. */
  problem: z.nullable(z.string()),
  /** True if the same report has reached another destination. */
  heard: z.boolean(),
  /** For operations: the episodes that it reports, each with its end (ISO 8601), if it has ended. */
  episodes: z.array(z.object({ kind: z.string(), since: z.string(), until: z.nullable(z.string()) })),
});

/**
 * Episodes that were reported and are not reported again while they last, even if their facts change a little each
 * day. A date is that of the beginning; in older states it is the day last reported, and the episode goes on too. The
 * keys `said` and `told` are stored, so their names stay.
 */
const notifiedSchema = z.object({
  /** The newest snapshot when the score became stale. */
  stale: z.nullable(z.string()),
  /** The first suspect snapshot. */
  suspect: z.nullable(z.string()),
  /** The day on which Graph first answered with a partial catalogue. */
  catalogue: z.withDefault(z.nullable(z.string()), null),
  /** The first snapshot with a control whose score cannot be read. */
  unreadable: z.withDefault(z.nullable(z.string()), null),
  /** Episodes that have ended but are not reported as ended yet; `until` is the day (yyyy-mm-dd) of the run. */
  ended: z.withDefault(z.array(z.object({ kind: z.string(), since: z.string(), until: z.string() })), []),
  /** The time (ISO 8601) since which the deliveries of a queue have been waiting for somebody, by its name. */
  undelivered: z.withDefault(z.record(z.string(), z.string()), {}),
  /** The time (ISO 8601) since which all runs have failed, and the error codes that were reported. */
  failing: z.nullable(z.object({ since: z.string(), told: z.array(z.string()) })),
});

/** The part of the state that changes when something is reported. */
const lastReportedSchema = z.object({
  /** What was last reported: the next comparison starts from exactly these objects. */
  cursor: z.nullable(cursorSchema),
  /** Controls whose score in that snapshot cannot be read, at their last known values; older states have none. */
  held: z.withDefault(z.array(z.custom<Control>((value) => typeof value === 'object' && value !== null)), []),
  /** The enabled services last known; null if none ever were, or if the cursor's snapshot lists them. */
  services: z.withDefault(z.nullable(z.array(z.string())), null),
  said: notifiedSchema,
  /** The last run that succeeded, for the watch over all tenants. */
  lastRun: z.nullable(
    z.object({
      /** ISO 8601. */
      at: z.string(),
      /** Date of the newest snapshot. */
      newest: z.string(),
      /** The begin of the certificate's validity, ISO 8601; null if none signed in. Older states have no such field. */
      certificateFrom: z.optional(z.nullable(z.string())),
      /** The end of the certificate's validity, ISO 8601; null if none signed in. */
      certificateUntil: z.nullable(z.string()),
      /** True if the certificate renews itself. Older states have no such field. */
      renews: z.optional(z.boolean()),
    }),
  ),
  /** Pending drops, notified drops, and the account since the last mail, which have to survive a restart. */
  settling: z.custom<Settling>((value) => typeof value === 'object' && value !== null),
  /** The last 90 days for the chart. */
  trend: z.array(z.custom<TrendDay>((value) => typeof value === 'object' && value !== null)),
});

export const claimSchema = z.object({
  invocation: z.string(),
  /** ISO 8601: the time until which nobody else writes or sends. */
  until: z.string(),
});

const stateSchema = z.extend(lastReportedSchema, {
  version: z.literal(2),
  /** The tenant's name at its last run, for the watch, which has no config. Older states have none. */
  name: z.withDefault(z.nullable(z.string()), null),
  /** The tenant's schedule at its last run, from which the watch knows when a run was due. Older states have none. */
  schedule: z.withDefault(z.nullable(z.object({ at: z.string(), timeZone: z.string() })), null),
  /** The tenant's configuration at its last run, for the watch, which has no config. It is checked where it is used. Older states have none. */
  tenant: z.withDefault(z.unknown(), null),
  /** How far the ledger is completed; null where none has begun. Older states have none. */
  ledger: z.withDefault(z.nullable(ledgerStateSchema), null),
  /** The deliveries that are still to be sent, in order. */
  outbox: z.array(deliverySchema),
  /** The run that is sending, or that died while sending. */
  claim: z.nullable(
    z.extend(claimSchema, {
      /** The report that must be archived before any of it is sent; null once it is archived. */
      report: z.nullable(z.custom<Report>((value) => typeof value === 'object' && value !== null)),
    }),
  ),
});

/**
 * The state of version 1, which had no outbox: its claim held the mails, and the state that follows once they are sent. It is
 * built for such a state alone.
 */
const stateSchemaOf1 = z.lazy(() =>
  z.extend(z.omit(stateSchema, { outbox: true, tenant: true }), {
    version: z.literal(1),
    claim: z.nullable(
      z.extend(claimSchema, {
        mails: z.array(
          z.object({
            kind: kindSchema,
            to: z.array(z.string()),
            subject: z.string(),
            /** The id of the sent mail; null until it is sent. */
            id: z.nullable(z.string()),
          }),
        ),
        report: z.custom<Report>((value) => typeof value === 'object' && value !== null),
        next: lastReportedSchema,
      }),
    ),
  }),
);

/** A tenant's state: cursor, claim, and what must not be reported twice. It changes only by compare-and-swap. */
export type State = z.infer<typeof stateSchema>;
export type Delivery = State['outbox'][number];
export type LastReported = z.infer<typeof lastReportedSchema>;
export type Notified = LastReported['said'];

export const EMPTY_STATE: State = {
  version: 2,
  name: null,
  schedule: null,
  tenant: null,
  ledger: null,
  cursor: null,
  held: [],
  services: null,
  said: {
    stale: null,
    suspect: null,
    catalogue: null,
    unreadable: null,
    ended: [],
    undelivered: {},
    failing: null,
  },
  lastRun: null,
  settling: NOTHING_SETTLED,
  trend: [],
  outbox: [],
  claim: null,
};

/** @param location where the text comes from, for the error. @throws MonitorError `state-damaged` */
export function parseState(text: string, location: string): State {
  try {
    const stored: unknown = JSON.parse(text);
    const isOf1 = (stored as { version?: unknown } | null)?.version === 1;
    return isOf1 ? carriedOver(stateSchemaOf1.parse(stored)) : stateSchema.parse(stored);
  } catch (error) {
    throw new MonitorError(
      'state-damaged',
      `${location} is not a state of this program: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`,
      'Move the object away: the next run continues from the last report, and nothing is lost.',
      { cause: error },
    );
  }
}

/** The part of a state that changes when something is reported. */
export function lastReportedOf(state: State): LastReported {
  return lastReportedSchema.parse(state);
}

/** Carries a state of version 1 over: its unsent mails go to the outbox, and what they report counts as reported. */
function carriedOver({ claim, ...state }: z.infer<typeof stateSchemaOf1>): State {
  const moved: State = { ...state, ...claim?.next, version: 2, tenant: null, outbox: [], claim: null };
  if (!claim) return moved;
  const { invocation, until, report, mails } = claim;
  return {
    ...moved,
    outbox: mails
      .filter(({ id }) => id === null)
      .map(({ kind, to, subject }) => newDelivery(report, kind, 'mail', { to, subject })),
    claim: { invocation, until, report },
  };
}

/** @param to recipients of a mail; empty for a channel */
export function newDelivery(
  report: AnyReport,
  kind: Delivery['kind'],
  destination: string,
  { to, subject }: Pick<Delivery, 'to' | 'subject'>,
): Delivery {
  const hash = contentHash(report);
  return {
    id: `${hash.slice(0, 16)}-${kind}-${destination}`,
    destination,
    kind,
    report: keyOfReport(report, hash),
    subject,
    to,
    urgent: !isDigest(report) && isUrgent(report, kind),
    since: report.toldAt,
    attempts: 0,
    notBefore: null,
    problem: null,
    heard: false,
    episodes:
      !isDigest(report) && kind === 'operations'
        ? episodesOf(report).map((each) => ({ ...each, until: null }))
        : [],
  };
}

/** @param hash its content hash, if it is known already */
export function keyOfReport(report: AnyReport, hash = contentHash(report)): string {
  const { toldAt } = report;
  const day = toldAt.slice(0, 10);
  if (isDigest(report)) return layout.digestReport(report.name, day, toldAt, hash);
  if (report.digest !== undefined) return layout.digestReport(report.digest, day, toldAt, hash);
  return layout.report(report.tenantId, report.to?.date ?? day, toldAt, hash);
}
