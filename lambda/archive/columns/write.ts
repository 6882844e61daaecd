import { randomUUID } from 'node:crypto';
import { TABLES, type Table } from './tables.ts';
import type { Log, ObjectStore } from '../../ports.ts';
import { Archive } from '../archive.ts';
import { layout } from '../layout.ts';
import type { Returned } from '../ledger.ts';
import { reopenMonth } from './closed.ts';
import { inParallel } from './parallel.ts';
import { fromParquet, toParquet } from './parquet.ts';
import { columnOf, merged, rowsOf, type CodedTable } from './coded.ts';
import { deriveMonths, monthOf } from './derive.ts';
import { RetainedDays, type FormerTables, type UnprovenDay } from './retained.ts';
import { endsAnswer, isBaseline, lastOfAnswer, type ArchivedDay, type Row, type Rows } from './rows.ts';
import { Sources, type InMemory } from './sources.ts';
import {
  fingerprint,
  NOTHING_WRITTEN,
  readColumnsState,
  remembersFrom,
  swapColumnsState,
  type ColumnsState,
} from './state.ts';

/*
 * The columns always equal what a rebuild would make of the snapshots, whoever writes, crashes or comes late.
 *
 * The versions of the days show what changed: those in the archive are compared with those in the state of the columns.
 * From the first day that differs, the writer goes back to a counted day whose acceptance is final (two further days
 * had come) and with which an answer of Graph ended. All rows after that day are derived from scratch, and those up to
 * it stay. A day that comes late, is restated, or is accepted after having been suspect thus ends in the same rows that
 * a rebuild derives.
 *
 * Two writers: before it touches a file, a writer puts its name into the state, by compare-and-swap, and removes the
 * days that it is about to rewrite. It reads the files first, so that each is only written over the bytes that it had
 * before the name was in the state. A later writer has either seen our write, or makes it fail; the name is then
 * that of the other, and we stop. Its days include ours, because we removed them. After a crash the days are missing as well.
 */

export interface ColumnsOptions {
  store: ObjectStore;
  tenantId: string;
  log: Log;
  /** If given, days in its future count as missing. */
  now?: Date;
  /** The objects that the run has in memory. */
  memory?: InMemory;
  /** Derives everything from scratch, whatever exists. */
  everything?: boolean;
  /** Write the files of these months (yyyy-mm) too, even if there are no days for them. */
  alsoMonths?: string[];
  /** True when no further month should be begun. */
  timeIsUp?: () => boolean;
  /** Called after each month with the number of days whose rows are written, and of all days. */
  onProgress?: (done: number, total: number) => void;
}

export interface Written {
  /** `overtaken`: another writer is working; `unfinished`: time was up, and the next run goes on. */
  outcome: 'written' | 'unchanged' | 'unfinished' | 'overtaken';
  /** Keys of the files that were written. */
  files: string[];
  /** Days whose rows were derived, or would have been had they proved themselves. */
  days: number;
  /** The days among them, ascending, that do not prove themselves, or that are gone although the history has them. */
  unproven: UnprovenDay[];
}

/** The reason why the rows of a day stay that the archive no longer has. */
export const GONE = 'it has no snapshot, but the history has rows of it';

/** The maximum number of times another writer may come first before this one gives up. */
const ATTEMPTS = 5;

/** Brings the columns of a tenant up to date with its snapshots and profiles. It is cheap if little has changed. */
export async function writeColumns(options: ColumnsOptions): Promise<Written> {
  for (let attempt = 1; ; attempt += 1) {
    const writer = new Writer(options);
    try {
      return await writer.write();
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      if (writer.hasBegun || attempt === ATTEMPTS) {
        return { outcome: 'overtaken', files: writer.files, days: 0, unproven: [] };
      }
    }
  }
}

/** Another writer has put its name into the state. */
class Overtaken extends Error {}

/** A file of a month as it was found. */
interface Found {
  version: string | null;
  bytes: Uint8Array | null;
  /** Null if there is no usable file. */
  read: () => CodedTable | null;
}

/** The versions of days, by date, ascending: of the complete archive, or only of the last days. */
interface Listing {
  listed: Map<string, string[]>;
  /** When versions came into force again. */
  returned: Returned;
  isComplete: boolean;
}

class Writer {
  readonly files: string[] = [];
  readonly #options: ColumnsOptions;
  readonly #archive: Archive;
  readonly #name = randomUUID();
  readonly #found = new Map<string, Promise<Found>>();
  #stateVersion: string | null = null;
  /** True if unusable files made it begin earlier than the first changed day. */
  #wentBack = false;
  hasBegun = false;

  constructor(options: ColumnsOptions) {
    this.#options = options;
    this.#archive = new Archive(options.store, options.tenantId);
  }

  async write(): Promise<Written> {
    const { store, tenantId, log, memory, everything, alsoMonths = [], timeIsUp, onProgress } = this.#options;
    const current = await readColumnsState(store, tenantId);
    this.#stateVersion = current.version;
    const written = everything ? null : current.state;
    const { sources, shifted } = await Sources.open({ archive: this.#archive, log, memory, written });

    const changed = await this.#firstChange(shifted ? null : written);
    if (changed.date === null) return { outcome: 'unchanged', files: [], days: 0, unproven: [] };
    const onlyAfter = written !== null && written.writer === null && changed.date > written.through;
    const { listed, returned, baseline } = await this.#baseline(
      changed,
      changed.date,
      onlyAfter && !shifted,
      sources,
    );
    const isAfter = (date: string) => baseline === null || date > baseline.date;
    const after = [...listed.keys()].filter(isAfter);
    const before = withoutDaysAfter(written ?? NOTHING_WRITTEN, baseline?.date ?? '');
    let { fetchedAt } = before;
    const load = async (dates: string[]): Promise<ArchivedDay[]> => {
      const days = await inParallel(dates, (date) => sources.day(date, listed.get(date) ?? [], returned));
      for (const day of days) if (day && day.fetchedAt > fetchedAt) fetchedAt = day.fetchedAt;
      return days.filter((day) => day !== null);
    };

    // Days that existed before and are gone count as well.
    const gone = Object.keys(written?.versions ?? {}).filter(isAfter);
    const months = [...new Set([...[...after, ...gone].map(monthOf), ...alsoMonths])].toSorted();
    const retainedDays = new RetainedDays((date) => (listed.has(date) ? sources.flaw(date) : GONE));
    let through = baseline?.date ?? '';
    let unfinished = false;
    for await (const { month, rows } of deriveMonths({ tenantId, baseline, dates: after, months, load })) {
      const keepThrough = baseline && monthOf(baseline.date) === month ? baseline.date : null;
      const dates = after.filter((date) => monthOf(date) === month);
      await this.#writeMonth(month, (former) => retainedDays.apply(rows, dates, former, keepThrough), {
        keepThrough,
        before,
      });
      through = after.findLast((date) => monthOf(date) === month) ?? through;
      onProgress?.(after.indexOf(through) + 1, after.length);
      // It stops only once it has come further than the last writer, from whose end it went back. If files were lost,
      // each month is progress.
      const hasProgressed = this.#wentBack || through > (written?.through ?? '');
      unfinished = month !== months.at(-1) && hasProgressed && timeIsUp?.() === true;
      if (unfinished) break;
    }
    await this.#finish({
      version: 4,
      through,
      versions: versionsOf(before.versions, { listed, returned }, through),
      catalogues: sources.timeline(remembersFrom(through)),
      fetchedAt,
      // The acceptance of the last days may depend on days that are not written yet.
      writer: unfinished ? this.#name : null,
    });
    const { unproven } = retainedDays;
    for (const { date, why } of unproven) {
      // Damaged objects were logged when they were read.
      if (why === GONE)
        log.error('a day of the history no longer has a snapshot; its rows stay', { tenantId, date });
    }
    return {
      outcome: unfinished ? 'unfinished' : 'written',
      files: this.files,
      days: after.length,
      unproven,
    };
  }

  /** The first day whose versions are not those from which its rows were made; null if there is none. */
  async #firstChange(written: ColumnsState | null): Promise<Listing & { date: string | null }> {
    const { memory, now } = this.#options;
    const enough = memory && written && isEnough(memory, written);
    const listing: Listing = enough
      ? { listed: new Map(memory.versions), returned: memory.returned, isComplete: false }
      : await this.#listAll(now);
    const { listed, returned } = listing;
    if (!written) return { ...listing, date: [...listed.keys()][0] ?? null };

    const since = remembersFrom(written.through);
    const known = new Map(Object.entries(written.versions));
    const first = [...listed.keys()][0] ?? '';
    const dates = [...new Set([...listed.keys(), ...known.keys()])].toSorted();
    const date = dates.find(
      (each) =>
        each >= since && each >= first && known.get(each) !== fingerprintOf(listed.get(each), returned),
    );
    return { ...listing, date: date ?? (await this.#firstLost(written.through)) };
  }

  async #listAll(now: Date | undefined): Promise<Listing> {
    const { days: listed, returned } = await this.#archive.named(now);
    return { listed, returned, isComplete: true };
  }

  /**
   * The day to begin with although no day has changed, so that the next run restores a history that was deleted. Only
   * the month that was written last is checked; `archive verify` finds earlier losses.
   */
  async #firstLost(through: string): Promise<string | null> {
    if (through === '') return null;
    const month = monthOf(through);
    const found = await Promise.all(TABLES.map(({ name }) => this.#find(name, month)));
    return found.every(({ read }) => read()) ? null : `${month}-01`;
  }

  /**
   * The day from which to derive so that the rows from `from` on are right: a counted day before it whose acceptance is
   * final, the last one of its answer, with complete files of its month; null for the very beginning.
   * @param onlyAfter nothing that is written has changed, and there are only later days
   */
  async #baseline(
    listing: Listing,
    from: string,
    onlyAfter: boolean,
    sources: Sources,
  ): Promise<Listing & { baseline: ArchivedDay | null }> {
    if (this.#options.everything) return { ...listing, baseline: null };
    let all = listing;
    let start = from;
    for (;;) {
      const { listed, returned } = all;
      const earlier = [...listed.keys()].filter((date) => date < start);
      // Its acceptance may depend on the two days that follow it, except on days after all that is written.
      const candidates = onlyAfter && start === from ? earlier : earlier.slice(0, -2);
      let damaged: string | null = null;
      const read = new Map<string, ArchivedDay | null>();
      const readDays = async (dates: string[]) => {
        const missing = dates.filter((date) => !read.has(date));
        const days = await inParallel(missing, (date) => sources.day(date, listed.get(date) ?? [], returned));
        for (const [index, date] of missing.entries()) read.set(date, days[index]!);
        return dates.flatMap((date) => read.get(date) ?? []);
      };
      for (const date of candidates.toReversed()) {
        const month = monthOf(date);
        const [scores, ...others] = await Promise.all(TABLES.map(({ name }) => this.#find(name, month)));
        const counted = scores ? isCounted(scores.read(), date) : null;
        if (counted === false) continue;
        if (counted === null || !others.every((found) => found.read())) {
          damaged = month;
          break;
        }
        const [baseline] = await readDays([date]);
        if (!baseline || !isBaseline(baseline)) continue;
        const last = lastOfAnswer(baseline);
        const later = await readDays([...listed.keys()].filter((each) => each > date && each <= last));
        if (endsAnswer(baseline, later)) return { ...all, baseline };
      }
      if (damaged !== null) {
        start = `${damaged}-00`;
        this.#wentBack = true;
      } else if (all.isComplete) return { ...all, baseline: null };
      else all = await this.#listAll(this.#options.now);
    }
  }

  /**
   * @param rowsFor returns the rows after `keepThrough` for the files as they were found
   * @param keepThrough the rows of the files up to this day stay; null: none
   */
  async #writeMonth(
    month: string,
    rowsFor: (former: FormerTables) => Rows,
    { keepThrough, before }: { keepThrough: string | null; before: ColumnsState },
  ): Promise<void> {
    const found = await Promise.all(TABLES.map(({ name }) => this.#find(name, month)));
    await this.#begin(before);
    // The copies are made from scratch as well, because they may be wrong.
    if (this.#options.everything) await reopenMonth(this.#options.store, month, null, null);
    const former = Object.fromEntries(TABLES.map(({ name }, index) => [name, found[index]!.read]));
    const rows = rowsFor(former as FormerTables);
    await Promise.all(TABLES.map((table) => this.#writeFile(table, month, rows[table.name], keepThrough)));
  }

  async #writeFile(table: Table, month: string, rows: Row[], keepThrough: string | null): Promise<void> {
    const { store, tenantId, now } = this.#options;
    const key = layout.columns(table.name, month, tenantId);
    for (;;) {
      const found = await this.#find(table.name, month);
      const former = keepThrough === null ? null : found.read();
      const bytes = toParquet(table, merged(table, former, keepThrough, rows));
      this.#found.delete(key);
      if (found.bytes && Buffer.compare(found.bytes, bytes) === 0) return;
      await reopenMonth(store, month, tenantId, now ?? null);
      if ((await store.replace(key, bytes, found.version)) !== undefined) {
        await reopenMonth(store, month, tenantId, now ?? null);
        this.files.push(key);
        return;
      }
      // The file was written meanwhile. If that was another writer of columns, its name is in the state now.
      await this.#find(table.name, month);
      await this.#begin(null);
    }
  }

  #find(table: Table['name'], month: string): Promise<Found> {
    const key = layout.columns(table, month, this.#options.tenantId);
    const found = this.#found.get(key) ?? this.#read(table, month, key);
    this.#found.set(key, found);
    return found;
  }

  async #read(name: Table['name'], month: string, key: string): Promise<Found> {
    const { store, tenantId, log } = this.#options;
    const object = await store.get(key);
    if (!object) return { version: null, bytes: null, read: () => null };
    const { version, bytes } = object;
    const parse = () => {
      try {
        return readFile(tableOf(name), { month, tenantId, bytes });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        log.warn('a file of columns is damaged and is made again', {
          file: `${store.location}/${key}`,
          why,
        });
        return null;
      }
    };
    let read: CodedTable | null | undefined;
    return { version, bytes, read: () => (read === undefined ? (read = parse()) : read) };
  }

  /**
   * Puts our name into the state the first time, and then checks that it is still there.
   * @throws Overtaken
   */
  async #begin(before: ColumnsState | null): Promise<void> {
    const { store, tenantId } = this.#options;
    if (this.hasBegun) {
      const { state } = await readColumnsState(store, tenantId);
      if (state?.writer !== this.#name) throw new Overtaken();
      return;
    }
    const state = { ...(before ?? NOTHING_WRITTEN), writer: this.#name };
    const version = await swapColumnsState(store, tenantId, state, this.#stateVersion);
    if (version === undefined) throw new Overtaken();
    this.#stateVersion = version;
    this.hasBegun = true;
  }

  async #finish(state: ColumnsState): Promise<void> {
    const { store, tenantId } = this.#options;
    const version = await swapColumnsState(store, tenantId, state, this.#stateVersion);
    if (version === undefined) throw new Overtaken();
  }
}

function withoutDaysAfter(written: ColumnsState, date: string): ColumnsState {
  const through = written.through < date ? written.through : date;
  const versions = Object.fromEntries(Object.entries(written.versions).filter(([day]) => day <= through));
  return { ...written, through, versions };
}

function versionsOf(
  before: Record<string, string>,
  { listed, returned }: Pick<Listing, 'listed' | 'returned'>,
  through: string,
): Record<string, string> {
  const since = remembersFrom(through);
  const now = [...listed].map(([date, hashes]) => [date, fingerprint(hashes, returned)] as const);
  const versions = new Map([...Object.entries(before), ...now]);
  const remembered = [...versions].filter(([date]) => date >= since && date <= through);
  return Object.fromEntries(remembered.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

interface MonthFile {
  month: string;
  tenantId: string;
  bytes: Uint8Array;
}

/** @throws Error for anything but a complete file of the table whose rows are all of this tenant and month */
function readFile(table: Table, { month, tenantId, bytes }: MonthFile): CodedTable {
  const coded = fromParquet(table, bytes);
  const valuesOf = (name: string) => coded.columns[columnOf(table, name)]!.values;
  if (
    valuesOf('tenant').some((value) => value !== tenantId) ||
    valuesOf('date').some((value) => monthOf(String(value)) !== month)
  ) {
    throw new Error('it holds rows of another tenant or month');
  }
  return coded;
}

/** The table in a month's file. @throws Error as `readFile` */
export function readColumns(name: Table['name'], file: MonthFile): CodedTable {
  return readFile(tableOf(name), file);
}

/** The rows of a month's file. @throws Error as `readFile` */
export function readRows(name: Table['name'], file: MonthFile): Row[] {
  return rowsOf(tableOf(name), readColumns(name, file));
}

function tableOf(name: Table['name']): Table {
  return TABLES.find((table) => table.name === name)!;
}

/** Null if there is no table. */
function isCounted(scores: CodedTable | null, date: string): boolean | null {
  if (!scores) return null;
  const table = tableOf('scores');
  const dates = scores.columns[columnOf(table, 'date')]!;
  const counted = scores.columns[columnOf(table, 'counted')]!;
  const row = dates.codes.indexOf(dates.values.indexOf(date));
  return row >= 0 && counted.values[counted.codes[row]!] === true;
}

/**
 * True if the days that a run has in memory are all it needs: they go back to what is written, and no other run has
 * archived (and written) anything since.
 */
function isEnough({ versions: inMemory, returned }: InMemory, { through, versions }: ColumnsState): boolean {
  const [first] = inMemory.keys();
  if (first === undefined || first > through) return false;
  return Object.entries(versions).every(([date, written]) => {
    const listed = fingerprintOf(inMemory.get(date), returned)?.split(' ') ?? [];
    return date < first || written.split(' ').every((version) => listed.includes(version));
  });
}

function fingerprintOf(hashes: string[] | undefined, returned: Returned): string | undefined {
  return hashes && fingerprint(hashes, returned);
}
