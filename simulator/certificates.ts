import { createCertificate, type KeyPair } from '../cli/self-signed.ts';

export { createCertificate, type KeyPair };

/** A certificate for localhost and 127.0.0.1, good for a year. */
export function createServerCertificate(): Promise<KeyPair> {
  return createCertificate({
    commonName: 'localhost',
    days: 365,
    altNames: { dns: ['localhost'], ip: ['127.0.0.1'] },
  });
}
