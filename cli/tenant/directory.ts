import { domainToASCII } from 'node:url';
import * as z from '../../lambda/zod.ts';
import { deadlineIn, machineClock } from '../../lambda/clock.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { exchange, excerpt } from '../../lambda/graph/exchange.ts';
import { LIMITS, patience, retryAfterOf, Setback } from '../../lambda/graph/patience.ts';
import { idIn } from '../shared/tenant-id.ts';

/** Where apps sign in, and Graph. */
interface Cloud {
  authorityHost: string;
  graphEndpoint: string;
}

/** A tenant as Entra ID describes it to anybody. */
export interface FoundTenant {
  tenantId: string;
  /** The cloud it lives in, by its name in the config. */
  cloud: 'global' | 'usgov' | 'dod';
}

/** ms: somebody waits. */
const PATIENCE_MS = 30_000;

const GUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const IS_DOMAIN = /^(?=.{1,253}$)(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z\d](?:[a-z\d-]{0,61}[a-z\d])$/;

/** The part that is used of https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#fetch-the-openid-configuration-document */
const openIdConfiguration = z.looseObject({
  issuer: z.string(),
  tenant_region_sub_scope: z.nullish(z.string()),
  msgraph_host: z.nullish(z.string()),
  cloud_instance_name: z.nullish(z.string()),
});

/**
 * A tenant's domain or id, as it is written everywhere else: lower case, an international domain in Punycode.
 * @throws MonitorError `domain-invalid`
 */
export function tenantOrDomain(text: string): { id: string } | { domain: string } {
  const value = text.trim();
  const id = idIn(value);
  if (id !== null) return { id };
  // Of an address it would take the host alone.
  const domain = /[/\\:?#@\s]/.test(value) ? '' : domainToASCII(value.toLowerCase());
  if (IS_DOMAIN.test(domain)) return { domain };
  throw new MonitorError(
    'domain-invalid',
    `${quote(text)} is neither a domain nor the id of a tenant.`,
    'Give a domain of the tenant like contoso.com or contoso.onmicrosoft.com, or its Directory (tenant) ID.',
  );
}

/**
 * Asks Entra ID which tenant a domain belongs to, and in which cloud it lives. Nobody signs in for that.
 * @param wanted domain or id
 * @throws MonitorError `tenant-unknown`, `cloud-unsupported`, `sign-in-unreachable`, `sign-in-malformed-answer`, …
 */
export async function findTenant(wanted: string, { authorityHost }: Cloud): Promise<FoundTenant> {
  const clock = machineClock;
  const patiently = patience({ ...LIMITS, attempts: 4 }, deadlineIn(clock, PATIENCE_MS), clock);
  const url = new URL(`${authorityHost}/${wanted}/v2.0/.well-known/openid-configuration`);
  const text = await patiently(async (timeout) => {
    const answer = await exchange(
      { code: 'sign-in', name: 'Entra ID' },
      url,
      {},
      { timeout, bytes: 2 ** 20 },
    );
    if (answer.status === 429 || answer.status >= 500) {
      const failure = new MonitorError(
        'sign-in-unavailable',
        `Entra ID failed: ${answer.status} from ${url.href}.`,
        'Try again in a few minutes.',
        { retryable: true },
      );
      throw new Setback('outage', failure, retryAfterOf(answer.headers, clock.now()));
    }
    return answer.text;
  });
  const { data } = openIdConfiguration.safeParse(jsonOf(text));
  const tenantId = new RegExp(`/(${GUID})(?:/|$)`, 'i').exec(data?.issuer ?? '')?.[1]?.toLowerCase();
  if (data && tenantId) return { tenantId, cloud: cloudOf(data, wanted) };
  if (/AADSTS(90002|900023)\b/.test(text)) {
    throw new MonitorError(
      'tenant-unknown',
      `No tenant at ${authorityHost} has the domain or id ${quote(wanted)}.`,
      'Check its spelling; the Entra admin center lists the domains of a tenant under "Custom domain names".',
    );
  }
  throw new MonitorError(
    'sign-in-malformed-answer',
    `${url.href} answered with something that describes no tenant: ${excerpt(text)}.`,
    'Check --cloud, and whether a proxy answers instead of Microsoft.',
  );
}

/** Entra's public address answers for the clouds of the US government as well, and shows which one it is. */
function cloudOf(
  {
    tenant_region_sub_scope: scope,
    msgraph_host: host,
    cloud_instance_name: instance,
  }: z.infer<typeof openIdConfiguration>,
  wanted: string,
): FoundTenant['cloud'] {
  if (scope === 'DOD' || host === 'dod-graph.microsoft.us') return 'dod';
  if (scope === 'DODCON' || host === 'graph.microsoft.us') return 'usgov';
  if (!instance?.endsWith('.cn')) return 'global';
  throw new MonitorError(
    'cloud-unsupported',
    `The tenant ${quote(wanted)} lives in the cloud operated by 21Vianet in China.`,
    'Microsoft offers no Secure Score API there: https://learn.microsoft.com/graph/deployments',
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Where an administrator of the tenant consents to all that the app registration asks for:
 * https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent#construct-the-url-for-granting-tenant-wide-admin-consent
 */
export function consentAddress(tenant: { tenantId: string; clientId: string; cloud: Cloud }): string {
  return `${tenant.cloud.authorityHost}/${tenant.tenantId}/adminconsent?client_id=${tenant.clientId}`;
}
