import { readFileSync } from 'node:fs';
import { KINDS, verify as verifyTenant, type Finding } from '../../lambda/archive/verify.ts';
import { verifyClosedMonths } from '../../lambda/archive/columns/verify-closed.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { ARCHIVE_OPTIONS, type ArchiveFlags } from '../shared/archive-choice.ts';
import { eachTenant } from './each.ts';
import type { Command } from '../shared/command.ts';
import { EXIT, UsageError } from '../shared/exit.ts';
import { OPTIONS } from '../shared/options.ts';
import { describeAbsent, describeForeign, describeVerdict } from './present.ts';

interface VerifyFlags extends ArchiveFlags {
  certificate?: string[];
  head?: string[];
  json: boolean;
}

/** `archive verify`: reads everything, changes nothing. */
export const verify: Command<VerifyFlags> = {
  flags: (yargs) =>
    yargs
      .options(ARCHIVE_OPTIONS)
      .option('certificate', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'PEM file with a certificate that may have signed the ledger; can be repeated',
      })
      .option('head', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'Head of the ledger as a mail or report printed it: at least the first 8 characters',
        coerce: (heads: string[]) => {
          const wrong = heads.find((head) => !/^[0-9a-f]{8,64}$/i.test(head));
          if (wrong === undefined) return heads;
          throw new UsageError(
            `--head must be 8 to 64 hexadecimal digits, as a mail prints them, not ${quote(wrong)}.`,
          );
        },
      })
      .option('json', OPTIONS.json)
      .conflicts('archive', ['deployed', 'stack'])
      .usage(
        '$0 archive verify\n\nReads the whole archive and changes nothing. Proves that every object listed in the ledger is there as it was archived, and no other; that the chain of the ledger is unbroken; that Microsoft, when asked, did not have the days without a snapshot; and that the rows of the history, and of the copies of closed months, equal those derived from the snapshots. Exits with 1 if anything is missing, changed, foreign, or not signed without a reason. How an auditor checks the same with other tools: docs/evidence.md.',
      ),
  examples: [
    ['archive verify --archive archive', ''],
    ['archive verify --deployed --json', 'for auditors: counts, head, findings'],
    ['archive verify --tenant Contoso --head 3f9a51c07be2 --certificate app.pem', ''],
  ],
  act: act,
};

async function act(flags: VerifyFlags): Promise<number> {
  const { json, head: heads = [] } = flags;
  const certificates = (flags.certificate ?? []).flatMap(certificatesIn);
  const {
    store: archive,
    outcomes: verdicts,
    foreign,
    absent,
  } = await eachTenant(flags, 'objects', async ({ store, tenant, tenants, progress }) => {
    if (heads.length > 0 && tenants > 1) {
      throw new UsageError('--head is that of one tenant: name the tenant with --tenant.');
    }
    const found = await verifyTenant({ store, objects: tenant, certificates, heads, onProgress: progress });
    const verdict = { ...found, name: tenant.name };
    if (!json) console.log(describeVerdict(verdict));
    return verdict;
  });
  // Copies hold rows of all tenants.
  const wrong = flags.tenant === undefined ? await verifyClosedMonths(archive) : [];
  const findings = [
    ...foreign.map((key): Finding => ({
      kind: 'foreign',
      key,
      why: 'no object of the archive has such a name',
      ...KINDS.foreign,
    })),
    ...wrong.map((copy): Finding => ({ kind: 'columns', ...copy, ...KINDS.columns })),
  ];
  const isAll = findings.length + absent.length > 0;
  if (json) {
    const [only] = verdicts;
    const printed = verdicts.length === 1 && !isAll ? only : { tenants: verdicts, absent, findings };
    console.log(JSON.stringify(printed, null, 2));
  } else {
    for (const each of absent) console.log(describeAbsent(each));
    if (findings.length > 0) console.log(describeForeign(findings));
  }
  const isWhole = !isAll && verdicts.every(({ findings: { length } }) => length === 0);
  return isWhole ? EXIT.done : EXIT.failed;
}

/** The certificates in a PEM file; keys in it are left alone. @throws MonitorError `certificate-missing` */
function certificatesIn(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw missing(file, 'cannot be read', error);
  }
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!found) throw missing(file, 'has no certificate in it');
  return found.map((pem) => `${pem}\n`);
}

function missing(file: string, why: string, cause?: unknown): MonitorError {
  return new MonitorError(
    'certificate-missing',
    `The file ${quote(file)} ${why}.`,
    'Pass a PEM file as --certificate: the certificate that signed in at that time.',
    { cause },
  );
}
