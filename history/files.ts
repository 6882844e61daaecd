import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Scope } from './answer.ts';
import { TABLES, type Table } from './tables.ts';

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
  const { tenant, fromMonth, toMonth } = scope;
  return files.filter(
    (file) => (tenant === null || file.tenant === tenant) && file.month >= fromMonth && file.month <= toMonth,
  );
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
