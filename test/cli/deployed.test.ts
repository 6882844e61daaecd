import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  InvokeCommand,
  LambdaClient,
  ResourceNotFoundException,
  TooManyRequestsException,
  type InvokeCommandOutput,
} from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { MonitorError } from '../../lambda/errors.ts';
import { fromFunctionError, toFunctionError } from '../../lambda/function-error.ts';
import type { RunResult } from '../../lambda/run/run.ts';
import { secureScore } from './support.ts';

const IDS = ['0b6b6ab0-3b1f-4c3a-9a51-0f4f8f3f6c10', '0b6b6ab0-3b1f-4c3a-9a51-0f4f8f3f6c11'] as const;
const config = join(mkdtempSync(join(tmpdir(), 'secure-score-')), 'config.json');
writeFileSync(
  config,
  JSON.stringify({
    tenants: IDS.map((tenantId, index) => ({
      name: ['Contoso', 'Fabrikam'][index],
      tenantId,
      clientId: IDS[0],
      recipients: ['a@contoso.com'],
    })),
    operations: ['b@contoso.com'],
    mail: { from: 'c@contoso.com' },
  }),
);

const stacks = mockClient(CloudFormationClient);
const lambda = mockClient(LambdaClient);
afterAll(() => {
  stacks.restore();
  lambda.restore();
});
beforeEach(() => {
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  stacks.reset();
  lambda.reset();
  stacks.on(DescribeStacksCommand).resolves({
    Stacks: [
      {
        StackName: 'SecureScoreMonitor',
        StackStatus: 'CREATE_COMPLETE',
        CreationTime: new Date(),
        Outputs: [{ OutputKey: 'FunctionName', OutputValue: 'the-function' }],
      },
    ],
  });
  return () => vi.unstubAllEnvs();
});

const resultOf = (tenant: string, name: string) =>
  ({
    tenant,
    name,
    archived: ['2026-01-09'],
    score: { date: '2026-01-09', points: 128, maximum: 256, percentage: 50 },
    changes: [],
    mails: [],
    pending: [],
  }) as Partial<RunResult>;

function answer(content: unknown, failed = false): Partial<InvokeCommandOutput> {
  const text = JSON.stringify(content);
  return {
    StatusCode: 200,
    ...(failed && { FunctionError: 'Unhandled' }),
    Payload: Object.assign(Buffer.from(text), { transformToString: () => text }),
  };
}

/** What Lambda answers where the function threw. */
function thrown(error: Error) {
  const { name: errorType, message: errorMessage } = toFunctionError(error) as Error;
  return answer({ errorType, errorMessage, trace: [] }, true);
}

const run = (...args: string[]) => secureScore('run', '--deployed', '--config', config, ...args);
const invoked = () => lambda.commandCalls(InvokeCommand).map((call) => call.args[0].input);

describe('secure-score run --deployed', () => {
  it('invokes the function with the event of each tenant in turn, and shows results as a local run does', async () => {
    lambda
      .on(InvokeCommand)
      .resolvesOnce(answer(resultOf(IDS[0], 'Contoso')))
      .resolvesOnce(answer(resultOf(IDS[1], 'Fabrikam')));
    const { code, json } = await run('--json');
    expect(code).toBe(0);
    expect(json()).toEqual([resultOf(IDS[0], 'Contoso'), resultOf(IDS[1], 'Fabrikam')]);
    expect(invoked().map(({ FunctionName }) => FunctionName)).toEqual(['the-function', 'the-function']);
    const events = invoked().map(({ Payload }) => JSON.parse(Payload as string));
    expect(events).toMatchObject([{ tenant: { tenantId: IDS[0] } }, { tenant: { tenantId: IDS[1] } }]);
    expect(Object.keys(events[0])).toEqual(['tenant']);
    // Resolved, as the deployment writes it into the schedule.
    expect(events[0].tenant.cloud.graphEndpoint).toBe('https://graph.microsoft.com');
  });

  it('shows one tenant alone, for people', async () => {
    lambda.on(InvokeCommand).resolves(answer(resultOf(IDS[1], 'Fabrikam')));
    const { code, stdout } = await run('--tenant', 'Fabrikam');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Fabrikam {2}50\.0 % {2}[^]*nothing to report, no mail\n$/);
    expect(invoked()).toHaveLength(1);
  });

  it('reports what the function threw with its code and advice, and goes on', async () => {
    const failure = new MonitorError('certificate-expired', 'It expired:\nlong ago.', 'Make a new one.');
    lambda
      .on(InvokeCommand)
      .resolvesOnce(thrown(failure))
      .resolvesOnce(answer(resultOf(IDS[1], 'Fabrikam')));
    const { code, json } = await run('--json');
    expect(code).toBe(1);
    const error = {
      code: 'certificate-expired',
      message: 'It expired:\nlong ago.',
      advice: 'Make a new one.',
    };
    expect(json()).toEqual([{ tenant: IDS[0], name: 'Contoso', error }, resultOf(IDS[1], 'Fabrikam')]);
  });

  it.each([
    [
      answer({ errorType: 'Sandbox.Timedout', errorMessage: 'Task timed out after 300.00 seconds' }, true),
      'function-timed-out',
    ],
    [answer({ errorType: 'TypeError', errorMessage: 'x is not a function' }, true), 'function-failed'],
    [answer('no object', true), 'function-failed'],
  ])('reports that the function gave no reason (%#)', async (payload, code) => {
    lambda.on(InvokeCommand).resolves(payload);
    expect((await run('--tenant', 'Contoso', '--json')).json()).toMatchObject({ error: { code } });
  });

  it.each([
    [new ResourceNotFoundException({ message: 'no', $metadata: {} }), 'function-missing'],
    [new TooManyRequestsException({ message: 'no', $metadata: {} }), 'function-busy'],
    [Object.assign(new Error('not you'), { name: 'AccessDeniedException' }), 'aws-access-denied'],
    [Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { name: 'Error' }), 'aws-unreachable'],
  ])('reports that it could not be invoked: %s', async (error, code) => {
    lambda.on(InvokeCommand).rejects(error);
    expect((await run('--tenant', 'Contoso', '--json')).json()).toMatchObject({ error: { code } });
  });

  it.each<[error: Error, message: RegExp]>([
    [
      Object.assign(new Error('Stack with id SecureScoreMonitor does not exist'), {
        name: 'ValidationError',
      }),
      /no stack "SecureScoreMonitor"[^]*→ Deploy with: npx cdk deploy/,
    ],
    [
      Object.assign(new Error('none'), { name: 'CredentialsProviderError' }),
      /No usable AWS credentials[^]*aws sso login/,
    ],
    [new Error('Region is missing'), /No AWS region is set[^]*AWS_REGION/],
    [
      new Error('Region not accepted: region="" is not a valid hostname component.'),
      /No AWS region is set[^]*AWS_REGION/,
    ],
  ])('says how to get a deployment if there is none (%#)', async (error, message) => {
    stacks.on(DescribeStacksCommand).rejects(error);
    const { code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  it('accepts another stack, and reports one that is not a main stack', async () => {
    stacks.on(DescribeStacksCommand).resolves({
      Stacks: [{ StackName: 'Other', StackStatus: 'CREATE_COMPLETE', CreationTime: new Date() }],
    });
    const { code, stderr } = await run('--stack', 'Other');
    expect([code, stderr]).toEqual([1, expect.stringContaining('"Other" has no output "FunctionName"')]);
    expect(stacks.commandCalls(DescribeStacksCommand)[0]?.args[0].input).toEqual({ StackName: 'Other' });
  });

  it.each([
    [['run', '--deployed', '--archive', 'a'], 'mutually exclusive'],
    [['run', '--deployed', '--certificate', 'a'], 'mutually exclusive'],
    [['run', '--deployed', '--outbox', 'a'], 'mutually exclusive'],
    [['run', '--stack', 'a'], '--stack goes with --deployed only'],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stderr } = await secureScore(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

it('an error keeps its text on its way out of Lambda', () => {
  const error = new MonitorError('a-code', 'Lines\n→ and arrows', 'Do this.', { retryable: true });
  const out = toFunctionError(error) as MonitorError;
  expect(out).toMatchObject({ code: 'a-code', advice: 'Do this.', retryable: true, name: 'a-code' });
  const back = fromFunctionError(JSON.stringify({ errorType: out.name, errorMessage: out.message }));
  expect(back).toMatchObject({ code: 'a-code', message: 'Lines\n→ and arrows', advice: 'Do this.' });
  const other = new TypeError('x');
  expect(toFunctionError(other)).toBe(other);
});

it('shows the complete advice even if the error was renamed on its way', () => {
  const out = toFunctionError(new MonitorError('a-b', 'It failed.\nTwice.', 'Do this:\nthat')) as Error;
  const payload = { errorType: 'Runtime.HandlerError', errorMessage: out.message };
  expect(fromFunctionError(JSON.stringify(payload))).toMatchObject({
    code: 'function-failed',
    message: 'It failed.\nTwice.',
    advice: 'Do this:\nthat',
  });
});

describe('secure-score archive pull --deployed', () => {
  it("copies the deployment's bucket, of the chosen stack", async () => {
    const s3 = mockClient(S3Client);
    s3.on(ListObjectsV2Command).resolves({ Contents: [] });
    stacks.on(DescribeStacksCommand).resolves({
      Stacks: [
        {
          StackName: 'Mine',
          StackStatus: 'CREATE_COMPLETE',
          CreationTime: new Date(),
          Outputs: [
            { OutputKey: 'FunctionName', OutputValue: 'the-function' },
            { OutputKey: 'ArchiveBucket', OutputValue: 'the-bucket' },
          ],
        },
      ],
    });
    const copy = join(mkdtempSync(join(tmpdir(), 'secure-score-')), 'copy');
    const answered = await secureScore('archive', 'pull', '--deployed', '--stack', 'Mine', copy, '--json');
    expect(answered).toMatchObject({ code: 0, stderr: '' });
    expect(answered.json()).toEqual({ objects: 0, fetched: 0, bytes: 0 });
    const listed = s3.commandCalls(ListObjectsV2Command).map((call) => call.args[0].input.Bucket);
    expect(new Set(listed)).toEqual(new Set(['the-bucket']));
    expect(stacks.commandCalls(DescribeStacksCommand)[0]?.args[0].input).toEqual({ StackName: 'Mine' });
    s3.restore();
  });
});
