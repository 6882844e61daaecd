import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DuckDBInstance } from '@duckdb/node-api';
import { DuckDbHistory, type Skipped } from '../../history/duckdb.ts';
import { CONTOSO, EARLIER_TABLES, FABRIKAM, SAMPLE, writeHistory } from './sample.ts';

const root = await mkdtemp(join(tmpdir(), 'history [old] *'));
const sound = join(root, 'sound');
const secret = join(root, 'secret.csv');
const folder = join(root, 'copy');
const scores = join(folder, 'history/scores');
let skipped: Skipped[] = [];

beforeAll(async () => {
  await writeHistory(sound);
  await writeFile(secret, 'a,b\n1,2\n');
  await copySound();
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(() => {
  skipped = [];
});

/** For tests that spoil files: it takes longer than an answer. */
async function copySound(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await cp(sound, folder, { recursive: true });
}

const open = () => DuckDbHistory.open({ folder, onSkipped: (each) => skipped.push(each) });
const ask = async (sql: string) => (await open()).ask(sql, null);

describe("a statement of one's own", () => {
  it.each([
    'SELECT count(*) AS n FROM scores',
    'WITH s AS (SELECT * FROM scores) SELECT count(*) AS n FROM s',
    'FROM scores SELECT count(*) AS n;',
    '-- how many\nSELECT count(*) AS n FROM scores',
  ])('%j is answered', async (sql) => {
    expect((await ask(sql)).rows).toEqual([{ n: 14 }]);
  });

  it('may turn rows into columns, with the values listed or not', async () => {
    const pivot = (by: string) =>
      ask(`SELECT * FROM (PIVOT scores ON ${by} USING count(*) GROUP BY tenant) ORDER BY tenant`);
    const { columns, rows } = await pivot(`tenant IN ('${CONTOSO}')`);
    expect([columns, rows.length]).toEqual([['tenant', CONTOSO], 2]);
    expect((await pivot('tenant')).columns).toEqual(['tenant', ...[CONTOSO, FABRIKAM].toSorted()]);
    // Each of the two needs a type of its own.
    const { rows: both } = await ask(
      'SELECT (SELECT count(*) FROM (PIVOT scores ON tenant USING count(*))) + (SELECT count(*) FROM (PIVOT scores ON month USING count(*))) AS n',
    );
    expect(both[0]?.['n']).toBeGreaterThan(1);
  });

  it.each([
    "COPY scores TO '$folder/history/scores/month=2026-02/evil.parquet'",
    "COPY scores TO '$root/evil.csv'",
    "EXPORT DATABASE '$root/evil'",
    "ATTACH '$root/evil.db'",
    'CREATE TABLE t (x INTEGER)',
    'CREATE OR REPLACE VIEW scores AS SELECT 1',
    'DROP VIEW scores',
    'INSTALL httpfs',
    'LOAD httpfs',
    'SET enable_external_access = true',
    'PRAGMA enable_profiling',
    'CALL pragma_version()',
    'EXPLAIN ANALYZE SELECT 1',
    'SELECT 1; DROP VIEW scores',
    'SELECT 1; SELECT 2',
    'PIVOT scores ON tenant USING count(*); SELECT 1',
    'PIVOT scores ON tenant USING count(*); DROP VIEW scores',
    "CREATE TYPE t AS ENUM ('a'); SELECT 1",
    "CREATE TYPE t AS ENUM ('a'); PIVOT scores ON tenant USING count(*)",
    '',
  ])('%j is refused', async (sql) => {
    const filled = sql.replaceAll('$folder', folder).replaceAll('$root', root);
    const before = await tree();
    await expect(ask(filled)).rejects.toMatchObject({
      code: expect.stringMatching(/^history-sql-(not-read-only|invalid)$/),
    });
    expect(await tree()).toEqual(before);
  });

  it.each([
    "SELECT * FROM read_csv('$secret')",
    "SELECT * FROM '$secret'",
    "SELECT * FROM read_text('$secret')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_text('$folder/history/../../secret.csv')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM query('COPY scores TO ''$secret''')",
    "SELECT * FROM sniff_csv('$secret')",
    "SELECT * FROM parquet_metadata('$secret')",
    "SELECT * FROM read_parquet('https://example.invalid/a.parquet')",
    "SELECT * FROM sqlite_scan('$secret', 't')",
  ])('%j reads nothing', async (sql) => {
    const before = await tree();
    await expect(ask(sql.replaceAll('$secret', secret).replaceAll('$folder', folder))).rejects.toThrow(
      /DuckDB cannot answer/,
    );
    expect(await tree()).toEqual(before);
    expect(await readFile(secret, 'utf8')).toBe('a,b\n1,2\n');
  });

  it('that is wrong gets an error with the place and the tables, and makes no file suspicious', async () => {
    const error = await ask('SELECT nope FROM scores').catch((each: unknown) => each);
    expect(error).toMatchObject({
      code: 'history-sql-invalid',
      message: expect.stringContaining('"nope"'),
      advice: expect.stringContaining('scores, controls, changes'),
    });
    expect(skipped).toEqual([]);
  });

  it('answers in values of JSON', async () => {
    const { columns, rows } = await ask(
      `SELECT DATE '2026-02-01' AS a, 12345678901234567890::HUGEINT AS b, 1.50::DECIMAL(9, 2) AS c, 'NaN'::DOUBLE AS d,
         [1, NULL] AS e, {'x': DATE '2026-02-01'} AS f, MAP {'k': 1} AS g, TIMESTAMP '2026-02-01 10:00:00' AS h,
         true AS i, NULL AS j, 3 AS a`,
    );
    expect(columns).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'a_2']);
    expect(rows).toEqual([
      {
        a: '2026-02-01',
        b: '12345678901234567890',
        c: 1.5,
        d: null,
        e: [1, null],
        f: { x: '2026-02-01' },
        g: [['k', 1]],
        h: '2026-02-01 10:00:00',
        i: true,
        j: null,
        a_2: 3,
      },
    ]);
  });
});

describe('an answer of many rows', () => {
  const many = (columns: string) => ask(`SELECT ${columns} FROM range(12345) r(n) ORDER BY n DESC`);

  it('has its texts in their rows: repeated ones, unique ones, and none', async () => {
    const { columns, rows } = await many(
      `n, CASE n % 3 WHEN 0 THEN 'naïve "text"' WHEN 1 THEN '' END AS few, 'row ' || n AS own, NULL::VARCHAR AS none, 'x' AS few`,
    );
    expect(columns).toEqual(['n', 'few', 'own', 'none', 'few_2']);
    expect(rows).toEqual(
      Array.from({ length: 12_345 }, (_, place) => {
        const n = 12_344 - place;
        return { n, few: ['naïve "text"', '', null][n % 3], own: `row ${n}`, none: null, few_2: 'x' };
      }),
    );
  });

  it('has its own texts, whatever is asked at the same time', async () => {
    const engine = await open();
    const texts = ['a', 'b', 'c', 'd'].map(async (text) => {
      const sql = `SELECT CASE n % 2 WHEN 0 THEN '${text}' END AS text FROM range(12345) r(n), (SELECT count(*) FROM scores) ORDER BY n`;
      const { rows } = await engine.ask(sql, null);
      return new Set(rows.map((row) => row['text']));
    });
    expect(await Promise.all(texts)).toEqual(['a', 'b', 'c', 'd'].map((text) => new Set([text, null])));
  });

  it('may hold types with names in them', async () => {
    const { rows } = await many(`'same' AS text, {'a "b"': n} AS made, [DATE '2026-02-01'] AS days`);
    expect(rows).toHaveLength(12_345);
    expect(rows.at(-1)).toEqual({ text: 'same', made: { 'a "b"': 0 }, days: ['2026-02-01'] });
  });
});

describe('a folder', () => {
  beforeEach(copySound);

  it('without a history is empty, and not made', async () => {
    const engine = await DuckDbHistory.open({ folder: join(root, 'absent'), onSkipped: () => {} });
    expect(engine.empty).toBe(true);
    expect(await engine.newest()).toBe(null);
    expect((await engine.ask('SELECT * FROM scores', null)).rows).toEqual([]);
    expect(await readdir(root)).not.toContain('absent');
  });

  it('without one of the tables has it empty, with its columns', async () => {
    await rm(join(folder, 'history/changes'), { recursive: true });
    const { rows } = await ask('SELECT count(*) AS n, max(percentage_points) AS p FROM changes');
    expect(rows).toEqual([{ n: 0, p: null }]);
  });

  it('that is named like a partition is refused', async () => {
    const opened = DuckDbHistory.open({ folder: '/data/tenant=x/archive', onSkipped: () => {} });
    await expect(opened).rejects.toMatchObject({ code: 'archive-location-invalid' });
  });

  it('has a newest day, also where the newest month is damaged', async () => {
    expect(await (await open()).newest()).toBe('2026-02-06');
    for (const tenant of [CONTOSO, FABRIKAM]) await writeFile(fileOf('2026-02', tenant), 'PAR1 no more');
    expect(await (await open()).newest()).toBe('2026-01-31');
  });
});

describe('a file that cannot be used', () => {
  beforeEach(copySound);

  const count = 'SELECT tenant, count(date) AS n FROM scores GROUP BY tenant ORDER BY tenant';
  const bad = () => fileOf('2026-02', CONTOSO);

  it('is reported once, however many answers fail on it at once', async () => {
    await truncate(bad(), 0);
    const engine = await open();
    const answers = await Promise.all([1, 2, 3].map(async () => engine.ask(count, null)));
    expect(skipped.map(({ path }) => path)).toEqual([bad()]);
    expect(answers.map(({ rows }) => rows)).toEqual(Array.from({ length: 3 }, () => answers[0]!.rows));
  });

  it.each<[string, (file: string) => Promise<void>, RegExp]>([
    ['is empty', (file) => truncate(file, 0), /too small/],
    ['is cut off', (file) => truncate(file, 700), /./],
    ['is something else', (file) => writeFile(file, '{"no": "parquet"}'.repeat(20)), /magic|parquet/i],
    ['lacks columns', (file) => parquet(file, "SELECT 'x' AS tenant"), /no column "date"/],
    [
      'has a column of another type',
      (file) => parquet(file, columns('VARCHAR')),
      /"date" is VARCHAR, not DATE/,
    ],
  ])('because it %s is reported, once, and left out', async (_, spoil, why) => {
    await spoil(bad());
    const engine = await open();
    for (let time = 0; time < 2; time += 1) {
      expect((await engine.ask(count, null)).rows).toEqual([
        { tenant: CONTOSO, n: 2 },
        { tenant: FABRIKAM, n: 6 },
      ]);
    }
    expect(skipped).toEqual([{ path: bad(), why: expect.stringMatching(why), isForeign: false }]);
  });

  it('in one page is reported and left out when the page is read', async () => {
    const bytes = await readFile(bad());
    bytes.fill(0xff, 4, 60);
    await writeFile(bad(), bytes);
    const { rows } = await ask('SELECT tenant, max(points) AS p FROM scores GROUP BY tenant ORDER BY tenant');
    expect(rows).toEqual([
      { tenant: CONTOSO, p: 50 },
      { tenant: FABRIKAM, p: 70 },
    ]);
    expect(skipped.map(({ path }) => path)).toEqual([bad()]);
  });

  it.each([
    'SELECT nope FROM scores',
    'SELECT * FROM scores JOIN nope USING (date)',
    'SELECT FROM scores WHERE',
  ])('is not looked into for %j, which is wrong itself', async (sql) => {
    await truncate(bad(), 0);
    const error = await ask(sql).catch((each: unknown) => each);
    expect(error).toMatchObject({
      code: 'history-sql-invalid',
      message: expect.stringMatching(/nope|syntax error/),
    });
    expect(skipped).toEqual([]);
  });

  it('is looked into for a statement whose columns depend on the rows', async () => {
    await truncate(bad(), 0);
    const { columns: named } = await ask('SELECT * FROM (PIVOT scores ON tenant USING count(*))');
    expect(named).toEqual(expect.arrayContaining([CONTOSO, FABRIKAM]));
    expect(skipped.map(({ path }) => path)).toEqual([bad()]);
  });

  it.each(['one tenant', 'all tenants'])(
    'of an earlier version, of %s, is read, and what was added since is null',
    async (of) => {
      const old = of === 'one tenant' ? [FABRIKAM] : [CONTOSO, FABRIKAM];
      const rows = SAMPLE.controls.filter(({ tenant }) => old.includes(String(tenant)));
      await writeHistory(folder, { ...SAMPLE, controls: rows }, EARLIER_TABLES);
      const sql = `SELECT tenant, max(effort) AS effort, count(*) AS n FROM controls WHERE control = 'mfa' GROUP BY tenant ORDER BY tenant`;
      const { rows: found } = await ask(sql);
      expect(found).toEqual([
        { tenant: CONTOSO, effort: of === 'one tenant' ? 'Low' : null, n: 7 },
        { tenant: FABRIKAM, effort: null, n: 6 },
      ]);
      expect(skipped).toEqual([]);
    },
  );

  it('or does not belong there is reported and not read', async () => {
    await writeFile(join(scores, 'month=2026-02/notes.txt'), 'x');
    await writeFile(join(scores, 'month=2026-02/.DS_Store'), 'x');
    await mkdir(join(scores, 'month=new'));
    await cp(bad(), join(scores, 'month=2026-02/copy.parquet'));
    expect((await ask('SELECT count(*) AS n FROM scores')).rows).toEqual([{ n: 14 }]);
    expect(skipped.map(({ path }) => path)).toEqual([
      join(scores, 'month=2026-02/copy.parquet'),
      join(scores, 'month=2026-02/notes.txt'),
      join(scores, 'month=new'),
    ]);
  });

  it('is not opened if it is not needed', async () => {
    await truncate(bad(), 0);
    const engine = await open();
    const scope = { tenant: FABRIKAM, fromMonth: '2026-02', toMonth: '2026-02' };
    expect((await engine.ask(count, scope)).rows).toEqual([{ tenant: FABRIKAM, n: 6 }]);
    expect(skipped).toEqual([]);
  });
});

const fileOf = (month: string, tenant: string) => join(scores, `month=${month}`, `${tenant}.parquet`);

const tree = async () => (await readdir(root, { recursive: true })).toSorted();

async function parquet(file: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (${sql}) TO '${file}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
}

const columns = (dateType: string) =>
  `SELECT CAST('${CONTOSO}' AS VARCHAR) AS tenant, CAST('no day' AS ${dateType}) AS date, 1.0::DOUBLE AS points, 1.0::DOUBLE AS maximum,
     1.0::DOUBLE AS percentage, 1::INTEGER AS controls, 1.0::DOUBLE AS peers_all, 1.0::DOUBLE AS peers_similar, '' AS services, true AS counted`;
