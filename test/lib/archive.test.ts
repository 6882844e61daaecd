import { describe, expect, test } from 'vitest';
import { APPENDED } from '../../lib/archive.ts';
import { ofType, only, synthesize } from './deployment.ts';
import { ofFunction, statements } from './policies.ts';

const deployment = synthesize();
const [bucketId, bucket] = only(deployment, 'AWS::S3::Bucket');
const policy = statements(deployment).filter(({ kind }) => kind === 'AWS::S3::BucketPolicy');

describe('the bucket', () => {
  test('is private, versioned, encrypted and owned by the account', () => {
    expect(bucket.Properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
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
  });

  test('is retained with its policy when the deployment is deleted', () => {
    const [, bucketPolicy] = only(deployment, 'AWS::S3::BucketPolicy');
    for (const resource of [bucket, bucketPolicy]) {
      expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
  });

  test('expires old versions of history and state, and nothing of the evidence', () => {
    const { Rules: rules } = bucket.Properties!['LifecycleConfiguration'] as {
      Rules: Record<string, unknown>[];
    };
    const expiring = rules.filter((rule) =>
      Object.keys(rule).some((key) => key.includes('Expiration') || key.includes('Transition')),
    );
    expect(expiring.map(({ Prefix }) => Prefix)).toEqual(['history/', 'state/']);
    for (const rule of expiring) {
      expect(rule).not.toHaveProperty('ExpirationInDays');
      expect(rule).toMatchObject({ NoncurrentVersionExpiration: { NoncurrentDays: 30 } });
    }
  });

  test.each([
    ['plain HTTP', { Bool: { 'aws:SecureTransport': 'false' } }],
    ['TLS before 1.2', { NumericLessThan: { 's3:TlsVersion': 1.2 } }],
  ])('refuses %s', (_, condition) => {
    expect(policy).toContainEqual(
      expect.objectContaining({
        effect: 'Deny',
        principals: ['*'],
        actions: ['s3:*'],
        resources: [`<${bucketId}.Arn>`, `<${bucketId}.Arn>/*`],
        condition,
      }),
    );
  });

  const evidence = APPENDED.map((prefix) => `<${bucketId}.Arn>/${prefix}/*`).toSorted();

  test('is append-only for everyone: no put without If-None-Match', () => {
    expect(policy).toContainEqual(
      expect.objectContaining({
        effect: 'Deny',
        principals: ['*'],
        actions: ['s3:PutObject'],
        resources: evidence,
        condition: {
          Null: { 's3:if-none-match': 'true' },
          Bool: { 's3:ObjectCreationOperation': 'true' },
        },
      }),
    );
  });

  test('lets nobody delete evidence', () => {
    expect(policy).toContainEqual(
      expect.objectContaining({
        effect: 'Deny',
        principals: ['*'],
        actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
        resources: evidence,
        condition: {},
      }),
    );
  });
});

describe('an existing bucket', () => {
  const kept = synthesize({ archive: { bucket: 'kept-archive' } });

  test('is used as it is', () => {
    expect(kept.resources.filter(([, { Type }]) => Type.startsWith('AWS::S3::'))).toEqual([]);
    const [, fn] = only(kept, 'AWS::Lambda::Function');
    expect(fn.Properties).toMatchObject({ Environment: { Variables: { ARCHIVE_BUCKET: 'kept-archive' } } });
    const objects = ofFunction(kept).find(({ actions }) => actions.includes('s3:PutObject'));
    expect(objects?.resources).toContain('arn:aws:s3:::kept-archive/snapshots/*');
  });

  test('says that its policy is not managed here', () => {
    const messages = kept.stack.monitor.archive.node.metadata.map(({ data }) => String(data));
    expect(messages.join()).toContain('Its policy, versioning, lifecycle and encryption stay as they are');
  });

  test('keeps its encryption', () => {
    expect(() => synthesize({ archive: { bucket: 'kept-archive' } }, { archiveEncryption: 'own' })).toThrow(
      'pass its key',
    );
  });
});

describe('the certificate', () => {
  test('is a secret without a value, and is retained', () => {
    const [, secret] = only(deployment, 'AWS::SecretsManager::Secret');
    expect(secret.DeletionPolicy).toBe('Retain');
    expect(secret.Properties).not.toHaveProperty('GenerateSecretString');
    expect(secret.Properties).not.toHaveProperty('SecretString');
    expect(secret.Properties).toMatchObject({ Name: 'secure-score/certificate' });
  });

  test('is not created if every tenant has its own, so that an existing secret can be used again', () => {
    const { channels: _, ...tenant } = deployment.stack.monitor.config.tenants[0]!;
    const named = synthesize({ tenants: [{ ...tenant, certificate: 'secure-score/certificate' }] });
    expect(() => ofType(named, 'AWS::SecretsManager::Secret')).toThrow('no AWS::SecretsManager::Secret');
    const read = ofFunction(named).find(({ actions }) => actions.includes('secretsmanager:GetSecretValue'));
    expect(read?.resources).toEqual([
      'arn:aws:secretsmanager:eu-central-1:111122223333:secret:secure-score/certificate-??????',
    ]);
    expect(named.main.Outputs?.['CertificateSecret']?.Value).toBe('secure-score/certificate');
  });
});
