import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { tenantSchema } from '../../lambda/config.ts';
import { SCHEDULE_PREFIX } from '../../lambda/environment.ts';
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

  test('stands for each tenant, and one for the watch', () => {
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

  test('lets the watch come eight hours later', () => {
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

  test('is created after its group, which it names without a reference', () => {
    const [group] = only(deployment, 'AWS::Scheduler::ScheduleGroup');
    const dependants = ofType(deployment, 'AWS::CloudFormation::Stack');
    const watch = deployment.resources.find(([, resource]) => resource === schedules.get('watch'))!;
    for (const [, { DependsOn }] of [...dependants, watch]) expect(DependsOn).toContain(group);
  });
});

test('a window that the watch does not allow for is refused', () => {
  expect(() => synthesize({}, { scheduleWindow: Duration.hours(2) })).toThrow('at most 1 hour');
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

  test('move no other when one comes, wherever it stands in the config', () => {
    const more = synthesize({ tenants: [tenant(501), ...range(500).map(tenant)] });
    expect(differences(many, more)).toEqual([`${SCHEDULE_PREFIX}${guid(501)}`]);
  });

  test('move no other when one goes', () => {
    const fewer = synthesize({
      tenants: range(500)
        .filter((id) => id !== 250)
        .map(tenant),
    });
    expect(differences(many, fewer)).toEqual([`${SCHEDULE_PREFIX}${guid(250)}`]);
  });
});
