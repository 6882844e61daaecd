import type { Tenant } from '../config.ts';

/** By the host of Graph: https://learn.microsoft.com/en-us/defender-xdr/usgov */
const PORTALS: Record<string, string> = {
  'graph.microsoft.us': 'https://security.microsoft.us',
  'dod-graph.microsoft.us': 'https://security.apps.mil',
};

/** Secure Score of a tenant in the Defender portal of its cloud; without a tenant, that of whoever signs in. */
export function portalOf({ tenantId, cloud }: Partial<Pick<Tenant, 'tenantId' | 'cloud'>>): string {
  const host = URL.parse(cloud?.graphEndpoint ?? '')?.host ?? '';
  const address = `${PORTALS[host] ?? 'https://security.microsoft.com'}/securescore`;
  return tenantId === undefined ? address : `${address}?tid=${encodeURIComponent(tenantId)}`;
}
