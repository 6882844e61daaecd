import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Archive } from '../../../lambda/archive/archive.ts';
import { openStore } from '../../../lambda/archive/open-store.ts';
import { machineClock } from '../../../lambda/clock.ts';
import type { Tenant } from '../../../lambda/config.ts';
import { MonitorError, quote } from '../../../lambda/errors.ts';
import { stackFlag } from '../../../lambda/outputs.ts';
import type { ObjectStore } from '../../../lambda/ports.ts';
import { count, moment } from '../../../lambda/report/format.ts';
import { OVERDUE_AFTER_MS } from '../../../lambda/watch/situation.ts';
import { asked, PATIENCE } from '../../shared/aws.ts';
import { DEPLOY } from '../../shared/deployment.ts';
import { appendOnlyGaps } from './bucket-policy.ts';
import type { Outcome } from './examination.ts';
import { commandLine } from '../../../lambda/command-line.ts';

const s3 = () => new S3Client(PATIENCE);

/** A bucket that is there and may be listed. */
export async function bucketCheck(location: string): Promise<Outcome<ObjectStore>> {
  const store = openStore(location);
  const bucket = bucketOf(location);
  await asked(
    's3:ListBucket',
    `the bucket ${quote(bucket)}`,
    s3().send(new HeadBucketCommand({ Bucket: bucket })),
    {
      NotFound: () => bucketMissing(bucket),
      NoSuchBucket: () => bucketMissing(bucket),
      301: () => elsewhere(bucket),
      PermanentRedirect: () => elsewhere(bucket),
    },
  );
  await store.list('state/');
  return { found: `${store.location} is there and can be read`, value: store };
}

function bucketMissing(bucket: string): MonitorError {
  return new MonitorError(
    'bucket-missing',
    `There is no bucket ${quote(bucket)}.`,
    `${DEPLOY}. If the archive is another bucket, name it: archive.bucket in the config, or --archive s3://bucket.`,
  );
}

function elsewhere(bucket: string): MonitorError {
  return new MonitorError(
    'bucket-elsewhere',
    `The bucket ${quote(bucket)} is in another region.`,
    'Set AWS_REGION to the region of the deployment.',
  );
}

export async function versioningCheck(location: string): Promise<Outcome<void>> {
  const bucket = bucketOf(location);
  const { Status } = await asked(
    's3:GetBucketVersioning',
    `the bucket ${quote(bucket)}`,
    s3().send(new GetBucketVersioningCommand({ Bucket: bucket })),
  );
  if (Status === 'Enabled') return { found: 'every version of an object is kept', value: undefined };
  throw new MonitorError(
    'bucket-not-versioned',
    `The bucket ${quote(bucket)} keeps no versions (${Status ?? 'never enabled'}): what is deleted is gone.`,
    `Enable versioning: ${DEPLOY}, or aws s3api put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled`,
  );
}

/** Snapshots, profiles and reports can be added and never overwritten, by anybody. */
export async function appendOnlyCheck(location: string): Promise<Outcome<void>> {
  const bucket = bucketOf(location);
  const missing = (what: string) =>
    new MonitorError(
      'bucket-not-append-only',
      `The policy of the bucket ${quote(bucket)} lets archived days be overwritten: ${what}.`,
      `${DEPLOY}: it denies s3:PutObject without If-None-Match on snapshots/, profiles/, reports/ and ledger/. On a bucket of your own, add that statement to its policy.`,
    );
  const { Policy } = await asked(
    's3:GetBucketPolicy',
    `the bucket ${quote(bucket)}`,
    s3().send(new GetBucketPolicyCommand({ Bucket: bucket })),
    { NoSuchBucketPolicy: () => missing('it has none') },
  );
  const gaps = appendOnlyGaps(Policy ?? '', bucket, prefixOf(location));
  if (gaps.length === 0)
    return { found: 'archived days cannot be overwritten, by anybody', value: undefined };
  throw missing(`it does not cover ${gaps.join(', ')}`);
}

/** The archive, where it is a folder. */
export async function folderCheck(location: string): Promise<Outcome<ObjectStore>> {
  const store = openStore(location);
  return { found: await foundFolder(store.location, 'archive'), value: store };
}

/** The folder of the mails. */
export async function outboxCheck(outbox: string): Promise<Outcome<void>> {
  return { found: await foundFolder(path.resolve(outbox), 'outbox'), value: undefined };
}

/**
 * A folder that can be written, or made.
 * @param flag that names it
 * @returns what was found. @throws MonitorError `archive-unwritable`, `outbox-unwritable`
 */
async function foundFolder(location: string, flag: 'archive' | 'outbox'): Promise<string> {
  const there = await stat(location).catch(() => null);
  if (there && !there.isDirectory()) {
    throw new MonitorError(
      `${flag}-unwritable`,
      `${quote(location)} is not a folder.`,
      `Name a folder with --${flag}.`,
    );
  }
  const folder = there ? location : await nearestFolder(location);
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new MonitorError(
      `${flag}-unwritable`,
      `The folder ${quote(folder)} cannot be read and written by the user that runs this.`,
      `Let the user that runs this write to it, or name another folder with --${flag}.`,
    );
  }
  return there ? `${location} is there and can be written` : `${location} is made by the first run`;
}

async function nearestFolder(missing: string): Promise<string> {
  const parent = path.dirname(missing);
  return parent === missing || (await stat(parent).catch(() => null)) ? parent : nearestFolder(parent);
}

/** By the state that the last run left. @param stack whose schedule makes runs due daily; null where none does */
export async function lastRunCheck(
  tenant: Tenant,
  store: ObjectStore,
  stack: string | null,
): Promise<Outcome<void>> {
  const { state } = await new Archive(store, tenant.tenantId).state();
  const runNow = commandLine(stack === null ? 'run' : `run --deployed${stackFlag(stack)}`);
  const lastRun = state?.lastRun ?? null;
  const failing = state?.said.failing ?? null;
  if (failing) {
    const last = lastRun ? `The last that succeeded was on ${moment(lastRun.at)}.` : 'None ever succeeded.';
    throw new MonitorError(
      'runs-fail',
      `Runs have failed since ${moment(failing.since)}. ${last}`,
      `Mend what is marked above, then: ${runNow} --tenant ${quote(tenant.name)}`,
    );
  }
  if (!lastRun) {
    return { found: 'there was none yet', value: undefined, warning: `Run it now: ${runNow}` };
  }
  const age = machineClock.now().getTime() - Date.parse(lastRun.at);
  const hours = age / 3_600_000;
  const found = `on ${moment(lastRun.at)}, ${hours < 48 ? count(Math.max(0, Math.floor(hours)), 'hour') : count(Math.floor(hours / 24), 'day')} ago`;
  if (age <= OVERDUE_AFTER_MS) return { found, value: undefined };
  if (stack === null) return { found, value: undefined, warning: `Run daily, by cron or a timer: ${runNow}` };
  throw new MonitorError(
    'overdue',
    `${found}: the next one is overdue.`,
    `See the schedule above and the log of the function; run it now with: ${runNow} --tenant ${quote(tenant.name)}`,
  );
}

function bucketOf(location: string): string {
  return location.slice('s3://'.length).split('/')[0] ?? '';
}

function prefixOf(location: string): string {
  const prefix = location.slice('s3://'.length).split('/').slice(1).join('/').replace(/\/$/, '');
  return prefix === '' ? '' : `${prefix}/`;
}
