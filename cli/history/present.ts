import { stripVTControlCharacters, styleText } from 'node:util';
import type { Answer, Row, Value } from '../../history/answer.ts';
import type { Question, ShownColumn } from '../../history/questions.ts';
import { MINUS, NOISE, points, share } from '../../lambda/report/format.ts';
import { line } from '../../lambda/report/plain-text.ts';
import { plainTable } from '../shared/plain-table.ts';
import type { Format } from './options.ts';
import { sparkline } from '../../lambda/report/sparkline.ts';

/** Names of tenants, by id. JSON and CSV have them beside the ids. */
export type Names = ReadonlyMap<string, string>;

export interface Presentation {
  format: Format;
  /** Null for a statement of the user's own, whose columns are all shown. */
  question: Question | null;
  names: Names;
  /** What was asked for, yyyy-mm-dd. */
  period?: { from: string; to: string };
}

export function printAnswer(answer: Answer, presentation: Presentation): void {
  const { format, question, names } = presentation;
  const named = withNames(answer, names);
  if (format === 'json') console.log(JSON.stringify(named.rows, null, 2));
  else if (format === 'csv') process.stdout.write(toCsv(named));
  else if (question) console.log(describeAnswer(answer, question, presentation));
  else console.log(describeRows(answer, names));
}

/** For programs: the name beside the id, null where nobody knows it. */
function withNames({ columns, rows }: Answer, names: Names): Answer {
  if (!columns.includes('tenant') || columns.includes('tenant_name')) return { columns, rows };
  const wide = columns.flatMap((column) => (column === 'tenant' ? [column, 'tenant_name'] : [column]));
  const nameIn = ({ tenant }: Row) => (typeof tenant === 'string' ? names.get(tenant) : undefined) ?? null;
  return {
    columns: wide,
    rows: rows.map((row) => {
      const named: Row = { ...row, tenant_name: nameIn(row) };
      return Object.fromEntries(wide.map((column) => [column, named[column] ?? null]));
    }),
  };
}

/** Titles that several controls have, with the id behind them. */
function withDistinctTitles(rows: readonly Row[]): Row[] {
  const controls = new Map<Value, Set<Value>>();
  for (const { title = null, control = null } of rows) {
    controls.set(title, (controls.get(title) ?? new Set()).add(control));
  }
  return rows.map((row) => {
    const { title, control } = row;
    if (typeof title !== 'string' || typeof control !== 'string') return row;
    return (controls.get(title)?.size ?? 0) > 1 ? { ...row, title: `${control}: ${title}` } : row;
  });
}

/**
 * RFC 4180. A text that a spreadsheet would take for a formula starts with an apostrophe:
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
function toCsv({ columns, rows }: Answer): string {
  const cell = (value: Value | undefined): string => {
    if (value === null || value === undefined) return '';
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    const plain = typeof value === 'string' ? value : JSON.stringify(value);
    const safe = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(plain) ? `'${plain}` : plain;
    return /[",\r\n;]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const lines = [columns.map(cell), ...rows.map((row) => columns.map((column) => cell(row[column])))];
  return lines.map((cells) => `${cells.join(',')}\r\n`).join('');
}

/** The answer to a question, for a person at a terminal. */
export function describeAnswer(
  answer: Answer,
  question: Question,
  { names, period }: Pick<Presentation, 'names' | 'period'>,
): string {
  const rows = withDistinctTitles(answer.rows.map(withoutTimes));
  const common = new Set(['tenant', 'title'].filter((column) => sameOf(rows, column) !== null));
  const title = [
    styleText('bold', question.title),
    ...[...common].map((column) => shownValue(column, sameOf(rows, column), names).text),
    ...(period ? [styleText('dim', `${period.from} to ${period.to}`)] : []),
  ].join('  ');
  const alone = rows.every(({ tenants }) => tenants === 1);
  const titled = question.show.some(([column]) => column === 'title');
  const narrow = terminalWidth() < 80;
  const shown = question.show.filter(
    ([column]) =>
      !common.has(column) &&
      !(column === 'tenants' && alone) &&
      // Where there is little room, it is the title's.
      !(column === 'category' && titled && narrow),
  );
  if (!question.series) {
    const drawn = narrow && titled && !common.has('title') ? withTitlesBelow : table;
    return `${title}\n${drawn(rows, shown, names)}`;
  }
  const series = seriesOf(rows, question.series);
  const drawn = describeSeries(series, question.series, names);
  // With one line the days can be printed too; with several, --format csv has them.
  if (series.size > 1) return `${title}\n${drawn}`;
  return `${title}\n${drawn}\n\n${foldedTable(rows, shown, names)}`;
}

/** A table for few columns: the title of each row, as far as a line holds it, stands below the row. */
function withTitlesBelow(rows: readonly Row[], shown: readonly ShownColumn[], names: Names): string {
  const others = shown.filter(([column]) => column !== 'title');
  const lines = table(rows, others, names).split('\n');
  const head = lines.length - rows.length;
  const titles = rows.map(
    ({ title }) => `  ${line(typeof title === 'string' ? title : NONE, terminalWidth() - 2)}`,
  );
  return lines.flatMap((each, index) => (index < head ? each : [each, titles[index - head]!])).join('\n');
}

/** The day of a moment (ISO 8601): a table has no room for more. */
function withoutTimes(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? value.slice(0, 10) : value,
    ]),
  );
}

/** The text that all rows have in a column; null if they differ. */
function sameOf(rows: readonly Row[], column: string): string | null {
  const [value, ...more] = new Set(rows.map((row) => row[column]));
  return typeof value === 'string' && more.length === 0 ? value : null;
}

/** The answer to a statement of the user's own: a table, or if that is too wide, a block of lines per row. */
export function describeRows({ columns, rows }: Answer, known: Names): string {
  if (rows.length === 0) return styleText('dim', 'no rows');
  // Ids are printed in full, because whoever writes SQL may want to copy them.
  const ids = rows.flatMap(({ tenant }) => (typeof tenant === 'string' ? tenant : []));
  const names = new Map(ids.map((id) => [id, known.get(id) ?? printable(id)]));
  const shown = columns.map((column): ShownColumn => [column]);
  const drawn = table(rows, shown, names);
  const widest = Math.max(...stripVTControlCharacters(drawn).split('\n').map(width));
  if (widest <= terminalWidth()) return drawn;
  const labelWidth = Math.max(...columns.map(width));
  return rows
    .map((row, index) => {
      const lines = columns.map((column) => {
        const { text, paint } = shownValue(column, row[column] ?? null, names);
        return `  ${styleText('dim', column.padEnd(labelWidth))}  ${paint ? paint(text) : text}`.trimEnd();
      });
      return `${styleText('bold', `row ${index + 1}`)}\n${lines.join('\n')}`;
    })
    .join('\n');
}

type Series = Map<string, { row: Row; values: (number | null)[] }>;

/** Puts all lines on the same days: a line that begins later, or has a gap, has nulls there. */
function seriesOf(rows: readonly Row[], { value, by }: { value: string; by: string[] }): Series {
  const dates = [...new Set(rows.map(dateOf))].toSorted();
  const positions = new Map(dates.map((date, position) => [date, position]));
  const series: Series = new Map();
  for (const row of rows) {
    const key = JSON.stringify(by.map((column) => row[column]));
    const found = series.get(key) ?? { row, values: dates.map(() => null) };
    const number = row[value];
    found.values[positions.get(dateOf(row)) ?? 0] = typeof number === 'number' ? number : null;
    series.set(key, found);
  }
  return series;
}

const dateOf = ({ date }: Row): string => (typeof date === 'string' ? date : '');

/** One line each: its name, its curve, its first and last value, and the difference. */
function describeSeries(
  series: Series,
  { value, by }: { value: string; by: string[] },
  names: Names,
): string {
  const varying = by.filter((column) => new Set([...series.values()].map(({ row }) => row[column])).size > 1);
  const drawn: Drawn[] = [...series.values()].map(({ row, values }) => {
    const known = values.filter((each) => each !== null);
    const [first] = known;
    const last = known.at(-1);
    const labels = varying.map((column) => shownValue(column, row[column] ?? null, names).text);
    if (first === undefined || last === undefined) return { labels, numbers: [NONE, NONE, ''], values };
    return {
      labels,
      numbers: [written(value, first), written(value, last), share(last - first)],
      values,
      change: last - first,
    };
  });
  const labelWidths = varying.map((_, index) =>
    Math.min(Math.max(...drawn.map(({ labels }) => (labels[index] ?? '').length)), 24),
  );
  const numberWidths = [0, 1, 2].map((index) =>
    Math.max(...drawn.map(({ numbers }) => (numbers[index] ?? '').length)),
  );
  const rest = [...labelWidths, ...numberWidths].reduce((sum, width) => sum + width + 2, 0) + 4;
  const width = Math.max(Math.min(terminalWidth() - rest, 60), 10);
  const lowest = Math.min(...drawn.flatMap(({ values }) => values.filter((each) => each !== null)));
  const highest = Math.max(...drawn.flatMap(({ values }) => values.filter((each) => each !== null)));
  const courses = drawn.map(({ values }) =>
    // Several lines share one range, so that they can be compared.
    sparkline(values, width, drawn.length > 1 ? { lowest, highest } : undefined),
  );
  const courseWidth = Math.max(...courses.map((course) => course.length));
  return drawn
    .map(({ labels, numbers: [first = '', last = '', change = ''], change: moved = 0 }, index) => {
      const [firstWidth = 0, lastWidth = 0, changeWidth = 0] = numberWidths;
      const label = labels.map((each, at) => line(each, labelWidths[at] ?? 0).padEnd(labelWidths[at] ?? 0));
      return [
        '',
        ...label,
        styleText('cyan', (courses[index] ?? '').padEnd(courseWidth)),
        `${first.padStart(firstWidth)} → ${styleText('bold', last.padStart(lastWidth))}`,
        signColour(moved, change.padStart(changeWidth)),
      ].join('  ');
    })
    .join('\n');
}

interface Drawn {
  labels: string[];
  /** First, last, change. */
  numbers: string[];
  values: (number | null)[];
  change?: number;
}

/** Folds days whose numbers all equal those of the day before. */
function foldedTable(rows: readonly Row[], shown: readonly ShownColumn[], names: Names): string {
  const alike = (a: Row | undefined, b: Row | undefined): boolean =>
    a !== undefined &&
    b !== undefined &&
    shown.every(([column]) => column === 'date' || a[column] === b[column]);
  const folded: (Row | number)[] = [];
  for (const [index, row] of rows.entries()) {
    const last = folded.at(-1);
    if (!alike(rows[index - 1], row) || index === rows.length - 1) folded.push(row);
    else if (typeof last === 'number') folded[folded.length - 1] = last + 1;
    else folded.push(1);
  }
  return table(
    folded.filter((each) => typeof each !== 'number'),
    shown,
    names,
    folded,
  );
}

interface Cell {
  text: string;
  right: boolean;
  paint?: (text: string) => string;
}

/** One line per row, without rules, so that it can be copied; the longest texts are shortened to fit the terminal. */
function table(
  rows: readonly Row[],
  shown: readonly ShownColumn[],
  names: Names,
  folded: readonly (Row | number)[] = rows,
): string {
  const headings = shown.map(headingOf);
  const decimals = shown.map(([column]) => decimalsOf(rows, column));
  const cells = new Map(
    rows.map((row) => [
      row,
      shown.map(([before, after], index): Cell => {
        if (after === undefined) return shownValue(before, row[before] ?? null, names, decimals[index]);
        const first = shownValue(before, row[before] ?? null, names);
        const second = shownValue(after, row[after] ?? null, names);
        if (first.text === second.text) return first;
        return { text: `${first.text || NONE} → ${second.text || NONE}`, right: first.right || second.right };
      }),
    ]),
  );
  const all = [...cells.values()];
  const right = shown.map((_, index) => all.some((row) => row[index]?.right));
  // Numbers and dates are never cut: a part of a number would be another number.
  const whole = shown.map(
    (_, index) => right[index] === true || all.some((row) => /^\d{4}-\d\d/.test(row[index]?.text ?? '')),
  );
  const widths = fit(
    shown.map((_, index) =>
      Math.max(width(headings[index] ?? ''), ...all.map((row) => width(row[index]?.text ?? ''))),
    ),
    whole,
  );
  const fitting = (text: string, index: number) =>
    width(text) > (widths[index] ?? 0) ? line(text, widths[index] ?? 0) : text;
  const drawn = folded.map((each) =>
    typeof each === 'number'
      ? styleText('dim', `⋮ ${each} ${each === 1 ? 'day' : 'days'} alike`)
      : (cells.get(each) ?? []).map(({ text, paint = (plain) => plain }, index) =>
          paint(fitting(text, index)),
        ),
  );
  return plainTable(drawn, {
    headings: headings.map((heading, index) => line(heading, widths[index] ?? 0)),
    right,
    indentation: 2,
  });
}

/** The number of decimals, up to two, that the numbers of a column need, so that their decimal points line up. */
function decimalsOf(rows: readonly Row[], column: string): number {
  let decimals = 0;
  for (const { [column]: value } of rows) {
    if (typeof value === 'number') decimals = Math.max(decimals, points(value).split('.')[1]?.length ?? 0);
  }
  return decimals;
}

const NONE = '–';

/** Shortens texts, the longest first, down to a width that is still readable. */
function fit(natural: readonly number[], fixed: readonly boolean[]): number[] {
  const widths = [...natural];
  const room = Math.max(terminalWidth(), 60) - 2 * widths.length;
  let excess = widths.reduce((sum, each) => sum + each, 0) - room;
  while (excess > 0) {
    const longest = Math.max(...widths.filter((_, index) => !fixed[index]));
    if (!(longest > 8)) break;
    const index = widths.findIndex((each, at) => !fixed[at] && each === longest);
    widths[index] = longest - 1;
    excess -= 1;
  }
  return widths;
}

function headingOf([before, after]: ShownColumn): string {
  const name = after === undefined ? before : before.replace(/_before$/, '');
  return name
    .replace(/^percentage_points$/, 'change, pp')
    .replace(/_percentage_points$/, ', pp')
    .replace(/^percentage$/, '%')
    .replaceAll('_', ' ');
}

function shownValue(column: string, value: Value, names: Names, decimals?: number): Cell {
  if (value === null) return { text: '', right: false };
  if (typeof value === 'number') {
    const text = written(column, value, decimals);
    if (!column.endsWith('percentage_points')) return { text, right: true };
    return { text, right: true, paint: (fitting) => signColour(value, fitting) };
  }
  if (typeof value === 'boolean') return { text: value ? 'yes' : 'no', right: false };
  if (typeof value !== 'string') return { text: JSON.stringify(value), right: false };
  if (column === 'tenant') return { text: names.get(value) ?? shortId(value), right: false };
  if (column === 'kind') return { text: value, right: false, paint: (fitting) => kindColour(value, fitting) };
  return { text: printable(value), right: false };
}

/** The beginning of the id of a tenant without a name, enough to recognise it; JSON and CSV have the full id. */
const shortId = (id: string): string => (/^[0-9a-f-]{36}$/.test(id) ? `${id.slice(0, 8)}…` : printable(id));

/** A number in its unit, which follows from the name of its column. */
function written(column: string, value: number, decimals?: number): string {
  if (column.endsWith('percentage_points')) return share(value);
  if (/^percentage|^peers_/.test(column)) return `${value.toFixed(1).replace('-', MINUS)} %`;
  return decimals === undefined ? points(value) : value.toFixed(decimals).replace('-', MINUS);
}

function signColour(value: number, text: string): string {
  if (Math.abs(value) < NOISE) return styleText('dim', text);
  return styleText(value < 0 ? 'red' : 'green', text);
}

function kindColour(kind: string, text: string): string {
  if (kind === 'lost') return styleText('red', text);
  return styleText(kind === 'gained' ? 'green' : 'cyan', text);
}

/** Foreign text must not act on the terminal. */
const printable = (text: string): string => text.replace(/\p{C}+/gu, ' ');

const width = (text: string): number => text.length;

const terminalWidth = (): number => process.stdout.columns ?? 100;

/** Words in lines that fit beside an indentation. */
export function wrapped(words: string, indentation: number): string[] {
  const room = Math.max(Math.min(terminalWidth(), 100) - indentation, 20);
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
