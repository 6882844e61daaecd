import { verify as verifyTenant } from '../../lambda/archive/verify.ts';
import { ARCHIVE_OPTIONS, type ArchiveFlags } from './choice.ts';
import { eachTenant } from './each.ts';
import type { Command } from '../shared/command.ts';
import { EXIT } from '../shared/exit.ts';
import { OPTIONS } from '../shared/options.ts';
import { describeForeign, describeVerdict } from './present.ts';

interface VerifyFlags extends ArchiveFlags {
  json: boolean;
}

/** `archive verify`: reads everything, changes nothing. */
export const verify: Command<VerifyFlags> = {
  flags: (yargs) =>
    yargs
      .options(ARCHIVE_OPTIONS)
      .option('json', OPTIONS.json)
      .conflicts('archive', ['deployed', 'stack'])
      .usage(
        '$0 archive verify\n\nReads the whole archive and changes nothing: every snapshot and catalogue is hashed again, days without a snapshot are named with the reason, and the columns of the history are compared, row by row, with what the snapshots make them. Ends with 1 if anything is wrong; a day that Microsoft never published is not.',
      )
      .example('$0 archive verify --archive archive', '')
      .example('$0 archive verify --archive s3://my-archive --json', ''),
  act: act,
};

async function act(flags: VerifyFlags): Promise<number> {
  const { outcomes: verdicts, foreign } = await eachTenant(flags, 'objects', async (each) => {
    const { store, tenant, progress } = each;
    const verdict = {
      ...(await verifyTenant({ store, objects: tenant, onProgress: progress })),
      name: tenant.name,
    };
    if (!flags.json) console.log(describeVerdict(verdict));
    return verdict;
  });
  if (flags.json) {
    const [only] = verdicts;
    const printed = verdicts.length === 1 && foreign.length === 0 ? only : { tenants: verdicts, foreign };
    console.log(JSON.stringify(printed, null, 2));
  } else if (foreign.length > 0) console.log(describeForeign(foreign));
  const isWhole = foreign.length === 0 && verdicts.every(({ faults }) => faults.length === 0);
  return isWhole ? EXIT.done : EXIT.failed;
}
