import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cacheOf } from '../../cli/history/cache.ts';
import { secureScore } from '../cli/support.ts';
import { CONTOSO, FABRIKAM, SAMPLE, writeHistory, type Rows } from '../history/sample.ts';
import { newBucket } from './bucket.ts';

const root = await mkdtemp(path.join(tmpdir(), 'history-s3-'));
const s3 = new S3Client({});
let bucket: string;

beforeAll(async () => {
  vi.stubEnv('XDG_CACHE_HOME', path.join(root, 'cache'));
  bucket = await newBucket();
  await upload('sound', SAMPLE);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

async function upload(name: string, rows: Rows): Promise<void> {
  const folder = path.join(root, name);
  await writeHistory(folder, rows);
  for (const file of await readdir(folder, { recursive: true })) {
    if (!file.endsWith('.parquet')) continue;
    const Key = `some/prefix/${file.split(path.sep).join('/')}`;
    await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key, Body: await readFile(path.join(folder, file)) }),
    );
  }
}

const location = () => `s3://${bucket}/some/prefix`;
const fileOf = (tenant: string) =>
  path.join(cacheOf(location()), `history/scores/month=2026-02/${tenant}.parquet`);
const trend = async (...args: string[]) => {
  const result = await secureScore('history', 'trend', '--json', '--archive', location(), ...args);
  expect([result.code, result.stderr]).toEqual([0, '']);
  return result.json() as { tenant: string; date: string; points: number }[];
};

describe('secure-score history on a bucket', () => {
  it('copies the history of the tenant that is asked for, then what is missing', async () => {
    expect(await trend('--tenant', FABRIKAM)).toHaveLength(6);
    await expect(stat(fileOf(CONTOSO))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await trend()).toHaveLength(13);
  });

  it('fetches nothing twice, and again what was rewritten', async () => {
    await trend();
    const before = await stat(fileOf(FABRIKAM));
    await trend();
    expect((await stat(fileOf(FABRIKAM))).mtimeMs).toBe(before.mtimeMs);

    const scores = SAMPLE.scores.map((row) =>
      row['tenant'] === FABRIKAM && row['date'] === '2026-02-06' ? { ...row, points: 77 } : row,
    );
    await upload('moved', { ...SAMPLE, scores });
    expect((await trend('--tenant', FABRIKAM)).at(-1)).toMatchObject({ date: '2026-02-06', points: 77 });
  });

  it('reports a bucket without a history', async () => {
    const { code, stderr } = await secureScore('history', 'trend', '--archive', `s3://${bucket}/empty`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/has no history yet.\n→ .*archive rebuild --archive s3:/);
  });
});

describe('the copy of a bucket', () => {
  it('is in the cache folder of the user, that of a prefix beside that of its bucket', () => {
    expect(cacheOf('s3://b', { XDG_CACHE_HOME: '/c' })).toBe('/c/secure-score/b');
    expect(cacheOf('s3://b/history/x/', { XDG_CACHE_HOME: '/c' })).toBe('/c/secure-score/b+history+x');
    expect(cacheOf('S3://b', { XDG_CACHE_HOME: 'relative' })).toMatch(/^\/.*secure-score\/b$/);
  });
});
