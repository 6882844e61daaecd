import { STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { machineClock } from '../../lambda/clock.ts';
import { parseConfig, type Tenant } from '../../lambda/config.ts';
import { graphClient } from '../../lambda/graph/client.ts';
import { audienceOf, federatedCredential, stsWebIdentity } from '../../lambda/graph/web-identity.ts';
import type { App } from '../../simulator/app.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import type { Simulator } from '../../simulator/server.ts';
import { startSts, type SimulatedSts } from '../../simulator/sts.ts';
import { CLIENT, trusted } from '../simulator/support.ts';

const AUDIENCE = 'api://AzureADTokenExchange';

let simulator: Simulator;
let sts: SimulatedSts;
let app: App;
let tenant: Tenant;

beforeAll(async () => {
  const practice = practiceTenant({ today: '2026-01-09' });
  simulator = await trusted({ tenants: [practice] });
  const { authorityHost, graphEndpoint } = simulator;
  [tenant] = parseConfig(
    {
      tenants: [
        {
          name: 'Contoso',
          tenantId: practice.tenantId,
          clientId: CLIENT,
          signIn: 'federated',
          cloud: { authorityHost, graphEndpoint },
          recipients: ['secops@contoso.com'],
        },
      ],
      operations: ['oncall@contoso.com'],
      mail: { from: 'secure-score@contoso.com' },
    },
    'the test',
  ).tenants as [Tenant];
});
beforeEach(async () => {
  sts = await startSts(() => new Date());
  app = simulator.registerApp({
    tenantId: tenant.tenantId,
    clientId: CLIENT,
    certificates: [],
    registration: { federated: [{ issuer: sts.issuer, subject: sts.subject, audience: AUDIENCE }] },
  });
  return () => sts.close();
});
afterAll(() => simulator.close());

function signIn() {
  const client = new STSClient({
    endpoint: sts.endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  const graph = graphClient({
    clock: machineClock,
    limits: { backoff: 1, attempts: 2 },
    webIdentity: stsWebIdentity(client),
  });
  return graph.signIn(tenant, null, new Date(Date.now() + 30_000));
}

describe('signing in federated', () => {
  it('needs no certificate: AWS vouches for the role, and Entra proves it by the keys that AWS publishes', async () => {
    const session = await signIn();
    expect(await session.secureScores(1, null)).toHaveLength(1);
    expect(sts.calls).toMatchObject([
      {
        Action: 'GetWebIdentityToken',
        'Audience.member.1': AUDIENCE,
        SigningAlgorithm: 'RS256',
        DurationSeconds: '300',
      },
    ]);
  });

  it.each<[string, () => void, RegExp]>([
    ['no credential at all', () => (app.registration.federated = []), /AADSTS70021\)/],
    [
      'another issuer',
      () => (app.registration.federated[0]!.issuer = 'https://elsewhere'),
      /does not know the issuer.*700211/,
    ],
    [
      'another audience',
      () => (app.registration.federated[0]!.audience = 'api://other'),
      /does not know the audience.*700212/,
    ],
    [
      'another subject',
      () => (app.registration.federated[0]!.subject = 'arn:other'),
      /does not know the subject.*700213/,
    ],
  ])(
    '%s: shows the content of the token, and the command that creates the credential',
    async (_, spoil, message) => {
      spoil();
      const failure = await signIn().catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: 'federation-unknown',
        message: expect.stringMatching(message),
        retryable: false,
      });
      expect(failure).toMatchObject({ message: expect.stringContaining(sts.subject) });
      expect(failure).toMatchObject({
        advice: expect.stringContaining(`az ad app federated-credential create --id ${CLIENT}`),
      });
      expect(JSON.stringify(failure)).not.toMatch(/eyJ[\w-]{20,}/);
    },
  );

  it.each<[string, () => void, string, boolean]>([
    ['an account without the feature', () => (sts.enabled = false), 'federation-disabled', false],
    ['a role that may not', () => (sts.denies = true), 'federation-denied', false],
    ['a session that ends sooner', () => (sts.sessionSeconds = 100), 'federation-session-ends', true],
  ])('%s has an advice of its own', async (_, spoil, code, retryable) => {
    spoil();
    await expect(signIn()).rejects.toMatchObject({ code, retryable });
  });

  it('fails if the keys of the issuer differ or cannot be read', async () => {
    const other = await startSts(() => new Date());
    // The token is of the first one, which says that it is the second.
    sts.issuer = other.issuer;
    app.registration.federated[0]!.issuer = other.issuer;
    await expect(signIn()).rejects.toMatchObject({ code: 'sign-in-refused' });
    await other.close();
    await expect(signIn()).rejects.toMatchObject({ code: 'issuer-unreachable', retryable: true });
  });
});

it('asks for the audience of the cloud', () => {
  expect(audienceOf({ authorityHost: 'https://login.microsoftonline.com' })).toBe(AUDIENCE);
  expect(audienceOf({ authorityHost: 'https://login.microsoftonline.us' })).toBe(`${AUDIENCE}USGov`);
  expect(audienceOf({ authorityHost: 'https://localhost:1234' })).toBe(AUDIENCE);
});

it('prints commands that an admin can paste', () => {
  const { az, powershell } = federatedCredential(
    { clientId: CLIENT },
    { issuer: 'https://i', subject: 'arn:s', audience: AUDIENCE },
  );
  expect(JSON.parse(/--parameters '(.*)'$/.exec(az)![1]!)).toEqual({
    name: 'secure-score-monitor',
    issuer: 'https://i',
    subject: 'arn:s',
    audiences: [AUDIENCE],
  });
  expect(powershell).toContain("-Issuer 'https://i' -Subject 'arn:s'");
});
