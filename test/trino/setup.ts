import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { copiesIn, type Copies } from '../../history/copies.ts';
import { closeMonths } from '../../lambda/archive/columns/closed.ts';
import { NOTHING_WRITTEN, swapColumnsState } from '../../lambda/archive/columns/state.ts';
import { TABLES } from '../../lambda/archive/columns/tables.ts';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import type { ObjectStore } from '../../lambda/ports.ts';
import { CONTOSO, FABRIKAM, writeHistory } from '../history/sample.ts';
import { askTrino } from './client.ts';
import { startTrino } from './server.ts';

/** Long after the sample: every month can be closed. */
const LATER = new Date('2027-06-30T08:00:00Z');
const SCHEMAS = ['history', 'copies'];
const QUIET = { info: () => {}, warn: () => {}, error: () => {} };

/**
 * Starts a Trino on the sample, its tables as they are in Athena: external, partitioned by month. In the schema `history`
 * all files of the tenants are there, and copies of a closed month beside them; in `copies` the files of the closed month
 * are gone, so that only who reads the copies has its rows.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trino-'));
  const closed: Record<string, ObjectStore> = {};
  for (const schema of SCHEMAS) {
    await writeHistory(path.join(folder, schema));
    const store = (closed[schema] = folderStore(path.join(folder, schema)));
    for (const tenant of [CONTOSO, FABRIKAM]) await swapColumnsState(store, tenant, NOTHING_WRITTEN, null);
    const months = await closeMonths({ store, log: QUIET, now: LATER });
    // January has one tenant, and copies are made of two or more.
    if (months.join() !== '2026-02') throw new Error(`closed were ${months.join(', ') || 'no months'}`);
  }
  for (const { name } of TABLES)
    await rm(path.join(folder, `copies/history/${name}/month=2026-02`), { recursive: true });
  const trino = await startTrino(folder);
  const stop = async () => {
    await trino.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const schema of SCHEMAS) {
      await askTrino(trino.url, `CREATE SCHEMA ${schema} WITH (location = 'local:///metastore/${schema}')`);
      for (const table of TABLES) {
        const typed = [...table.columns, { name: 'month', type: 'VARCHAR' }].map(
          (each) => `${each.name} ${each.type}`,
        );
        for (const name of [table.name, `closed_${table.name}`]) {
          await askTrino(
            trino.url,
            `CREATE TABLE ${schema}.${name} (${typed.join(', ')}) WITH (external_location = 'local:///${schema}/history/${name}', format = 'PARQUET', partitioned_by = ARRAY['month'])`,
          );
          await askTrino(trino.url, `CALL system.sync_partition_metadata('${schema}', '${name}', 'FULL')`);
        }
      }
    }
  } catch (error) {
    await stop();
    throw error;
  }
  project.provide('trino', trino.url);
  project.provide('copies', await copiesIn({ ...closed['copies']!, location: 'local:///copies' }));
  return stop;
}

declare module 'vitest' {
  interface ProvidedContext {
    trino: string;
    copies: Copies;
  }
}
