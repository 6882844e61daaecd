import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { alike } from '../../lambda/characters.ts';
import { parseConfig, type Config, type ConfigInput, type Tenant } from '../../lambda/config.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { withTenants } from '../../lambda/tenants-file.ts';
import { decodeText, encodingOf, jsonFault, readTextFile } from '../../lambda/text-file.ts';
import { DEFAULT_CONFIG } from './options.ts';

/** The package that a config imports `defineConfig` from. */
const PACKAGE = 'secure-score-monitor';

/**
 * Reads and checks a config: the default export of a .ts, .mts, .js or .mjs file, or a .json file.
 * @param path relative to the current folder
 * @throws MonitorError `config-missing`, `config-unreadable` or `config-invalid`, and those of `withTenants`
 */
export async function loadConfig(path: string): Promise<Config> {
  return (await loadInput(path)).config;
}

/**
 * The same, and what the config is made of, with its tenants in it: for who makes a config of that.
 * @throws MonitorError those of `loadConfig`
 */
export async function loadInput(path: string): Promise<{ input: ConfigInput; config: Config }> {
  const { input, place } = withTenants(await readConfig(path), dirname(resolve(path)));
  return { config: parseConfig(input, path, place), input: input as ConfigInput };
}

/**
 * What a config exports, unchecked.
 * @param path relative to the current folder
 * @throws MonitorError `config-missing` or `config-unreadable`
 */
export async function readConfig(path: string): Promise<unknown> {
  const file = resolve(path);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isDirectory()) {
    throw new MonitorError(
      'config-unreadable',
      `${quote(path)} is a folder, not a config.`,
      `Choose the file in it with --config, like ${quote(join(path, DEFAULT_CONFIG))}.`,
    );
  }
  if (!found) {
    throw new MonitorError(
      'config-missing',
      `There is no config at ${quote(path)}.`,
      `Copy monitor.config.example.ts to ${DEFAULT_CONFIG} and fill it in, or choose another file with --config.`,
    );
  }
  try {
    return file.endsWith('.json')
      ? (JSON.parse(await readTextFile(file)) as unknown)
      : ((await importModule(file)) as { default?: unknown }).default;
  } catch (error) {
    if (error instanceof MonitorError) throw error;
    throw new MonitorError(
      'config-unreadable',
      `The config ${quote(path)} cannot be loaded: ${await describeFault(error, file)}`,
      adviceOn(error),
      { cause: error },
    );
  }
}

/** Imports the file like JavaScript does, except for two things that Node alone cannot do with a user's file. */
async function importModule(file: string): Promise<unknown> {
  const { href } = pathToFileURL(file);
  const bytes = await readFile(file);
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== PACKAGE) return next(specifier, context);
      try {
        return next(specifier, context);
      } catch {
        // The package cannot be resolved from the config's folder: the config means the package that reads it.
        return { url: import.meta.resolve(PACKAGE), shortCircuit: true };
      }
    },
    load(url, context, next) {
      // Node reads UTF-8 alone.
      if (url !== href || encodingOf(bytes) === undefined) return next(url, context);
      const format = /\.[mc]?ts$/.test(file) ? 'module-typescript' : 'module';
      return { format, source: decodeText(bytes), shortCircuit: true };
    },
  });
  try {
    return await import(href);
  } finally {
    hooks.deregister();
  }
}

/** Describes what is wrong and where: `Unexpected token (line 3, column 7)`. */
async function describeFault(error: unknown, file: string): Promise<string> {
  if (!(error instanceof Error)) return quote(error);
  const message = error.message.split('\n')[0] ?? '';
  if (file.endsWith('.json')) {
    return error instanceof SyntaxError ? jsonFault(error, await readTextFile(file)) : message;
  }
  const place = placeIn(error, file) ?? (error instanceof SyntaxError ? await parsedPlace(file) : undefined);
  return place === undefined ? message : `${message} (${place})`;
}

/** Where in the file an error comes from, as far as its stack says. */
function placeIn({ stack = '' }: Error, file: string): string | undefined {
  // The stack of a syntax error has the path and the line, the code, and a mark under the column.
  const [, path = '', line, column] = /^(\S.*):(\d+)\n(?:.*\n)*?( *)\^/.exec(stack) ?? [];
  if (column !== undefined) {
    const where = `line ${line}, column ${column.length + 1}`;
    return [file, pathToFileURL(file).href].includes(path.replace(/\?again$/, ''))
      ? where
      : `${basename(path)}, ${where}`;
  }
  // An error that the code throws has a line of the stack.
  const [, frame, position] = stack.split(`${pathToFileURL(file).href}:`)[1]?.match(/^(\d+):(\d+)/) ?? [];
  return frame === undefined ? undefined : `line ${frame}, column ${position}`;
}

/** Node does not report the place of a syntax error in an ES module, except when it strips types. */
async function parsedPlace(file: string): Promise<string | undefined> {
  const source = await readTextFile(file);
  const again = `${pathToFileURL(file).href}?again`;
  const hooks = registerHooks({
    load: (url, context, next) =>
      url === again ? { format: 'module-typescript', source, shortCircuit: true } : next(url, context),
  });
  try {
    await import(again);
  } catch (error) {
    return error instanceof Error ? placeIn(error, file) : undefined;
  } finally {
    hooks.deregister();
  }
  return undefined;
}

function adviceOn(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const [, missing] = /^Cannot find package '([^']+)'/.exec(message) ?? [];
  if (code === 'ERR_MODULE_NOT_FOUND' && missing !== undefined) {
    return `The config imports the package ${quote(missing)}: install it in the folder of the config (npm install ${missing}), or remove the import.`;
  }
  if (code === 'EACCES' || code === 'EPERM') return 'Give the user that runs this read access to the file.';
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return 'Remove that syntax: Node can only strip types.';
  if (error instanceof SyntaxError) {
    return 'Correct it there: a comma, a quotation mark or a bracket may be missing before it. monitor.config.example.ts shows a complete config.';
  }
  return 'It must be a TypeScript or JavaScript module with a default export, or JSON.';
}

/** @param wanted a tenant's name or id; undefined: all of them. @throws MonitorError `tenant-unknown` */
export function selectTenants(config: Config, wanted: string | undefined): Tenant[] {
  if (wanted === undefined) return config.tenants;
  const found = config.tenants.filter(
    ({ name, tenantId }) => alike(name) === alike(wanted) || tenantId === wanted.toLowerCase(),
  );
  if (found.length > 0) return found;
  throw new MonitorError(
    'tenant-unknown',
    `No tenant in the config has the name or id ${quote(wanted)}.`,
    `It has: ${config.tenants.map(({ name }) => name).join(', ')}.`,
  );
}
