import tls from 'node:tls';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import {
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  SchedulerClient,
} from '@aws-sdk/client-scheduler';
import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { s3Store } from '../../lambda/archive/s3-store.ts';
import { parseConfig, type Tenant } from '../../lambda/config.ts';
import { dateOf } from '../../lambda/dates.ts';
import { SCHEDULE_PREFIX } from '../../lambda/environment.ts';
import { DEPLOYMENT_METRICS, DIMENSIONS, NAMESPACE } from '../../lambda/metric-names.ts';
import type { RunResult } from '../../lambda/run/run.ts';
import type { WatchResult } from '../../lambda/watch/watch.ts';
import { createCertificate } from '../../simulator/certificates.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { logOf } from '../run/capture.ts';
import { newBucket } from './bucket.ts';

/** The handler as Lambda calls it: its environment, the real SDK clients against the emulator, Graph simulated. */

const CLIENT_ID = '6f1d3a52-97b1-4c0b-8a3e-2f5d1c7e9b40';
const SECRET = 'secure-score/test';
const GROUP = 'deployed';

let simulator: Simulator;
let tenant: Tenant;
let bucket: string;
let key: string;

beforeAll(async () => {
  const practice = practiceTenant({ today: dateOf(new Date()) });
  simulator = await startSimulator({ tenants: [practice] });
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), simulator.ca]);
  const app = await createCertificate({ commonName: 'test', days: 30 });
  simulator.registerApp({
    tenantId: practice.tenantId,
    clientId: CLIENT_ID,
    certificates: [app.certificate],
  });
  key = app.privateKey;

  bucket = await newBucket();
  const secrets = new SecretsManagerClient({});
  await secrets.send(new CreateSecretCommand({ Name: SECRET, SecretString: 'filled below' })).catch(() => {});
  await secrets.send(
    new PutSecretValueCommand({ SecretId: SECRET, SecretString: app.certificate + app.privateKey }),
  );
  await new SESv2Client({})
    .send(new CreateEmailIdentityCommand({ EmailIdentity: 'contoso.com' }))
    .catch(() => {});

  const { authorityHost, graphEndpoint } = simulator;
  const recipients = ['secops@contoso.com'];
  tenant = parseConfig(
    {
      tenants: [
        {
          name: 'Contoso',
          tenantId: practice.tenantId,
          clientId: CLIENT_ID,
          cloud: { authorityHost, graphEndpoint },
          recipients,
        },
      ],
      operations: ['oncall@contoso.com'],
      mail: { from: 'Secure Score <secure-score@contoso.com>' },
    },
    'test',
  ).tenants[0]!;
  vi.stubEnv('ARCHIVE_BUCKET', bucket);
  vi.stubEnv('CERTIFICATE_SECRET', SECRET);
  vi.stubEnv('MAIL_FROM', 'Secure Score <secure-score@contoso.com>');
  vi.stubEnv('OPERATIONS', 'oncall@contoso.com');
  vi.stubEnv('DEPLOYMENT', 'deployed');
  vi.stubEnv('SCHEDULE_GROUP', GROUP);
});
afterAll(() => simulator.close());

let invocations = 0;
async function invoke<Result = RunResult>(event: unknown): Promise<Result> {
  const { handler } = await import('../../lambda/handler.ts');
  const result = await handler(event, {
    awsRequestId: `request-${(invocations += 1)}`,
    getRemainingTimeInMillis: () => 60_000,
  });
  return result as Result;
}

async function mailbox(): Promise<string> {
  const answer = await fetch(`${process.env.AWS_ENDPOINT_URL}/_ministack/ses/messages`);
  return answer.text();
}

describe('the function', () => {
  it('reads the secret, archives 90 days into the bucket and mails through SES', async () => {
    const result = await invoke({ tenant });
    expect(result).toMatchObject({ tenant: tenant.tenantId, name: 'Contoso', pending: [] });
    expect(result.archived.length).toBeGreaterThan(85);
    expect(result.mails).toMatchObject([{ kind: 'start', to: ['secops@contoso.com'] }]);
    const keys = await s3Store({ bucket }).list('');
    expect(keys.filter((name) => name.startsWith('snapshots/'))).toHaveLength(result.archived.length);
    expect(keys).toContain(`state/tenant=${tenant.tenantId}.json`);
    expect(await mailbox()).toContain('monitoring has started');
    // It is what Lambda hands on: JSON.
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  it('mails the changes of the next day, and nothing when it is invoked again', async () => {
    simulator.advance();
    const result = await invoke({ tenant });
    expect(result.archived).toHaveLength(1);
    expect(result.mails.map(({ kind }) => kind)).toContain('scores');
    expect(await mailbox()).toContain(JSON.stringify(result.mails[0]!.subject).slice(1, -1).slice(0, 30));
    expect(await invoke({ tenant })).toMatchObject({ archived: [], mails: [] });
  });

  it.each([
    [{}, 'tenant: is missing'],
    [null, 'The event is not'],
    [{ tenant: { name: 'x' } }, 'tenant.tenantId: is missing'],
  ])('refuses the event %j, saying what is wrong', async (event, message) => {
    await expect(invoke(event)).rejects.toMatchObject({
      code: 'event-invalid',
      message: expect.stringContaining(message),
    });
  });

  it('publishes the outcome of the run, under the names that the alarms watch', async () => {
    const log = await logOf(() => invoke({ tenant }));
    expect(log).toContainEqual(
      expect.objectContaining({
        _aws: expect.objectContaining({
          CloudWatchMetrics: [
            expect.objectContaining({ Namespace: NAMESPACE, Dimensions: [[DIMENSIONS.deployment]] }),
          ],
        }),
        [DIMENSIONS.deployment]: 'deployed',
        [DEPLOYMENT_METRICS.runsSucceeded]: 1,
        [DEPLOYMENT_METRICS.runsFailed]: 0,
      }),
    );
  });

  it('logs its failure with code and advice, counts it, and nothing secret', async () => {
    simulator.fault({
      at: 'secureScores',
      times: Infinity,
      with: () => ({ status: 403, headers: {}, body: {} }),
    });
    const log = await logOf(() => expect(invoke({ tenant })).rejects.toThrow('→'));
    expect(log).toContainEqual(
      expect.objectContaining({
        level: 'ERROR',
        service: 'deployed',
        function_request_id: `request-${invocations}`,
        tenant: tenant.tenantId,
        name: 'Contoso',
        code: expect.any(String),
        advice: expect.any(String),
      }),
    );
    expect(log).toContainEqual(
      expect.objectContaining({ [DEPLOYMENT_METRICS.runsSucceeded]: 0, [DEPLOYMENT_METRICS.runsFailed]: 1 }),
    );
    const lines = JSON.stringify(log);
    expect(lines).not.toContain(key.split('\n')[1]);
    expect(lines).not.toMatch(/eyJ[\w-]{20,}/);
  });
});

describe('the watch', () => {
  const NEVER_RAN = '99999999-aaaa-4bbb-8ccc-dddddddddddd';

  it('finds the tenants of the schedule group, publishes their state, and is silent about a new one', async () => {
    const scheduler = new SchedulerClient({});
    await scheduler.send(new CreateScheduleGroupCommand({ Name: GROUP }));
    for (const name of [`${SCHEDULE_PREFIX}${tenant.tenantId}`, `${SCHEDULE_PREFIX}${NEVER_RAN}`, 'watch']) {
      await scheduler.send(
        new CreateScheduleCommand({
          GroupName: GROUP,
          Name: name,
          ScheduleExpression: 'cron(0 7 * * ? *)',
          FlexibleTimeWindow: { Mode: 'OFF' },
          Target: {
            Arn: 'arn:aws:lambda:eu-central-1:000000000000:function:none',
            RoleArn: 'arn:aws:iam::000000000000:role/none',
          },
        }),
      );
    }
    let result: WatchResult | undefined;
    const log = await logOf(async () => (result = await invoke<WatchResult>({ watch: true })));
    expect(result).toEqual({
      watched: 2,
      overdue: [],
      overdueDigests: [],
      stale: [],
      damaged: [],
      certificateDaysLeft: 29,
      // The certificate of this test has 30 days.
      mails: [expect.objectContaining({ kind: 'operations', to: ['oncall@contoso.com'] })],
    });
    expect(log).toContainEqual(
      expect.objectContaining({
        [DIMENSIONS.deployment]: 'deployed',
        [DEPLOYMENT_METRICS.tenantsOverdue]: 0,
        [DEPLOYMENT_METRICS.tenantsStale]: 0,
        [DEPLOYMENT_METRICS.archivesDamaged]: 0,
        [DEPLOYMENT_METRICS.certificateDaysLeft]: 29,
      }),
    );
    expect(await mailbox()).toContain('the certificate of Contoso expires in 29 days');
    expect(await invoke({ watch: true })).toMatchObject({ mails: [] });
  });

  it.each([[{ watch: false }], [{ watch: true, tenant: {} }]])('refuses the event %j', async (event) => {
    await expect(invoke(event)).rejects.toMatchObject({ code: 'event-invalid' });
  });
});
