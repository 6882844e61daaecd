import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { digestsOf } from '../../lambda/config.ts';
import { tenantSchema } from '../../lambda/settings.ts';
import { USE } from '../../bench/cost.ts';
import { SCHEDULE_PREFIX } from '../../lambda/environment.ts';
import { RUN_SECONDS, windowOf } from '../../lib/schedules.ts';
import { randomOf } from '../../simulator/random.ts';
import { parseEvent } from '../../lambda/event.ts';
import {
  guid,
  ofType,
  only,
  synthesize,
  tenant,
  text,
  type Deployment,
  type Resource,
} from './deployment.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const RESOURCES = 500;
const BYTES = 1_000_000;

const range = (length: number, from = 1): number[] => Array.from({ length }, (_, index) => from + index);
const named = (resource: Resource): string => text(resource.Properties?.['Name']);
const byName = (deployment: Deployment): Map<string, Resource> =>
  new Map(ofType(deployment, 'AWS::Scheduler::Schedule').map(([, resource]) => [named(resource), resource]));

describe('a schedule', () => {
  const deployment = synthesize({
    tenants: [
      tenant(1),
      { ...tenant(2), schedule: { at: '23:45', timeZone: 'Pacific/Auckland' }, certificate: 'x' },
    ],
    schedule: { at: '07:05', timeZone: 'Europe/Budapest' },
  });
  const schedules = byName(deployment);

  test('exists for each tenant and for the watch', () => {
    expect([...schedules.keys()].toSorted()).toEqual([
      `${SCHEDULE_PREFIX}${guid(1)}`,
      `${SCHEDULE_PREFIX}${guid(2)}`,
      'watch',
    ]);
  });

  test("fires at the tenant's time of day in its time zone, within a window", () => {
    expect(schedules.get(`${SCHEDULE_PREFIX}${guid(1)}`)?.Properties).toMatchObject({
      ScheduleExpression: 'cron(5 7 * * ? *)',
      ScheduleExpressionTimezone: 'Europe/Budapest',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
      State: 'ENABLED',
    });
    expect(schedules.get(`${SCHEDULE_PREFIX}${guid(2)}`)?.Properties).toMatchObject({
      ScheduleExpression: 'cron(45 23 * * ? *)',
      ScheduleExpressionTimezone: 'Pacific/Auckland',
    });
  });

  test('hands the function exactly the event that it takes', () => {
    for (const id of [1, 2]) {
      const { Target: target } = schedules.get(`${SCHEDULE_PREFIX}${guid(id)}`)!.Properties as never;
      const event = JSON.parse((target as { Input: string }).Input) as { tenant: unknown };
      expect(Object.keys(event)).toEqual(['tenant']);
      const resolved = deployment.stack.monitor.config.tenants[id - 1];
      expect(tenantSchema.parse(event.tenant)).toEqual(resolved);
    }
  });

  test('runs the watch eight hours later', () => {
    expect(schedules.get('watch')?.Properties).toMatchObject({
      ScheduleExpression: 'cron(5 15 * * ? *)',
      ScheduleExpressionTimezone: 'Europe/Budapest',
      Target: { Input: '{"watch":true}' },
    });
  });

  test('retries to deliver, and keeps what could not be delivered', () => {
    for (const { Properties } of schedules.values()) {
      expect(Properties).toMatchObject({
        Target: {
          DeadLetterConfig: { Arn: expect.anything() as unknown },
          RetryPolicy: { MaximumEventAgeInSeconds: 43_200, MaximumRetryAttempts: 185 },
        },
      });
    }
  });

  test('is created after its group, to which it has no reference', () => {
    const [group] = only(deployment, 'AWS::Scheduler::ScheduleGroup');
    const dependants = ofType(deployment, 'AWS::CloudFormation::Stack');
    const watch = deployment.resources.find(([, resource]) => resource === schedules.get('watch'))!;
    for (const [, { DependsOn }] of [...dependants, watch]) expect(DependsOn).toContain(group);
  });
});

describe('a digest', () => {
  const deployment = synthesize({
    tenants: [{ ...tenant(1), tags: ['gold'] }, tenant(2)],
    schedule: { at: '07:05', timeZone: 'Europe/Budapest' },
    channels: [{ name: 'soc', type: 'teams', url: { secret: 'soc' }, tenants: ['#gold'] }],
    digests: [
      { name: 'daily', every: 'day', to: ['soc@msp.example'] },
      { name: 'weekly', every: 'week', at: '09:15', timeZone: 'UTC', channels: ['soc'], tenants: ['#gold'] },
      { name: 'monthly', every: 'month', to: ['boss@msp.example'] },
    ],
  });
  const schedules = byName(deployment);

  test.each([
    ['daily', 'cron(30 8 * * ? *)', 'Europe/Budapest'],
    ['weekly', 'cron(15 9 ? * MON *)', 'UTC'],
    ['monthly', 'cron(30 8 1 * ? *)', 'Europe/Budapest'],
  ])('%s has a schedule, which hands the function the event that it takes', (name, expression, timeZone) => {
    const { Properties } = schedules.get(`digest-${name}`)!;
    expect(Properties).toMatchObject({
      ScheduleExpression: expression,
      ScheduleExpressionTimezone: timeZone,
      State: 'ENABLED',
    });
    const { Target } = Properties as unknown as { Target: { Input: string } };
    expect(parseEvent(JSON.parse(Target.Input))).toEqual({
      digest: digestsOf(deployment.stack.monitor.config).find((digest) => digest.name === name),
    });
  });

  test('has its tenants by id, and its channels whatever tenants those cover', () => {
    const [daily, weekly] = digestsOf(deployment.stack.monitor.config);
    expect(daily).toMatchObject({ tenants: 'all', channels: [] });
    expect(weekly).toMatchObject({ tenants: [guid(1)], to: [], channels: [{ name: 'soc', type: 'teams' }] });
  });

  test('needs no permission that the runs do not have', () => {
    const without = synthesize({
      tenants: [{ ...tenant(1), tags: ['gold'] }, tenant(2)],
      channels: [{ name: 'soc', type: 'teams', url: { secret: 'soc' }, tenants: ['#gold'] }],
    });
    const policies = (of: Deployment) =>
      ofType(of, 'AWS::IAM::Policy').map(([, { Properties }]) => Properties);
    expect(policies(without).length).toBeGreaterThan(0);
    expect(policies(deployment)).toEqual(policies(without));
  });
});

test('a window that the watch does not allow for is refused', () => {
  expect(() => synthesize({}, { scheduleWindow: Duration.hours(2) })).toThrow('at most 1 hour');
});

describe('the window that is chosen', () => {
  const at = (time: string) => (number: number) => ({ number, schedule: { at: time, timeZone: 'UTC' } });
  const minutes = (count: number) => windowOf(range(count).map(at('07:00'))).toMinutes();

  test('is 15 minutes for a few tenants, wider for many, and never more than the watch allows for', () => {
    expect([0, 1, 300, 301, 1_000, 1_200, 5_000].map(minutes)).toEqual([15, 15, 15, 30, 60, 60, 60]);
    expect(RUN_SECONDS).toBe(USE.secondsPerRun);
  });

  test('counts only tenants that begin together', () => {
    const half = range(500);
    expect(windowOf([...half.map(at('07:00')), ...half.map(at('09:00'))]).toMinutes()).toBe(30);
  });

  /** The number of the day's runs that find the account's ten places taken, if all begin at random in a window. */
  function throttled(count: number, window: number, seconds: number, day: number): number {
    const random = randomOf(`day ${day}`);
    const starts = range(count)
      .map(() => random.next() * window * 60)
      .toSorted((a, b) => a - b);
    let ends: number[] = [];
    return starts.filter((start) => {
      ends = ends.filter((end) => end > start);
      if (ends.length >= 10) return true;
      ends.push(start + seconds);
      return false;
    }).length;
  }

  test.each([300, 600, 1_000, 1_200])(
    'lets %i tenants run in an account with a concurrency of 10',
    (count) => {
      const days = range(100).map((day) => throttled(count, minutes(count), RUN_SECONDS, day));
      // One start in 20,000 may have to be repeated, as Lambda does.
      expect(days.reduce((sum, each) => sum + each, 0)).toBeLessThan((100 * count) / 5_000);
      // Runs that take twice as long, as where Graph is slow, still fit, but for a few.
      const slow = range(100).map((day) => throttled(count, minutes(count), 2 * RUN_SECONDS, day));
      expect(slow.reduce((sum, each) => sum + each, 0)).toBeLessThan(count);
    },
  );

  test('would be too narrow at 15 minutes for 1,000 tenants', () => {
    expect(throttled(1_000, 15, RUN_SECONDS, 1)).toBeGreaterThan(50);
  });
});

test('the window of a large deployment is in its schedules', () => {
  const schedules = byName(synthesize({ tenants: range(320).map(tenant) }));
  expect(schedules.get(`${SCHEDULE_PREFIX}${guid(1)}`)?.Properties).toMatchObject({
    FlexibleTimeWindow: { MaximumWindowInMinutes: 30 },
  });
});

describe('500 tenants', () => {
  const many = synthesize({ tenants: range(500).map(tenant) });
  const files = (deployment: Deployment): string[] => [
    'SecureScoreMonitor.template.json',
    ...Object.keys(deployment.nested),
  ];

  test('are divided before any template is too large', () => {
    expect(byName(many).size).toBe(501);
    for (const file of files(many)) {
      const template = many.nested[file] ?? many.main;
      expect(Object.keys(template.Resources).length).toBeLessThan(RESOURCES);
      expect(statSync(join(many.outdir, file)).size).toBeLessThan(BYTES);
    }
    expect(Object.keys(many.nested)).toHaveLength(16);
  });

  /** Everything that CloudFormation sees, but for the address of a nested template, which is its hash. */
  function parts(deployment: Deployment): Map<string, string> {
    const main = structuredClone(deployment.main);
    for (const [, { Type, Properties }] of Object.entries(main.Resources)) {
      if (Type === 'AWS::CloudFormation::Stack') delete Properties?.['TemplateURL'];
    }
    return new Map(
      [['main', main] as const, ...Object.entries(deployment.nested)].flatMap(([file, { Resources }]) =>
        Object.entries(Resources).map(
          ([id, resource]) => [`${file} ${id}`, JSON.stringify(resource)] as const,
        ),
      ),
    );
  }
  function differences(one: Deployment, other: Deployment): string[] {
    const [before, after] = [parts(one), parts(other)];
    return [...new Set([...before.keys(), ...after.keys()])]
      .filter((key) => before.get(key) !== after.get(key))
      .map((key) => named(JSON.parse(after.get(key) ?? before.get(key)!) as Resource));
  }

  test('move no other when one is added, wherever it is in the config', () => {
    const more = synthesize({ tenants: [tenant(501), ...range(500).map(tenant)] });
    expect(differences(many, more)).toEqual([`${SCHEDULE_PREFIX}${guid(501)}`]);
  });

  test('move no other when one is removed', () => {
    const fewer = synthesize({
      tenants: range(500)
        .filter((id) => id !== 250)
        .map(tenant),
    });
    expect(differences(many, fewer)).toEqual([`${SCHEDULE_PREFIX}${guid(250)}`]);
  });
});
