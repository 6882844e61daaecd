import { createHash, createVerify, randomUUID, X509Certificate } from 'node:crypto';
import type { App, Key } from './app.ts';
import { graphError, tokenRefused } from './graph.ts';
import type { Endpoint, Handled, Incoming, Reply } from './http.ts';
import type { Tokens } from './tokens.ts';

export interface KeysOptions {
  graphEndpoint: string;
  tokens: Tokens;
  /** By `<tenant>/<client>`, lower case. */
  apps: ReadonlyMap<string, App>;
  now: () => Date;
}

/** The maximum difference between the clocks, in seconds. */
const SKEW = 300;

const PROOF_AUDIENCE = '00000002-0000-0000-c000-000000000000';
const PROOF_SECONDS = 600;

/** The id of a certificate that was uploaded by hand. */
export function uploadedKeyId(certificate: string): string {
  const hex = createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** All keys of an app that Entra knows by now: those uploaded by hand and those added by the app itself. */
export function keysOf(app: App, now: Date): Key[] {
  return [
    ...app.certificates.map((certificate) => ({
      keyId: uploadedKeyId(certificate),
      certificate,
      visibleFrom: new Date(0),
    })),
    ...app.registration.keys.filter(({ visibleFrom }) => visibleFrom <= now),
  ];
}

/**
 * Answers `POST /v1.0/applications/{objectId}/addKey` and `…/removeKey`, also with `applications(appId='…')`. An app
 * without any permission may roll its own keys, in its home tenant.
 * https://learn.microsoft.com/graph/api/application-addkey, https://learn.microsoft.com/graph/application-rollkey-prooftoken
 */
export function handleKeys(options: KeysOptions, incoming: Incoming): Handled {
  const now = options.now();
  const [, objectId, appId, action] =
    /^\/v1\.0\/applications(?:\/([0-9a-f-]{36})|\(appId='([0-9a-f-]{36})'\))\/(addKey|removeKey)$/i.exec(
      decodeURIComponent(incoming.url.pathname),
    ) ?? [];
  const endpoint = (action ?? null) as Endpoint | null;
  const fail = (status: number, code: string, message: string): Reply =>
    graphError(incoming, now, status, code, message);

  const claims = options.tokens.read(incoming.headers.authorization);
  if (typeof claims === 'string')
    return { endpoint, tenantId: null, reply: tokenRefused(incoming, now, claims) };
  const tenantId = claims.tid;
  const answer = (reply: Reply): Handled => ({ endpoint, tenantId, reply });
  if (endpoint === null || incoming.method !== 'POST')
    return answer(fail(400, 'Request_BadRequest', 'Resource not found for the segment.'));
  const app = options.apps.get(`${tenantId}/${claims.appid}`);
  const registration = app?.registration;
  const isOwn =
    (objectId ?? '').toLowerCase() === registration?.objectId || appId?.toLowerCase() === claims.appid;
  if (!app || !registration || registration.homeTenantId !== tenantId) {
    return answer(
      fail(
        404,
        'Request_ResourceNotFound',
        `Resource '${objectId ?? appId}' does not exist or one of its queried reference-property objects are not present.`,
      ),
    );
  }
  if (!isOwn)
    return answer(
      fail(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'),
    );

  let body: Record<string, unknown>;
  try {
    body = JSON.parse(incoming.body) as Record<string, unknown>;
  } catch {
    return answer(fail(400, 'BadRequest', 'Unable to read JSON request payload.'));
  }
  if (!isProof(body['proof'], app, now)) {
    return answer(fail(401, 'Authentication_MissingOrMalformed', 'Access Token missing or malformed.'));
  }
  return answer(
    endpoint === 'addKey'
      ? addKey(options, app, body, now, fail)
      : removeKey(app, typeof body['keyId'] === 'string' ? body['keyId'] : '', fail),
  );
}

type Fail = (status: number, code: string, message: string) => Reply;

function addKey(options: KeysOptions, app: App, body: Record<string, unknown>, now: Date, fail: Fail): Reply {
  const { registration } = app;
  const { type, usage, key } = (body['keyCredential'] ?? {}) as Record<string, unknown>;
  if (
    type !== 'AsymmetricX509Cert' ||
    usage !== 'Verify' ||
    typeof key !== 'string' ||
    body['passwordCredential'] !== null
  ) {
    return fail(400, 'Request_BadRequest', 'Invalid value specified for property of resource.');
  }
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(Buffer.from(key, 'base64'));
  } catch {
    return fail(400, 'Request_BadRequest', 'Key credential value is not a valid certificate.');
  }
  if (certificate.validToDate <= now)
    return fail(400, 'Request_BadRequest', 'Key credential end date is invalid.');
  if (registration.policy === 'certificates') {
    return fail(
      403,
      'CredentialTypeNotAllowedAsPerAppPolicy',
      'Credential type not allowed as per assigned policy.',
    );
  }
  if (registration.policy === 'lifetime') {
    return fail(
      400,
      'CredentialInvalidLifetimeAsPerAppPolicy',
      'Credential lifetime exceeds the max value allowed as per assigned policy.',
    );
  }
  const pem = certificate.toString();
  const isThere = [...app.certificates, ...registration.keys.map((one) => one.certificate)].some(
    (one) => new X509Certificate(one).fingerprint256 === certificate.fingerprint256,
  );
  if (isThere && registration.duplicates === 'refused') {
    return fail(
      400,
      'Request_MultipleObjectsWithSameKeyValue',
      'A conflicting object with one or more of the specified property values is present in the directory.',
    );
  }
  const keyId = randomUUID();
  registration.keys.push({
    keyId,
    certificate: pem,
    visibleFrom: new Date(now.getTime() + registration.replication),
  });
  return {
    status: 200,
    body: {
      '@odata.context': `${options.graphEndpoint}/v1.0/$metadata#microsoft.graph.keyCredential`,
      customKeyIdentifier: Buffer.from(certificate.fingerprint.replaceAll(':', ''), 'hex').toString('base64'),
      displayName: certificate.subject,
      endDateTime: certificate.validToDate.toISOString(),
      key: null,
      keyId,
      startDateTime: certificate.validFromDate.toISOString(),
      type,
      usage,
    },
  };
}

function removeKey(app: App, keyId: string, fail: Fail): Reply {
  const { registration } = app;
  const added = registration.keys.findIndex((key) => key.keyId === keyId);
  const uploaded = app.certificates.findIndex((certificate) => uploadedKeyId(certificate) === keyId);
  if (added < 0 && uploaded < 0) {
    return registration.absent === 404
      ? fail(404, 'Request_ResourceNotFound', `No key credential was found with the id '${keyId}'.`)
      : fail(400, 'Request_BadRequest', `No credentials found to be removed with KeyId '${keyId}'.`);
  }
  if (added >= 0) registration.keys.splice(added, 1);
  else app.certificates.splice(uploaded, 1);
  return { status: 204, body: '' };
}

/**
 * Whether a valid key that Entra knows signed the proof, for the right audience, by the app's object id, for 10 minutes
 * at most.
 */
function isProof(proof: unknown, app: App, now: Date): boolean {
  // It must be base64url without padding; the real service answers padding as if there were no token.
  if (typeof proof !== 'string' || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(proof)) return false;
  const [header = '', payload = '', signature = ''] = proof.split('.');
  let head: Record<string, unknown>;
  let claims: Record<string, unknown>;
  try {
    head = JSON.parse(Buffer.from(header, 'base64url').toString()) as Record<string, unknown>;
    claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  } catch {
    return false;
  }
  const { aud, iss, nbf, exp } = claims;
  const seconds = now.getTime() / 1000;
  if (head['alg'] !== 'RS256' || typeof head['x5t'] !== 'string') return false;
  if (aud !== PROOF_AUDIENCE || iss !== app.registration.objectId) return false;
  if (typeof nbf !== 'number' || typeof exp !== 'number' || exp - nbf > PROOF_SECONDS) return false;
  if (seconds + SKEW < nbf || seconds - SKEW > exp) return false;
  return keysOf(app, now).some(({ certificate: pem }) => {
    const certificate = new X509Certificate(pem);
    const thumbprint = Buffer.from(certificate.fingerprint.replaceAll(':', ''), 'hex').toString('base64url');
    return (
      thumbprint === head['x5t'] &&
      certificate.validFromDate <= now &&
      now <= certificate.validToDate &&
      createVerify('RSA-SHA256')
        .update(`${header}.${payload}`)
        .verify(certificate.publicKey, signature, 'base64url')
    );
  });
}
