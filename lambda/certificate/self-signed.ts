// @peculiar/x509 must be loaded after it, which is imported only for its effect.
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

const DAY = 86_400_000;
const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]) };

export interface CertificateOptions {
  commonName: string;
  /** How long it is valid, in days from `notBefore`. */
  days: number;
  notBefore: Date;
  /** Length of the RSA key in bits; 2048 where absent. */
  bits?: number;
  /** Names and addresses that a TLS server answers to; a certificate that signs needs none. */
  altNames?: { dns?: string[]; ip?: string[] };
}

export interface KeyPair {
  /** PEM. */
  certificate: string;
  /** PEM, PKCS#8, not encrypted. */
  privateKey: string;
}

/** Makes an RSA key and a certificate for it that it signs itself (SHA-256). */
export async function createCertificate(options: CertificateOptions): Promise<KeyPair> {
  const { commonName, days, notBefore, bits = 2048, altNames } = options;
  const keys = await crypto.subtle.generateKey({ ...ALGORITHM, modulusLength: bits }, true, [
    'sign',
    'verify',
  ]);
  const extensions: x509.Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    // These distinguish two certificates that have the same name and are trusted side by side.
    await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
  ];
  if (altNames) {
    extensions.push(
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...(altNames.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
        ...(altNames.ip ?? []).map((value) => ({ type: 'ip' as const, value })),
      ]),
    );
  }
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [commonName] }],
      notBefore,
      notAfter: new Date(notBefore.getTime() + days * DAY),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions,
    },
    crypto,
  );
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: `${certificate.toString('pem')}\n`,
    privateKey: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
  };
}
