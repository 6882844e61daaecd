import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dateOf } from '../../lambda/dates.ts';
import { startSts, type SimulatedSts } from '../../simulator/sts.ts';
import { CLIENT_ID, holdsSecrets, practise, secureScore, type Practice } from './support.ts';

/** Without a certificate: a stand-in of STS vouches for whoever runs this, and the simulated Entra ID checks its keys. */

const AUDIENCE = 'api://AzureADTokenExchange';
const ROLE = 'arn:aws:iam::111122223333:role/the-function';

let practice: Practice;
let sts: SimulatedSts;
const stacks = mockClient(CloudFormationClient);
afterAll(() => stacks.restore());

beforeEach(async () => {
  practice = await practise(dateOf(new Date()));
  sts = await startSts(() => new Date());
  practice.app.certificates.length = 0;
  practice.app.registration.federated = [{ issuer: sts.issuer, subject: sts.subject, audience: AUDIENCE }];
  await practice.writeConfig({}, { signIn: 'federated', objectId: undefined });
  // Nothing answers there: what else of AWS is asked for fails at once.
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.endpoint);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  stacks.reset();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await sts.close();
  await practice.end();
});

interface Check {
  check: string;
  status: string;
  found: string;
  advice: string | null;
  code: string | null;
}

async function doctor(...flags: string[]) {
  const { code, json } = await secureScore('doctor', '--config', practice.config, '--json', ...flags);
  const { checks } = json() as { checks: Check[] };
  expect(holdsSecrets(JSON.stringify(checks), practice.privateKey)).toBe(false);
  const having = (status: string) =>
    checks.filter((check) => check.status === status).map(({ check }) => check);
  return { code, checks, having, find: (name: string) => checks.find(({ check }) => check === name) };
}
const here = () => [
  '--archive',
  join(practice.folder, 'archive'),
  '--outbox',
  join(practice.folder, 'mails'),
];

describe('on one machine', () => {
  it('needs no certificate, signs in as whoever runs it, and prints what Entra ID must trust', async () => {
    const { code, having, find } = await doctor(...here());
    expect(having('failed')).toEqual([]);
    expect(code).toBe(0);
    expect(having('ok')).toEqual([
      'config',
      'AWS account',
      'archive',
      'outbox',
      'federation',
      'sign-in',
      'permission',
      'Graph',
      'newest snapshot',
    ]);
    for (const name of ['secret', 'certificate', 'renewal'])
      expect(find(name)).toMatchObject({ status: 'skipped', found: expect.stringMatching(/^not used: /) });
    const found = find('federation')?.found ?? '';
    expect(found).toContain(`issuer ${sts.issuer}, subject ${sts.subject}, audience ${AUDIENCE}`);
    expect(found).toContain(`\n  az ad app federated-credential create --id ${CLIENT_ID} --parameters '`);
    expect(found).toContain('\n  New-MgApplicationFederatedIdentityCredential ');
    expect(found).toContain('Microsoft documents no audience for https://localhost');
  });

  it('prints each command in one line, however narrow the terminal', async () => {
    const { columns } = process.stdout;
    process.stdout.columns = 80;
    const { stdout } = await secureScore('doctor', '--config', practice.config, ...here());
    process.stdout.columns = columns;
    expect(stdout).toMatch(new RegExp(`\\n +az ad app .*${sts.subject}.*${AUDIENCE}.*'\\n`));
    expect(stdout).toMatch(new RegExp(`\\n +New-Mg.*-Subject '${sts.subject}' .*\\n`));
  });

  it.each<[what: string, spoil: () => void, check: string, code: string, advice: RegExp]>([
    [
      'an account without the feature',
      () => (sts.enabled = false),
      'federation',
      'federation-disabled',
      /aws iam enable-outbound-web-identity-federation/,
    ],
    [
      'an identity that may not',
      () => (sts.denies = true),
      'federation',
      'federation-denied',
      /Allow sts:GetWebIdentityToken/,
    ],
    [
      'a session that ends too soon',
      () => (sts.sessionSeconds = 100),
      'federation',
      'federation-session-ends',
      /Sign in to AWS again, for a longer session/,
    ],
    [
      'an app without a federated credential (70021)',
      () => (practice.app.registration.federated = []),
      'sign-in',
      'federation-unknown',
      /az ad app federated-credential create/,
    ],
    [
      'a credential of another issuer (700211)',
      () => (practice.app.registration.federated[0]!.issuer = 'https://elsewhere'),
      'sign-in',
      'federation-unknown',
      /az ad app federated-credential create/,
    ],
    [
      'a credential of another audience (700212)',
      () => (practice.app.registration.federated[0]!.audience = 'api://other'),
      'sign-in',
      'federation-unknown',
      /az ad app federated-credential create/,
    ],
    [
      'a credential of another role (700213)',
      () => (practice.app.registration.federated[0]!.subject = ROLE),
      'sign-in',
      'federation-unknown',
      /az ad app federated-credential create/,
    ],
  ])('%s: fails there, with its advice', async (what, spoil, check, code, advice) => {
    spoil();
    const { having, find } = await doctor(...here());
    expect(having('failed')).toEqual([check]);
    expect(find(check)).toMatchObject({ code, advice: expect.stringMatching(advice) });
    // The number of Entra's error, where it is one.
    expect(find(check)?.found).toContain(/\((\d+)\)/.exec(what)?.[1] ?? '');
  });
});

describe('on a deployment', () => {
  const deployed = (subject: string) =>
    stacks.on(DescribeStacksCommand).resolves({
      Stacks: [
        {
          StackName: 'SecureScoreMonitor',
          StackStatus: 'UPDATE_COMPLETE',
          CreationTime: new Date(),
          Outputs: Object.entries({
            FunctionName: 'the-function',
            ArchiveBucket: 'the-bucket',
            ScheduleGroup: 'the-group',
            ConfigurationSet: 'the-set',
            FederatedSubject: subject,
          }).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
        },
      ],
    });

  it('shows the role of the function, and leaves the sign-in to it', async () => {
    deployed(ROLE);
    const { find } = await doctor('--tenant', 'Contoso');
    expect(find('federation')).toMatchObject({
      status: 'ok',
      found: expect.stringContaining(`issuer ${sts.issuer}, subject ${ROLE}, audience ${AUDIENCE}`),
    });
    expect(find('federation')?.found).toContain(`-Subject '${ROLE}'`);
    for (const name of ['sign-in', 'Graph'])
      expect(find(name)).toMatchObject({
        status: 'skipped',
        found: expect.stringContaining('the role of the function alone can sign in'),
      });
  });

  it('says how to find the issuer if the user may not get a token', async () => {
    deployed(ROLE);
    sts.denies = true;
    const { find } = await doctor();
    expect(find('federation')).toMatchObject({
      status: 'warning',
      found: expect.stringContaining(`issuer unknown, subject ${ROLE}`),
      advice: expect.stringContaining('aws iam get-outbound-web-identity-federation-info'),
    });
  });

  it('signs in if it runs as that role', async () => {
    deployed(sts.subject);
    expect((await doctor()).find('sign-in')?.status).toBe('ok');
  });

  it('without the output asks for a deployment', async () => {
    deployed('');
    expect((await doctor()).find('federation')).toMatchObject({
      status: 'failed',
      code: 'deployment-without-output',
      advice: expect.stringContaining('npx cdk deploy'),
    });
  });
});

it('certificate status lists tenants without a certificate, without any call', async () => {
  const shown = await secureScore('certificate', 'status', '--config', practice.config);
  expect([shown.code, shown.stdout]).toEqual([0, expect.stringMatching(/^✓ Contoso: .*no certificate/)]);
  const { json } = await secureScore('certificate', 'status', '--config', practice.config, '--json');
  expect(json()).toEqual([
    { kind: 'federated', tenants: ['Contoso'], where: null, certificate: null, error: null },
  ]);
  expect(sts.calls).toEqual([]);
});

it('certificate put refuses a tenant that signs in without one', async () => {
  const args = ['--tenant', 'Contoso', '--config', practice.config];
  const { code, stderr } = await secureScore('certificate', 'put', practice.pem, ...args);
  expect([code, stderr]).toEqual([1, expect.stringContaining('signs in federated')]);
});
