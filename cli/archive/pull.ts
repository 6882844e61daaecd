import { isBucket, openBucket } from '../../lambda/archive/open-store.ts';
import { pull as pullObjects } from '../../lambda/archive/pull.ts';
import { quote } from '../../lambda/errors.ts';
import { ARCHIVE_OPTIONS, tenantIdOf } from '../shared/archive-choice.ts';
import { locationOf } from '../shared/archive-place.ts';
import type { Command } from '../shared/command.ts';
import { EXIT, UsageError } from '../shared/exit.ts';
import { OPTIONS } from '../shared/options.ts';
import { bytes, count, describePulled } from './present.ts';
import { progressLine } from '../shared/progress-line.ts';

interface PullFlags {
  source?: string;
  folder?: string;
  deployed?: boolean;
  stack?: string;
  tenant?: string;
  config?: string;
  json: boolean;
}

/** `archive pull`: a copy of a bucket. */
export const pull: Command<PullFlags> = {
  flags: (yargs) =>
    yargs
      .positional('source', { type: 'string', describe: 's3://bucket or s3://bucket/prefix' })
      .positional('folder', {
        type: 'string',
        describe: 'Folder of the copy; created if it does not exist',
      })
      .option('deployed', {
        ...ARCHIVE_OPTIONS.deployed,
        describe: "Copy the deployment's archive, without a source",
      })
      .option('stack', ARCHIVE_OPTIONS.stack)
      .option('tenant', ARCHIVE_OPTIONS.tenant)
      .option('config', ARCHIVE_OPTIONS.config)
      .option('json', OPTIONS.json)
      .usage(
        '$0 archive pull <source> <folder>\n$0 archive pull --deployed <folder>\n\nFetches only what is new or changed in a bucket. It can be interrupted at any moment and resumes the next time; every object in the folder is complete. The folder is a copy: do not let runs write to it.',
      ),
  examples: [
    ['archive pull s3://my-archive copy', ''],
    ['archive pull --deployed copy', "the deployment's archive"],
    ['archive verify --archive copy', 'and prove that it is complete'],
  ],
  act: act,
};

/**
 * The bucket and the folder that the flags choose: of a deployment's archive, only the folder is given.
 * @throws UsageError, and MonitorError as `locationOf`
 */
async function placesOf({ source, folder, deployed, stack }: PullFlags) {
  if (deployed || stack !== undefined) {
    if (source === undefined) throw new UsageError('An argument is missing: pull --deployed needs <folder>.');
    if (folder !== undefined)
      throw new UsageError(
        `With --deployed, pull takes only the folder, and not the source ${quote(source)}.`,
      );
    return {
      source: await locationOf({ deployed: true, ...(stack !== undefined && { stack }) }, null),
      folder: source,
    };
  }
  if (source === undefined) throw new UsageError('An argument is missing: pull needs <source> and <folder>.');
  if (!isBucket(source))
    throw new UsageError(`The source is a bucket, s3://bucket/prefix, not ${quote(source)}.`);
  if (folder === undefined) throw new UsageError('An argument is missing: pull needs <folder>.');
  return { source, folder };
}

async function act(flags: PullFlags): Promise<number> {
  const { tenant, config, json } = flags;
  const { source, folder } = await placesOf(flags);
  const tenantId = tenant && (await tenantIdOf({ archive: source, tenant, ...(config && { config }) }));
  const started = performance.now();
  const progress = progressLine();
  const pulled = await pullObjects({
    source: await openBucket(source),
    folder,
    ...(tenantId && { tenantId }),
    onProgress: ({ done, total, bytes: size }) =>
      progress.show(`${done} of ${count(total, 'object')}, ${bytes(size)}`),
  }).finally(() => progress.clear());
  console.log(json ? JSON.stringify(pulled, null, 2) : describePulled(pulled, folder, started));
  return EXIT.done;
}
