import { verify as verifyTenant, type Verdict } from '../lambda/archive/verify.ts';
import { ARCHIVE_OPTIONS, chooseTenants, type ArchiveFlags } from './archive-choice.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit.ts';
import { OPTIONS } from './options.ts';
import { describeForeign, describeVerdict } from './present-archive.ts';
import { progressLine } from './progress-line.ts';

interface VerifyFlags extends ArchiveFlags {
  json: boolean;
}

/** `archive verify`: reads everything, changes nothing. */
export const verify: Command<VerifyFlags> = {
  flags: (yargs) =>
    yargs
      .option('archive', ARCHIVE_OPTIONS.archive)
      .option('tenant', ARCHIVE_OPTIONS.tenant)
      .option('config', ARCHIVE_OPTIONS.config)
      .option('json', OPTIONS.json)
      .usage(
        '$0 archive verify\n\nReads the whole archive and changes nothing: every snapshot and catalogue is hashed again, days without a snapshot are named with the reason, and the columns of the history are compared, row by row, with what the snapshots make them. Ends with 1 if anything is wrong; a day that Microsoft never published is not.',
      )
      .example('$0 archive verify --archive archive', '')
      .example('$0 archive verify --archive s3://my-archive --json', ''),
  act: act,
};

async function act(flags: VerifyFlags): Promise<number> {
  const { store, tenants, foreign } = await chooseTenants(flags);
  const progress = progressLine();
  const verdicts: Verdict[] = [];
  for (const objects of tenants) {
    const shown = objects.name ?? objects.tenantId;
    const verdict = await verifyTenant({
      store,
      objects,
      onProgress: (done, total) => progress.show(`${shown}: ${done} of ${total} objects`),
    }).finally(() => progress.clear());
    verdicts.push({ ...verdict, name: objects.name });
    if (!flags.json) console.log(describeVerdict({ ...verdict, name: objects.name }));
  }
  if (flags.json) {
    const [only] = verdicts;
    console.log(
      JSON.stringify(
        verdicts.length === 1 && foreign.length === 0 ? only : { tenants: verdicts, foreign },
        null,
        2,
      ),
    );
  } else if (foreign.length > 0) console.log(describeForeign(foreign));
  const isWhole = foreign.length === 0 && verdicts.every(({ faults }) => faults.length === 0);
  return isWhole ? EXIT.done : EXIT.failed;
}
