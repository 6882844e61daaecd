import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { ColumnChunk, CompressionCodec, RowGroup, SchemaElement } from 'hyparquet';
import { parquetMetadata } from 'hyparquet/src/metadata.js';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import type { Column, Columns, ColumnType } from './tables.ts';
import { dateOf } from '../../dates.ts';
import { compare, NULL, type Cell, type CodedColumn, type CodedTable } from './coded.ts';
import { bitWidthOf, readHybrid, writeHybrid, writeRun } from './hybrid.ts';

/*
 * Parquet files of our tables: https://parquet.apache.org/docs/file-format/
 *
 * The library writes and reads the metadata of a file. The pages are written and read here, in the only form that we
 * use: one row group, one page per column, every value in a dictionary (except booleans), version 1 pages, GZIP. A day
 * is thus added to a month by its codes alone, which costs a daily run 150 ms of CPU time. The library's own columns,
 * with one value per row, cost it 440 ms more.
 */

const DAY_MS = 24 * 3_600_000;

/** "PAR1" */
const MAGIC = 0x31524150;

/** The form is `<program> version <version>`, by which readers recognize old writers with wrong statistics. */
const CREATED_BY = 'secure-score-monitor version 1';

/** The limit is long enough for names of controls. At the usual 16 bytes most minima and maxima would be useless. */
const STATISTICS_BYTES = 64;

/** The representation of each type, as DuckDB, pyarrow, Trino and Athena understand it. */
const ELEMENTS = {
  VARCHAR: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  DATE: { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } },
  DOUBLE: { type: 'DOUBLE' },
  INTEGER: { type: 'INT32' },
  BOOLEAN: { type: 'BOOLEAN' },
} as const satisfies Record<ColumnType, Omit<SchemaElement, 'name'>>;

/** The minimum size, in bytes, at which compression is worth its time. */
const WORTH_PACKING = 512;

/**
 * GZIP is read by every engine, and by a browser's own code. ZSTD takes DuckDB a third of the time.
 */
type Codec = 'GZIP' | 'ZSTD';

/** Far more bytes than a page has. */
const LIMIT = { maxOutputLength: 2 ** 26 };

const CODECS: Record<Codec, { pack: (bytes: Uint8Array) => Buffer; unpack: (bytes: Uint8Array) => Buffer }> =
  {
    GZIP: { pack: (bytes) => gzipSync(bytes), unpack: (bytes) => gunzipSync(bytes, LIMIT) },
    ZSTD: { pack: (bytes) => zstdCompressSync(bytes), unpack: (bytes) => zstdDecompressSync(bytes, LIMIT) },
  };

const UNPACK: Partial<Record<CompressionCodec, (bytes: Buffer) => Buffer>> = {
  UNCOMPRESSED: (bytes) => bytes,
  GZIP: CODECS.GZIP.unpack,
  ZSTD: CODECS.ZSTD.unpack,
};

/** Far more rows than a month of a tenant has. A file that claims more is damaged. */
const MOST_ROWS = 5_000_000;

/** Columns of every table that are never null. */
const REQUIRED = new Set(['tenant', 'date']);

function schemaOf({ columns }: Columns): SchemaElement[] {
  return [
    { name: 'root', num_children: columns.length },
    ...columns.map(({ name, type }): SchemaElement => ({
      name,
      repetition_type: REQUIRED.has(name) ? 'REQUIRED' : 'OPTIONAL',
      ...ELEMENTS[type],
    })),
  ];
}

/** Encodes a table as a file of one row group. The same rows give the same bytes. */
export function toParquet(table: Columns, coded: CodedTable): Uint8Array {
  const file = new ParquetFile(table);
  if (coded.length > 0) file.add(coded);
  return file.end();
}

/** A file that is written row group by row group. */
export class ParquetFile {
  readonly #table: Columns;
  readonly #sortedBy: readonly string[];
  readonly #codec: Codec;
  readonly #writer = new ByteWriter();
  readonly #groups: RowGroup[] = [];

  /** @param sortedBy the order of the rows in each row group */
  constructor(table: Columns, sortedBy: readonly string[] = table.sortedBy, codec: Codec = 'GZIP') {
    this.#table = table;
    this.#sortedBy = sortedBy;
    this.#codec = codec;
    this.#writer.appendUint32(MAGIC);
  }

  get isEmpty(): boolean {
    return this.#groups.length === 0;
  }

  /** The size so far, in bytes. */
  get size(): number {
    return this.#writer.offset;
  }

  /** @param coded at least one row */
  add({ length, columns }: CodedTable): void {
    const table = this.#table;
    const chunks = table.columns.map((column, index) =>
      writeColumn(this.#writer, column, columns[index]!, this.#codec),
    );
    const sum = (size: 'total_uncompressed_size' | 'total_compressed_size') =>
      chunks.reduce((total, { meta_data: meta }) => total + (meta?.[size] ?? 0n), 0n);
    this.#groups.push({
      columns: chunks,
      num_rows: BigInt(length),
      total_byte_size: sum('total_uncompressed_size'),
      total_compressed_size: sum('total_compressed_size'),
      sorting_columns: this.#sortedBy.map((name) => ({
        column_idx: table.columns.findIndex((column) => column.name === name),
        descending: false,
        nulls_first: true,
      })),
    });
  }

  /** @returns the whole file */
  end(): Uint8Array {
    const metadata = {
      version: 2,
      created_by: CREATED_BY,
      schema: schemaOf(this.#table),
      num_rows: this.#groups.reduce((sum, group) => sum + group.num_rows, 0n),
      row_groups: this.#groups,
      metadata_length: 0, // used by the reader only
    };
    writeMetadata(this.#writer, metadata, STATISTICS_BYTES);
    this.#writer.appendUint32(MAGIC);
    return this.#writer.getBytes();
  }
}

function writeColumn(
  writer: ByteWriter,
  { name, type }: Column,
  column: CodedColumn,
  codec: Codec,
): ColumnChunk {
  const { values, codes } = column;
  const present = withoutNulls(column);
  const isBoolean = type === 'BOOLEAN';
  const dictionary = isBoolean ? null : dictionaryBytes(type, values);
  const page = Buffer.concat([
    ...(REQUIRED.has(name) ? [] : [levelsOf(codes, present)]),
    ...(isBoolean ? [bitsOf(values, present)] : codesOf(values, present)),
  ]);

  const plain = [dictionary, page];
  const packed =
    sizeOf(plain) < WORTH_PACKING ? plain : plain.map((bytes) => bytes && CODECS[codec].pack(bytes));
  const pays = sizeOf(packed) < sizeOf(plain);
  const [dictionaryToWrite, pageToWrite] = pays ? packed : plain;

  const start = writer.offset;
  if (dictionary && dictionaryToWrite) {
    writePageHeader(writer, {
      type: 'DICTIONARY_PAGE',
      uncompressed_page_size: dictionary.length,
      compressed_page_size: dictionaryToWrite.length,
      dictionary_page_header: { num_values: values.length, encoding: 'PLAIN' },
    });
    writer.appendBytes(dictionaryToWrite);
  }
  const dataStart = writer.offset;
  const encoding = isBoolean ? ('PLAIN' as const) : ('RLE_DICTIONARY' as const);
  writePageHeader(writer, {
    type: 'DATA_PAGE',
    uncompressed_page_size: page.length,
    compressed_page_size: pageToWrite!.length,
    data_page_header: {
      num_values: codes.length,
      encoding,
      definition_level_encoding: 'RLE',
      repetition_level_encoding: 'RLE',
    },
  });
  writer.appendBytes(pageToWrite!);
  const written = writer.offset - start;
  return {
    file_offset: BigInt(start),
    meta_data: {
      type: ELEMENTS[type].type,
      encodings: isBoolean ? ['PLAIN', 'RLE'] : ['PLAIN', 'RLE', 'RLE_DICTIONARY'],
      path_in_schema: [name],
      codec: pays ? codec : 'UNCOMPRESSED',
      num_values: BigInt(codes.length),
      total_compressed_size: BigInt(written),
      total_uncompressed_size: BigInt(written + sizeOf(plain) - sizeOf([dictionaryToWrite, pageToWrite])),
      data_page_offset: BigInt(dataStart),
      ...(dictionary ? { dictionary_page_offset: BigInt(start) } : {}),
      statistics: { ...leastAndGreatest(type, values), null_count: BigInt(codes.length - present.length) },
      encoding_stats: [
        ...(dictionary
          ? [{ page_type: 'DICTIONARY_PAGE' as const, encoding: 'PLAIN' as const, count: 1 }]
          : []),
        { page_type: 'DATA_PAGE', encoding, count: 1 },
      ],
    },
  };
}

function sizeOf(parts: (Uint8Array | null | undefined)[]): number {
  return parts.reduce((sum, part) => sum + (part?.length ?? 0), 0);
}

/** The minimum and the maximum of the values that occur. */
function leastAndGreatest(type: ColumnType, values: Cell[]): { min_value?: Cell; max_value?: Cell } {
  if (values.length === 0) return {};
  const least = values.reduce((a, b) => (compare(b, a) < 0 ? b : a));
  const greatest = values.reduce((a, b) => (compare(b, a) > 0 ? b : a));
  if (type === 'DATE') return { min_value: daysOf(least), max_value: daysOf(greatest) };
  // The format requires −0 for a minimum of 0, because a reader may consider −0 and 0 different.
  return { min_value: type === 'DOUBLE' && least === 0 ? -0 : least, max_value: greatest };
}

function daysOf(date: Cell): number {
  return Date.parse(String(date)) / DAY_MS;
}

/** PLAIN encoding: texts preceded by their length, numbers little-endian. */
function dictionaryBytes(type: Exclude<ColumnType, 'BOOLEAN'>, values: Cell[]): Buffer {
  if (type === 'VARCHAR') {
    // A code unit has three bytes at most.
    const room = values.reduce<number>((size, value) => size + 4 + 3 * String(value).length, 0);
    const bytes = Buffer.allocUnsafe(room);
    let offset = 0;
    for (const value of values) {
      const length = bytes.write(String(value), offset + 4);
      bytes.writeUInt32LE(length, offset);
      offset += 4 + length;
    }
    return bytes.subarray(0, offset);
  }
  const width = type === 'DOUBLE' ? 8 : 4;
  const bytes = Buffer.alloc(values.length * width);
  for (const [index, value] of values.entries()) {
    if (type === 'DOUBLE') bytes.writeDoubleLE(Number(value), index * width);
    else bytes.writeInt32LE(type === 'DATE' ? daysOf(value) : Number(value), index * width);
  }
  return bytes;
}

function valuesOf(type: Exclude<ColumnType, 'BOOLEAN'>, bytes: Buffer, count: number): Cell[] {
  let offset = 0;
  return Array.from({ length: count }, () => {
    if (type === 'VARCHAR') {
      const length = bytes.readUInt32LE(offset);
      const text = bytes.subarray(offset + 4, offset + 4 + length);
      if (text.length !== length) throw new Error('a text is cut off');
      offset += 4 + length;
      return text.toString('utf8');
    }
    const value = type === 'DOUBLE' ? bytes.readDoubleLE(offset) : bytes.readInt32LE(offset);
    offset += type === 'DOUBLE' ? 8 : 4;
    return type === 'DATE' ? dateOf(new Date(value * DAY_MS)) : value;
  });
}

function withoutNulls({ codes, nulls }: CodedColumn): Int32Array {
  if (nulls === 0) return codes;
  const present = new Int32Array(codes.length - nulls);
  if (present.length === 0) return present;
  for (let row = 0, count = 0; row < codes.length; row += 1) {
    const code = codes[row]!;
    if (code !== NULL) present[count++] = code;
  }
  return present;
}

/** Definition levels: 1 for a row with a value, else 0, preceded by their total length. */
function levelsOf(codes: Int32Array, present: Int32Array): Buffer {
  const isMixed = present.length > 0 && present.length < codes.length;
  let bytes: Uint8Array;
  if (isMixed) {
    const levels = new Int32Array(codes.length);
    for (let row = 0; row < codes.length; row += 1) levels[row] = codes[row] === NULL ? 0 : 1;
    bytes = writeHybrid(levels, 1);
  } else {
    bytes = writeRun(present.length > 0 ? 1 : 0, codes.length, 1);
  }
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function codesOf(values: Cell[], present: Int32Array): Uint8Array[] {
  const width = bitWidthOf(values.length);
  return [Uint8Array.of(width), writeHybrid(present, width)];
}

function bitsOf(values: Cell[], present: Int32Array): Buffer {
  const bytes = Buffer.alloc(Math.ceil(present.length / 8));
  for (const [index, code] of present.entries()) {
    if (values[code] === true) bytes[index >> 3]! |= 1 << (index & 7);
  }
  return bytes;
}

/**
 * Reads a file that `toParquet` wrote, in this version or an earlier one: a column that was added since is null.
 * @throws Error for anything but a complete file of exactly this table
 */
export function fromParquet(table: Columns, bytes: Uint8Array): CodedTable {
  const { groups, rows } = rowGroupsOf(table, bytes);
  if (rows > MOST_ROWS) throw new Error(`it claims to have ${rows} rows`);
  if (rows === 0) {
    return {
      length: 0,
      columns: table.columns.map(() => ({ values: [], codes: new Int32Array(0), nulls: 0 })),
    };
  }
  const [group, ...more] = groups;
  if (!group || more.length > 0 || group.rows !== rows) {
    throw new Error('it does not have exactly one row group');
  }
  return group.read();
}

interface UnreadRowGroup {
  rows: number;
  /** @throws Error where it is damaged */
  read: () => CodedTable;
}

/**
 * The row groups of a file of this program, in this version or an earlier one.
 * @throws Error for a file of another table
 */
export function rowGroupsOf(table: Columns, bytes: Uint8Array): { groups: UnreadRowGroup[]; rows: number } {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { schema, row_groups: groups, num_rows: rows } = parquetMetadata(file, { geoparquet: false });
  const found = schema.slice(1);
  const isThere = ({ name, added }: Column) => !added || found.some((element) => element.name === name);
  const present = table.columns.filter(isThere);
  const fits =
    found.length === present.length &&
    present.every(({ name, type }, index) => {
      const element = found[index];
      const wanted: Omit<SchemaElement, 'name'> = ELEMENTS[type];
      return (
        element?.name === name &&
        element.type === wanted.type &&
        element.converted_type === wanted.converted_type &&
        (element.repetition_type === 'REQUIRED') === REQUIRED.has(name)
      );
    });
  if (!fits) throw new Error(`its columns are not those of the table ${table.name}`);
  const read = (group: (typeof groups)[number]): CodedTable => {
    const length = Number(group.num_rows);
    if (length > MOST_ROWS) throw new Error(`it claims to have ${length} rows`);
    const columns = table.columns.map((column) => {
      const index = present.indexOf(column);
      if (index < 0) return { values: [], codes: new Int32Array(length).fill(NULL), nulls: length };
      try {
        return readColumn(file, column, group.columns[index]!, length);
      } catch (error) {
        throw new Error(`its column ${column.name} cannot be read: ${String(error)}`, { cause: error });
      }
    });
    return { length, columns };
  };
  return {
    groups: groups.map((group) => ({ rows: Number(group.num_rows), read: () => read(group) })),
    rows: Number(rows),
  };
}

function readColumn(
  file: Buffer,
  { name, type }: Column,
  { meta_data: meta }: ColumnChunk,
  length: number,
): CodedColumn {
  const unpack = meta && UNPACK[meta.codec];
  if (!meta || !unpack) throw new Error('foreign compression');
  let offset = Number(meta.dictionary_page_offset ?? meta.data_page_offset);
  const nextPage = (): { header: ReturnType<typeof deserializeTCompactProtocol>; bytes: Buffer } => {
    const reader = { view: new DataView(file.buffer, file.byteOffset, file.byteLength), offset };
    const header = deserializeTCompactProtocol(reader);
    offset = reader.offset + Number(header.field_3);
    const stored = file.subarray(reader.offset, offset);
    const bytes = unpack(stored);
    if (bytes.length !== header.field_2) throw new Error('a page is cut off');
    return { header, bytes };
  };

  let values: Cell[] = [false, true];
  if (type !== 'BOOLEAN') {
    const dictionary = nextPage();
    values = valuesOf(type, dictionary.bytes, Number(dictionary.header.field_7?.field_1));
  }
  const { header, bytes } = nextPage();
  if (header.field_5?.field_1 !== length) throw new Error('it does not have exactly one page');

  let start = 0;
  let present = length;
  let levels: Int32Array | null = null;
  if (!REQUIRED.has(name)) {
    start = 4 + bytes.readUInt32LE(0);
    levels = new Int32Array(length);
    const isOneRun = readHybrid(bytes.subarray(4, start), 1, levels, 2);
    if (isOneRun) present = levels[0] === 0 ? 0 : length;
    else {
      present = 0;
      for (let row = 0; row < length; row += 1) present += levels[row]!;
    }
  }
  const found = new Int32Array(present);
  if (type === 'BOOLEAN') {
    for (let index = 0; index < present; index += 1) {
      found[index] = (bytes.readUInt8(start + (index >> 3)) >> (index & 7)) & 1;
    }
  } else if (present > 0) {
    readHybrid(bytes.subarray(start + 1), bytes.readUInt8(start), found, values.length);
  }
  const nulls = length - present;
  if (levels === null || nulls === 0) return { values, codes: found, nulls };
  if (present === 0) return { values, codes: levels.fill(NULL), nulls };
  const codes = levels;
  for (let row = 0, next = 0; row < length; row += 1) codes[row] = levels[row] === 0 ? NULL : found[next++]!;
  return { values, codes, nulls };
}
