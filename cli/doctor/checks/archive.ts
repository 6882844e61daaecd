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
import { layout } from '../../../lambda/archive/layout.ts';
import { openStore } from '../../../lambda/archive/open-store.ts';
import { machineClock } from '../../../lambda/clock.ts';
import type { Tenant } from '../../../lambda/config.ts';
import { MonitorError, quote } from '../../../lambda/errors.ts';
import type { ObjectStore } from '../../../lambda/ports.ts';
import { count, moment } from '../../../lambda/report/format.ts';
import { OVERDUE_AFTER_MS } from '../../../lambda/watch/incidents.ts';
import { asked, PATIENCE } from '../../shared/aws.ts';
import { DEPLOY } from '../../shared/deployment.ts';
import { appendOnlyGaps } from './bucket-policy.ts';
import type { Outcome } from './examination.ts';
import { shellWord } from '../../../lambda/command-line.ts';

const s3 = () => new S3Client(PATIENCE);

/** Checks that a bucket exists and may be listed. */
export async function bucketCheck(location: string): Promise<Outcome<ObjectStore>> {
  const store = await openStore(location);
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
  return { found: `${store.location} exists and can be read`, value: store };
}

function bucketMissing(bucket: string): MonitorError {
  return new MonitorError(
    'bucket-missing',
    `There is no bucket ${quote(bucket)}.`,
    `${DEPLOY}. If the archive is another bucket, set archive.bucket in the config, or pass --archive s3://bucket.`,
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
  if (Status === 'Enabled') return { found: 'every version of an object remains', value: undefined };
  throw new MonitorError(
    'bucket-not-versioned',
    `The bucket ${quote(bucket)} has no versioning (${Status ?? 'never enabled'}): deleted objects cannot be restored.`,
    `Enable versioning: ${DEPLOY}, or aws s3api put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled`,
  );
}

/** Checks that evidence can be added but not overwritten, by anybody. */
export async function appendOnlyCheck(location: string): Promise<Outcome<void>> {
  const bucket = bucketOf(location);
  const missing = (what: string) =>
    new MonitorError(
      'bucket-not-append-only',
      `The policy of the bucket ${quote(bucket)} allows archived days to be overwritten: ${what}.`,
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

/** Checks an archive that is a folder. */
export async function folderCheck(location: string): Promise<Outcome<ObjectStore>> {
  const store = await openStore(location);
  return { found: await foundFolder(store.location, 'archive'), value: store };
}

/** Checks the folder of the mails. */
export async function outboxCheck(outbox: string): Promise<Outcome<void>> {
  return { found: await foundFolder(path.resolve(outbox), 'outbox'), value: undefined };
}

/**
 * Checks that a folder can be written, or created.
 * @param flag that chooses it
 * @returns what was found. @throws MonitorError `archive-unwritable`, `outbox-unwritable`
 */
async function foundFolder(location: string, flag: 'archive' | 'outbox'): Promise<string> {
  const there = await stat(location).catch(() => null);
  if (there && !there.isDirectory()) {
    throw new MonitorError(
      `${flag}-unwritable`,
      `${quote(location)} is not a folder.`,
      `Choose a folder with --${flag}.`,
    );
  }
  const folder = there ? location : await nearestFolder(location);
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new MonitorError(
      `${flag}-unwritable`,
      `The folder ${quote(folder)} cannot be read and written by the user that runs this.`,
      `Give the user that runs this write access, or choose another folder with --${flag}.`,
    );
  }
  return there ? `${location} exists and can be written` : `${location} is created by the first run`;
}

async function nearestFolder(missing: string): Promise<string> {
  const parent = path.dirname(missing);
  return parent === missing || (await stat(parent).catch(() => null)) ? parent : nearestFolder(parent);
}

/** How to make a run, and whether a schedule does so daily. */
export interface RunCommand {
  isDeployed: boolean;
  command: string;
}

/** Checks the last run by its state and by what it archived. */
export async function lastRunCheck(
  tenant: Tenant,
  store: ObjectStore,
  { isDeployed, command }: RunCommand,
): Promise<Outcome<void>> {
  const { state } = await new Archive(store, tenant.tenantId).state();
  const lastRun = state?.lastRun ?? null;
  const failing = state?.said.failing ?? null;
  const again = `${command} --tenant ${shellWord(tenant.name)}`;
  if (failing) {
    const last = lastRun ? `The last that succeeded was on ${moment(lastRun.at)}.` : 'None ever succeeded.';
    throw new MonitorError(
      'runs-fail',
      `Runs have failed since ${moment(failing.since)}. ${last}`,
      `Fix what is marked above, then:\n${again}`,
    );
  }
  if (!lastRun) {
    const days = await store.list(layout.snapshots(tenant.tenantId));
    if (days.length === 0) {
      return { found: 'no run yet', value: undefined, warning: `Run it now:\n${command}` };
    }
    throw new MonitorError(
      'runs-fail',
      `Runs have archived ${count(days.length, 'day')}, and none has succeeded: its mails could not be sent, or it was stopped.`,
      `Run it again to see the error:\n${again}`,
    );
  }
  const age = machineClock.now().getTime() - Date.parse(lastRun.at);
  const found = `on ${moment(lastRun.at)}, ${ago(age)}`;
  if (age <= OVERDUE_AFTER_MS) return { found, value: undefined };
  if (!isDeployed) {
    return { found, value: undefined, warning: `Run it daily (docs/local.md shows how):\n${command}` };
  }
  throw new MonitorError(
    'overdue',
    `${found}: the next one is overdue.`,
    `Check the schedule above and the log of the function; run it now with:\n${again}`,
  );
}

/** "3 hours ago", in the largest unit of which there are some. @param age in ms */
function ago(age: number): string {
  const minutes = Math.floor(age / 60_000);
  if (minutes < 1) return 'just now';
  const hours = Math.floor(minutes / 60);
  if (hours < 1) return `${count(minutes, 'minute')} ago`;
  return `${hours < 48 ? count(hours, 'hour') : count(Math.floor(hours / 24), 'day')} ago`;
}

function bucketOf(location: string): string {
  return location.slice('s3://'.length).split('/')[0] ?? '';
}

function prefixOf(location: string): string {
  const prefix = location.slice('s3://'.length).split('/').slice(1).join('/').replace(/\/$/, '');
  return prefix === '' ? '' : `${prefix}/`;
}
