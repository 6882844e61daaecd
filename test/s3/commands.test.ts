import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { PutBucketPolicyCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  SchedulerClient,
} from '@aws-sdk/client-scheduler';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import {
  CreateConfigurationSetCommand,
  CreateEmailIdentityCommand,
  SESv2Client,
} from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseConfig } from '../../lambda/config.ts';
import { dateOf } from '../../lambda/dates.ts';
import { SCHEDULE_PREFIX } from '../../lambda/environment.ts';
import { practise, secureScore, type Practice } from '../cli/support.ts';
import { newBucket } from './bucket.ts';

/** The commands for a deployment, on an AWS that answers as it likes: each test goes on where the last one ended. */

const SECRET = 'secure-score/commands';
const secrets = new SecretsManagerClient({});

let practice: Practice;
let bucket: string;
beforeAll(async () => {
  practice = await practise(dateOf(new Date()));
  await practice.writeConfig({}, { certificate: SECRET });
  bucket = await newBucket();
});
afterAll(() => practice.end());

const command = (...args: string[]) => secureScore(...args, '--config', practice.config);
async function doctor(...more: string[]) {
  const { code, json } = await command('doctor', '--stack', 'Commands', '--json', ...more);
  const { checks } = json() as { checks: { check: string; status: string; code: string }[] };
  const failed = checks.filter(({ status }) => status === 'failed').map((check) => [check.check, check.code]);
  return { code, failed: Object.fromEntries(failed) as Record<string, string> };
}

it('the doctor on an account where nothing is deployed', async () => {
  const { code, failed } = await doctor();
  expect(code).toBe(1);
  expect(failed).toMatchObject({ deployment: 'not-deployed', secret: 'secret-missing' });
});

it('certificate put says to deploy first', async () => {
  const { code, stderr } = await command('certificate', 'put', practice.pem, '--tenant', 'Contoso');
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/no secret "secure-score\/commands"[^]*cdk deploy/),
  ]);
});

it('certificate put fills the secret, and replaces what is in it by a new version', async () => {
  await secrets.send(new CreateSecretCommand({ Name: SECRET }));
  // AWS keeps no version of nothing, and the doctor says so of the secret; the emulator keeps one.
  expect((await doctor()).failed).toMatchObject({ certificate: 'certificate-empty' });

  const other = join(practice.folder, 'other.pem');
  expect((await secureScore('certificate', 'create', '--out', other, '--name', 'other')).code).toBe(0);
  const first = await command('certificate', 'put', other, '--tenant', 'Contoso');
  expect([first.code, first.stdout]).toEqual([0, expect.stringContaining('It was empty before.')]);

  const second = await command('certificate', 'put', practice.pem, '--tenant', 'Contoso', '--json');
  expect(second.json()).toMatchObject({ put: true, replaced: { subject: 'CN=other' } });
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: SECRET }));
  expect(SecretString).toBe(await readFile(practice.pem, 'utf8'));
  const previous = await secrets.send(
    new GetSecretValueCommand({ SecretId: SECRET, VersionStage: 'AWSPREVIOUS' }),
  );
  expect(previous.SecretString).toBe(await readFile(other, 'utf8'));

  await command('certificate', 'put', practice.pem, '--tenant', 'Contoso');
  const { Versions } = await secrets.send(new ListSecretVersionIdsCommand({ SecretId: SECRET }));
  expect(Versions).toHaveLength(2);
});

it('certificate status reads it', async () => {
  const { code, json } = await command('certificate', 'status', '--json');
  expect(code).toBe(0);
  expect(json()).toMatchObject([
    { kind: 'secret', where: SECRET, tenants: ['Contoso'], certificate: { daysLeft: 299 } },
  ]);
});

it('the doctor finds what is wrong with a bucket', async () => {
  const { failed } = await doctor('--archive', `s3://${bucket}`);
  expect(failed).toMatchObject({ versions: 'bucket-not-versioned', 'append-only': 'bucket-not-append-only' });
  expect((await doctor('--archive', 's3://no-such-bucket')).failed).toMatchObject({
    archive: 'bucket-missing',
  });
});

it('the doctor finds all that a deployment has', async () => {
  const s3 = new S3Client({});
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }),
  );
  const statement = {
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:PutObject',
    Resource: ['snapshots', 'profiles', 'reports', 'ledger'].map(
      (part) => `arn:aws:s3:::${bucket}/${part}/*`,
    ),
    Condition: { Null: { 's3:if-none-match': 'true' } },
  };
  await s3.send(
    new PutBucketPolicyCommand({
      Bucket: bucket,
      Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
    }),
  );
  const ses = new SESv2Client({});
  await ses.send(new CreateConfigurationSetCommand({ ConfigurationSetName: 'commands' }));
  await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: 'contoso.com' })).catch(() => {});
  const scheduler = new SchedulerClient({});
  const config = parseConfig(JSON.parse(await readFile(practice.config, 'utf8')), 'it');
  await scheduler.send(new CreateScheduleGroupCommand({ Name: 'commands' }));
  await scheduler.send(
    new CreateScheduleCommand({
      GroupName: 'commands',
      Name: SCHEDULE_PREFIX + practice.tenantId,
      ScheduleExpression: 'cron(0 7 * * ? *)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: 'arn:aws:lambda:eu-central-1:000000000000:function:f',
        RoleArn: 'arn:aws:iam::000000000000:role/r',
        Input: JSON.stringify({ tenant: config.tenants[0] }),
      },
    }),
  );
  const outputs = {
    FunctionName: 'the-function',
    ArchiveBucket: bucket,
    CertificateSecret: SECRET,
    ScheduleGroup: 'commands',
    ConfigurationSet: 'commands',
  };
  await new CloudFormationClient({}).send(
    new CreateStackCommand({
      StackName: 'Commands',
      TemplateBody: JSON.stringify({
        Resources: { Topic: { Type: 'AWS::SNS::Topic' } },
        Outputs: Object.fromEntries(Object.entries(outputs).map(([key, Value]) => [key, { Value }])),
      }),
    }),
  );
  await expect.poll(() => doctor(), { timeout: 20_000 }).toEqual({ code: 0, failed: {} });
});

it('the doctor sends a test mail', async () => {
  expect(await doctor('--send')).toEqual({ code: 0, failed: {} });
  const mails = await fetch(`${process.env['AWS_ENDPOINT_URL']}/_ministack/ses/messages`);
  expect(await mails.text()).toContain('a test mail, nothing to do');
});

it('a run on the bucket is the last run that the doctor finds', async () => {
  const run = await command('run', '--archive', `s3://${bucket}`, '--json');
  expect([run.code, run.json().mails]).toMatchObject([0, [{ kind: 'start' }]]);
  const { stdout } = await command('doctor', '--stack', 'Commands');
  expect(stdout).toMatch(/✓ last run {11}on .*, (just now|\d+ minutes? ago)/);
  expect(stdout).toContain('A run has everything it needs');
});
