import { dueBefore } from '../certificate/bundle.ts';
import { MonitorError } from '../errors.ts';
import type { Rotation } from './rotate.ts';
import { sharedSecrets } from './rotate.ts';
import { appsOf, bundleOf, factsOf, obstaclesOf, type Obstacle } from './renew.ts';

/** What a renewal would do. Dates are ISO 8601, thumbprints SHA-1 in hex, as the portal lists them. */
export interface Plan {
  secret: string;
  tenants: string[];
  certificate: { thumbprint: string; notAfter: string };
  /** The time from which it is renewed. */
  renewsFrom: string;
  /** Client ids of the apps that have proved that they can roll their keys. */
  proved: string[];
  obstacles: Obstacle[];
}

/**
 * Checks a renewal as far as possible without changing anything: the certificate can be read and is valid, the config has
 * everything that a renewal needs, and each app signs in to its home tenant and makes a proof that Graph accepts.
 * @throws MonitorError
 */
export async function planRotation({ tenants, ports }: Pick<Rotation, 'tenants' | 'ports'>): Promise<Plan[]> {
  const now = ports.clock.now();
  const plans: Plan[] = [];
  for (const shared of await sharedSecrets({ tenants, ports })) {
    const held = await shared.certificates.look();
    const current = bundleOf(held, now);
    const plan: Plan = {
      secret: held.name,
      tenants: shared.tenants.map(({ name }) => name),
      certificate: { thumbprint: current.thumbprintSha1, notAfter: current.notAfter.toISOString() },
      renewsFrom: new Date(current.notAfter.getTime() - dueBefore(current)).toISOString(),
      proved: [],
      obstacles: obstaclesOf(shared.tenants, current, now),
    };
    plans.push(plan);
    if (plan.obstacles.some(({ clientId }) => clientId === null)) continue;
    for (const app of appsOf(shared.tenants)) {
      try {
        await ports.keys.prove(app, current, ports.invocation.deadline);
        plan.proved.push(app.clientId);
      } catch (error) {
        if (!(error instanceof MonitorError)) throw error;
        const theirs = shared.tenants.filter(({ clientId }) => clientId === app.clientId);
        plan.obstacles.push({
          clientId: app.clientId,
          tenants: theirs.map(({ name }) => name),
          ...factsOf(error),
        });
      }
    }
  }
  return plans;
}
