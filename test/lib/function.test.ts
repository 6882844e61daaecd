import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { describe, expect, test } from 'vitest';
import { environment, readEnvironment } from '../../lambda/environment.ts';
import { only, ofType, synthesize, text, type Json } from './deployment.ts';

const deployment = synthesize();
const [functionId, { Properties: properties }] = only(deployment, 'AWS::Lambda::Function');

describe('the function', () => {
  test('runs the bundle on Node 24, arm64, traced, with its source map', () => {
    expect(properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      MemorySize: 512,
      Timeout: 300,
      TracingConfig: { Mode: 'Active' },
      Environment: { Variables: { NODE_OPTIONS: '--enable-source-maps' } },
    });
  });

  test('gets every variable that its code reads, and they pass its check', () => {
    const { Variables: variables } = properties!['Environment'] as { Variables: Record<string, Json> };
    const texts = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, text(value)]));
    expect(Object.keys(texts).toSorted()).toEqual([...Object.values(environment), 'NODE_OPTIONS'].toSorted());
    const read = readEnvironment(texts);
    expect(read).toMatchObject({
      [environment.mailFrom]: 'Secure Score <secure-score@contoso.com>',
      [environment.operations]: ['oncall@contoso.com', 'boss@contoso.com'],
      [environment.deployment]: 'SecureScoreMonitor',
    });
    const [, group] = only(deployment, 'AWS::Scheduler::ScheduleGroup');
    expect(read[environment.scheduleGroup]).toBe(group.Properties!['Name']);
  });

  test('depends on the policy of its role, and declares nothing twice (W3005 of cfn-lint)', () => {
    const [, { DependsOn, Properties }] = only(deployment, 'AWS::Lambda::Function');
    const [policy, ...others] = ofType(deployment, 'AWS::IAM::Policy').filter(([id]) =>
      DependsOn?.includes(id),
    );
    expect([DependsOn?.length, others]).toEqual([1, []]);
    const { 'Fn::GetAtt': role } = Properties!['Role'] as { 'Fn::GetAtt': [string, string] };
    expect(policy?.[1].Properties!['Roles']).toEqual([{ Ref: role[0] }]);
  });

  test('has a log of its own, in JSON, that expires', () => {
    const [id, log] = only(deployment, 'AWS::Logs::LogGroup');
    expect(log.Properties).toMatchObject({ RetentionInDays: 180 });
    expect(properties).toMatchObject({ LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: id } } });
  });

  test('is retried twice, and then leaves its event in a queue with an alarm', () => {
    const [, invoke] = only(deployment, 'AWS::Lambda::EventInvokeConfig');
    expect(invoke.Properties).toMatchObject({
      FunctionName: { Ref: functionId },
      Qualifier: '$LATEST',
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 21_600,
      DestinationConfig: { OnFailure: { Destination: expect.anything() as unknown } },
    });
  });

  test('reserves no concurrency unless it is asked for: a new account has none to spare', () => {
    expect(properties).not.toHaveProperty('ReservedConcurrentExecutions');
    const asked = synthesize(
      {},
      { reservedConcurrentExecutions: 5, memorySize: 1024, logRetention: RetentionDays.ONE_WEEK },
    );
    expect(only(asked, 'AWS::Lambda::Function')[1].Properties).toMatchObject({
      ReservedConcurrentExecutions: 5,
      MemorySize: 1024,
    });
    expect(only(asked, 'AWS::Logs::LogGroup')[1].Properties).toMatchObject({ RetentionInDays: 7 });
  });
});

describe('mail', () => {
  const identities = (from: string, identity: 'existing' | 'address' | 'domain') =>
    synthesize({ mail: { from, identity } })
      .resources.filter(([, { Type }]) => Type === 'AWS::SES::EmailIdentity')
      .map(([, { Properties }]) => Properties);

  test('creates no identity if one exists', () => {
    expect(identities('Score <score@contoso.com>', 'existing')).toEqual([]);
  });

  test('creates one for the address', () => {
    expect(identities('Score <score@contoso.com>', 'address')).toMatchObject([
      { EmailIdentity: 'score@contoso.com', ConfigurationSetAttributes: { ConfigurationSetName: {} } },
    ]);
  });

  test('creates one for the domain', () => {
    expect(identities('Score <score@mail.contoso.com>', 'domain')).toMatchObject([
      { EmailIdentity: 'mail.contoso.com', ConfigurationSetAttributes: { ConfigurationSetName: {} } },
    ]);
  });
});

test('the queues retain their messages, encrypted and over TLS alone', () => {
  const queues = ofType(deployment, 'AWS::SQS::Queue');
  expect(queues).toHaveLength(2);
  for (const [, queue] of queues) {
    expect(queue.Properties).toMatchObject({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true });
  }
});

test('everything that can have a tag has those of the deployment', () => {
  const tagged = deployment.resources.filter(([, { Properties }]) => Array.isArray(Properties?.['Tags']));
  expect(tagged.length).toBeGreaterThan(10);
  for (const [, { Properties }] of tagged) {
    expect(Properties!['Tags']).toEqual(
      expect.arrayContaining([
        { Key: 'Application', Value: 'secure-score-monitor' },
        { Key: 'Deployment', Value: 'SecureScoreMonitor' },
      ]),
    );
  }
});
