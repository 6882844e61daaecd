import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Scope } from './answer.ts';
import { literal, placeholdersOf, substitute } from './placeholders.ts';

/**
 * The questions: one .sql file each, in the part of SQL that DuckDB and Athena (Trino) both speak, on the tables of
 * tables.ts. A file begins with comment lines that describe it:
 *
 *     -- @title     what it is called
 *     -- @about     scores, changes or controls: where it stands in a list
 *     -- @answers   the question, in one line; lines without @ that follow are notes on it
 *     -- @param     name = default, one line each: tenant and control (all, required), from (beginning, N days before
 *                   to), to (newest: the newest day of the history; or today), limit (a number)
 *     -- @reads     all tenants: whatever tenant is asked for, the others count too
 *     -- @show      columns of a table for people; "a → b" in one column
 *     -- @series    value by column, column: drawn as a line for each
 *     -- @fills     last_run: null in the answer, filled in by the command line from the states, which no engine reads
 *
 * Parameters stand in it as :name and are replaced by literals, so that both engines get one text, byte for byte, and
 * can see which files they need not read. :from_month and :to_month (yyyy-mm, for the partitions) follow from :from
 * and :to. Every question ends with its ORDER BY, or with LIMIT :limit.
 */
export interface Question {
  /** Of its file: `trend`. */
  name: string;
  title: string;
  about: (typeof ABOUT)[number];
  answers: string;
  notes: string;
  parameters: Parameter[];
  /** Its period ends today, whatever the newest day of the history is. */
  endsToday: boolean;
  /** It compares all tenants, also where one is asked for. */
  readsAllTenants: boolean;
  show: ShownColumn[];
  series: { value: string; by: string[] } | null;
  /** Its last_run is filled in from the states of the archive. */
  fillsLastRun: boolean;
  /** The comment lines that it begins with, as they are. */
  header: string;
  /** With placeholders, without the header. */
  sql: string;
}

export const ABOUT = ['scores', 'changes', 'controls'] as const;

export type ParameterName = 'tenant' | 'control' | 'from' | 'to' | 'limit';

export interface Parameter {
  name: ParameterName;
  /** As in the file. */
  default: string;
}

/** One column of a table for people, of one or of two columns of the answer (before, after). */
export type ShownColumn = [string] | [before: string, after: string];

/** What is asked for; null or absent: the default. Dates yyyy-mm-dd, both included. */
export interface Wanted {
  tenant?: string | null | undefined;
  control?: string | null | undefined;
  from?: string | null | undefined;
  to?: string | null | undefined;
  limit?: number | null | undefined;
}

/** Before any snapshot: Secure Score is younger. */
export const BEGINNING = '2000-01-01';

const folder = path.join(import.meta.dirname, 'questions');

/** All questions, in the order of a list. */
export function allQuestions(): Question[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .toSorted()
    .map((file) => parseQuestion(path.basename(file, '.sql'), readFileSync(path.join(folder, file), 'utf8')))
    .toSorted((a, b) => ABOUT.indexOf(a.about) - ABOUT.indexOf(b.about));
}

/** @throws Error for a file that is not as described above: a mistake in the program */
export function parseQuestion(name: string, text: string): Question {
  const wrong = (what: string): Error => new Error(`history/questions/${name}.sql: ${what}`);
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  const fields = new Map<string, string[]>();
  const notes: string[] = [];
  for (const line of lines.slice(0, end)) {
    const [, field, value = ''] = /^-- @(\w+) +(.*)$/.exec(line) ?? [];
    if (field === undefined) notes.push(line.replace(/^--\s*/, ''));
    else fields.set(field, [...(fields.get(field) ?? []), value.trim()]);
  }
  const one = (field: string): string => {
    const [value, ...more] = fields.get(field) ?? [];
    if (value === undefined || value === '' || more.length > 0) throw wrong(`needs one @${field}`);
    return value;
  };
  const about = ABOUT.find((each) => each === one('about'));
  if (!about) throw wrong(`@about is one of ${ABOUT.join(', ')}`);
  const parameters = (fields.get('param') ?? []).map((line): Parameter => {
    const [, parameter, value] = /^(\w+) = (.+)$/.exec(line) ?? [];
    if (!isParameter(parameter) || value === undefined || !DEFAULTS[parameter].test(value)) {
      throw wrong(`@param ${line} is none`);
    }
    return { name: parameter, default: value };
  });
  const sql = lines.slice(end).join('\n').trim();
  const used = new Set(placeholdersOf(sql).map((each) => each.replace(/_month$/, '')));
  const declared = new Set<string>(parameters.map((parameter) => parameter.name));
  const amiss = [...used.symmetricDifference(declared)];
  if (amiss.length > 0) throw wrong(`@param and placeholders differ: ${amiss.join(', ')}`);
  const [, value, by] = /^(\w+) by (.+)$/.exec(fields.get('series')?.[0] ?? '') ?? [];
  return {
    name,
    title: one('title'),
    about,
    answers: one('answers'),
    notes: notes.join(' '),
    parameters,
    endsToday: parameters.some((each) => each.name === 'to' && each.default === 'today'),
    readsAllTenants: fields.get('reads')?.[0] === 'all tenants',
    show: list(one('show')).map((column) => column.split(' → ') as ShownColumn),
    series: value && by ? { value, by: list(by) } : null,
    fillsLastRun: fields.get('fills')?.[0] === 'last_run',
    header: lines.slice(0, end).join('\n'),
    sql,
  };
}

const list = (text: string): string[] => text.split(',').map((item) => item.trim());

const DEFAULTS: Record<ParameterName, RegExp> = {
  tenant: /^all$/,
  control: /^(all|required)$/,
  from: /^(beginning|\d+ days before to)$/,
  to: /^(newest|today)$/,
  limit: /^\d+$/,
};

function isParameter(name: string | undefined): name is ParameterName {
  return name !== undefined && Object.hasOwn(DEFAULTS, name);
}

/** The literals of a question, and what of the history it reads. */
export interface Bound {
  sql: string;
  scope: Scope;
  from: string;
  to: string;
}

/**
 * The statement that both engines run.
 * @param newest the newest day of the history, or today: the period ends there unless `to` is given
 * @throws RangeError for a parameter that is missing, or that the question does not take (but `limit`, which every
 *   one does)
 */
export function bind(question: Question, wanted: Wanted, newest: string): Bound {
  for (const name of ['tenant', 'control'] as const) {
    if (wanted[name] != null && !takes(question, name)) {
      const others = question.parameters.map((each) => `--${each.name}`);
      throw new RangeError(`${question.name} takes no --${name}, but ${others.join(', ')}.`);
    }
  }
  const fallback = (name: ParameterName) => question.parameters.find((each) => each.name === name)?.default;
  const to = wanted.to ?? newest;
  const days = /^\d+/.exec(fallback('from') ?? '')?.[0];
  const from = wanted.from ?? (days === undefined ? BEGINNING : daysBefore(to, Number(days)));
  if (from > to) throw new RangeError(`The period from ${from} to ${to} ends before it begins.`);
  const control = wanted.control ?? null;
  if (control === null && fallback('control') === 'required') {
    throw new RangeError(`${question.name} needs --control <id or title of the recommendation>.`);
  }
  const tenant = wanted.tenant ?? null;
  const limit = wanted.limit ?? Number(fallback('limit') ?? 0);
  const sql = substitute(question.sql, {
    tenant: literal(tenant),
    control: literal(control),
    from: `DATE ${literal(from)}`,
    to: `DATE ${literal(to)}`,
    from_month: literal(from.slice(0, 7)),
    to_month: literal(to.slice(0, 7)),
    limit: literal(limit),
  });
  return {
    sql: wanted.limit == null || takes(question, 'limit') ? sql : `${sql}\nLIMIT ${literal(wanted.limit)}`,
    scope: {
      tenant: question.readsAllTenants ? null : tenant,
      fromMonth: from.slice(0, 7),
      toMonth: to.slice(0, 7),
    },
    from,
    to,
  };
}

/**
 * A question as a saved query of Athena: it reads as it is, ends today, and whoever opens it edits what they want.
 * Trino's own functions stand in it where the command line puts dates.
 */
export function asNamedQuery(question: Question): { name: string; description: string; sql: string } {
  const fallback = question.parameters.find(({ name }) => name === 'from')?.default ?? '';
  const days = /^\d+/.exec(fallback)?.[0];
  const from = days === undefined ? `DATE '${BEGINNING}'` : `current_date - INTERVAL '${days}' DAY`;
  const control = question.parameters.find(({ name }) => name === 'control')?.default;
  const limit = question.parameters.find(({ name }) => name === 'limit')?.default;
  return {
    name: question.title,
    description: question.answers,
    sql: `${question.header}\n${substitute(question.sql, {
      tenant: 'NULL',
      control: control === 'required' ? literal('name of the control') : 'NULL',
      from,
      to: 'current_date',
      from_month: days === undefined ? literal(BEGINNING.slice(0, 7)) : `date_format(${from}, '%Y-%m')`,
      to_month: `date_format(current_date, '%Y-%m')`,
      limit: limit ?? 'NULL',
    })}`,
  };
}

export function takes(question: Question, name: ParameterName): boolean {
  return question.parameters.some((parameter) => parameter.name === name);
}

function daysBefore(date: string, days: number): string {
  return new Date(Date.parse(date) - days * 86_400_000).toISOString().slice(0, 10);
}
