import { isDeepStrictEqual } from 'node:util';
import type { ObjectStore } from '../../ports.ts';
import { layout } from '../layout.ts';
import { sha256 } from '../ledger.ts';
import type { CodedTable } from './coded.ts';
import { monthsWithRecord, readClosedMonth } from './closed-month.ts';
import { groupsOf } from './closed.ts';
import { rowGroupsOf } from './parquet.ts';
import { STRETCHES, TABLES, type Columns } from './tables.ts';

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
    const tables = await Promise.all(
      TABLES.map(async (table) => {
        const copies = new Comparison(store, table, month, found.copies[table.name]);
        const stretches =
          table.name === 'controls' && found.stretches
            ? new Comparison(store, STRETCHES, month, found.stretches)
            : null;
        for await (const { of, group } of groupsOf(store, table, month, found.tenants, found))
          await (of === STRETCHES ? stretches : copies)?.next(group);
        return [...(await copies.end()), ...((await stretches?.end()) ?? [])];
      }),
    );
    // A month may have been opened while its copies were read.
    if ((await readClosedMonth(store, month)).version === version) wrong.push(...tables.flat());
  }
  return wrong;
}

/** Compares the row groups of copies with those that the files of the tenants hold, as these are read. */
class Comparison {
  readonly #wrong: WrongCopy[] = [];
  readonly #table: Columns;
  readonly #month: string;
  readonly #inCopies: AsyncGenerator<() => CodedTable | null>;
  #isEqual = true;

  /** @param copies their keys */
  constructor(store: ObjectStore, table: Columns, month: string, copies: readonly string[]) {
    this.#table = table;
    this.#month = month;
    this.#inCopies = this.#groupsIn(store, copies);
  }

  /** @param group the next one of the files; null: a file cannot be used */
  async next(group: CodedTable | null): Promise<void> {
    const { value: read } = await this.#inCopies.next();
    this.#isEqual &&= group !== null && read !== undefined && isEqual(read, group);
  }

  /** Looks into what is left of the copies, which should be nothing. */
  async end(): Promise<WrongCopy[]> {
    while (!(await this.#inCopies.next()).done) this.#isEqual = false;
    if (this.#wrong.length > 0 || this.#isEqual) return this.#wrong;
    const why = `the copies of ${this.#table.name} do not hold what the files of the tenants hold`;
    return [{ key: layout.closedMonth(this.#month), why }];
  }

  /** Each row group of the copies, decoded when it is called. */
  async *#groupsIn(store: ObjectStore, copies: readonly string[]): AsyncGenerator<() => CodedTable | null> {
    for (const key of copies) {
      const bytes = (await store.get(key))?.bytes;
      if (!bytes) this.#wrong.push({ key, why: 'it is missing' });
      else if (
        !sha256(bytes).startsWith(layout.parseClosedColumns(this.#table.name, this.#month, key) ?? '-')
      )
        this.#wrong.push({ key, why: 'its content does not match the hash in its name' });
      else yield* readersOf(this.#table, bytes);
    }
  }
}

/** Of each row group of a copy; one that reads nothing, if the copy is damaged under a name that its hash gives. */
function readersOf(table: Columns, copy: Uint8Array): (() => CodedTable | null)[] {
  try {
    return rowGroupsOf(table, copy).groups.map(({ read }) => read);
  } catch {
    return [() => null];
  }
}

function isEqual(read: () => CodedTable | null, group: CodedTable): boolean {
  try {
    return isDeepStrictEqual(read(), group);
  } catch {
    // A damaged page.
    return false;
  }
}
