import { existsSync } from 'node:fs';
import path from 'node:path';
import { styleText } from 'node:util';
import type { HistoryEngine } from '../history/answer.ts';
import { DuckDbHistory, type Skipped } from '../history/duckdb.ts';
import { isBucket } from '../lambda/archive/open-store.ts';
import type { Config } from '../lambda/config.ts';
import { MonitorError } from '../lambda/errors.ts';
import { DEPLOYMENT_STACK } from '../lambda/outputs.ts';
import { locationOf } from './archive-choice.ts';
import { athenaOf } from './history-athena.ts';
import { pullHistory } from './history-cache.ts';
import type { HistoryFlags } from './history-options.ts';
import { DEFAULT_CONFIG, loadConfig } from './load-config.ts';

/** A config is not needed to ask: without one, tenants go by their ids. One that is named has to be there. */
export async function configOf({ config }: HistoryFlags): Promise<Config | null> {
  if (config === undefined && !existsSync(DEFAULT_CONFIG)) return null;
  return loadConfig(config ?? DEFAULT_CONFIG);
}

/**
 * What the flags ask: Athena, or DuckDB on a folder or on the copy of a bucket.
 * @param tenantId of a bucket, only this tenant's history has to be there; null: all
 * @throws MonitorError `history-missing` where there is nothing to ask
 */
export async function engineOf(
  flags: HistoryFlags,
  config: Config | null,
  tenantId: string | null = null,
): Promise<HistoryEngine> {
  if (flags.engine === 'athena') return athenaOf(flags.stack ?? DEPLOYMENT_STACK);
  const location = await locationOf(flags, config);
  const inBucket = isBucket(location);
  const folder = inBucket ? await pullHistory(location, tenantId) : location;
  const engine = await DuckDbHistory.open({ folder, onSkipped });
  if (engine.empty) throw missing(location, inBucket ? null : folder);
  return engine;
}

function onSkipped({ path: file, why }: Skipped): void {
  const shown = path.relative('.', file);
  const words = `! left out ${shown.startsWith('..') ? file : shown}: ${why}`;
  console.error(styleText('yellow', words, { stream: process.stderr }));
}

function missing(location: string, folder: string | null): MonitorError {
  const rebuild = `secure-score archive rebuild --archive ${location}`;
  if (folder !== null && !existsSync(folder)) {
    return new MonitorError(
      'history-missing',
      `There is no archive at ${location}.`,
      'Name one with --archive (a folder, or s3://bucket), ask the deployed one with --deployed, or make one: secure-score run',
    );
  }
  const archived = folder === null || existsSync(path.join(folder, 'snapshots'));
  return new MonitorError(
    'history-missing',
    `The archive at ${location} has no history yet.`,
    archived
      ? `Make it from the snapshots: ${rebuild}`
      : 'Archive the first days: secure-score run. It writes the history too.',
  );
}
