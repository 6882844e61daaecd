import { monthsWithRecord, readClosedMonth } from '../lambda/archive/columns/closed-month.ts';
import { inParallel } from '../lambda/archive/columns/parallel.ts';
import { TABLES, type Table } from '../lambda/archive/columns/tables.ts';
import { layout } from '../lambda/archive/layout.ts';
import type { ObjectStore } from '../lambda/ports.ts';
import { literal } from './placeholders.ts';

/** Closed months (yyyy-mm, ascending) that an engine may read from their copies alone, and the addresses of these copies. */
export interface Copies {
  months: string[];
  paths: Record<Table['name'], string[]>;
}

/**
 * The closed months whose copies hold every tenant and are all there. Copies are never overwritten, so that they hold
 * the rows of this moment, whatever is opened later.
 * @param store whose `location` is the address that the engine knows its objects by
 */
export async function copiesIn(store: ObjectStore): Promise<Copies> {
  const months = await monthsWithRecord(store);
  const copies: Copies = { months: [], paths: { scores: [], controls: [], changes: [] } };
  if (months.length === 0) return copies;
  const present = new Set(
    (await Promise.all(TABLES.map(({ name }) => store.list(layout.closedTable(name))))).flat(),
  );
  const records = await inParallel(months, (month) => readClosedMonth(store, month));
  for (const [index, { month: record }] of records.entries()) {
    if (!record.closed || !record.complete) continue;
    if (TABLES.some(({ name }) => record.copies[name].some((key) => !present.has(key)))) continue;
    copies.months.push(months[index]!);
    for (const { name } of TABLES)
      copies.paths[name].push(...record.copies[name].map((key) => `${store.location}/${key}`));
  }
  return copies;
}

/**
 * A statement on the tables, with closed months read from their copies and all others from the files of the tenants. One
 * list of months decides for both, so that each row is read once. Trino and Athena show the address of a row's file
 * as "$path": https://trino.io/docs/current/connector/hive.html#metadata-columns
 * @param sql one SELECT, WITH or VALUES
 */
export function readingCopies(sql: string, { months, paths }: Copies): string {
  const [, comments = '', rest = ''] =
    /^((?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*)([\s\S]*)$/.exec(sql) ?? [];
  // In a recursive list a name would mean itself.
  if (months.length === 0 || /^WITH\s+RECURSIVE\b/i.test(rest)) return sql;
  const tables = TABLES.filter(
    ({ name }) =>
      new RegExp(`\\b${name}\\b`, 'i').test(rest) &&
      // A list of the statement's own of that name reads the files.
      !new RegExp(`\\b"?${name}"?\\s*(?:\\([^()]*\\)\\s*)?AS\\s*\\(`, 'i').test(rest),
  );
  if (tables.length === 0) return sql;
  const list = (values: string[]) => values.map(literal).join(', ');
  const lists = tables.map(({ name, columns }) => {
    const all = [...columns.map((column) => column.name), 'month'].join(', ');
    return `${name} AS (
  SELECT ${all} FROM ${name} WHERE month NOT IN (${list(months)})
  UNION ALL
  SELECT ${all} FROM closed_${name} WHERE month IN (${list(months)}) AND "$path" IN (${list(paths[name])})
)`;
  });
  const after = /^WITH\s+([\s\S]*)$/i.exec(rest)?.[1];
  return `${comments}WITH ${lists.join(',\n')}${after === undefined ? `\n${rest}` : `,\n${after}`}`;
}
