import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { day, dueBefore, type CheckedCertificate } from '../../../lambda/certificate/bundle.ts';
import { deadlineIn, machineClock } from '../../../lambda/clock.ts';
import type { Tenant } from '../../../lambda/config.ts';
import { ROTATION_SCHEDULE } from '../../../lambda/environment.ts';
import { MonitorError, quote } from '../../../lambda/errors.ts';
import { graphKeys } from '../../../lambda/rotation/app-keys.ts';
import { appsOf, obstaclesOf } from '../../../lambda/rotation/renew.ts';
import { asked, PATIENCE } from '../../shared/aws.ts';
import { DEPLOY, outputOf, type Deployment } from '../../shared/deployment.ts';
import type { Outcome } from './examination.ts';

/** How long Entra and Graph are tried. */
const PATIENCE_MS = 45_000;

/** Shows that an app may change its own keys, without changing any. @throws MonitorError those of `AppKeys.prove` */
export type Prove = (
  app: ReturnType<typeof appsOf>[number],
  certificate: CheckedCertificate,
) => Promise<void>;

/** Asks Graph once for each app and certificate, however many tenants they have. */
export function proveOnce(): Prove {
  const keys = graphKeys({ clock: machineClock });
  const proofs = new Map<string, Promise<void>>();
  return (app, certificate) => {
    const key = `${app.clientId} ${certificate.thumbprintSha256}`;
    const proof = proofs.get(key) ?? keys.prove(app, certificate, deadlineIn(machineClock, PATIENCE_MS));
    proofs.set(key, proof);
    return proof;
  };
}

/**
 * Checks in advance that the certificate of a tenant will renew itself, as far as that shows without a new key.
 * @param sharing all tenants that sign in with the same certificate, the tenant among them: they renew together
 * @throws MonitorError those of `AppKeys.prove`
 */
export async function renewalCheck(
  tenant: Tenant,
  certificate: CheckedCertificate,
  sharing: Tenant[],
  prove: Prove,
): Promise<Outcome<void>> {
  const now = machineClock.now();
  const until = day(certificate.notAfter);
  if (tenant.rotate === false) {
    return {
      found: `switched off (rotate: false): the certificate signs in until ${until}, and is replaced by hand`,
      value: undefined,
    };
  }
  const obstacles = obstaclesOf(sharing, certificate, now);
  const obstacle = obstacles.find(({ tenants }) => tenants.includes(tenant.name)) ?? obstacles[0];
  if (obstacle) return { found: obstacle.message, value: undefined, warning: obstacle.advice };
  const due = new Date(certificate.notAfter.getTime() - dueBefore(certificate));
  for (const app of appsOf([tenant])) await prove(app, certificate);
  return {
    found: `${due <= now ? 'due since' : 'from'} ${day(due)}${due <= now ? '' : ' on'}: the app has proved with its key that it may change its own keys, and nothing was changed. Whether a policy of the tenant forbids a new one, only adding it shows`,
    value: undefined,
  };
}

/** Checks that what renews certificates is deployed, and that its schedule starts it. */
export async function rotationCheck(deployment: Deployment): Promise<Outcome<void>> {
  const name = deployment.outputs.rotationFunctionName;
  if (name === undefined) {
    return {
      found: 'the config has certificates that renew themselves, and the deployment does not',
      value: undefined,
      warning: `${DEPLOY}.`,
    };
  }
  const group = outputOf(deployment, 'scheduleGroup');
  const schedule = `${group}/${ROTATION_SCHEDULE}`;
  const { State } = await asked(
    'scheduler:GetSchedule',
    `the schedule ${quote(schedule)}`,
    new SchedulerClient(PATIENCE).send(new GetScheduleCommand({ GroupName: group, Name: ROTATION_SCHEDULE })),
    {
      ResourceNotFoundException: () =>
        new MonitorError(
          'schedule-missing',
          `There is no schedule ${quote(schedule)}: certificates do not renew themselves.`,
          `${DEPLOY}.`,
        ),
    },
  );
  if (State === 'ENABLED') return { found: `${name}, daily`, value: undefined };
  throw new MonitorError(
    'schedule-disabled',
    `The schedule ${quote(schedule)} is switched off: certificates do not renew themselves.`,
    `Enable it in EventBridge Scheduler, or ${DEPLOY.toLowerCase()}.`,
  );
}
