import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import * as z from '../zod.ts';
import type { Bundle } from '../certificate/bundle.ts';
import { commandLine } from '../command-line.ts';
import { MonitorError } from '../errors.ts';
import { exchange, type Exchange } from '../graph/exchange.ts';
import { GRAPH, wordsOf } from '../graph/page.ts';
import { LIMITS, patience, Setback, type Limits } from '../graph/patience.ts';
import { tokenSource } from '../graph/sign-in.ts';
import type { AppIn } from '../graph/sign-in-errors.ts';
import type { Clock } from '../ports.ts';
import type { App, AppKeys } from './ports.ts';

/** Entra requires this audience and refuses Graph's (00000003-…). */
const PROOF_AUDIENCE = '00000002-0000-0000-c000-000000000000';
/** The maximum lifetime is ten minutes. It begins a little before now, because clocks differ. */
const PROOF_SECONDS = 600;
const PROOF_HEAD_START = 60;

const answered = z.looseObject({ keyId: z.string().check(z.minLength(1)) });

/**
 * The JWT by which an app shows that it holds one of its keys.
 * https://learn.microsoft.com/graph/application-rollkey-prooftoken
 * @param objectId of the app registration
 */
export function proofOf(objectId: string, { certificatePem, privateKeyPem }: Bundle, now: Date): string {
  // Node's base64url has no padding. Entra does not recognize a padded token.
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const thumbprint = new X509Certificate(certificatePem).fingerprint.replaceAll(':', '');
  const x5t = Buffer.from(thumbprint, 'hex').toString('base64url');
  const nbf = Math.floor(now.getTime() / 1000) - PROOF_HEAD_START;
  const claims = { aud: PROOF_AUDIENCE, iss: objectId, nbf, exp: nbf + PROOF_SECONDS };
  const text = `${part({ alg: 'RS256', typ: 'JWT', x5t })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), createPrivateKey(privateKeyPem)).toString('base64url')}`;
}

/** addKey and removeKey of Microsoft Graph (v1.0), with the app's own token. An app needs no permission to roll its keys. */
export function graphKeys({ clock, limits: few }: { clock: Clock; limits?: Partial<Limits> }): AppKeys {
  const limits = { ...LIMITS, ...few };
  const noWebIdentity = () => Promise.reject(new Error('a renewal signs in with a certificate'));

  const token = (app: AppIn, certificate: Bundle, deadline: Date): Promise<string> => {
    const patiently = patience(limits, deadline, clock);
    return tokenSource(app, certificate, { patiently, limits, clock, webIdentity: noWebIdentity }).token();
  };

  /** Calls once and never retries, because only the caller knows what a second call would do. */
  async function call(
    app: App,
    action: 'addKey' | 'removeKey',
    current: Bundle,
    body: object,
    deadline: Date,
  ): Promise<Exchange> {
    const authorization = `Bearer ${await token(app, current, deadline)}`;
    const now = clock.now();
    const url = new URL(`${app.cloud.graphEndpoint}/v1.0/applications/${app.objectId}/${action}`);
    const init = {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ ...body, proof: proofOf(app.objectId, current, now) }),
    };
    const timeout = Math.max(1, Math.min(limits.timeout, deadline.getTime() - now.getTime()));
    try {
      return await exchange(GRAPH, url, init, { timeout, bytes: 2 ** 20 });
    } catch (error) {
      if (error instanceof Setback) throw unanswered(app, action, error.message);
      throw error;
    }
  }

  const remove: AppKeys['remove'] = async (app, current, keyId, deadline) => {
    const answer = await call(app, 'removeKey', current, { keyId }, deadline);
    if ((answer.status >= 200 && answer.status < 300) || isAbsent(answer)) return;
    throw refusal(app, 'removeKey', answer);
  };

  return {
    remove,
    prove: (app, current, deadline) => remove(app, current, randomUUID(), deadline),

    async signIn(app, certificate, deadline) {
      await token(app, certificate, deadline);
    },

    async add(app, current, certificatePem, deadline) {
      const keyCredential = {
        type: 'AsymmetricX509Cert',
        usage: 'Verify',
        key: new X509Certificate(certificatePem).raw.toString('base64'),
      };
      const answer = await call(
        app,
        'addKey',
        current,
        { keyCredential, passwordCredential: null },
        deadline,
      );
      if (answer.status >= 200 && answer.status < 300) {
        const parsed = answered.safeParse(parse(answer.text));
        if (parsed.success) return parsed.data.keyId;
        throw unanswered(app, 'addKey', 'its answer has no key id');
      }
      throw refusal(app, 'addKey', answer);
    },
  };
}

/** True if Graph has no such key. It also shows that the proof is valid, because Graph checks that first. */
function isAbsent({ status, text }: Exchange): boolean {
  return status === 404
    ? /key|credential/i.test(wordsOf(text))
    : status === 400 && /no (key )?credentials? (was |were )?found/i.test(wordsOf(text));
}

function unanswered(app: App, action: string, what: string): MonitorError {
  return new MonitorError(
    'renewal-unanswered',
    `Whether ${action} has changed the keys of the app ${app.clientId} is not known: ${what}`,
    'Nothing has to be done: the next attempt finds out.',
    { retryable: true },
  );
}

const UPLOAD = `Until then renew by hand: ${commandLine('certificate create')}, upload its public part to the app registration, ${commandLine('certificate put')}.`;

function refusal(app: App, action: string, { status, text }: Exchange): MonitorError {
  const words = wordsOf(text);
  const detail = `${action} of the app ${app.clientId}: ${status}, ${words}`;
  if (status === 429) {
    return new MonitorError(
      'renewal-throttled',
      `Microsoft Graph throttles ${detail}.`,
      'Nothing has to be done: the next attempt starts by itself.',
      {
        retryable: true,
      },
    );
  }
  if (status >= 500) return unanswered(app, action, `Graph failed with ${status}, ${words}.`);
  if (/AsPerAppPolicy/i.test(words)) {
    return new MonitorError(
      'renewal-forbidden',
      `An app management policy of the tenant ${app.tenantId} forbids the certificate: ${detail}.`,
      `Ask an admin of that tenant for an exemption of this app (Entra admin center, Enterprise applications, Application policies), or for a longer lifetime. ${UPLOAD}`,
    );
  }
  if (status === 401) {
    return new MonitorError(
      'renewal-proof-refused',
      `Entra ID does not accept the proof that the app ${app.clientId} holds its key: ${words}.`,
      `Compare objectId in the config (${app.objectId}) with "Object ID" on the overview of the app registration: not that of the enterprise application.`,
    );
  }
  if (status === 404) {
    return new MonitorError(
      'renewal-app-missing',
      `There is no app registration ${app.objectId} in the tenant ${app.tenantId}: ${words}.`,
      'Compare objectId in the config with "Object ID" on the overview of the app registration, and homeTenantId with the tenant in which it is registered: keys of a multi-tenant app are rolled in its home tenant.',
    );
  }
  if (status === 403) {
    return new MonitorError(
      'renewal-forbidden',
      `Microsoft Graph does not let the app ${app.clientId} change its keys: ${detail}.`,
      `Compare objectId in the config (${app.objectId}) with "Object ID" on the overview of the app registration. If it is right, a policy of the tenant ${app.tenantId} forbids it: an app needs no permission to roll its own keys. ${UPLOAD}`,
    );
  }
  return new MonitorError(
    'renewal-refused',
    `Microsoft Graph refuses ${detail}.`,
    `Act on what it says. ${UPLOAD}`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
