import * as z from 'zod';
import { MonitorError } from '../errors.ts';
import type { Report, TrendDay } from '../report/model.ts';
import { NOTHING_SETTLED, type Settling } from '../score/settle.ts';
import type { Control } from '../score/snapshot.ts';
import { ledgerStateSchema } from './ledger.ts';

const cursorSchema = z.object({ date: z.string(), snapshot: z.string(), profiles: z.string() });

const mailSchema = z.object({
  kind: z.enum(['start', 'scores', 'controls', 'operations']),
  to: z.array(z.string()),
  subject: z.string(),
  /** Of the sent mail; null while it is not sent. */
  id: z.string().nullable(),
});

/**
 * Episodes that were reported and are not reported again while they last, even if their facts change a little each
 * day. A date is that of the beginning; in older states it is the day last reported, and the episode goes on too. The
 * keys `said` and `told` are stored, so they keep their names.
 */
const saidSchema = z.object({
  /** The newest snapshot when the score became stale. */
  stale: z.string().nullable(),
  /** The first suspect snapshot. */
  suspect: z.string().nullable(),
  /** The day on which Graph first answered with a partial catalogue. */
  catalogue: z.string().nullable().default(null),
  /** The first snapshot with a control whose score cannot be read. */
  unreadable: z.string().nullable().default(null),
  /** Episodes that have ended but are not reported as ended yet; `until` is the day (yyyy-mm-dd) of the run. */
  ended: z.array(z.object({ kind: z.string(), since: z.string(), until: z.string() })).default([]),
  /** Since when runs have failed in a row (ISO 8601), and which error codes were reported. */
  failing: z.object({ since: z.string(), told: z.array(z.string()) }).nullable(),
});

/** What changes when something has been reported: the state without the claim. */
const toldSchema = z.object({
  /** What was last reported: the next comparison starts from exactly these objects. */
  cursor: cursorSchema.nullable(),
  /** Controls whose score in that snapshot cannot be read, at their last known values; older states have none. */
  held: z.array(z.custom<Control>((value) => typeof value === 'object' && value !== null)).default([]),
  /** The enabled services last known; null if none ever were, or if the cursor's snapshot lists them. */
  services: z.array(z.string()).nullable().default(null),
  said: saidSchema,
  /** The last run that succeeded, for the watch over all tenants. */
  lastRun: z
    .object({
      /** ISO 8601. */
      at: z.string(),
      /** Date of the newest snapshot. */
      newest: z.string(),
      /** Until when the certificate is valid, ISO 8601; null where none signed in. */
      certificateUntil: z.string().nullable(),
      /** Whether it is to renew itself. Older states do not say. */
      renews: z.boolean().optional(),
    })
    .nullable(),
  /** Pending drops, notified drops, and the account since the last mail, which have to survive a restart. */
  settling: z.custom<Settling>((value) => typeof value === 'object' && value !== null),
  /** The last 90 days for the chart. */
  trend: z.array(z.custom<TrendDay>((value) => typeof value === 'object' && value !== null)),
});

const stateSchema = toldSchema.extend({
  version: z.literal(1),
  /** The tenant's name at its last run, for the watch, which has no config. Older states have none. */
  name: z.string().nullable().default(null),
  /** The tenant's schedule at its last run, from which the watch knows when a run was due. Older states have none. */
  schedule: z.object({ at: z.string(), timeZone: z.string() }).nullable().default(null),
  /** How far the ledger is completed; null where none has begun. Older states have none. */
  ledger: ledgerStateSchema.nullable().default(null),
  /** The mails that a run is sending, or that a run which died left behind. */
  claim: z
    .object({
      invocation: z.string(),
      /** ISO 8601: until then nobody else touches it. */
      until: z.string(),
      mails: z.array(mailSchema),
      /** What the mails tell; they are rendered from it, now and by whoever takes the claim over. */
      report: z.custom<Report>((value) => typeof value === 'object' && value !== null),
      /** The state once they are sent. */
      next: toldSchema,
    })
    .nullable(),
});

/** A tenant's state: cursor, claim, and what is not to be said twice. Changed by compare-and-swap alone. */
export type State = z.infer<typeof stateSchema>;
export type Claim = NonNullable<State['claim']>;
export type Told = z.infer<typeof toldSchema>;
export type Said = Told['said'];

export const EMPTY_STATE: State = {
  version: 1,
  name: null,
  schedule: null,
  ledger: null,
  cursor: null,
  held: [],
  services: null,
  said: { stale: null, suspect: null, catalogue: null, unreadable: null, ended: [], failing: null },
  lastRun: null,
  settling: NOTHING_SETTLED,
  trend: [],
  claim: null,
};

/** @param location where the text comes from, for the error. @throws MonitorError `state-damaged` */
export function parseState(text: string, location: string): State {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new MonitorError(
      'state-damaged',
      `${location} is not a state of this program: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`,
      'Move the object away: the next run goes on from the last report, nothing is lost.',
      { cause: error },
    );
  }
}
