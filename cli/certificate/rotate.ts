import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { openStore } from '../../lambda/archive/open-store.ts';
import { day } from '../../lambda/certificate/bundle.ts';
import { createCertificate } from '../../lambda/certificate/self-signed.ts';
import { deadlineIn, machineClock } from '../../lambda/clock.ts';
import { commandLine } from '../../lambda/command-line.ts';
import type { Config } from '../../lambda/config.ts';
import { alsoAdvising, MonitorError, quote } from '../../lambda/errors.ts';
import { DEPLOYMENT_STACK } from '../../lambda/outputs.ts';
import { graphKeys } from '../../lambda/rotation/app-keys.ts';
import { fileCertificate } from '../../lambda/rotation/file-certificate.ts';
import { planRotation, type Plan } from '../../lambda/rotation/plan.ts';
import type { RotationPorts } from '../../lambda/rotation/ports.ts';
import type { Obstacle } from '../../lambda/rotation/renew.ts';
import { rotate, type Renewal, type RotationResult } from '../../lambda/rotation/rotate.ts';
import { invoker } from '../run/invoke.ts';
import type { Command } from '../shared/command.ts';
import { findDeployment } from '../shared/deployment.ts';
import { EXIT } from '../shared/exit.ts';
import { loadConfig } from '../shared/load-config.ts';
import { stderrLog } from '../shared/log.ts';
import { certificateFile, DEFAULT_ARCHIVE, OPTIONS, text } from '../shared/options.ts';

/** Entra takes minutes to spread a key; what is not known by then goes on when the command is called again. */
const PATIENCE_MS = 10 * 60_000;

interface RotateFlags {
  certificate?: string;
  archive?: string;
  config: string;
  stack?: string;
  now: boolean;
  'dry-run': boolean;
  json: boolean;
}

export const rotateCommand: Command<RotateFlags> = {
  flags: (yargs) =>
    yargs
      .option('certificate', {
        ...certificateFile('Renew this PEM file (default: the secrets of the deployment, by its function)'),
        requiresArg: true,
      })
      .option('archive', {
        ...text('archive'),
        describe: `With --certificate: the archive, which remembers how far a renewal is (default: the config's bucket, else ./${DEFAULT_ARCHIVE})`,
      })
      .option('config', OPTIONS.config)
      .option('stack', OPTIONS.stack)
      .option('now', { type: 'boolean', default: false, describe: 'Renew although it is not due' })
      .option('dry-run', {
        type: 'boolean',
        default: false,
        describe: 'Say when it is due, and prove that it will work, without changing anything',
      })
      .option('json', OPTIONS.json)
      .conflicts('stack', ['certificate', 'archive'])
      .implies('archive', 'certificate')
      .epilogue('Exit code 1 where something stands in the way.'),
  examples: [
    ['certificate rotate --dry-run', 'of a deployment'],
    ['certificate rotate --certificate app.pem --archive archive', 'without any AWS'],
  ],
  act,
};

async function act(flags: RotateFlags): Promise<number> {
  const { now, json, certificate: file } = flags;
  const isDry = flags['dry-run'];
  let result: RotationResult | Plan[];
  if (file === undefined) {
    result = await invoker<RotationResult | Plan[]>(await rotationFunctionOf(flags.stack))({
      rotation: true,
      ...(now && { now }),
      ...(isDry && { dryRun: true }),
    });
  } else {
    const config = await loadConfig(flags.config);
    const ports = await portsOf(file, flags, config);
    const rotation = { deployment: file, tenants: config.tenants, sender: null, ports };
    // A secret that cannot be read is left out of a renewal, but this file is all that there is.
    await ports.certificates(undefined).look();
    result = isDry ? await planRotation(rotation) : await rotate({ ...rotation, force: now });
  }
  const all: (Plan | Renewal)[] = Array.isArray(result) ? result : result.renewals;
  if (all.length === 0) {
    throw new MonitorError(
      'rotation-of-nothing',
      'There is no certificate to renew: none can be read, or every tenant signs in federated.',
      `See what there is: ${commandLine('certificate status')}`,
    );
  }
  if (json) console.log(JSON.stringify(result, null, 2));
  else console.log(all.map((each) => ('status' in each ? describe(each) : describePlan(each))).join('\n\n'));
  return all.every(({ obstacles }) => obstacles.length === 0) ? EXIT.done : EXIT.failed;
}

async function rotationFunctionOf(stack = DEPLOYMENT_STACK): Promise<string> {
  const { outputs } = await findDeployment(stack).catch((error: unknown) => {
    throw alsoAdvising(error, 'To renew a file: --certificate <file>.');
  });
  if (outputs.rotationFunctionName) return outputs.rotationFunctionName;
  throw new MonitorError(
    'rotation-not-deployed',
    `The deployment ${quote(stack)} renews no certificate.`,
    'Say objectId (of the app registration) beside clientId in the config, and deploy. For a file: --certificate <file>.',
  );
}

/** All tenants of the config sign in with the one file. */
async function portsOf(
  file: string,
  flags: RotateFlags,
  { archive: { bucket } }: Config,
): Promise<RotationPorts> {
  const certificates = fileCertificate(file);
  return {
    clock: machineClock,
    invocation: { id: randomUUID(), deadline: deadlineIn(machineClock, PATIENCE_MS) },
    certificates: () => certificates,
    keys: graphKeys({ clock: machineClock }),
    create: createCertificate,
    store: await openStore(flags.archive ?? (bucket ? `s3://${bucket}` : DEFAULT_ARCHIVE)),
    // Whoever calls it reads what it prints.
    mailer: { send: () => Promise.reject(new Error('a renewal by hand sends no mail')) },
    log: stderrLog(),
    pause: (ms) => sleep(ms),
  };
}

const mark = { ok: styleText('green', '✓'), bad: styleText('red', '✗'), wait: styleText('yellow', '…') };
const on = (date: string): string => day(new Date(date));

function describePlan({ secret, tenants, certificate, renewsFrom, proved, obstacles }: Plan): string {
  return [
    `${obstacles.length > 0 ? mark.bad : mark.ok} ${styleText('bold', secret)} (${tenants.join(', ')})`,
    `    valid until ${on(certificate.notAfter)}, renewed from ${on(renewsFrom)} on, SHA-1 ${certificate.thumbprint}`,
    ...proved.map((clientId) => `    The app ${clientId} has shown that it can roll its keys.`),
    ...obstacles.map(describeObstacle),
    ...(obstacles.length === 0
      ? [
          '    Nothing was changed. Whether a policy of the tenant forbids a new key only adding one can show.',
        ]
      : []),
  ].join('\n');
}

function describe({
  secret,
  tenants,
  status,
  certificate,
  next,
  obstacles,
  removed,
  leftOver,
}: Renewal): string {
  const head = `${styleText('bold', secret)} (${tenants.join(', ')})`;
  const lines = {
    fresh: [`${mark.ok} ${head}: not due${certificate ? `, valid until ${on(certificate.notAfter)}` : ''}`],
    renewed: [
      `${mark.ok} ${head}: renewed`,
      ...(next ? [`    valid until ${on(next.notAfter)}, SHA-1 ${next.thumbprint}`] : []),
      '    The old key is removed when all tenants have run with the new one for a week.',
    ],
    waiting: [
      `${mark.wait} ${head}: the next certificate is made, and Entra ID does not know it everywhere yet`,
      '    The old one signs in meanwhile. The next call goes on from here.',
    ],
    blocked: [`${mark.bad} ${head}: not renewed`],
  }[status];
  return [
    ...lines,
    ...obstacles.map(describeObstacle),
    ...removed.map(({ clientId, thumbprint }) => `    removed from the app ${clientId}: SHA-1 ${thumbprint}`),
    ...leftOver.map(
      ({ clientId, thumbprint, notAfter }) =>
        `    left in the app ${clientId}, because its id is not known: SHA-1 ${thumbprint}, which ends on ${on(notAfter)}`,
    ),
  ].join('\n');
}

const describeObstacle = ({ tenants, message, advice }: Obstacle): string =>
  `    ${tenants.join(', ')}: ${message}\n    → ${advice}`;
