import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkCertificate } from '../../lambda/certificate/bundle.ts';
import { createCertificate, type KeyPair } from '../../simulator/certificates.ts';
import { secureScore, holdsSecrets } from './support.ts';

const BIN = resolve(import.meta.dirname, '../../bin/secure-score.ts');
const DAY = 86_400_000;

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certificate-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('secure-score certificate create', () => {
  it('makes a bundle for its owner alone and a public part to upload, and says what to do with them', async () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'certificate', 'create'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    });
    expect([status, stderr]).toEqual([0, '']);
    expect((await readdir(folder)).toSorted()).toEqual(['secure-score.cer', 'secure-score.pem']);
    expect((await stat(at('secure-score.pem'))).mode & 0o777).toBe(0o600);

    const pem = await readFile(at('secure-score.pem'), 'utf8');
    const checked = checkCertificate(pem, new Date(), 'it');
    expect(checked).toMatchObject({ subject: 'CN=secure-score-monitor', bits: 2048 });
    expect(checked.notBefore.getTime()).toBeLessThan(Date.now() - 5 * 60_000);
    expect(checked.notAfter.getTime() - checked.notBefore.getTime()).toBe(365 * DAY);

    const uploaded = await readFile(at('secure-score.cer'), 'utf8');
    expect(uploaded).not.toContain('PRIVATE');
    const { fingerprint, fingerprint256 } = new X509Certificate(uploaded);
    expect(stdout).toContain(fingerprint.replaceAll(':', ''));
    expect(stdout).toContain(fingerprint256.replaceAll(':', '').toLowerCase());
    expect(stdout).toContain('Certificates & secrets');
    expect(stdout).toContain('secure-score certificate put secure-score.pem');
    expect(holdsSecrets(stdout, pem)).toBe(false);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('takes a name, a validity, a length and a file', async () => {
    const args = ['--name', 'Contoso monitor', '--days', '30', '--bits', '4096', '--out', at('contoso.pem')];
    const { code, json } = await secureScore('certificate', 'create', ...args, '--json');
    expect(code).toBe(0);
    expect(json()).toEqual({
      file: at('contoso.pem'),
      publicFile: at('contoso.cer'),
      subject: 'CN=Contoso monitor',
      bits: 4096,
      thumbprintSha1: expect.stringMatching(/^[0-9A-F]{40}$/),
      thumbprintSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      notBefore: expect.any(String),
      notAfter: expect.any(String),
    });
    expect(Date.parse(json().notAfter) - Date.parse(json().notBefore)).toBe(30 * DAY);
  });

  it.each(['a.pem', 'a.cer'])(
    'leaves a file %s that is there as it is, and nothing else behind',
    async (name) => {
      await writeFile(at(name), 'precious');
      const { code, stderr } = await secureScore('certificate', 'create', '--out', at('a.pem'));
      expect(code).toBe(1);
      expect(stderr).toContain(`${name}" already`);
      expect(await readdir(folder)).toEqual([name]);
      expect(await readFile(at(name), 'utf8')).toBe('precious');
    },
  );

  it('says where it cannot write', async () => {
    const { code, stderr } = await secureScore('certificate', 'create', '--out', at('none/a.pem'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot be written \(ENOENT\)[^]*→ Choose another place/);
  });

  it.each([
    ['--bits', '1024'],
    ['--bits', '8192'],
    ['--days', '0'],
    ['--days', '1096'],
    ['--days', '1.5'],
    ['--days', 'x'],
    ['--name', 'A, O=B'],
    ['--name', 'x'.repeat(65)],
    ['--out', 'a.cer'],
  ])('%s %s is wrong usage', async (...flag) => {
    const { code, stdout } = await secureScore('certificate', 'create', '--out', at('a.pem'), ...flag);
    expect([code, stdout]).toEqual([2, '']);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('the deployed secret', () => {
  const secrets = mockClient(SecretsManagerClient);
  const stacks = mockClient(CloudFormationClient);
  afterAll(() => {
    secrets.restore();
    stacks.restore();
  });
  let first: KeyPair;
  let second: KeyPair;
  let expired: KeyPair;
  beforeAll(async () => {
    first = await createCertificate({ commonName: 'first', days: 20 });
    second = await createCertificate({ commonName: 'second', days: 300 });
    expired = await createCertificate({
      commonName: 'expired',
      days: 10,
      notBefore: new Date(Date.now() - 20 * DAY),
    });
  });
  beforeEach(async () => {
    secrets.reset();
    stacks.reset();
    secrets.on(PutSecretValueCommand).resolves({});
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    await writeFile(at('second.pem'), `Some comment\n${second.privateKey}${second.certificate}`);
    await writeFile(at('expired.pem'), expired.certificate + expired.privateKey);
    await writeFile(
      at('config.json'),
      JSON.stringify({
        tenants: ['Contoso', 'Fabrikam', 'Tailspin'].map((name, index) => ({
          name,
          tenantId: `0b6b6ab0-3b1f-4c3a-9a51-0f4f8f3f6c1${index}`,
          clientId: '0b6b6ab0-3b1f-4c3a-9a51-0f4f8f3f6c11',
          recipients: ['a@contoso.com'],
          ...(name === 'Tailspin' && { certificate: 'secure-score/tailspin' }),
        })),
        operations: ['b@contoso.com'],
        mail: { from: 'c@contoso.com' },
      }),
    );
    return () => vi.unstubAllEnvs();
  });

  function holds(value: string | undefined) {
    secrets.on(DescribeSecretCommand).resolves({
      Name: 'secure-score/certificate',
      ...(value !== undefined && { VersionIdsToStages: { v1: ['AWSCURRENT'] }, LastChangedDate: new Date() }),
    });
    secrets.on(GetSecretValueCommand).resolves({ SecretString: value ?? '' });
  }
  function secondDeployed() {
    stacks.rejects(Object.assign(new Error('Stack does not exist'), { name: 'ValidationError' }));
    stacks.on(DescribeStacksCommand, { StackName: 'Second' }).resolves({
      Stacks: [
        {
          StackName: 'Second',
          StackStatus: 'CREATE_COMPLETE',
          CreationTime: new Date(),
          Outputs: [{ OutputKey: 'CertificateSecret', OutputValue: 'secure-score/Second/certificate' }],
        },
      ],
    });
  }
  const put = (...args: string[]) =>
    secureScore('certificate', 'put', ...args, '--config', at('config.json'));
  const written = () => secrets.commandCalls(PutSecretValueCommand).map((call) => call.args[0].input);

  it('gets the pair and nothing else, and what it replaces is reported', async () => {
    holds(first.certificate + first.privateKey);
    const { code, stdout } = await put(at('second.pem'));
    expect(code).toBe(0);
    expect(written()).toMatchObject([{ SecretId: 'secure-score/certificate' }]);
    const value = written()[0]?.SecretString ?? '';
    expect(checkCertificate(value, new Date(), 'it').subject).toBe('CN=second');
    expect(value).not.toContain('comment');
    expect(stdout).toMatch(
      /now holds\n +CN=second, [^]*instead of\n +CN=first, valid until .*\n +SHA-1 [0-9A-F]{40}\n/,
    );
    expect(stdout).toContain('Keep the old one in the app registration until the new one has signed in');
    expect(holdsSecrets(stdout, first.privateKey) || holdsSecrets(stdout, second.privateKey)).toBe(false);
  });

  it('that is empty is filled', async () => {
    holds(undefined);
    const { code, stdout } = await put(at('second.pem'));
    expect([code, written().length]).toEqual([0, 1]);
    expect(stdout).toContain('It was empty before.');
  });

  it('that contains something else, or may not be read, is still filled', async () => {
    holds('not a bundle');
    expect((await put(at('second.pem'))).stdout).toContain('There is no certificate in the secret');
    secrets
      .on(GetSecretValueCommand)
      .rejects(Object.assign(new Error('no'), { name: 'AccessDeniedException' }));
    expect((await put(at('second.pem'))).stdout).toContain('is not allowed');
    expect(written()).toHaveLength(2);
  });

  it('that contains this certificate gets no further version', async () => {
    holds(second.certificate + second.privateKey);
    const { code, json } = await put(at('second.pem'), '--json');
    expect([code, written()]).toEqual([0, []]);
    expect(json()).toMatchObject({ put: false, certificate: { subject: 'CN=second' }, replaced: null });
  });

  it.each([
    [['--tenant', 'Tailspin'], 'secure-score/tailspin'],
    [['--tenant', 'Contoso'], 'secure-score/certificate'],
    [['--secret', 'my/own'], 'my/own'],
    [['--stack', 'Second'], 'secure-score/Second/certificate'],
    [['--stack', 'Second', '--tenant', 'Contoso'], 'secure-score/Second/certificate'],
    [['--stack', 'Second', '--tenant', 'Tailspin'], 'secure-score/tailspin'],
  ])('is chosen by %j', async (flags, secret) => {
    holds(undefined);
    secondDeployed();
    const { code, stdout } = await put(at('second.pem'), ...flags);
    expect(code).toBe(0);
    expect(written()).toMatchObject([{ SecretId: secret }]);
    expect(stdout.includes('--stack Second')).toBe(flags.includes('--stack'));
  });

  it('of a deployment is shown by --stack, and a missing deployment is reported', async () => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: second.certificate + second.privateKey });
    secondDeployed();
    const status = (stack: string, ...args: string[]) =>
      secureScore('certificate', 'status', '--stack', stack, '--config', at('config.json'), ...args);
    expect((await status('Second', '--json')).json()).toMatchObject([
      { where: 'secure-score/Second/certificate', tenants: ['Contoso', 'Fabrikam'] },
      { where: 'secure-score/tailspin', tenants: ['Tailspin'] },
    ]);
    const third = await status('Third');
    expect(third).toMatchObject({ code: 1, stderr: expect.stringContaining('no stack "Third"') });
    // Without a tenant that shares the deployment's secret nothing is looked up.
    expect((await status('Third', '--tenant', 'Tailspin')).code).toBe(0);
  });

  it.each([
    ['expired.pem', /expired on .*→/s],
    ['none.pem', /There is no certificate file/],
    ['config.json', /There is no certificate in/],
  ])('is not changed if %s is no certificate to sign in with', async (file, message) => {
    holds(first.certificate + first.privateKey);
    const { code, stderr } = await put(at(file));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(secrets.calls()).toEqual([]);
  });

  it('that does not exist, or is being deleted, is reported with the advice to deploy or to restore it', async () => {
    secrets
      .on(DescribeSecretCommand)
      .rejects(new ResourceNotFoundException({ message: 'no', $metadata: {} }));
    expect((await put(at('second.pem'))).stderr).toMatch(
      /There is no secret[^]*→ Deploy with: npx cdk deploy/,
    );
    secrets.on(DescribeSecretCommand).resolves({ DeletedDate: new Date() });
    expect((await put(at('second.pem'))).stderr).toContain('restore-secret');
    expect(written()).toEqual([]);
  });

  it('and files are shown with their dates and days left; one that has expired is a failure', async () => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: first.certificate + first.privateKey });
    const status = (...args: string[]) =>
      secureScore('certificate', 'status', '--config', at('config.json'), ...args);
    const deployed = await status();
    expect(deployed.code).toBe(0);
    expect(deployed.stdout).toMatch(
      /^! secure-score\/certificate \(secret\): 19 days left: create the next one\n +signs in +Contoso, Fabrikam\n/,
    );
    expect(deployed.stdout).toContain('secure-score/tailspin (secret)');

    const both = await status(at('second.pem'), '--secret', 'my/own', '--json');
    expect(both.code).toBe(0);
    expect(both.json()).toMatchObject([
      { kind: 'file', where: at('second.pem'), certificate: { daysLeft: 299, valid: true }, error: null },
      { kind: 'secret', where: 'my/own', tenants: [], certificate: { daysLeft: 19 } },
    ]);

    const late = await status(at('expired.pem'), '--deployed', '--tenant', 'Tailspin', '--json');
    expect(late.code).toBe(1);
    expect(late.json()).toMatchObject([
      { certificate: { daysLeft: -11, valid: false } },
      { where: 'secure-score/tailspin', tenants: ['Tailspin'] },
    ]);
    expect((await status(at('expired.pem'))).stdout).toMatch(/^✗ .* \(file\): expired on /);
    const none = await status(at('none.pem'), '--json');
    expect([none.code, none.json()[0].error.code]).toEqual([1, 'certificate-not-found']);
    expect(holdsSecrets(deployed.stdout + both.stdout, first.privateKey)).toBe(false);
  });

  it.skipIf(process.getuid?.() === 0)('a file that may not be read is reported', async () => {
    await chmod(at('second.pem'), 0);
    expect((await put(at('second.pem'))).stderr).toContain('EACCES');
  });

  it.each([
    (file: string) => [file],
    (file: string) => ['--certificate', file],
    (file: string) => ['--file', file],
  ])('a file is given in the same way everywhere: %s', async (naming) => {
    const args = naming(at('expired.pem'));
    const shown = await secureScore('certificate', 'status', ...args, '--json');
    expect(shown.json()).toMatchObject([{ kind: 'file', where: at('expired.pem') }]);
    expect((await secureScore('certificate', 'put', ...args, '--secret', 'x')).stderr).toMatch(/expired on/);
  });

  it.each([
    [[]],
    [['']],
    [['a.pem', 'b.pem']],
    [['a.pem', '--tenant', 'A', '--secret', 'b']],
    [['a.pem', '--stack', 'A', '--secret', 'b']],
  ])('certificate put %j is wrong usage', async (args) => {
    expect((await secureScore('certificate', 'put', ...args)).code).toBe(2);
  });
});
