import { machineClock } from '../../lambda/clock.ts';
import { styleText } from 'node:util';
import type { UnprovenDay } from '../../lambda/archive/columns/kept.ts';
import { writeColumns } from '../../lambda/archive/columns/write.ts';
import { MonitorError } from '../../lambda/errors.ts';
import { ARCHIVE_OPTIONS, type ArchiveFlags } from './choice.ts';
import { eachTenant, oneOrAll, type Each } from './each.ts';
import type { Command } from '../shared/command.ts';
import { EXIT } from '../shared/exit.ts';
import { stderrLog } from '../shared/log.ts';
import { OPTIONS } from '../shared/options.ts';
import { count, describeUnproven, seconds } from './present.ts';

interface RebuildFlags extends ArchiveFlags {
  json: boolean;
}

/** `archive rebuild`: everything under history/, again. */
export const rebuild: Command<RebuildFlags> = {
  flags: (yargs) =>
    yargs
      .options(ARCHIVE_OPTIONS)
      .option('json', OPTIONS.json)
      .conflicts('archive', ['deployed', 'stack'])
      .usage(
        '$0 archive rebuild\n\nMakes everything under history/ again from the snapshots and catalogues that prove themselves. Nothing else is changed, and a file that is as it should be is left alone. Of a day whose snapshot is damaged or gone the rows that are there stay; such days are listed, and the command ends with 1.',
      )
      .example('$0 archive rebuild --archive archive', '')
      .example('$0 archive rebuild --archive s3://my-archive --tenant Contoso', ''),
  act: act,
};

async function act(flags: RebuildFlags): Promise<number> {
  const { outcomes } = await eachTenant(flags, 'days', (each) => rebuildTenant(flags, each));
  if (flags.json) console.log(JSON.stringify(oneOrAll(outcomes), null, 2));
  return outcomes.every(({ unproven }) => unproven.length === 0) ? EXIT.done : EXIT.failed;
}

interface Rebuilt {
  tenant: string;
  name: string | null;
  days: number;
  files: string[];
  unproven: UnprovenDay[];
}

async function rebuildTenant(
  { json }: RebuildFlags,
  { store, tenant, shown, progress }: Each,
): Promise<Rebuilt> {
  const { tenantId, name, history } = tenant;
  const started = performance.now();
  const { outcome, days, files, unproven } = await writeColumns({
    store,
    tenantId,
    log: stderrLog(),
    everything: true,
    now: machineClock.now(),
    alsoMonths: [...history],
    onProgress: progress,
  });
  if (outcome === 'overtaken') {
    throw new MonitorError(
      'columns-contended',
      `Somebody else writes the columns of ${shown} at this moment: a run, or another rebuild.`,
      'Rebuild again when it is done. What either has written is whole.',
      { retryable: true },
    );
  }
  if (!json) {
    const written =
      files.length === 0 ? 'every file was as it should be' : `${count(files.length, 'file')} written`;
    const dim = styleText('dim', seconds(started));
    console.log(`${styleText('bold', shown)}  ${count(days, 'day')}, ${written}  ${dim}`);
    for (const line of describeUnproven(unproven)) console.log(line);
  }
  return { tenant: tenantId, name, days, files, unproven };
}
