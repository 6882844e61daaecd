import { setTimeout as sleep } from 'node:timers/promises';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Clock } from '../ports.ts';
import { proxyAgents } from '../proxy.ts';
import { graphKeys } from './app-keys.ts';
import type { RotationPorts } from './ports.ts';
import { secretCertificate } from './secret-certificate.ts';

/**
 * The ports that only a renewal needs, with certificates in Secrets Manager.
 * @param options.defaultSecret the secret of the tenants that have none of their own
 */
export function renewalPorts(options: {
  clock: Clock;
  defaultSecret: string;
}): Pick<RotationPorts, 'certificates' | 'keys' | 'create' | 'pause'> {
  const client = new SecretsManagerClient({ requestHandler: proxyAgents() });
  return {
    certificates: (secret = options.defaultSecret) => secretCertificate(secret, client),
    keys: graphKeys({ clock: options.clock }),
    // The library that makes certificates is loaded only when needed, because loading it is slow.
    create: async (certificate) =>
      (await import('../certificate/self-signed.ts')).createCertificate(certificate),
    pause: (ms) => sleep(ms),
  };
}
