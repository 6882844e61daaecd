import { randomUUID } from 'node:crypto';
import { styleText } from 'node:util';
import type { CheckedCertificate } from '../../lambda/certificate/bundle.ts';
import { deadlineIn, machineClock, pause } from '../../lambda/clock.ts';
import { commandLine, shellWord } from '../../lambda/command-line.ts';
import { CLOUDS, parseConfig, type Config, type Tenant } from '../../lambda/config.ts';
import { renewsItself } from '../../lambda/settings.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { joined, readCell, type TenantRow, type TenantsFile } from '../../lambda/tenants-file.ts';
import { certificateCheck, signInCheck } from '../doctor/checks/microsoft.ts';
import type { Finding } from '../doctor/checks/examination.ts';
import { examine } from '../doctor/doctor.ts';
import { describeFinding, isUnused } from '../doctor/present.ts';
import type { Command } from '../shared/command.ts';
import { defaultSecretOf, DEPLOY } from '../shared/deployment.ts';
import { EXIT, UsageError } from '../shared/exit.ts';
import { asMonitorError } from '../shared/failure.ts';
import { DEFAULT_CONFIG, OPTIONS, text } from '../shared/options.ts';
import { progressLine, type ProgressLine } from '../shared/progress-line.ts';
import { consentAddress, findTenant, tenantOrDomain } from './directory.ts';
import { editPlace, readPlace, tenantsPlace, textOf, type TenantsPlace } from './file.ts';
import { withRow, withTenantId, type Fields } from './rows.ts';

/** ms between two attempts to sign in: longer and longer, for Entra refuses a client that asks without end. */
const PAUSE = { first: 1_000, last: 15_000 };

/** Minutes. */
const DEFAULT_TIMEOUT = 15;
const LONGEST_TIMEOUT = 24 * 60;

interface AddFlags {
  tenant?: string;
  config: string;
  name?: string;
  recipients?: string;
  tags?: string;
  report?: string;
  cloud?: string;
  timeout: number;
  certificate?: string;
  archive?: string;
  stack?: string;
  json: boolean;
}

/** `secure-score tenant add`. */
export const add: Command<AddFlags> = {
  flags: (yargs) =>
    yargs
      .positional('tenant', { type: 'string', describe: 'A domain of the tenant, or its id' })
      .option('config', OPTIONS.config)
      .option('name', { ...text('name'), describe: 'Name that people see (default: the domain)' })
      .option('recipients', {
        ...text('recipients'),
        describe: "Who gets its mails, separated by semicolons (default: the config's operations)",
      })
      .option('tags', { ...text('tags'), describe: 'Words for digests and channels, separated by commas' })
      .option('report', {
        ...text('report'),
        choices: ['each', 'digest'] as const,
        describe: 'Mails of its own, or in digests alone (default: each)',
      })
      .option('cloud', {
        ...text('cloud'),
        describe: "global, usgov, dod, or 'https://<sign-in> https://<graph>' (default: what Entra ID says)",
      })
      .option('timeout', {
        type: 'number',
        requiresArg: true,
        default: DEFAULT_TIMEOUT,
        describe: 'Minutes to wait for the consent; 0 tries once',
        coerce: (minutes: number) => {
          if (minutes >= 0 && minutes <= LONGEST_TIMEOUT) return minutes;
          throw new UsageError(`--timeout must be a number of minutes from 0 to ${LONGEST_TIMEOUT}.`);
        },
      })
      .option('certificate', OPTIONS.certificate)
      .option('archive', {
        ...text('archive'),
        describe: "Folder or s3://bucket/prefix, for doctor's checks (default: the deployment's bucket)",
      })
      .option('stack', OPTIONS.stack)
      .option('json', OPTIONS.json)
      .epilogue(
        'The row is written once the tenant can be read. Stopped before, nothing is written, and the same command goes on.',
      ),
  examples: [
    ['tenant add contoso.com', ''],
    ['tenant add contoso.com --name Contoso --recipients soc@msp.example --tags gold,eu', ''],
  ],
  act,
};

async function act(flags: AddFlags): Promise<number> {
  const place = await tenantsPlace(flags.config);
  const asked = tenantOrDomain(flags.tenant ?? '');
  const domain = 'domain' in asked ? asked.domain : undefined;
  const given = flags.cloud === undefined ? undefined : (readCell('cloud', flags.cloud) as Fields[string]);
  const found = await findTenant(domain ?? ('id' in asked ? asked.id : ''), addressesOf(given));
  const cloud = given ?? (found.cloud === 'global' ? undefined : found.cloud);
  const prepare = (file: TenantsFile) =>
    prepared(file, place, flags, { tenantId: found.tenantId, domain, cloud });
  // What is wrong with the new row, or with another, comes up before anybody is asked for consent.
  const { tenant } = prepare(readPlace(place));

  const certificate = await certificateOf(tenant, flags.certificate, flags.stack);
  const consent = consentAddress(tenant);
  if (!flags.json) console.log(introduction(tenant, domain, consent));
  const line = progressLine();
  if (certificate) await waitForConsent(tenant, certificate, flags, line);
  else if (!flags.json) {
    console.log(
      'The app signs in federated, as the deployed function alone can: the consent is not waited for.\n',
    );
  }

  await editPlace(place, `tenant add ${found.tenantId}`, (file) => {
    const { row, fields } = prepare(file);
    return row ? withTenantId(file, place.name, row, found.tenantId) : withRow(file, place.name, fields);
  });
  if (!flags.json) console.log(`${styleText('green', '✓')} ${place.name} has the row of ${tenant.name}.\n`);
  const checks = await doctorsWords(tenant, flags);
  if (flags.json) {
    const { tenantId, name } = tenant;
    console.log(JSON.stringify({ tenant: tenantId, name, domain: domain ?? null, consent, checks }, null, 2));
  } else if (flags.archive === undefined) console.log(`\nA schedule of the deployment runs it. ${DEPLOY}`);
  return EXIT.done;
}

/** Where Entra ID is asked about a domain: its public address knows all clouds. */
function addressesOf(cloud: Fields[string]): Tenant['cloud'] {
  if (typeof cloud === 'object' && 'authorityHost' in cloud) return cloud as Tenant['cloud'];
  return CLOUDS[cloud as keyof typeof CLOUDS] ?? CLOUDS.global;
}

/**
 * The new tenant as the config makes it, and the row to write: a new one, or the one of its domain that has no id yet.
 * @throws MonitorError `tenant-exists`, `config-invalid`
 */
function prepared(
  { rows }: TenantsFile,
  place: TenantsPlace,
  flags: AddFlags,
  { tenantId, domain, cloud }: { tenantId: string; domain: string | undefined; cloud: Fields[string] },
): { tenant: Tenant; row: TenantRow | undefined; fields: Fields } {
  const idOf = (row: TenantRow) => textOf(row, 'tenantId').toLowerCase();
  const same = rows.find((row) => idOf(row) === tenantId);
  if (same) {
    throw new MonitorError(
      'tenant-exists',
      `${same.place([])} has the tenant ${tenantId} already (${quote(textOf(same, 'name'))}).`,
      `To check it: ${commandLine(`doctor --tenant ${tenantId}`)}`,
    );
  }
  const row = rows.find((each) => idOf(each) === '' && each.domain?.toLowerCase() === domain && domain);
  const { operations } = place.input as { operations?: unknown };
  const fields: Fields = {
    name: flags.name ?? domain ?? tenantId,
    tenantId,
    domain,
    recipients: (flags.recipients === undefined
      ? operations
      : readCell('recipients', flags.recipients)) as string[],
    tags: flags.tags === undefined ? undefined : (readCell('tags', flags.tags) as string[]),
    report: flags.report,
    cloud,
  };
  const { domain: _, ...tenantOfFields } = fields;
  const others = rows
    .filter((each) => each !== row)
    // A row that waits for its id is no fault here.
    .map((each) =>
      idOf(each) === '' ? { ...each, tenant: { ...each.tenant, tenantId: randomUUID() } } : each,
    );
  const added: TenantRow = row
    ? { ...row, tenant: { ...row.tenant, tenantId } }
    : {
        tenant: Object.fromEntries(Object.entries(tenantOfFields).filter(([, value]) => value !== undefined)),
        domain,
        start: 0,
        end: 0,
        place: (keys) => ['the new tenant', ...keys].join(', '),
      };
  const { input, place: placeOf } = joined(place.input, [...others, added]);
  const config: Config = parseConfig(input, flags.config, placeOf);
  return { tenant: config.tenants.at(-1)!, row, fields };
}

/** Null: no certificate signs in, but the function's role, which is not here. */
async function certificateOf(
  tenant: Tenant,
  file: string | undefined,
  stack: string | undefined,
): Promise<CheckedCertificate | null> {
  if (tenant.signIn === 'federated') return null;
  const from =
    file === undefined ? { secret: tenant.certificate ?? (await defaultSecretOf(stack)) } : { file };
  return (await certificateCheck(from, renewsItself(tenant))).value;
}

function introduction(tenant: Tenant, domain: string | undefined, consent: string): string {
  const { recipients } = tenant;
  const addresses = [...new Set([...recipients.scores, ...recipients.controls])].join(', ');
  return `${styleText('bold', tenant.name)}  ${domain === undefined ? '' : `${domain} is `}${tenant.tenantId} at ${tenant.cloud.authorityHost}
Its mails go to ${addresses}.

An administrator of the tenant (Privileged Role Administrator or Global Administrator) consents here:

  ${styleText('cyan', consent)}
`;
}

/** @throws MonitorError `consent-missing`; what Entra ID refuses for another reason, as it is */
async function waitForConsent(
  tenant: Tenant,
  certificate: CheckedCertificate,
  flags: AddFlags,
  line: ProgressLine,
): Promise<void> {
  const again = commandLine(
    `tenant add ${[flags.tenant ?? '', ...passedOn(flags)].map(shellWord).join(' ')}`,
  );
  const stop = () => {
    line.clear();
    console.error(`Stopped: nothing was written. To go on:\n${again}`);
    process.exit(EXIT.failed);
  };
  process.once('SIGINT', stop);
  try {
    const begun = machineClock.now().getTime();
    const deadline = deadlineIn(machineClock, flags.timeout * 60_000).getTime();
    for (let wait = PAUSE.first; ; wait = Math.min(wait * 1.5, PAUSE.last)) {
      const missing = await whatIsMissing(tenant, certificate);
      if (missing === null) return;
      const now = machineClock.now().getTime();
      if (now >= deadline) {
        throw new MonitorError(
          'consent-missing',
          `${quote(tenant.name)} cannot be read yet: ${missing}. Nothing was written.`,
          `Send the address above to an administrator of the tenant, then run again:\n${again}`,
        );
      }
      const left = Math.ceil((deadline - now) / 60_000);
      line.show(
        `Waiting for the consent (${missing}): ${Math.round((now - begun) / 1000)} s, ${left} min left. Ctrl-C stops.`,
      );
      await pause(Math.min(wait, deadline - now));
    }
  } finally {
    process.removeListener('SIGINT', stop);
    line.clear();
  }
}

/** What a consent changes, in words; null where the tenant can be read. */
async function whatIsMissing(tenant: Tenant, certificate: CheckedCertificate): Promise<string | null> {
  try {
    const { value } = await signInCheck(tenant, certificate);
    return 'missing' in value ? 'it does not cover SecurityEvents.Read.All' : null;
  } catch (error) {
    const { code, message, retryable } = asMonitorError(error);
    if (code === 'app-not-in-tenant') return 'the tenant does not know the app yet';
    if (retryable) return message.replace(/\.$/, '');
    throw error;
  }
}

/** Flags for the same command again. */
function passedOn(flags: AddFlags): string[] {
  const { config, name, recipients, tags, report, cloud, certificate, archive, stack } = flags;
  const given = { name, recipients, tags, report, cloud, certificate, archive, stack };
  return Object.entries({ ...(config !== DEFAULT_CONFIG && { config }), ...given }).flatMap(
    ([flag, value]) => (value === undefined ? [] : [`--${flag}`, value]),
  );
}

/** What `doctor` finds about the tenant, printed as it is found. */
async function doctorsWords(tenant: Tenant, flags: AddFlags): Promise<Finding[]> {
  const { config, certificate, archive, stack, json } = flags;
  const all: Finding[] = [];
  const shown: Finding[] = [];
  await examine(
    { config, certificate, archive, stack, tenant: tenant.tenantId, parallel: 1, json },
    all,
    (finding) => {
      all.push(finding);
      if (finding.tenant !== tenant.name || isUnused(finding)) return;
      if (!json) console.log(describeFinding(finding, shown.at(-1)));
      shown.push(finding);
    },
  );
  return shown;
}
