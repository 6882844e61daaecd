import { STSClient } from '@aws-sdk/client-sts';
import type { Tenant } from '../../../lambda/config.ts';
import { MonitorError } from '../../../lambda/errors.ts';
import {
  audienceOf,
  claimsOf,
  federatedCredential,
  isAudienceDocumented,
  stsWebIdentity,
} from '../../../lambda/graph/web-identity.ts';
import { count } from '../../../lambda/report/format.ts';
import { PATIENCE } from '../../shared/aws.ts';
import type { Outcome } from './examination.ts';

/** What Entra ID must trust, so that an app signs in federated. */
export interface Federation {
  /** Whether whoever runs the doctor is whom Entra ID must trust: then the sign-in itself can be tried. */
  isOwn: boolean;
}

export const webIdentityHere = () => stsWebIdentity(new STSClient(PATIENCE));

/** Tenants by app and audience: each of these needs a federated credential of its own. */
export function byFederation(tenants: Tenant[]): Map<string, Tenant[]> {
  return Map.groupBy(tenants, federationOf);
}

export const federationOf = ({ clientId, cloud }: Tenant): string => `${clientId} ${audienceOf(cloud)}`;

/**
 * Checks that AWS issues tokens, and reports what the app's federated credential must hold.
 * @param tenants of one app and audience
 * @param role ARN that the deployment signs in as; null: whoever runs this does
 * @throws MonitorError those of `WebIdentity`
 */
export async function federationCheck(tenants: Tenant[], role: string | null): Promise<Outcome<Federation>> {
  const [{ clientId, tenantId, homeTenantId, cloud }] = tenants as [Tenant];
  const audience = audienceOf(cloud);
  const own = await ownClaims(audience, role);
  const subject = role ?? own?.subject;
  const head = `the app ${clientId} of ${count(tenants.length, 'tenant')}: issuer ${own?.issuer ?? 'unknown'}, subject ${subject ?? 'unknown'}, audience ${audience}`;
  const notes = isAudienceDocumented(cloud)
    ? ''
    : `. Microsoft documents no audience for ${cloud.authorityHost}: the global one is asked for`;
  const isOwn = own !== null && own.subject === subject;
  if (!own || subject === undefined) {
    return {
      found: head + notes,
      value: { isOwn },
      warning:
        'Whoever runs this may not get a token (sts:GetWebIdentityToken), which would show the issuer. This shows it:\n  aws iam get-outbound-web-identity-federation-info',
    };
  }
  const { az, powershell } = federatedCredential({ clientId }, { issuer: own.issuer, subject, audience });
  const place = `An admin of the tenant ${homeTenantId ?? tenantId} creates the federated credential once${cloudOf(cloud)}, by az or by PowerShell (Microsoft.Graph):`;
  return { found: `${head}${notes}.\n${place}\n  ${az}\n  ${powershell}`, value: { isOwn } };
}

/** @returns null where whoever runs this may not get a token, and need not: the function does */
async function ownClaims(audience: string, role: string | null) {
  try {
    return claimsOf(await webIdentityHere()(audience));
  } catch (error) {
    if (role !== null && error instanceof MonitorError && error.code === 'federation-denied') return null;
    throw error;
  }
}

/** Where the commands of an admin go, if that is not the global cloud. */
function cloudOf({ authorityHost, graphEndpoint }: Tenant['cloud']): string {
  if (!authorityHost.endsWith('.us')) return '';
  const environment = graphEndpoint.includes('dod') ? 'USGovDoD' : 'USGov';
  return ` (az cloud set --name AzureUSGovernment; Connect-MgGraph -Environment ${environment})`;
}
