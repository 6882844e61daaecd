import type { IncomingHttpHeaders } from 'node:http';
import { MonitorError, quote } from '../errors.ts';
import { ACCEPTED_ENCODING, bodyOf, send, type HttpRequest } from '../http.ts';
import { isNotTrusted, isProxyRefusal } from '../passing.ts';
import { Setback } from './patience.ts';

/** The service that is called: the prefix of its error codes, and its name for people. */
export interface Service {
  code: 'graph' | 'sign-in';
  name: string;
}

/** A complete answer. */
export interface Exchange {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/**
 * One request and its complete answer.
 *
 * ky is not used: most of what has to be retried shows in the body (206, HTML, truncated JSON), a Retry-After beyond the
 * deadline must fail at once, one loop has to serve MSAL as well (see `patience.ts`), and ky's errors carry the Request
 * with its bearer token. Only its timeout would be left, which is done below.
 *
 * @param limits.timeout ms, body and all
 * @param limits.bytes of the decompressed body
 * @throws Setback if it may work another time; MonitorError `graph-not-trusted`, `graph-proxy-refused`, `graph-too-large` (or
 *   `sign-in-…`). The errors of the client are never passed on as a cause, because some of them may quote the headers.
 */
export async function exchange(
  service: Service,
  url: URL,
  init: Omit<HttpRequest, 'signal'>,
  limits: { timeout: number; bytes: number },
): Promise<Exchange> {
  const signal = AbortSignal.timeout(limits.timeout);
  let received = 0;
  try {
    const headers = { 'accept-encoding': ACCEPTED_ENCODING, ...init.headers };
    const answer = await send(url, { ...init, headers, signal });
    const text = await bodyOf(answer, limits.bytes, (bytes) => (received = bytes));
    if (text === null) throw tooLarge(service, url, limits.bytes);
    return { status: answer.statusCode!, headers: answer.headers, text };
  } catch (error) {
    if (error instanceof MonitorError) throw error;
    throw failure(service, url, error, { timeout: limits.timeout, timedOut: signal.aborted, received });
  }
}

/** An address for people, without its query, which may hold a continuation token. */
export function placeOf(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** The start of an answer, for people: one line, without anything that looks like a token. */
export function excerpt(text: string, length = 100): string {
  const start = text.slice(0, 20_000);
  return quote(
    start.replace(/\beyJ[\w-]{8,}(\.[\w-]*)*/g, '<token>').replace(/\b(bearer)\s+[^\s"'<]+/gi, '$1 <token>'),
    length,
  );
}

function failure(
  service: Service,
  url: URL,
  error: unknown,
  facts: { timeout: number; timedOut: boolean; received: number },
): Setback | MonitorError {
  const { code, message } = reasonOf(error);
  if (isNotTrusted(code)) {
    return new MonitorError(
      `${service.code}-not-trusted`,
      `The server at ${url.origin} does not prove that it is ${service.name}: ${message} (${code}).`,
      'Is a proxy between this machine and Microsoft that has its own certificate authority? Then point NODE_EXTRA_CA_CERTS at its certificate. Otherwise the connection is being intercepted.',
    );
  }
  if (isProxyRefusal(error)) {
    return new MonitorError(
      `${service.code}-proxy-refused`,
      `The proxy in HTTPS_PROXY refuses to connect to ${url.origin}: ${message}.`,
      'Check name and password in HTTPS_PROXY (407), and whether the proxy allows this address (403); or exempt it with NO_PROXY.',
    );
  }
  const what = facts.timedOut
    ? `did not answer ${placeOf(url)} within ${Math.round(facts.timeout / 100) / 10} s`
    : facts.received > 0
      ? `broke off after ${facts.received} bytes of its answer to ${placeOf(url)} (${message})`
      : `cannot be reached at ${placeOf(url)} (${message})`;
  return new Setback(
    'outage',
    new MonitorError(
      `${service.code}-${facts.timedOut ? 'timeout' : 'unreachable'}`,
      `${service.name} ${what}.`,
      `This is usually temporary: the next run tries again. If it lasts, check whether this machine reaches ${url.origin} (DNS, proxy, firewall).`,
      { retryable: true },
    ),
  );
}

/** The code and the message, for people, of an error of the system, of TLS, of HTTP, or of a proxy. */
export function reasonOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: 'unknown', message: 'unknown' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  return { code, message: excerpt(error.message || (code === 'unknown' ? error.name : code)) };
}

function tooLarge(service: Service, url: URL, bytes: number): MonitorError {
  return new MonitorError(
    `${service.code}-too-large`,
    `${service.name} answered ${placeOf(url)} with more than ${Math.round(bytes / 2 ** 20)} MB, far more than it ever has.`,
    'If the tenant really is that large, open an issue; otherwise check what answers at this address.',
  );
}
