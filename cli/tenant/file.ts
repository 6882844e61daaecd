import { chmod, realpath, rename, stat, unlink } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { commandLine } from '../../lambda/command-line.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { withLock, writeTemporary } from '../../lambda/archive/folder-lock.ts';
import {
  parseTenantsFile,
  readTenantsText,
  tenantsFileOf,
  type TenantRow,
  type TenantsFile,
} from '../../lambda/tenants-file.ts';
import { decodeText, encodingOf } from '../../lambda/text-file.ts';
import { readConfig } from '../shared/load-config.ts';

/** The tenants file of a config. */
export interface TenantsPlace {
  /** What the config exports. */
  input: unknown;
  /** As the config has it. */
  name: string;
  path: string;
}

/** @throws MonitorError `tenants-in-config`, and those of `readConfig` */
export async function tenantsPlace(config: string): Promise<TenantsPlace> {
  const input = await readConfig(config);
  const name = tenantsFileOf(input);
  if (name !== undefined) return { input, name, path: resolve(dirname(config), name) };
  throw new MonitorError(
    'tenants-in-config',
    `The config ${quote(config)} lists its tenants itself, where no command writes.`,
    "Put them into a file: tenants: tenantsFrom('tenants.csv'), as docs/onboarding.md shows. Or edit the list by hand.",
  );
}

/** Its text and rows; an empty file where there is none yet. */
export function readPlace({ name, path }: TenantsPlace): TenantsFile & { content: string } {
  let content = '';
  try {
    content = readTenantsText(path);
  } catch (error) {
    if (!(error instanceof MonitorError && error.code === 'tenants-file-missing')) throw error;
    if (name.toLowerCase().endsWith('.json')) content = '[]\n';
  }
  return { ...parseTenantsFile(content, name), content };
}

/**
 * Changes a tenants file as a whole or not at all, against other commands that do the same. What the change leaves alone
 * stays as it is, byte for byte; so do the mode of the file and a byte order mark.
 * @param purpose for people who find the lock
 * @throws MonitorError `tenants-file-encoding`
 */
export async function editPlace(
  place: TenantsPlace,
  purpose: string,
  change: (file: TenantsFile & { content: string }) => string,
): Promise<void> {
  // A link is followed: the file itself is what changes.
  const path = await realpath(place.path).catch(() => place.path);
  const folder = dirname(path);
  await withLock(folder, `.${basename(path)}`, purpose, async () => {
    const bytes = await stat(path).then(
      () => readFileSync(path),
      () => Buffer.alloc(0),
    );
    const encoding = encodingOf(bytes);
    if (encoding?.startsWith('utf-16')) {
      throw new MonitorError(
        'tenants-file-encoding',
        `${quote(place.name)} is in UTF-16, which is read but not written.`,
        'Save it as UTF-8 (Excel: "CSV UTF-8") and run the command again.',
      );
    }
    const changed = change(readPlace(place));
    const mark = encoding === undefined ? '' : '\uFEFF';
    // What cannot be decoded would be written back as something else; reading it has failed before.
    if (!Buffer.from(mark + decodeText(bytes)).equals(bytes)) throw new Error(`${path} is not UTF-8`);
    const mode = await stat(path).then(
      (found) => found.mode & 0o777,
      () => 0o600,
    );
    const finished = await writeTemporary(folder, Buffer.from(mark + changed));
    try {
      await chmod(finished, mode);
      await rename(finished, path);
    } catch (error) {
      await unlink(finished).catch(() => undefined);
      throw error;
    }
  });
}

/** A field of a row; empty where it has none, or no text. */
export function textOf({ tenant }: TenantRow, field: 'name' | 'tenantId'): string {
  const value = tenant[field];
  return typeof value === 'string' ? value : '';
}

/** @throws MonitorError `tenant-unknown` */
export function unknownTenant(wanted: string, { name }: TenantsPlace): MonitorError {
  return new MonitorError(
    'tenant-unknown',
    `No row of ${quote(name)} has the name, the id or the domain ${quote(wanted)}.`,
    `To list them: ${commandLine('tenant list')}`,
  );
}
