import { styleText } from 'node:util';
import { checkCertificate, day, readBundle, type Bundle } from '../../lambda/certificate/bundle.ts';
import { pemFileSource } from '../../lambda/certificate/pem-file.ts';
import { secretsManagerSource } from '../../lambda/certificate/secrets-manager.ts';
import { machineClock } from '../../lambda/clock.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { DEPLOYMENT_STACK, stackFlag } from '../../lambda/outputs.ts';
import type { Command } from '../shared/command.ts';
import { defaultSecretOf } from '../shared/deployment.ts';
import { EXIT, UsageError } from '../shared/exit.ts';
import { loadConfig, selectTenants } from '../shared/load-config.ts';
import { certificateFile, OPTIONS, text } from '../shared/options.ts';
import { describeSecret, putSecret, secretsClient } from './secrets.ts';
import { commandLine } from '../../lambda/command-line.ts';

interface PutFlags {
  certificate?: string;
  secret?: string;
  stack?: string;
  tenant?: string;
  config: string;
  json: boolean;
}

export const put: Command<PutFlags> = {
  flags: (yargs) =>
    yargs
      .positional('certificate', certificateFile('PEM file with certificate and unencrypted private key'))
      .option('secret', {
        ...text('secret'),
        describe: "Name or ARN of the secret (default: the tenant's, else the deployment's)",
      })
      .option('stack', OPTIONS.stack)
      .option('tenant', { ...OPTIONS.tenant, describe: "Into this tenant's secret: its name or id" })
      .option('config', OPTIONS.config)
      .option('json', OPTIONS.json)
      .conflicts('secret', ['tenant', 'stack']),
  examples: [['certificate put contoso.pem', '']],
  act: replace,
};

async function replace(flags: PutFlags): Promise<number> {
  const { certificate: file, json } = flags;
  if (file === undefined) throw new UsageError('Name the PEM file: certificate put <file>.');
  const secret = flags.secret ?? (await secretOfTenant(flags)) ?? (await defaultSecretOf(flags.stack));
  const now = machineClock.now();
  const bundle = checkCertificate(await pemFileSource(file).read(), now, quote(file));

  const client = secretsClient();
  const { changed } = await describeSecret(client, secret);
  const before = changed === null ? null : await readBefore(client, secret, now);
  const same = before?.bundle?.thumbprintSha256 === bundle.thumbprintSha256;
  // Only the matching certificate and key are stored, without other certificates and comments in the file.
  if (!same) await putSecret(client, secret, bundle.certificatePem + bundle.privateKeyPem);

  if (json) {
    const replaced = before?.bundle && !same ? facts(before.bundle) : null;
    console.log(JSON.stringify({ secret, put: !same, certificate: facts(bundle), replaced }, null, 2));
  } else {
    console.log(describe(secret, bundle, before, same, flags.stack));
  }
  return EXIT.done;
}

/** @returns undefined where no tenant is named, or it has no secret of its own */
async function secretOfTenant({ tenant, config }: PutFlags): Promise<string | undefined> {
  if (tenant === undefined) return undefined;
  const [selected] = selectTenants(await loadConfig(config), tenant);
  if (selected?.signIn !== 'federated') return selected?.certificate;
  throw new MonitorError(
    'certificate-unused',
    `${quote(selected.name)} signs in federated, without a certificate. Nothing was stored.`,
    "Remove signIn: 'federated' from the config if it is to sign in with a certificate.",
  );
}

/** What the secret held, if anything. A value that cannot be read, or is no certificate, can be replaced all the same. */
type Before = { bundle: Bundle; trouble: null } | { bundle: null; trouble: string };

async function readBefore(
  client: ReturnType<typeof secretsClient>,
  secret: string,
  now: Date,
): Promise<Before | null> {
  try {
    const pem = await secretsManagerSource({ client, defaultSecret: secret }).read({});
    return { bundle: readBundle(pem, now, `the secret ${quote(secret)}`), trouble: null };
  } catch (error) {
    if (!(error instanceof MonitorError)) throw error;
    if (error.code === 'certificate-empty') return null;
    return { bundle: null, trouble: error.message };
  }
}

function facts({ subject, bits, thumbprintSha1, thumbprintSha256, notBefore, notAfter }: Bundle) {
  return { subject, bits, thumbprintSha1, thumbprintSha256, notBefore, notAfter };
}

function describe(
  secret: string,
  bundle: Bundle,
  before: Before | null,
  same: boolean,
  stack = DEPLOYMENT_STACK,
): string {
  const bold = (words: string) => styleText('bold', words);
  const tick = styleText('green', '✓');
  const name = ({ subject, notAfter, thumbprintSha1 }: Bundle) =>
    `    ${subject}, valid until ${day(notAfter)}\n    SHA-1 ${thumbprintSha1}`;
  if (same) return `${tick} The secret ${bold(secret)} already holds it:\n${name(bundle)}`;
  const lines = [`${tick} The secret ${bold(secret)} now holds`, name(bundle)];
  if (before === null) lines.push('  It was empty before.');
  else if (before.bundle === null) lines.push(`  What it held before is replaced. ${before.trouble}`);
  else {
    lines.push(
      '  instead of',
      name(before.bundle),
      '',
      'Keep the old one in the app registration until the new one has signed in, then',
      "remove it there. Until then the way back is the secret's previous version.",
    );
  }
  lines.push(
    '',
    bold('Next'),
    '  1. If its public part is not in the app registration yet, upload it there',
    '     (Certificates & secrets → Certificates).',
    `  2. ${commandLine(`doctor${stackFlag(stack)}`)}\n     or ${commandLine(`run --deployed${stackFlag(stack)}`)}`,
  );
  return lines.join('\n');
}
