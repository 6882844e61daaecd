import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DuckDBInstance } from '@duckdb/node-api';
import { DuckDbHistory } from '../../history/duckdb.ts';
import { allQuestions, bind, type Question } from '../../history/questions.ts';
import { CASES, rounded } from './answers.ts';
import { writeHistory } from './sample.ts';

let folder: string;
let engine: DuckDbHistory;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'history-'));
  await writeHistory(folder);
  engine = await DuckDbHistory.open({
    folder,
    onSkipped: ({ path, why }) => expect.unreachable(`${path}: ${why}`),
  });
});
afterAll(() => rm(folder, { recursive: true }));

const questions = new Map(allQuestions().map((question) => [question.name, question]));

function questionOf(name: string): Question {
  const question = questions.get(name);
  if (question) return question;
  throw new Error(`there is no question ${name}`);
}

describe('the questions, on DuckDB', () => {
  it.each(CASES)('$question $wanted', async ({ question: name, wanted, rows }) => {
    const question = questionOf(name);
    const { sql, scope } = bind(question, wanted, (await engine.newest()) ?? '');
    const answer = await engine.ask(sql, scope);
    expect(rounded(answer.rows)).toEqual(rounded(rows));
    // Whatever files are left out because of what is asked for, the answer is that of all of them.
    expect(rounded((await engine.ask(sql, null)).rows)).toEqual(rounded(rows));
    for (const row of rows) expect(Object.keys(row).toSorted()).toEqual(answer.columns.toSorted());
    for (const column of question.show.flat()) expect(answer.columns).toContain(column);
  });

  it('have each a case with rows', () => {
    const asked = new Set(CASES.filter(({ rows }) => rows.length > 0).map(({ question }) => question));
    expect([...questions.keys()].filter((name) => !asked.has(name))).toEqual([]);
  });

  it('trend has the columns of the contract, in their order', async () => {
    const { sql, scope } = bind(questionOf('trend'), {}, '2026-02-06');
    expect((await engine.ask(sql, scope)).columns).toEqual([
      'tenant',
      'date',
      'points',
      'maximum',
      'percentage',
    ]);
  });
});

it('flapping shows the net change, whatever caused the rest', async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(`CREATE TABLE changes AS SELECT *, '2026-02' AS month, 't' AS tenant, 'mfa' AS control, '' AS title, '' AS category
    FROM (VALUES ('2026-02-01', 'lost', -2.0), ('2026-02-02', 'decided', 2.0), ('2026-02-03', 'lost', -3.0), ('2026-02-04', 'drift', 0.5))
    AS rows (date, kind, percentage_points)`);
  const values: Record<string, string> = {
    from: "'2026-02-01'",
    to: "'2026-02-09'",
    from_month: "'2026-02'",
    to_month: "'2026-02'",
    tenant: 'NULL',
    limit: '20',
  };
  const text = await readFile(new URL('../../history/questions/flapping.sql', import.meta.url), 'utf8');
  const sql = text.replaceAll(/^--.*$/gm, '').replaceAll(/:(\w+)/g, (_, name: string) => values[name]!);
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson();
  connection.closeSync();
  expect(rows).toMatchObject([
    { losses: '2', gains: '0', first_date: '2026-02-01', last_date: '2026-02-03' },
  ]);
  expect(Number(rows[0]!['percentage_points'])).toBe(-2.5);
});
