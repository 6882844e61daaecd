import { styleText } from 'node:util';
import { day, readBundle, type Bundle } from '../../lambda/certificate/bundle.ts';
import { pemFileSource } from '../../lambda/certificate/pem-file.ts';
import { secretsManagerSource } from '../../lambda/certificate/secrets-manager.ts';
import { machineClock } from '../../lambda/clock.ts';
import { quote } from '../../lambda/errors.ts';
import { daysLeft } from '../../lambda/watch/incidents.ts';
import type { Tenant } from '../../lambda/config.ts';
import { renewsItself } from '../../lambda/settings.ts';
import { commandLine } from '../../lambda/command-line.ts';
import { needsSomebody } from './expiry.ts';
import type { Command } from '../shared/command.ts';
import { defaultSecretOf } from '../shared/deployment.ts';
import { EXIT } from '../shared/exit.ts';
import { failureOf, type Failure } from '../shared/failure.ts';
import { loadConfig, selectTenants } from '../shared/load-config.ts';
import { certificateFile, OPTIONS, text } from '../shared/options.ts';
import { secretsClient } from './secrets.ts';

interface StatusFlags {
  certificate?: string;
  secret?: string;
  deployed?: boolean;
  stack?: string;
  tenant?: string;
  config: string;
  json: boolean;
}

/** A place where a certificate lies. */
interface Place {
  kind: 'file' | 'secret';
  where: string;
  /** Names of those that sign in with it, where the config lists them. */
  tenants: string[];
  /** Whether it renews itself, as far as the config shows. */
  renews: boolean;
  read: () => Promise<string>;
}

type Status = Omit<Place, 'read'> & ({ bundle: Bundle; error: null } | { bundle: null; error: Failure });

/** Tenants that sign in with a token of AWS: there is nothing that ends. */
interface Federated {
  kind: 'federated';
  tenants: string[];
}

export const status: Command<StatusFlags> = {
  flags: (yargs) =>
    yargs
      .positional('certificate', certificateFile('Of this PEM file'))
      .option('secret', { ...text('secret'), describe: 'Of this secret: its name or ARN' })
      .option('deployed', {
        type: 'boolean',
        describe: 'Of the secrets in the config (default, without a file and --secret)',
      })
      .option('stack', OPTIONS.stack)
      .option('tenant', OPTIONS.tenant)
      .option('config', OPTIONS.config)
      .option('json', OPTIONS.json)
      .epilogue('Exit code 1 if one has expired, is not valid yet, or cannot be read.'),
  examples: [
    ['certificate status', 'of all secrets in the config'],
    ['certificate status contoso.pem', 'of a file'],
  ],
  act: show,
};

async function show(flags: StatusFlags): Promise<number> {
  const now = machineClock.now();
  const statuses: Status[] = [];
  const { places, federated } = await placesOf(flags);
  for (const place of places) statuses.push(await look(place, now));
  const others: Federated[] = federated.length > 0 ? [{ kind: 'federated', tenants: federated }] : [];
  console.log(
    flags.json
      ? JSON.stringify(
          [
            ...statuses.map((each) => toJson(each, now)),
            ...others.map((each) => ({ ...each, where: null, certificate: null, error: null })),
          ],
          null,
          2,
        )
      : [...statuses.map((each) => describe(each, now)), ...others.map(describeFederated)].join('\n\n'),
  );
  return statuses.every(({ bundle }) => bundle && isValid(bundle, now)) ? EXIT.done : EXIT.failed;
}

/** @returns also the names of the tenants of the config that sign in federated */
async function placesOf(flags: StatusFlags): Promise<{ places: Place[]; federated: string[] }> {
  const { certificate: file, secret } = flags;
  const places: Place[] = [];
  if (file !== undefined) {
    const read = () => pemFileSource(file).read();
    places.push({ kind: 'file', where: file, tenants: [], renews: false, read });
  }
  const federated: string[] = [];
  const secrets = new Map<string, Tenant[]>();
  if (secret !== undefined) secrets.set(secret, []);
  if (flags.deployed || flags.stack !== undefined || places.length + secrets.size === 0) {
    const selected = selectTenants(await loadConfig(flags.config), flags.tenant);
    const isFederated = ({ signIn }: Tenant) => signIn === 'federated';
    federated.push(...selected.filter(isFederated).map(({ name }) => name));
    const tenants = selected.filter((tenant) => !isFederated(tenant));
    const shared = tenants.some(({ certificate }) => certificate === undefined);
    const fallback = shared ? await defaultSecretOf(flags.stack) : '';
    for (const tenant of tenants) {
      const { certificate = fallback } = tenant;
      secrets.set(certificate, [...(secrets.get(certificate) ?? []), tenant]);
    }
  }
  for (const [where, theirs] of secrets) {
    const source = secretsManagerSource({ client: secretsClient(), defaultSecret: where });
    const tenants = theirs.map(({ name }) => name);
    const renews = theirs.length > 0 && theirs.every(renewsItself);
    places.push({ kind: 'secret', where, tenants, renews, read: () => source.read({}) });
  }
  return { places, federated };
}

async function look({ read, ...place }: Place, now: Date): Promise<Status> {
  try {
    const source = `the ${place.kind} ${quote(place.where)}`;
    return { ...place, bundle: readBundle(await read(), now, source), error: null };
  } catch (error) {
    return { ...place, bundle: null, error: failureOf(error) };
  }
}

const isValid = ({ notBefore, notAfter }: Bundle, now: Date): boolean => notBefore <= now && now <= notAfter;

function toJson({ kind, where, tenants, renews, bundle, error }: Status, now: Date) {
  const certificate = bundle && {
    subject: bundle.subject,
    bits: bundle.bits,
    thumbprintSha1: bundle.thumbprintSha1,
    thumbprintSha256: bundle.thumbprintSha256,
    notBefore: bundle.notBefore,
    notAfter: bundle.notAfter,
    daysLeft: daysLeft(bundle.notAfter.toISOString(), now),
    valid: isValid(bundle, now),
    renewsItself: renews,
  };
  return { kind, where, tenants, certificate, error };
}

function describeFederated({ tenants }: Federated): string {
  return `${styleText('green', '✓')} ${styleText('bold', tenants.join(', '))}: signing in with a token of AWS (federated), so that there is no certificate that ends`;
}

function describe({ kind, where, tenants, renews, bundle, error }: Status, now: Date): string {
  const row = (label: string, value: string) => `  ${styleText('dim', label.padEnd(9))} ${value}`;
  const title = styleText('bold', where);
  const users = tenants.length > 0 ? [row('signs in', tenants.join(', '))] : [];
  if (error) {
    return [
      `${styleText('red', '✗')} ${title} (${kind})`,
      ...users,
      `  ${error.message}`,
      `  → ${error.advice}`,
    ].join('\n');
  }
  const { mark, left } = judge(bundle, renews, now);
  return [
    `${mark} ${title} (${kind}): ${left}`,
    ...users,
    row('subject', `${bundle.subject}, RSA ${bundle.bits}`),
    row('valid', `${day(bundle.notBefore)} to ${day(bundle.notAfter)}`),
    row('SHA-1', `${bundle.thumbprintSha1}  ${styleText('dim', '(listed in the portal)')}`),
    row('SHA-256', bundle.thumbprintSha256),
  ].join('\n');
}

function judge(bundle: Bundle, renews: boolean, now: Date): { mark: string; left: string } {
  const days = daysLeft(bundle.notAfter.toISOString(), now);
  if (now > bundle.notAfter) {
    const left = `expired on ${day(bundle.notAfter)}: create a new one`;
    return { mark: styleText('red', '✗'), left: styleText('red', left) };
  }
  if (now < bundle.notBefore) {
    return { mark: styleText('red', '✗'), left: styleText('red', 'not valid yet') };
  }
  const left = `${days} ${days === 1 ? 'day' : 'days'} left`;
  if (!needsSomebody(bundle, renews, now)) {
    return { mark: styleText('green', '✓'), left: `${left}${renews ? ', renews itself' : ''}` };
  }
  const advice = renews
    ? `it should have renewed itself (${commandLine('certificate rotate --dry-run')})`
    : 'create the next one';
  return { mark: styleText('yellow', '!'), left: styleText('yellow', `${left}: ${advice}`) };
}
