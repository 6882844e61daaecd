import {
  constants,
  createPublicKey,
  createVerify,
  verify,
  X509Certificate,
  type JsonWebKey,
} from 'node:crypto';
import { aadstsError, type ErrorFacts } from './aadsts.ts';
import type { App } from './app.ts';
import type { Handled, Incoming, Reply } from './http.ts';
import { keysOf } from './keys.ts';
import type { Tokens } from './tokens.ts';

export interface EntraOptions {
  authorityHost: string;
  graphEndpoint: string;
  tokens: Tokens;
  /** By `<tenant>/<client>`, lower case. */
  apps: ReadonlyMap<string, App>;
  tenantExists: (tenantId: string) => boolean;
  /** Ids of tenants by their domains, lower case. */
  domains: ReadonlyMap<string, string>;
  /** Seconds that a token lives. */
  tokenLifetime: () => number;
  now: () => Date;
}

/** The maximum difference between the clocks, in seconds. */
const SKEW = 300;

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Answers the requests that Graph does not: for the discovery document and the token endpoint of a tenant. */
export async function handleEntra(options: EntraOptions, incoming: Incoming): Promise<Handled> {
  const [, tenant = '', rest = ''] =
    /^\/([^/]+)\/(.*)$/.exec(decodeURIComponent(incoming.url.pathname)) ?? [];
  const tenantId = tenant.toLowerCase();
  if (incoming.method === 'GET' && rest === 'v2.0/.well-known/openid-configuration') {
    // Anybody may resolve a domain.
    const id = tenantId.includes('.') ? options.domains.get(tenantId) : tenant;
    const reply = id === undefined ? aadstsError(90002, { tenant }, options.now()) : discovery(options, id);
    return { endpoint: 'discovery', tenantId: id?.toLowerCase() ?? null, reply };
  }
  if (incoming.method === 'POST' && rest === 'oauth2/v2.0/token') {
    const reply = await token(options, tenant, new URLSearchParams(incoming.body));
    return { endpoint: 'token', tenantId, reply };
  }
  return { endpoint: null, tenantId: null, reply: { status: 404, body: '' } };
}

/**
 * Any id gets a document, even one that does not exist. The real Entra answers an unknown id with AADSTS90002 here too,
 * but MSAL brings the documents of Microsoft's own hosts and never asks for them, so that an operator with a wrong
 * tenant id meets the error of the token endpoint, as here. (The strict answer is a fault away.)
 */
function discovery({ authorityHost, graphEndpoint }: EntraOptions, tenant: string): Reply {
  const root = `${authorityHost}/${tenant}`;
  return {
    status: 200,
    body: {
      token_endpoint: `${root}/oauth2/v2.0/token`,
      token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
      jwks_uri: `${root}/discovery/v2.0/keys`,
      response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
      issuer: `${root}/v2.0`,
      authorization_endpoint: `${root}/oauth2/v2.0/authorize`,
      end_session_endpoint: `${root}/oauth2/v2.0/logout`,
      tenant_region_scope: 'EU',
      cloud_instance_name: new URL(authorityHost).hostname,
      msgraph_host: new URL(graphEndpoint).host,
    },
  };
}

async function token(options: EntraOptions, tenant: string, form: URLSearchParams): Promise<Reply> {
  const now = options.now();
  const tenantId = tenant.toLowerCase();
  const clientId = (form.get('client_id') ?? '').toLowerCase();
  const fail = (code: number, facts: ErrorFacts = {}): Reply =>
    aadstsError(code, { tenant, clientId, ...facts }, now);

  const missing = ['grant_type', 'client_id', 'scope'].find((name) => !form.get(name));
  if (missing) return fail(900144, { detail: missing });
  const grantType = form.get('grant_type') ?? '';
  if (grantType !== 'client_credentials') return fail(70003, { detail: grantType });
  if (!isTenantName(tenantId)) return fail(900023);
  if (!options.tenantExists(tenantId)) return fail(90002);
  const app = options.apps.get(`${tenantId}/${clientId}`);
  if (!app?.consented) return fail(isKnownElsewhere(options, tenantId, clientId) ? 7000229 : 700016);
  if (!app.enabled) return fail(7000112);
  const scope = form.get('scope') ?? '';
  // MSAL adds the scopes of OpenID Connect to every request; Entra accepts and ignores them.
  const resources = scope.split(' ').filter((one) => !['openid', 'profile', 'offline_access'].includes(one));
  if (resources.length !== 1 || resources[0] !== `${options.graphEndpoint}/.default`) {
    return fail(70011, { detail: scope });
  }
  const assertion = form.get('client_assertion');
  if (!assertion || form.get('client_assertion_type') !== JWT_BEARER) return fail(7000216);
  const audience = `${options.authorityHost}/${tenantId}/oauth2/v2.0/token`;
  const issuer = decode(assertion.split('.')[1])?.['iss'];
  const problem =
    typeof issuer === 'string' && URL.canParse(issuer)
      ? await checkFederated(assertion, app, issuer, now)
      : checkAssertion(assertion, app, audience, now);
  if (problem) return fail(problem.code, problem);

  const lifetime = options.tokenLifetime();
  return {
    status: 200,
    body: {
      token_type: 'Bearer',
      expires_in: lifetime,
      ext_expires_in: lifetime,
      access_token: options.tokens.issue(app, lifetime),
    },
  };
}

/** Whether another tenant is the home of the app: a multi-tenant app that this tenant has not consented to. */
function isKnownElsewhere({ apps }: EntraOptions, tenantId: string, clientId: string): boolean {
  return [...apps.values()].some(
    (app) => app.clientId === clientId && app.registration.homeTenantId !== tenantId,
  );
}

interface AssertionProblem extends ErrorFacts {
  code: number;
}

/**
 * Checks a client assertion by https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials. It is
 * stricter than Entra in one point: it refuses RS256 and the SHA-1 thumbprint, which Entra still accepts.
 */
function checkAssertion(
  assertion: string,
  app: App,
  audience: string,
  now: Date,
): AssertionProblem | undefined {
  const parts = assertion.split('.');
  const header = decode(parts[0]);
  const claims = decode(parts[1]);
  if (parts.length !== 3 || !header || !claims) return { code: 50027, detail: 'It is not a signed JWT.' };
  if (header['alg'] !== 'PS256')
    return { code: 50027, detail: `Its 'alg' is '${String(header['alg'])}', not 'PS256'.` };
  if (typeof header['x5t#S256'] !== 'string') {
    return { code: 50027, detail: 'No certificate SHA-256 thumbprint is specified in its header.' };
  }
  const thumbprint = Buffer.from(header['x5t#S256'], 'base64url').toString('hex').toUpperCase();
  const certificate = keysOf(app, now)
    .map((key) => new X509Certificate(key.certificate))
    .find((one) => one.fingerprint256.replaceAll(':', '') === thumbprint);
  if (!certificate) return { code: 700027, thumbprint, detail: 'The key was not found' };
  if (now < certificate.validFromDate || now > certificate.validToDate) return { code: 1000502, thumbprint };
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`);
  const key = { key: certificate.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  if (!verify('sha256', signed, key, Buffer.from(parts[2] ?? '', 'base64url'))) {
    return {
      code: 700027,
      thumbprint,
      detail: 'The provided signature value did not match the expected signature value',
    };
  }
  if (String(claims['aud']).toLowerCase() !== audience.toLowerCase()) {
    return { code: 700023, detail: `Found '${String(claims['aud'])}', expected '${audience}'.` };
  }
  if (claims['iss'] !== claims['sub']) return { code: 50048 };
  if (String(claims['iss']).toLowerCase() !== app.clientId) return { code: 700021 };
  if (typeof claims['jti'] !== 'string' || !claims['jti']) return { code: 50027, detail: "It has no 'jti'." };
  const { nbf, exp } = claims;
  if (typeof nbf !== 'number' || typeof exp !== 'number')
    return { code: 50027, detail: "It lacks 'nbf' or 'exp'." };
  const seconds = now.getTime() / 1000;
  if (seconds + SKEW < nbf || seconds - SKEW > exp) {
    const iso = (time: number): string => new Date(time * 1000).toISOString();
    return {
      code: 700024,
      detail: `Current time: ${now.toISOString()}, assertion valid from ${iso(nbf)}, expiry time of assertion ${iso(exp)}.`,
    };
  }
  return undefined;
}

/**
 * Checks a token of another issuer by the app's federated credentials, and its signature by the keys that the issuer
 * publishes: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust
 */
async function checkFederated(
  assertion: string,
  app: App,
  issuer: string,
  now: Date,
): Promise<AssertionProblem | undefined> {
  const [header = '', payload = '', signature = ''] = assertion.split('.');
  const claims = decode(payload) ?? {};
  const { federated } = app.registration;
  if (federated.length === 0) return { code: 70021 };
  const ofIssuer = federated.filter((one) => one.issuer === issuer);
  if (ofIssuer.length === 0) return { code: 700211, detail: issuer };
  const ofSubject = ofIssuer.filter((one) => one.subject === claims['sub']);
  if (ofSubject.length === 0) return { code: 700213, detail: String(claims['sub']) };
  if (!ofSubject.some((one) => one.audience === claims['aud'])) {
    return { code: 700212, detail: String(claims['aud']) };
  }
  let keys: (JsonWebKey & { kid?: string })[];
  try {
    const read = async (url: string): Promise<unknown> => (await fetch(url)).json();
    const { jwks_uri: uri } = (await read(`${issuer}/.well-known/openid-configuration`)) as {
      jwks_uri: string;
    };
    ({ keys } = (await read(uri)) as { keys: typeof keys });
  } catch {
    return { code: 50166 };
  }
  const { alg, kid } = decode(header) ?? {};
  const key = keys.find((one) => one.kid === kid);
  const fits =
    alg === 'RS256' &&
    key !== undefined &&
    createVerify('RSA-SHA256')
      .update(`${header}.${payload}`)
      .verify(createPublicKey({ key, format: 'jwk' }), signature, 'base64url');
  if (!fits) return { code: 50027, detail: 'Its signature is not by a key of its issuer.' };
  const seconds = now.getTime() / 1000;
  const isInTime = seconds + SKEW >= Number(claims['nbf']) && seconds - SKEW <= Number(claims['exp']);
  return isInTime ? undefined : { code: 700024, detail: `Current time: ${now.toISOString()}.` };
}

/** A guid, or a domain name (which may or may not exist). */
function isTenantName(name: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name) || /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(name);
}

function decode(part: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
