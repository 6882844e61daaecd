import tls from 'node:tls';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { s3Store } from '../../lambda/archive/s3-store.ts';
import { parseConfig, type Tenant } from '../../lambda/config.ts';
import { dateOf } from '../../lambda/dates.ts';
import { createCertificate } from '../../simulator/certificates.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { newBucket } from './bucket.ts';

/** The handler as Lambda calls it: its environment, the real SDK clients against the emulator, Graph simulated. */

const CLIENT_ID = '6f1d3a52-97b1-4c0b-8a3e-2f5d1c7e9b40';
const SECRET = 'secure-score/test';

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
});
afterAll(() => simulator.close());

let invocations = 0;
async function invoke(event: unknown) {
  const { handler } = await import('../../lambda/handler.ts');
  return handler(event, {
    awsRequestId: `request-${(invocations += 1)}`,
    getRemainingTimeInMillis: () => 60_000,
  });
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

  it('logs nothing secret', async () => {
    const logged = vi.spyOn(console, 'log');
    simulator.fault({
      at: 'secureScores',
      times: Infinity,
      with: () => ({ status: 403, headers: {}, body: {} }),
    });
    await expect(invoke({ tenant })).rejects.toThrow();
    const lines = JSON.stringify(logged.mock.calls);
    expect(lines).not.toContain(key.split('\n')[1]);
    expect(lines).not.toMatch(/eyJ[\w-]{20,}/);
  });
});
