import { describe, expect, test } from 'vitest';
import { only, synthesize, text } from './deployment.ts';
import { allows, matches, ofFunction, statements } from './policies.ts';

const deployment = synthesize();
const role = ofFunction(deployment);
const [bucketId] = only(deployment, 'AWS::S3::Bucket');
const bucket = `<${bucketId}.Arn>`;
const [secretId] = only(deployment, 'AWS::SecretsManager::Secret');
const EVIDENCE = [
  'snapshots/tenant=x/date=2026-01-01/a.json.gz',
  'profiles/tenant=x/a.json.gz',
  'reports/x',
  'ledger/x',
];
const REWRITTEN = ['history/scores/month=2026-01/x.parquet', 'state/tenant=x.json'];

describe('every policy', () => {
  test('lists its actions', () => {
    const wildcards = statements(deployment).filter(
      ({ effect, actions }) => effect === 'Allow' && actions.some((action) => action.includes('*')),
    );
    expect(wildcards).toEqual([]);
  });

  test('lists its resources, except where IAM supports none', () => {
    const open = statements(deployment)
      .filter(({ effect, kind }) => effect === 'Allow' && kind === 'AWS::IAM::Policy')
      .flatMap(({ actions, resources }) =>
        resources
          .filter((resource) => resource.includes('*') && !resource.startsWith(`${bucket}/`))
          .map((resource) => `${actions.join(' ')} on ${resource}`),
      );
    expect(open.toSorted()).toEqual([
      'scheduler:ListSchedules on arn:aws:scheduler:eu-central-1:111122223333:schedule/*/*',
      'ses:SendEmail on arn:aws:ses:eu-central-1:111122223333:identity/*',
      'xray:PutTelemetryRecords xray:PutTraceSegments on *',
    ]);
  });

  test('allows services only on behalf of this account', () => {
    const services = statements(deployment).filter(
      ({ effect, principals, kind }) =>
        effect === 'Allow' &&
        kind !== 'AWS::IAM::Policy' &&
        principals.some((principal) => principal.endsWith('.amazonaws.com')),
    );
    expect(services.length).toBeGreaterThanOrEqual(4);
    for (const { principals, condition } of services) {
      // Lambda assumes the role of its function; there is no other's.
      if (principals.includes('lambda.amazonaws.com')) continue;
      const keys = Object.values(condition).flatMap((conditions) =>
        Object.keys(conditions).map((key) => key.toLowerCase()),
      );
      expect(keys).toContain('aws:sourceaccount');
    }
  });
});

describe('the function', () => {
  test('has no managed policy', () => {
    for (const [, { Properties }] of deployment.resources.filter(
      ([, { Type }]) => Type === 'AWS::IAM::Role',
    )) {
      expect(Properties).not.toHaveProperty('ManagedPolicyArns');
    }
  });

  test('reads all of the archive, appends evidence, rewrites history and state', () => {
    for (const key of [...EVIDENCE, ...REWRITTEN]) {
      expect(allows(role, 's3:GetObject', `${bucket}/${key}`)).toBe(true);
      expect(allows(role, 's3:PutObject', `${bucket}/${key}`)).toBe(true);
    }
    expect(allows(role, 's3:PutObject', `${bucket}/elsewhere`)).toBe(false);
    expect(allows(role, 's3:GetObject', `${bucket}/elsewhere`)).toBe(false);
  });

  test.each([
    's3:DeleteObject',
    's3:DeleteObjectVersion',
    's3:DeleteBucket',
    's3:PutObjectTagging',
    's3:DeleteObjectTagging',
    's3:PutObjectAcl',
    's3:PutObjectRetention',
    's3:PutObjectLegalHold',
    's3:PutBucketPolicy',
    's3:DeleteBucketPolicy',
    's3:PutLifecycleConfiguration',
    's3:PutBucketVersioning',
    's3:BypassGovernanceRetention',
    's3:AbortMultipartUpload',
  ])('may not %s', (action) => {
    for (const key of [...EVIDENCE, ...REWRITTEN]) {
      expect(allows(role, action, `${bucket}/${key}`)).toBe(false);
    }
    expect(allows(role, action, bucket)).toBe(false);
  });

  test('lists the archive only by prefix', () => {
    const lists = role.filter(({ actions }) => actions.includes('s3:ListBucket'));
    expect(lists).toHaveLength(1);
    expect(lists[0]!.resources).toEqual([bucket]);
    const prefixes = lists[0]!.condition['StringLike']!['s3:prefix'] as string[];
    for (const key of [...EVIDENCE, ...REWRITTEN]) {
      expect(prefixes.some((prefix) => matches(prefix, key))).toBe(true);
    }
    expect(prefixes.some((prefix) => matches(prefix, ''))).toBe(false);
  });

  test('reads its certificates and no other secret', () => {
    const read = (resource: string) => allows(role, 'secretsmanager:GetSecretValue', resource);
    const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:';
    expect(read(`<${secretId}>`)).toBe(true);
    expect(read(`${arn}secure-score/fabrikam-AbC123`)).toBe(true);
    expect(read(`${arn}secure-score/fabrikam-other-AbC123`)).toBe(false);
    expect(read(`${arn}secure-score/contoso-AbC123`)).toBe(false);
    expect(read(`${arn}payroll-AbC123`)).toBe(false);
    const others = role.flatMap(({ actions }) =>
      actions.filter((action) => action.startsWith('secretsmanager:')),
    );
    expect(others).toEqual(['secretsmanager:GetSecretValue']);
  });

  test('sends from only one address', () => {
    const sends = role.filter(({ actions }) => actions.some((action) => action.startsWith('ses:')));
    expect(sends).toHaveLength(1);
    expect(sends[0]).toMatchObject({
      actions: ['ses:SendEmail'],
      condition: { StringEquals: { 'ses:FromAddress': 'secure-score@contoso.com' } },
    });
    const [set] = only(deployment, 'AWS::SES::ConfigurationSet');
    expect(sends[0]!.resources).toContain(`arn:aws:ses:eu-central-1:111122223333:configuration-set/<${set}>`);
  });

  test('uses the key of an archive that has one, and only as it needs', () => {
    const encrypted = synthesize({}, { archiveEncryption: 'own' });
    const keys = ofFunction(encrypted).filter(({ actions }) =>
      actions.some((each) => each.startsWith('kms:')),
    );
    expect(keys.flatMap(({ actions }) => actions).toSorted()).toEqual(['kms:Decrypt', 'kms:GenerateDataKey']);
    const [, { Properties }] = only(encrypted, 'AWS::S3::Bucket');
    const [rule] = (
      Properties!['BucketEncryption'] as {
        ServerSideEncryptionConfiguration: {
          BucketKeyEnabled: boolean;
          ServerSideEncryptionByDefault: { SSEAlgorithm: string; KMSMasterKeyID: never };
        }[];
      }
    ).ServerSideEncryptionConfiguration;
    expect(rule).toMatchObject({
      BucketKeyEnabled: true,
      ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' },
    });
    const key = text(rule!.ServerSideEncryptionByDefault.KMSMasterKeyID);
    expect(keys.map(({ resources }) => resources)).toEqual([[key]]);
  });
});

test('the schedules invoke the function and write to their queue, and nothing else', () => {
  const [, { Properties }] = only(deployment, 'AWS::Lambda::Function');
  const others = statements(deployment).filter(
    ({ kind, owner }) => kind === 'AWS::IAM::Policy' && !role.some((each) => each.owner === owner),
  );
  expect(others.map(({ actions }) => actions)).toEqual([['lambda:InvokeFunction'], ['sqs:SendMessage']]);
  expect(others.flatMap(({ resources }) => resources).join(' ')).not.toContain('*');
  expect(Properties).toBeDefined();
});
