import { readFile } from 'node:fs/promises';
import { Archive } from '../../lambda/archive/archive.ts';
import { signerOf, type Head } from '../../lambda/archive/ledger.ts';
import { listTenants } from '../../lambda/archive/tenants.ts';
import { verify, type Finding } from '../../lambda/archive/verify.ts';
import { readBundle } from '../../lambda/certificate/bundle.ts';
import { machineClock } from '../../lambda/clock.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import type { ObjectStore } from '../../lambda/ports.ts';
import { ARCHIVE_OPTIONS, type ArchiveFlags } from '../shared/archive-choice.ts';
import { openArchive } from '../shared/archive-place.ts';
import type { Command } from '../shared/command.ts';
import { EXIT, UsageError } from '../shared/exit.ts';
import { OPTIONS, text } from '../shared/options.ts';
import { count } from './present.ts';

interface AcknowledgeFlags extends Omit<ArchiveFlags, 'tenant'> {
  key: string;
  reason: string;
  certificate?: string;
  json: boolean;
}

/** `archive acknowledge`: records that somebody knows of a loss. */
export const acknowledge: Command<AcknowledgeFlags> = {
  flags: (yargs) =>
    yargs
      .positional('key', {
        type: 'string',
        demandOption: true,
        describe:
          'Key of the finding, as archive verify prints it, or a prefix for all keys that begin with it',
      })
      .options({
        archive: ARCHIVE_OPTIONS.archive,
        deployed: ARCHIVE_OPTIONS.deployed,
        stack: ARCHIVE_OPTIONS.stack,
        config: ARCHIVE_OPTIONS.config,
      })
      .option('reason', {
        ...text('reason'),
        demandOption: true,
        describe: 'Reason, which stays in the ledger permanently',
      })
      .option('certificate', {
        ...text('certificate'),
        describe: 'PEM file with certificate and key, to sign with',
      })
      .option('json', OPTIONS.json)
      .conflicts('archive', ['deployed', 'stack'])
      .usage(
        '$0 archive acknowledge <key>\n\nRecords in the ledger that somebody knows of a loss. From then on archive verify lists it as acknowledged and no longer fails because of it. What is lost stays lost, and nothing else changes.',
      ),
  examples: [['archive acknowledge snapshots/tenant=…/date=2026-02-03/ --reason "Ticket 4711"', '']],
  act: act,
};

/** How many times the entry is tried while runs add to the ledger at the same time. */
const ATTEMPTS = 5;

async function act(flags: AcknowledgeFlags): Promise<number> {
  const { key, reason, json } = flags;
  const tenantId = /(?:^|\/)tenant=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\/|$)/.exec(key)?.[1];
  if (tenantId === undefined || !/^(snapshots|profiles|reports|ledger)\//.test(key)) {
    throw new UsageError(
      `The key must be that of a finding, like snapshots/tenant=<id>/date=2026-02-03/, not ${quote(key)}.`,
    );
  }
  const store = await openArchive(flags);
  const archive = new Archive(store, tenantId);
  if (flags.certificate !== undefined) {
    const bundle = readBundle(await readPem(flags.certificate), machineClock.now(), flags.certificate);
    archive.ledger.signer = signerOf(bundle);
  } else archive.ledger.signer = { unsigned: 'acknowledged by hand, without a certificate' };

  const keys = await findingsAt(store, tenantId, key);
  const entry = await append(archive, keys, reason);
  if (json) console.log(JSON.stringify({ tenant: tenantId, acknowledged: keys, reason, entry }, null, 2));
  else {
    const signed = flags.certificate === undefined ? 'not signed: give --certificate to sign it' : 'signed';
    console.log(
      `Acknowledged ${count(keys.length, 'finding')} by entry ${entry.sequence} of the ledger, ${signed}.`,
    );
    for (const each of keys) console.log(`  ${each}`);
  }
  return EXIT.done;
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new MonitorError(
      'certificate-missing',
      `The file ${quote(file)} cannot be read.`,
      'Pass a PEM file with certificate and key as --certificate, or omit the flag: the entry is then not signed.',
      { cause: error },
    );
  }
}

/** Only lost objects and faults of the ledger itself can be acknowledged, because everything else can be repaired. */
const ACKNOWLEDGEABLE = new Set<Finding['kind']>([
  'missing',
  'damaged',
  'foreign',
  'implausible',
  'unsigned',
]);

async function findingsAt(store: ObjectStore, tenantId: string, key: string): Promise<string[]> {
  const [objects] = (await listTenants(store, tenantId)).tenants;
  const { findings } = objects ? await verify({ store, objects }) : { findings: [] };
  const losses = findings.filter(({ kind }) => ACKNOWLEDGEABLE.has(kind));
  const keys = [...new Set(losses.map((finding) => finding.key).filter((each) => each.startsWith(key)))];
  if (keys.length > 0) return keys;
  throw new MonitorError(
    'nothing-to-acknowledge',
    `archive verify finds nothing wrong with ${quote(key, 300)}.`,
    losses.length === 0
      ? 'There is nothing to acknowledge in this tenant.'
      : `It finds: ${losses
          .slice(0, 5)
          .map((finding) => finding.key)
          .join(', ')}${losses.length > 5 ? ', …' : ''}`,
  );
}

async function append(archive: Archive, keys: string[], reason: string): Promise<Head> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const files = await archive.ledger.read();
    const tip = files.at(-1) ?? null;
    if (!tip) {
      throw new MonitorError(
        'ledger-missing',
        'This tenant has no ledger in which to record an acknowledgement.',
        'The next run begins one. If there was one, restore it first.',
      );
    }
    const entry = await archive.ledger.append(
      {
        at: machineClock.now().toISOString(),
        kind: 'acknowledged',
        completed: Math.max(0, ...files.map(({ entry: each }) => each?.completed ?? 0)),
        acknowledged: keys.map((key) => ({ key, reason })),
      },
      tip,
    );
    if (entry) return { sequence: entry.sequence, hash: entry.hash };
  }
  throw new MonitorError(
    'ledger-contended',
    'Runs added to the ledger of this tenant at the same time.',
    'Run the command again when they have finished.',
    { retryable: true },
  );
}
