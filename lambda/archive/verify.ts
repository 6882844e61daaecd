import { TABLES, type Table } from './columns/tables.ts';
import { addDays, dateOf, daysBetween } from '../dates.ts';
import { MonitorError } from '../errors.ts';
import type { Log, ObjectStore } from '../ports.ts';
import { Archive } from './archive.ts';
import { merged, rowsOf, type CodedTable } from './columns/coded.ts';
import { deriveMonths, monthOf } from './columns/derive.ts';
import { KeptDays, type FormerTables } from './columns/kept.ts';
import { inParallel } from './columns/parallel.ts';
import { toParquet } from './columns/parquet.ts';
import type { ArchivedDay, Row } from './columns/rows.ts';
import { Sources } from './columns/sources.ts';
import { readColumnsState } from './columns/state.ts';
import { GONE, readColumns } from './columns/write.ts';
import { layout } from './layout.ts';
import { provenProfiles, provenSnapshot, Unproven } from './proof.ts';
import type { TenantObjects } from './tenants.ts';

/** Graph keeps so many days: https://learn.microsoft.com/en-us/graph/api/security-list-securescores */
const GRAPH_KEEPS_DAYS = 90;

/** What is wrong with an archive. */
export interface Fault {
  /**
   * `damaged`: an object is not what its name says; `foreign`: it does not belong there; `missing`: something else in
   * the archive says that it was there; `implausible`: it is what Graph sent, and cannot be true; `columns`: the history
   * is not what the snapshots make it.
   */
  kind: 'damaged' | 'foreign' | 'missing' | 'implausible' | 'columns';
  /** Key of the object, or the beginning of it. */
  object: string;
  /** For people: what is wrong with it. */
  why: string;
}

/** Days in a row for which there is no snapshot, and why. No fault: nothing can be done about them. */
export interface Gap {
  from: string;
  to: string;
  days: number;
  /** `not-published`: Graph was asked in time and had none; `too-late`: it was asked when Graph no longer had them. */
  reason: 'not-published' | 'too-late';
  /** The first run after it, yyyy-mm-dd. */
  asked: string;
}

export interface Verdict {
  tenant: string;
  name: string | null;
  /** Objects that were read. */
  snapshots: number;
  catalogues: number;
  reports: number;
  /** Days with a snapshot that can be read; from the first to the last, yyyy-mm-dd. */
  days: number;
  first: string | null;
  last: string | null;
  /** When the first snapshot was archived, yyyy-mm-dd; days before it are what Graph still had. */
  since: string | null;
  gaps: Gap[];
  /** Rows of the history, by table, as they should be. */
  rows: { scores: number; controls: number; changes: number };
  faults: Fault[];
}

export interface VerifyOptions {
  store: ObjectStore;
  objects: TenantObjects;
  onProgress?: (done: number, total: number) => void;
}

/**
 * Proves that a tenant's part of the archive is what it says: reads every object, changes nothing, and never fails
 * because of what it finds. Every snapshot and catalogue is hashed again; days are without gaps, or these are named;
 * and the columns are, row by row, what the snapshots make them.
 */
export async function verify({ store, objects, onProgress }: VerifyOptions): Promise<Verdict> {
  const { tenantId } = objects;
  const faults: Fault[] = objects.foreign.map((object) => ({
    kind: 'foreign',
    object,
    why: 'nothing of the archive has such a name',
  }));
  const total = objects.snapshots.size + objects.catalogues.length + objects.reports.length;
  let done = 0;
  const checked = async (object: string, check: () => Promise<void>) => {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      faults.push({ kind: error.kind, object, why: error.message });
    }
    onProgress?.((done += 1), total);
  };

  const fetched = new Map<string, string>();
  await inParallel([...objects.snapshots], ([key, { date, hash }]) =>
    checked(key, async () => {
      const bytes = await bytesOf(store, key);
      const { fetchedAt: at } = await proven(provenSnapshot(bytes, { tenantId, date, hash }));
      const earlier = fetched.get(date);
      if (earlier === undefined || at < earlier) fetched.set(date, at);
    }),
  );
  await inParallel(objects.catalogues, (hash) => {
    const key = layout.profiles(tenantId, hash);
    return checked(key, async () => {
      await proven(provenProfiles(await bytesOf(store, key), hash));
    });
  });
  const told = new Set<string>();
  await inParallel(objects.reports, (key) =>
    checked(key, async () => {
      const date = await checkReport(store, key);
      if (date) told.add(date);
    }),
  );
  const name = await checkState(store, tenantId, faults);

  const dates = new Set([...objects.snapshots.values()].map(({ date }) => date));
  const implausible = new Set(faults.flatMap(({ kind, object }) => (kind === 'implausible' ? object : [])));
  const believed = new Map([...objects.snapshots].filter(([key]) => !implausible.has(key)));
  const columns = await checkColumns(store, { ...objects, snapshots: believed }, faults);
  for (const date of [...new Set([...told, ...columns.dates])].toSorted()) {
    if (dates.has(date)) continue;
    faults.push({
      kind: 'missing',
      object: `${layout.snapshots(tenantId)}date=${date}/`,
      why: `there is no snapshot of ${date}, but ${told.has(date) ? 'a report' : 'the history'} knows that day`,
    });
  }
  const readable = [...fetched.keys()].toSorted();
  return {
    tenant: tenantId,
    name,
    snapshots: objects.snapshots.size,
    catalogues: objects.catalogues.length,
    reports: objects.reports.length,
    days: readable.length,
    first: readable[0] ?? null,
    last: readable.at(-1) ?? null,
    since: [...fetched.values()].toSorted()[0]?.slice(0, 10) ?? null,
    gaps: gapsIn([...new Set([...believed.values()].map(({ date }) => date))].toSorted(), fetched),
    rows: columns.rows,
    faults: faults.toSorted((a, b) => (a.object < b.object ? -1 : 1)),
  };
}

/** Something that a check found, for `faults`. */
class Wrong extends Error {
  readonly kind: Fault['kind'];
  constructor(kind: Fault['kind'], why: string) {
    super(why);
    this.kind = kind;
  }
}

async function bytesOf(store: ObjectStore, key: string): Promise<Uint8Array> {
  const object = await store.get(key);
  if (!object) throw new Wrong('missing', 'it was listed and is gone');
  return object.bytes;
}

async function proven<T>(proof: Promise<T>): Promise<T> {
  try {
    return await proof;
  } catch (error) {
    if (error instanceof Unproven) throw new Wrong(error.kind, error.message);
    throw error;
  }
}

/** @returns the day that it told of; null where it told of none */
async function checkReport(store: ObjectStore, key: string): Promise<string | null> {
  const bytes = await bytesOf(store, key);
  try {
    const told = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
      report?: { to?: { date?: unknown } | null };
    };
    const date = told.report?.to?.date;
    return typeof date === 'string' ? date : null;
  } catch {
    throw new Wrong('damaged', 'it is not JSON');
  }
}

/** @returns the tenant's name */
async function checkState(store: ObjectStore, tenantId: string, faults: Fault[]): Promise<string | null> {
  try {
    return (await new Archive(store, tenantId).state()).state?.name ?? null;
  } catch (error) {
    if (!(error instanceof MonitorError && error.code === 'state-damaged')) throw error;
    faults.push({ kind: 'damaged', object: layout.state(tenantId), why: error.message });
    return null;
  }
}

const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** @returns the rows as they should be, counted, and the days that the columns know */
async function checkColumns(
  store: ObjectStore,
  { tenantId, snapshots, history }: TenantObjects,
  faults: Fault[],
): Promise<{ rows: Verdict['rows']; dates: Set<string> }> {
  const archive = new Archive(store, tenantId);
  const versions = new Map<string, string[]>();
  for (const { date, hash } of snapshots.values()) versions.set(date, [...(versions.get(date) ?? []), hash]);
  const dates = [...versions.keys()].toSorted();
  // Damage is named already, by whoever read it first.
  const { sources } = await Sources.open({ archive, log: SILENT, memory: undefined, written: null });
  const load = async (some: string[]): Promise<ArchivedDay[]> => {
    const days = await inParallel(some, (date) => sources.day(date, versions.get(date) ?? []));
    return days.filter((day) => day !== null);
  };
  const months = [...new Set([...dates.map(monthOf), ...history.keys()])].toSorted();
  const { state } = await readColumnsState(store, tenantId);
  const behind =
    state && dates.at(-1)! > state.through ? `they end on ${state.through || 'no day yet'}` : null;

  const counted = { scores: 0, controls: 0, changes: 0 };
  const known = new Set<string>();
  const keptDays = new KeptDays((date) => (versions.has(date) ? sources.flaw(date) : GONE));
  for await (const { month, rows } of deriveMonths({ tenantId, baseline: null, dates, months, load })) {
    const files = await Promise.all(
      TABLES.map(({ name }) =>
        readTable(store, layout.columns(name, month, tenantId), name, { tenantId, month }),
      ),
    );
    const former = Object.fromEntries(TABLES.map(({ name }, index) => [name, () => files[index]!.table]));
    // Of a day that does not prove itself the rows stay as they are: nobody can say any more what they should be.
    const wanted = keptDays.apply(
      rows,
      dates.filter((date) => monthOf(date) === month),
      former as FormerTables,
      null,
    );
    for (const [index, table] of TABLES.entries()) {
      counted[table.name] += wanted[table.name].length;
      const file = files[index]!;
      const why = compareFile(table, file, wanted[table.name]);
      for (const { date } of file.table ? rowsOf(table, file.table) : []) known.add(date);
      const object = layout.columns(table.name, month, tenantId);
      if (why !== null) faults.push({ kind: 'columns', object, why: behind ? `${why} (${behind})` : why });
    }
  }
  return { rows: counted, dates: known };
}

interface FoundFile {
  bytes: Uint8Array | null;
  /** Null where there is none that can be used. */
  table: CodedTable | null;
  /** Why not. */
  why: string | null;
}

async function readTable(
  store: ObjectStore,
  key: string,
  name: Table['name'],
  file: { tenantId: string; month: string },
): Promise<FoundFile> {
  const object = await store.get(key);
  if (!object) return { bytes: null, table: null, why: 'it is missing' };
  const { bytes } = object;
  try {
    return { bytes, table: readColumns(name, { ...file, bytes }), why: null };
  } catch (error) {
    return { bytes, table: null, why: error instanceof Error ? error.message : String(error) };
  }
}

/** @returns what is wrong with it; null: nothing */
function compareFile(table: Table, file: FoundFile, wanted: Row[]): string | null {
  if (!file.bytes || !file.table) return file.why;
  const expected = merged(table, null, null, wanted);
  if (Buffer.compare(toParquet(table, expected), file.bytes) === 0) return null;
  const found = rowsOf(table, file.table);
  const missing = without(wanted, found);
  const extra = without(found, wanted);
  if (missing.length === 0 && extra.length === 0) return null;
  const days = [...new Set([...missing, ...extra].map(({ date }) => date))].toSorted();
  const span = days.length === 1 ? `on ${days[0]}` : `from ${days[0]} to ${days.at(-1)}`;
  return `of what the snapshots make, ${countRows(missing)} missing in it, and ${countRows(extra)} there too many, ${span}`;
}

function countRows({ length }: Row[]): string {
  return length === 1 ? '1 row is' : `${length} rows are`;
}

/** Those that are not among the others, as often as they are. */
function without(rows: Row[], others: Row[]): Row[] {
  const left = new Map<string, number>();
  const textOf = (row: Row) => JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  for (const row of others) left.set(textOf(row), (left.get(textOf(row)) ?? 0) + 1);
  return rows.filter((row) => {
    const text = textOf(row);
    const count = left.get(text) ?? 0;
    if (count > 0) left.set(text, count - 1);
    return count === 0;
  });
}

/**
 * The days between the first and the last that have no snapshot. The first run after them asked for them if Graph
 * still had them: every run asks for all days since the last one archived, as far as Graph keeps them.
 * @param fetched when the first version of a day was fetched, by day
 */
function gapsIn(dates: string[], fetched: Map<string, string>): Gap[] {
  return dates.slice(1).flatMap((date, index) => {
    const before = dates[index]!;
    if (daysBetween(before, date) < 2) return [];
    const after = [...fetched].filter(([day]) => day > before).map(([, at]) => at);
    const asked = dateOf(new Date(after.toSorted()[0] ?? `${date}T00:00:00Z`));
    const from = addDays(before, 1);
    const to = addDays(date, -1);
    const kept = addDays(asked, -GRAPH_KEEPS_DAYS);
    return [
      gap(from, kept > to ? to : addDays(kept, -1), 'too-late', asked),
      gap(kept > from ? kept : from, to, 'not-published', asked),
    ].filter((each) => each !== null);
  });
}

function gap(from: string, to: string, reason: Gap['reason'], asked: string): Gap | null {
  return from <= to ? { from, to, days: daysBetween(from, to) + 1, reason, asked } : null;
}
