import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { closeMonths } from '../../lambda/archive/columns/closed.ts';
import { TABLES } from '../../lambda/archive/columns/tables.ts';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { writeHistory } from '../history/sample.ts';
import { askTrino } from './client.ts';
import { startTrino } from './server.ts';

/** Long after the sample: every month can be closed. */
const LATER = new Date('2027-06-30T08:00:00Z');
const QUIET = { info: () => {}, warn: () => {}, error: () => {} };

/** Starts a Trino on the sample, its tables as they are in Athena: external, partitioned by month. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'trino-'));
  await writeHistory(path.join(folder, 'archive'));
  // Trino hides the copies of closed months: with them in its folder it answers the same.
  await closeMonths({ store: folderStore(path.join(folder, 'archive')), log: QUIET, now: LATER });
  const trino = await startTrino(folder);
  const stop = async () => {
    await trino.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await askTrino(trino.url, "CREATE SCHEMA history WITH (location = 'local:///metastore/history')");
    for (const { name, columns } of TABLES) {
      const typed = [...columns, { name: 'month', type: 'VARCHAR' }].map(
        (each) => `${each.name} ${each.type}`,
      );
      await askTrino(
        trino.url,
        `CREATE TABLE ${name} (${typed.join(', ')}) WITH (external_location = 'local:///archive/history/${name}', format = 'PARQUET', partitioned_by = ARRAY['month'])`,
      );
      await askTrino(trino.url, `CALL system.sync_partition_metadata('history', '${name}', 'FULL')`);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  project.provide('trino', trino.url);
  return stop;
}

declare module 'vitest' {
  interface ProvidedContext {
    trino: string;
  }
}
