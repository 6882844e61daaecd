import { TABLES, type Table } from './tables.ts';
import { columnOf, rowsOf, type CodedTable } from './coded.ts';
import type { Row, Rows } from './rows.ts';

/** A day for which no rows are made, because its snapshots are gone or do not prove themselves. */
export interface UnprovenDay {
  /** yyyy-mm-dd */
  date: string;
  /** The reason, for people. */
  why: string;
  /** The rows of the day in the history: the former ones (`kept`, a stored name), those of another, proven version, or none. */
  rows: 'kept' | 'of another version' | 'none';
}

/** The tables of a month as they were found, read on demand; null if there is no usable one. */
export type FormerTables = Record<Table['name'], () => CodedTable | null>;

/**
 * Decides which days retain their rows: those whose snapshots are gone or do not prove themselves. Months
 * are passed one by one, ascending.
 *
 * The changes of the first counted day after such a day stay as well. They were made by comparison with it. If they
 * were made again without it, they would count twice what the retained rows already count.
 */
export class RetainedDays {
  readonly unproven: UnprovenDay[] = [];
  readonly #why: (date: string) => string | null;
  /** True if the last day was retained and cannot be compared with. */
  #isSpanned = false;

  /** @param why returns the reason why a day is not proven, for people; null if it is proven */
  constructor(why: (date: string) => string | null) {
    this.#why = why;
  }

  /**
   * @param dates the days of the month that the archive lists, ascending
   * @param former the content of the month's files, except for rows up to `through`
   * @returns the rows that the month should have
   */
  apply(rows: Rows, dates: string[], former: FormerTables, through: string | null): Rows {
    const scores = former.scores();
    const present = new Set(scores ? datesIn(scores) : []);
    const derived = new Map(rows.scores.map((row) => [row.date, row]));
    const all = [...new Set([...dates, ...present])].filter((date) => through === null || date > through);
    const kept = new Set<string>();
    const retainedChanges = new Set<string>();
    for (const date of all.toSorted()) {
      const why = this.#why(date);
      const row = derived.get(date);
      if (why !== null) {
        const isRetained = present.has(date);
        if (isRetained) kept.add(date);
        this.unproven.push({ date, why, rows: isRetained ? 'kept' : row ? 'of another version' : 'none' });
        if (!row && isRetained) this.#isSpanned = true;
      } else if (this.#isSpanned) {
        if (present.has(date)) retainedChanges.add(date);
        if (row?.counted) this.#isSpanned = false;
      }
    }
    if (kept.size === 0 && retainedChanges.size === 0) return rows;
    const of = (name: Table['name'], days: Set<string>) =>
      withRowsOf(tableOf(name), rows[name], former[name](), days);
    return {
      scores: of('scores', kept),
      controls: of('controls', kept),
      changes: of('changes', kept.union(retainedChanges)),
    } as Rows;
  }
}

/** Replaces the rows of some days by the former ones, if there are any. */
function withRowsOf(table: Table, rows: Row[], former: CodedTable | null, days: Set<string>): Row[] {
  if (!former) return rows;
  return [
    ...rows.filter(({ date }) => !days.has(date)),
    ...rowsOf(table, former).filter(({ date }) => days.has(date)),
  ];
}

function datesIn(scores: CodedTable): string[] {
  return scores.columns[columnOf(tableOf('scores'), 'date')]!.values.map(String);
}

function tableOf(name: Table['name']): Table {
  return TABLES.find((table) => table.name === name)!;
}
