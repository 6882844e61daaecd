import { inParallel } from '../archive/columns/parallel.ts';
import { digestsIn, readDigest, type DigestState } from '../digest/state.ts';
import type { Digest } from '../config.ts';
import { digestSchema } from '../settings.ts';
import type { DigestSchedule, Log, ObjectStore } from '../ports.ts';
import type { OverdueDigest } from '../report/watch.ts';
import { isOverdue, OVERDUE_AFTER_MS } from './incidents.ts';

/** The longest time between two digests, in ms: a month. */
const LONGEST_PERIOD_MS = 31 * 24 * 3_600_000;

/** A state, and its digest as of its last run; null where that does not parse. */
export interface KnownDigest {
  state: DigestState;
  digest: Digest | null;
}

/**
 * Reads the states of all digests that ever ran, by name. Null where they cannot be listed, and in place of a state that
 * cannot be read: it is logged, and its digest fails by itself.
 */
export async function readDigests(
  store: ObjectStore,
  log: Log,
): Promise<Map<string, KnownDigest | null> | null> {
  const failed = (error: unknown, facts: object = {}) => {
    log.error('the state of a digest could not be read', {
      ...facts,
      error: error instanceof Error ? error.message : String(error),
    });
    return null;
  };
  const read = async (name: string): Promise<KnownDigest | null> => {
    try {
      const { state } = await readDigest(store, name);
      return state && { state, digest: digestSchema.safeParse(state.digest).data ?? null };
    } catch (error) {
      return failed(error, { digest: name });
    }
  };
  try {
    const names = await digestsIn(store);
    return new Map(await inParallel(names, async (name) => [name, await read(name)] as const));
  } catch (error) {
    return failed(error);
  }
}

/**
 * Digests that were due and have not been made. Pure.
 * @param schedules of all digests; one that is disabled is not expected to run
 */
export function overdueDigests(
  schedules: DigestSchedule[],
  known: Map<string, KnownDigest | null>,
  now: Date,
): OverdueDigest[] {
  return schedules.flatMap(({ name, enabled, since }) => {
    const its = known.get(name);
    if (its === null || !enabled) return [];
    const { state, digest } = its ?? {};
    const lastRun = state?.lastRun ?? null;
    const from = Math.max(since.getTime(), lastRun ? Date.parse(lastRun) : 0);
    const isMissing = digest
      ? isOverdue(from, digest, now)
      : // Nobody knows when the first one is due, but it has been by then.
        now.getTime() - from > LONGEST_PERIOD_MS + OVERDUE_AFTER_MS;
    return isMissing ? [{ name, lastRun }] : [];
  });
}
