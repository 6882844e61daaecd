import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pemFileSource } from '../../lambda/certificate/pem-file.ts';
import { secretsManagerSource } from '../../lambda/certificate/secrets-manager.ts';
import { failureOf, tenantAt } from '../graph/support.ts';

const tenant = tenantAt({ authorityHost: 'https://a.example', graphEndpoint: 'https://g.example' });

describe('a PEM file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certificate-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('is read as it is', async () => {
    const path = join(folder, 'app.pem');
    await writeFile(path, 'the bundle\r\n');
    expect(await pemFileSource(path).read()).toBe('the bundle\r\n');
  });

  test.each<[string, (text: string) => Buffer]>([
    ['UTF-8 with a byte order mark', (text) => Buffer.from(`\uFEFF${text}`)],
    ["UTF-16, as PowerShell's > writes it", (text) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['UTF-16, big-endian', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
  ])('in %s is the same text', async (_, encoded) => {
    const path = join(folder, 'windows.pem');
    await writeFile(path, encoded('-----BEGIN Zürich-----\r\n'));
    expect(await pemFileSource(path).read()).toBe('-----BEGIN Zürich-----\r\n');
  });

  test('that does not exist', async () => {
    const error = await failureOf(pemFileSource(join(folder, 'none.pem')).read());
    expect(error.code).toBe('certificate-not-found');
    expect(error.message).toContain('none.pem"');
    expect(error.advice).toContain('secure-score certificate create');
  });

  test('that is a folder', async () => {
    const error = await failureOf(pemFileSource(folder).read());
    expect(error.code).toBe('certificate-not-readable');
    expect(error.message).toContain('is a folder');
  });

  test.skipIf(process.getuid?.() === 0)('that may not be read', async () => {
    const path = join(folder, 'secret.pem');
    await writeFile(path, 'x');
    await chmod(path, 0);
    const error = await failureOf(pemFileSource(path).read());
    expect(error.code).toBe('certificate-not-readable');
    expect(error.message).toContain('EACCES');
  });
});

describe('a secret', () => {
  const client = new SecretsManagerClient({ region: 'eu-central-1' });
  const aws = mockClient(client);
  const source = secretsManagerSource({ client, defaultSecret: 'secure-score/certificate' });
  beforeEach(() => void aws.reset());

  test('serves the complete deployment, unless the tenant has its own', async () => {
    aws
      .on(GetSecretValueCommand, { SecretId: 'secure-score/certificate' })
      .resolves({ SecretString: 'shared' });
    aws.on(GetSecretValueCommand, { SecretId: 'secure-score/contoso' }).resolves({ SecretString: 'own' });
    expect(await source.read(tenant)).toBe('shared');
    expect(await source.read({ ...tenant, certificate: 'secure-score/contoso' })).toBe('own');
  });

  test('that is binary', async () => {
    aws.on(GetSecretValueCommand).resolves({ SecretBinary: new Uint8Array([1]) });
    expect((await failureOf(source.read(tenant))).code).toBe('certificate-not-text');
  });

  test.each(['', ' \n'])('that is empty: %j', async (text) => {
    aws.on(GetSecretValueCommand).resolves({ SecretString: text });
    expect((await failureOf(source.read(tenant))).code).toBe('certificate-empty');
  });

  test.each<[string, string, boolean, number?]>([
    ['ResourceNotFoundException', 'certificate-not-found', false],
    ['AccessDeniedException', 'certificate-access-denied', false],
    ['DecryptionFailure', 'certificate-not-decrypted', false],
    ['InvalidRequestException', 'certificate-not-found', false],
    ['InvalidParameterException', 'certificate-not-found', false],
    ['CredentialsProviderError', 'aws-credentials-missing', false],
    ['TokenProviderError', 'aws-credentials-missing', false],
    ['InvalidSignatureException', 'aws-credentials-missing', false],
    ['OptInRequired', 'certificate-refused', false, 403],
    ['ThrottlingException', 'certificate-unreachable', true, 400],
    ['InternalServiceError', 'certificate-unreachable', true],
    ['TimeoutError', 'certificate-unreachable', true],
  ])('%s: %s', async (name, code, retryable, httpStatusCode) => {
    aws
      .on(GetSecretValueCommand)
      .rejects(Object.assign(new Error('words of AWS'), { name, $metadata: { httpStatusCode } }));
    const error = await failureOf(source.read(tenant));
    expect(error.code).toBe(code);
    expect(error.retryable).toBe(retryable);
    expect(error.message).toContain('"secure-score/certificate"');
    expect(error.advice).not.toBe('');
  });
});
