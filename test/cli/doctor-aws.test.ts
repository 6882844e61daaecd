import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import {
  GetAccountCommand,
  GetConfigurationSetCommand,
  GetEmailIdentityCommand,
  NotFoundException,
  SendEmailCommand,
  SESv2Client,
} from '@aws-sdk/client-sesv2';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { readFile } from 'node:fs/promises';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EMPTY_STATE, type State } from '../../lambda/archive/state.ts';
import { parseConfig } from '../../lambda/config.ts';
import { dateOf } from '../../lambda/dates.ts';
import { practise, secureScore, holdsSecrets, type Practice } from './support.ts';

/** Of a deployment: AWS is mocked, answer by answer; Microsoft is simulated. */

const sts = mockClient(STSClient);
const stacks = mockClient(CloudFormationClient);
const secrets = mockClient(SecretsManagerClient);
const s3 = mockClient(S3Client);
const ses = mockClient(SESv2Client);
const scheduler = mockClient(SchedulerClient);
afterAll(() => {
  for (const mock of [sts, stacks, secrets, s3, ses, scheduler]) mock.restore();
});
const mocks = [sts, stacks, secrets, s3, ses, scheduler];

const named = (name: string, message = 'no') => Object.assign(new Error(message), { name });
const notFound = new NotFoundException({ message: 'no', $metadata: {} });

const POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:*',
      Resource: ['x'],
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
    {
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:PutObject',
      Resource: ['snapshots', 'profiles', 'reports', 'ledger'].map(
        (part) => `arn:aws:s3:::the-bucket/${part}/*`,
      ),
      Condition: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
    },
  ],
};

let practice: Practice;

beforeEach(async () => {
  practice = await practise(dateOf(new Date()));
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  for (const mock of mocks) mock.reset();
  sts
    .on(GetCallerIdentityCommand)
    .resolves({ Account: '123456789012', Arn: 'arn:aws:iam::123456789012:user/ada' });
  stackIs('UPDATE_COMPLETE');
  secrets.on(DescribeSecretCommand).resolves({
    Name: 'secure-score/certificate',
    LastChangedDate: new Date('2026-01-09'),
    VersionIdsToStages: { v: ['AWSCURRENT'] },
  });
  secrets.on(GetSecretValueCommand).resolves({ SecretString: await readFile(practice.pem, 'utf8') });
  s3.on(HeadBucketCommand).resolves({});
  s3.on(ListObjectsV2Command).resolves({});
  s3.on(GetBucketVersioningCommand).resolves({ Status: 'Enabled' });
  s3.on(GetBucketPolicyCommand).resolves({ Policy: JSON.stringify(POLICY) });
  stateIs({ lastRun: { at: ago(3), newest: '2026-01-09', certificateUntil: ago(-999) } });
  ses.on(GetAccountCommand).resolves({
    SendingEnabled: true,
    ProductionAccessEnabled: true,
    EnforcementStatus: 'HEALTHY',
    SendQuota: { Max24HourSend: 50_000, SentLast24Hours: 12 },
  });
  ses.on(GetEmailIdentityCommand).rejects(notFound);
  verified('contoso.com');
  ses.on(GetConfigurationSetCommand).resolves({});
  ses.on(SendEmailCommand).resolves({ MessageId: '0100' });
  await scheduleIs({});
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await practice.end();
});

const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

function stackIs(status: string, outputs: Record<string, string> = OUTPUTS) {
  stacks.on(DescribeStacksCommand).resolves({
    Stacks: [
      {
        StackName: 'SecureScoreMonitor',
        StackStatus: status as 'UPDATE_COMPLETE',
        CreationTime: new Date('2026-01-08'),
        Outputs: Object.entries(outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
      },
    ],
  });
}
const OUTPUTS = {
  FunctionName: 'the-function',
  RotationFunctionName: 'the-rotation',
  ArchiveBucket: 'the-bucket',
  CertificateSecret: 'secure-score/certificate',
  ScheduleGroup: 'the-group',
  ConfigurationSet: 'the-set',
};

function stateIs(state: Partial<State>) {
  const bytes = Buffer.from(JSON.stringify({ ...EMPTY_STATE, ...state }));
  s3.on(GetObjectCommand).resolves({
    ETag: '"1"',
    Body: { transformToByteArray: async () => bytes } as never,
  });
}

const verified = (identity: string, is = true) =>
  ses.on(GetEmailIdentityCommand, { EmailIdentity: identity }).resolves({ VerifiedForSendingStatus: is });

/** Of the renewal, beside that of the tenant. */
const rotationIs = (State: 'ENABLED' | 'DISABLED') =>
  scheduler.on(GetScheduleCommand, { Name: 'rotation' }, false).resolves({ State });

async function scheduleIs(fields: object) {
  const config = parseConfig(JSON.parse(await readFile(practice.config, 'utf8')), 'it');
  scheduler.on(GetScheduleCommand).resolves({
    State: 'ENABLED',
    ScheduleExpression: 'cron(0 7 * * ? *)',
    ScheduleExpressionTimezone: 'Europe/Budapest',
    Target: { Arn: 'a', RoleArn: 'r', Input: JSON.stringify({ tenant: config.tenants[0] }) },
    ...fields,
  });
  rotationIs('ENABLED');
}

function scheduleFails(name: string) {
  scheduler.on(GetScheduleCommand).rejects(named(name));
  rotationIs('ENABLED');
}

async function doctor(...more: string[]) {
  const { code, json } = await secureScore('doctor', '--config', practice.config, '--json', ...more);
  const { checks } = json() as {
    checks: { check: string; status: string; found: string; advice: string; code: string }[];
  };
  expect(holdsSecrets(JSON.stringify(checks), practice.privateKey)).toBe(false);
  const having = (status: string) =>
    checks.filter((check) => check.status === status).map(({ check }) => check);
  return { code, checks, having, find: (name: string) => checks.find(({ check }) => check === name) };
}

describe('secure-score doctor on a deployment', () => {
  it('finds that all is well', async () => {
    const { code, checks } = await doctor();
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(code).toBe(0);
    expect(checks.map(({ check }) => check)).toEqual([
      'config',
      'AWS account',
      'deployment',
      'archive',
      'versions',
      'append-only',
      'sender',
      'sending',
      'recipients',
      'configuration set',
      'rotation',
      'secret',
      'certificate',
      'sign-in',
      'renewal',
      'permission',
      'Graph',
      'newest snapshot',
      'schedule',
      'last run',
    ]);
    const found = new Map(checks.map((check) => [check.check, check.found]));
    expect(found.get('AWS account')).toBe(
      '123456789012 in eu-central-1, as arn:aws:iam::123456789012:user/ada',
    );
    expect(found.get('schedule')).toBe('daily at 07:00 Europe/Budapest, enabled');
    expect(found.get('last run')).toMatch(/, 3 hours ago$/);
    expect(ses.commandCalls(SendEmailCommand)).toEqual([]);
  });

  it.each<[what: string, arrange: () => unknown, check: string, code: string, advice: RegExp]>([
    [
      'nobody is signed in to AWS',
      () => sts.on(GetCallerIdentityCommand).rejects(named('CredentialsProviderError')),
      'AWS account',
      'aws-credentials-missing',
      /aws sso login.*without AWS/,
    ],
    [
      'nothing is deployed',
      () => stacks.on(DescribeStacksCommand).rejects(named('ValidationError')),
      'deployment',
      'not-deployed',
      /npx cdk deploy/,
    ],
    ['its creation failed', () => stackIs('ROLLBACK_COMPLETE'), 'deployment', 'deployment-broken', /events/],
    [
      'the stack is another',
      () => stackIs('CREATE_COMPLETE', { FunctionName: 'f' }),
      'deployment',
      'deployment-without-output',
      /--stack/,
    ],
    [
      'the secret is missing',
      () => secrets.on(DescribeSecretCommand).rejects(named('ResourceNotFoundException')),
      'secret',
      'secret-missing',
      /deploy/,
    ],
    [
      'the secret is empty',
      () => secrets.on(DescribeSecretCommand).resolves({ Name: 's' }),
      'secret',
      'secret-empty',
      /certificate put/,
    ],
    [
      'the secret may not be read',
      () => secrets.on(GetSecretValueCommand).rejects(named('AccessDeniedException')),
      'certificate',
      'certificate-access-denied',
      /secretsmanager:GetSecretValue/,
    ],
    [
      'the bucket is gone',
      () => s3.on(HeadBucketCommand).rejects(named('NotFound')),
      'archive',
      'bucket-missing',
      /archive\.bucket/,
    ],
    [
      'the bucket is elsewhere',
      () => s3.on(HeadBucketCommand).rejects(named('301')),
      'archive',
      'bucket-elsewhere',
      /AWS_REGION/,
    ],
    [
      'the bucket has no versioning',
      () => s3.on(GetBucketVersioningCommand).resolves({ Status: 'Suspended' }),
      'versions',
      'bucket-not-versioned',
      /put-bucket-versioning/,
    ],
    [
      'the bucket has no policy',
      () => s3.on(GetBucketPolicyCommand).rejects(named('NoSuchBucketPolicy')),
      'append-only',
      'bucket-not-append-only',
      /If-None-Match/,
    ],
    [
      'the sender is not verified yet',
      () => verified('contoso.com', false),
      'sender',
      'sender-unverified',
      /DKIM records of contoso\.com/,
    ],
    [
      'the sender is unknown',
      () =>
        ses.on(GetEmailIdentityCommand).rejects(notFound) &&
        ses.on(GetEmailIdentityCommand, { EmailIdentity: 'contoso.com' }).rejects(notFound),
      'sender',
      'sender-unknown',
      /mail\.identity/,
    ],
    [
      'SES does not send',
      () => ses.on(GetAccountCommand).resolves({ SendingEnabled: false, EnforcementStatus: 'SHUTDOWN' }),
      'sending',
      'sending-disabled',
      /AWS Support/,
    ],
    [
      'the configuration set is gone',
      () => ses.on(GetConfigurationSetCommand).rejects(notFound),
      'configuration set',
      'configuration-set-missing',
      /deploy/,
    ],
    [
      'the configuration set is paused',
      () => ses.on(GetConfigurationSetCommand).resolves({ SendingOptions: { SendingEnabled: false } }),
      'configuration set',
      'sending-paused',
      /resume/,
    ],
    [
      'the tenant has no schedule',
      () => scheduleFails('ResourceNotFoundException'),
      'schedule',
      'schedule-missing',
      /deploy/,
    ],
    [
      'the schedule is off',
      () => scheduleIs({ State: 'DISABLED' }),
      'schedule',
      'schedule-disabled',
      /Enable/,
    ],
    [
      'the schedule of renewals is off',
      () => rotationIs('DISABLED'),
      'rotation',
      'schedule-disabled',
      /Enable it/,
    ],
    [
      'a run is overdue',
      () => stateIs({ lastRun: { at: ago(31), newest: '2026-01-09', certificateUntil: ago(-9) } }),
      'last run',
      'overdue',
      /run --deployed .*--tenant Contoso$/,
    ],
    [
      'somebody may not look',
      () => scheduleFails('AccessDeniedException'),
      'schedule',
      'aws-access-denied',
      /Allow scheduler:GetSchedule/,
    ],
  ])('fails if %s', async (_, arrange, check, code, advice) => {
    await arrange();
    const { code: exit, find, having, checks } = await doctor();
    expect(exit).toBe(1);
    expect(having('failed')).toEqual([check]);
    expect(find(check)).toMatchObject({ code, advice: expect.stringMatching(advice) });
    // What is skipped is what needs it, and says so.
    for (const skipped of checks.filter(({ status }) => status === 'skipped')) {
      expect(skipped.found).toBe(`skipped, because ${check} failed`);
    }
  });

  it('in the sandbox lists the recipients who cannot be reached', async () => {
    await practice.writeConfig({}, { recipients: ['a@contoso.com', 'b@fabrikam.com', 'c@sub.contoso.com'] });
    await scheduleIs({});
    ses.on(GetAccountCommand).resolves({ SendingEnabled: true, ProductionAccessEnabled: false });
    const { code, find } = await doctor();
    expect(code).toBe(1);
    expect(find('recipients')).toMatchObject({
      code: 'recipients-unverified',
      found: expect.stringContaining('1 of 4 are not: b@fabrikam.com.'),
      advice: expect.stringContaining('production access'),
    });
    verified('b@fabrikam.com');
    expect((await doctor()).find('recipients')).toMatchObject({
      status: 'warning',
      found: 'in the sandbox: all 4 recipients are verified',
    });
  });

  it.each<[what: string, arrange: () => unknown, check: string, advice: RegExp]>([
    ['an update failed', () => stackIs('UPDATE_ROLLBACK_COMPLETE'), 'deployment', /events/],
    ['an update is under way', () => stackIs('UPDATE_IN_PROGRESS'), 'deployment', /again when it is done/],
    ['nothing ran yet', () => stateIs({}), 'last run', /run --deployed/],
    [
      'what is deployed is not what the config says',
      () => scheduleIs({ Target: { Arn: 'a', RoleArn: 'r', Input: '{"tenant":{}}' } }),
      'schedule',
      /cdk deploy/,
    ],
    [
      'SES reviews the account',
      () =>
        ses.on(GetAccountCommand).resolves({
          SendingEnabled: true,
          ProductionAccessEnabled: true,
          EnforcementStatus: 'PROBATION',
        }),
      'sending',
      /bounces/,
    ],
  ])('warns if %s', async (_, arrange, check, advice) => {
    await arrange();
    const { code, find, having } = await doctor();
    expect([code, having('warning')]).toEqual([0, [check]]);
    expect(find(check)?.advice).toMatch(advice);
  });

  it('sends a test mail through the configuration set', async () => {
    const { code, find } = await doctor('--send');
    expect(code).toBe(0);
    expect(find('test mail')).toMatchObject({
      status: 'warning',
      found: 'sent, to oncall@contoso.com (0100)',
    });
    const [call, ...others] = ses.commandCalls(SendEmailCommand);
    expect(others).toEqual([]);
    expect(call?.args[0].input).toMatchObject({
      ConfigurationSetName: 'the-set',
      Destination: { ToAddresses: ['oncall@contoso.com'] },
      Content: { Simple: { Attachments: [{ FileName: 'doctor.csv', ContentDisposition: 'ATTACHMENT' }] } },
    });
  });

  it('checks another secret, another archive, another stack', async () => {
    await practice.writeConfig({}, { certificate: 'secure-score/contoso' });
    await scheduleIs({});
    const policy = JSON.stringify(POLICY).replaceAll('the-bucket/', 'other/its/prefix/');
    s3.on(GetBucketPolicyCommand).resolves({ Policy: policy });
    const { code } = await doctor('--archive', 's3://other/its/prefix', '--stack', 'Second');
    expect(code).toBe(0);
    expect(secrets.commandCalls(DescribeSecretCommand)[0]?.args[0].input).toEqual({
      SecretId: 'secure-score/contoso',
    });
    expect(s3.commandCalls(GetBucketPolicyCommand)[0]?.args[0].input).toEqual({ Bucket: 'other' });
    expect(stacks.commandCalls(DescribeStacksCommand)[0]?.args[0].input).toEqual({ StackName: 'Second' });
  });
});
