import * as fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { anyCharacter } from '../any-character.ts';
import { TABLES, type ColumnType, type Table } from '../../lambda/archive/columns/tables.ts';
import { merged, rowsOf } from '../../lambda/archive/columns/coded.ts';
import { readHybrid, writeHybrid, writeRun, bitWidthOf } from '../../lambda/archive/columns/hybrid.ts';
import { fromParquet, toParquet } from '../../lambda/archive/columns/parquet.ts';
import type { Row } from '../../lambda/archive/columns/rows.ts';

const text = fc.oneof(
  fc.constantFrom('', 'a', 'Ä', '\uFEFFmark', 'Z'.repeat(80), '😀', '\uFFFD', '\u0000', 'mfa'),
  fc.string({ unit: anyCharacter }).map((value) => value.toWellFormed()),
);
const CELLS: Record<ColumnType, fc.Arbitrary<string | number | boolean>> = {
  VARCHAR: text,
  DATE: fc.integer({ min: -800_000, max: 2_900_000 }).map((days) => isoDate(days)),
  DOUBLE: fc.oneof(
    fc.double({ noNaN: true }).map((value) => value + 0),
    fc.integer({ min: 0, max: 5 }),
  ),
  INTEGER: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  BOOLEAN: fc.boolean(),
};

function isoDate(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10);
}

/** A few values a column, so that they repeat; some columns without any. */
function rowsFor(table: Table): fc.Arbitrary<Row[]> {
  const columns = table.columns.map(({ name, type }) => {
    const required = name === 'tenant' || name === 'date';
    const cell = type === 'DATE' ? fc.integer({ min: 20_000, max: 20_040 }).map(isoDate) : CELLS[type];
    return fc
      .array(required ? cell : fc.option(cell, { freq: 3 }), { minLength: 1, maxLength: 5 })
      .map((values) => [name, values] as const);
  });
  return fc
    .tuple(
      fc.tuple(...columns),
      fc.array(fc.array(fc.nat(), { minLength: 16, maxLength: 16 }), { maxLength: 60 }),
    )
    .map(([values, picks]) =>
      picks.map((pick) => {
        const cells = values.map(([name, of], index) => [name, of[pick[index]! % of.length]!] as const);
        return Object.fromEntries(cells) as Row;
      }),
    );
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** hyparquet's own takes a mark of the byte order off a text. */
const PARSERS = { stringFromBytes: (value: Uint8Array | undefined) => value && decoder.decode(value) };

/** As another program reads it. */
async function foreignRows(table: Table, bytes: Uint8Array) {
  const file = new Uint8Array(bytes).buffer;
  const rows = await parquetReadObjects({
    file: { byteLength: file.byteLength, slice: (start, end) => file.slice(start, end) },
    compressors: { GZIP: (input) => gunzipSync(input) },
    parsers: PARSERS,
  });
  return rows.map((row) =>
    Object.fromEntries(
      table.columns.map(({ name }) => {
        const value: unknown = row[name];
        return [name, value instanceof Date ? value.toISOString().slice(0, 10) : (value ?? null)];
      }),
    ),
  );
}

describe.each(TABLES)('a file of the table $name', (table) => {
  it('returns its rows, to us and to hyparquet, and is the same however they were merged', async () => {
    await fc.assert(
      fc.asyncProperty(rowsFor(table), rowsFor(table), isoCut, async (first, second, cut) => {
        const early = first.filter(({ date }) => date <= cut);
        const late = second.filter(({ date }) => date > cut);
        const all = merged(table, null, null, [...early, ...late]);
        const bytes = toParquet(table, all);
        const rows = rowsOf(table, all);

        expect(rows.toSorted(byJson)).toEqual([...early, ...late].toSorted(byJson));
        expect(rowsOf(table, fromParquet(table, bytes))).toEqual(rows);
        expect(await foreignRows(table, bytes)).toEqual(rows);
        // Days after the cut are replaced, whatever they were.
        const before = fromParquet(table, toParquet(table, merged(table, null, null, first)));
        expect(Buffer.compare(toParquet(table, merged(table, before, cut, late)), bytes)).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('is in order, and says so', () => {
    fc.assert(
      fc.property(rowsFor(table), (rows) => {
        const coded = merged(table, null, null, rows);
        const keys = rowsOf(table, coded).map((row) => table.sortedBy.map((name) => row[name] ?? null));
        for (let index = 1; index < keys.length; index += 1) {
          expect(compareKeys(keys[index - 1]!, keys[index]!)).toBeLessThanOrEqual(0);
        }
        const [group] = parquetMetadata(new Uint8Array(toParquet(table, coded)).buffer).row_groups;
        const sorting = group?.sorting_columns?.map(({ column_idx: column }) => table.columns[column]!.name);
        expect(sorting ?? table.sortedBy).toEqual(table.sortedBy);
      }),
    );
  });

  it('has correct statistics, with as many bytes as the name of a control', () => {
    fc.assert(
      fc.property(rowsFor(table), (rows) => {
        const file = new Uint8Array(toParquet(table, merged(table, null, null, rows))).buffer;
        const columns = parquetMetadata(file, { parsers: PARSERS }).row_groups[0]?.columns ?? [];
        for (const [index, { name, type }] of table.columns.entries()) {
          const statistics = columns[index]?.meta_data?.statistics;
          const values = rows.map((row) => row[name]).filter((value) => value !== null);
          if (!statistics) continue;
          expect(Number(statistics.null_count)).toBe(rows.length - values.length);
          const least = plain(statistics.min_value);
          const greatest = plain(statistics.max_value);
          for (const value of values) {
            expect(compareCells(least, value!)).toBeLessThanOrEqual(0);
            expect(compareCells(greatest, value!)).toBeGreaterThanOrEqual(0);
          }
          const size = type === 'VARCHAR' ? Buffer.byteLength(String(least ?? '')) : 0;
          expect(size).toBeLessThanOrEqual(64);
        }
      }),
    );
  });

  it('that is damaged anywhere is refused, or read as complete rows, and never crashes', () => {
    fc.assert(
      fc.property(
        rowsFor(table),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (rows, at, byte, cut) => {
          const bytes = Uint8Array.from(toParquet(table, merged(table, null, null, rows)));
          const place = at % bytes.length;
          const damaged = cut ? bytes.subarray(0, place) : bytes.with(place, byte);
          let found: Row[] = [];
          try {
            found = rowsOf(table, fromParquet(table, damaged));
          } catch (error) {
            if (!(error instanceof Error)) throw error;
          }
          for (const row of found) expect(Object.keys(row)).toEqual(table.columns.map(({ name }) => name));
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('runs and packed bits', () => {
  it.each([0, 1, 2, 3, 7, 8, 9, 13, 20, 24])('of %i bits come back', (width) => {
    const code = fc.nat({ max: 2 ** width - 1 });
    const stretch = fc.tuple(code, fc.integer({ min: 1, max: 40 }), fc.boolean());
    fc.assert(
      fc.property(
        fc.array(fc.oneof(stretch, fc.tuple(code, fc.constant(1), fc.constant(true)))),
        (stretches) => {
          const codes = Int32Array.from(
            stretches.flatMap(([first, length]) => Array.from({ length }, () => first)),
          );
          const back = new Int32Array(codes.length);
          readHybrid(writeHybrid(codes, width), width, back, 2 ** width);
          expect(back).toEqual(codes);
        },
      ),
    );
  });

  it('are refused if they end too early', () => {
    const bytes = writeHybrid(
      Int32Array.from({ length: 104 }, (_, index) => index),
      7,
    );
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => readHybrid(bytes.subarray(0, length), 7, new Int32Array(104), 128)).toThrow(Error);
    }
    expect(() => readHybrid(writeRun(1, 5, 1), 1, new Int32Array(4), 2)).toThrow('too long');
    expect(() => readHybrid(Uint8Array.of(0, 0), 1, new Int32Array(4), 2)).toThrow('empty');
    expect(() => readHybrid(writeRun(3, 4, 2), 2, new Int32Array(4), 3)).toThrow('missing');
    expect(() => readHybrid(writeHybrid(Int32Array.of(0, 3, 1, 2), 2), 2, new Int32Array(4), 3)).toThrow(
      'missing',
    );
    expect(() => readHybrid(bytes, 25, new Int32Array(4), 2)).toThrow('too many');
  });

  it('need this number of bits', () => {
    expect([0, 1, 2, 3, 4, 5, 256, 257].map(bitWidthOf)).toEqual([0, 0, 1, 2, 2, 3, 8, 9]);
  });
});

const isoCut = fc.integer({ min: 19_999, max: 20_041 }).map(isoDate);

function byJson(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

function plain(value: unknown): string | number | boolean {
  return value instanceof Date ? value.toISOString().slice(0, 10) : (value as string);
}

/** Written apart from the product: null first, texts by their bytes. */
function compareCells(a: string | number | boolean | null, b: string | number | boolean | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(String(b)));
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareKeys(
  a: (string | number | boolean | null)[],
  b: (string | number | boolean | null)[],
): number {
  for (const [index, cell] of a.entries()) {
    const order = compareCells(cell, b[index] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}
