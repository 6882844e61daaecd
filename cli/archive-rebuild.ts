import { styleText } from 'node:util';
import { writeColumns } from '../lambda/archive/columns/write.ts';
import { MonitorError } from '../lambda/errors.ts';
import { ARCHIVE_OPTIONS, chooseTenants, type ArchiveFlags } from './archive-choice.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit.ts';
import { stderrLog } from './log.ts';
import { OPTIONS } from './options.ts';
import { count, seconds } from './present-archive.ts';
import { progressLine } from './progress-line.ts';

interface RebuildFlags extends ArchiveFlags {
  json: boolean;
}

/** `archive rebuild`: everything under history/, again. */
export const rebuild: Command<RebuildFlags> = {
  flags: (yargs) =>
    yargs
      .option('archive', ARCHIVE_OPTIONS.archive)
      .option('tenant', ARCHIVE_OPTIONS.tenant)
      .option('config', ARCHIVE_OPTIONS.config)
      .option('json', OPTIONS.json)
      .usage(
        '$0 archive rebuild\n\nMakes everything under history/ again from snapshots/ and profiles/. Nothing else is changed, and a file that is as it should be is left alone. Snapshots that cannot be read are named and left out.',
      )
      .example('$0 archive rebuild --archive archive', '')
      .example('$0 archive rebuild --archive s3://my-archive --tenant Contoso', ''),
  act: act,
};

async function act(flags: RebuildFlags): Promise<number> {
  const { store, tenants } = await chooseTenants(flags);
  const progress = progressLine();
  const outcomes = [];
  for (const { tenantId, name, history } of tenants) {
    const started = performance.now();
    const shown = name ?? tenantId;
    const { outcome, days, files } = await writeColumns({
      store,
      tenantId,
      log: stderrLog(),
      everything: true,
      alsoMonths: [...history],
      onProgress: (done, total) => progress.show(`${shown}: ${done} of ${total} days`),
    }).finally(() => progress.clear());
    if (outcome === 'overtaken') {
      throw new MonitorError(
        'columns-contended',
        `Somebody else writes the columns of ${shown} at this moment: a run, or another rebuild.`,
        'Rebuild again when it is done. What either has written is whole.',
        { retryable: true },
      );
    }
    outcomes.push({ tenant: tenantId, name, days, files });
    if (flags.json) continue;
    const written =
      files.length === 0 ? 'every file was as it should be' : `${count(files.length, 'file')} written`;
    console.log(
      `${styleText('bold', shown)}  ${count(days, 'day')}, ${written}  ${styleText('dim', seconds(started))}`,
    );
  }
  if (flags.json) console.log(JSON.stringify(outcomes.length === 1 ? outcomes[0] : outcomes, null, 2));
  return EXIT.done;
}
