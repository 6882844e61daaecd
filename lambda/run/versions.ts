import type { Archive } from '../archive/archive.ts';
import type { Returned } from '../archive/ledger.ts';
import { MonitorError } from '../errors.ts';
import type { Snapshot } from '../score/snapshot.ts';
import type { Run } from './run.ts';

export interface VersionInForce {
  hash: string;
  snapshot: Snapshot;
  /** Its archived form; null if unknown, because the same content was archived before by somebody else. */
  archived: { fetchedAt: string; newest: boolean } | null;
}

/**
 * The version of a day that was fetched last, or that Graph gave again last. A damaged one is logged and skipped, so that
 * the day is archived again from the answer.
 * @param returned when versions came into force again
 * @param score if given, versions with another score do not count
 */
export async function versionInForce(
  run: { tenant: Pick<Run['tenant'], 'tenantId'>; ports: Pick<Run['ports'], 'log'> },
  archive: Archive,
  date: string,
  hashes: string[],
  returned: Returned,
  score?: { points: number; maximum: number },
): Promise<VersionInForce | null> {
  let last: (VersionInForce & { since: string }) | null = null;
  for (const hash of hashes) {
    try {
      const { fetchedAt, newest, snapshot } = await archive.snapshot(date, hash);
      if (score && (snapshot.points !== score.points || snapshot.maximum !== score.maximum)) continue;
      const since = [fetchedAt, ...(returned.get(hash) ?? [])].toSorted().at(-1)!;
      if (!last || since > last.since) last = { hash, snapshot, archived: { fetchedAt, newest }, since };
    } catch (error) {
      if (!isDamage(error)) throw error;
      run.ports.log.error(error.message, { tenant: run.tenant.tenantId, advice: error.advice });
    }
  }
  return last;
}

/** True for an object of the archive that is missing or not what its key says. */
export function isDamage(error: unknown): error is MonitorError {
  return error instanceof MonitorError && error.code === 'archive-damaged';
}
