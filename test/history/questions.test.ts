import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

  it('leaves none without a case that has rows', () => {
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
