import { TABLES, type Table } from './columns/tables.ts';
import { addDays, daysBetween } from '../dates.ts';
import { MonitorError } from '../errors.ts';
import type { Log, ObjectStore } from '../ports.ts';
import { Archive } from './archive.ts';
import { columnOf, merged, rowsOf, type CodedTable } from './columns/coded.ts';
import { deriveMonths, monthOf } from './columns/derive.ts';
import { RetainedDays, type FormerTables } from './columns/retained.ts';
import { inParallel } from './columns/parallel.ts';
import { toParquet } from './columns/parquet.ts';
import type { ArchivedDay, Row } from './columns/rows.ts';
import { Sources } from './columns/sources.ts';
import { readColumnsState } from './columns/state.ts';
import { GONE, readColumns } from './columns/write.ts';
import { layout } from './layout.ts';
import {
  checkChain,
  contentsOf,
  headSchema,
  isOffered,
  Ledger,
  sha256,
  type Contents,
  type Head,
  type LedgerFile,
} from './ledger.ts';
import { provenProfiles, provenSnapshot, Unproven } from './proof.ts';
import type { State } from './state.ts';
import type { TenantObjects } from './tenants.ts';
import { commandLine } from '../command-line.ts';

/** The kinds of faults of an archive, each with its consequence and its remedy. */
export const KINDS = {
  damaged: {
    consequence: 'What was archived there can no longer be proven, and nothing is derived from it.',
    remedy: `Restore it from an earlier version of the bucket, or from a backup. If it cannot be restored, acknowledge the loss: ${commandLine('archive acknowledge <key> --reason "…"')}`,
  },
  missing: {
    consequence:
      'What was archived there can no longer be proven. Rows of the history that were made from it stay.',
    remedy: `Restore it from an earlier version of the bucket, or from a backup. If it cannot be restored, acknowledge the loss: ${commandLine('archive acknowledge <key> --reason "…"')}`,
  },
  foreign: {
    consequence: 'It was not created by the archive and proves nothing, so nothing is derived from it.',
    remedy: 'Find out who put it there, and move it away.',
  },
  unsigned: {
    consequence:
      'Anyone who can write to the archive could have made this entry, so it does not prove what it lists.',
    remedy: `Pass the certificate of that time with --certificate. After a switch to federated sign-in, acknowledge the first unsigned entry once, with the last certificate: ${commandLine('archive acknowledge <key> --reason "…" --certificate app.pem')}`,
  },
  head: {
    consequence: 'Nothing in the archive shows any longer which entry of the ledger is the last one.',
    remedy: `Compare with the head in the footer of the last mail: ${commandLine('archive verify --head <head>')}. If it is there, the next run restores the state.`,
  },
  implausible: {
    consequence: 'It is what Microsoft answered, but it cannot be true, so the day counts as missing.',
    remedy: `Nothing has to be done: an earlier version archived it. To have it listed as known: ${commandLine('archive acknowledge <key> --reason "…"')}`,
  },
  columns: {
    consequence: 'Answers of the history may be wrong.',
    remedy: `Rebuild them once the snapshots are intact: ${commandLine('archive rebuild')}.`,
  },
} as const;

export interface Finding {
  kind: keyof typeof KINDS;
  /** Key of the object, or the beginning of it. */
  key: string;
  /** What is wrong with it, for people. */
  why: string;
  consequence: string;
  remedy: string;
}

/** A loss that somebody has acknowledged. */
export interface Acknowledged extends Finding {
  reason: string;
  /** The certificate of the acknowledging entry; null if that is unsigned, so anyone who can write may have made it. */
  certificate: string | null;
}

/** Days in a row without a snapshot, and the reason. A gap is not a finding, because nothing is missing. */
export interface Gap {
  from: string;
  to: string;
  days: number;
  /**
   * `not-published`: the ledger says that Graph was asked in time and had none; `refused`: Graph had one that could not
   * be used; `before-ledger`: the day is from the time before the ledger, about which nothing is proven.
   */
  reason: 'not-published' | 'refused' | 'before-ledger';
  /** The day on which Graph was asked, yyyy-mm-dd; null if no ledger says so. */
  asked: string | null;
}

/** What the ledger of a tenant proves, and by which certificates. */
export interface LedgerVerdict {
  entries: number;
  /** Its beginning, ISO 8601. It proves nothing about the time before. */
  began: string | null;
  head: Head | null;
  signed: number;
  unsigned: number;
  /** The reasons why entries are not signed, without repetitions. */
  unsignedBecause: string[];
  /** `checked` if the signatures were checked against given certificates. */
  signatures: 'checked' | 'not checked';
  /** SHA-256 thumbprints of the certificates that signed, each with its number of entries. */
  certificates: { thumbprint: string; entries: number }[];
  /** Keys that a run listed but, because it died, never archived, as a later entry says. */
  unfinished: string[];
}

export interface Verdict {
  tenant: string;
  name: string | null;
  /** Number of snapshots that were read. */
  snapshots: number;
  catalogues: number;
  reports: number;
  /** Number of days with a readable snapshot. The first and the last are yyyy-mm-dd. */
  days: number;
  first: string | null;
  last: string | null;
  /** The day on which the first snapshot was archived, yyyy-mm-dd. Graph still had the days before it. */
  since: string | null;
  /** Null if there is none yet. The next run begins one. */
  ledger: LedgerVerdict | null;
  gaps: Gap[];
  /** The correct number of rows of the history, by table. */
  rows: { scores: number; controls: number; changes: number };
  findings: Finding[];
  acknowledged: Acknowledged[];
}

export interface VerifyOptions {
  store: ObjectStore;
  objects: TenantObjects;
  /** PEM of those that may have signed the ledger. Without any, the signatures are not checked against any. */
  certificates?: string[];
  /** Beginnings of hashes (hex), as printed in mails, that entries of the ledger must have. */
  heads?: string[];
  onProgress?: (done: number, total: number) => void;
}

const UNLISTED = 'no entry of the ledger lists it';

interface Fault {
  kind: Finding['kind'];
  object: string;
  why: string;
}

/**
 * Proves that a tenant's part of the archive is what it claims to be. It reads every object, changes nothing, and never
 * fails because of what it finds. It proves that every object listed in the ledger exists as it was archived, and no
 * other; that the ledger's chain is unbroken; that every snapshot and catalogue has its hash; that the ledger explains
 * every day without a snapshot; and that the columns are, row by row, what the snapshots give.
 */
export async function verify(options: VerifyOptions): Promise<Verdict> {
  const { store, objects, onProgress } = options;
  const { tenantId } = objects;
  const faults: Fault[] = objects.foreign.map((object) => ({
    kind: 'foreign',
    object,
    why: 'no object of the archive has such a name',
  }));
  const files = await new Ledger(store, tenantId).read();
  const contents = contentsOf(files);
  const hasLedger = files.length > 0;
  const total = objects.snapshots.size + objects.catalogues.length + objects.reports.length;
  let done = 0;
  const checked = async (object: string, check: (bytes: Uint8Array) => void) => {
    try {
      const bytes = await bytesOf(store, object);
      if (hasLedger && !contents.named.has(object)) throw new Wrong('foreign', UNLISTED);
      check(bytes);
      checkBytes(object, bytes, contents);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      faults.push({ kind: error.kind, object, why: error.message });
    }
    onProgress?.((done += 1), total);
  };

  const fetched = new Map<string, string>();
  const heads: Head[] = [];
  await inParallel([...objects.snapshots], ([key, { date, hash }]) =>
    checked(key, (bytes) => {
      const { fetchedAt: at } = proven(() => provenSnapshot(bytes, { tenantId, date, hash }));
      const earlier = fetched.get(date);
      if (earlier === undefined || at < earlier) fetched.set(date, at);
    }),
  );
  await inParallel(objects.catalogues, (hash) =>
    checked(layout.profiles(tenantId, hash), (bytes) => {
      proven(() => provenProfiles(bytes, hash).profiles());
    }),
  );
  const reported = new Set<string>();
  await inParallel(objects.reports, (key) =>
    checked(key, (bytes) => {
      const { date, head } = reportIn(bytes);
      if (date) reported.add(date);
      if (head) heads.push(head);
    }),
  );
  const state = await checkState(store, tenantId, faults);
  if (state?.ledger) heads.push(state.ledger);
  if (hasLedger && !state && !faults.some(({ object }) => object === layout.state(tenantId))) {
    faults.push({
      kind: 'head',
      object: layout.state(tenantId),
      why: 'the ledger has entries, but the state is gone',
    });
  }

  faults.push(...namedFaults(objects, contents));
  for (const { kind, key, why } of checkChain(tenantId, files, {
    heads,
    ...(options.certificates?.length ? { certificates: options.certificates } : {}),
  })) {
    faults.push({ kind, object: key, why });
  }
  for (const head of options.heads ?? []) {
    if (files.some(({ hash }) => hash.startsWith(head.toLowerCase()))) continue;
    faults.push({
      kind: 'missing',
      object: layout.ledger(tenantId),
      why: `no entry has the head ${head}, which has been seen outside of the archive`,
    });
  }
  // The state may lag because a run is in progress. Only the next run can distinguish that from a state that was rolled back.
  const tip = files.findLast(({ entry }) => entry?.kind !== 'acknowledged');
  if (state && tip && (state.ledger?.sequence ?? 0) < tip.sequence) {
    faults.push({
      kind: 'head',
      object: layout.state(tenantId),
      why: `the state is at entry ${state.ledger?.sequence ?? 0} of the ledger, which goes on to ${tip.sequence}: a run is in progress, or died, or the state was rolled back`,
    });
  }

  // An implausible day counts as missing: no row is made from it, and it ends no gap.
  const implausible = new Set(faults.flatMap(({ kind, object }) => (kind === 'implausible' ? object : [])));
  const believed = new Map([...objects.snapshots].filter(([key]) => !implausible.has(key)));
  const keys = new Set([...objects.snapshots.keys(), ...contents.named.keys()]);
  const daysOf = (some: Iterable<string>) =>
    [...some].flatMap((key) => layout.parseSnapshot(key)?.date ?? []);
  const known = new Set(daysOf(keys));
  const columns = await checkColumns(
    store,
    { ...objects, snapshots: believed },
    hasLedger ? contents : null,
    faults,
  );
  const absent = (date: string, why: string) =>
    faults.push({ kind: 'missing', object: `${layout.snapshots(tenantId)}date=${date}/`, why });
  for (const date of [...new Set([...reported, ...columns.dates])].toSorted()) {
    if (known.has(date)) continue;
    absent(
      date,
      `there is no snapshot of ${date}, but ${reported.has(date) ? 'a report' : 'the history'} knows that day`,
    );
  }
  const impossible = new Set(daysOf(implausible));
  const knownDays = [...reported, ...columns.dates].filter((date) => !impossible.has(date));
  const ends = new Set([...daysOf(keys.difference(implausible)), ...knownDays]);
  const { gaps, missing } = gapsIn([...ends].toSorted(), files);
  for (const { date, why } of missing) absent(date, why);
  const readable = [...fetched.keys()].toSorted();
  return {
    tenant: tenantId,
    name: state?.name ?? null,
    snapshots: objects.snapshots.size,
    catalogues: objects.catalogues.length,
    reports: objects.reports.length,
    days: readable.length,
    first: readable[0] ?? null,
    last: readable.at(-1) ?? null,
    since: [...fetched.values()].toSorted()[0]?.slice(0, 10) ?? null,
    ledger: hasLedger ? ledgerVerdict(files, contents, options) : null,
    gaps,
    rows: columns.rows,
    ...settled(faults, files),
  };
}

/**
 * The part of `verify` that needs only the ledger, for some keys: objects that are gone or have other bytes, snapshots that
 * no entry lists, and entries of the ledger that are gone, changed or out of sequence. Acknowledged losses are left out.
 * @param files the complete ledger
 * @param heads that must be in it
 */
export async function lossesOf(options: {
  store: ObjectStore;
  tenantId: string;
  files: LedgerFile[];
  keys: string[];
  heads: Head[];
}): Promise<Finding[]> {
  const { store, tenantId, files, keys, heads } = options;
  const contents = contentsOf(files);
  const { named, unfinished } = contents;
  const faults: Fault[] = [];
  for (const { kind, key, why } of checkChain(tenantId, files, { heads })) {
    if (kind !== 'unsigned') faults.push({ kind, object: key, why });
  }
  await inParallel(keys, async (object) => {
    const entries = named.get(object);
    const found = await store.get(object);
    if (!entries) {
      if (found && layout.parseSnapshot(object)) faults.push({ kind: 'foreign', object, why: UNLISTED });
      return;
    }
    if (!found) {
      if (!unfinished.has(object)) faults.push(notThere(object, entries));
      return;
    }
    try {
      checkBytes(object, found.bytes, contents);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      faults.push({ kind: error.kind, object, why: error.message });
    }
  });
  return settled(faults, files).findings;
}

/**
 * Compares an object with the ledger. If several entries list it, it was lost and archived again, and only the first
 * one counts; if the run of the first one died before it archived anything, each of them may.
 * @throws Wrong if the bytes are none of those that the ledger lists for the key, or not the original ones
 */
function checkBytes(key: string, bytes: Uint8Array, { named, unfinished }: Contents): void {
  const [original, ...later] = named.get(key) ?? [];
  const found = sha256(bytes);
  if (!original || original.hash === found) return;
  const again = later.find(({ hash }) => hash === found);
  if (!again) throw new Wrong('damaged', 'its bytes are not those that the ledger lists');
  if (unfinished.has(key)) return;
  throw new Wrong(
    'missing',
    `the original, listed by entry ${original.sequence}, is lost; the object found was archived again by entry ${again.sequence}`,
  );
}

/** Faults for the objects that the ledger lists but that do not exist. */
function namedFaults(objects: TenantObjects, { named, unfinished }: Contents): Fault[] {
  const present = new Set([
    ...objects.snapshots.keys(),
    ...objects.catalogues.map((hash) => layout.profiles(objects.tenantId, hash)),
    ...objects.reports,
  ]);
  return [...named]
    .filter(([key]) => !present.has(key) && !unfinished.has(key))
    .map(([object, entries]) => notThere(object, entries));
}

function notThere(object: string, entries: { sequence: number }[]): Fault {
  const numbers = entries.map(({ sequence }) => sequence).join(', ');
  return { kind: 'missing', object, why: `entry ${numbers} of the ledger lists it, but it is not there` };
}

function ledgerVerdict(
  files: LedgerFile[],
  { unfinished }: Contents,
  { certificates }: VerifyOptions,
): LedgerVerdict {
  const entries = files.flatMap(({ entry }) => entry ?? []);
  const tip = files.at(-1);
  const bySigner = Map.groupBy(entries, ({ certificate }) => certificate);
  const unsigned = bySigner.get(null) ?? [];
  return {
    entries: files.length,
    began: entries[0]?.at ?? null,
    head: tip ? { sequence: tip.sequence, hash: tip.hash } : null,
    signed: entries.length - unsigned.length,
    unsigned: unsigned.length,
    unsignedBecause: [...new Set(unsigned.flatMap(({ unsigned: why }) => why ?? []))],
    signatures: certificates?.length ? 'checked' : 'not checked',
    certificates: [...bySigner].flatMap(([thumbprint, of]) =>
      thumbprint === null ? [] : { thumbprint, entries: of.length },
    ),
    unfinished: [...unfinished],
  };
}

/**
 * Separates acknowledged losses from findings. Acknowledging an unsigned entry acknowledges a switch to sign-in without
 * a certificate, so it also covers the unsigned entries that follow, until a run or a report is signed again; it covers
 * that they are unsigned, and nothing else that is wrong with them. For entries of the ledger only a signed
 * acknowledgement counts, because anyone who can write to the archive can make an unsigned one.
 */
function settled(faults: Fault[], files: LedgerFile[]): Pick<Verdict, 'findings' | 'acknowledged'> {
  type Acknowledgement = { reason: string; certificate: string | null };
  const acknowledgements = new Map<string, Acknowledgement>();
  for (const { entry } of files) {
    for (const { key, reason } of entry?.acknowledged ?? []) {
      const before = acknowledgements.get(key);
      if (!before?.certificate) acknowledgements.set(key, { reason, certificate: entry!.certificate });
    }
  }
  const covered = new Map<string, Acknowledgement>();
  let switched: Acknowledgement | undefined;
  for (const { key, entry } of files) {
    if (!entry) continue;
    const own = acknowledgements.get(key);
    // The acknowledgement itself is signed, by the last certificate.
    if (entry.certificate !== null && entry.kind !== 'acknowledged') switched = undefined;
    if (entry.certificate !== null) continue;
    if (own?.certificate) switched ??= own;
    if (switched) covered.set(key, switched);
  }
  const findings: Finding[] = [];
  const acknowledged: Acknowledged[] = [];
  for (const { kind, object: key, why } of faults.toSorted((a, b) => (a.object < b.object ? -1 : 1))) {
    const finding: Finding = { kind, key, why, ...KINDS[kind] };
    const own = acknowledgements.get(key);
    const acknowledgement = own?.certificate ? own : (kind === 'unsigned' && covered.get(key)) || own;
    const isOfLedger = key.startsWith('ledger/');
    if (acknowledgement && (!isOfLedger || acknowledgement.certificate)) {
      acknowledged.push({ ...finding, ...acknowledgement });
    } else findings.push(finding);
  }
  return { findings, acknowledged };
}

/** A fault found by a check. */
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

function proven<T>(prove: () => T): T {
  try {
    return prove();
  } catch (error) {
    if (error instanceof Unproven) throw new Wrong(error.kind, error.message);
    throw error;
  }
}

/** @returns the day that the report is about (null: none), and the head of the ledger that it carries */
function reportIn(bytes: Uint8Array): { date: string | null; head: Head | null } {
  let content: { report?: { to?: { date?: unknown } | null; ledger?: unknown } };
  try {
    content = JSON.parse(Buffer.from(bytes).toString('utf8')) as typeof content;
  } catch {
    throw new Wrong('damaged', 'it is not JSON');
  }
  const date = content.report?.to?.date;
  const head = headSchema.safeParse(content.report?.ledger);
  return { date: typeof date === 'string' ? date : null, head: head.success ? head.data : null };
}

async function checkState(store: ObjectStore, tenantId: string, faults: Fault[]): Promise<State | null> {
  try {
    return (await new Archive(store, tenantId).state()).state;
  } catch (error) {
    if (!(error instanceof MonitorError && error.code === 'state-damaged')) throw error;
    faults.push({ kind: 'damaged', object: layout.state(tenantId), why: error.message });
    return null;
  }
}

const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** @returns the correct numbers of rows, and the days that the columns have */
async function checkColumns(
  store: ObjectStore,
  { tenantId, snapshots, history }: TenantObjects,
  contents: Contents | null,
  faults: Fault[],
): Promise<{ rows: Verdict['rows']; dates: Set<string> }> {
  const archive = new Archive(store, tenantId);
  const versions = new Map<string, string[]>();
  const returned = contents?.returned ?? new Map<string, string[]>();
  for (const [key, { date, hash }] of snapshots) {
    // Nothing is derived from an object that the ledger does not list.
    if (contents?.named.has(key) ?? true) versions.set(date, [...(versions.get(date) ?? []), hash]);
  }
  const dates = [...versions.keys()].toSorted();
  // Damage needs no log here, because it is already among the findings.
  const { sources } = await Sources.open({ archive, log: SILENT, memory: undefined, written: null });
  const load = async (some: string[]): Promise<ArchivedDay[]> => {
    const days = await inParallel(some, (date) => sources.day(date, versions.get(date) ?? [], returned));
    return days.filter((day) => day !== null);
  };
  const months = [...new Set([...dates.map(monthOf), ...history.keys()])].toSorted();
  const { state } = await readColumnsState(store, tenantId);
  const behind =
    state === null
      ? 'an earlier version wrote them, or nobody knows who did: the next run writes them again'
      : (dates.at(-1) ?? '') > state.through
        ? `they end on ${state.through || 'no day yet'}`
        : null;

  const counted = { scores: 0, controls: 0, changes: 0 };
  const known = new Set<string>();
  const retainedDays = new RetainedDays((date) => (versions.has(date) ? sources.flaw(date) : GONE));
  for await (const { month, rows } of deriveMonths({ tenantId, baseline: null, dates, months, load })) {
    const files = await Promise.all(
      TABLES.map(({ name }) =>
        readTable(store, layout.columns(name, month, tenantId), name, { tenantId, month }),
      ),
    );
    const former = Object.fromEntries(TABLES.map(({ name }, index) => [name, () => files[index]!.table]));
    // The rows of an unproven day stay as they are, because what they should be can no longer be known.
    const wanted = retainedDays.apply(
      rows,
      dates.filter((date) => monthOf(date) === month),
      former as FormerTables,
      null,
    );
    for (const [index, table] of TABLES.entries()) {
      counted[table.name] += wanted[table.name].length;
      const file = files[index]!;
      const why = compareFile(table, file, wanted[table.name]);
      const column = file.table?.columns[columnOf(table, 'date')];
      for (const date of column?.values ?? []) known.add(String(date));
      const object = layout.columns(table.name, month, tenantId);
      if (why !== null) faults.push({ kind: 'columns', object, why: behind ? `${why} (${behind})` : why });
    }
  }
  return { rows: counted, dates: known };
}

interface FoundFile {
  bytes: Uint8Array | null;
  /** Null if there is no usable file. */
  table: CodedTable | null;
  /** The reason why there is none. */
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

/** @returns what is wrong with the file; null if nothing is */
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
  return `compared with the snapshots, ${countRows(missing)} missing and ${countRows(extra)} superfluous, ${span}`;
}

function countRows({ length }: Row[]): string {
  return length === 1 ? '1 row is' : `${length} rows are`;
}

/** Multiset difference: the rows that remain when each of the others has removed one equal row. */
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
 * The days without a snapshot between the first and the last: those that Graph, as the ledger proves, did not have,
 * those from the time before the ledger, and those that are missing.
 * @param known days that anything in the archive mentions, ascending
 */
function gapsIn(
  known: string[],
  files: LedgerFile[],
): { gaps: Gap[]; missing: { date: string; why: string }[] } {
  const entries = files.flatMap(({ entry }) => entry ?? []);
  const began = entries[0]?.at.slice(0, 10) ?? null;
  const gaps: Gap[] = [];
  const missing: { date: string; why: string }[] = [];
  for (const date of known.slice(1).flatMap((day, index) => daysInside(known[index]!, day))) {
    const asking = entries.filter(({ asked }) => asked && asked.from <= date && date <= asked.to);
    const offering = asking.find(({ offered }) => isOffered(offered, date));
    const refusing = entries.find(({ refused }) => refused.some((each) => each.date === date));
    const [first] = asking;
    if (refusing) extend(gaps, date, 'refused', refusing.at.slice(0, 10));
    else if (offering) {
      missing.push({
        date,
        why: `the ledger says that Microsoft had it on ${offering.at.slice(0, 10)}, but no entry lists a snapshot of it`,
      });
    } else if (first) extend(gaps, date, 'not-published', first.at.slice(0, 10));
    else if (began === null || date <= began) extend(gaps, date, 'before-ledger', null);
    else
      missing.push({ date, why: 'no entry of the ledger says that Microsoft was asked for it and had none' });
  }
  return { gaps, missing };
}

function daysInside(before: string, after: string): string[] {
  return Array.from({ length: daysBetween(before, after) - 1 }, (_, index) => addDays(before, index + 1));
}

/** Adds the day to the gap that ends the day before with the same reason, or begins a new gap. */
function extend(gaps: Gap[], date: string, reason: Gap['reason'], asked: string | null): void {
  const last = gaps.at(-1);
  if (last && last.reason === reason && last.asked === asked && addDays(last.to, 1) === date) {
    last.to = date;
    last.days += 1;
  } else gaps.push({ from: date, to: date, days: 1, reason, asked });
}
