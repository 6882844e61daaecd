import { randomUUID } from 'node:crypto';
import type { Reply } from './http.ts';

/** The facts that the text of an error contains. */
export interface ErrorFacts {
  tenant?: string;
  clientId?: string;
  thumbprint?: string;
  detail?: string;
}

interface ErrorKind {
  status: number;
  error: string;
  text: (facts: Required<ErrorFacts>) => string;
}

const kind = (status: number, error: string, text: ErrorKind['text']): ErrorKind => ({ status, error, text });

/** Numbers and meanings: https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes */
const KINDS: Record<number, ErrorKind> = {
  50012: kind(401, 'invalid_client', ({ detail }) => `Authentication failed. ${detail}`),
  50027: kind(401, 'invalid_client', ({ detail }) => `JWT token is invalid or malformed. ${detail}`),
  50048: kind(401, 'invalid_client', () => 'Subject must match the issuer claim in the client assertion.'),
  53003: kind(
    400,
    'invalid_grant',
    () =>
      'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
  ),
  70003: kind(
    400,
    'unsupported_grant_type',
    ({ detail }) => `The app requested an unsupported grant type '${detail}'.`,
  ),
  70011: kind(
    400,
    'invalid_scope',
    ({ detail }) =>
      `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${detail} is not valid.`,
  ),
  50166: kind(400, 'invalid_request', () => 'Request to External OIDC endpoint failed.'),
  70021: kind(
    400,
    'invalid_request',
    () => 'No matching federated identity record found for presented assertion.',
  ),
  700211: kind(
    401,
    'invalid_client',
    ({ detail }) => `No matching federated identity record found for presented assertion issuer '${detail}'.`,
  ),
  700212: kind(
    401,
    'invalid_client',
    ({ detail }) =>
      `No matching federated identity record found for presented assertion audience '${detail}'.`,
  ),
  700213: kind(
    401,
    'invalid_client',
    ({ detail }) =>
      `No matching federated identity record found for presented assertion subject '${detail}'.`,
  ),
  90002: kind(
    400,
    'invalid_request',
    ({ tenant }) =>
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  ),
  530032: kind(
    400,
    'invalid_grant',
    () =>
      'Blocked by security policy. The tenant admin has configured a security policy that blocks this request.',
  ),
  700016: kind(
    400,
    'unauthorized_client',
    ({ clientId, tenant }) =>
      `Application with identifier '${clientId}' was not found in the directory '${tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
  ),
  700021: kind(
    401,
    'invalid_client',
    () => "Client assertion application identifier doesn't match 'client_id' parameter.",
  ),
  700023: kind(
    401,
    'invalid_client',
    ({ detail }) => `Client assertion audience claim does not match Realm issuer. ${detail}`,
  ),
  700024: kind(
    401,
    'invalid_client',
    ({ detail }) => `Client assertion is not within its valid time range. ${detail}`,
  ),
  700027: kind(
    401,
    'invalid_client',
    ({ thumbprint, clientId, detail }) =>
      `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - ${detail}, Thumbprint of key used by client: '${thumbprint}', Configured keys: [], for app '${clientId}'].`,
  ),
  900023: kind(
    400,
    'invalid_request',
    ({ tenant }) =>
      `Specified tenant identifier '${tenant}' is neither a valid DNS name, nor a valid external domain.`,
  ),
  900144: kind(
    400,
    'invalid_request',
    ({ detail }) => `The request body must contain the following parameter: '${detail}'.`,
  ),
  1000502: kind(
    401,
    'invalid_client',
    ({ thumbprint }) =>
      `The provided certificate is not within its specified validity time range. Thumbprint: '${thumbprint}'.`,
  ),
  7000112: kind(400, 'unauthorized_client', ({ clientId }) => `Application '${clientId}' is disabled.`),
  7000229: kind(
    401,
    'invalid_client',
    ({ clientId, tenant }) =>
      `The client application ${clientId} is missing service principal in the tenant ${tenant}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119`,
  ),
  7000214: kind(
    401,
    'invalid_client',
    ({ thumbprint }) => `Certificate has been revoked. Thumbprint: '${thumbprint}'.`,
  ),
  7000216: kind(
    401,
    'invalid_client',
    () =>
      "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
  ),
  7000274: kind(
    401,
    'invalid_client',
    ({ thumbprint }) => `The certificate used for authentication has expired. Thumbprint: '${thumbprint}'.`,
  ),
  7000277: kind(
    401,
    'invalid_client',
    ({ thumbprint }) =>
      `The certificate chain could not be validated: a certificate in it has been revoked. Thumbprint: '${thumbprint}'.`,
  ),
};

/** The answer of Entra's token endpoint to a request that fails. @param now the time by Entra's clock */
export function aadstsError(code: number, facts: ErrorFacts, now: Date): Reply {
  const { status, error, text } = KINDS[code] ?? kind(400, 'invalid_request', () => 'The request failed.');
  const all = { tenant: 'unknown', clientId: 'unknown', thumbprint: 'unknown', detail: '', ...facts };
  const timestamp = now.toISOString().replace(/^(.*)T(.*)\.\d+Z$/, '$1 $2Z');
  const traceId = randomUUID();
  const correlationId = randomUUID();
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${code}: ${text(all).trim()} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
      error_codes: [code],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
      error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    },
  };
}
