import { setTimeout as sleep } from 'node:timers/promises';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Clock } from '../ports.ts';
import { proxyAgents } from '../proxy.ts';
import { graphKeys } from './app-keys.ts';
import type { RotationPorts } from './ports.ts';
import { secretCertificate } from './secret-certificate.ts';

/**
 * The ports that only a renewal has, with certificates in Secrets Manager.
 * @param options.defaultSecret of the tenants without one of their own
 */
export function renewalPorts(options: {
  clock: Clock;
  defaultSecret: string;
}): Pick<RotationPorts, 'certificates' | 'keys' | 'create' | 'pause'> {
  const client = new SecretsManagerClient({ requestHandler: proxyAgents() });
  return {
    certificates: (secret = options.defaultSecret) => secretCertificate(secret, client),
    keys: graphKeys({ clock: options.clock }),
    // Not before it is needed: what makes certificates takes its time to load.
    create: async (certificate) =>
      (await import('../certificate/self-signed.ts')).createCertificate(certificate),
    pause: (ms) => sleep(ms),
  };
}
