import { createHash } from 'node:crypto';
import { lstat, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { MonitorError, quote } from '../errors.ts';
import type { ObjectStore } from '../ports.ts';
import { codeOf, linkTo, sweep, unless, withLock, writeTemporary } from './folder-lock.ts';
import { checkKey, checkPrefix, isKey } from './key.ts';

/**
 * Objects as files of a folder, with the guarantees of the bucket. After a kill or a loss of power at any moment an
 * object is complete or absent, and what a call has returned stays.
 *
 * `create` writes a temporary file to the end and gives it its name by link(2), which never overwrites. `replace`
 * compares and renames under a lock whose dead holder is noticed (folder-lock.ts). Temporary files and locks lie in
 * `<root>/.tmp`; the next process removes what killed ones left there at its first write.
 *
 * The archive describes how well a tenant is secured: new folders and files are only for their owner (0700, 0600).
 * For Linux and macOS. Windows (NTFS) has all it needs, but is not tested, and a folder cannot be flushed there, so
 * that the last objects may be missing after a loss of power. Keys that differ only in case would be one file on macOS and
 * Windows; the archive's layout has none.
 *
 * @param root path of the folder, which is created by the first write. A version is the SHA-256 of the bytes.
 */
export function folderStore(root: string): ObjectStore {
  const location = path.resolve(root);
  const temporary = path.join(location, '.tmp');
  const pathOf = (key: string): string => path.join(location, key);
  let swept: Promise<void> | undefined;

  /** Writes the bytes to a temporary file, lets `use` name it, and removes what is left of it. */
  async function withTemporary<T>(bytes: Uint8Array, use: (file: string) => Promise<T>): Promise<T> {
    await makeFolder(temporary);
    // A failed sweep is ignored, because the write itself reports what is wrong with the folder.
    swept ??= sweep(temporary).catch(() => undefined);
    await swept;
    const file = await writeTemporary(temporary, bytes);
    try {
      return await use(file);
    } finally {
      await unless(['ENOENT'], unlink(file));
    }
  }

  /** @returns false if an object with that name exists */
  async function linkObject(bytes: Uint8Array, key: string): Promise<boolean> {
    const file = pathOf(key);
    // The folder is flushed even if the object exists, because its writer may not have flushed it yet.
    if (!(await isObject(file))) {
      const made = await withTemporary(bytes, async (finished) => {
        await makeFolder(path.dirname(file));
        return linkTo(finished, file);
      });
      if (made) {
        await flushFolder(path.dirname(file));
        return true;
      }
      await isObject(file);
    }
    await flushFolder(path.dirname(file));
    return false;
  }

  async function read(key: string): Promise<{ bytes: Uint8Array; version: string } | undefined> {
    const bytes = await unless(['ENOENT'], readFile(pathOf(key))).catch(async (error: unknown) => {
      // An object `a` has no `a/b` below it. A root that is a file, however, is an error.
      if (codeOf(error) === 'ENOTDIR' && (await stat(location)).isDirectory()) return undefined;
      throw error;
    });
    return bytes && { bytes, version: versionOf(bytes) };
  }

  return {
    location,

    get: (key) => {
      checkKey(key);
      return explained(location, `read ${quote(key, 300)}`, () => read(key));
    },

    create: (key, bytes) => {
      checkKey(key);
      return explained(location, `write ${quote(key, 300)}`, async () =>
        (await linkObject(bytes, key)) ? 'created' : 'exists',
      );
    },

    replace: (key, bytes, expected) => {
      checkKey(key);
      const wanted = versionOf(bytes);
      return explained(location, `write ${quote(key, 300)}`, async () => {
        if (expected === null) return (await linkObject(bytes, key)) ? wanted : undefined;
        // No lock is needed to see that the swap is lost: what was read is complete, so it was current at that moment.
        if ((await read(key))?.version !== expected) return undefined;
        return withTemporary(bytes, (finished) =>
          withLock(temporary, versionOf(Buffer.from(key)), key, async () => {
            if ((await read(key))?.version !== expected) return undefined;
            await rename(finished, pathOf(key));
            await flushFolder(path.dirname(pathOf(key)));
            return wanted;
          }),
        );
      });
    },

    list: (prefix, after = '') => {
      checkPrefix(prefix);
      checkPrefix(after);
      return explained(location, `list ${quote(prefix, 300)}`, async () => {
        const keys: string[] = [];
        const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
        await collect(location, start, (key, isFolder) => {
          if (isFolder) {
            // `key` ends in `/`, and everything below it begins with it, so all of it sorts before `after` or none.
            const mayMatch = key.startsWith(prefix) || prefix.startsWith(key);
            return mayMatch && (key > after || after.startsWith(key));
          }
          if (key.startsWith(prefix) && key > after) keys.push(key);
          return false;
        });
        return keys.toSorted(); // by code units, as S3 does for these characters
      });
    },
  };
}

const versionOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** True for an object, false if there is nothing. @throws for anything else in the place of an object */
async function isObject(file: string): Promise<boolean> {
  const status = await unless(['ENOENT'], lstat(file));
  if (status === undefined || status.isFile()) return status !== undefined;
  throw Object.assign(new Error(`not a file: ${file}`), { code: 'EISDIR' });
}

/** Walks the folders below `folder` (a key ending in `/`, or empty) for which `visit` returns true. */
async function collect(
  root: string,
  folder: string,
  visit: (key: string, isFolder: boolean) => boolean,
): Promise<void> {
  const entries = await unless(['ENOENT'], readdir(path.join(root, folder), { withFileTypes: true })).catch(
    async (error: unknown) => {
      if (codeOf(error) === 'ENOTDIR' && (await stat(root)).isDirectory()) return undefined;
      throw error;
    },
  );
  for (const entry of entries ?? []) {
    if (!isKey(entry.name)) continue;
    const key = folder + entry.name;
    if (entry.isDirectory()) {
      if (visit(`${key}/`, true)) await collect(root, `${key}/`, visit);
    } else if (entry.isFile()) {
      visit(key, false);
    } else if (entry.isSymbolicLink()) {
      // Following a link could loop, and ignoring it would hide days that `get` finds.
      throw new MonitorError(
        'archive-symbolic-link',
        `the archive folder ${quote(root, 300)} holds a symbolic link, ${quote(key, 300)}`,
        'Replace the link by what it points to. Only the archive folder itself may be one.',
      );
    }
  }
}

/**
 * Creates a folder and its parents, only for their owner, and flushes them so that they survive a loss of power. One by
 * one: Node's `recursive` never ends below a folder that takes none and does not say so, like /proc.
 * @throws the system's error, and nothing for what exists
 */
export async function makeFolder(folder: string): Promise<void> {
  const parent = path.dirname(folder);
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (codeOf(error) !== 'ENOENT' || parent === folder) throw error;
    await makeFolder(parent);
    await unless(['EEXIST'], mkdir(folder, { mode: 0o700 }));
  }
  await flushFolder(parent);
}

/** Flushes the names in a folder to the disk: https://man7.org/linux/man-pages/man2/fsync.2.html, under NOTES. */
async function flushFolder(folder: string): Promise<void> {
  // Windows and some network file systems cannot flush a folder, and offer no other way.
  await unless(
    ['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EBADF'],
    (async () => {
      const handle = await open(folder, 'r');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    })(),
  );
}

/** Runs a file operation. A system error becomes one that says what to do. */
async function explained<T>(location: string, doing: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const code = codeOf(error);
    if (error instanceof MonitorError || code === '') throw error;
    const message = `cannot ${doing} in the archive folder ${quote(location, 300)}`;
    const [name, why, advice] = reasons[code] ?? [
      'archive-failed',
      quote(error instanceof Error ? error.message : error, 300),
      'Check the disk or the mount of the folder; the system error says what failed.',
    ];
    throw new MonitorError(name, `${message}: ${why} (${code})`, advice, {
      retryable: transient.has(code),
      cause: error,
    });
  }
}

const denied: [string, string, string] = [
  'archive-access-denied',
  'not permitted',
  'Give the user that runs this read and write access to the folder and everything in it, or choose another one with --archive.',
];
const full: [string, string, string] = [
  'archive-full',
  'no space left',
  'Make room on the disk (or raise the quota) and run again: what was archived is complete, and the rest is fetched then.',
];

/** System error -> our code, what is wrong, what to do. */
const reasons: Record<string, [string, string, string]> = {
  EACCES: denied,
  EPERM: denied,
  EROFS: [
    'archive-read-only',
    'the file system is read-only',
    'Mount it for writing, or choose another folder with --archive.',
  ],
  ENOSPC: full,
  EDQUOT: full,
  ENOTDIR: [
    'archive-not-a-folder',
    'a part of the path is a file',
    'Choose a folder with --archive, or move the file away.',
  ],
  EISDIR: [
    'archive-key-taken',
    'something that is not a file has the name of the object',
    'Move that folder (or link) away; the archive did not create it.',
  ],
  ELOOP: [
    'archive-link-loop',
    'symbolic links on the path form a circle',
    'Repair the links, or choose another folder with --archive.',
  ],
  ENAMETOOLONG: ['archive-name-too-long', 'the path is too long', 'Choose a folder with a shorter path.'],
};

/** Errors that may be temporary: too many open files, a busy or hanging mount. */
const transient = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'ESTALE', 'ETIMEDOUT', 'ENOMEM']);
