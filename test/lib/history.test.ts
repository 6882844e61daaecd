import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, Size, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { addMonitor } from '../../bin/app.ts';
import { placeholdersOf } from '../../history/placeholders.ts';
import { TABLES, type ColumnType } from '../../lambda/archive/columns/tables.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { HISTORY_OUTPUTS, historyStackOf } from '../../lambda/outputs.ts';
import { SecureScoreHistoryStack, type SecureScoreHistoryStackProps } from '../../lib/history-stack.ts';
import type { SecureScoreMonitorProps } from '../../lib/secure-score-monitor.ts';
import { SecureScoreMonitorStack } from '../../lib/stack.ts';
import {
  config,
  guid,
  newApp,
  ofType,
  only,
  temporaryFolder,
  text,
  type Json,
  type Template,
} from './deployment.ts';
import { allows, matches, statements } from './policies.ts';

interface Options {
  monitor?: Partial<SecureScoreMonitorProps>;
  history?: Omit<SecureScoreHistoryStackProps, 'monitor'>;
  context?: Record<string, string>;
}

function stacks({ monitor, history, context }: Options = {}) {
  const app = newApp(context);
  const main = new SecureScoreMonitorStack(app, 'SecureScoreMonitor', { config: config(), ...monitor });
  const stack = new SecureScoreHistoryStack(app, historyStackOf('SecureScoreMonitor'), {
    monitor: main.monitor,
    ...history,
  });
  return { app, main, stack };
}

/** The template of the history stack. What it takes from the main stack stands in it as there: `<Bucket.Arn>`. */
function synthesizeHistory(options?: Options) {
  const { app, main, stack } = stacks(options);
  const outdir = app.synth().directory;
  const read = (file: string): Template => JSON.parse(readFileSync(join(outdir, file), 'utf8')) as Template;
  const { Outputs: outputs = {}, Resources: resources } = read(main.templateFile);
  const template = linked(read(stack.templateFile) as unknown as Json, (stackName, output) => {
    expect(stackName).toBe(main.stackName);
    return outputs[output]!.Value;
  }) as unknown as Template;
  return { template, resources: Object.entries(template.Resources), main: Object.entries(resources) };
}

function linked(value: Json, find: (stack: string, output: string) => Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((each) => linked(each, find));
  const reference = value['Fn::GetStackOutput'] as Record<string, Json> | undefined;
  if (reference) return find(text(reference['StackName']), text(reference['OutputName']));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, linked(each, find)]));
}

const analystsOf = (deployment: ReturnType<typeof synthesizeHistory>) =>
  statements(deployment).filter(({ kind }) => kind === 'AWS::IAM::ManagedPolicy');

const deployment = synthesizeHistory();
const [archiveId] = only({ resources: deployment.main }, 'AWS::S3::Bucket');
const archive = `<${archiveId}.Arn>`;
const [resultsId, results] = only(deployment, 'AWS::S3::Bucket');
const [databaseId, database] = only(deployment, 'AWS::Glue::Database');
const [, workgroup] = only(deployment, 'AWS::Athena::WorkGroup');
const analysts = analystsOf(deployment);
const HERE = 'eu-central-1:111122223333';
const WORKGROUP = `arn:aws:athena:${HERE}:workgroup/SecureScoreMonitor`;

describe('the tables', () => {
  interface TableInput {
    Name: string;
    Description: string;
    TableType: string;
    Parameters: Record<string, Json>;
    PartitionKeys: { Name: string; Type: string }[];
    StorageDescriptor: {
      Columns: { Name: string; Type: string; Comment: string }[];
      Location: Json;
      InputFormat: string;
      SerdeInfo: { SerializationLibrary: string };
    };
  }
  const inputs = ofType(deployment, 'AWS::Glue::Table').map(
    ([, { Properties }]) => Properties!['TableInput'] as unknown as TableInput,
  );
  /** https://docs.aws.amazon.com/athena/latest/ug/data-types.html */
  const HIVE: Record<ColumnType, string> = {
    VARCHAR: 'string',
    DATE: 'date',
    DOUBLE: 'double',
    INTEGER: 'int',
    BOOLEAN: 'boolean',
  };

  test('are those of the history, column by column', () => {
    expect(
      inputs.map(({ Name, Description, StorageDescriptor: { Columns } }) => ({ Name, Description, Columns })),
    ).toEqual(
      TABLES.flatMap(({ name, comment, columns }) => {
        const Columns = columns.map((column) => ({
          Name: column.name,
          Type: HIVE[column.type],
          Comment: column.comment,
        }));
        const closed = expect.stringContaining(`copies of closed months of ${name}`);
        return [
          { Name: name, Description: comment, Columns },
          { Name: `closed_${name}`, Description: closed, Columns },
        ];
      }),
    );
    expect(
      new Set(
        ofType(deployment, 'AWS::Glue::Table').map(([, { Properties }]) => text(Properties!['DatabaseName'])),
      ),
    ).toEqual(new Set([`<${databaseId}>`]));
  });

  test.each(inputs.map((input) => [input.Name, input] as const))(
    '%s is where a run or the watch writes it',
    (name, input) => {
      const template = text(input.Parameters['storage.location.template']);
      const id = 'aaaaaaaabbbbcccc';
      const table = name.replace('closed_', '');
      const key = (table === name ? layout.columns : layout.closedColumns)(table, '2026-03', id);
      expect(`s3://<${archiveId}>/${key}`).toBe(`${template.replace('${month}', '2026-03')}${id}.parquet`);
      expect(template.startsWith(text(input.StorageDescriptor.Location))).toBe(true);
    },
  );

  test.each(inputs.map((input) => [input.Name, input] as const))(
    '%s finds its months by itself',
    (_, input) => {
      expect(input.TableType).toBe('EXTERNAL_TABLE');
      expect(input.PartitionKeys).toMatchObject([{ Name: 'month', Type: 'string' }]);
      expect(input.Parameters).toMatchObject({
        'projection.enabled': 'true',
        'projection.month.type': 'date',
        'projection.month.format': 'yyyy-MM',
        'projection.month.range': '2020-01,NOW',
        'projection.month.interval': '1',
        'projection.month.interval.unit': 'MONTHS',
      });
      expect(input.StorageDescriptor.InputFormat).toContain('Parquet');
      expect(input.StorageDescriptor.SerdeInfo.SerializationLibrary).toContain('Parquet');
    },
  );

  test('need no crawler', () => {
    expect(deployment.resources.filter(([, { Type }]) => /Crawler|Job|Function/.test(Type))).toEqual([]);
  });
});

describe('the workgroup', () => {
  const configuration = (of: Pick<typeof deployment, 'resources'>) =>
    only(of, 'AWS::Athena::WorkGroup')[1].Properties!['WorkGroupConfiguration'] as Record<string, Json>;

  test('is enforced, limited and measured', () => {
    expect(configuration(deployment)).toMatchObject({
      EnforceWorkGroupConfiguration: true,
      PublishCloudWatchMetricsEnabled: true,
      EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
      BytesScannedCutoffPerQuery: 10 * 2 ** 30,
    });
    const asked = synthesizeHistory({ history: { bytesScannedPerQuery: Size.mebibytes(100) } });
    expect(configuration(asked)).toMatchObject({ BytesScannedCutoffPerQuery: 100 * 2 ** 20 });
  });

  test('writes encrypted results to its own bucket', () => {
    const result = configuration(deployment)['ResultConfiguration'] as Record<string, Json>;
    expect(text(result['OutputLocation'])).toBe(`s3://<${resultsId}>/`);
    expect(result).toMatchObject({
      EncryptionConfiguration: { EncryptionOption: 'SSE_S3' },
      ExpectedBucketOwner: { Ref: 'AWS::AccountId' },
    });
  });

  test('is deleted with the stack, whatever its queries', () => {
    expect(workgroup.Properties).toMatchObject({ RecursiveDeleteOption: true });
  });

  test('and database are those that the command uses', () => {
    const { Outputs: outputs = {} } = deployment.template;
    expect(text(outputs[HISTORY_OUTPUTS.athenaWorkgroup]?.Value)).toBe(workgroup.Properties!['Name']);
    expect(text(outputs[HISTORY_OUTPUTS.historyDatabase]?.Value)).toBe(`<${databaseId}>`);
    expect(text(outputs[HISTORY_OUTPUTS.historyBucket]?.Value)).toBe(`<${archiveId}>`);
    expect(text(outputs[HISTORY_OUTPUTS.analystPolicy]?.Value)).toBe(`<${analysts[0]?.owner}>`);
    expect(Object.keys(outputs).toSorted()).toEqual(Object.values(HISTORY_OUTPUTS).toSorted());
  });

  test('and database are named for the deployment, so that two go together', () => {
    const names = (of: typeof deployment) => [
      only(of, 'AWS::Athena::WorkGroup')[1].Properties!['Name'],
      (only(of, 'AWS::Glue::Database')[1].Properties!['DatabaseInput'] as Record<string, Json>)['Name'],
    ];
    expect(names(deployment)).toEqual(['SecureScoreMonitor', 'secure_score_monitor']);
    expect(names(synthesizeHistory({ monitor: { deploymentName: 'Second-one2' } }))).toEqual([
      'Second-one2',
      'second_one2',
    ]);
    expect(database.DeletionPolicy).toBe('Delete');
  });
});

describe('the results', () => {
  const policy = statements(deployment).filter(({ kind }) => kind === 'AWS::S3::BucketPolicy');

  test('are in a private bucket that empties itself', () => {
    expect(results.Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
    });
    const expiry = (of: Pick<typeof deployment, 'resources'>) =>
      (
        only(of, 'AWS::S3::Bucket')[1].Properties!['LifecycleConfiguration'] as {
          Rules: Record<string, Json>[];
        }
      ).Rules.filter((rule) => 'ExpirationInDays' in rule).map(({ ExpirationInDays, Prefix, Status }) => [
        ExpirationInDays,
        Prefix,
        Status,
      ]);
    expect(expiry(deployment)).toEqual([[30, undefined, 'Enabled']]);
    expect(expiry(synthesizeHistory({ history: { resultsRetention: Duration.days(2) } }))).toEqual([
      [2, undefined, 'Enabled'],
    ]);
    // Old versions would not expire with them.
    expect(results.Properties).not.toHaveProperty('VersioningConfiguration');
  });

  test.each([
    ['plain HTTP', { Bool: { 'aws:SecureTransport': 'false' } }],
    ['TLS before 1.2', { NumericLessThan: { 's3:TlsVersion': 1.2 } }],
  ])('are refused to %s', (_, condition) => {
    expect(policy).toContainEqual(
      expect.objectContaining({
        effect: 'Deny',
        principals: ['*'],
        actions: ['s3:*'],
        resources: [`<${resultsId}.Arn>`, `<${resultsId}.Arn>/*`],
        condition,
      }),
    );
  });

  test('do not prevent deleting the stack', () => {
    const [, bucketPolicy] = only(deployment, 'AWS::S3::BucketPolicy');
    for (const resource of [results, bucketPolicy]) expect(resource.DeletionPolicy).toBe('Retain');
  });
});

describe('the saved queries', () => {
  const queries = ofType(deployment, 'AWS::Athena::NamedQuery').map(([, { Properties }]) => Properties!);
  const folder = join(import.meta.dirname, '../../history/questions');
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const);

  test('are the questions, each once', () => {
    expect(files.length).toBeGreaterThanOrEqual(15);
    expect(queries).toHaveLength(files.length);
    expect(new Set(queries.map(({ Name }) => Name)).size).toBe(files.length);
  });

  test.each(files)('%s is in one, with its description', (_, file) => {
    const header = /^(?:--.*\n)+/.exec(file)![0];
    const title = /^-- @title +(.+)$/m.exec(header)![1];
    const query = queries.find(({ Name }) => Name === title)!;
    const sql = query['QueryString'] as string;
    expect(sql.startsWith(header)).toBe(true);
    // The same SQL, with a value for each placeholder.
    const body = file.slice(header.length).trim();
    const pattern = body
      .split(/:[a-z_]+/)
      .map((part) => RegExp.escape(part))
      .join('(.+?)');
    expect(sql.slice(header.length)).toMatch(new RegExp(`^${pattern}$`, 's'));
    expect(placeholdersOf(sql)).toEqual([]);
    expect(header).toContain(query['Description']);
    expect([text(query['WorkGroup']), text(query['Database'])]).toEqual([
      'SecureScoreMonitor',
      `<${databaseId}>`,
    ]);
    // https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateNamedQuery.html
    expect(text(query['Name']).length).toBeLessThanOrEqual(128);
    expect(text(query['Description']).length).toBeLessThanOrEqual(1024);
  });
});

describe('an analyst', () => {
  test('may query in this workgroup, and in no other', () => {
    const needed = ['StartQueryExecution', 'StopQueryExecution', 'GetQueryExecution', 'GetQueryResults'];
    for (const action of [...needed, 'ListNamedQueries', 'GetNamedQuery', 'GetWorkGroup']) {
      expect([action, allows(analysts, `athena:${action}`, WORKGROUP)]).toEqual([action, true]);
      expect(allows(analysts, `athena:${action}`, `arn:aws:athena:${HERE}:workgroup/primary`)).toBe(false);
    }
  });

  test('reads only the tables of this database', () => {
    const glue = (resource: string) => `arn:aws:glue:${HERE}:${resource}`;
    for (const action of ['glue:GetTable', 'glue:GetTables', 'glue:GetPartitions']) {
      expect(allows(analysts, action, glue(`table/<${databaseId}>/scores`))).toBe(true);
      expect(allows(analysts, action, glue('table/payroll/salaries'))).toBe(false);
      expect(allows(analysts, action, glue('table/default/anything'))).toBe(false);
    }
    expect(allows(analysts, 'glue:GetDatabase', glue(`database/<${databaseId}>`))).toBe(true);
    expect(allows(analysts, 'glue:GetDatabase', glue('database/payroll'))).toBe(false);
  });

  test('reads the history of the archive, and none of its evidence', () => {
    const may = (action: string, key: string) => allows(analysts, action, `${archive}/${key}`);
    const history = layout.columns('scores', '2026-01', guid(1));
    expect(may('s3:GetObject', history)).toBe(true);
    for (const key of [
      'snapshots/x',
      'profiles/x',
      'reports/x',
      'ledger/x',
      'state/x',
      'elsewhere',
      'historic',
    ])
      expect([key, may('s3:GetObject', key)]).toEqual([key, false]);
    const listing = analysts.filter(
      ({ actions, resources }) => actions.includes('s3:ListBucket') && resources.includes(archive),
    );
    expect(listing.map(({ condition }) => condition)).toEqual([
      { StringLike: { 's3:prefix': ['history/*'] } },
    ]);
  });

  test('writes results, and nothing to the archive', () => {
    expect(allows(analysts, 's3:PutObject', `<${resultsId}.Arn>/a.csv`)).toBe(true);
    expect(allows(analysts, 's3:GetObject', `<${resultsId}.Arn>/a.csv`)).toBe(true);
    const onArchive = analysts.filter(({ resources }) =>
      resources.some((resource) => matches(resource, archive) || resource.startsWith(archive)),
    );
    // On every resource: names alone.
    expect([...new Set(onArchive.flatMap(({ actions }) => actions))].toSorted()).toEqual([
      'athena:ListDataCatalogs',
      'athena:ListWorkGroups',
      's3:GetObject',
      's3:ListBucket',
    ]);
  });

  test('may only look, query, and write results', () => {
    const actions = analysts.flatMap((statement) => statement.actions);
    expect(actions.length).toBeGreaterThan(20);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
    expect(actions.filter((action) => !/:(Get|BatchGet|List|Describe)/.test(action)).toSorted()).toEqual([
      'athena:StartQueryExecution',
      'athena:StopQueryExecution',
      's3:AbortMultipartUpload',
      's3:PutObject',
    ]);
    const open = analysts.filter(({ resources }) => resources.includes('*'));
    expect(open.map((statement) => statement.actions)).toEqual([
      ['athena:ListDataCatalogs', 'athena:ListWorkGroups'],
    ]);
  });

  test('finds the workgroup as the command does: by the outputs of this stack', () => {
    const stack = (name: string) => `arn:aws:cloudformation:${HERE}:stack/${name}/id`;
    const may = (name: string) => allows(analysts, 'cloudformation:DescribeStacks', stack(name));
    expect([may('SecureScoreMonitor-History'), may('SecureScoreMonitor')]).toEqual([true, false]);
  });

  test('gets a policy that IAM takes', () => {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: without white space.
    const length = analysts
      .flatMap(({ actions, resources }) => [...actions, ...resources])
      .reduce((sum, part) => sum + part.length + 3, 200 + 60 * analysts.length);
    expect(length).toBeLessThan(6144);
  });
});

describe('an archive with a key', () => {
  const encrypted = synthesizeHistory({ monitor: { archiveEncryption: 'own' } });
  const keys = ofType({ resources: encrypted.main }, 'AWS::KMS::Key').map(([id]) => `<${id}.Arn>`);
  const key = keys.find((each) => each.includes('Archive'))!;

  test('has results under it as well', () => {
    const { ResultConfiguration: result } = only(encrypted, 'AWS::Athena::WorkGroup')[1].Properties![
      'WorkGroupConfiguration'
    ] as { ResultConfiguration: { EncryptionConfiguration: Record<string, Json> } };
    expect(result.EncryptionConfiguration['EncryptionOption']).toBe('SSE_KMS');
    expect(text(result.EncryptionConfiguration['KmsKey'])).toBe(key);
    expect(JSON.stringify(only(encrypted, 'AWS::S3::Bucket')[1].Properties)).toContain(
      '"SSEAlgorithm":"aws:kms"',
    );
  });

  test('lets analysts use it, and no other', () => {
    const uses = analystsOf(encrypted).filter(({ actions }) =>
      actions.some((each) => each.startsWith('kms:')),
    );
    expect(new Set(uses.flatMap(({ actions }) => actions))).toEqual(
      new Set(['kms:Decrypt', 'kms:GenerateDataKey']),
    );
    expect(new Set(uses.flatMap(({ resources }) => resources))).toEqual(new Set([key]));
    expect(JSON.stringify(analysts)).not.toContain('kms:');
  });
});

test('an existing bucket is queried in its place', () => {
  const kept = synthesizeHistory({ monitor: { config: config({ archive: { bucket: 'kept-archive' } }) } });
  const may = (key: string) => allows(analystsOf(kept), 's3:GetObject', `arn:aws:s3:::kept-archive/${key}`);
  expect([may('history/scores/x'), may('snapshots/x')]).toEqual([true, false]);
  expect(JSON.stringify(kept.template)).toContain('s3://kept-archive/history/scores/month=${month}/');
});

describe('cdk-nag', () => {
  const findings = (options: Options, bad = false) => {
    const { app, stack } = stacks(options);
    if (bad) new Bucket(stack, 'Bad');
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
    const report = join(app.synth().directory, 'validation-report.json');
    const { pluginReports } = JSON.parse(readFileSync(report, 'utf8')) as {
      pluginReports: { violations: { ruleName: string }[] }[];
    };
    return pluginReports.flatMap(({ violations }) => violations.map(({ ruleName }) => ruleName));
  };

  test.each<[string, Options]>([
    ['a deployment', {}],
    ['a kept bucket', { monitor: { config: config({ archive: { bucket: 'kept-archive' } }) } }],
    ['a key of its own', { monitor: { archiveEncryption: 'own' } }],
    // As in somebody else's app: https://docs.aws.amazon.com/cdk/v2/guide/featureflags.html
    ['strong references', { context: { '@aws-cdk/core:defaultCrossStackReferences': 'strong' } }],
  ])('finds nothing in %s', (_, options) => {
    expect(findings(options)).toEqual([]);
  });

  test('would find something', () => {
    expect(() => findings({}, true)).toThrow('AwsSolutions-S1');
  });
});

test('a second synth is identical', () => {
  expect(synthesizeHistory().template).toEqual(deployment.template);
});

test('everything that can have a tag has those of the deployment', () => {
  const tagged = deployment.resources.filter(([, { Properties }]) => Properties?.['Tags']);
  expect(tagged.map(([, { Type }]) => Type).toSorted()).toEqual([
    'AWS::Athena::WorkGroup',
    'AWS::S3::Bucket',
  ]);
  for (const [, { Properties }] of tagged) {
    expect(Properties!['Tags']).toEqual([
      { Key: 'Application', Value: 'secure-score-monitor' },
      { Key: 'Deployment', Value: 'SecureScoreMonitor' },
    ]);
  }
});

test('the app has the stack beside the monitor, under the name that the command looks for', async () => {
  const file = join(temporaryFolder(), 'monitor.config.json');
  writeFileSync(file, JSON.stringify(config()));
  const app = newApp({ config: file, stack: 'Second' });
  await addMonitor(app);
  const made = app
    .synth()
    .stacks.map(({ stackName, dependencies }) => [stackName, dependencies.map(({ id }) => id).toSorted()]);
  expect(made).toEqual([
    ['Second', ['Second.assets']],
    ['Second-History', ['Second', 'Second-History.assets']],
  ]);
});
