import type { CatalogueRow, StretchRow, TenantRows } from '../../history/page/data.ts';
import { TABLES, type Table } from '../../lambda/archive/columns/tables.ts';
import { SAMPLE } from './sample.ts';

type DayRow = Omit<StretchRow, 'first_date' | 'last_date'> & CatalogueRow & { date: string };

/** Rows of the tables, as the page takes them: a row of `controls` is a stretch of one day. */
export function tenantRows(rows: {
  scores: TenantRows['scores'];
  controls: DayRow[];
  changes: TenantRows['changes'];
}): TenantRows {
  const byDate = rows.controls.toSorted((a, b) => (a.date < b.date ? -1 : 1));
  return {
    scores: rows.scores,
    stretches: rows.controls.map((row) => ({ ...row, first_date: row.date, last_date: row.date })),
    catalogue: [...new Map(byDate.map((row) => [row.control, row])).values()],
    changes: rows.changes,
  };
}

/** Those of a tenant of the sample; what a row does not say is null. */
export function sampleRows(id: string): TenantRows {
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
