import { isDeepStrictEqual } from 'node:util';
import type { ObjectStore } from '../../ports.ts';
import { layout } from '../layout.ts';
import { sha256 } from '../ledger.ts';
import type { CodedTable } from './coded.ts';
import { monthsWithRecord, readClosedMonth } from './closed-month.ts';
import { groupsOf, stretchGroupsOf } from './closed.ts';
import { rowGroupsOf } from './parquet.ts';
import { STRETCHES, TABLES, type Columns, type Table } from './tables.ts';

const CONTROLS = TABLES.find(({ name }) => name === 'controls')!;

/** An object of a closed month that does not hold what the files of the tenants hold. */
export interface WrongCopy {
  key: string;
  /** What is wrong with it, for people. */
  why: string;
}

/**
 * Compares the copies of all closed months with the files of the tenants, row group by row group. It holds one
 * copy of each table in memory. The files themselves are compared with the snapshots by `verify`.
 */
export async function verifyClosedMonths(store: ObjectStore): Promise<WrongCopy[]> {
  const wrong: WrongCopy[] = [];
  for (const month of await monthsWithRecord(store)) {
    const { month: found, version } = await readClosedMonth(store, month);
    if (!found.closed) continue;
    const groups = (table: Table) => groupsOf(store, table, month, found.tenants, found);
    const tables = await Promise.all([
      ...TABLES.map((table) => wrongIn(store, table, month, found.copies[table.name], groups(table))),
      ...(found.stretches
        ? [wrongIn(store, STRETCHES, month, found.stretches, stretchGroupsOf(groups(CONTROLS)))]
        : []),
    ]);
    // A month may have been opened while its copies were read.
    if ((await readClosedMonth(store, month)).version === version) wrong.push(...tables.flat());
  }
  return wrong;
}

async function wrongIn(
  store: ObjectStore,
  table: Columns,
  month: string,
  copies: string[],
  inFiles: AsyncGenerator<CodedTable | null>,
): Promise<WrongCopy[]> {
  const wrong: WrongCopy[] = [];
  let isEqual = true;
  for (const key of copies) {
    const bytes = (await store.get(key))?.bytes;
    if (!bytes) wrong.push({ key, why: 'it is missing' });
    else if (!sha256(bytes).startsWith(layout.parseClosedColumns(table.name, month, key) ?? '-'))
      wrong.push({ key, why: 'its content does not match the hash in its name' });
    else isEqual &&= await areNext(inFiles, table, bytes);
  }
  if (wrong.length > 0) return wrong;
  const { done } = await inFiles.next();
  const why = `the copies of ${table.name} do not hold what the files of the tenants hold`;
  return isEqual && done ? [] : [{ key: layout.closedMonth(month), why }];
}

/** Whether the row groups of a copy are the next ones of the files. */
async function areNext(inFiles: AsyncGenerator<CodedTable | null>, table: Columns, copy: Uint8Array) {
  try {
    for (const { read } of rowGroupsOf(table, copy).groups) {
      const { value } = await inFiles.next();
      if (!value || !isDeepStrictEqual(read(), value)) return false;
    }
    return true;
  } catch {
    // A damaged page, under a name that its hash gives.
    return false;
  }
}
