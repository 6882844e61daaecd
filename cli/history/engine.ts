import { existsSync } from 'node:fs';
import path from 'node:path';
import type { HistoryEngine, Scope } from '../../history/answer.ts';
import { DuckDbHistory } from '../../history/duckdb.ts';
import { monthsArchived } from '../../history/files.ts';
import { isBucket } from '../../lambda/archive/open-store.ts';
import type { Config } from '../../lambda/config.ts';
import { MonitorError } from '../../lambda/errors.ts';
import { DEPLOYMENT_STACK } from '../../lambda/outputs.ts';
import { locationOf } from '../archive/choice.ts';
import { EXIT, UsageError } from '../shared/exit.ts';
import { athenaOf } from './athena.ts';
import { pullHistory } from './cache.ts';
import { Losses, monthsInBucket } from './losses.ts';
import type { HistoryFlags } from './options.ts';
import { DEFAULT_CONFIG, loadConfig } from '../shared/load-config.ts';
import { commandLine } from '../../lambda/command-line.ts';

/** A config is not needed to ask: without one, tenants go by their ids. One that is named has to be there. */
export async function configOf({ config }: HistoryFlags): Promise<Config | null> {
  if (config === undefined && !existsSync(DEFAULT_CONFIG)) return null;
  return loadConfig(config ?? DEFAULT_CONFIG);
}

/** Where a command asks, and what it says at its end. */
export interface Asking {
  engine: HistoryEngine;
  /** Says what the answers lacked, as far as the scope needs it (null: all). @returns the exit code */
  conclude: (scope: Scope | null) => Promise<number>;
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
): Promise<Asking> {
  const strict = flags.strict === true;
  if (flags.engine === 'athena') {
    if (strict)
      throw new UsageError('--strict looks at files, which Athena does not show: leave out one of both.');
    const engine = await athenaOf(flags.stack ?? DEPLOYMENT_STACK);
    return { engine, conclude: () => Promise.resolve(EXIT.done) };
  }
  const location = await locationOf(flags, config);
  const inBucket = isBucket(location);
  const folder = inBucket ? await pullHistory(location, tenantId) : location;
  const losses = new Losses(location);
  const engine = await DuckDbHistory.open({ folder, onSkipped: (skipped) => losses.onSkipped(skipped) });
  if (engine.empty) throw missing(location, inBucket ? null : folder);
  const conclude = async (scope: Scope | null) => {
    const archived = await (inBucket
      ? monthsInBucket(location, tenantId)
      : monthsArchived(folder, scope?.tenant ?? tenantId));
    return losses.conclude(engine, { archived, scope, strict });
  };
  return { engine, conclude };
}

function missing(location: string, folder: string | null): MonitorError {
  const rebuild = commandLine(`archive rebuild --archive ${location}`);
  if (folder !== null && !existsSync(folder)) {
    return new MonitorError(
      'history-missing',
      `There is no archive at ${location}.`,
      `Name one with --archive (a folder, or s3://bucket), ask the deployed one with --deployed, or make one: ${commandLine('run')}`,
    );
  }
  const archived = folder === null || existsSync(path.join(folder, 'snapshots'));
  return new MonitorError(
    'history-missing',
    `The archive at ${location} has no history yet.`,
    archived
      ? `Make it from the snapshots: ${rebuild}`
      : `Archive the first days, which writes the history too: ${commandLine('run')}`,
  );
}
