import type { Columns, Table } from './tables.ts';
import type { Row } from './rows.ts';

/**
 * A table in memory, coded as in a Parquet file: for each column its distinct values, and for each row the index of its
 * value. A day can thus be added to a month of ten thousand rows without creating objects for them.
 */
export interface CodedTable {
  length: number;
  /** In the order of the table's columns. */
  columns: CodedColumn[];
}

export interface CodedColumn {
  values: Cell[];
  /** Indices into `values`, one a row; NULL for null. */
  codes: Int32Array;
  /** Number of rows that are null. */
  nulls: number;
}

export type Cell = string | number | boolean;

export const NULL = -1;

/**
 * The rows of `former` up to a day, and new ones, in the table's order (equal ones in their former order). Values are in
 * the order of their first row, so that the same rows give the same table, whatever their former order.
 * @param keepThrough yyyy-mm-dd
 */
export function merged(
  table: Table,
  former: CodedTable | null,
  keepThrough: string | null,
  rows: Row[],
): CodedTable {
  const kept = former && keepThrough !== null ? rowsUpTo(table, former, keepThrough) : new Int32Array(0);
  const length = kept.length + rows.length;
  const columns = table.columns.map(({ name }, index): CodedColumn => {
    const before = former?.columns[index];
    const values = before ? [...before.values] : [];
    const codeOf = new Map(values.map((value, code) => [value, code]));
    const codes = new Int32Array(length);
    let nulls = before?.nulls ?? 0;
    if (before && kept.length === former.length) codes.set(before.codes);
    else if (before) for (let row = 0; row < kept.length; row += 1) codes[row] = before.codes[kept[row]!]!;
    for (let row = kept.length; row < length; row += 1) {
      const value = rows[row - kept.length]![name];
      if (value === undefined) throw new TypeError(`a row has no ${name}`);
      if (value === null) {
        codes[row] = NULL;
        nulls += 1;
      } else {
        let code = codeOf.get(value);
        if (code === undefined) {
          // A Map does not distinguish −0 from 0, so only 0 is stored.
          code = values.push(value === 0 ? 0 : value) - 1;
          codeOf.set(value, code);
        }
        codes[row] = code;
      }
    }
    // The number of nulls is too high if some of the former rows were removed; `arranged` counts them again.
    return { values, codes, nulls };
  });
  const order = orderOf(table, columns, length);
  return { length, columns: columns.map((column) => arranged(column, order)) };
}

/** The rows of several tables of the same columns, one after the other; values are in the order of their first row. */
export function concatenated(parts: readonly CodedTable[]): CodedTable {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const columns = (parts[0]?.columns ?? []).map((_, index): CodedColumn => {
    const values: Cell[] = [];
    const codeOf = new Map<Cell, number>();
    const codes = new Int32Array(length);
    let nulls = 0;
    let row = 0;
    for (const part of parts) {
      const column = part.columns[index]!;
      const newCodes = column.values.map((value) => {
        let code = codeOf.get(value);
        if (code === undefined) codeOf.set(value, (code = values.push(value) - 1));
        return code;
      });
      for (const code of column.codes) codes[row++] = code === NULL ? NULL : newCodes[code]!;
      nulls += column.nulls;
    }
    return { values, codes, nulls };
  });
  return { length, columns };
}

export function rowsOf(table: Columns, { length, columns }: CodedTable): Row[] {
  const coded = table.columns.map(({ name }, column) => ({ name, ...columns[column]! }));
  return Array.from({ length }, (_, index) => {
    const row: Record<string, Cell | null> = {};
    for (const { name, values, codes } of coded) row[name] = values[codes[index]!] ?? null;
    return row as Row;
  });
}

/** Indices of the rows up to `date`, included. */
function rowsUpTo(table: Table, { length, columns }: CodedTable, date: string): Int32Array {
  const { values, codes } = columns[columnOf(table, 'date')]!;
  const stays = values.map((value) => value <= date);
  const rows = new Int32Array(length);
  let count = 0;
  for (let row = 0; row < length; row += 1) if (stays[codes[row]!]) rows[count++] = row;
  return rows.subarray(0, count);
}

/** The rows in the table's order: null first, texts by their UTF-8 bytes, as Parquet compares them. */
function orderOf(table: Table, columns: CodedColumn[], length: number): Int32Array {
  // Each row gets one number: the ranks of its sort columns as digits, followed by its position.
  const keys = new Float64Array(length);
  for (const name of table.sortedBy) {
    const { values, codes } = columns[columnOf(table, name)]!;
    const ranks = ranksOf(values);
    for (let row = 0; row < length; row += 1) {
      const code = codes[row]!;
      keys[row] = keys[row]! * (values.length + 1) + (code === NULL ? 0 : ranks[code]! + 1);
    }
  }
  for (let row = 0; row < length; row += 1) keys[row] = keys[row]! * length + row;
  keys.sort();
  const order = new Int32Array(length);
  for (let row = 0; row < length; row += 1) order[row] = keys[row]! % length;
  return order;
}

function ranksOf(values: Cell[]): Int32Array {
  const sorted = [...values.keys()].toSorted((a, b) => compare(values[a]!, values[b]!));
  const ranks = new Int32Array(values.length);
  for (const [rank, code] of sorted.entries()) ranks[code] = rank;
  return ranks;
}

/** Parquet's order: texts by their UTF-8 bytes, which is the order of code points, and false before true. */
export function compare(a: Cell, b: Cell): number {
  if (typeof a === 'string' && typeof b === 'string') {
    // Code units have the order of code points, except for those beyond the first 65,536.
    if (BEYOND.test(a) || BEYOND.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return Number(a) - Number(b);
}

const BEYOND = /[\uD800-\uDFFF]/;

/** Reorders the rows of a column, and puts its values in the order of their first row. */
function arranged({ values, codes, nulls }: CodedColumn, order: Int32Array): CodedColumn {
  const result = new Int32Array(order.length);
  // A column with one value, such as the tenant, has no order to change.
  if (values.length === 1 && nulls === 0)
    return { values: order.length > 0 ? values : [], codes: result, nulls };
  if (values.length === 0) return { values, codes: result.fill(NULL), nulls: order.length };

  const newCode = new Int32Array(values.length).fill(NULL);
  const used: Cell[] = [];
  let missing = 0;
  for (let row = 0; row < order.length; row += 1) {
    const code = codes[order[row]!]!;
    if (code === NULL) {
      result[row] = NULL;
      missing += 1;
    } else {
      if (newCode[code] === NULL) newCode[code] = used.push(values[code]!) - 1;
      result[row] = newCode[code]!;
    }
  }
  return { values: used, codes: result, nulls: missing };
}

export function columnOf(table: Table, name: string): number {
  const index = table.columns.findIndex((column) => column.name === name);
  if (index < 0) throw new TypeError(`the table ${table.name} has no column ${name}`);
  return index;
}
