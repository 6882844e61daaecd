import { contentHash, type Archive } from '../archive/archive.ts';
import { MonitorError } from '../errors.ts';
import type { Day } from '../graph/schema.ts';
import type { Run } from '../run.ts';
import type { Change } from '../score/change.ts';
import { tenantChange } from '../score/diff.ts';
import { sameScores, type Snapshot } from '../score/snapshot.ts';
import type { Answer } from './fetch.ts';

/** The archive after this run's days were added to it. */
export interface Kept {
  /** Dates archived by this run, ascending; a restated day among them. */
  added: string[];
  /** Whether the catalogue of this run was new. */
  profilesAdded: boolean;
  restated: Change[];
  /** Hashes of every version by date, ascending by date. */
  versions: Map<string, string[]>;
  /** The version in force of each day of the answer. */
  inForce: Map<string, VersionInForce>;
}

export interface VersionInForce {
  hash: string;
  snapshot: Snapshot;
  /** As archived; null where that is not known: the same content was archived before, by whomever. */
  archived: { fetchedAt: string; newest: boolean } | null;
}

/**
 * Archives every new day, oldest first (so that a crash leaves no hole), and every restated one: a day already
 * archived whose scores, maximum or set of controls differ. That it has lost its texts is not news.
 */
export async function keep(run: Run, archive: Archive, answer: Answer): Promise<Kept> {
  const { fetchedAt } = answer;
  const profilesAdded =
    answer.profilesHash !== answer.told?.profiles &&
    (await archive.addProfiles(answer.profilesHash, fetchedAt, answer.rawProfiles));

  const earlier = new Map(
    await Promise.all(
      answer.days.map(
        async ({ date }) =>
          [date, await versionInForce(run, archive, date, answer.archived.get(date) ?? [])] as const,
      ),
    ),
  );

  const kept: Kept = {
    added: [],
    profilesAdded,
    restated: [],
    versions: new Map(answer.archived),
    inForce: new Map(),
  };
  for (const day of answer.days) {
    const { date, snapshot, newest } = day;
    const archived = earlier.get(date);
    if (archived && sameScores(archived.snapshot, snapshot)) {
      kept.inForce.set(date, archived);
      continue;
    }
    const hash = contentHash(day.raw);
    const added = await archive.addSnapshot(date, hash, { fetchedAt, newest, secureScore: day.raw });
    if (added) kept.added.push(date);
    kept.versions.set(date, [...new Set([...(kept.versions.get(date) ?? []), hash])]);
    kept.inForce.set(date, { hash, snapshot, archived: added ? { fetchedAt, newest } : null });
    // Restated back to what was archived before, it adds nothing, and is said once only.
    if (archived && added) kept.restated.push(restated(archived.snapshot, day));
  }
  kept.versions = new Map([...kept.versions].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return kept;
}

/**
 * Of several versions of a day, the one fetched last. A damaged one is named and passed over: the day is then
 * archived anew from the answer.
 * @param score where given, versions that state another one do not count
 */
export async function versionInForce(
  run: Run,
  archive: Archive,
  date: string,
  hashes: string[],
  score?: { points: number; maximum: number },
): Promise<VersionInForce | null> {
  let last: (VersionInForce & { archived: { fetchedAt: string } }) | null = null;
  for (const hash of hashes) {
    try {
      const { fetchedAt, newest, snapshot } = await archive.snapshot(date, hash);
      if (score && (snapshot.points !== score.points || snapshot.maximum !== score.maximum)) continue;
      if (!last || fetchedAt > last.archived.fetchedAt) {
        last = { hash, snapshot, archived: { fetchedAt, newest } };
      }
    } catch (error) {
      if (!(error instanceof MonitorError && error.code === 'archive-damaged')) throw error;
      run.ports.log.error(error.message, { tenant: run.tenant.tenantId, advice: error.advice });
    }
  }
  return last;
}

function restated(before: Snapshot, day: Day): Change {
  return tenantChange('restated', `Microsoft restated the score of ${day.date}`, {
    date: day.date,
    previousDate: day.date,
    points: { before: before.points, after: day.snapshot.points },
    maximum: { before: before.maximum, after: day.snapshot.maximum },
  });
}
