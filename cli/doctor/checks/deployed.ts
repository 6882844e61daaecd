import { isDeepStrictEqual } from 'node:util';
import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { day } from '../../../lambda/certificate/bundle.ts';
import type { Tenant } from '../../../lambda/config.ts';
import { SCHEDULE_PREFIX } from '../../../lambda/environment.ts';
import { alsoAdvising, MonitorError, quote } from '../../../lambda/errors.ts';
import { putCommand } from '../../../lambda/outputs.ts';
import { asked, PATIENCE } from '../../shared/aws.ts';
import { DEPLOY, findDeployment, outputOf, type Deployment } from '../../shared/deployment.ts';
import { describeSecret, secretsClient } from '../../certificate/secrets.ts';
import type { Outcome } from './examination.ts';
import { commandLine } from '../../../lambda/command-line.ts';

/** Required outputs. The shared secret is not among them because each tenant may have its own. */
const NEEDED = ['functionName', 'archiveBucket', 'scheduleGroup', 'configurationSet'] as const;

const WITHOUT_AWS = 'To work without AWS, pass a file and a folder: --certificate <file> --archive <folder>.';

/** Checks the identity and the account. Needs no permission. */
export async function accountCheck(): Promise<Outcome<void>> {
  const client = new STSClient(PATIENCE);
  const answer = client.send(new GetCallerIdentityCommand({}));
  const { Account, Arn } = await asked('sts:GetCallerIdentity', 'the account', answer).catch(
    (error: unknown) => {
      throw alsoAdvising(error, WITHOUT_AWS);
    },
  );
  return { found: `${Account} in ${await client.config.region()}, as ${Arn}`, value: undefined };
}

/** Checks that the stack exists, is complete, and has the outputs that locate its parts. */
export async function deploymentCheck(stack: string): Promise<Outcome<Deployment>> {
  const deployment = await findDeployment(stack);
  const { status, at } = deployment;
  const found = `${stack}, ${status}${at ? ` of ${day(at)}` : ''}`;
  if (!/^(CREATE|UPDATE|IMPORT|UPDATE_ROLLBACK)_COMPLETE$|^UPDATE_(.*_)?IN_PROGRESS$/.test(status)) {
    throw new MonitorError(
      'deployment-broken',
      `The stack ${quote(stack)} is in the state ${status}.`,
      'Look at its events in CloudFormation. A stack whose creation failed must be deleted, then deployed again.',
    );
  }
  for (const name of NEEDED) outputOf(deployment, name);
  if (status.endsWith('PROGRESS')) {
    const warning = 'A deployment is under way: run the doctor again when it is done.';
    return { found, value: deployment, warning };
  }
  if (status === 'UPDATE_ROLLBACK_COMPLETE') {
    const warning = 'The last update failed and was rolled back: look at the events of the stack.';
    return { found, value: deployment, warning };
  }
  return { found, value: deployment };
}

/** @param secret name or ARN */
export async function secretCheck(secret: string): Promise<Outcome<string>> {
  const { name, changed } = await describeSecret(secretsClient(), secret);
  if (changed) return { found: `${name}, of ${day(changed)}`, value: secret };
  throw new MonitorError(
    'secret-empty',
    `The secret ${quote(name)} has no value yet.`,
    `Store the certificate and its key: ${putCommand(secret)}. To create them: ${commandLine('certificate create')}`,
  );
}

/** Checks that the tenant's schedule exists, is enabled, and carries the current config. */
export async function scheduleCheck(tenant: Tenant, group: string): Promise<Outcome<void>> {
  const name = SCHEDULE_PREFIX + tenant.tenantId;
  const schedule = await asked(
    'scheduler:GetSchedule',
    `the schedule ${quote(`${group}/${name}`)}`,
    new SchedulerClient(PATIENCE).send(new GetScheduleCommand({ GroupName: group, Name: name })),
    {
      ResourceNotFoundException: () =>
        new MonitorError(
          'schedule-missing',
          `${quote(tenant.name)} has no schedule in the group ${quote(group)}: it does not run automatically.`,
          `The config has changed since the last deployment. ${DEPLOY}.`,
        ),
    },
  );
  const when = describeTime(schedule.ScheduleExpression ?? '', schedule.ScheduleExpressionTimezone);
  if (schedule.State !== 'ENABLED') {
    throw new MonitorError(
      'schedule-disabled',
      `The schedule of ${quote(tenant.name)} is switched off.`,
      `Enable ${group}/${name} in EventBridge Scheduler, or ${DEPLOY.toLowerCase()}.`,
    );
  }
  const same = isDeepStrictEqual(jsonOf(schedule.Target?.Input), JSON.parse(JSON.stringify({ tenant })));
  return {
    found: `${when}, enabled`,
    value: undefined,
    ...(!same && {
      warning: `The config of this tenant differs from what is deployed. ${DEPLOY}.`,
    }),
  };
}

/** `cron(0 7 * * ? *)` is "daily at 07:00". */
function describeTime(expression: string, timeZone = 'UTC'): string {
  const [, minute = '', hour = ''] = /^cron\((\d+) (\d+) \* \* \? \*\)$/.exec(expression) ?? [];
  const when = hour === '' ? expression : `daily at ${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  return `${when} ${timeZone}`;
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
