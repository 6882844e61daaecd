/**
 * `npm run bench:pull`: copies a bucket of many small objects (BENCH_OBJECTS, 3,000) from the emulator of
 * `npm run test:s3`, whose own work is in the wall time. Needs Python.
 */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inParallel } from '../lambda/archive/columns/parallel.ts';
import { layout } from '../lambda/archive/layout.ts';
import { pull } from '../lambda/archive/pull.ts';
import { s3Store } from '../lambda/archive/s3-store.ts';
import { leadTo, REGION, startEmulator } from '../test/emulator.ts';

const OBJECTS = Number(process.env['BENCH_OBJECTS'] ?? 3_000);
/** The size of a snapshot of 411 controls without its texts, gzipped. */
const BYTES = 10_000;
const TENANT = '15d9ee56-3ea0-4193-8bf0-df2596951e14';

const { endpoint, stop } = await startEmulator({ services: 's3,sts' });
const folder = await mkdtemp(join(tmpdir(), 'secure-score-bench-pull-'));
try {
  leadTo(endpoint);
  const bucket = 'bench-pull';
  await new S3Client({}).send(
    new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }),
  );
  const source = s3Store({ bucket });
  const numbers = Array.from({ length: OBJECTS }, (_, index) => index);
  await inParallel(
    numbers,
    (index) => {
      const date = new Date(Date.UTC(2020, 0, 1 + index)).toISOString().slice(0, 10);
      return source.create(
        layout.snapshot(TENANT, date, randomBytes(32).toString('hex')),
        randomBytes(BYTES),
      );
    },
    24,
  );
  const idle = process.memoryUsage().rss;
  let most = idle;
  for (const what of ['everything', 'nothing new']) {
    const [started, before] = [performance.now(), process.cpuUsage()];
    const { fetched, bytes } = await pull({
      source,
      folder,
      onProgress: () => (most = Math.max(most, process.memoryUsage().rss)),
    });
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(before);
    const cpu = (user + system) / 1e6;
    console.log(
      `${what}: ${fetched} of ${OBJECTS} objects, ${(bytes / 1e6).toFixed(1)} MB; wall ${seconds.toFixed(1)} s (${(fetched / seconds).toFixed(0)} objects/s, ${(bytes / 1e6 / seconds).toFixed(1)} MB/s), our CPU ${cpu.toFixed(1)} s`,
    );
  }
  console.log(`memory: ${((most - idle) / 2 ** 20).toFixed(0)} MB more than before`);
} finally {
  await rm(folder, { recursive: true, force: true });
  await stop();
}
