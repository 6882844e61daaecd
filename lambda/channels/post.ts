import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { DeliveryError, quote } from '../errors.ts';
import { reasonOf } from '../graph/exchange.ts';
import { retryAfterOf } from '../graph/patience.ts';
import { send } from '../http.ts';
import { isNotTrusted, isProxyRefusal } from '../passing.ts';
import type { Clock } from '../ports.ts';

/**
 * The maximum time, in ms, for one request with its answer. Standard Webhooks recommends 15 to 30 s, but a run has five
 * minutes for everything.
 */
const TIMEOUT_MS = 10_000;

/** The number of bytes of an answer that are read. Those of Slack and Teams have a few hundred. */
const LARGEST_ANSWER = 64 * 1024;

export interface Posting {
  /** Name of the channel, for people. */
  channel: string;
  /** A secret: only its host may be shown. */
  url: URL;
  headers?: Record<string, string>;
  /** The body, as JSON. */
  body: string;
  deadline: Date;
  clock: Clock;
  /**
   * The meaning of an answer of this service, if it differs from that in HTTP.
   * @returns undefined if it does not
   */
  judge?: (answer: Answer) => Verdict | undefined;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** The outcome for a message, by the answer to it. */
export type Verdict = 'taken' | { retryable?: boolean; final?: boolean; advice: string };

/**
 * The POST of all channels. It follows no redirect, verifies TLS, and uses the same proxy as everything else.
 * @returns the answer of a service that accepted the message
 * @throws DeliveryError `channel-throttled`, `channel-timeout`, `channel-unreachable`, `channel-host-unknown`,
 *   `channel-not-trusted`, `channel-proxy-refused`, `channel-failing`, `channel-refused`, `channel-gone`, `channel-out-of-time`
 */
export async function post(posting: Posting): Promise<Answer> {
  const { channel, url, headers, body, deadline, clock } = posting;
  const timeout = Math.min(TIMEOUT_MS, deadline.getTime() - clock.now().getTime());
  if (timeout <= 0) {
    throw new DeliveryError(
      'channel-out-of-time',
      `The run had no time left to send to the channel ${quote(channel)}.`,
      'Nothing has to be done: the next run sends it.',
      { retryable: true },
    );
  }
  const signal = AbortSignal.timeout(timeout);
  let answer: Answer;
  try {
    const response = await send(url, {
      method: 'POST',
      signal,
      headers: { 'content-type': 'application/json', 'user-agent': 'secure-score-monitor', ...headers },
      body,
    });
    answer = { status: response.statusCode!, headers: response.headers, text: await startOf(response) };
  } catch (error) {
    throw noAnswer(posting, error, signal.aborted ? timeout : null);
  }
  const verdict = posting.judge?.(answer) ?? byStatus(answer.status);
  if (verdict === 'taken') return answer;
  throw refusal(posting, answer, verdict);
}

/** Reads the start of an answer. The rest is not needed, and if it breaks off, the status still gives the outcome. */
async function startOf(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= LARGEST_ANSWER) break;
    }
  } catch {
    if (byStatus(response.statusCode!) !== 'taken') return '';
  }
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, LARGEST_ANSWER));
}

/** The meaning of a status for every service. */
function byStatus(status: number): Verdict {
  if (status >= 200 && status < 300) return 'taken';
  if (status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501)) {
    return {
      retryable: true,
      advice: 'Usually this passes, and the next run tries again. If not, look at the service.',
    };
  }
  if (status >= 300 && status < 400) {
    return {
      advice: 'The address has moved, and redirects are not followed: put the new address into its secret.',
    };
  }
  return {
    advice:
      'Find out in the service why it refuses, and compare the address in its secret with the one that the service shows.',
  };
}

/** Describes a refusal. It quotes the service's code but not its answer, because some servers repeat the address there. */
function refusal(
  { channel, url, clock }: Posting,
  { status, headers, text }: Answer,
  { advice, retryable, final }: Exclude<Verdict, 'taken'>,
): DeliveryError {
  const named = codeIn(text, url);
  const end = final ? 'gone' : status === 429 ? 'throttled' : retryable ? 'failing' : 'refused';
  return new DeliveryError(
    `channel-${end}`,
    `The channel ${quote(channel)} was not reached: ${url.host} answers ${status}${named === null ? '' : ` (${named})`}.`,
    advice,
    { retryable, final, retryAfter: retryAfterOf(headers, clock.now()) },
  );
}

/** The error code of a service: Slack's complete answer, or `error.code` or `code` in JSON. */
export function codeIn(text: string, url: URL): string | null {
  const code = codeOf(text);
  const isCode = typeof code === 'string' && /^[a-z][a-z_]{2,59}$/i.test(code);
  return isCode && !url.href.toLowerCase().includes(code.toLowerCase()) ? code : null;
}

function codeOf(text: string): unknown {
  try {
    const body = JSON.parse(text) as { error?: { code?: unknown } | null; code?: unknown } | null;
    return body?.error?.code ?? body?.code;
  } catch {
    return text.trim();
  }
}

/** @param timedOut ms after which it was given up; null if something else failed */
function noAnswer({ channel, url }: Posting, error: unknown, timedOut: number | null): DeliveryError {
  const { code } = reasonOf(error);
  const failed = (end: string, what: string, advice: string, retryable: boolean) =>
    new DeliveryError(`channel-${end}`, `The channel ${quote(channel)} was not reached: ${what}.`, advice, {
      retryable,
    });
  if (timedOut !== null) {
    return failed(
      'timeout',
      `${url.host} did not answer within ${Math.round(timedOut / 100) / 10} s`,
      'The next run tries again, so it may arrive twice, with the same id. If it lasts, look at the service.',
      true,
    );
  }
  if (isNotTrusted(code)) {
    return failed(
      'not-trusted',
      `the server at ${url.host} does not prove that it is ${url.hostname} (${code})`,
      'Give the server a certificate of a known authority. For one of your own, point NODE_EXTRA_CA_CERTS at its certificate.',
      false,
    );
  }
  if (isProxyRefusal(error)) {
    return failed(
      'proxy-refused',
      `the proxy in HTTPS_PROXY refuses to connect to ${url.host}`,
      'Check name and password in HTTPS_PROXY (407), and whether the proxy allows this host (403); or exempt it with NO_PROXY.',
      false,
    );
  }
  if (code === 'ENOTFOUND') {
    return failed(
      'host-unknown',
      `there is no host ${url.hostname}`,
      'Check the address in its secret, and the DNS of its domain.',
      false,
    );
  }
  return failed(
    'unreachable',
    `${url.host} cannot be reached (${code})`,
    'Usually this passes, and the next run tries again. If not, look at the service, and check whether this machine reaches it (DNS, proxy, firewall).',
    true,
  );
}
