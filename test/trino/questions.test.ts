import { describe, expect, inject, it } from 'vitest';
import { readingCopies } from '../../history/copies.ts';
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

  it.each(CASES)(
    '$question $wanted, with a closed month read from its copies',
    async ({ question: name, wanted, rows }) => {
      const question = questions.get(name);
      if (!question) throw new Error(`there is no question ${name}`);
      const sql = readingCopies(bind(question, wanted, '2026-02-06').sql, inject('copies'));
      const answer = await askTrino(inject('trino'), sql, 'copies');
      expect(rounded(answer.rows)).toEqual(rounded(rows));
    },
  );

  it.each([
    'SELECT count(*) AS n FROM scores',
    "-- every day\n/* of all */ SELECT count(*) AS n FROM scores s WHERE s.month > '2000'",
    'WITH days AS (SELECT DISTINCT tenant, date FROM controls JOIN scores USING (tenant, date)) SELECT count(*) AS n FROM days',
    'SELECT sum(n) AS n FROM (SELECT count(*) AS n FROM "scores" GROUP BY tenant)',
  ])('%j has the rows of a closed month once, in both schemas', async (sql) => {
    const [expected] = (await askTrino(inject('trino'), sql)).rows;
    expect(expected!['n']).toBe(14);
    for (const schema of ['history', 'copies']) {
      const copies = inject('copies');
      const at = (paths: string[]) => paths.map((each) => each.replace('///copies/', `///${schema}/`));
      const paths = {
        scores: at(copies.paths.scores),
        controls: at(copies.paths.controls),
        changes: at(copies.paths.changes),
      };
      const { rows } = await askTrino(inject('trino'), readingCopies(sql, { ...copies, paths }), schema);
      expect(rows).toEqual([expected]);
    }
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
