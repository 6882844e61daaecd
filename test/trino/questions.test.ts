import { describe, expect, inject, it } from 'vitest';
import { allQuestions, asNamedQuery, bind } from '../../history/questions.ts';
import { CASES, rounded } from '../history/answers.ts';
import { askTrino } from './client.ts';

const questions = new Map(allQuestions().map((question) => [question.name, question]));

describe('the questions, on Trino', () => {
  it.each(CASES)('$question $wanted', async ({ question: name, wanted, rows }) => {
    const question = questions.get(name);
    if (!question) throw new Error(`there is no question ${name}`);
    const { sql } = bind(question, wanted, '2026-02-06');
    const answer = await askTrino(inject('trino'), sql);
    expect(rounded(answer.rows)).toEqual(rounded(rows));
    for (const row of answer.rows) expect(Object.keys(row)).toEqual(answer.columns);
  });

  it.each(allQuestions())('$name as a saved query of Athena', async (question) => {
    const { sql } = asNamedQuery(question);
    await expect(askTrino(inject('trino'), sql)).resolves.toMatchObject({ columns: expect.any(Array) });
  });

  it('reads only the months that are asked for', async () => {
    const question = questions.get('trend');
    if (!question) throw new Error('there is no question trend');
    const { sql } = bind(question, { from: '2026-02-01' }, '2026-02-06');
    const { rows } = await askTrino(inject('trino'), `EXPLAIN (TYPE IO, FORMAT JSON) ${sql}`);
    const plan = JSON.stringify(rows);
    expect(plan).toContain('2026-02');
    expect(plan).not.toContain('2026-01');
  });
});
