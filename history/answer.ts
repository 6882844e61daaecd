import { MonitorError } from '../lambda/errors.ts';

/** A value of an answer, whatever engine gave it: dates as yyyy-mm-dd, timestamps as text, null where there is none. */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

export type Row = Record<string, Value>;

/** The rows of an answer, keyed by column, in the order of the question. */
export interface Answer {
  columns: string[];
  rows: Row[];
}

/** What an answer is about, for engines that need not read the rest; null: all. */
export interface Scope {
  tenant: string | null;
  /** Where `tenant` is null: only these; absent: all. */
  tenants?: ReadonlySet<string>;
  /** yyyy-mm, both included. */
  fromMonth: string;
  toMonth: string;
}

/** Where questions are asked. */
export interface HistoryEngine {
  /** For people: what is asked. */
  readonly location: string;
  /** It has the table STRETCHES as well. */
  readonly hasStretches?: boolean;
  /** The newest day of the history (yyyy-mm-dd); null where there is none. */
  newest(): Promise<string | null>;
  /** The first day of the history (yyyy-mm-dd); null where there is none. @param tenant of this one; null: of all */
  oldest(tenant: string | null): Promise<string | null>;
  /** @param sql one read-only statement; nothing else is run */
  ask(sql: string, scope: Scope | null): Promise<Answer>;
}

/** Rows keyed by column. Of several columns with one name the later ones are called name_2, name_3. */
export function answerOf(names: readonly string[], values: readonly (readonly Value[])[]): Answer {
  const columns = uniqueNames(names);
  return { columns, rows: values.map((row) => rowOf(columns, (column) => row[column])) };
}

/** Of several columns with one name the later ones are called name_2, name_3. */
export function uniqueNames(names: readonly string[]): string[] {
  const columns: string[] = [];
  for (const name of names) {
    let unique = name;
    for (let number = 2; columns.includes(unique); number += 1) unique = `${name}_${number}`;
    columns.push(unique);
  }
  return columns;
}

/** @param valueAt of each column by its place */
export function rowOf(columns: readonly string[], valueAt: (column: number) => Value | undefined): Row {
  // Answers have a million rows: no pairs are made of them on the way. As a name, __proto__ is one like any other.
  const row: Row = columns.includes('__proto__') ? (Object.create(null) as Row) : {};
  for (let column = 0; column < columns.length; column += 1) row[columns[column]!] = valueAt(column) ?? null;
  return row;
}

export function notReadOnly(found: string): MonitorError {
  return new MonitorError(
    'history-sql-not-read-only',
    `The history is read only, and this is ${found}.`,
    'Ask with one SELECT (or WITH … SELECT).',
  );
}
