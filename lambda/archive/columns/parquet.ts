import { parquetMetadata, parquetReadObjects, type SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { Column, ColumnType, Table } from '../../../history/tables.ts';
import { dateOf } from '../../dates.ts';
import type { Row } from './rows.ts';

const DAY_MS = 24 * 3_600_000;

/** Readers that know of wrong statistics in files of old writers go by `<program> version <version>`. */
const CREATED_BY = 'secure-score-monitor version 1';

/** How a type stands in a file: as DuckDB, pyarrow, Trino and Athena take it for what it is. */
const ELEMENTS: Record<ColumnType, Omit<SchemaElement, 'name'>> = {
  VARCHAR: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  DATE: { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } },
  DOUBLE: { type: 'DOUBLE' },
  INTEGER: { type: 'INT32' },
  BOOLEAN: { type: 'BOOLEAN' },
};

/** Columns of every table that are never null. */
const REQUIRED = new Set(['tenant', 'date']);

function schemaOf({ columns }: Table): SchemaElement[] {
  return [
    { name: 'root', num_children: columns.length },
    ...columns.map(({ name, type }): SchemaElement => ({
      name,
      repetition_type: REQUIRED.has(name) ? 'REQUIRED' : 'OPTIONAL',
      ...ELEMENTS[type],
    })),
  ];
}

/**
 * A Parquet file of these rows: the same bytes for the same rows in the same order. One row group (a month of a tenant
 * is some ten thousand rows), Snappy, dictionaries where they pay, statistics.
 */
export function toParquet(table: Table, rows: Row[]): Uint8Array {
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({
    writer,
    schema: schemaOf(table),
    // Whole names of controls: cut at the default of 16 bytes, minimum and maximum would say little.
    statisticsTruncateLength: 64,
    createdBy: CREATED_BY,
  });
  if (rows.length > 0) {
    const columnData = table.columns.map((column) => ({
      name: column.name,
      data: rows.map((row) => toCell(column, row)),
    }));
    // Into memory: nothing to wait for.
    void parquet.write({ columnData, rowGroupSize: rows.length });
  }
  void parquet.finish();
  return writer.getBytes();
}

function toCell({ name, type }: Column, row: Row): unknown {
  const value = row[name];
  if (value === undefined) throw new TypeError(`a row has no ${name}`);
  return type === 'DATE' && typeof value === 'string' ? Date.parse(value) / DAY_MS : value;
}

/** `TextDecoder` takes a mark at the beginning of a text for one of the byte order unless it is told not to. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The rows of a file, in its order.
 * @throws Error for anything but a whole file of exactly this table
 */
export async function fromParquet(table: Table, bytes: Uint8Array): Promise<Row[]> {
  const buffer = new Uint8Array(bytes).buffer; // of these bytes alone: they may be a part of a pool
  const metadata = parquetMetadata(buffer);
  const found = metadata.schema.slice(1);
  const fits =
    found.length === table.columns.length &&
    table.columns.every(({ name, type }, index) => {
      const element = found[index];
      const { type: physical, converted_type: converted } = ELEMENTS[type];
      return element?.name === name && element.type === physical && element.converted_type === converted;
    });
  if (!fits) throw new Error(`its columns are not those of the table ${table.name}`);

  const dates = new Map<number, string>();
  const rows = await parquetReadObjects({
    file: { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) },
    metadata,
    parsers: {
      stringFromBytes: (text: Uint8Array | undefined) => text && decoder.decode(text),
      dateFromDays(days: number | undefined) {
        if (days === undefined) return null;
        const date = dates.get(days) ?? dateOf(new Date(days * DAY_MS));
        dates.set(days, date);
        return date;
      },
    },
  });
  if (rows.length !== Number(metadata.num_rows)) throw new Error('it is not whole');
  return rows.map((row) => {
    for (const { name } of table.columns) row[name] ??= null;
    return row as Row;
  });
}
