import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { MonitorError, quote } from '../errors.ts';

/** A certificate and its key that belong together. */
export interface Bundle {
  certificatePem: string;
  /** PKCS#8, unencrypted. Never logged, never in an error. */
  privateKeyPem: string;
  /** Lower-case hex without colons: what the app signs in with. */
  thumbprintSha256: string;
  /** Upper-case hex without colons: what the portal lists. */
  thumbprintSha1: string;
  /** Length of the RSA key. */
  bits: number;
  /** One line, like `CN=secure-score-monitor, O=Contoso`. */
  subject: string;
  notBefore: Date;
  notAfter: Date;
}

/** When a certificate begins and ends to be valid. */
export type Validity = Pick<Bundle, 'notBefore' | 'notAfter'>;

const DAY_MS = 24 * 3_600_000;
/** A certificate is renewed this long before it expires, or after half of its lifetime if that comes later. */
const RENEW_BEFORE_MS = 60 * DAY_MS;
/** A renewal takes minutes; one that has been due for this long, or for half of the time to the end, does not happen. */
const LATE_MS = 7 * DAY_MS;

/** @returns the time before its end, in ms, at which a certificate that renews itself must be renewed */
export function dueBefore({ notBefore, notAfter }: Validity): number {
  return Math.min(RENEW_BEFORE_MS, (notAfter.getTime() - notBefore.getTime()) / 2);
}

/** True if a certificate that renews itself should have done so by now and has not. */
export function isRenewalLate(validity: Validity, now: Date): boolean {
  const due = dueBefore(validity);
  return validity.notAfter.getTime() - now.getTime() < due - Math.min(LATE_MS, due / 2);
}

/** A bundle that may be used to sign in, because its dates are valid too. */
export type CheckedCertificate = Bundle;

/** Entra accepts RSA keys from 2048 bits: https://learn.microsoft.com/entra/identity-platform/howto-create-self-signed-certificate */
const MINIMUM_BITS = 2048;

const HOW_TO_MAKE_A_BUNDLE =
  'The bundle is a single text: the certificate (-----BEGIN CERTIFICATE-----) and its unencrypted PKCS#8 key (-----BEGIN PRIVATE KEY-----), in any order. A .pfx becomes one with: openssl pkcs12 -in app.pfx -nodes -out app.pem';

/**
 * Reads a PEM bundle and checks everything that can be checked without Entra ID.
 * @throws MonitorError `certificate-expired`, `certificate-not-yet-valid`, and those of `readBundle`
 */
export function checkCertificate(pem: string, now: Date, source: string): CheckedCertificate {
  const bundle = readBundle(pem, now, source);
  const { notBefore, notAfter } = bundle;
  const name = `The certificate ${quote(bundle.subject)} in ${source}`;
  if (now > notAfter) {
    throw new MonitorError(
      'certificate-expired',
      `${name} expired on ${day(notAfter)}; replace it.`,
      'Create a new certificate, upload its public part to the app registration (Certificates & secrets), and replace the old certificate and key.',
    );
  }
  if (now < notBefore) {
    throw new MonitorError(
      'certificate-not-yet-valid',
      `${name} is not valid before ${notBefore.toISOString()}; it is ${now.toISOString()} now.`,
      'Check the clocks of this machine and of the one that created the certificate; otherwise wait, or use the certificate that is still valid.',
    );
  }
  return bundle;
}

/**
 * Reads a PEM bundle whose certificate may have expired.
 *
 * Certificate and key may be in any order, with any text between them, or texts of a JSON document. Among several
 * certificates the one that belongs to the key is used, and among several of these (renewed with the same key) the
 * valid one that expires last. A PKCS#1 key ("RSA PRIVATE KEY", as of `openssl genrsa -traditional`) is converted.
 *
 * @param source where the bundle came from, for the errors
 * @throws MonitorError `certificate-missing-in-bundle`, `certificate-unreadable`, `key-missing-in-bundle`,
 *   `key-unreadable`, `key-encrypted`, `key-ambiguous`, `key-not-rsa`, `key-too-short`, `key-of-another-certificate`.
 *   None ever holds a part of the key.
 */
export function readBundle(pem: string, now: Date, source: string): Bundle {
  const blocks = pemBlocks(pem, source);
  const certificates = blocks
    .filter(({ label }) => label === 'CERTIFICATE')
    .map((block) => readCertificate(block, source));
  if (certificates.length === 0) {
    throw new MonitorError(
      'certificate-missing-in-bundle',
      blocks.length > 0
        ? `There is no certificate in ${source}, only: ${blocks.map(({ label }) => quote(label)).join(', ')}.`
        : `There is no certificate in ${source}: ${resembles(pem)}.`,
      HOW_TO_MAKE_A_BUNDLE,
    );
  }

  const key = readKey(blocks, source);
  const ours = certificates
    .filter((certificate) => certificate.checkPrivateKey(key))
    .toSorted((a, b) => rank(b, now) - rank(a, now))[0];
  if (!ours) {
    throw new MonitorError(
      'key-of-another-certificate',
      `The key in ${source} does not belong to ${certificates.length === 1 ? 'the certificate' : 'any certificate'} in it (${certificates.map((certificate) => quote(subjectOf(certificate))).join(', ')}).`,
      'Combine the certificate with the key that it was created with. After a renewal with a new key, both must be replaced.',
    );
  }

  return {
    certificatePem: ours.toString(),
    privateKeyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    thumbprintSha256: ours.fingerprint256.replaceAll(':', '').toLowerCase(),
    thumbprintSha1: ours.fingerprint.replaceAll(':', ''),
    bits: key.asymmetricKeyDetails?.modulusLength ?? 0,
    subject: subjectOf(ours),
    notBefore: ours.validFromDate,
    notAfter: ours.validToDate,
  };
}

/** For people: `9 Jan 2026` (UTC). */
export function day(date: Date): string {
  const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][
    date.getUTCMonth()
  ];
  return `${date.getUTCDate()} ${month} ${date.getUTCFullYear()}`;
}

interface Block {
  /** As in `-----BEGIN <label>-----`. */
  label: string;
  text: string;
}

function pemBlocks(pem: string, source: string): Block[] {
  const text = unwrapped(pem);
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([^]*?)-----END \1-----/g)].map(
    ([, label = '', body = '']) => ({ label, text: rewritten(label, body) }),
  );
  const begun = text.match(/-----BEGIN [A-Z0-9 ]+-----/g)?.length ?? 0;
  if (begun !== blocks.length) {
    throw new MonitorError(
      'certificate-unreadable',
      `A block in ${source} begins but does not end: the bundle was truncated, or pasted without one of its lines.`,
      HOW_TO_MAKE_A_BUNDLE,
    );
  }
  return blocks;
}

/** The texts of a JSON document (a secret with several values, an answer of the AWS CLI), joined by line breaks. */
function unwrapped(pem: string): string {
  if (!/^\s*[{["]/.test(pem)) return pem;
  try {
    return textsIn(JSON.parse(pem)).join('\n');
  } catch {
    return pem;
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [unwrapped(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/**
 * Rewrites a block in lines of 64 characters, which OpenSSL reads. It may be indented, on one line, with blank lines,
 * with old Mac line breaks or with literal \n. A block that holds anything else is left as it is.
 */
function rewritten(label: string, body: string): string {
  const lines = body.split(/\r\n|[\r\n]|(?:\\r)?\\n/).map((line) => line.trim());
  const headers = lines.filter((line) => /^[\w-]+: /.test(line));
  const content = lines
    .filter((line) => !headers.includes(line))
    .join('')
    .replace(/\s+/g, '');
  const isPlain = /^[A-Za-z0-9+/]+={0,2}$/.test(content);
  const between = isPlain
    ? [...headers, ...(headers.length > 0 ? [''] : []), ...(content.match(/.{1,64}/g) ?? [])].join('\n')
    : body;
  return `-----BEGIN ${label}-----\n${between}\n-----END ${label}-----\n`;
}

/** What a text without a block looks like, as a clause that begins with "it". */
function resembles(pem: string): string {
  const text = pem.trim();
  if (text === '') return 'it is empty';
  if (text.startsWith('LS0tLS1CRUdJTi'))
    return 'it is a PEM text in base64, to be decoded first (base64 --decode)';
  if (text.includes('\0BEGIN') || text.includes('\0B\0E\0G\0I\0N')) {
    return 'it is UTF-16 without a byte order mark, to be saved as UTF-8';
  }
  if (/BEGIN [A-Z0-9 ]*(CERTIFICATE|KEY)/i.test(text)) {
    return 'its first and last lines are not as they must be, with five hyphens on either side (an editor may have made dashes of them)';
  }
  if (/^[A-Za-z0-9+/=\s]{200,}$/.test(text))
    return 'it is base64 without the lines of BEGIN and END around it';
  if (/[\0\uFFFD]/.test(text)) return 'it is binary, like a .pfx or a .cer';
  return 'it has no line -----BEGIN CERTIFICATE-----';
}

/** The first character of a block that PEM does not have, as a clause; else ''. Nothing else of a key is shown. */
function foreignIn({ text }: Block): string {
  const [, body = ''] = /^[^\n]*\n([^]*)\n[^\n]*\n$/.exec(text) ?? [];
  const [foreign] = body.replace(/^[\w-]+: .*$/gm, '').match(/[^A-Za-z0-9+/=\s]/u) ?? [];
  return foreign === undefined ? '' : ` It has a character that does not belong there: ${quote(foreign)}.`;
}

function readCertificate(block: Block, source: string): X509Certificate {
  try {
    return new X509Certificate(block.text);
  } catch {
    // OpenSSL's own error ("asn1 wrong tag") helps nobody and is left out.
    throw new MonitorError(
      'certificate-unreadable',
      `A certificate in ${source} cannot be read: its content is not that of a PEM certificate.${foreignIn(block)}`,
      `Copy all of it again. ${HOW_TO_MAKE_A_BUNDLE}`,
    );
  }
}

function readKey(blocks: Block[], source: string): KeyObject {
  const keys = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  const [block] = keys;
  if (!block) {
    throw new MonitorError(
      'key-missing-in-bundle',
      `There is no private key in ${source}.`,
      HOW_TO_MAKE_A_BUNDLE,
    );
  }
  if (keys.length > 1) {
    throw new MonitorError(
      'key-ambiguous',
      `There are ${keys.length} private keys in ${source}, so it is not clear which to sign in with.`,
      'Keep the certificate to sign in with and its key, and remove the others.',
    );
  }
  // PKCS#1 keys are encrypted under their usual label, with a header that says so.
  if (block.label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type:.*ENCRYPTED/m.test(block.text)) {
    throw new MonitorError(
      'key-encrypted',
      `The private key in ${source} is encrypted, and nobody can enter its password.`,
      'Decrypt it with: openssl pkcs8 -topk8 -nocrypt -in encrypted.pem. The secret store encrypts it anyway.',
    );
  }
  const key = parseKey(block, source);
  if (key.asymmetricKeyType !== 'rsa') {
    throw new MonitorError(
      'key-not-rsa',
      `The private key in ${source} is of the type ${quote(key.asymmetricKeyType)}; Entra ID accepts only RSA keys.`,
      `Make a certificate with an RSA key of at least ${MINIMUM_BITS} bits.`,
    );
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < MINIMUM_BITS) {
    throw new MonitorError(
      'key-too-short',
      `The RSA key in ${source} has ${bits} bits; Entra ID requires at least ${MINIMUM_BITS}.`,
      `Make a certificate with an RSA key of at least ${MINIMUM_BITS} bits.`,
    );
  }
  return key;
}

function parseKey(block: Block, source: string): KeyObject {
  try {
    return createPrivateKey(block.text);
  } catch {
    throw new MonitorError(
      'key-unreadable',
      `The private key in ${source} cannot be read: its content is not that of a PEM key.${foreignIn(block)}`,
      block.label === 'OPENSSH PRIVATE KEY'
        ? 'It is a key of OpenSSH: convert it with ssh-keygen -p -m PKCS8 -N "" -f <a copy of it>.'
        : `Copy all of it again. ${HOW_TO_MAKE_A_BUNDLE}`,
    );
  }
}

/** Valid ones first, then those that are valid longest. */
function rank(certificate: X509Certificate, now: Date): number {
  const valid = certificate.validFromDate <= now && now <= certificate.validToDate;
  return certificate.validToDate.getTime() + (valid ? Number.MAX_SAFE_INTEGER / 2 : 0);
}

function subjectOf(certificate: X509Certificate): string {
  return certificate.subject.split('\n').join(', ');
}
