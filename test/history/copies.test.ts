import { describe, expect, it } from 'vitest';
import { readingCopies, type Copies } from '../../history/copies.ts';

const COPIES: Copies = {
  months: ['2026-01', '2026-02'],
  paths: { scores: ['s3://b/s1', 's3://b/s2'], controls: ['s3://b/c'], changes: [] },
};
const SCORES = `scores AS (
  SELECT tenant, date, points, maximum, percentage, controls, peers_all, peers_similar, services, counted, month FROM scores WHERE month NOT IN ('2026-01', '2026-02')
  UNION ALL
  SELECT tenant, date, points, maximum, percentage, controls, peers_all, peers_similar, services, counted, month FROM closed_scores WHERE month IN ('2026-01', '2026-02') AND "$path" IN ('s3://b/s1', 's3://b/s2')
)`;

describe('a statement on closed months', () => {
  it.each([
    ['SELECT max(date) FROM scores', `WITH ${SCORES}\nSELECT max(date) FROM scores`],
    ['-- a\n /* b */ select 1 FROM Scores', `-- a\n /* b */ WITH ${SCORES}\nselect 1 FROM Scores`],
    ['with a AS (SELECT 1 FROM scores) SELECT 2', `WITH ${SCORES},\na AS (SELECT 1 FROM scores) SELECT 2`],
    ['(SELECT 1 FROM "scores")', `WITH ${SCORES}\n(SELECT 1 FROM "scores")`],
  ])('%j reads their copies, and all other months as before', (sql, expected) => {
    expect(readingCopies(sql, COPIES)).toBe(expected);
  });

  it.each([
    'SELECT 1',
    'SELECT scores_of FROM my_scores',
    'WITH scores AS (SELECT 1) SELECT * FROM scores',
    'WITH "scores" (a, b) AS (SELECT 1, 2) SELECT * FROM scores',
    'WITH RECURSIVE a (n) AS (SELECT 1 FROM scores UNION ALL SELECT n + 1 FROM a WHERE n < 3) SELECT * FROM a',
  ])('%j stays as it is', (sql) => {
    expect(readingCopies(sql, COPIES)).toBe(sql);
  });

  it('stays as it is where no month is closed', () => {
    const sql = 'SELECT 1 FROM scores';
    expect(readingCopies(sql, { ...COPIES, months: [] })).toBe(sql);
  });

  it('brings each table that it names', () => {
    const sql = readingCopies(
      'SELECT 1 FROM scores JOIN changes USING (tenant) JOIN controls USING (tenant)',
      { ...COPIES, paths: { ...COPIES.paths, changes: ['s3://b/h'] } },
    );
    expect(sql.match(/^\w*(?: AS|WITH \w+ AS)|WITH \w+ AS/gm)).toEqual([
      'WITH scores AS',
      'controls AS',
      'changes AS',
    ]);
  });
});
