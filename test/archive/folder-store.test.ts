import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { withLock } from '../../lambda/archive/folder-lock.ts';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { bytes, storeContract, textOf } from './store-contract.ts';
import { kill, temporaryRoots, writer } from './writers.ts';

const newRoot = temporaryRoots();

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const lockName = digest('state/a.json');

/** A process that held the lock of this name and was killed. */
async function killedHolder(root: string, name: string): Promise<void> {
  await mkdir(path.join(root, '.tmp'), { recursive: true });
  const child = writer(root, 'hold', name);
  await once(child.stdout, 'data');
  await kill(child);
}

describe('a folder', () => {
  storeContract(
    async () => folderStore(await newRoot()),
    (store) => folderStore(store.location),
  );

  test('and everything in it are readable by their owner alone', async () => {
    const root = path.join(await newRoot(), 'below/this');
    await folderStore(root).create('a/b', bytes('1'));
    const mode = async (name: string): Promise<string> => ((await stat(name)).mode & 0o777).toString(8);
    expect(await mode(root)).toBe('700');
    expect(await mode(path.join(root, 'a'))).toBe('700');
    expect(await mode(path.join(root, 'a/b'))).toBe('600');
  });

  test('is not changed by reading, and contains only objects after writing', async () => {
    const root = path.join(await newRoot(), 'not-yet');
    const store = folderStore(root);
    expect([await store.get('a'), await store.list('')]).toEqual([undefined, []]);
    expect(existsSync(root)).toBe(false);
    await store.create('a', bytes('1'));
    await store.create('a', bytes('2'));
    const version = await store.replace('b', bytes('1'), null);
    await store.replace('b', bytes('2'), version ?? null);
    await store.replace('b', bytes('3'), version ?? null);
    expect(await readdir(root)).toEqual(['.tmp', 'a', 'b']);
    expect(await readdir(path.join(root, '.tmp'))).toEqual([]);
  });

  test('may be a link, but may not contain any', async () => {
    const root = await newRoot();
    await folderStore(root).create('a/b', bytes('1'));
    await symlink(root, `${root}-link`);
    onTestFinished(() => rm(`${root}-link`));
    expect(await folderStore(`${root}-link`).list('')).toEqual(['a/b']);
    await symlink('..', path.join(root, 'a/up'));
    await expect(folderStore(root).list('')).rejects.toMatchObject({
      code: 'archive-symbolic-link',
      message: expect.stringContaining('a/up'),
    });
  });

  test('may contain files that do not belong to the archive', async () => {
    const root = await newRoot();
    await writeFile(path.join(root, '.DS_Store'), '');
    await writeFile(path.join(root, 'read me.txt'), '');
    await symlink('.', path.join(root, '.link'));
    await folderStore(root).create('a', bytes('1'));
    expect(await folderStore(root).list('')).toEqual(['a']);
  });

  test('that is a file is reported', async () => {
    const file = path.join(await newRoot(), 'file');
    await writeFile(file, '');
    const store = folderStore(file);
    const wrong = { code: 'archive-not-a-folder', message: expect.stringContaining(file), retryable: false };
    await expect(store.get('a')).rejects.toMatchObject(wrong);
    await expect(store.list('')).rejects.toMatchObject(wrong);
    await expect(store.list('a/')).rejects.toMatchObject(wrong);
    await expect(store.create('a', bytes(''))).rejects.toMatchObject(wrong);
    await expect(store.replace('a', bytes(''), null)).rejects.toMatchObject(wrong);
  });

  test('whose folders are in the place of an object is reported', async () => {
    const store = folderStore(await newRoot());
    await store.create('a/b', bytes('1'));
    const wrong = { code: 'archive-key-taken', message: expect.stringContaining('"a"') };
    await expect(store.get('a')).rejects.toMatchObject(wrong);
    await expect(store.create('a', bytes(''))).rejects.toMatchObject(wrong);
    await expect(store.replace('a', bytes(''), null)).rejects.toMatchObject(wrong);
    await expect(store.create('a/b/c', bytes(''))).rejects.toMatchObject({ code: 'archive-not-a-folder' });
  });

  test('that links in a circle is reported', async () => {
    const link = path.join(await newRoot(), 'link');
    await symlink(link, link);
    await expect(folderStore(link).get('a')).rejects.toMatchObject({ code: 'archive-link-loop' });
  });
});

describe('processes', () => {
  test('that share a counter lose no step', { timeout: 20_000 }, async () => {
    const root = await newRoot();
    const children = [writer(root, 'count', '50'), writer(root, 'count', '50')];
    expect((await Promise.all(children.map((child) => once(child, 'exit')))).flat()).toEqual([
      0,
      null,
      0,
      null,
    ]);
    expect(await textOf(folderStore(root), 'state/counter')).toBe('100');
  });
});

describe('a lock', () => {
  let root: string;
  let folder: string;
  let lock: string;
  let instance: string;
  beforeEach(async () => {
    root = await newRoot();
    folder = path.join(root, '.tmp');
    onTestFinished(async () => {
      const left = await readdir(folder);
      if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
    });
    lock = path.join(folder, 'one.lock');
    await mkdir(folder);
    await withLock(folder, 'one', 'a test', async () => {
      ({ instance } = JSON.parse(await readFile(lock, 'utf8')));
    });
  });

  const take = (patience = 2_000): Promise<string> =>
    withLock(folder, 'one', 'a test', async () => 'taken', performance.now() + patience);
  const leave = (by: string): Promise<void> =>
    writeFile(
      lock,
      JSON.stringify({ instance: by, host: 'elsewhere', pid: 7, since: 'today', purpose: 'x' }),
    );

  test('keeps others out, in the same process too, and is free again after an error', async () => {
    let inside = 0;
    let most = 0;
    const work = async (i: number): Promise<void> => {
      most = Math.max(most, (inside += 1));
      await sleep(1);
      inside -= 1;
      if (i % 3 === 0) throw new Error('as it happens');
    };
    await Promise.allSettled(
      Array.from({ length: 12 }, (_, i) => withLock(folder, 'one', 'a test', () => work(i))),
    );
    expect(most).toBe(1);
    expect(await take()).toBe('taken');
  });

  test('of a living holder is waited for, then reported with its holder', async () => {
    await withLock(folder, 'one', 'state/a.json', async () => {
      await expect(take(50)).rejects.toMatchObject({
        code: 'archive-locked',
        retryable: true,
        message: expect.stringMatching(new RegExp(`process "?${process.pid}"? on .* for "state/a.json"`)),
      });
    });
    expect(await take()).toBe('taken');
  });

  test('of a killed holder goes to the next process, and only to one', async () => {
    await killedHolder(root, 'one');
    let inside = 0;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        withLock(folder, 'one', 'a test', async () => {
          expect((inside += 1)).toBe(1);
          await sleep(1);
          inside -= 1;
          return 'taken';
        }),
      ),
    );
    expect(new Set(answers)).toEqual(new Set(['taken']));
    await folderStore(root).create('a', bytes('')); // sweeps what the killed one has left
  });

  test('of a killed holder is taken over even if a process was killed while taking it over', async () => {
    await killedHolder(root, 'one');
    await killedHolder(root, digest(await readFile(lock, 'utf8')));
    expect(await take()).toBe('taken');
    await folderStore(root).create('a', bytes(''));
  });

  test('of a killed holder does not stop a state from being replaced', async () => {
    const store = folderStore(root);
    const version = await store.replace('state/a.json', bytes('1'), null);
    await killedHolder(root, lockName);
    expect(await store.replace('state/a.json', bytes('2'), version ?? null)).toBeDefined();
    await folderStore(root).create('a', bytes(''));
  });

  test.runIf(existsSync('/proc/self/stat'))(
    'of a process whose number another one has now is dead',
    async () => {
      await leave(instance.replace(/-\d+-(\d+)-/, (_, start) => `-${process.pid}-${Number(start) - 1}-`));
      expect(await take()).toBe('taken');
    },
  );

  test.runIf(existsSync('/proc/self/stat'))('of a process that is dead but not buried is dead', async () => {
    // The shell becomes a sleep, which never waits for the child that the shell has started.
    const parent = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    const fields = async (): Promise<string[]> =>
      (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
    while ((await fields())[0] !== 'Z') await sleep(5);
    await leave(instance.replace(/-\d+-\d+-/, `-${pid}-${(await fields())[19]}-`));
    expect(await take()).toBe('taken');
  });

  /** Makes a file older, by the clock that stamped it: that of the file system, as the store goes by it. */
  const age = async (file: string, seconds: number) => {
    const at = (await stat(file)).mtimeMs / 1000 - seconds;
    await utimes(file, at, at);
  };

  test('of another machine, or of before a reboot, is dead when it is old', async () => {
    await leave('ffffffffffff-1-1-other');
    await expect(take(50)).rejects.toMatchObject({
      code: 'archive-locked',
      message: expect.stringContaining('elsewhere'),
    });
    await age(lock, 31);
    expect(await take()).toBe('taken');
  });

  test('that nobody can read is dead when it is old', async () => {
    await writeFile(lock, '');
    await expect(take(50)).rejects.toMatchObject({ code: 'archive-locked' });
    await age(lock, 31);
    expect(await take()).toBe('taken');
  });

  test('that another machine took over is not removed by its former holder', async () => {
    await withLock(folder, 'one', 'a test', async () => {
      await rm(lock);
      await leave('ffffffffffff-1-1-other');
    });
    expect(await readFile(lock, 'utf8')).toContain('ffffffffffff-1-1-other');
    await rm(lock);
  });

  test('and files of the living are not swept', async () => {
    const mine = path.join(folder, `${instance}x.tmp`);
    const foreign = path.join(folder, 'ffffffffffff-1-1-other.tmp');
    const forgotten = path.join(folder, 'ffffffffffff-1-1-forgotten.tmp');
    for (const file of [mine, foreign, forgotten]) await writeFile(file, '');
    await leave(instance);
    for (const file of [mine, lock, forgotten]) await age(file, 25 * 3600);
    await folderStore(root).create('a', bytes(''));
    expect((await readdir(folder)).toSorted()).toEqual(
      [mine, foreign, lock].map((file) => path.basename(file)).toSorted(),
    );
    for (const file of [mine, foreign, lock]) await rm(file);
  });
});
