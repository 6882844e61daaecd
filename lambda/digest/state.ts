import * as z from '../zod.ts';
import type { Versioned } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import { claimSchema, deliverySchema } from '../archive/state.ts';
import { MonitorError } from '../errors.ts';
import type { ObjectStore } from '../ports.ts';
import type { AnyReport } from '../report/digest-model.ts';
import type { ScoreLine } from '../score/snapshot.ts';

const digestedSchema = z.record(
  z.string(),
  z.object({ name: z.string(), score: z.custom<ScoreLine | null>((value) => typeof value === 'object') }),
);

const stateSchema = z.object({
  version: z.literal(1),
  /** The config of the digest at its last run, from which the watch knows where deliveries go. It is checked where it is used. */
  digest: z.unknown(),
  /** The time of the last successful run, whether or not there was anything to report (ISO 8601). */
  lastRun: z.nullable(z.string()),
  /** The facts of the last digest; null if there was none yet. */
  reported: z.nullable(
    z.object({
      /** The time at which it was due (ISO 8601). One digest is sent for each. */
      occurrence: z.string(),
      /** By id of the tenant: its name, and the score from which the next digest counts; null: it never had one. */
      tenants: digestedSchema,
      /** Those that an earlier digest had and the last one did not: if one is back, its account goes on. */
      gone: z.optional(digestedSchema),
      /** Keys of what needed attention. */
      attention: z.array(z.string()),
    }),
  ),
  /** Reported problems of its deliveries, as in the state of a tenant. */
  said: z.object({
    undelivered: z.record(z.string(), z.string()),
    ended: z.array(z.object({ kind: z.string(), since: z.string(), until: z.string() })),
  }),
  outbox: z.array(deliverySchema),
  claim: z.nullable(
    z.extend(claimSchema, {
      report: z.nullable(z.custom<AnyReport>((value) => typeof value === 'object' && value !== null)),
    }),
  ),
});

/** A digest's state: its cursor, claim and outbox. It is changed only by compare-and-swap. */
export type DigestState = z.infer<typeof stateSchema>;

export const EMPTY_DIGEST: DigestState = {
  version: 1,
  digest: null,
  lastRun: null,
  reported: null,
  said: { undelivered: {}, ended: [] },
  outbox: [],
  claim: null,
};

/** @throws MonitorError `state-damaged` */
export async function readDigest(store: ObjectStore, name: string): Promise<Versioned<DigestState>> {
  const key = layout.digest(name);
  const object = await store.get(key);
  if (!object) return { state: null, version: null };
  try {
    const state = stateSchema.parse(JSON.parse(Buffer.from(object.bytes).toString('utf8')));
    return { state, version: object.version };
  } catch (error) {
    throw new MonitorError(
      'state-damaged',
      `${store.location}/${key} is not the state of a digest: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`,
      'Restore an earlier version of the object, or move it away: the digest then starts again and looks back over one period.',
      { cause: error },
    );
  }
}

/** @returns the new state; undefined if another run came first */
export async function swapDigest(
  store: ObjectStore,
  name: string,
  state: DigestState,
  expected: string | null,
): Promise<Versioned<DigestState> | undefined> {
  const bytes = Buffer.from(`${JSON.stringify(state, null, 2)}\n`);
  const version = await store.replace(layout.digest(name), bytes, expected);
  return version === undefined ? undefined : { state, version };
}

/** Names of the digests that have a state. */
export async function digestsIn(store: ObjectStore): Promise<string[]> {
  const keys = await store.list(layout.digests);
  return keys.flatMap((key) => /=([a-z0-9-]+)\.json$/.exec(key)?.[1] ?? []);
}
