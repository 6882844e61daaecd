import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { HistoryEngine, Scope } from '../../history/answer.ts';
import { DuckDbHistory } from '../../history/duckdb.ts';
import { monthsArchived } from '../../history/files.ts';
import { isBucket } from '../../lambda/archive/open-store.ts';
import type { Config } from '../../lambda/config.ts';
import { MonitorError } from '../../lambda/errors.ts';
import { DEPLOYMENT_STACK } from '../../lambda/outputs.ts';
import { locationOf } from '../shared/archive-place.ts';
import { EXIT, UsageError } from '../shared/exit.ts';
import { Losses, monthsInBucket } from './losses.ts';
import type { HistoryFlags } from './options.ts';
import { commandLine } from '../../lambda/command-line.ts';

/** The engine that answers, and how the command ends. */
export interface Asking {
  engine: HistoryEngine;
  /** Reports what the answers lacked, as far as the scope needs it (null: all). @returns the exit code */
  conclude: (scope: Scope | null) => Promise<number>;
}

/**
 * The engine that the flags choose: Athena, or DuckDB on a folder or on the copy of a bucket.
 * @param tenantId only this tenant's history is copied from a bucket; null: all
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
      throw new UsageError(
        '--strict checks files, which Athena does not show: use only one of --strict and --engine athena.',
      );
    // Only here, as below: the SDK takes longer to load than a folder to answer.
    const { athenaOf } = await import('./athena.ts');
    const engine = await athenaOf(flags.stack ?? DEPLOYMENT_STACK);
    return { engine, conclude: () => Promise.resolve(EXIT.done) };
  }
  const location = await locationOf(flags, config);
  const inBucket = isBucket(location);
  const folder = inBucket ? await (await import('./cache.ts')).pullHistory(location, tenantId) : location;
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
      `Choose one with --archive (a folder, or s3://bucket), ask the deployed one with --deployed, or create one: ${commandLine('run')}`,
    );
  }
  if (folder !== null && !statSync(folder).isDirectory()) {
    return new MonitorError(
      'archive-not-a-folder',
      `${location} is a file, not an archive.`,
      'Name the folder of an archive with --archive, or s3://bucket.',
    );
  }
  const archived = folder === null || existsSync(path.join(folder, 'snapshots'));
  return new MonitorError(
    'history-missing',
    `The archive at ${location} has no history yet.`,
    archived
      ? `Derive it from the snapshots: ${rebuild}`
      : `Archive the first days, which also writes the history: ${commandLine('run')}`,
  );
}
