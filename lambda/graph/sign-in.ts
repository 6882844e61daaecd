import {
  ConfidentialClientApplication,
  LogLevel,
  type INetworkModule,
  type NetworkResponse,
} from '@azure/msal-node';
import * as z from '../zod.ts';
import type { CheckedCertificate } from '../certificate/bundle.ts';
import { machineClock } from '../clock.ts';
import { MonitorError } from '../errors.ts';
import type { HttpRequest } from '../http.ts';
import type { Clock } from '../ports.ts';
import { exchange, excerpt, placeOf, type Exchange, type Service } from './exchange.ts';
import { retryAfterOf, Setback, type Limits, type Patiently } from './patience.ts';
import { passesByItself, signInError, type AppIn } from './sign-in-errors.ts';
import { audienceOf, claimsOf, type WebIdentity } from './web-identity.ts';

/** Hands out access tokens for Graph. */
export interface TokenSource {
  /**
   * @param renew true: a new token, even if the last one has not expired (Graph answered 401)
   * @throws MonitorError: those of `signInError`, `sign-in-unreachable`, `sign-in-timeout`, `sign-in-throttled`,
   *   `sign-in-unavailable`, `sign-in-malformed-answer` (all retryable), `sign-in-redirected`, `sign-in-not-trusted`,
   *   `sign-in-failed`, and those of `WebIdentity`
   */
  token(renew?: boolean): Promise<string>;
}

const ENTRA: Service = { code: 'sign-in', name: 'Entra ID' };

/** Entra's error answer: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#error-response-1 */
const refusal = z.looseObject({
  error: z.withFallback(z.string(), ''),
  error_codes: z.withFallback(z.array(z.coerce.number()), []),
  error_description: z.withFallback(z.string(), ''),
});

/**
 * Signs in with a client assertion (PS256 with x5t#S256) by msal-node, which also caches the token and renews it when
 * it is due. Nothing is sent before the first `token()`.
 * @param certificate null: the assertion is a token that AWS issues for the role of this process
 */
export function tokenSource(
  tenant: AppIn,
  certificate: CheckedCertificate | null,
  means: { patiently: Patiently; limits: Limits; clock: Clock; webIdentity: WebIdentity },
): TokenSource {
  const { authorityHost, graphEndpoint } = tenant.cloud;
  const network = entraNetwork(means);
  // The claims that AWS last issued, for the error about those that Entra does not know; or the reason why it issued none.
  const issued: { claims: ReturnType<typeof claimsOf>; failure?: unknown } = { claims: null };
  const assertion = async (): Promise<string> => {
    issued.failure = undefined;
    try {
      const token = await means.webIdentity(audienceOf(tenant.cloud));
      issued.claims = claimsOf(token);
      return token;
    } catch (error) {
      issued.failure = error;
      throw error;
    }
  };
  const app = new ConfidentialClientApplication({
    auth: {
      clientId: tenant.clientId,
      authority: `${authorityHost}/${tenant.tenantId}`,
      // The config decides which authority is trusted, so MSAL need not ask login.microsoftonline.com.
      knownAuthorities: [new URL(authorityHost).host],
      ...(certificate === null
        ? { clientAssertion: assertion }
        : {
            clientCertificate: {
              thumbprintSha256: certificate.thumbprintSha256,
              privateKey: certificate.privateKeyPem,
            },
          }),
    },
    system: {
      networkClient: network,
      // MSAL's log may hold claims and complete answers, so it is discarded.
      loggerOptions: { piiLoggingEnabled: false, logLevel: LogLevel.Error, loggerCallback: () => {} },
    },
  });

  async function acquire(renew: boolean): Promise<string> {
    network.forget();
    try {
      const result = await app.acquireTokenByClientCredential({
        scopes: [`${graphEndpoint}/.default`],
        skipCache: renew,
        // Otherwise MSAL_FORCE_REGION in the environment would send the assertion to an endpoint that nobody configured.
        azureRegion: 'DisableMsalForceRegion',
      });
      if (result?.accessToken) return result.accessToken;
    } catch (error) {
      // The network remembers what it throws, because MSAL wraps the error and loses it.
      throw issued.failure ?? network.failure ?? verdict(error);
    }
    throw failed('it answered without a token');
  }

  function verdict(error: unknown): MonitorError {
    // MSAL drops errors of the openid-configuration and says that it found no endpoints; the network remembers them.
    const number = Number(property(error, 'errorNo') ?? network.refusal?.error_codes[0]);
    if (Number.isInteger(number)) {
      const description = network.refusal?.error_description ?? '';
      return signInError({
        tenant,
        certificate,
        issued: issued.claims,
        number,
        description,
        skew: network.skew,
        now: means.clock.now(),
      });
    }
    return failed(`MSAL says ${excerpt(String(property(error, 'errorCode') ?? error))}`);
  }

  function failed(reason: string): MonitorError {
    return new MonitorError(
      'sign-in-failed',
      `Signing in to the tenant ${tenant.tenantId} at ${authorityHost} failed: ${reason}.`,
      "Check the tenant's cloud (authorityHost, graphEndpoint) in the config. If it is right, open an issue.",
    );
  }

  return {
    async token(renew = false) {
      try {
        return await acquire(renew);
      } catch (error) {
        if (!(error instanceof MonitorError && error.code === 'clock-skew')) throw error;
        // If the clock is a little ahead, the assertion is not valid yet. MSAL caches it, so the second try sends the same
        // one a little later.
        return means.patiently(onceMore(() => acquire(renew), error, 2 * means.limits.backoff));
      }
    },
  };
}

/** A call for `patiently` that waits `pause` ms before it is made. */
function onceMore<T>(call: () => Promise<T>, reason: MonitorError, pause: number): () => Promise<T> {
  let paused = false;
  return async () => {
    if (paused) return call();
    paused = true;
    throw new Setback('outage', reason, pause);
  };
}

/**
 * MSAL's network. MSAL's own client has no timeout for a POST and retries nothing, and after a 429 or 5xx MSAL refuses to
 * call again for a minute; so temporary failures are retried here, without MSAL noticing.
 */
interface EntraNetwork extends INetworkModule {
  /** Why the last call failed. */
  readonly failure: MonitorError | undefined;
  /** Entra's answer if it refused. */
  readonly refusal: z.output<typeof refusal> | undefined;
  /** ms that our clock is ahead of Entra's, by its last answer. */
  readonly skew: number | null;
  forget(): void;
}

function entraNetwork({ patiently, clock }: { patiently: Patiently; clock: Clock }): EntraNetwork {
  const last: {
    failure?: MonitorError;
    refusal?: z.output<typeof refusal>;
    skew: number | null;
  } = { skew: null };

  async function send<T>(url: string, init: Omit<HttpRequest, 'signal'>): Promise<NetworkResponse<T>> {
    try {
      return await patiently(async (timeout) => {
        const address = new URL(url);
        const answer = await exchange(ENTRA, address, init, { timeout, bytes: 2 ** 20 });
        // By the machine's own clock, which is the one that MSAL stamps assertions with.
        const sent = Date.parse(answer.headers.date ?? '');
        last.skew = Number.isNaN(sent) ? null : machineClock.now().getTime() - sent;
        checkUsable(address, answer, clock.now());
        checkRefusal(address, answer, clock.now());
        const body: T = JSON.parse(answer.text);
        last.refusal = refusal.safeParse(body).data;
        return { status: answer.status, headers: { ...answer.headers } as Record<string, string>, body };
      });
    } catch (error) {
      last.failure = error instanceof MonitorError ? error : undefined;
      throw error;
    }
  }

  return {
    get failure() {
      return last.failure;
    },
    get refusal() {
      return last.refusal;
    },
    get skew() {
      return last.skew;
    },
    forget() {
      last.failure = undefined;
      last.refusal = undefined;
      last.skew = null;
    },
    sendGetRequestAsync: (url, options) => send(url, { method: 'GET', headers: options?.headers }),
    sendPostRequestAsync: (url, options) =>
      send(url, { method: 'POST', headers: options?.headers, body: options?.body }),
  };
}

const PASSES =
  'This is usually temporary: the next run tries again. Microsoft reports outages at https://status.cloud.microsoft.';

/** @throws Setback if Entra refuses temporarily */
function checkRefusal(url: URL, { status, headers, text }: Exchange, now: Date): void {
  const { error = '', error_codes: numbers = [] } = refusal.safeParse(JSON.parse(text)).data ?? {};
  if (!passesByItself(error, numbers)) return;
  const detail = numbers.length > 0 ? `AADSTS${numbers.join(', AADSTS')}` : error;
  throw new Setback(
    'outage',
    new MonitorError(
      'sign-in-unavailable',
      `Entra ID failed: ${status} from ${placeOf(url)}, ${detail}.`,
      PASSES,
      { retryable: true },
    ),
    retryAfterOf(headers, now),
  );
}

/** @throws if the answer is not a JSON object in which Entra grants or refuses */
function checkUsable(url: URL, { status, headers, text }: Exchange, now: Date): void {
  if (status === 429 || status >= 500) {
    const throttled = status === 429;
    throw new Setback(
      'outage',
      new MonitorError(
        `sign-in-${throttled ? 'throttled' : 'unavailable'}`,
        throttled
          ? `Entra ID throttles sign-ins (429 from ${placeOf(url)}).`
          : `Entra ID failed: ${status} from ${placeOf(url)}.`,
        PASSES,
        { retryable: true },
      ),
      retryAfterOf(headers, now),
    );
  }
  if (status >= 300 && status < 400) {
    throw new MonitorError(
      'sign-in-redirected',
      `${placeOf(url)} redirects to ${excerpt(headers.location ?? 'nowhere')}, which Entra ID never does.`,
      'Check authorityHost in the config, and whether a proxy asks this machine to log in.',
    );
  }
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return;
  } catch {
    // Reported below, with the answer.
  }
  throw new Setback(
    'answer',
    new MonitorError(
      'sign-in-malformed-answer',
      `Entra ID answered ${placeOf(url)} with ${status} and something that is not a JSON object: ${excerpt(text)}.`,
      'Check authorityHost in the config, and whether a proxy answers instead of Microsoft.',
      { retryable: true },
    ),
  );
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
