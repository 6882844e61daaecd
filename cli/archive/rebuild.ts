import { availableParallelism } from 'node:os';
import { machineClock } from '../../lambda/clock.ts';
import { styleText } from 'node:util';
import type { UnprovenDay } from '../../lambda/archive/columns/retained.ts';
import { writeColumns } from '../../lambda/archive/columns/write.ts';
import { MonitorError } from '../../lambda/errors.ts';
import { ARCHIVE_OPTIONS, type ArchiveFlags } from '../shared/archive-choice.ts';
import { eachTenant, oneOrAll, type Each } from './each.ts';
import { Rebuilders } from './rebuilders.ts';
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
  const threads = new Rebuilders();
  try {
    const { outcomes } = await eachTenant(
      flags,
      'days',
      (each) => rebuildTenant(flags, each, threads),
      availableParallelism(),
    );
    if (flags.json) console.log(JSON.stringify(oneOrAll(outcomes), null, 2));
    return outcomes.every(({ unproven }) => unproven.length === 0) ? EXIT.done : EXIT.failed;
  } finally {
    await threads.close();
  }
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
  { store, tenant, tenants, shown, progress }: Each,
  threads: Rebuilders,
): Promise<Rebuilt> {
  const { tenantId, name, history } = tenant;
  const started = performance.now();
  const options = { tenantId, everything: true, now: machineClock.now(), alsoMonths: [...history] };
  const reporting = { log: stderrLog(), onProgress: progress };
  const { outcome, days, files, unproven } =
    tenants === 1
      ? await writeColumns({ store, ...options, ...reporting })
      : await threads.rebuild({ location: store.location, ...options }, reporting);
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
    const line = `${styleText('bold', shown)}  ${count(days, 'day')}, ${written}  ${dim}`;
    // At once, because other tenants print meanwhile.
    console.log([line, ...describeUnproven(unproven)].join('\n'));
  }
  return { tenant: tenantId, name, days, files, unproven };
}
