import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import type { HistoryEngine } from '../../history/answer.ts';
import { DuckDbHistory } from '../../history/duckdb.ts';
import { readCatalogue, readHistories, readTenants } from '../../history/page/rows.ts';
import { CONTOSO, FABRIKAM, writeHistory } from '../history/sample.ts';
import { askTrino } from './client.ts';

const trino: HistoryEngine = {
  location: 'Trino',
  newest: () => Promise.resolve(null),
  oldest: () => Promise.resolve(null),
  ask: (sql) => askTrino(inject('trino'), sql),
};

/** What the page is made from, in an order of its own where the statements leave it open. */
async function pageOf(engine: HistoryEngine) {
  const tenants = [CONTOSO, FABRIKAM];
  const histories: object[] = [];
  for await (const { id, rows } of readHistories(engine, tenants)) {
    const standings = rows.standings.map((row) => ({ ...row, days: row.days?.toSorted((a, b) => a - b) }));
    histories.push({ id, ...rows, standings: standings.map((row) => JSON.stringify(row)).toSorted() });
  }
  return { tenants: await readTenants(engine), catalogue: await readCatalogue(engine, tenants), histories };
}

it('the page, on Trino, has the rows that it has on DuckDB', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'page-'));
  await writeHistory(folder);
  const duckdb = await DuckDbHistory.open({ folder, onSkipped: ({ why }) => expect.fail(why) });
  const page = await pageOf(trino);
  expect(page.histories).toHaveLength(2);
  expect(page).toEqual(await pageOf(duckdb));
  await rm(folder, { recursive: true });
});
