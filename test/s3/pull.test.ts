import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { pull } from '../../lambda/archive/pull.ts';
import { s3Store, type S3Store } from '../../lambda/archive/s3-store.ts';
import { addDays } from '../../lambda/dates.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import { archiveTenant } from '../archive/archive-day.ts';
import { secureScore } from '../cli/support.ts';
import { newBucket } from './bucket.ts';

const root = await mkdtemp(path.join(tmpdir(), 'pull-'));
afterAll(() => rm(root, { recursive: true }));
let folders = 0;
const newFolder = () => path.join(root, `copy-${(folders += 1)}`);

const tenant = practiceTenant({ today: addDays('2026-03-31', -10) });
let bucket: string;
let source: S3Store;
beforeAll(async () => {
  bucket = await newBucket();
  source = s3Store({ bucket, prefix: 'some/prefix' });
  await archiveTenant(source, tenant);
}, 120_000);

/** Every object of the folder is, to the byte, what the bucket has; @returns how many there are */
async function expectComplete(folder: string): Promise<number> {
  const copy = folderStore(folder);
  const keys = await copy.list('');
  for (const key of keys) {
    const [here, there] = [await copy.get(key), await source.get(key)];
    expect(`${key} ${Buffer.compare(here!.bytes, there!.bytes)}`).toBe(`${key} 0`);
  }
  return keys.length;
}

describe('archive pull', () => {
  it('copies everything, then nothing, then what is new or changed', async () => {
    const folder = newFolder();
    const all = (await source.list('')).length;
    expect(await pull({ source, folder })).toMatchObject({ objects: all, fetched: all });
    expect(await expectComplete(folder)).toBe(all);
    expect(await pull({ source, folder })).toEqual({ objects: all, fetched: 0, bytes: 0 });

    tenant.advance(1);
    await archiveTenant(source, tenant);
    const fetched: string[] = [];
    const watched: S3Store = { ...source, get: (key) => (fetched.push(key), source.get(key)) };
    await pull({ source: watched, folder });
    expect(await expectComplete(folder)).toBe((await source.list('')).length);
    // The new snapshot, its entry of the ledger, this month's columns, and the two states; perhaps a catalogue.
    expect(fetched.filter((key) => key.startsWith('snapshots/'))).toHaveLength(1);
    expect(fetched.filter((key) => key.startsWith('history/')).length).toBeLessThanOrEqual(3);
    expect(fetched.filter((key) => key.startsWith('ledger/'))).toHaveLength(1);
    expect(fetched.slice(-2)).toEqual([
      `state/columns/tenant=${tenant.tenantId}.json`,
      `state/tenant=${tenant.tenantId}.json`,
    ]);
    expect(fetched.length).toBeLessThanOrEqual(8);
  });

  it('killed at any moment leaves complete objects, and goes on', { timeout: 120_000 }, async () => {
    const folder = newFolder();
    const all = (await source.list('')).length;
    const begun = async () => {
      const child = spawn(
        process.execPath,
        ['bin/secure-score.ts', 'archive', 'pull', source.location, folder],
        { stdio: 'ignore', env: process.env, cwd: path.resolve(import.meta.dirname, '../..') },
      );
      const ended = once(child, 'exit');
      const before = await objectsIn(folder);
      while (child.exitCode === null && (await objectsIn(folder)) < before + 15) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      child.kill('SIGKILL');
      await ended;
      return child.signalCode;
    };
    expect(await begun()).toBe('SIGKILL');
    const first = await expectComplete(folder);
    expect(await begun()).toBe('SIGKILL');
    const second = await expectComplete(folder);
    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(first);
    expect(second).toBeLessThan(all);

    const { fetched } = await pull({ source, folder });
    expect(fetched).toBeGreaterThanOrEqual(all - second);
    expect(await expectComplete(folder)).toBe(all);
    // Partly written files are swept away.
    expect(await readdir(path.join(folder, '.tmp'))).toEqual([]);
  });

  it('takes up what changed while it was cut off, and what was lost in the folder', async () => {
    const folder = newFolder();
    const failing: S3Store = {
      ...source,
      get: async (key) => {
        if (key.startsWith('history/controls')) throw new Error('the line is dead');
        return source.get(key);
      },
    };
    await expect(pull({ source: failing, folder })).rejects.toThrow('the line is dead');
    const [lost] = await folderStore(folder).list('snapshots/');
    await rm(path.join(folder, lost!));
    await pull({ source, folder });
    expect(await expectComplete(folder)).toBe((await source.list('')).length);
  });

  it('of one tenant, or of the history alone', async () => {
    const other = tenant.tenantId.replace(/^./, 'f');
    for (const key of [
      `snapshots/tenant=${other}/date=2026-01-01/x`,
      `history/scores/month=2026-01/${other}.parquet`,
    ]) {
      await new S3Client({}).send(
        new PutObjectCommand({ Bucket: bucket, Key: `some/prefix/${key}`, Body: 'x' }),
      );
    }
    const folder = newFolder();
    expect(await pull({ source, folder, tenantId: other })).toMatchObject({ objects: 2, fetched: 2 });
    const history = newFolder();
    await pull({ source, folder: history, onlyHistory: true });
    const keys = await folderStore(history).list('');
    expect(keys).toEqual(await source.list('history/'));
  });

  it('refuses a folder with an archive of its own, and the copy of another bucket', async () => {
    const folder = newFolder();
    await archiveTenant(folderStore(folder), practiceTenant({ today: '2026-03-01' }));
    await expect(pull({ source, folder })).rejects.toMatchObject({
      code: 'pull-folder-taken',
      message: expect.stringContaining('holds an archive of its own'),
    });
    const copy = newFolder();
    await pull({ source, folder: copy, onlyHistory: true });
    const another = s3Store({ bucket: await newBucket() });
    await expect(pull({ source: another, folder: copy })).rejects.toMatchObject({
      message: expect.stringContaining('is the copy of "s3://'),
    });
    // Notes that cannot be read cost time, nothing else.
    await writeFile(path.join(copy, '.pulled.json'), '{');
    await pull({ source, folder: copy, onlyHistory: true });
    const file = path.join(root, 'file');
    await writeFile(file, '');
    await expect(pull({ source, folder: file })).rejects.toMatchObject({ code: 'pull-folder-taken' });
  });

  it('is a command', async () => {
    const folder = newFolder();
    const { code, stdout } = await secureScore('archive', 'pull', source.location, folder);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Fetched \d+ objects, [\d.]+ kB, into /)]);
    const again = await secureScore('archive', 'pull', source.location, folder, '--json');
    expect(again.json()).toMatchObject({ fetched: 0 });
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const verified = await secureScore('archive', 'verify', '--archive', folder, '--tenant', tenant.tenantId);
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('✓ complete')]);
    expect(JSON.parse(await readFile(path.join(folder, '.pulled.json'), 'utf8'))).toMatchObject({
      source: source.location,
    });
    expect(await secureScore('archive', 'pull', 's3://not-there-at-all', newFolder())).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no such bucket'),
    });
  });

  it('and the bucket itself can be verified and rebuilt', async () => {
    const flags = ['--archive', source.location, '--tenant', tenant.tenantId];
    expect(await secureScore('archive', 'rebuild', ...flags)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('every file was already right'),
    });
    expect(await secureScore('archive', 'verify', ...flags)).toMatchObject({ code: 0 });
  });
});

async function objectsIn(folder: string): Promise<number> {
  return (await readdir(path.join(folder, 'snapshots'), { recursive: true }).catch(() => [])).filter((name) =>
    name.endsWith('.gz'),
  ).length;
}
