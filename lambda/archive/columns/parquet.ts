import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ColumnChunk, FileMetaData, SchemaElement } from 'hyparquet';
import { parquetMetadata } from 'hyparquet/src/metadata.js';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import type { Column, ColumnType, Table } from './tables.ts';
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

/** Far more rows than a month of a tenant has. A file that claims more is damaged. */
const MOST_ROWS = 5_000_000;

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

/** Encodes a table as a file. The same rows give the same bytes. */
export function toParquet(table: Table, { length, columns }: CodedTable): Uint8Array {
  const writer = new ByteWriter();
  writer.appendUint32(MAGIC);
  const chunks = table.columns.map((column, index) => writeColumn(writer, column, columns[index]!));
  const sum = (size: 'total_uncompressed_size' | 'total_compressed_size') =>
    chunks.reduce((total, { meta_data: meta }) => total + (meta?.[size] ?? 0n), 0n);
  const rowGroup = {
    columns: chunks,
    num_rows: BigInt(length),
    total_byte_size: sum('total_uncompressed_size'),
    total_compressed_size: sum('total_compressed_size'),
    sorting_columns: table.sortedBy.map((name) => ({
      column_idx: table.columns.findIndex((column) => column.name === name),
      descending: false,
      nulls_first: true,
    })),
  };
  const metadata = {
    version: 2,
    created_by: CREATED_BY,
    schema: schemaOf(table),
    num_rows: BigInt(length),
    row_groups: length > 0 ? [rowGroup] : [],
    metadata_length: 0, // used by the reader only
  };
  writeMetadata(writer, metadata, STATISTICS_BYTES);
  writer.appendUint32(MAGIC);
  return writer.getBytes();
}

function writeColumn(writer: ByteWriter, { name, type }: Column, column: CodedColumn): ColumnChunk {
  const { values, codes } = column;
  const present = withoutNulls(column);
  const isBoolean = type === 'BOOLEAN';
  const dictionary = isBoolean ? null : dictionaryBytes(type, values);
  const page = Buffer.concat([
    ...(REQUIRED.has(name) ? [] : [levelsOf(codes, present)]),
    ...(isBoolean ? [bitsOf(values, present)] : codesOf(values, present)),
  ]);

  const plain = [dictionary, page];
  const packed = sizeOf(plain) < WORTH_PACKING ? plain : plain.map((bytes) => bytes && gzipSync(bytes));
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
      codec: pays ? 'GZIP' : 'UNCOMPRESSED',
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
    const texts = values.map((value) => Buffer.from(String(value)));
    const bytes = Buffer.alloc(texts.reduce((size, text) => size + 4 + text.length, 0));
    let offset = 0;
    for (const text of texts) {
      offset = bytes.writeUInt32LE(text.length, offset);
      offset += text.copy(bytes, offset);
    }
    return bytes;
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

/** Statistics are copied byte by byte, because a truncated text need not be valid UTF-8. */
const AS_STORED = {
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes,
  dateFromDays: (days: number) => days,
};

const parsed = new WeakMap<Uint8Array, FileMetaData>();

/** The footer of a file. It is parsed once, because a file is read, looked at and joined in turn. */
function metadataOf(bytes: Uint8Array): FileMetaData {
  let metadata = parsed.get(bytes);
  if (!metadata) {
    const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    metadata = parquetMetadata(file, { geoparquet: false, parsers: AS_STORED });
    parsed.set(bytes, metadata);
  }
  return metadata;
}

/**
 * Reads a file that `toParquet` wrote, in this version or an earlier one: a column that was added since is null.
 * @throws Error for anything but a complete file of exactly this table
 */
export function fromParquet(table: Table, bytes: Uint8Array): CodedTable {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { schema, row_groups: groups, num_rows: rows } = metadataOf(bytes);
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
  const length = Number(rows);
  if (length > MOST_ROWS) throw new Error(`it claims to have ${length} rows`);
  const [group] = groups;
  if (length === 0) {
    return { length, columns: table.columns.map(() => ({ values: [], codes: new Int32Array(0), nulls: 0 })) };
  }
  if (!group || groups.length > 1 || Number(group.num_rows) !== length) {
    throw new Error('it does not have exactly one row group');
  }
  return {
    length,
    columns: table.columns.map((column) => {
      const index = present.indexOf(column);
      if (index < 0) return { values: [], codes: new Int32Array(length).fill(NULL), nulls: length };
      try {
        return readColumn(file, column, group.columns[index]!, length);
      } catch (error) {
        throw new Error(`its column ${column.name} cannot be read: ${String(error)}`, { cause: error });
      }
    }),
  };
}

/** True if a file of `toParquet` has all columns of the table. */
export function isOfThisVersion(table: Table, bytes: Uint8Array): boolean {
  return metadataOf(bytes).schema.length === table.columns.length + 1;
}

/** A hash of each row group: of its pages and of what the footer says about them, apart from where they lie. */
export function hashesOfRowGroups(bytes: Uint8Array): string[] {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return metadataOf(bytes).row_groups.map((group) => {
    const hash = createHash('sha256').update(String(group.num_rows));
    for (const { meta_data: meta } of group.columns) {
      if (!meta) throw new Error('a column has no metadata');
      const start = Number(meta.dictionary_page_offset ?? meta.data_page_offset);
      const facts = { ...meta, data_page_offset: 0, dictionary_page_offset: 0 };
      hash.update(
        JSON.stringify(facts, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
      );
      hash.update(file.subarray(start, start + Number(meta.total_compressed_size)));
    }
    return hash.digest('hex');
  });
}

/**
 * The rows of several files in one, each file as a row group of its own: pages are copied as they are, so that nothing is
 * compressed again.
 * @param files of `toParquet`, of this version
 */
export function joined(table: Table, files: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from('PAR1')];
  let offset = 4;
  let rows = 0n;
  const groups = [];
  for (const bytes of files) {
    const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const group of metadataOf(bytes).row_groups) {
      const columns = group.columns.map(({ meta_data: meta }): ColumnChunk => {
        if (!meta) throw new Error('a column has no metadata');
        const start = Number(meta.dictionary_page_offset ?? meta.data_page_offset);
        const by = BigInt(offset - start);
        parts.push(file.subarray(start, start + Number(meta.total_compressed_size)));
        offset += Number(meta.total_compressed_size);
        return {
          file_offset: BigInt(start) + by,
          meta_data: {
            ...meta,
            data_page_offset: meta.data_page_offset + by,
            ...(meta.dictionary_page_offset === undefined
              ? {}
              : { dictionary_page_offset: meta.dictionary_page_offset + by }),
          },
        };
      });
      groups.push({ ...group, columns, file_offset: undefined, ordinal: undefined });
      rows += group.num_rows;
    }
  }
  const writer = new ByteWriter();
  const metadata = {
    version: 2,
    created_by: CREATED_BY,
    schema: schemaOf(table),
    num_rows: rows,
    row_groups: groups,
    metadata_length: 0,
  };
  writeMetadata(writer, metadata, STATISTICS_BYTES);
  writer.appendUint32(MAGIC);
  return Buffer.concat([...parts, writer.getBytes()]);
}

function readColumn(
  file: Buffer,
  { name, type }: Column,
  { meta_data: meta }: ColumnChunk,
  length: number,
): CodedColumn {
  if (!meta || (meta.codec !== 'GZIP' && meta.codec !== 'UNCOMPRESSED'))
    throw new Error('foreign compression');
  let offset = Number(meta.dictionary_page_offset ?? meta.data_page_offset);
  const nextPage = (): { header: ReturnType<typeof deserializeTCompactProtocol>; bytes: Buffer } => {
    const reader = { view: new DataView(file.buffer, file.byteOffset, file.byteLength), offset };
    const header = deserializeTCompactProtocol(reader);
    offset = reader.offset + Number(header.field_3);
    const stored = file.subarray(reader.offset, offset);
    const bytes = meta.codec === 'GZIP' ? gunzipSync(stored, { maxOutputLength: 2 ** 26 }) : stored;
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
    readHybrid(bytes.subarray(4, start), 1, levels);
    present = 0;
    for (let row = 0; row < length; row += 1) present += levels[row]!;
  }
  const found = new Int32Array(present);
  if (type === 'BOOLEAN') {
    for (let index = 0; index < present; index += 1) {
      found[index] = (bytes.readUInt8(start + (index >> 3)) >> (index & 7)) & 1;
    }
  } else if (present > 0) {
    readHybrid(bytes.subarray(start + 1), bytes.readUInt8(start), found);
  }
  for (let index = 0; index < present; index += 1) {
    if (found[index]! >= values.length) throw new Error('a value is missing');
  }
  const nulls = length - present;
  if (levels === null || nulls === 0) return { values, codes: found, nulls };
  const codes = levels;
  for (let row = 0, next = 0; row < length; row += 1) codes[row] = levels[row] === 0 ? NULL : found[next++]!;
  return { values, codes, nulls };
}
