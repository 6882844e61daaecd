import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Scope } from './answer.ts';
import { parseClosedMonth } from '../lambda/archive/columns/closed-month.ts';
import { STRETCHES, TABLES, type Table } from '../lambda/archive/columns/tables.ts';
import { layout } from '../lambda/archive/layout.ts';

/** A file of the history: `history/<table>/month=<yyyy-mm>/<tenant guid>.parquet`, or a copy of a closed month. */
export interface HistoryFile {
  /** Absolute. */
  path: string;
  table: Table['name'] | typeof STRETCHES.name;
  month: string;
  /** Null: it is one of the copies of all tenants that `copied` lists. */
  tenant: string | null;
  /** The tenants whose rows the copies of this table and month hold. */
  copied?: ReadonlySet<string>;
}

/** What lies in a folder archive's history: the files of each table, and what does not belong there. */
export interface HistoryFiles {
  files: HistoryFile[];
  /** Absolute paths. */
  foreign: string[];
}

/** @param folder of the archive; one that does not exist has no files */
export async function listHistory(folder: string): Promise<HistoryFiles> {
  // Copies are looked up first: whoever writes a file of a closed month opens the month before.
  const found: HistoryFiles = { files: await closedFiles(folder), foreign: [] };
  for (const { name: table } of TABLES) {
    const root = path.join(folder, 'history', table);
    for (const partition of await entriesOf(root)) {
      const month = /^month=(\d{4}-\d\d)$/.exec(partition.name)?.[1];
      const inside = path.join(root, partition.name);
      if (month === undefined || !partition.isDirectory()) found.foreign.push(inside);
      else {
        for (const name of await namesIn(inside)) {
          const tenant = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.parquet$/.exec(name)?.[1];
          // There are 36,000 a year of 1,000 tenants, of which `join` would take every name apart.
          const file = inside + path.sep + name;
          if (tenant === undefined) found.foreign.push(file);
          else found.files.push({ path: file, table, month, tenant });
        }
      }
    }
  }
  return found;
}

/** The copies of closed months, as far as they are complete. */
async function closedFiles(folder: string): Promise<HistoryFile[]> {
  const root = path.join(folder, layout.closedMonths);
  const found: HistoryFile[] = [];
  for (const { name } of await entriesOf(root)) {
    const month = /^(\d{4}-\d\d)\.json$/.exec(name)?.[1];
    if (month === undefined) continue;
    const closed = parseClosedMonth(await readFile(path.join(root, name)), month);
    if (!closed?.closed) continue;
    const copied = new Set(closed.tenants);
    const filesAt = (table: HistoryFile['table'], keys: string[]) =>
      keys.map((key): HistoryFile => ({
        path: path.join(folder, key),
        table,
        month,
        tenant: null,
        copied,
      }));
    const copies = TABLES.flatMap((table) => filesAt(table.name, closed.copies[table.name]));
    const stretches = filesAt(STRETCHES.name, closed.stretches ?? []);
    for (const each of [copies, stretches])
      if (each.every((copy) => existsSync(copy.path))) found.push(...each);
  }
  return found;
}

/** Whether an answer within the scope is about a tenant. */
function isIn(scope: Scope | null, id: string): boolean {
  const { tenant = null, tenants } = scope ?? {};
  return tenant === null ? (tenants?.has(id) ?? true) : id === tenant;
}

/**
 * Those that an answer depends on: of closed months the copies, and the files of tenants that they do not hold; for few
 * tenants alone their own files, where they are all there. Copies may hold tenants that are not in the scope.
 * @param isDamaged files that cannot be used
 */
export function filesOf(
  files: readonly HistoryFile[],
  scope: Scope | null,
  isDamaged: (file: HistoryFile) => boolean = () => false,
): HistoryFile[] {
  const { fromMonth = '', toMonth = '9999' } = scope ?? {};
  const isOfSome = scope !== null && (scope.tenant !== null || scope.tenants !== undefined);
  const inScope = files.filter(
    ({ month, tenant }) => month >= fromMonth && month <= toMonth && (tenant === null || isIn(scope, tenant)),
  );
  const parts = Map.groupBy(inScope, ({ table, month }) => `${table} ${month}`);
  return [...parts.values()].flatMap((part) => {
    const own = part.filter(({ tenant }) => tenant !== null);
    const copies = part.filter(({ tenant }) => tenant === null);
    const [copied] = copies.flatMap((copy) => copy.copied ?? []);
    if (!copied || copies.some(isDamaged)) return own;
    const wanted = [...copied].filter((id) => isIn(scope, id));
    if (wanted.length === 0) return own;
    const present = new Set(own.filter((file) => !isDamaged(file)).map(({ tenant }) => tenant));
    if (isOfSome && wanted.length <= FEW && wanted.every((id) => present.has(id))) return own;
    return [...copies, ...own.filter(({ tenant }) => !copied.has(tenant ?? ''))];
  });
}

/** The largest number of tenants whose own files are read in less time than the copies of all. */
const FEW = 5;

/**
 * What stretches of controls are made from: the copies that have them, and the files of controls of all other months and
 * tenants, whose rows are stretches of one day.
 * @param files those of `filesOf`
 */
export function sourcesOfStretches(files: readonly HistoryFile[]): {
  stretches: HistoryFile[];
  controls: HistoryFile[];
} {
  const stretches = files.filter(({ table }) => table === STRETCHES.name);
  const covered = new Map(stretches.map(({ month, copied }) => [month, copied]));
  const controls = files.filter(
    ({ table, month, tenant }) =>
      table === 'controls' && (tenant === null ? !covered.has(month) : !covered.get(month)?.has(tenant)),
  );
  return { stretches, controls };
}

/** Months (yyyy-mm) by tenant. */
export type MonthsByTenant = Map<string, Set<string>>;

/**
 * The months of which a folder archive holds snapshots. Empty for a copy that holds the history alone.
 * @param tenant only this one; null: all
 */
export async function monthsArchived(folder: string, tenant: string | null): Promise<MonthsByTenant> {
  const root = path.join(folder, 'snapshots');
  const tenants = tenant === null ? await entriesOf(root) : [{ name: `tenant=${tenant}` }];
  const months: MonthsByTenant = new Map();
  for (const { name } of tenants) {
    const days = await entriesOf(path.join(root, name));
    const found = days.flatMap((day) => /^date=(\d{4}-\d\d)-\d\d$/.exec(day.name)?.[1] ?? []);
    if (found.length > 0) months.set(name.replace('tenant=', ''), new Set(found));
  }
  return months;
}

/**
 * The files that an answer lacks: every tenant has a file of each table for each month of which the archive has
 * snapshots, or any other table has a file.
 * @returns keys, ascending
 */
export function filesLost(
  files: readonly HistoryFile[],
  archived: MonthsByTenant,
  scope: Scope | null,
): string[] {
  const { fromMonth = '', toMonth = '9999' } = scope ?? {};
  const isAsked = (tenant: string, month: string) =>
    month >= fromMonth && month <= toMonth && isIn(scope, tenant);
  // A fleet has ten thousands of files: each is looked at once.
  const expected = new Map<string, Set<string>>();
  const present = new Map<string, Set<string>>();
  const add = (sets: Map<string, Set<string>>, key: string, tenant: string) => {
    const set = sets.get(key);
    if (set) set.add(tenant);
    else sets.set(key, new Set([tenant]));
  };
  for (const { table, month, tenant, copied } of files) {
    if (table === STRETCHES.name) continue;
    for (const each of tenant === null ? (copied ?? []) : [tenant]) {
      if (!isAsked(each, month)) continue;
      add(expected, month, each);
      add(present, `${table} ${month}`, each);
    }
  }
  for (const [tenant, months] of archived)
    for (const month of months) if (isAsked(tenant, month)) add(expected, month, tenant);
  const lost: string[] = [];
  for (const [month, tenants] of expected) {
    for (const { name: table } of TABLES) {
      const found = present.get(`${table} ${month}`);
      for (const tenant of tenants) if (!found?.has(tenant)) lost.push(layout.columns(table, month, tenant));
    }
  }
  return lost.toSorted();
}

/** Names that begin with a dot (`.DS_Store`, `.tmp`) belong to somebody else and are nobody's data. */
const isData = (name: string): boolean => !name.startsWith('.');

async function entriesOf(folder: string) {
  const entries = await orNothing(readdir(folder, { withFileTypes: true }));
  return entries.filter(({ name }) => isData(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function namesIn(folder: string): Promise<string[]> {
  return (await orNothing(readdir(folder))).filter(isData).toSorted();
}

/** A folder that does not exist has nothing in it. */
async function orNothing<Item>(reading: Promise<Item[]>): Promise<Item[]> {
  try {
    return await reading;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
