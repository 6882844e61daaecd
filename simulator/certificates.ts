import {
  createCertificate as create,
  type CertificateOptions,
  type KeyPair,
} from '../lambda/certificate/self-signed.ts';
import { machineClock } from '../lambda/clock.ts';

export type { KeyPair };

/** @param options.notBefore now, where absent */
export function createCertificate(
  options: Omit<CertificateOptions, 'notBefore'> & { notBefore?: Date },
): Promise<KeyPair> {
  return create({ notBefore: machineClock.now(), ...options });
}

/** A certificate for localhost and 127.0.0.1. It is valid whatever the clock shows, because TLS is not what is practised here. */
export function createServerCertificate(): Promise<KeyPair> {
  return createCertificate({
    commonName: 'localhost',
    notBefore: new Date('2000-01-01T00:00:00Z'),
    days: 100 * 365,
    altNames: { dns: ['localhost'], ip: ['127.0.0.1'] },
  });
}
