import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseConfig, type Config, type Tenant } from '../lambda/config.ts';
import { MonitorError, quote } from '../lambda/errors.ts';

export const DEFAULT_CONFIG = 'monitor.config.ts';

/**
 * Reads and checks a config: the default export of a .ts, .mts, .js or .mjs file, or a .json file.
 * @param path relative to the current folder
 * @throws MonitorError `config-missing`, `config-unreadable` or `config-invalid`
 */
export async function loadConfig(path: string): Promise<Config> {
  const file = resolve(path);
  if (!existsSync(file)) {
    throw new MonitorError(
      'config-missing',
      `There is no config at ${quote(path)}.`,
      `Copy monitor.config.example.ts to ${DEFAULT_CONFIG} and fill it in, or name another file with --config.`,
    );
  }
  let input: unknown;
  try {
    input = file.endsWith('.json')
      ? JSON.parse(await readFile(file, 'utf8'))
      : ((await import(pathToFileURL(file).href)) as { default?: unknown }).default;
  } catch (error) {
    throw new MonitorError(
      'config-unreadable',
      `The config ${quote(path)} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      'It has to be a TypeScript or JavaScript module with a default export, or JSON.',
      { cause: error },
    );
  }
  return parseConfig(input, path);
}

/** @param wanted a tenant's name or id; undefined: all of them. @throws MonitorError `tenant-unknown` */
export function selectTenants(config: Config, wanted: string | undefined): Tenant[] {
  if (wanted === undefined) return config.tenants;
  const found = config.tenants.filter(
    ({ name, tenantId }) => name === wanted || tenantId === wanted.toLowerCase(),
  );
  if (found.length > 0) return found;
  throw new MonitorError(
    'tenant-unknown',
    `No tenant of the config has the name or id ${quote(wanted)}.`,
    `It has: ${config.tenants.map(({ name }) => name).join(', ')}.`,
  );
}
