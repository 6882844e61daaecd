import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../lambda/config.ts';
import { environment, readEnvironment } from '../../lambda/environment.ts';
import { config, ofType, only, synthesize, tenant, text, type Json } from './deployment.ts';

const LONG = 'x'.repeat(60);
const addresses = (count: number, domain = `${LONG}.${LONG}.example`): string[] =>
  Array.from({ length: count }, (_, index) => `person-${index}@${domain}`);

describe('what exceeds a limit only in sum', () => {
  test('fifty long addresses of operations are more than the variables of a function may have', () => {
    expect(() => synthesize({ operations: addresses(50) })).toThrow(
      expect.objectContaining({
        code: 'environment-too-large',
        message: expect.stringMatching(
          /come to \d{4} bytes, but Lambda accepts at most 4096. The largest is OPERATIONS/,
        ) as unknown,
        advice: expect.stringContaining('distribution list') as unknown,
      }),
    );
    expect(() => synthesize({ operations: addresses(50, 'contoso.com') })).not.toThrow();
  });

  test('many tenants with long lists of recipients are more than a template may have', () => {
    const recipients = addresses(50).map((address) => `"${'日'.repeat(199)}" <${address}>`);
    const many = Array.from({ length: 480 }, (_, index) => ({ ...tenant(index + 1), recipients }));
    expect(() => synthesize({ tenants: many.slice(0, 30) })).not.toThrow();
    expect(() => synthesize({ tenants: many })).toThrow(
      expect.objectContaining({ code: 'template-too-large' }),
    );
  });

  test('secrets of many tenants are divided among policies, up to what a role may have', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        ...tenant(index + 1),
        certificate: `secure-score/tenant-${index}`,
      }));
    const policies = synthesize({ tenants: many(300) }).resources.filter(([, { Type }]) =>
      ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].includes(Type),
    );
    const named = JSON.stringify(policies).match(/secure-score\/tenant-\d+-/g) ?? [];
    expect(new Set(named).size).toBe(300);
    // Without white space, as IAM counts; what the deployment fills in for a reference is about as long as it.
    for (const [, { Type, Properties }] of policies) {
      const size = JSON.stringify(Properties!['PolicyDocument']).replaceAll(
        /\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},":secretsmanager:",\{"Ref":"AWS::Region"\},":",\{"Ref":"AWS::AccountId"\},":/g,
        '"arn:aws:secretsmanager:ap-southeast-1:111122223333:',
      ).length;
      expect(size).toBeLessThan(Type === 'AWS::IAM::Policy' ? 10_240 : 6_144);
    }
    expect(() => synthesize({ tenants: many(401) })).toThrow(
      expect.objectContaining({ code: 'policy-too-large' }),
    );
  });

  test('the largest tenant that the config takes is less than a schedule may have as input', () => {
    // https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html
    const limit = 256 * 1024;
    // Each of its characters has three bytes of UTF-8.
    const name = '日'.repeat(199);
    const largest = (kind: string) =>
      addresses(25, [LONG, LONG, LONG, kind].join('.')).map((address) => `"${name}." <${address}>`);
    const { tenants } = parseConfig(
      config({
        tenants: [{ ...tenant(1), name, recipients: { scores: largest('aa'), controls: largest('bb') } }],
      }),
      'here',
    );
    expect(Buffer.byteLength(JSON.stringify({ tenant: tenants[0] }))).toBeLessThan(limit / 2);
  });
});

test('names of operations reach the function, and SNS gets the addresses alone, each once', () => {
  const deployment = synthesize({
    operations: [
      '"Contoso, Ltd." <R&D#1@müller.example>',
      "o'neil@contoso.com",
      "On Call <O'Neil@contoso.com>",
    ],
    mail: { from: 'Überwachung <secure-score@müller.example>', identity: 'domain' },
  });
  const [, { Properties: properties }] = only(deployment, 'AWS::Lambda::Function');
  const { Variables: variables } = properties!['Environment'] as { Variables: Record<string, Json> };
  const read = readEnvironment(
    Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, text(value)])),
  );
  expect(read[environment.operations]).toEqual([
    '"Contoso, Ltd." <R&D#1@xn--mller-kva.example>',
    "o'neil@contoso.com",
  ]);
  expect(
    ofType(deployment, 'AWS::SNS::Subscription').map(([, { Properties }]) => Properties!['Endpoint']),
  ).toEqual(['R&D#1@xn--mller-kva.example', "o'neil@contoso.com"]);
  expect(only(deployment, 'AWS::SES::EmailIdentity')[1].Properties).toMatchObject({
    EmailIdentity: 'xn--mller-kva.example',
  });
});
