import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import type { Drawn } from './words.ts';

export interface Column<Row> {
  name: string;
  label: string;
  /** Its head is read out only: what is in it says what it is. */
  quiet?: boolean;
  /** Right-aligned figures. */
  number?: boolean;
  /** What it is sorted by; without it, it cannot be. */
  sort?: (row: Row) => string | number;
  /** Largest first when it is sorted by for the first time. */
  descending?: boolean;
  cell: (row: Row) => Drawn;
}

interface TableProps<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  /** Identifies a row. */
  rowKey: (row: Row) => string;
  /** Column, with a - before it where the largest comes first. */
  sort: string;
  onSort?: (sort: string) => void;
  /** Rows shown at first, and with each “more”. */
  page?: number;
  /** Rows printed at most. */
  printed?: number;
  empty: string;
}

/** The number of rows printed: a sheet of paper holds about forty. */
const PRINTED = 400;

/**
 * A table that sorts, and shows its rows by and by. On a phone each row becomes a card; roles are said, since what is
 * laid out as a block is no table to some browsers.
 */
export function Table<Row>(props: TableProps<Row>) {
  const { caption, columns, rows, rowKey, sort, onSort, page = 50, printed = PRINTED, empty } = props;
  const [shown, setShown] = useState(page);
  useEffect(() => setShown(page), [rows, page]);
  useEffect(() => {
    const before = () => setShown((now) => Math.max(now, printed));
    const after = () => setShown(page);
    addEventListener('beforeprint', before);
    addEventListener('afterprint', after);
    return () => {
      removeEventListener('beforeprint', before);
      removeEventListener('afterprint', after);
    };
  }, [page, printed]);

  const descending = sort.startsWith('-');
  const by = columns.find(({ name }) => name === sort.replace(/^-/, ''));
  const sorted = by?.sort ? sortedBy(rows, by.sort, descending) : rows;
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;

  const head = (column: Column<Row>) => {
    const current = column === by;
    const next = current ? (descending ? '' : '-') : column.descending ? '-' : '';
    return html`<th
      scope="col"
      role="columnheader"
      class=${column.number ? 'number' : ''}
      aria-sort=${current ? (descending ? 'descending' : 'ascending') : undefined}
    >
      ${
        column.sort && onSort
          ? html`<button type="button" class="sort" onClick=${() => onSort(next + column.name)}>
              ${column.label}<span class="arrow" aria-hidden="true"
                >${current ? (descending ? '↓' : '↑') : ''}</span
              >
            </button>`
          : html`<span class=${column.quiet ? 'hidden' : ''}>${column.label}</span>`
      }
    </th>`;
  };
  const more = sorted.length - shown;
  return html`
    <table role="table">
      <caption class="hidden">
        ${caption}
      </caption>
      <thead role="rowgroup">
        <tr role="row">
          ${columns.map(head)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${sorted.slice(0, shown).map(
          (row) => html`
            <tr role="row" key=${rowKey(row)}>
              ${columns.map((column) => drawCell(column, row))}
            </tr>
          `,
        )}
      </tbody>
    </table>
    ${
      more > 0 &&
      html`
        <p class="more no-print">
          <button type="button" onClick=${() => setShown(shown + 4 * page)}>
            Show ${Math.min(more, 4 * page)} more
          </button>
          ${more > 4 * page && html`<button type="button" onClick=${() => setShown(sorted.length)}>Show all ${sorted.length}</button>`}
          <span class="soft">${`${shown} of ${sorted.length} are shown`}</span>
        </p>
        <p class="print-only soft">${`and ${more} more`}</p>
      `
    }
  `;
}

/** On a phone its column's name stands before it, and what is empty is left out. */
function drawCell<Row>({ name, label, number, cell }: Column<Row>, row: Row) {
  const drawn = cell(row);
  const classes = [`c-${name}`, number ? 'number' : '', drawn === '' ? 'none' : ''].filter(Boolean);
  return html`<td role="cell" class=${classes.join(' ')} data-label=${label}>${drawn}</td>`;
}

/** Stable, whichever way. */
function sortedBy<Row>(rows: Row[], key: (row: Row) => string | number, descending: boolean): Row[] {
  const sign = descending ? -1 : 1;
  return rows
    .map((row) => ({ row, key: key(row) }))
    .toSorted((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : 0))
    .map(({ row }) => row);
}
