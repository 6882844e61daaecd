import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allQuestions } from '../../history/questions.ts';
import { TABLES } from '../../lambda/archive/columns/tables.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import { practise, secureScore, type Practice } from '../cli/support.ts';

/** A run against the simulated Graph, and the history that it wrote. */
let practice: Practice;
let archive: string;
let result: {
  score: { date: string; points: number; maximum: number; percentage: number };
  archived: string[];
};

beforeAll(async () => {
  practice = await practise(practiceTenant({ today: '2026-03-10' }));
  archive = join(practice.folder, 'archive');
  const run = await secureScore(
    'run',
    '--json',
    ...flags({
      config: practice.config,
      certificate: practice.pem,
      archive,
      outbox: join(practice.folder, 'mails'),
    }),
  );
  if (run.code !== 0) throw new Error(run.stderr);
  result = run.json();
}, 60_000);
afterAll(() => practice.end());

const history = (...args: string[]) =>
  secureScore('history', ...args, '--archive', archive, '--config', practice.config);

describe('the history that a run writes', () => {
  it('has a trend of every archived day, the newest as the run reported it', async () => {
    const { code, json } = await history('trend', '--json', '--tenant', 'Contoso');
    expect(code).toBe(0);
    const rows = json() as { tenant: string; date: string }[];
    expect(rows.map(({ date }) => date)).toEqual(result.archived.toSorted());
    expect(rows.at(-1)).toEqual({ tenant: practice.tenantId, tenant_name: 'Contoso', ...result.score });
  });

  it.each(allQuestions())('answers $name', async ({ name, parameters }) => {
    const isRequired = parameters.some((each) => each.name === 'control' && each.default === 'required');
    const control = isRequired ? ['--control', await aControl()] : [];
    const { code, stdout, stderr } = await history(name, ...control);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.length).toBeGreaterThan(0);
  });

  it('has the columns of the tables, in their types', async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    for (const { name, columns } of TABLES) {
      const files = await readdir(join(archive, 'history', name), { recursive: true });
      const parquet = files.filter((file) => file.endsWith('.parquet'));
      expect(parquet.length).toBeGreaterThan(0);
      for (const file of parquet) {
        const described = await connection.runAndReadAll(
          `DESCRIBE SELECT * FROM read_parquet('${join(archive, 'history', name, file)}', hive_partitioning = false)`,
        );
        expect(described.getRows().map(([column, type]) => [column, type])).toEqual(
          columns.map(({ name: column, type }) => [column, type]),
        );
      }
    }
    connection.closeSync();
    instance.closeSync();
  });
});

const flags = (values: Record<string, string>) =>
  Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);

async function aControl(): Promise<string> {
  const { json } = await history('sql', 'SELECT min(control) AS control FROM controls', '--json');
  return (json() as { control: string }[])[0]?.control ?? '';
}
