import { inParallel } from '../../lambda/archive/columns/parallel.ts';
import type { CheckedCertificate } from '../../lambda/certificate/bundle.ts';
import type { Config, Tenant } from '../../lambda/config.ts';
import { renewsItself } from '../../lambda/settings.ts';
import { commandLine, shellWord } from '../../lambda/command-line.ts';
import { certificateSecretOf, DEPLOYMENT_STACK, stackFlag } from '../../lambda/outputs.ts';
import { count } from '../../lambda/report/format.ts';
import {
  appendOnlyCheck,
  bucketCheck,
  folderCheck,
  lastRunCheck,
  outboxCheck,
  type RunCommand,
  versioningCheck,
} from './checks/archive.ts';
import { accountCheck, deploymentCheck, scheduleCheck, secretCheck } from './checks/deployed.ts';
import { channelCheck, testMessageCheck } from './checks/channels.ts';
import {
  derived,
  Examination,
  valueOf,
  type Checked,
  type Finding,
  type Outcome,
} from './checks/examination.ts';
import {
  configurationSetCheck,
  recipientsCheck,
  senderCheck,
  smtpCheck,
  sendingCheck,
  testMailCheck,
} from './checks/mail.ts';
import {
  certificateCheck,
  graphCheck,
  newestCheck,
  permissionCheck,
  signInCheck,
} from './checks/microsoft.ts';
import { byFederation, federationCheck, federationOf, type Federation } from './checks/federation.ts';
import { proxyCheck, proxyIsSet } from './checks/proxy.ts';
import { proveOnce, renewalCheck, rotationCheck } from './checks/renewal.ts';
import { outputOf } from '../shared/deployment.ts';
import { heardChannels, type HeardChannel } from '../channel/choice.ts';
import type { Command } from '../shared/command.ts';
import { EXIT } from '../shared/exit.ts';
import { loadConfig, selectTenants } from '../shared/load-config.ts';
import { DEFAULT_CONFIG, OPTIONS, text } from '../shared/options.ts';
import { describeFinding, describeFindings, isUnused } from './present.ts';

interface DoctorFlags {
  config: string;
  tenant?: string;
  archive?: string;
  certificate?: string;
  outbox?: string;
  deployed?: boolean;
  stack?: string;
  send?: boolean;
  problems?: boolean;
  parallel: number;
  json: boolean;
}

/** `secure-score doctor`: checks everything that a run needs. */
export const doctor: Command<DoctorFlags> = {
  flags: (yargs) =>
    yargs
      .option('config', OPTIONS.config)
      .option('tenant', OPTIONS.tenant)
      .option('certificate', OPTIONS.certificate)
      .option('archive', OPTIONS.deployedArchive)
      .option('stack', OPTIONS.stack)
      .option('send', {
        type: 'boolean',
        describe: 'Also send a test mail to the operations addresses, and a test message to each channel',
      })
      .option('outbox', {
        ...text('outbox'),
        describe:
          "Folder for the mails as .eml, and for the test mail of --send, instead of the config's SMTP server or SES",
      })
      .option('deployed', {
        type: 'boolean',
        describe: 'A deployment (default, without --certificate, --archive and --outbox)',
      })
      .option('problems', {
        type: 'boolean',
        describe: 'Show only what fails or needs attention',
      })
      .option('parallel', OPTIONS.parallel)
      .option('json', OPTIONS.json)
      .conflicts('deployed', ['archive', 'certificate', 'outbox'])
      .epilogue('Exit code 1 if a check fails (✗). A check marked ! passed but needs attention.'),
  examples: [
    ['doctor', 'a deployment'],
    ['doctor --certificate contoso.pem --archive archive --outbox mails', 'without any AWS'],
  ],
  act: act,
};

async function act(flags: DoctorFlags): Promise<number> {
  const findings: Finding[] = [];
  const shown: Finding[] = [];
  await examine(flags, findings, (finding) => {
    findings.push(finding);
    if (flags.problems && !['failed', 'warning'].includes(finding.status)) return;
    // What a setup does not use is nothing to people; programs find every check.
    if (!flags.json && isUnused(finding)) return;
    if (!flags.json) console.log(describeFinding(finding, shown.at(-1)));
    shown.push(finding);
  });
  const ok = findings.every(({ status }) => status !== 'failed');
  console.log(flags.json ? JSON.stringify({ ok, checks: shown }, null, 2) : describeFindings(findings));
  return ok ? EXIT.done : EXIT.failed;
}

/** Runs all checks that the flags ask for. @param findings the list that `report` fills, for checks that depend on others */
export async function examine(
  flags: DoctorFlags,
  findings: readonly Finding[],
  report: (finding: Finding) => void,
): Promise<void> {
  const { certificate: file, archive, outbox, stack = DEPLOYMENT_STACK } = flags;
  // What a deployment runs, it mails through SES.
  const isLocal = file !== undefined || archive !== undefined || outbox !== undefined;
  const folder = archive !== undefined && !/^s3:/i.test(archive);

  const setup = new Examination(report);
  const config = await setup.check('config', [], () => configCheck(flags));
  const selected = valueOf(config)?.selected ?? [];
  const federated = selected.filter(({ signIn }) => signIn === 'federated');
  const needsNoSecret = file !== undefined || (federated.length > 0 && federated.length === selected.length);
  const here = needsNoSecret && folder && 'everything is on this machine';
  const aws = setup.unless(here);
  if (proxyIsSet()) await setup.check('proxy', [], proxyCheck);
  // AWS vouches for those who sign in federated, wherever they run.
  const account = await (federated.length > 0 ? setup : aws).check('AWS account', [], accountCheck);
  const deployment = await aws.check('deployment', [account], () => deploymentCheck(stack));

  const bucketed = setup.unless(folder && 'the archive is a folder');
  const bucket = archive
    ? { value: archive }
    : derived(deployment, (deployed) => `s3://${outputOf(deployed, 'archiveBucket')}`);
  const store = folder
    ? await setup.check('archive', [], () => folderCheck(archive))
    : await setup.check('archive', [bucket], bucketCheck);
  await bucketed.check('versions', [bucket, store], versioningCheck);
  await bucketed.check('append-only', [bucket, store], appendOnlyCheck);

  const smtp = isLocal && outbox === undefined ? valueOf(config)?.mail.smtp : undefined;
  const ses = aws.unless(
    !here &&
      ((outbox !== undefined && 'mails are written to a folder') ||
        (smtp !== undefined && 'an SMTP server takes the mails')),
  );
  if (here && outbox === undefined && !smtp) await setup.check('mails', [], unlookedMails);
  if (smtp) await setup.check('SMTP', [], () => smtpCheck(smtp));
  if (outbox !== undefined) await setup.check('outbox', [], () => outboxCheck(outbox));
  await ses.check('sender', [config, account], senderCheck);
  const sending = await ses.check('sending', [account], sendingCheck);
  await ses.check('recipients', [config, sending], recipientsCheck);
  const configurationSet = await ses
    .unless(here)
    .check('configuration set', [deployment], (deployed) =>
      configurationSetCheck(outputOf(deployed, 'configurationSet')),
    );
  const channels: Checked<HeardChannel>[] = [];
  for (const heard of heardChannels(selected)) {
    channels.push(await setup.check('channel', here ? [] : [account], () => channelCheck(heard)));
  }
  if (flags.send) {
    await setup.check('test mail', [config], (checked) =>
      testMailCheck(checked, findings, {
        outbox,
        isLocal,
        configurationSet: valueOf(configurationSet),
      }),
    );
    for (const channel of channels) await setup.check('test message', [channel], testMessageCheck);
  }

  const federations = new Map<string, Checked<Federation>>();
  for (const [key, theirs] of byFederation(federated)) {
    const from = isLocal ? { value: null } : deployment;
    const federation = await setup.check('federation', [account, from], (_, deployed) =>
      federationCheck(theirs, deployed && outputOf(deployed, 'federatedSubject')),
    );
    federations.set(key, federation);
  }
  if (!isLocal && valueOf(config)?.tenants.some(renewsItself)) {
    await setup.check('rotation', [deployment], rotationCheck);
  }
  const prove = proveOnce();

  const examineTenant = async (tenant: Tenant, reportIts: (finding: Finding) => void): Promise<void> => {
    const its = new Examination(reportIts, tenant.name);
    const deployed = its.unless(here);

    const federation = tenant.signIn === 'federated' ? federations.get(federationOf(tenant)) : undefined;
    const certified = its.unless(federation !== undefined && 'a token of AWS signs in, not a certificate');
    const secret = await (here ? deployed : certified)
      .unless(file !== undefined && 'a file signs in')
      .check('secret', [account], () =>
        secretCheck(
          tenant.certificate ?? valueOf(deployment)?.outputs.certificateSecret ?? certificateSecretOf(stack),
        ),
      );
    const renews = renewsItself(tenant);
    const certificate =
      file === undefined
        ? await certified.check('certificate', [secret], (name) => certificateCheck({ secret: name }, renews))
        : await certified.check('certificate', [], () => certificateCheck({ file }, renews));
    const signer = federation ? onlyWhoIsTrusted(federation) : certificate;
    const signedIn = await its.check('sign-in', [signer], (checked) => signInCheck(tenant, checked));
    const sharing = (valueOf(config)?.tenants ?? []).filter(
      ({ signIn, certificate: named }) =>
        signIn !== 'federated' && (file !== undefined || named === tenant.certificate),
    );
    await certified.check('renewal', [certificate, signedIn], (checked) =>
      renewalCheck(tenant, checked, sharing, prove),
    );
    const session = await its.check('permission', [signedIn], permissionCheck);
    const newest = await its.check('Graph', [session], (opened) => graphCheck(tenant, opened));
    await its.check('newest snapshot', [newest], newestCheck);
    await deployed.check('schedule', [deployment], (found) =>
      scheduleCheck(tenant, outputOf(found, 'scheduleGroup')),
    );
    await its.check('last run', [store], (opened) =>
      lastRunCheck(tenant, opened, runCommand(flags, here !== false)),
    );
  };
  await inOrder(selected, examineTenant, flags.parallel, report);
}

/** Only the identity that Entra ID is to trust can try a sign-in without a certificate. */
function onlyWhoIsTrusted(federation: Checked<Federation>): Checked<CheckedCertificate | null> {
  if (!('value' in federation)) return federation;
  if (federation.value.isOwn) return { value: null };
  return { blocked: `the role of the function alone can sign in: ${commandLine('run --deployed')} tries it` };
}

/** Tenants side by side, and what is found as if they came one after the other. */
async function inOrder(
  tenants: readonly Tenant[],
  examineTenant: (tenant: Tenant, report: (finding: Finding) => void) => Promise<void>,
  atOnce: number,
  report: (finding: Finding) => void,
): Promise<void> {
  const waiting = tenants.map((tenant) => ({ tenant, found: [] as Finding[], isDone: false }));
  let first = 0;
  const flush = () => {
    for (; first < waiting.length; first += 1) {
      const { found, isDone } = waiting[first]!;
      for (const finding of found.splice(0)) report(finding);
      if (!isDone) return;
    }
  };
  await inParallel(
    waiting,
    async (each) => {
      await examineTenant(each.tenant, (finding) => {
        each.found.push(finding);
        flush();
      });
      each.isDone = true;
      flush();
    },
    atOnce,
  );
}

/** Nothing of AWS is looked at where all else is on this machine. */
function unlookedMails(): Outcome<void> {
  return {
    found: 'a run with these flags sends through SES, which is not looked at here',
    value: undefined,
    warning: 'Name a folder with --outbox, or a server in mail.smtp of the config, unless you mean SES.',
  };
}

/** The run that makes the next mail, with the flags that this doctor was given. */
function runCommand(
  { config, certificate, archive, outbox, stack }: DoctorFlags,
  isHere: boolean,
): RunCommand {
  const given = isHere ? { certificate, archive, outbox } : {};
  const flags = Object.entries({ config: config === DEFAULT_CONFIG ? undefined : config, ...given })
    .filter(([, value]) => value !== undefined)
    .map(([flag, value]) => ` --${flag} ${shellWord(value!)}`)
    .join('');
  return {
    isDeployed: !isHere,
    command: commandLine(
      isHere ? `run${flags}` : `run --deployed${stackFlag(stack ?? DEPLOYMENT_STACK)}${flags}`,
    ),
  };
}

async function configCheck(flags: DoctorFlags): Promise<Outcome<Config & { selected: Tenant[] }>> {
  const config = await loadConfig(flags.config);
  const selected = selectTenants(config, flags.tenant);
  return {
    found: `${flags.config}: ${count(config.tenants.length, 'tenant')}, mails from ${config.mail.from}`,
    value: { ...config, selected },
  };
}
