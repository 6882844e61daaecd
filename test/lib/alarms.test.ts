import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEPLOYMENT_METRICS, DIMENSIONS, NAMESPACE } from '../../lambda/metric-names.ts';
import { RUNBOOK } from '../../lib/alarms.ts';
import { ofType, only, synthesize, tenant, text, type Json } from './deployment.ts';
import { statements } from './policies.ts';

interface Alarm {
  AlarmName: string;
  AlarmDescription: string;
  AlarmActions: Json[];
  InsufficientDataActions?: Json[];
  OKActions?: Json[];
  TreatMissingData: string;
  Namespace: string;
  MetricName: string;
  Dimensions: { Name: string; Value: Json }[];
  Period: number;
  EvaluationPeriods: number;
  Threshold: number;
}

const deployment = synthesize({ dashboard: true }, { operationsEncryption: 'own' });
const [topicId, topic] = only(deployment, 'AWS::SNS::Topic');
const alarms = ofType(deployment, 'AWS::CloudWatch::Alarm').map(([id, { Properties }]) => {
  const alarm = Properties as unknown as Alarm;
  return [alarm.AlarmName ?? id, alarm] as const;
});
const runbook = readFileSync(join(import.meta.dirname, '../..', RUNBOOK), 'utf8');

/** As GitHub makes anchors of headings. */
const sections = [...runbook.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
  heading!
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-'),
);
const sectionOf = (anchor: string): string =>
  new RegExp(`^## ${anchor}$(.*?)(?=^# |^## )`, 'ms').exec(runbook)?.[1] ?? '';

describe.each(alarms)('%s', (name, alarm) => {
  test('is named for the deployment and says what to do', () => {
    expect(name).toMatch(/^SecureScoreMonitor-[a-z0-9-]+$/);
    expect(alarm.AlarmDescription.length).toBeGreaterThan(80);
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    expect(alarm.AlarmDescription.length).toBeLessThanOrEqual(1024);
  });

  test('has commands that a person can copy', () => {
    expect(alarm.AlarmDescription).not.toMatch(/(?<!\.\/)secure-score [a-z]/);
  });

  test('has its section in the runbook', () => {
    const [, anchor = ''] = /docs\/runbook\.md#([a-z0-9-]+)$/.exec(alarm.AlarmDescription) ?? [];
    expect(name).toBe(`SecureScoreMonitor-${anchor}`);
    for (const part of ['**It means:**', '**Look at:**', '**Do:**'])
      expect(sectionOf(anchor)).toContain(part);
  });

  test('reaches the topic', () => {
    expect(alarm.AlarmActions.map(text)).toEqual([`<${topicId}>`]);
  });

  test('is silent while a fresh deployment has not run yet', () => {
    // A metric that has never been there leaves the alarm as it was created (ignore, missing) or in order.
    expect(['ignore', 'missing', 'notBreaching']).toContain(alarm.TreatMissingData);
    expect(alarm.OKActions).toBeUndefined();
  });

  test('is one that CloudWatch takes', () => {
    // Seven days at most, and one where the period is shorter than an hour; the same page.
    const span = alarm.Period * alarm.EvaluationPeriods;
    expect(span).toBeLessThanOrEqual(alarm.Period < 3600 ? 86_400 : 7 * 86_400);
    expect([10, 30].includes(alarm.Period) || alarm.Period % 60 === 0).toBe(true);
  });
});

test('every failure has an alarm, and no two are alike', () => {
  expect(alarms.map(([name]) => name.replace('SecureScoreMonitor-', '')).toSorted()).toEqual([
    'archive-damaged',
    'certificate-30-days',
    'certificate-7-days',
    'deliveries-dropped',
    'events-undelivered',
    'mails-bounced',
    'run-errors',
    'runs-failed',
    'runs-throttled',
    'scores-stale',
    'tenants-overdue',
    'watch-silent',
  ]);
  const looks = alarms.map(([, alarm]) =>
    JSON.stringify({ ...alarm, AlarmName: undefined, AlarmDescription: undefined }),
  );
  expect(new Set(looks).size).toBe(alarms.length);
});

test('their number does not depend on the number of tenants', () => {
  const one = synthesize({ tenants: [tenant(1)] });
  expect(ofType(one, 'AWS::CloudWatch::Alarm')).toHaveLength(alarms.length);
});

test('the alarm on the watch goes off when its metric ceases', () => {
  const [, watch] = alarms.find(([name]) => name.endsWith('watch-silent'))!;
  expect(watch.TreatMissingData).toBe('missing');
  expect(watch.InsufficientDataActions?.map(text)).toEqual([`<${topicId}>`]);
});

describe('what alarms look at', () => {
  const own = alarms.filter(([, { Namespace }]) => Namespace === NAMESPACE);

  test('is published by the function with that name and dimension', () => {
    const [, fn] = only(deployment, 'AWS::Lambda::Function');
    const { Variables: variables } = fn.Properties!['Environment'] as { Variables: Record<string, string> };
    expect(own.length).toBeGreaterThanOrEqual(5);
    for (const [, { MetricName, Dimensions }] of own) {
      expect(Object.values(DEPLOYMENT_METRICS)).toContain(MetricName);
      expect(Dimensions).toEqual([{ Name: DIMENSIONS.deployment, Value: variables['DEPLOYMENT'] }]);
    }
  });

  test('is of this deployment, where AWS publishes it', () => {
    const [fn] = only(deployment, 'AWS::Lambda::Function');
    const [set] = only(deployment, 'AWS::SES::ConfigurationSet');
    const queues = ofType(deployment, 'AWS::SQS::Queue').map(([id]) => id);
    const others = alarms
      .filter(([, { Namespace }]) => Namespace !== NAMESPACE)
      .map(([, { Namespace, MetricName, Dimensions }]) =>
        [Namespace, MetricName, ...Dimensions.map(({ Name, Value }) => `${Name}=${text(Value)}`)].join(' '),
      );
    expect(others.toSorted()).toEqual(
      [
        `AWS/Lambda Errors FunctionName=<${fn}>`,
        `AWS/Lambda Throttles FunctionName=<${fn}>`,
        `AWS/SES Bounce ses:configuration-set=<${set}>`,
        ...queues.map((id) => `AWS/SQS ApproximateNumberOfMessagesVisible QueueName=<${id}.QueueName>`),
      ].toSorted(),
    );
    expect(queues).toHaveLength(2);
  });

  test('is published by SES with that dimension', () => {
    const destinations = ofType(deployment, 'AWS::SES::ConfigurationSetEventDestination').map(
      ([, { Properties }]) => Properties!['EventDestination'] as Record<string, Json>,
    );
    expect(destinations).toContainEqual(
      expect.objectContaining({
        Enabled: true,
        MatchingEventTypes: expect.arrayContaining(['bounce']) as unknown,
        CloudWatchDestination: {
          DimensionConfigurations: [
            expect.objectContaining({
              DimensionName: 'ses:configuration-set',
              DimensionValueSource: 'messageTag',
            }) as unknown,
          ],
        },
      }),
    );
  });

  test('both queues take what fails: of the function and of the schedules', () => {
    const [, invoke] = only(deployment, 'AWS::Lambda::EventInvokeConfig');
    const failed = text(
      (invoke.Properties!['DestinationConfig'] as { OnFailure: { Destination: Json } }).OnFailure.Destination,
    );
    const [, watch] = ofType(deployment, 'AWS::Scheduler::Schedule').find(
      ([, { Properties }]) => Properties?.['Name'] === 'watch',
    )!;
    const undelivered = text(
      (watch.Properties!['Target'] as { DeadLetterConfig: { Arn: Json } }).DeadLetterConfig.Arn,
    );
    expect(new Set([failed, undelivered])).toEqual(
      new Set(ofType(deployment, 'AWS::SQS::Queue').map(([id]) => `<${id}.Arn>`)),
    );
  });
});

describe('the topic', () => {
  const services = ['cloudwatch.amazonaws.com', 'ses.amazonaws.com'];

  test.each(services)('may be published to by %s', (service) => {
    const publish = statements(deployment).filter(
      ({ effect, kind, actions, principals }) =>
        effect === 'Allow' &&
        kind === 'AWS::SNS::TopicPolicy' &&
        actions.includes('sns:Publish') &&
        principals.includes(service),
    );
    expect(publish.map(({ resources }) => resources)).toEqual([[`<${topicId}>`]]);
  });

  test('has a key only if one is asked for', () => {
    const [, { Properties }] = only(synthesize(), 'AWS::SNS::Topic');
    expect(Properties).not.toHaveProperty('KmsMasterKeyId');
  });

  test.each(services)('has a key that %s may use', (service) => {
    const key = text(topic.Properties!['KmsMasterKeyId']).replace(/^<|\.Arn>$/g, '');
    const uses = statements(deployment).filter(
      ({ effect, owner, principals }) => effect === 'Allow' && owner === key && principals.includes(service),
    );
    expect(uses.flatMap(({ actions }) => actions).toSorted()).toEqual(['kms:Decrypt', 'kms:GenerateDataKey']);
  });

  test('denies only those who come without TLS', () => {
    const denials = statements(deployment).filter(
      ({ effect, kind }) => effect === 'Deny' && kind === 'AWS::SNS::TopicPolicy',
    );
    expect(denials.map(({ condition }) => condition)).toEqual([{ Bool: { 'aws:SecureTransport': 'false' } }]);
  });

  test('is subscribed to by every address of operations', () => {
    const subscriptions = ofType(deployment, 'AWS::SNS::Subscription').map(
      ([, { Properties }]) => Properties,
    );
    expect(subscriptions).toEqual(
      ['oncall@contoso.com', 'boss@contoso.com'].map((Endpoint) => ({
        Endpoint,
        Protocol: 'email',
        TopicArn: { Ref: topicId },
      })),
    );
  });

  test('gets bounces and complaints', () => {
    const destinations = ofType(deployment, 'AWS::SES::ConfigurationSetEventDestination').map(
      ([, { Properties }]) => Properties!['EventDestination'] as Record<string, Json>,
    );
    expect(destinations).toContainEqual(
      expect.objectContaining({
        Enabled: true,
        MatchingEventTypes: expect.arrayContaining(['bounce', 'complaint', 'reject']) as unknown,
        SnsDestination: { TopicARN: { Ref: topicId } },
      }),
    );
  });
});

test('a dashboard exists only if one is asked for', () => {
  expect(() => only(synthesize(), 'AWS::CloudWatch::Dashboard')).toThrow('have no');
});

test('the dashboard looks at metrics that are published', () => {
  const [, dashboard] = only(deployment, 'AWS::CloudWatch::Dashboard');
  const body = dashboard.Properties!['DashboardBody'] as { 'Fn::Join': [string, Json[]] };
  const { widgets } = JSON.parse(text(body)) as { widgets: { properties: { metrics?: Json[][] } }[] };
  const metrics = widgets.flatMap(({ properties }) => properties.metrics ?? []);

  const own = metrics.filter(([namespace]) => namespace === NAMESPACE);
  expect(own.length).toBeGreaterThanOrEqual(6);
  for (const [, name, dimension, value] of own) {
    expect(Object.values(DEPLOYMENT_METRICS)).toContain(name);
    expect([dimension, value]).toEqual([DIMENSIONS.deployment, 'SecureScoreMonitor']);
  }
});

test('every link within the runbook has a target', () => {
  const links = [...runbook.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
  expect(links.length).toBeGreaterThan(10);
  for (const anchor of links) expect(sections).toContain(anchor);
});
