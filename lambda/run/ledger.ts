import type { Archive, NewObject, ArchivedReport } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import { noteReturned, type Head, type LedgerFile, type LedgerState, type Named } from '../archive/ledger.ts';
import { addDays, dateOf } from '../dates.ts';
import { MonitorError } from '../errors.ts';

/** The time, in ms, after which a run has surely ended (Lambda's 15 minutes), and what it did not create never will be. */
const LONGEST_RUN_MS = 16 * 60_000;
/** The maximum number of times another writer may create an entry first before this one gives up. */
export const ATTEMPTS = 20;
/** Graph keeps 90 days, and a run that fetches one of them again looks at a few before it. */
const REMEMBERED_DAYS = 98;
/** The number of catalogues that the state remembers, because some come back within days. */
const CATALOGUES = 20;
/** The number of foreign objects that it names. */
const FOREIGN = 20;

const BEGINNING =
  'The ledger begins here. It names what was found in the archive, and proves nothing about the time before.';

/** A tenant's ledger as a run found it. */
export interface LedgerView {
  /** The last entry, which the next one follows; null if there is none and the ledger has to begin. */
  tip: Head | null;
  /** The entry up to which everything listed has existed. */
  completed: Head | null;
  /** The entries after that, by runs that died or are still working. */
  beyond: LedgerFile[];
  /** Content hashes of listed snapshots, by date: of the last days, or of all days if the state remembers none. */
  snapshots: Map<string, Set<string>>;
  /** When such snapshots came into force again, ISO 8601, ascending, by content hash. */
  returned: Map<string, string[]>;
  /** Content hashes of listed catalogues, to the same extent; the one in force is the last. */
  catalogues: Set<string>;
}

/** @param known what the state remembers. Without it the complete ledger is read */
export async function openLedger(archive: Archive, known: LedgerState | null): Promise<LedgerView> {
  const files = await archive.ledger.read(known?.sequence);
  const before = Math.max(known?.sequence ?? 0, ...files.map(({ entry }) => entry?.completed ?? 0));
  const view: LedgerView = {
    tip: files.at(-1) ?? known,
    completed: files.find(({ sequence }) => sequence === before) ?? known,
    beyond: files.filter(({ sequence }) => sequence > before),
    snapshots: new Map(
      Object.entries(known?.snapshots ?? {}).map(([date, hashes]) => [date, new Set(hashes)]),
    ),
    returned: new Map(Object.entries(known?.returned ?? {})),
    catalogues: new Set(known?.catalogues),
  };
  for (const file of files) remember(view, file);
  return view;
}

function remember(view: LedgerView, { entry }: LedgerFile): void {
  if (!entry) return;
  for (const { key } of entry.added) rememberObject(view, key);
  noteReturned(view.returned, entry);
}

function rememberObject({ snapshots, catalogues }: LedgerView, key: string): void {
  const snapshot = layout.parseSnapshot(key);
  if (snapshot) {
    const { date, hash } = snapshot;
    snapshots.set(date, (snapshots.get(date) ?? new Set()).add(hash));
  } else if (key.startsWith('profiles/')) {
    const hash = layout.parseProfiles(key);
    if (!hash) return;
    // The last one is the one in force.
    catalogues.delete(hash);
    catalogues.add(hash);
  }
}

/** Creates the first entry, which lists what exists. Whether it is ours or another run's, open the ledger again then. */
export async function beginLedger(archive: Archive, at: string): Promise<void> {
  const added = await archive.everything();
  // If a report has seen a ledger, it was removed. Continuing after that head keeps its loss visible forever.
  const witness = await archive.lastWitness();
  await archive.ledger.append({ at, kind: 'began', completed: 0, added, note: BEGINNING }, witness);
}

/** The outcome for the entries beyond the completed ones. */
export interface Completion {
  /** The entry up to which everything listed exists. */
  completed: Head | null;
  /** The entry up to which everything exists except what is `unfinished`: the last one, unless another run may be working. */
  settled: Head | null;
  /** Keys listed by runs that died, of objects that can no longer be had. */
  unfinished: string[];
  /** The objects created now, and the time (ISO 8601) at which the run that listed them fetched them. */
  made: { key: string; at: string }[];
}

/**
 * Creates the objects that entries list but that do not exist, if the very same bytes can be made again.
 * @param remake makes the object that an entry of `at` (ISO 8601) lists; null if it cannot be had
 */
export async function completeLedger(
  archive: Archive,
  view: LedgerView,
  now: Date,
  remake: (named: Named, at: string) => Promise<NewObject | null>,
): Promise<Completion> {
  const completion: Completion = {
    completed: view.completed,
    settled: view.completed,
    unfinished: [],
    made: [],
  };
  const excused = new Set(view.beyond.flatMap(({ entry }) => entry?.unfinished ?? []));
  let isComplete = true;
  let isSettled = true;
  for (const { sequence, hash, entry } of view.beyond) {
    // Objects listed when the ledger began existed then.
    for (const named of entry && entry.kind !== 'began' ? entry.added : []) {
      if (excused.has(named.key)) continue;
      const object = await remake(named, entry!.at);
      if (object?.hash === named.hash) {
        if (await archive.add(object)) completion.made.push({ key: named.key, at: entry!.at });
        continue;
      }
      if (await archive.has(named.key)) continue;
      isComplete = false;
      const isDead =
        now.getTime() - Date.parse(entry!.at) > LONGEST_RUN_MS && !(await isClaimed(archive, named));
      if (isDead) completion.unfinished.push(named.key);
      else isSettled = false;
    }
    if (isSettled) completion.settled = { sequence, hash };
    if (isComplete) completion.completed = { sequence, hash };
  }
  return completion;
}

/** True for a report that is still in the state and must be created. */
async function isClaimed(archive: Archive, { key }: Named): Promise<boolean> {
  return key.startsWith('reports/') && (await archive.state()).state?.claim?.report != null;
}

/**
 * Enters a report in the ledger and adds it, both once, however many tries it takes.
 * @returns the state's part of the ledger afterwards
 */
export async function enterReport(
  archive: Archive,
  known: LedgerState | null,
  archived: ArchivedReport,
  now: Date,
): Promise<LedgerState | null> {
  const report = archive.newReport(archived);
  const named: Named = { key: report.key, hash: report.hash };
  const { toldAt: at } = archived.report;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const view = await openLedger(archive, known);
    if (!view.tip) {
      await beginLedger(archive, at);
      continue;
    }
    const isReport = ({ key, hash }: Named) => key === named.key && hash === named.hash;
    if (!view.beyond.some(({ entry }) => entry?.added.some(isReport))) {
      const completed = view.completed?.sequence ?? 0;
      const entry = await archive.ledger.append({ at, kind: 'report', completed, added: [named] }, view.tip);
      if (!entry) continue;
      enter(view, entry);
    }
    const { completed } = await completeLedger(archive, view, now, async (each) =>
      isReport(each) ? report : null,
    );
    return ledgerState(view, completed, known ?? { lacked: [], foreign: [] }, now);
  }
  throw contended();
}

/** Updates the view after an entry was appended. */
export function enter(view: LedgerView, file: LedgerFile): void {
  view.tip = file;
  view.beyond.push(file);
  remember(view, file);
}

export function contended(): MonitorError {
  return new MonitorError(
    'ledger-contended',
    `Other writers added to the ledger of this tenant ${ATTEMPTS} times before this one could.`,
    'Run again when the others are done. If nothing else is running, look at the objects under ledger/.',
    { retryable: true },
  );
}

/** The first day that the state remembers. */
export function rememberedFrom(now: Date): string {
  return addDays(dateOf(now), -REMEMBERED_DAYS);
}

/** @returns null if nothing is completed, so that the complete ledger is read again */
export function ledgerState(
  { snapshots, returned, catalogues }: LedgerView,
  completed: Head | null,
  { lacked, foreign }: Pick<LedgerState, 'lacked' | 'foreign'>,
  now: Date,
): LedgerState | null {
  if (!completed) return null;
  const remembered = [...snapshots]
    .filter(([date]) => date >= rememberedFrom(now))
    .map(([date, hashes]) => [date, [...hashes].toSorted()] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    sequence: completed.sequence,
    hash: completed.hash,
    snapshots: Object.fromEntries(remembered),
    returned: Object.fromEntries(
      remembered.flatMap(([, hashes]) =>
        hashes.flatMap((hash) => {
          const times = returned.get(hash);
          return times ? [[hash, times]] : [];
        }),
      ),
    ),
    catalogues: [...catalogues].slice(-CATALOGUES),
    // What Graph offers as well has been entered by now.
    foreign: foreign
      .filter((key) => {
        const snapshot = layout.parseSnapshot(key);
        return snapshot && !snapshots.get(snapshot.date)?.has(snapshot.hash);
      })
      .slice(0, FOREIGN),
    lacked,
  };
}

/** The further of two states of one ledger; the first one if they are equal. */
export function further<Of extends Head>(a: Of | null, b: Of | null): Of | null {
  return (b?.sequence ?? 0) > (a?.sequence ?? 0) ? b : a;
}

/** The head in the form that reports carry. */
export function headOf(of: Head | null): Head | null {
  return of && { sequence: of.sequence, hash: of.hash };
}
