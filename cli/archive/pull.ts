import { isBucket, openBucket } from '../../lambda/archive/open-store.ts';
import { pull as pullObjects } from '../../lambda/archive/pull.ts';
import { quote } from '../../lambda/errors.ts';
import { ARCHIVE_OPTIONS, tenantIdOf } from './choice.ts';
import type { Command } from '../shared/command.ts';
import { EXIT, UsageError } from '../shared/exit.ts';
import { OPTIONS } from '../shared/options.ts';
import { bytes, count, describePulled } from './present.ts';
import { progressLine } from '../shared/progress-line.ts';

interface PullFlags {
  source: string;
  folder: string;
  tenant?: string;
  config?: string;
  json: boolean;
}

/** `archive pull`: a copy of a bucket. */
export const pull: Command<PullFlags> = {
  flags: (yargs) =>
    yargs
      .positional('source', {
        type: 'string',
        demandOption: true,
        describe: 's3://bucket or s3://bucket/prefix',
        coerce: (source: string) => {
          if (isBucket(source)) return source;
          throw new UsageError(`The source is a bucket, s3://bucket/prefix, not ${quote(source)}.`);
        },
      })
      .positional('folder', {
        type: 'string',
        demandOption: true,
        describe: 'Folder of the copy; created if it does not exist',
      })
      .option('tenant', ARCHIVE_OPTIONS.tenant)
      .option('config', ARCHIVE_OPTIONS.config)
      .option('json', OPTIONS.json)
      .usage(
        '$0 archive pull <source> <folder>\n\nFetches only what is new or changed in a bucket. It can be interrupted at any moment and resumes the next time; every object in the folder is complete. The folder is a copy: do not let runs write to it.',
      ),
  examples: [
    ['archive pull s3://my-archive copy', ''],
    ['archive verify --archive copy', 'and prove that it is complete'],
  ],
  act: act,
};

async function act({ source, folder, tenant, config, json }: PullFlags): Promise<number> {
  const tenantId = tenant && (await tenantIdOf({ archive: source, tenant, ...(config && { config }) }));
  const started = performance.now();
  const progress = progressLine();
  const pulled = await pullObjects({
    source: openBucket(source),
    folder,
    ...(tenantId && { tenantId }),
    onProgress: ({ done, total, bytes: size }) =>
      progress.show(`${done} of ${count(total, 'object')}, ${bytes(size)}`),
  }).finally(() => progress.clear());
  console.log(json ? JSON.stringify(pulled, null, 2) : describePulled(pulled, folder, started));
  return EXIT.done;
}
