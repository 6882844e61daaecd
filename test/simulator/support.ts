import { createSign, constants, randomUUID, sign, X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { ConfidentialClientApplication, type AuthenticationResult } from '@azure/msal-node';
import type { KeyPair } from '../../simulator/certificates.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../simulator/server.ts';
import type { WireProfile, WireSecureScore } from '../../simulator/wire.ts';

export const TENANT = '7e57ab1e-0000-4000-8000-00000000c0de';
export const CLIENT = 'c11e47aa-1111-4111-8111-0000000000aa';

/** A simulator that this process trusts, as NODE_EXTRA_CA_CERTS would make it. */
export async function trusted(options: SimulatorOptions): Promise<Simulator> {
  const simulator = await startSimulator(options);
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), simulator.ca]);
  return simulator;
}

const thumbprintOf = (certificate: string): string =>
  new X509Certificate(certificate).fingerprint256.replaceAll(':', '');

/** Signs in with the real msal-node, without its cache. */
export async function signIn(
  simulator: Simulator,
  keys: KeyPair,
  { tenant = TENANT, client = CLIENT } = {},
): Promise<AuthenticationResult> {
  const app = new ConfidentialClientApplication({
    auth: {
      clientId: client,
      authority: `${simulator.authorityHost}/${tenant}`,
      knownAuthorities: [new URL(simulator.authorityHost).host],
      clientCertificate: { thumbprintSha256: thumbprintOf(keys.certificate), privateKey: keys.privateKey },
    },
  });
  const result = await app.acquireTokenByClientCredential({
    scopes: [`${simulator.graphEndpoint}/.default`],
  });
  if (!result) throw new Error('msal answered nothing');
  return result;
}

export interface Page<T> {
  '@odata.context': string;
  '@odata.nextLink'?: string;
  value: T[];
}

/** Asks Graph, with a token. `path` may be a complete address. */
export async function ask(
  simulator: Simulator,
  path: string,
  token: string,
  options: { method?: string; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(new URL(path, `${simulator.graphEndpoint}/v1.0/security/`), {
    ...options,
    headers: { authorization: `Bearer ${token}` },
  });
}

export const scores = async (
  simulator: Simulator,
  query: string,
  token: string,
): Promise<Page<WireSecureScore>> =>
  (await ask(simulator, `secureScores${query}`, token)).json() as Promise<Page<WireSecureScore>>;

export const profiles = async (
  simulator: Simulator,
  query: string,
  token: string,
): Promise<Page<WireProfile>> =>
  (await ask(simulator, `secureScoreControlProfiles${query}`, token)).json() as Promise<Page<WireProfile>>;

export interface Assertion {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  /** PEM. */
  key: string;
}

/** What msal-node would send, for a test to spoil. */
export function goodAssertion(simulator: Simulator, keys: KeyPair): Assertion {
  const now = Math.floor(Date.now() / 1000);
  return {
    header: {
      alg: 'PS256',
      typ: 'JWT',
      'x5t#S256': Buffer.from(thumbprintOf(keys.certificate), 'hex').toString('base64url'),
    },
    claims: {
      aud: `${simulator.authorityHost}/${TENANT}/oauth2/v2.0/token`,
      iss: CLIENT,
      sub: CLIENT,
      jti: randomUUID(),
      nbf: now,
      exp: now + 600,
    },
    key: keys.privateKey,
  };
}

/** Posts the assertion to the token endpoint. */
export async function post(
  simulator: Simulator,
  { header, claims, key }: Assertion,
  form: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part(header)}.${part(claims)}`;
  const signature =
    header['alg'] === 'PS256'
      ? sign('sha256', Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })
      : createSign('RSA-SHA256').update(text).sign(key);
  const response = await fetch(`${simulator.authorityHost}/${TENANT}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: CLIENT,
      scope: `${simulator.graphEndpoint}/.default`,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: `${text}.${signature.toString('base64url')}`,
      ...form,
    }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
