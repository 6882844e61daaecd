import { machineClock } from '../../lambda/clock.ts';
import { styleText } from 'node:util';
import type { UnprovenDay } from '../../lambda/archive/columns/retained.ts';
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

/** `archive rebuild`: derives everything under history/ from scratch. */
export const rebuild: Command<RebuildFlags> = {
  flags: (yargs) =>
    yargs
      .options(ARCHIVE_OPTIONS)
      .option('json', OPTIONS.json)
      .conflicts('archive', ['deployed', 'stack'])
      .usage(
        '$0 archive rebuild\n\nDerives everything under history/ again from the snapshots and catalogues that are proven. Nothing else changes, and a file that is already right is left alone. If the snapshot of a day is damaged or missing, its existing rows stay; such days are listed, and the command exits with 1.',
      ),
  examples: [
    ['archive rebuild --archive archive', ''],
    ['archive rebuild --archive s3://my-archive --tenant Contoso', ''],
  ],
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
      `Another process is writing the columns of ${shown}: a run, or another rebuild.`,
      'Run the rebuild again when it has finished. Every file that either wrote is complete.',
      { retryable: true },
    );
  }
  if (!json) {
    const written =
      files.length === 0 ? 'every file was already right' : `${count(files.length, 'file')} written`;
    const dim = styleText('dim', seconds(started));
    console.log(`${styleText('bold', shown)}  ${count(days, 'day')}, ${written}  ${dim}`);
    for (const line of describeUnproven(unproven)) console.log(line);
  }
  return { tenant: tenantId, name, days, files, unproven };
}
