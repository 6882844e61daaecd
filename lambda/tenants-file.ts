import { readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { CsvError, parse, type InfoRecord } from 'csv-parse/sync';
import { commandLine, shellWord } from './command-line.ts';
import type { PlaceOf } from './describe-issues.ts';
import { MonitorError, quote } from './errors.ts';
import { decodeText, jsonFault } from './text-file.ts';

/** A tenant as it is in its row of the file. */
export interface TenantRow {
  /** In the form of the config's `tenants`; a row may lack fields and hold wrong ones. */
  tenant: Record<string, unknown>;
  /** The domain from which `tenant add` resolved the id, for people. */
  domain: string | undefined;
  /** The position of the row in the text, for CSV with its line break. */
  start: number;
  end: number;
  /** Finds the place of a field by a path like ['alerts', 'below'], empty for the row. */
  place: (path: readonly PropertyKey[]) => string;
}

/** A tenants file, read but not checked against the config's schema. */
export interface TenantsFile {
  rows: TenantRow[];
  /** The first row of a CSV file. Null for JSON, and for a file without a header. */
  header: Header | null;
}

export interface Header {
  /** By position: the field that the column holds, like `alerts.below`. */
  fields: string[];
  delimiter: string;
  /** The end of the header in the text, before its line break. */
  end: number;
}

const text = (cell: string): unknown => cell;
const list = (cell: string): unknown => cell.split(/[;,\s]+/).filter(Boolean);
/** Reads a number, also with a decimal comma, as Excel writes it. Any other text stays as it is, and the schema quotes it. */
const number = (cell: string): unknown =>
  /^\d+([.,]\d+)?$/.test(cell) ? Number(cell.replace(',', '.')) : cell;
const flag = (cell: string): unknown => ({ true: true, false: false })[cell.toLowerCase()] ?? cell;

/** A mailbox with a name before it in quotes or without, or an address alone. */
const MAILBOX = /\s*((?:"(?:[^"\\]|\\.)*"\s*|[^"<>;,@]*)?<[^<>]*>|[^\s;,<>"]+)\s*[;,]?/y;

/** Addresses separated by semicolons, commas or blanks; `"Contoso, Ltd." <it@contoso.com>` is one. */
function mailboxes(cell: string): unknown {
  const found: string[] = [];
  MAILBOX.lastIndex = 0;
  for (let end = 0; end < cell.length;) {
    const match = MAILBOX.exec(cell);
    if (match === null) return [...found, cell.slice(end).trim()];
    found.push(match[1]!.trim());
    end = MAILBOX.lastIndex;
  }
  return found;
}

/** A name, or the two addresses of another cloud. */
function cloud(cell: string): unknown {
  const [authorityHost, graphEndpoint, ...more] = cell.split(/\s+/);
  return graphEndpoint === undefined || more.length > 0 ? cell : { authorityHost, graphEndpoint };
}

/** Columns of a CSV file: a tenant's fields in the config by name, a dot leads into an object. */
export const COLUMNS: Record<string, (cell: string) => unknown> = {
  name: text,
  tenantId: text,
  domain: text,
  recipients: mailboxes,
  'recipients.scores': mailboxes,
  'recipients.controls': mailboxes,
  tags: list,
  cloud,
  report: text,
  clientId: text,
  objectId: text,
  homeTenantId: text,
  signIn: text,
  rotate: flag,
  certificate: text,
  'schedule.at': text,
  'schedule.timeZone': text,
  'alerts.confirmDrops': number,
  'alerts.minimumPoints': number,
  'alerts.mute': list,
  'alerts.below': number,
  'alerts.drop': number,
};

/** The value of a cell, in the form that the config has. @param column one of `COLUMNS` */
export const readCell = (column: string, cell: string): unknown => COLUMNS[column]!(cell.trim());

/** Reduces a header to its letters, so that "Tenant ID" means tenantId. */
const plain = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, '');
const FIELDS = new Map(Object.keys(COLUMNS).map((name) => [plain(name), name]));

/**
 * The text of a tenants file without its byte order mark.
 * @throws MonitorError `tenants-file-missing`, `tenants-file-invalid`
 */
export function readTenantsText(path: string): string {
  let found: string;
  try {
    found = decodeText(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new MonitorError(
      'tenants-file-missing',
      `There is no tenants file at ${quote(path)}.`,
      `Create it, or add the first tenant: ${commandLine('tenant add <domain>')}. Its path is relative to the config.`,
    );
  }
  const damaged = found.indexOf('\uFFFD');
  if (damaged < 0) return found;
  throw invalid(
    path,
    [`${path}, ${lineAndColumn(found, damaged)}: has bytes that are not UTF-8`],
    'Save it as UTF-8: Excel calls that "CSV UTF-8 (comma delimited)".',
  );
}

/**
 * Reads the rows of a tenants file: .csv with a header, or .json with a list in the form of the config's `tenants`.
 * @param path for errors, and for its ending
 * @throws MonitorError `tenants-file-invalid` with line and column
 */
export function parseTenantsFile(content: string, path: string): TenantsFile {
  const ending = extname(path).toLowerCase();
  if (ending === '.csv') return parseCsv(content, path);
  if (ending === '.json') return parseJson(content, path);
  throw new MonitorError(
    'tenants-file-unknown',
    `${quote(path)} is neither a .csv nor a .json file.`,
    'Pass a file with one of the two endings to tenantsFrom.',
  );
}

/**
 * Reads the tenants file of a config.
 * @param input the export of a config
 * @param folder the folder to which the file's path is relative
 * @returns the input for `parseConfig`, and the places of its tenants for the errors
 * @throws MonitorError `tenants-file-missing`, `tenants-file-invalid`, `tenants-file-unknown`
 */
export function withTenants(input: unknown, folder: string): { input: unknown; place?: PlaceOf } {
  const from = tenantsFileOf(input);
  if (from === undefined) return { input };
  const path = resolve(folder, from);
  const { rows } = parseTenantsFile(readTenantsText(path), from);
  const unresolved = rows.filter(({ tenant, domain }) => tenant['tenantId'] === undefined && domain);
  if (unresolved.length > 0) {
    throw invalid(
      from,
      unresolved.map(
        ({ domain, place }) =>
          `${place(['tenantId'])}: is missing, and nobody is asked for it here: ${commandLine(`tenant add ${shellWord(domain!)}`)} resolves the domain and writes the id into the row`,
      ),
    );
  }
  return joined(input, rows);
}

/** A config with these rows as its tenants, and the places of their fields. */
export function joined(input: unknown, rows: readonly TenantRow[]): { input: unknown; place: PlaceOf } {
  return {
    input: { ...(input as object), tenants: rows.map(({ tenant }) => tenant) },
    place: ([first, index, ...path]) => (first === 'tenants' ? rows[Number(index)]?.place(path) : undefined),
  };
}

/** The path passed to `tenantsFrom`; undefined if a config lists its tenants itself. */
export function tenantsFileOf(input: unknown): string | undefined {
  const from = (input as { tenants?: { from?: unknown } } | null | undefined)?.tenants?.from;
  // A list has no such text.
  return typeof from === 'string' ? from : undefined;
}

function invalid(path: string, faults: string[], advice?: string): MonitorError {
  return new MonitorError(
    'tenants-file-invalid',
    `${path} is not a valid tenants file:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    advice ?? 'Correct the lines named above: docs/onboarding.md explains the columns.',
  );
}

function parseCsv(content: string, path: string): TenantsFile {
  const [sep = '', named] = /^sep=(.)(?:\r\n?|\n|$)/i.exec(content) ?? [];
  const delimiter = named ?? delimiterOf(content);
  const lineBefore = sep === '' ? 0 : 1;
  const records = readRecords(content.slice(sep.length), delimiter, path, lineBefore).map((record) => ({
    ...record,
    start: record.start + sep.length,
    end: record.end + sep.length,
  }));
  const [first, ...others] = records;
  if (first === undefined) return { rows: [], header: null };
  const fields = readHeader(first.cells, path, lineIn(content, first.start));
  const faults: string[] = [];
  const rows = others.flatMap(({ cells, start, end }): TenantRow[] => {
    if (cells.every((cell) => cell === '')) return [];
    const line = lineIn(content, start);
    const extra = cells.slice(fields.length).find((cell) => cell !== '');
    if (extra !== undefined) {
      faults.push(
        `${path}, line ${line}: has ${cells.length} cells, the header ${fields.length}: a value with ${quote(delimiter)} in it, like the one before ${quote(extra)}, must stand in double quotes`,
      );
      return [];
    }
    const tenant: Record<string, unknown> = {};
    let domain: string | undefined;
    for (const [index, cell] of cells.entries()) {
      const field = fields[index];
      if (field === undefined || cell === '') continue;
      if (field === 'domain') domain = cell;
      else put(tenant, field.split('.'), readCell(field, cell));
    }
    const place = (keys: readonly PropertyKey[]) => {
      const column = columnOf(keys, fields);
      return `${path}, line ${line}${column === undefined ? '' : `, column ${column}`}`;
    };
    return [{ tenant, domain, start, end, place }];
  });
  if (faults.length > 0) throw invalid(path, faults);
  return { rows, header: { fields, delimiter, end: first.start + first.length } };
}

interface CsvRow {
  cells: string[];
  start: number;
  /** After its line break. */
  end: number;
  /** Without its line break. */
  length: number;
}

/** @param before lines before the content. @param to only the first records */
function readRecords(
  content: string,
  delimiter: string,
  path: string,
  before: number,
  to: number = Infinity,
): CsvRow[] {
  let records: { record: string[]; info: InfoRecord }[];
  try {
    records = parse(content, {
      delimiter,
      info: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
      comment: '#',
      comment_no_infix: true,
      trim: true,
      ...(to < Infinity && { to }),
    }) as unknown as typeof records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const whole = Number(error['records']);
    const isOpen = error.code === 'CSV_QUOTE_NOT_CLOSED';
    // The parser notices it only at the end of the file, but people look for the row.
    const last =
      isOpen && whole > 0 ? readRecords(content, delimiter, path, before, whole).at(-1) : undefined;
    const line = before + (isOpen ? lineIn(content, last?.end ?? 0) : Number(error['lines']));
    const fault = isOpen
      ? 'a double quote is opened here or in a row below, and never closed'
      : `a double quote stands where none can be, in cell ${Number(error['column']) + 1}`;
    throw invalid(path, [
      `${path}, line ${line}: ${fault}: a value with a quote, a line break or ${quote(delimiter)} in it must stand in double quotes, and its own must be doubled: "24"" screens"`,
    ]);
  }
  const bytes = Buffer.from(content);
  let read = 0;
  let position = 0;
  return records.map(({ record, info }) => {
    const raw = bytes.toString('utf8', read, info.bytes);
    // Comments and blank lines before a row belong to no row.
    const skipped = /^(?:[^\S\r\n]*(?:\r\n?|\n)|#[^\r\n]*(?:\r\n?|\n))*/.exec(raw)?.[0].length ?? 0;
    const start = position + skipped;
    read = info.bytes;
    position += raw.length;
    return {
      cells: record,
      start,
      end: position,
      length: raw.slice(skipped).replace(/(?:\r\n?|\n)$/, '').length,
    };
  });
}

/** The delimiter, which Excel chooses by country so that it does not occur in numbers. */
function delimiterOf(content: string): string {
  const header = content.split(/\r\n?|\n/).find((line) => line.trim() !== '' && !line.startsWith('#')) ?? '';
  const unquoted = header.replace(/"[^"]*"/g, '');
  const counts = [',', ';', '\t'].map((each) => ({ each, count: unquoted.split(each).length }));
  return counts.toSorted((a, b) => b.count - a.count)[0]!.each;
}

function readHeader(cells: string[], path: string, line: number): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  // Excel leaves empty columns behind.
  const last = cells.findLastIndex((cell) => cell !== '');
  const fields = cells.slice(0, last + 1).map((cell, index) => {
    const field = FIELDS.get(plain(cell));
    const where = `${path}, line ${line}, cell ${index + 1}`;
    if (field === undefined) {
      faults.push(
        `${where}: ${quote(cell)} is no column, expected one of ${Object.keys(COLUMNS).join(', ')}`,
      );
    } else if (seen.has(field)) faults.push(`${where}: the column ${quote(cell)} is there twice`);
    seen.add(field ?? '');
    return field ?? '';
  });
  const part = fields.find((field) => field.startsWith('recipients.'));
  if (part && seen.has('recipients'))
    faults.push(`${path}, line ${line}: has the columns recipients and ${part}, expected one of the two`);
  if (faults.length > 0) throw invalid(path, faults);
  return fields;
}

function put(tenant: Record<string, unknown>, [key = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) tenant[key] = value;
  else put((tenant[key] ??= {}) as Record<string, unknown>, rest, value);
}

/** The column of a field: the one with the longest matching path, or else the field's own name. */
function columnOf(keys: readonly PropertyKey[], fields: readonly string[]): string | undefined {
  if (keys.length === 0) return undefined;
  for (let length = keys.length; length > 0; length -= 1) {
    const name = keys.slice(0, length).join('.');
    if (fields.includes(name)) return name;
  }
  return keys.filter((key) => typeof key !== 'number').join('.');
}

function parseJson(content: string, path: string): TenantsFile {
  let entries: unknown;
  try {
    entries = JSON.parse(content);
  } catch (error) {
    throw invalid(
      path,
      [`${path}: ${jsonFault(error as Error, content)}`],
      'Correct it there: a comma, a quotation mark or a bracket may be missing before it.',
    );
  }
  if (!Array.isArray(entries)) {
    throw invalid(path, [`${path}, line 1: is ${quote(entries)}, expected a list: [ { "name": … }, … ]`]);
  }
  const spans = spansOf(content);
  const rows = (entries as unknown[]).map((entry, index): TenantRow => {
    const span = spans.get(String(index))!;
    const where = (offset: number) => `${path}, ${lineAndColumn(content, offset)}`;
    const place = (keys: readonly PropertyKey[]) => {
      for (let length = keys.length; length >= 0; length -= 1) {
        const found = spans.get([index, ...keys.slice(0, length)].join('/'));
        const field = keys.join('.');
        if (found) return field === '' ? where(found.start) : `${where(found.start)}, ${field}`;
      }
      return where(span.start);
    };
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
      throw invalid(path, [
        `${where(span.start)}: is ${quote(entry)}, expected an object like { "name": … }`,
      ]);
    }
    const { domain, ...tenant } = entry as Record<string, unknown>;
    if (domain !== undefined && typeof domain !== 'string') {
      throw invalid(path, [
        `${place(['domain'])}: found ${quote(domain)}, expected a text like "contoso.com"`,
      ]);
    }
    return { tenant, domain, ...span, place };
  });
  return { rows, header: null };
}

/** The position of each value in a JSON text, by its keys with a / between. */
function spansOf(json: string): Map<string, { start: number; end: number }> {
  const spans = new Map<string, { start: number; end: number }>();
  const TOKEN = /\s*("(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+)/y;
  const next = (): { token: string; start: number } => {
    const match = TOKEN.exec(json)!;
    return { token: match[1]!, start: TOKEN.lastIndex - match[1]!.length };
  };
  const value = (path: string[]): void => {
    const { token, start } = next();
    const at = (key: string) => [...path, key];
    if (token === '[' || token === '{') {
      for (let index = 0; ; index += 1) {
        const mark = TOKEN.lastIndex;
        const { token: inner } = next();
        if (inner === ']' || inner === '}') break;
        if (inner === ',') {
          index -= 1;
          continue;
        }
        if (token === '[') {
          TOKEN.lastIndex = mark;
          value(at(String(index)));
        } else {
          next();
          value(at(JSON.parse(inner) as string));
        }
      }
    }
    spans.set(path.join('/'), { start, end: TOKEN.lastIndex });
  };
  value([]);
  return spans;
}

const lineIn = (content: string, offset: number): number =>
  (content.slice(0, offset).match(/\r\n?|\n/g)?.length ?? 0) + 1;

function lineAndColumn(content: string, offset: number): string {
  const before = content.slice(0, offset);
  const column = offset - Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r'));
  return `line ${lineIn(content, offset)}, column ${column}`;
}
