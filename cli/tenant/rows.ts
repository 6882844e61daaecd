import type { Header, TenantRow, TenantsFile } from '../../lambda/tenants-file.ts';

/** A row to write: a tenant's fields by the names of their columns. Lists are lists in JSON. */
export type Fields = Record<string, string | string[] | object | undefined>;

type Content = TenantsFile & { content: string };

/** Columns of a new CSV file. */
const NEW_HEADER = ['name', 'tenantId', 'domain', 'recipients', 'tags'];

/** Columns that are left out where the file has none, for they are for people alone. */
const OPTIONAL = new Set(['domain']);

/** The text of a tenants file with one more row at its end. */
export function withRow(file: Content, name: string, fields: Fields): string {
  if (name.toLowerCase().endsWith('.json')) return withEntry(file.content, fields);
  const lineBreak = /\r\n|\n|\r/.exec(file.content)?.[0] ?? '\n';
  const ended = (text: string) => (text === '' || /[\r\n]$/.test(text) ? text : text + lineBreak);
  const { content, header } = file.header
    ? { ...file, header: file.header }
    : withHeader(ended(file.content));
  const { start, columns } = withColumns(content, header, fields);
  const cells = columns.map((column) => cellOf(fields[column]));
  return `${ended(start)}${csvRow(cells, header.delimiter)}${lineBreak}`;
}

function withHeader(before: string): { content: string; header: Header } {
  const content = before + NEW_HEADER.join(',');
  return { content, header: { fields: NEW_HEADER, delimiter: ',', end: content.length } };
}

/** The text with the id of a tenant in a row that had none. */
export function withTenantId(file: Content, name: string, row: TenantRow, tenantId: string): string {
  const { content, header } = file;
  if (name.toLowerCase().endsWith('.json') || header === null) {
    // Behind the brace, in the style of what follows.
    const [, gap = ' '] = /^\{(\s*)/.exec(content.slice(row.start)) ?? [];
    const at = row.start + 1;
    return `${content.slice(0, at)}${gap}"tenantId": ${JSON.stringify(tenantId)},${content.slice(at)}`;
  }
  const raw = content.slice(row.start, row.end);
  const [lineBreak = ''] = /(?:\r\n?|\n)$/.exec(raw) ?? [];
  const { start, columns } = withColumns(content, header, { tenantId });
  const cells = splitRow(raw.slice(0, raw.length - lineBreak.length), header.delimiter);
  while (cells.length < columns.length) cells.push('');
  cells[columns.indexOf('tenantId')] = tenantId;
  const shift = start.length - content.length;
  const changed = cells.join(header.delimiter);
  return `${start.slice(0, row.start + shift)}${changed}${lineBreak}${start.slice(row.end + shift)}`;
}

/** The text without a row. */
export function withoutRow({ content, header }: Content, name: string, row: TenantRow): string {
  if (header !== null || !name.toLowerCase().endsWith('.json'))
    return content.slice(0, row.start) + content.slice(row.end);
  // The comma goes with it: the one behind, or of the last entry the one before.
  const behind = /^\s*,/.exec(content.slice(row.end))?.[0];
  if (behind !== undefined) {
    const after = content.slice(row.end + behind.length);
    const gap = /^\s*/.exec(after)?.[0].length ?? 0;
    return content.slice(0, row.start) + after.slice(gap);
  }
  return content.slice(0, row.start).replace(/,?\s*$/, '') + content.slice(row.end);
}

/** The text with the columns that the fields need, at the end of its header. Rows may be shorter than that. */
function withColumns(content: string, header: Header, fields: Fields): { start: string; columns: string[] } {
  const missing = Object.entries(fields)
    .filter(([name, value]) => value !== undefined && !OPTIONAL.has(name) && !header.fields.includes(name))
    // Addresses in two columns need none for both.
    .filter(([name]) => !header.fields.some((field) => field.startsWith(`${name}.`)))
    .map(([name]) => name);
  const added = missing.map((name) => header.delimiter + name).join('');
  return {
    start: content.slice(0, header.end) + added + content.slice(header.end),
    columns: [...header.fields, ...missing],
  };
}

function cellOf(value: Fields[string]): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(';');
  return typeof value === 'object' ? Object.values(value).join(' ') : value;
}

function csvRow(cells: string[], delimiter: string): string {
  return cells
    .map((cell, index) =>
      /["\r\n]|^\s|\s$/.test(cell) || cell.includes(delimiter) || (index === 0 && cell.startsWith('#'))
        ? `"${cell.replaceAll('"', '""')}"`
        : cell,
    )
    .join(delimiter);
}

/** Cells of a row as they stand in the file, quotes included. */
function splitRow(raw: string, delimiter: string): string[] {
  let isQuoted = false;
  let cell = '';
  const cells: string[] = [];
  for (const character of raw) {
    if (character === '"') isQuoted = !isQuoted;
    if (character === delimiter && !isQuoted) {
      cells.push(cell);
      cell = '';
    } else cell += character;
  }
  return [...cells, cell];
}

function withEntry(content: string, fields: Fields): string {
  const end = content.lastIndexOf(']');
  const before = content.slice(0, end).trimEnd();
  const space = content.slice(before.length, end);
  const indent = /\[\s*?\n([ \t]+)/.exec(content)?.[1] ?? '  ';
  const entry = JSON.stringify(fields, null, 2).replaceAll('\n', `\n${indent}`);
  const isEmpty = before.endsWith('[');
  return `${before}${isEmpty ? '' : ','}\n${indent}${entry}${space.includes('\n') ? space : '\n'}${content.slice(end)}`;
}
