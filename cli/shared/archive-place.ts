import { existsSync } from 'node:fs';
import { styleText } from 'node:util';
import { openStore } from '../../lambda/archive/open-store.ts';
import type { Config } from '../../lambda/config.ts';
import { MonitorError } from '../../lambda/errors.ts';
import type { ObjectStore } from '../../lambda/ports.ts';
import { DEPLOYMENT_STACK } from '../../lambda/outputs.ts';
import { DEFAULT_ARCHIVE, DEFAULT_CONFIG } from './options.ts';

/** Flags that choose the archive. */
export interface PlaceFlags {
  archive?: string;
  deployed?: boolean;
  stack?: string;
  config?: string;
}

/**
 * Where the archive is that the flags choose: the given one, the deployment's, the config's bucket, or the default folder.
 * @throws MonitorError `not-deployed`, `deployment-without-output`
 */
export async function locationOf(
  { archive, deployed, stack }: Omit<PlaceFlags, 'config'>,
  config: Config | null,
): Promise<string> {
  if (archive !== undefined) return archive;
  if (deployed || stack !== undefined) {
    const { findDeployment, outputOf } = await import('./deployment.ts');
    const deployment = await findDeployment(stack ?? DEPLOYMENT_STACK);
    return `s3://${outputOf(deployment, 'archiveBucket')}`;
  }
  const { bucket } = config?.archive ?? {};
  return bucket ? `s3://${bucket}` : DEFAULT_ARCHIVE;
}

/** The archive that the flags choose. @throws MonitorError as `locationOf` and `openStore` */
export async function openArchive(flags: PlaceFlags): Promise<ObjectStore> {
  return openStore(await locationOf(flags, await configOf(flags)));
}

/**
 * The config for a command that can do without one; null if there is none. One that is given with --config must be
 * valid, and so must the default one if it decides where the archive is. Otherwise it only has names of tenants: one
 * that was copied and not filled in yet is left out, with a line on stderr.
 * @throws MonitorError those of `loadConfig`
 */
export async function configOf({ config, ...places }: PlaceFlags): Promise<Config | null> {
  if (config === undefined && !existsSync(DEFAULT_CONFIG)) return null;
  // Only now: what checks a config takes longer to load than a folder to answer.
  const { loadConfig } = await import('./load-config.ts');
  if (config !== undefined) return loadConfig(config);
  try {
    return await loadConfig(DEFAULT_CONFIG);
  } catch (error) {
    const isPlaced = places.archive !== undefined || places.deployed || places.stack !== undefined;
    if (!(error instanceof MonitorError) || !isPlaced) throw error;
    const why = error.message.split('\n')[0]!.replace(/[:.]$/, '');
    const words = `${why}. The command does not need it and goes on without it.`;
    console.error(styleText('yellow', `! ${words}`, { stream: process.stderr }));
    return null;
  }
}
