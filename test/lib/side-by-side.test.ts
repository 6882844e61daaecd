import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { addMonitor } from '../../bin/app.ts';
import { DEPLOYMENT_STACK } from '../../lambda/outputs.ts';
import { config, newApp, temporaryFolder, type Template } from './deployment.ts';

/** Two deployments of one account, by the app that `cdk deploy -c stack=…` runs. */

/** What two deployments may call the same, for it is found inside something that is of one deployment alone. */
const INSIDE: Record<string, string> = {
  'AWS::Athena::NamedQuery': 'its workgroup',
  'AWS::Glue::Table': 'its database',
  'AWS::IAM::Policy': 'its role',
  'AWS::Scheduler::Schedule': 'its group',
};
const standsAlone = (name: string): boolean => !Object.keys(INSIDE).includes(name.split(' ')[0] ?? '');

/** Properties that end in -Name and name something else than the resource. */
const OTHERS = new Set(['DisplayName', 'GroupName', 'MetricName']);

async function templatesOf(name: string): Promise<Template[]> {
  const file = join(temporaryFolder(), 'monitor.config.json');
  writeFileSync(file, JSON.stringify(config({ dashboard: true })));
  const app = newApp({ config: file, stack: name });
  await addMonitor(app);
  const { directory } = app.synth();
  return readdirSync(directory)
    .filter((each) => each.endsWith('.template.json'))
    .map((each) => JSON.parse(readFileSync(join(directory, each), 'utf8')) as Template);
}

/** @returns `type property value` of every name that the templates give, and do not leave to CloudFormation */
function namesIn(templates: Template[]): string[] {
  return templates.flatMap(({ Resources, Outputs = {} }) => [
    ...Object.values(Resources).flatMap(({ Type, Properties = {} }) =>
      Object.entries({ ...Properties, ...(Properties['DatabaseInput'] as object | undefined) }).flatMap(
        ([key, value]) =>
          /Name$|^EmailIdentity$/.test(key) && typeof value === 'string' && !OTHERS.has(key)
            ? [`${Type} ${key} ${value}`]
            : [],
      ),
    ),
    ...Object.values(Outputs).flatMap((output) => ('Export' in output ? [JSON.stringify(output)] : [])),
  ]);
}

describe('two deployments', () => {
  let first: Template[];
  let second: Template[];
  beforeAll(async () => {
    [first, second] = [await templatesOf(DEPLOYMENT_STACK), await templatesOf('Second')];
  });

  test('have no name in common', () => {
    const taken = new Set(namesIn(first));
    expect(taken.size).toBeGreaterThan(15);
    const alike = namesIn(second).filter((name) => taken.has(name));
    expect(alike.filter(standsAlone)).toEqual([]);
  });

  test('leave the names of the first one as they were, so that an update replaces nothing', () => {
    const names = namesIn(first).filter(standsAlone);
    expect(names.filter((name) => !name.startsWith('AWS::CloudWatch::Alarm')).toSorted()).toEqual([
      'AWS::Athena::WorkGroup Name SecureScoreMonitor',
      'AWS::CloudWatch::Dashboard DashboardName SecureScoreMonitor',
      'AWS::Glue::Database Name secure_score_monitor',
      'AWS::Scheduler::ScheduleGroup Name SecureScoreMonitor-Schedules-Group-D377EBF6',
      'AWS::SecretsManager::Secret Name secure-score/certificate',
    ]);
    const alarms = names.filter((name) => name.startsWith('AWS::CloudWatch::Alarm'));
    expect(alarms.length).toBeGreaterThan(5);
    for (const alarm of alarms) expect(alarm).toMatch(/AlarmName SecureScoreMonitor-[a-z\d-]+$/);
  });

  test('have commands that say which one is meant', () => {
    const commands = (templates: Template[]) =>
      JSON.stringify(templates).match(/secure-score (run --deployed|certificate put)[^".,;)\\]*/g) ?? [];
    expect(commands(first).length).toBeGreaterThan(4);
    expect(commands(first).filter((command) => command.includes('--stack'))).toEqual([]);
    expect(commands(second)).toHaveLength(commands(first).length);
    expect(commands(second).filter((command) => !/ --stack Second( secure-score)?$/.test(command))).toEqual(
      [],
    );
  });
});

describe('the address of the dashboard', () => {
  /** A value of a template as CloudFormation works it out. */
  function resolve(value: unknown, template: Template & { Conditions?: object }, pseudo: object): string {
    if (typeof value === 'string') return value;
    const [[name, argument] = []] = Object.entries(value as Record<string, unknown>);
    const evaluate = (each: unknown): string => resolve(each, template, pseudo);
    if (name === 'Ref') return String(Reflect.get(pseudo, String(argument)));
    if (name === 'Fn::Join') return (argument as [string, unknown[]])[1].map(evaluate).join('');
    if (name === 'Fn::If') {
      const [condition, yes, no] = argument as [string, unknown, unknown];
      const { 'Fn::Equals': sides } = Reflect.get(template.Conditions ?? {}, condition) as {
        'Fn::Equals': [unknown, unknown];
      };
      const [left, right] = sides.map(evaluate);
      return evaluate(left === right ? yes : no);
    }
    throw new Error(`Not known: ${JSON.stringify(value)}`);
  }

  test.each([
    ['aws', 'eu-central-1', 'eu-central-1.console.aws.amazon.com'],
    ['aws-cn', 'cn-north-1', 'cn-north-1.console.amazonaws.cn'],
    ['aws-us-gov', 'us-gov-west-1', 'us-gov-west-1.console.amazonaws-us-gov.com'],
    ['aws-eusc', 'eusc-de-east-1', 'eusc-de-east-1.console.amazonaws-eusc.eu'],
    ['aws-of-tomorrow', 'xx-1', 'xx-1.console.aws.amazon.com'],
  ])('of the partition %s is there', async (partition, region, host) => {
    const templates = await templatesOf(DEPLOYMENT_STACK);
    const main = templates.find(({ Outputs }) => Outputs?.['Dashboard'])!;
    const pseudo = { 'AWS::Partition': partition, 'AWS::Region': region };
    expect(resolve(main.Outputs!['Dashboard']!.Value, main, pseudo)).toBe(
      `https://${host}/cloudwatch/home?region=${region}#dashboards/dashboard/SecureScoreMonitor`,
    );
  });

  test('nothing else belongs to one partition', async () => {
    const templates = JSON.stringify(await templatesOf(DEPLOYMENT_STACK));
    expect(templates).toContain('arn:');
    expect(templates).not.toContain('arn:aws:');
  });
});
