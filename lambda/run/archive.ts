import { canonical, type Archive, type NewObject } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import { rangesOf, type Head, type LedgerState, type Named, type Returned } from '../archive/ledger.ts';
import type { Day } from '../graph/schema.ts';
import { day as formatDate } from '../report/format.ts';
import type { Change } from '../score/change.ts';
import { tenantChange } from '../score/diff.ts';
import { sameScores, type Snapshot } from '../score/snapshot.ts';
import type { Answer } from './check.ts';
import {
  ATTEMPTS,
  beginLedger,
  completeLedger,
  contended,
  enter,
  ledgerState,
  openLedger,
  type Completion,
  type LedgerView,
} from './ledger.ts';
import type { Run } from './run.ts';
import { isDamage, versionInForce, type VersionInForce } from './versions.ts';

/** The archive after this run's days were added to it. */
export interface Archived {
  /** Dates archived by this run, ascending, including restated days. */
  added: string[];
  /** From when on (ISO 8601) the catalogue of this run is in force, as it is archived; null if it was in force before. */
  catalogue: { addedAt: string; knownUntil?: string } | null;
  restated: Change[];
  /** Past days that the archive had lost, or never had, and that Graph still had. */
  healed: { date: string; why: 'missing' | 'damaged' }[];
  /** Hashes of every version by date, ascending by date. */
  versions: Map<string, string[]>;
  /** When versions came into force again. */
  returned: Returned;
  /** The version in force of each day of the answer. */
  inForce: Map<string, VersionInForce>;
  /** The part of the ledger that the state must remember, and its last entry. */
  ledger: LedgerState | null;
  tip: Head | null;
}

/**
 * Archives every new day, oldest first (so that a crash leaves no gap), and every restated one: a day already archived
 * whose scores, maximum or set of controls differ. A day that has only lost its texts is not archived again.
 *
 * Objects are entered in the ledger before they are added. Those that an earlier run entered but did not add come first.
 * @throws MonitorError `ledger-contended`
 */
export async function archiveDays(run: Run, archive: Archive, answer: Answer): Promise<Archived> {
  const now = run.ports.clock.now();
  const foreign = [...answer.foreign].flatMap(([date, hashes]) =>
    hashes.map((hash) => layout.snapshot(run.tenant.tenantId, date, hash)),
  );
  let view = answer.ledger;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if (!view.tip) await beginLedger(archive, answer.fetchedAt);
    else {
      const completion = await completeLedger(archive, view, now, remaker(archive, answer));
      const { kept, objects, returned } = await plan(run, archive, answer, view, completion);
      const end = (completed: Head | null, tip: Head): Archived => ({
        ...kept,
        returned: view.returned,
        ledger: ledgerState(view, completed, { lacked: answer.lacked, foreign }, now),
        tip: { sequence: tip.sequence, hash: tip.hash },
      });
      if (objects.length === 0 && returned.length === 0 && completion.unfinished.length === 0)
        return end(completion.completed, view.tip);

      const entry = await archive.ledger.append(
        {
          at: answer.fetchedAt,
          kind: 'run',
          completed: completion.completed?.sequence ?? 0,
          added: objects.map(({ key, hash }) => ({ key, hash })),
          returned,
          unfinished: completion.unfinished,
          asked: answer.asked,
          offered: rangesOf(answer.offered),
          refused: answer.refused.map((each) => ({
            date: each.date,
            reason: `${each.entry}: ${each.reason}`,
          })),
          note: kept.healed.map(healedNote).join(' ') || null,
        },
        view.tip,
      );
      if (entry) {
        for (const object of objects) {
          if (await archive.add(object)) continue;
          // Another run has made the same object, or it is not ours: its archived form is then unknown.
          const date = layout.parseSnapshot(object.key)?.date;
          const inForce = date === undefined ? undefined : kept.inForce.get(date);
          if (inForce && (await archive.stored(object.key))?.hash !== object.hash) inForce.archived = null;
        }
        enter(view, entry);
        const isSettled = completion.settled?.sequence === entry.sequence - 1;
        return end(isSettled ? entry : completion.completed, entry);
      }
    }
    view = await openLedger(archive, answer.known);
  }
  throw contended();
}

/** A sentence for people: what was lost, and what replaces it. */
export function healedNote({ date, why }: Archived['healed'][number]): string {
  const was = why === 'missing' ? 'was missing in the archive' : 'was damaged in the archive';
  return `The snapshot of ${formatDate(date)} ${was}. Microsoft still had that day, without its texts: it has been fetched again.`;
}

/** Makes an object again that an earlier run listed, if Graph has given the same answer. */
function remaker(archive: Archive, answer: Answer) {
  const { days, profilesContent } = answer;
  return async ({ key, hash: bytesHash }: Named, at: string): Promise<NewObject | null> => {
    const hash = layout.parseSnapshot(key)?.hash;
    const day = days.find(({ date }) => key.includes(`/date=${date}/`));
    const content = day && canonical(day.raw);
    if (content && content.hash === hash) {
      for (const newest of [day.newest, !day.newest]) {
        const object = archive.newSnapshot(day.date, content, { fetchedAt: at, newest });
        if (object.hash === bytesHash) return object;
      }
    }
    const isCatalogue = key.startsWith('profiles/') && layout.parseProfiles(key) === profilesContent.hash;
    if (!isCatalogue) return null;
    return archive.newProfiles(profilesContent, { fetchedAt: at, ...known(answer) });
  };
}

type Plan = Omit<Archived, 'returned' | 'ledger' | 'tip'>;

/**
 * The objects to add, the keys of the versions that come into force again, and the archive as it will be then. It changes
 * nothing.
 */
async function plan(
  run: Run,
  archive: Archive,
  answer: Answer,
  view: LedgerView,
  { made, unfinished }: Completion,
): Promise<{ kept: Plan; objects: NewObject[]; returned: string[] }> {
  const { fetchedAt } = answer;
  const objects: NewObject[] = [];
  const catalogue = await newCatalogue(run, archive, answer, view, unfinished);
  if (catalogue) objects.push(catalogue.object);
  const remade = made.find(({ key }) => key.startsWith('profiles/'));

  const versions = new Map(answer.archived);
  for (const { key } of made) {
    const snapshot = layout.parseSnapshot(key);
    if (snapshot) addVersion(versions, snapshot.date, snapshot.hash);
  }
  const earlier = new Map(
    await Promise.all(
      answer.days.map(
        async ({ date }) =>
          [date, await versionInForce(run, archive, date, versions.get(date) ?? [], view.returned)] as const,
      ),
    ),
  );

  const lost = new Map(answer.lost.map(({ date, why }) => [date, why]));
  const returned: string[] = [];
  const kept: Plan = {
    added: made.flatMap(({ key }) => layout.parseSnapshot(key)?.date ?? []),
    catalogue: catalogue
      ? { addedAt: fetchedAt, ...(catalogue.isNew ? known(answer) : {}) }
      : remade
        ? { addedAt: remade.at, ...known(answer) }
        : null,
    restated: [],
    healed: [],
    versions,
    inForce: new Map(),
  };
  for (const day of answer.days) {
    const { date, snapshot, newest } = day;
    const archived = earlier.get(date);
    if (archived && sameScores(archived.snapshot, snapshot)) {
      kept.inForce.set(date, archived);
      continue;
    }
    const content = canonical(day.raw);
    const { hash } = content;
    const isArchived = versions.get(date)?.includes(hash) ?? false;
    let object = isArchived ? null : archive.newSnapshot(date, content, { fetchedAt, newest });
    // A version that was in force before another one came is in force again. A damaged one is no evidence of anything.
    const isReturned = archived && isArchived ? await proves(archive, date, hash) : false;
    if (isReturned) returned.push(layout.snapshot(run.tenant.tenantId, date, hash));
    if (object && answer.foreign.get(date)?.includes(hash)) {
      object = await adopted(run, archive, object, () => archive.snapshot(date, hash));
    }
    if (object) {
      objects.push(object);
      kept.added.push(date);
      const why = versions.has(date)
        ? 'damaged'
        : (lost.get(date) ?? (view.snapshots.has(date) ? 'missing' : null));
      if (!archived && why) kept.healed.push({ date, why });
    }
    addVersion(versions, date, hash);
    kept.inForce.set(date, { hash, snapshot, archived: object ? { fetchedAt, newest } : null });
    if (archived && (object || isReturned)) kept.restated.push(restated(archived.snapshot, day));
  }
  kept.added = [...new Set(kept.added)].toSorted();
  kept.versions = new Map([...versions].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { kept, objects, returned };
}

async function proves(archive: Archive, date: string, hash: string): Promise<boolean> {
  try {
    await archive.snapshot(date, hash);
    return true;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return false;
  }
}

function addVersion(versions: Map<string, string[]>, date: string, hash: string): void {
  versions.set(date, [...new Set([...(versions.get(date) ?? []), hash])]);
}

/**
 * The catalogue of the answer, unless it is the one in force. If Graph returns to an archived catalogue after another
 * one, it is listed again, because its `fetchedAt` does not show when it came back.
 */
async function newCatalogue(
  run: Run,
  archive: Archive,
  answer: Answer,
  { catalogues }: LedgerView,
  unfinished: string[],
): Promise<{ object: NewObject; isNew: boolean } | null> {
  const { profilesContent, fetchedAt } = answer;
  const { hash } = profilesContent;
  // One that a dead run listed, and whose bytes cannot be had again, is in force and not there.
  const isThere = !unfinished.includes(layout.profiles(run.tenant.tenantId, hash));
  if ([...catalogues].at(-1) === hash && isThere) return null;
  const object = archive.newProfiles(profilesContent, { fetchedAt, ...known(answer) });
  if (!(await archive.has(object.key))) return { object, isNew: true };
  const isNamed = catalogues.has(hash) || (await openLedger(archive, null)).catalogues.has(hash);
  const former = isNamed
    ? await archive.stored(object.key)
    : await adopted(run, archive, object, () => archive.factsOfProfiles(hash));
  return former && { object: former, isNew: false };
}

function known({ knownUntil }: Answer): { knownUntil?: string } {
  return knownUntil === null ? {} : { knownUntil };
}

/**
 * An object that no entry lists, at a key that is needed. If it has the very content that Graph offers now, it is listed,
 * because nothing can replace it in an append-only archive.
 * @param prove throws unless the content is proven
 */
async function adopted(
  run: Run,
  archive: Archive,
  { key }: NewObject,
  prove: () => Promise<{ fetchedAt: string }>,
): Promise<NewObject | null> {
  try {
    const { fetchedAt } = await prove();
    if (fetchedAt <= run.ports.clock.now().toISOString()) return await archive.stored(key);
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  run.ports.log.error('an object that no run archived lies where one belongs', {
    tenant: run.tenant.tenantId,
    key,
    advice: 'Move it away: it is never used, and the next run archives what belongs there.',
  });
  return null;
}

function restated(before: Snapshot, day: Day): Change {
  return tenantChange('restated', `Microsoft restated the score of ${day.date}`, {
    date: day.date,
    previousDate: day.date,
    points: { before: before.points, after: day.snapshot.points },
    maximum: { before: before.maximum, after: day.snapshot.maximum },
  });
}
