import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allQuestions, asNamedQuery, bind, parseQuestion } from '../../history/questions.ts';
import { literal, placeholdersOf, substitute } from '../../history/placeholders.ts';

/**
 * What one of the two engines does not know, or understands otherwise. `npm run test:trino` runs the questions on the
 * other engine; this is for whoever writes the next one.
 */
const TRAPS: [trap: RegExp, why: string][] = [
  [/::/, 'DuckDB only: CAST(x AS type)'],
  [/\bQUALIFY\b/i, 'DuckDB only: a subquery'],
  [/\b(?:GROUP|ORDER) BY ALL\b/i, 'DuckDB only: name the columns'],
  [/\b(?:EXCLUDE|COLUMNS)\s*\(/i, 'DuckDB only'],
  [/\*\s*REPLACE\b/i, 'DuckDB only'],
  [/\bUSING\s+SAMPLE\b|\bPIVOT\b|\bASOF\b|\bPOSITIONAL\b/i, 'DuckDB only'],
  [/\b(?:SEMI|ANTI)\s+JOIN\b/i, 'DuckDB only: EXISTS'],
  [/\bread_parquet\b|\bFROM\s+'/i, 'DuckDB only: a table'],
  [/\bILIKE\b/i, 'DuckDB only: lower(x) LIKE'],
  [/\bstring_agg\b|\blist\s*\(|\blist_|\bstruct_/i, 'DuckDB only'],
  [/\[|\{/, 'lists and structs are written otherwise in Trino'],
  [/\bstrftime\b|\bstrptime\b|\btoday\s*\(/i, 'DuckDB only'],
  [/\bapprox_\w+/i, 'differ between engines'],
  [
    /\b(?:arg_max|arg_min|max_by|min_by|any_value|arbitrary|first|last)\s*\(/i,
    'differ in which row, and in nulls',
  ],
  [/\b(?:greatest|least)\s*\(/i, 'null if any is null in Trino, ignored in DuckDB'],
  [/\bIGNORE\s+NULLS\b/i, 'stands elsewhere in Trino'],
  [
    /\bINTERVAL\b|\bdate_add\b|\bdate_trunc\b/i,
    'a date and an interval are a timestamp in DuckDB, a date in Trino',
  ],
  [/\bcount\([^)]*\)\s*\/|\/\s*count\(/i, 'whole numbers divide to a whole number in Trino: 1.0 *'],
  [/;/, 'one statement, without a semicolon'],
  [/"/, 'no name here needs quotation marks, and a text in them is a mistake'],
  [/\?|\$\w/, 'parameters are :name'],
  [/\bcurrent_date\b|\bnow\(/i, 'the period is asked for'],
  [/\bSELECT\s+\*|\.\*/i, 'a contract lists its columns'],
];

/** Aggregates of a column that an output column is called like: Trino takes the name for the output. */
const ORDER_TRAP = /\bORDER BY[^)]*?\b(?:sum|avg|min|max)\((\w+)\)/i;

const folder = resolve(import.meta.dirname, '../../history/questions');
const files = readdirSync(folder);

describe('the SQL that both engines share', () => {
  it.each(files)('%s keeps to it', (file) => {
    const { sql } = parseQuestion(file.replace(/\.sql$/, ''), readFileSync(join(folder, file), 'utf8'));
    expect(TRAPS.filter(([trap]) => trap.test(sql))).toEqual([]);
    const ordered = ORDER_TRAP.exec(sql.slice(sql.lastIndexOf('ORDER BY')))?.[1];
    expect(sql).not.toMatch(new RegExp(`\\bAS ${ordered ?? 'nothing-at-all'}\\b`));
  });

  it.each(files)('%s reads only the months that are asked for, of each table', (file) => {
    const { sql } = parseQuestion(file.replace(/\.sql$/, ''), readFileSync(join(folder, file), 'utf8'));
    const scans = sql.match(/\b(?:FROM|JOIN) (?:scores|controls|changes)\b/g) ?? [];
    const pruned = sql.match(/\bmonth BETWEEN :from_month AND :to_month\b/g) ?? [];
    expect(scans.length).toBeGreaterThan(0);
    expect(pruned.length).toBe(scans.length);
  });

  it.each(files)('%s ends with a complete order', (file) => {
    expect(readFileSync(join(folder, file), 'utf8')).toMatch(
      /ORDER BY[^()]*(?:\([^]*\)[^()]*)*(?:LIMIT :limit)?\n$/,
    );
  });

  it('has traps that catch something', () => {
    for (const bad of [
      'x::date',
      'GROUP BY ALL',
      "FROM 'a.parquet'",
      'count(x) / 2',
      '[1, 2]',
      'max_by(a, b)',
    ]) {
      expect(TRAPS.some(([trap]) => trap.test(bad))).toBe(true);
    }
    expect(ORDER_TRAP.exec('ORDER BY tenant, sum(points) DESC')?.[1]).toBe('points');
  });
});

describe('parameters', () => {
  it('are literals that stay safe whatever is asked for', () => {
    expect(literal("o'neil -- ' OR 1=1; \\")).toBe("'o''neil -- '' OR 1=1; \\'");
    expect(literal(null)).toBe('NULL');
    expect(literal(20)).toBe('20');
    expect(() => literal('a\0b')).toThrow(RangeError);
    expect(() => literal(1.5)).toThrow(RangeError);
  });

  it('are no placeholders in texts, names, comments and casts', () => {
    const sql = `SELECT ':a', "b:c", x::date, 'it''s :d' -- :e\n/* :f */ WHERE y = :g AND z = :g OR w = :h`;
    expect(placeholdersOf(sql)).toEqual(['g', 'h']);
    expect(substitute(sql, { g: "':h'", h: '2' })).toBe(
      sql.replace(/:g/g, "':h'").replace('w = :h', 'w = 2'),
    );
    expect(() => substitute(sql, { g: '1' })).toThrow(':h');
  });

  it('have the defaults of the file, or what is asked for', () => {
    const changes = questionOf('changes');
    expect(bind(changes, {}, '2026-03-02')).toMatchObject({
      from: '2026-01-31',
      to: '2026-03-02',
      scope: { tenant: null, fromMonth: '2026-01', toMonth: '2026-03' },
    });
    const { sql } = bind(changes, { tenant: 't', control: "c'", from: '2025-12-31', limit: 3 }, '2026-03-02');
    expect(sql).toContain("month BETWEEN '2025-12' AND '2026-03'");
    expect(sql).toContain("date BETWEEN DATE '2025-12-31' AND DATE '2026-03-02'");
    expect(sql).toContain("('t' IS NULL OR tenant = 't')");
    expect(sql).toContain("control = 'c'''");
    expect(sql.endsWith('\nLIMIT 3')).toBe(true);
    expect(bind(questionOf('losses'), { limit: 3 }, '2026-03-02').sql.match(/LIMIT/g)).toHaveLength(1);
    // Its rank is that among all.
    expect(bind(questionOf('fleet'), { tenant: 't' }, '2026-03-02').scope.tenant).toBe(null);
  });

  it('that are missing, unknown or reversed are refused', () => {
    expect(() => bind(questionOf('life'), {}, '2026-03-02')).toThrow('life needs --control');
    expect(() => bind(questionOf('trend'), { control: 'x' }, '2026-03-02')).toThrow(
      'trend takes no --control',
    );
    expect(() => bind(questionOf('trend'), { from: '2026-03-03' }, '2026-03-02')).toThrow(
      'ends before it begins',
    );
  });

  it('of a file must be declared as they are used', () => {
    const file = (header: string, sql: string) =>
      `-- @title T\n-- @about scores\n-- @answers Q?\n-- @show a\n${header}\n${sql}\n`;
    expect(() => parseQuestion('x', file('-- @param to = newest', 'SELECT 1'))).toThrow('differ: to');
    expect(() => parseQuestion('x', file('-- note', 'SELECT :tenant'))).toThrow('differ: tenant');
    expect(() => parseQuestion('x', file('-- @param to = never', 'SELECT :to'))).toThrow('to = never');
    expect(() => parseQuestion('x', 'SELECT 1')).toThrow('x.sql');
  });

  it('of a saved query are written out', () => {
    for (const question of allQuestions()) expect(placeholdersOf(asNamedQuery(question).sql)).toEqual([]);
  });
});

function questionOf(name: string) {
  const question = allQuestions().find((each) => each.name === name);
  if (question) return question;
  throw new Error(`there is no question ${name}`);
}
