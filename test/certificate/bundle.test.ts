import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkCertificate } from '../../lambda/certificate/bundle.ts';
import { createCertificate, type KeyPair } from '../../simulator/certificates.ts';
// After the simulator, which loads the polyfill that it needs.
import * as x509 from '@peculiar/x509';
import { everythingIn, failureOf } from '../graph/support.ts';

const FROM = new Date('2025-01-09T00:00:00Z');
const NOW = new Date('2025-06-01T12:00:00Z');

let ours: KeyPair;
let other: KeyPair;
let short: KeyPair;

beforeAll(async () => {
  const make = (commonName: string, bits: number) =>
    createCertificate({ commonName, days: 365, notBefore: FROM, bits });
  [ours, other, short] = await Promise.all([make('ours', 2048), make('other', 2048), make('short', 1024)]);
});

function check(pem: string, now = NOW) {
  return checkCertificate(pem, now, '"app.pem"');
}

describe('a good bundle', () => {
  test('gives the certificate, its key and the facts about them', () => {
    const checked = check(ours.certificate + ours.privateKey);
    const certificate = new X509Certificate(ours.certificate);
    expect(checked.thumbprintSha256).toBe(certificate.fingerprint256.replaceAll(':', '').toLowerCase());
    expect(checked.thumbprintSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(checked.subject).toBe('CN=ours');
    expect(checked.notBefore).toEqual(FROM);
    expect(checked.notAfter).toEqual(new Date('2026-01-09T00:00:00Z'));
    expect(new X509Certificate(checked.certificatePem).fingerprint256).toBe(certificate.fingerprint256);
    expect(certificate.checkPrivateKey(createPrivateKey(checked.privateKeyPem))).toBe(true);
  });

  test.each<[string, () => string]>([
    ['key first', () => ours.privateKey + ours.certificate],
    ['CRLF', () => (ours.certificate + ours.privateKey).replaceAll('\n', '\r\n')],
    [
      'text between, as openssl pkcs12 writes it',
      () =>
        `Bag Attributes\n    localKeyID: 01\n${ours.certificate}Bag Attributes: <none>\nKey Attributes: <none>\n${ours.privateKey}bye`,
    ],
    ['a byte order mark', () => `\uFEFF${ours.certificate}${ours.privateKey}`],
    ['indented lines', () => (ours.certificate + ours.privateKey).replace(/^/gm, '    ')],
    ['blanks at the ends of lines', () => (ours.certificate + ours.privateKey).replace(/$/gm, ' \t')],
    ['blank lines', () => (ours.certificate + ours.privateKey).replaceAll('\n', '\n\n')],
    ['CR alone', () => (ours.certificate + ours.privateKey).replaceAll('\n', '\r')],
    ['one line', () => (ours.certificate + ours.privateKey).replaceAll('\n', ' ')],
    ['one line without blanks', () => (ours.certificate + ours.privateKey).replaceAll('\n', '')],
    ['line breaks written as \\n', () => (ours.certificate + ours.privateKey).replaceAll('\n', '\\n')],
    ['line breaks written as \\r\\n', () => (ours.certificate + ours.privateKey).replaceAll('\n', '\\r\\n')],
    ['JSON', () => JSON.stringify({ certificate: ours.certificate, privateKey: ours.privateKey }, null, 2)],
    ['JSON that escapes', () => JSON.stringify(ours).replaceAll('+', '\\u002B').replaceAll('/', '\\/')],
    ['a text of JSON', () => JSON.stringify(ours.certificate + ours.privateKey)],
    ['JSON in JSON', () => JSON.stringify({ SecretString: JSON.stringify(ours) })],
    ['another certificate before it', () => other.certificate + ours.certificate + ours.privateKey],
    ['another certificate after it', () => ours.privateKey + ours.certificate + other.certificate],
  ])('may come with: %s', (_, bundle) => {
    expect(check(bundle())).toEqual(check(ours.certificate + ours.privateKey));
  });

  test('accepts a PKCS#1 key, and converts it to PKCS#8', () => {
    const pkcs1 = createPrivateKey(ours.privateKey).export({ type: 'pkcs1', format: 'pem' }).toString();
    expect(pkcs1).toContain('BEGIN RSA PRIVATE KEY');
    expect(check(ours.certificate + pkcs1).privateKeyPem).toContain('-----BEGIN PRIVATE KEY-----');
  });

  test('is valid to the second of its last day', () => {
    expect(check(ours.certificate + ours.privateKey, new Date('2026-01-09T00:00:00Z')).subject).toBe(
      'CN=ours',
    );
  });
});

describe('a bundle that cannot be signed in with', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const encrypted = (type: 'pkcs1' | 'pkcs8') =>
    createPrivateKey(ours.privateKey)
      .export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
      .toString();

  const cases: [string, string, RegExp, () => string, Date?][] = [
    ['nothing', 'certificate-missing-in-bundle', /no certificate in "app\.pem"/, () => ''],
    ['a .pfx', 'certificate-missing-in-bundle', /no certificate/, () => '0\u0082\u000b\u0001binary'],
    ['no certificate', 'certificate-missing-in-bundle', /only: "PRIVATE KEY"/, () => ours.privateKey],
    ['no key', 'key-missing-in-bundle', /no private key/, () => ours.certificate],
    [
      'a cut block',
      'certificate-unreadable',
      /does not end/,
      () => ours.privateKey + ours.certificate.slice(0, -30),
    ],
    [
      'a quoted mail',
      'certificate-unreadable',
      /cannot be read.*does not belong there: ">"/,
      () => (ours.certificate + ours.privateKey).replace(/^(?!-)/gm, '> '),
    ],
    [
      'a PEM in base64',
      'certificate-missing-in-bundle',
      /in base64, to be decoded/,
      () => Buffer.from(ours.certificate + ours.privateKey).toString('base64'),
    ],
    [
      'UTF-16 without a mark',
      'certificate-missing-in-bundle',
      /UTF-16 without a byte order mark/,
      () => Buffer.from(ours.certificate + ours.privateKey, 'utf16le').toString(),
    ],
    [
      'dashes of an editor',
      'certificate-missing-in-bundle',
      /five hyphens/,
      () => (ours.certificate + ours.privateKey).replaceAll('-----', '—–'),
    ],
    [
      'the content alone',
      'certificate-missing-in-bundle',
      /without the lines of BEGIN and END/,
      () => ours.certificate.replace(/^-.*$/gm, ''),
    ],
    [
      'an OpenSSH key',
      'key-unreadable',
      /cannot be read/,
      () => ours.certificate + ours.privateKey.replaceAll(' PRIVATE', ' OPENSSH PRIVATE'),
    ],
    [
      'a certificate that is none',
      'certificate-unreadable',
      /cannot be read/,
      () => `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${ours.privateKey}`,
    ],
    [
      'a key that is none',
      'key-unreadable',
      /cannot be read/,
      () => `${ours.certificate}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`,
    ],
    ['an encrypted key', 'key-encrypted', /is encrypted/, () => ours.certificate + encrypted('pkcs8')],
    ['an encrypted PKCS#1 key', 'key-encrypted', /is encrypted/, () => ours.certificate + encrypted('pkcs1')],
    [
      'two keys',
      'key-ambiguous',
      /2 private keys/,
      () => ours.certificate + ours.privateKey + other.privateKey,
    ],
    [
      'an EC key',
      'key-not-rsa',
      /of the type "ec"/,
      () => ours.certificate + ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ],
    ['1024 bits', 'key-too-short', /has 1024 bits/, () => short.certificate + short.privateKey],
    [
      'the key of another certificate',
      'key-of-another-certificate',
      /does not belong to the certificate in it \("CN=ours"\)/,
      () => ours.certificate + other.privateKey,
    ],
    [
      'an expired certificate',
      'certificate-expired',
      /"CN=ours" in "app\.pem" expired on 9 Jan 2026; replace it/,
      () => ours.certificate + ours.privateKey,
      new Date('2026-01-09T00:00:01Z'),
    ],
    [
      'a certificate of tomorrow',
      'certificate-not-yet-valid',
      /not valid before 2025-01-09T00:00:00\.000Z/,
      () => ours.certificate + ours.privateKey,
      new Date('2025-01-08T23:59:59Z'),
    ],
  ];

  test.each(cases)('%s: %s', async (_, code, message, bundle, now) => {
    const error = await failureOf(() => check(bundle(), now));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.advice).not.toBe('');
    expect(error.retryable).toBe(false);
  });

  test.each(cases)('%s: the error contains nothing of a key', async (_, _code, _message, bundle, now) => {
    const text = everythingIn(await failureOf(() => check(bundle(), now)));
    const lines = (ours.privateKey + other.privateKey + short.privateKey + encrypted('pkcs8'))
      .split('\n')
      .filter((line) => line.length > 30 && !line.includes('-----'));
    expect(lines.length).toBeGreaterThan(60);
    for (const line of lines) expect(text).not.toContain(line.slice(0, 30));
  });
});

test('it takes the certificate that is valid for the longest time, of several with one key', async () => {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(
    { ...algorithm, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ['sign', 'verify'],
  );
  const certificates = await Promise.all(
    [
      ['past', '2023-01-01', '2024-01-01'],
      ['shorter', '2025-01-01', '2025-12-01'],
      ['longer', '2025-02-01', '2026-02-01'],
      ['tomorrow', '2025-06-02', '2027-01-01'],
    ].map(([name, from = '', to = '']) =>
      x509.X509CertificateGenerator.createSelfSigned({
        name: `CN=${name}`,
        notBefore: new Date(from),
        notAfter: new Date(to),
        signingAlgorithm: algorithm,
        keys,
      }),
    ),
  );
  const key = x509.PemConverter.encode(
    await crypto.subtle.exportKey('pkcs8', keys.privateKey),
    'PRIVATE KEY',
  );
  const pems = certificates.map((certificate) => certificate.toString('pem'));
  expect(check([...pems, key].join('\n')).subject).toBe('CN=longer');
  expect(check([key, ...pems.toReversed()].join('\n')).subject).toBe('CN=longer');
});
