import { mkdtemp, readdir, rm } from 'node:fs/promises';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { withLock } from '../../lambda/archive/folder-lock.ts';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { outboxMailer } from '../../lambda/channels/outbox-mailer.ts';
import { mailOf } from '../channels/mails.ts';
import { bytes, textOf } from './store-contract.ts';

// What a disk may answer and a test cannot bring about: it runs as root, and on one file system.
vi.mock('node:fs/promises', { spy: true });

const failure = (code: string): Error => Object.assign(new Error(`${code}: as it happens`), { code });

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'faults-'));
});
afterEach(async () => {
  vi.mocked(fs.link).mockReset();
  vi.mocked(fs.rename).mockReset();
  vi.mocked(fs.open).mockReset();
  vi.mocked(fs.unlink).mockReset();
  await rm(root, { recursive: true });
});

describe('a folder', () => {
  test.each(['EPERM', 'ENOTSUP', 'EXDEV'])('without hard links (%s) is reported', async (code) => {
    const store = folderStore(root);
    vi.mocked(fs.link).mockRejectedValueOnce(failure(code));
    await expect(store.create('a', bytes('1'))).rejects.toMatchObject({
      code: 'archive-links-unsupported',
      message: expect.stringContaining(code),
      retryable: false,
    });
    expect(await readdir(path.join(root, '.tmp'))).toEqual([]);
  });

  test.each(['EPERM', 'ENOTSUP', 'EXDEV'])('of mails without hard links (%s) is reported', async (code) => {
    vi.mocked(fs.link).mockRejectedValueOnce(failure(code));
    await expect(outboxMailer(root).send(mailOf())).rejects.toMatchObject({
      code: 'outbox-links-unsupported',
      message: expect.stringContaining(code),
      advice: expect.stringMatching(/^The outbox needs hard links.*exFAT/),
    });
    expect(await readdir(root)).toEqual([]);
  });

  test.each([
    ['ENOSPC', 'archive-full', false],
    ['EDQUOT', 'archive-full', false],
    ['EACCES', 'archive-access-denied', false],
    ['EROFS', 'archive-read-only', false],
    ['ENAMETOOLONG', 'archive-name-too-long', false],
    ['EMFILE', 'archive-failed', true],
    ['EIO', 'archive-failed', false],
  ])('that answers %s is reported as %s, and nothing has changed', async (code, ours, retryable) => {
    const store = folderStore(root);
    const version = await store.replace('state/a.json', bytes('1'), null);
    const expected = {
      code: ours,
      retryable,
      message: expect.stringMatching(new RegExp(`"state/a.json" in the archive folder .*${code}`)),
      advice: expect.stringMatching(/\w+/),
    };
    vi.mocked(fs.rename).mockRejectedValueOnce(failure(code));
    await expect(store.replace('state/a.json', bytes('2'), version ?? null)).rejects.toMatchObject(expected);
    vi.mocked(fs.open).mockRejectedValueOnce(failure(code));
    await expect(store.replace('state/a.json', bytes('2'), version ?? null)).rejects.toMatchObject(expected);
    expect(await textOf(store, 'state/a.json')).toBe('1');
    expect(await readdir(path.join(root, '.tmp'))).toEqual([]);
  });

  test.runIf(process.platform === 'linux')(
    'that can never exist is reported, and not tried for ever',
    async () => {
      const absent = folderStore('/proc/none/archive');
      await expect(absent.create('a', bytes('1'))).rejects.toMatchObject({ code: 'archive-failed' });
      await expect(outboxMailer('/proc/none/mails').send(mailOf())).rejects.toMatchObject({
        code: 'outbox-unwritable',
      });
    },
  );

  test('whose disk fills up while a file is written keeps no part of it', async () => {
    const store = folderStore(root);
    const open =
      vi.mocked(fs.open).getMockImplementation() ??
      (await vi.importActual<typeof fs>('node:fs/promises')).open;
    vi.mocked(fs.open).mockImplementationOnce(async (...args) => {
      const handle = await open(...args);
      handle.sync = () => Promise.reject(failure('ENOSPC'));
      return handle;
    });
    // The first file that is opened for a known folder is the temporary one.
    await fs.mkdir(path.join(root, '.tmp'));
    await expect(store.create('a', bytes('1'))).rejects.toMatchObject({ code: 'archive-full' });
    expect(await readdir(root)).toEqual(['.tmp']);
    expect(await readdir(path.join(root, '.tmp'))).toEqual([]);
  });

  test('that cannot be flushed (Windows) still accepts objects', async () => {
    const store = folderStore(root);
    await store.create('a', bytes('1'));
    const actual = await vi.importActual<typeof fs>('node:fs/promises');
    vi.mocked(fs.open).mockImplementation((name, flags, mode) =>
      flags === 'r' ? Promise.reject(failure('EPERM')) : actual.open(name, flags, mode),
    );
    expect(await store.create('b', bytes('2'))).toBe('created');
    expect(await textOf(store, 'b')).toBe('2');
  });

  test('has an object on the disk before its name, and its name before the call returns', async () => {
    const store = folderStore(root);
    const version = await store.replace('state/a.json', bytes('1'), null);
    const actual = await vi.importActual<typeof fs>('node:fs/promises');
    const steps: string[] = [];
    const nameOf = (file: unknown): string =>
      String(file).endsWith('.tmp') && path.basename(String(file)) !== '.tmp'
        ? 'temporary'
        : path.relative(root, String(file));
    vi.mocked(fs.open).mockImplementation(async (name, flags, mode) => {
      const handle = await actual.open(name, flags, mode);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        steps.push(`flush ${nameOf(name)}`);
        await sync();
      };
      return handle;
    });
    vi.mocked(fs.link).mockImplementation(async (from, to) => {
      steps.push(`link ${nameOf(from)} ${path.extname(String(to)) === '.lock' ? 'lock' : nameOf(to)}`);
      await actual.link(from, to);
    });
    vi.mocked(fs.rename).mockImplementation(async (from, to) => {
      steps.push(`rename ${nameOf(from)} ${nameOf(to)}`);
      await actual.rename(from, to);
    });

    await store.create('new/a', bytes('1'));
    expect(steps.splice(0)).toEqual(['flush temporary', 'flush ', 'link temporary new/a', 'flush new']);
    await store.create('new/a', bytes('1'));
    expect(steps.splice(0)).toEqual(['flush new']);
    await store.replace('state/a.json', bytes('2'), version ?? null);
    expect(steps).toEqual([
      'flush temporary',
      'flush temporary', // the lock's
      'link temporary lock',
      'rename temporary state/a.json',
      'flush state',
    ]);
  });

  test('gives the lock of a dead holder to only one process, even if another is slow to remove it', async () => {
    const lock = path.join(root, 'one.lock');
    await fs.writeFile(lock, 'of somebody');
    await fs.utimes(lock, 1, 1);
    const actual = await vi.importActual<typeof fs>('node:fs/promises');
    let slow = 1;
    vi.mocked(fs.unlink).mockImplementation(async (name) => {
      if (name === lock && slow-- > 0) await sleep(60);
      await actual.unlink(name);
    });
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, (inside += 1));
      await sleep(120);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(root, 'one', 'a test', work)));
    expect(most).toBe(1);
    expect(await readdir(root)).toEqual([]);
  });

  test('on NFS may answer that a link exists that it has just made itself', async () => {
    const store = folderStore(root);
    const version = await store.replace('state/a.json', bytes('1'), null);
    const actual = await vi.importActual<typeof fs>('node:fs/promises');
    vi.mocked(fs.link).mockImplementationOnce(async (from, to) => {
      await actual.link(from, to);
      throw failure('EEXIST');
    });
    expect(await store.replace('state/a.json', bytes('2'), version ?? null)).toBeDefined();
    expect(await readdir(path.join(root, '.tmp'))).toEqual([]);
  });
});
