import { describe, expect, test } from 'vitest';
import { config, guid, ofType, only, synthesize, tenant, text } from './deployment.ts';
import { allows, ofFunction, statements } from './policies.ts';

const objectId = guid(0x0b1ec7);
const renewing = synthesize({
  tenants: [
    { ...tenant(1), clientId: guid(1), objectId },
    { ...tenant(2), clientId: guid(2), certificate: 'secure-score/fabrikam', rotate: false },
  ],
});
const federated = synthesize({ tenants: [{ ...tenant(1), signIn: 'federated' }] });

const isAsked = (all: ReturnType<typeof statements>, action: string) =>
  all.some(({ actions }) => actions.includes(action));

describe('where a certificate renews itself', () => {
  const rotation = ofFunction(renewing, /^Renews/);
  const run = ofFunction(renewing, /^Reads/);
  const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:';
  const [secretId] = only(renewing, 'AWS::SecretsManager::Secret');

  test('a function of its own may write the secrets that renew, and look at the others', () => {
    for (const action of ['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage']) {
      expect(allows(rotation, action, `<${secretId}>`)).toBe(true);
      expect(allows(rotation, action, `${arn}secure-score/fabrikam-AbC123`)).toBe(false);
    }
    for (const action of ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue']) {
      expect(allows(rotation, action, `<${secretId}>`)).toBe(true);
      expect(allows(rotation, action, `${arn}secure-score/fabrikam-AbC123`)).toBe(true);
    }
    expect(isAsked(run, 'secretsmanager:PutSecretValue')).toBe(false);
    expect(isAsked(run, 'secretsmanager:UpdateSecretVersionStage')).toBe(false);
  });

  test('it reads and writes state, and nothing else of the archive', () => {
    const [bucketId] = only(renewing, 'AWS::S3::Bucket');
    const bucket = `<${bucketId}.Arn>`;
    for (const action of ['s3:GetObject', 's3:PutObject']) {
      expect(allows(rotation, action, `${bucket}/state/rotation=x.json`)).toBe(true);
      expect(allows(rotation, action, `${bucket}/snapshots/x`)).toBe(false);
      expect(allows(rotation, action, `${bucket}/reports/x`)).toBe(false);
    }
  });

  test('it reads the tenants of this deployment alone, and is started daily beside the watch', () => {
    const reads = rotation.filter(({ actions }) => actions.includes('scheduler:GetSchedule'));
    expect(reads.flatMap(({ resources }) => resources).join()).toMatch(/:schedule\/.+\/tenant-\*$/);
    const schedules = ofType(renewing, 'AWS::Scheduler::Schedule').map(([, { Properties }]) => Properties!);
    const [one, watch] = ['rotation', 'watch'].map((name) =>
      schedules.find((each) => each['Name'] === name)!,
    );
    expect(text((one!['Target'] as { Input: string }).Input)).toBe('{"rotation":true}');
    expect(one!['ScheduleExpression']).toBe(watch!['ScheduleExpression']);
    const invokes = statements(renewing).filter(({ actions }) => actions.includes('lambda:InvokeFunction'));
    expect(invokes.flatMap(({ resources }) => resources)).toHaveLength(2);
  });
});

test('without one that renews itself there is no such function, and nobody writes secrets', () => {
  const deployment = synthesize(config());
  expect(ofType(deployment, 'AWS::Lambda::Function')).toHaveLength(1);
  expect(isAsked(statements(deployment), 'secretsmanager:PutSecretValue')).toBe(false);
});

test('one with rotate: false has no such function either, though it has an objectId', () => {
  const off = synthesize({ tenants: [{ ...tenant(1), objectId, rotate: false }] });
  expect(ofType(off, 'AWS::Lambda::Function')).toHaveLength(1);
  expect(isAsked(statements(off), 'secretsmanager:PutSecretValue')).toBe(false);
});

test('only the secrets that renew may be written, without a wildcard for all', () => {
  const writing = ['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'];
  const secrets = synthesize({
    tenants: [
      { ...tenant(1), objectId },
      { ...tenant(2), clientId: guid(2), objectId: guid(0x0b1ec8), certificate: 'secure-score/fabrikam' },
      { ...tenant(3), clientId: guid(3), objectId: guid(0x0b1ec9), certificate: 'off', rotate: false },
      { ...tenant(4), clientId: guid(4), certificate: 'without-object-id' },
      { ...tenant(5), clientId: guid(5), signIn: 'federated' },
    ],
  });
  const [secretId] = only(secrets, 'AWS::SecretsManager::Secret');
  const may = statements(secrets).filter(({ actions }) => writing.some((action) => actions.includes(action)));
  const rotation = ofFunction(secrets, /^Renews/);
  expect(may).toHaveLength(1);
  expect(rotation).toContainEqual(may[0]);
  expect(may[0]!.actions.toSorted()).toEqual(writing);
  expect(may[0]!.resources.toSorted()).toEqual([
    `<${secretId}>`,
    'arn:aws:secretsmanager:eu-central-1:111122223333:secret:secure-score/fabrikam-??????',
  ]);
  // It signs in with certificates alone.
  expect(isAsked(rotation, 'sts:GetWebIdentityToken')).toBe(false);
  const asks = statements(secrets).filter(({ actions }) => actions.includes('sts:GetWebIdentityToken'));
  expect(asks).toHaveLength(1);
  expect(ofFunction(secrets, /^Reads/)).toContainEqual(asks[0]);
});

describe('where all tenants sign in federated', () => {
  test('there is no secret, none may be read, and nothing says to fill one', () => {
    expect(federated.resources.filter(([, { Type }]) => Type === 'AWS::SecretsManager::Secret')).toEqual([]);
    const asked = statements(federated).flatMap(({ actions }) => actions);
    expect(asked.filter((action) => action.startsWith('secretsmanager:'))).toEqual([]);
    const outputs = JSON.stringify(federated.main.Outputs);
    expect(outputs).not.toContain('certificate put');
    expect(outputs).not.toContain('CertificateSecret');
    expect(outputs).toContain('creates the federated credential that the doctor prints');
  });

  test('each cloud has its audience, and no other may be asked for', () => {
    const clouds = synthesize({
      tenants: [
        { ...tenant(1), signIn: 'federated' },
        { ...tenant(2), signIn: 'federated', cloud: 'usgov' },
      ],
    });
    const gets = ofFunction(clouds, /^Reads/).find(({ actions }) =>
      actions.includes('sts:GetWebIdentityToken'),
    );
    expect(gets?.condition['ForAllValues:StringEquals']).toEqual({
      'sts:IdentityTokenAudience': ['api://AzureADTokenExchange', 'api://AzureADTokenExchangeUSGov'],
    });
  });

  test('the function may get a token for exactly that audience, algorithm and lifetime', () => {
    const gets = ofFunction(federated, /^Reads/).filter(({ actions }) =>
      actions.includes('sts:GetWebIdentityToken'),
    );
    expect(gets).toHaveLength(1);
    expect(gets[0]).toMatchObject({
      actions: ['sts:GetWebIdentityToken'],
      condition: {
        'ForAllValues:StringEquals': { 'sts:IdentityTokenAudience': ['api://AzureADTokenExchange'] },
        Null: { 'sts:IdentityTokenAudience': 'false' },
        StringEquals: { 'sts:SigningAlgorithm': 'RS256' },
        NumericLessThanEquals: { 'sts:DurationSeconds': 300 },
      },
    });
    expect(Object.keys(federated.main.Outputs!)).toContain('FederatedSubject');
  });
});
