import {
  Catalogue,
  encode,
  type CatalogueRow,
  type ChangeRow,
  type Owner,
  type ScoreRow,
  type StandingRow,
  type TenantRows,
} from '../../history/page/data.ts';
import { dayNumber, decode, type History } from '../../history/page/wire.ts';
import { TABLES, type Table } from '../../lambda/archive/columns/tables.ts';
import { SAMPLE } from './sample.ts';

/** Rows as the tables have them, whose days are dates. */
type Dated<Row, Days extends keyof Row> = Omit<Row, Days> & { date: string };
type ControlRow = Dated<StandingRow, 'first_day' | 'last_day' | 'days'> & CatalogueRow;

/** What the page is made of, with the catalogue that is in it. */
export type PageRows = TenantRows & { catalogue: CatalogueRow[] };

/** Rows of the tables, as the page takes them: a row of `controls` stands for one day. */
export function tenantRows(rows: {
  scores: Dated<ScoreRow, 'day'>[];
  controls: ControlRow[];
  changes: (Dated<ChangeRow, 'day' | 'previous_day'> & { previous_date: string | null })[];
}): PageRows {
  const byDate = rows.controls.toSorted((a, b) => (a.date < b.date ? -1 : 1));
  return {
    scores: rows.scores.map((row) => ({ ...row, day: dayNumber(row.date) })),
    standings: rows.controls.map((row) => {
      const day = dayNumber(row.date);
      return { ...row, first_day: day, last_day: day, days: null };
    }),
    catalogue: [...new Map(byDate.map((row) => [row.control, row])).values()],
    changes: rows.changes.map((row) => {
      const previous = row.previous_date === null ? null : dayNumber(row.previous_date);
      return { ...row, day: dayNumber(row.date), previous_day: previous };
    }),
  };
}

/** A tenant's history, as the page reads it. */
export function historyOf(owner: Owner, rows: PageRows): History {
  const catalogue = new Catalogue(rows.catalogue);
  return decode(encode(owner, rows, catalogue)!, catalogue.texts);
}

/** Those of a tenant of the sample; what a row does not say is null. */
export function sampleRows(id: string): PageRows {
  const rowsOf = <Row>(name: Table['name']): Row[] => {
    const { columns } = TABLES.find((table) => table.name === name)!;
    return SAMPLE[name]
      .filter(({ tenant }) => tenant === id)
      .map(
        (row) => Object.fromEntries(columns.map((column) => [column.name, row[column.name] ?? null])) as Row,
      );
  };
  return tenantRows({ scores: rowsOf('scores'), controls: rowsOf('controls'), changes: rowsOf('changes') });
}
