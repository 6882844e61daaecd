import * as z from '../zod.ts';
import { MonitorError, quote } from '../errors.ts';
import type { AppIn } from './sign-in-errors.ts';

/** Either lets an app read scores and profiles: https://learn.microsoft.com/graph/api/security-list-securescores#permissions */
const SUFFICIENT = ['SecurityEvents.Read.All', 'SecurityEvents.ReadWrite.All'];

const claims = z.looseObject({ roles: z.nullish(z.array(z.string())) });

/**
 * Looks for the permission in an access token, so that a missing one is reported at once and by name. Access tokens are
 * opaque to clients and need not be readable: Graph decides about one that is not.
 * @throws MonitorError `permission-missing`
 */
export function checkRoles(token: string, tenant: AppIn): void {
  const parsed = claims.safeParse(payloadOf(token));
  if (!parsed.success) return;
  const roles = parsed.data.roles ?? [];
  if (!SUFFICIENT.some((role) => roles.includes(role))) throw permissionMissing(tenant, roles);
}

/** @param roles what the token does carry; undefined where that is not known */
export function permissionMissing(tenant: AppIn, roles?: string[]): MonitorError {
  const has =
    roles && (roles.length > 0 ? `; it has ${quote(roles.join(', '), 300)}` : '; it has none at all');
  return new MonitorError(
    'permission-missing',
    `The app ${tenant.clientId} may not read the Secure Score of the tenant ${tenant.tenantId}: it lacks the application permission SecurityEvents.Read.All${has ?? ''}.`,
    'Add it to the app registration (API permissions, Microsoft Graph, Application permissions), then let an admin of the tenant grant consent ("Grant admin consent"). A delegated permission of the same name is not enough.',
  );
}

function payloadOf(token: string): unknown {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    return JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
