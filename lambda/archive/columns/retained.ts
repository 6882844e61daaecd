import { TABLES, type Table } from './tables.ts';
import { columnOf, rowsOf, type CodedTable } from './coded.ts';
import type { Row, Rows } from './rows.ts';

/** A day of which no rows are made, because what they would be made of is gone or does not prove itself. */
export interface UnprovenDay {
  /** yyyy-mm-dd */
  date: string;
  /** For people. */
  why: string;
  /** What the history has of it: the rows that were there, rows of another version that is proven, or nothing. */
  rows: 'kept' | 'of another version' | 'none';
}

/** The tables of a month as they were found, read when they are needed; null where there is none that can be used. */
export type FormerTables = Record<Table['name'], () => CodedTable | null>;

/**
 * Of which days the rows that are there stay, whatever the snapshots make: those whose snapshots are gone or do not
 * prove themselves. Months are given in turn, ascending.
 *
 * The changes of the first counted day after such a day stay as well: they were made by comparison with it, and made
 * again without it they would count once more what the kept rows count already.
 */
export class RetainedDays {
  readonly unproven: UnprovenDay[] = [];
  readonly #why: (date: string) => string | null;
  /** The last day was kept and cannot be compared with. */
  #isSpanned = false;

  /** @param why what speaks against a day, for people; null: it proves itself */
  constructor(why: (date: string) => string | null) {
    this.#why = why;
  }

  /**
   * @param dates of the month, listed in the archive, ascending
   * @param former what the files of the month hold, rows up to `through` excepted
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

/** The rows with those of some days replaced by the former ones; as they are where there are no former ones. */
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
