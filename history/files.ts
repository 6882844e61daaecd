import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Scope } from './answer.ts';
import { TABLES, type Table } from '../lambda/archive/columns/tables.ts';

/** A file of the history: `history/<table>/month=<yyyy-mm>/<tenant guid>.parquet`. */
export interface HistoryFile {
  /** Absolute. */
  path: string;
  table: Table['name'];
  month: string;
  tenant: string;
}

/** What lies in a folder archive's history: the files of each table, and what does not belong there. */
export interface HistoryFiles {
  files: HistoryFile[];
  /** Absolute paths. */
  foreign: string[];
}

/** @param folder of the archive; one that does not exist has no files */
export async function listHistory(folder: string): Promise<HistoryFiles> {
  const found: HistoryFiles = { files: [], foreign: [] };
  for (const { name: table } of TABLES) {
    const root = path.join(folder, 'history', table);
    for (const partition of await entriesOf(root)) {
      const month = /^month=(\d{4}-\d\d)$/.exec(partition.name)?.[1];
      const inside = path.join(root, partition.name);
      if (month === undefined || !partition.isDirectory()) found.foreign.push(inside);
      else {
        for (const { name } of await entriesOf(inside)) {
          const tenant = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.parquet$/.exec(name)?.[1];
          const file = path.join(inside, name);
          if (tenant === undefined) found.foreign.push(file);
          else found.files.push({ path: file, table, month, tenant });
        }
      }
    }
  }
  return found;
}

/** Those that an answer can depend on. */
export function filesOf(files: readonly HistoryFile[], scope: Scope | null): HistoryFile[] {
  if (scope === null) return [...files];
  const { tenant, tenants, fromMonth, toMonth } = scope;
  const isWanted = (id: string) => (tenant === null ? (tenants?.has(id) ?? true) : id === tenant);
  return files.filter((file) => isWanted(file.tenant) && file.month >= fromMonth && file.month <= toMonth);
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
  const keyOf = ({ table, month, tenant }: Omit<HistoryFile, 'path'>) =>
    `history/${table}/month=${month}/${tenant}.parquet`;
  const present = new Set(files.map(keyOf));
  const months = [
    ...files,
    ...[...archived].flatMap(([tenant, each]) => [...each].map((month) => ({ tenant, month }))),
  ];
  const expected = months.flatMap(({ tenant, month }) =>
    TABLES.map(({ name: table }) => ({ table, month, tenant, path: '' })),
  );
  const lost = filesOf(expected, scope).map(keyOf);
  return [...new Set(lost)].filter((key) => !present.has(key)).toSorted();
}

/** Names that begin with a dot (`.DS_Store`, `.tmp`) belong to somebody else and are nobody's data. */
async function entriesOf(folder: string) {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith('.')).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
