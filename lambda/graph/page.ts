import * as z from '../zod.ts';
import { MonitorError } from '../errors.ts';
import { excerpt, placeOf, type Exchange, type Service } from './exchange.ts';
import { retryAfterOf, Setback } from './patience.ts';

export const GRAPH: Service = { code: 'graph', name: 'Microsoft Graph' };

/** One page of a list, as Graph sent it. */
export interface Page {
  entries: unknown[];
  nextLink: string | null;
}

const list = z.looseObject({
  value: z.array(z.unknown()),
  '@odata.nextLink': z.nullish(z.string()),
});

/** https://learn.microsoft.com/graph/errors#json-representation */
const graphError = z.looseObject({
  error: z.looseObject({ code: z.withFallback(z.string(), ''), message: z.withFallback(z.string(), '') }),
});

/**
 * Takes a page out of an answer, or says what came in its place.
 * @param answer of any status but 401, and 403 that lasts, which are about the caller and are its business
 * @param now for a Retry-After that is a date
 * @throws Setback around `graph-throttled`, `graph-unavailable`, `graph-partial-answer`, `graph-html-answer`,
 *   `graph-malformed-answer`, `graph-unexpected-answer` (all retryable)
 * @throws MonitorError `graph-not-found`, `graph-refused`, `graph-redirected`: asking again would not help
 */
export function readPage(url: URL, answer: Exchange, now: Date): Page {
  const { status, headers, text } = answer;
  const retryAfter = retryAfterOf(headers, now);
  if (status === 429) throw new Setback('outage', throttled(url), retryAfter);
  if ((status >= 500 && status !== 501) || status === 408 || passesByItself(answer))
    throw new Setback('outage', unavailable(url, answer), retryAfter);
  if (status === 206) throw new Setback('answer', partial(url, headers.warning ?? null), retryAfter);
  if (status >= 300) throw refusal(url, answer);

  if (/\bhtml\b/i.test(headers['content-type'] ?? '') || text.trimStart().startsWith('<')) {
    throw new Setback('answer', unusable('html', url, `a web page: ${excerpt(text)}`));
  }
  const body = parse(text);
  if (body === undefined) {
    throw new Setback(
      'answer',
      unusable(
        'malformed',
        url,
        `${text.length} characters that are not JSON, or truncated JSON: ${excerpt(text)}`,
      ),
    );
  }
  const parsed = list.safeParse(body);
  if (!parsed.success) {
    throw new Setback('answer', unusable('unexpected', url, `no list ("value"): ${excerpt(text)}`));
  }
  return { entries: parsed.data.value, nextLink: parsed.data['@odata.nextLink'] ?? null };
}

/**
 * Codes of errors that pass, whatever the status is: https://learn.microsoft.com/graph/errors#code-property
 * A 501 does not: Graph will not have implemented it by tomorrow.
 */
const PASSING =
  /^(serviceNotAvailable|activityLimitReached|tooManyRequests|throttledRequest|gatewayTimeout|resourceModified|resourceLocked)$/i;

/** Whether it is a temporary refusal. */
export const passesByItself = ({ status, text }: Exchange): boolean =>
  status >= 400 && PASSING.test(graphError.safeParse(parse(text)).data?.error.code ?? '');

/** Graph's own error text, for people; the start of the answer if it has none. */
export function wordsOf(text: string): string {
  const parsed = graphError.safeParse(parse(text));
  if (!parsed.success) return excerpt(text);
  const { code, message } = parsed.data.error;
  return excerpt(`${code}: ${message}`, 300);
}

function throttled(url: URL): MonitorError {
  return new MonitorError(
    'graph-throttled',
    `Microsoft Graph throttles this app in this tenant (429 from ${placeOf(url)}).`,
    'The next run tries again. If it lasts, find out which other program reads the Secure Score of this tenant with the same app.',
    { retryable: true },
  );
}

function unavailable(url: URL, { status, text }: Exchange): MonitorError {
  return new MonitorError(
    'graph-unavailable',
    `Microsoft Graph failed: ${status} from ${placeOf(url)}, ${wordsOf(text)}.`,
    'This is usually temporary: the next run tries again. Microsoft reports outages at https://status.cloud.microsoft.',
    { retryable: true },
  );
}

/** https://learn.microsoft.com/graph/api/resources/security-error-codes: `199 - "{vendor}/{provider}/{status}/{latency}"` */
function partial(url: URL, warning: string | null): MonitorError {
  const providers = [...(warning ?? '').matchAll(/"([^"/]*)\/([^"/]*)\/([^"/]*)\/[^"]*"/g)].map(
    ([, vendor, provider, status]) => `${vendor} ${provider} answered ${status}`,
  );
  const who =
    providers.length > 0
      ? excerpt(providers.join(', '))
      : `the Warning header is ${excerpt(warning ?? 'missing')}`;
  return new MonitorError(
    'graph-partial-answer',
    `Microsoft Graph answered ${placeOf(url)} only in part (206): ${who}. A partial score is not compared.`,
    'The next run tries again. If it lasts for days, open a support request with Microsoft that quotes this message.',
    { retryable: true },
  );
}

function unusable(kind: 'html' | 'malformed' | 'unexpected', url: URL, what: string): MonitorError {
  return new MonitorError(
    `graph-${kind}-answer`,
    `Microsoft Graph answered ${placeOf(url)} with ${what}.`,
    'The next run tries again. If it lasts, check whether a proxy answers instead of Microsoft, and check graphEndpoint in the config.',
    { retryable: true },
  );
}

function refusal(url: URL, { status, headers, text }: Exchange): MonitorError {
  if (status < 400) {
    return new MonitorError(
      'graph-redirected',
      `${placeOf(url)} redirects (${status}) to ${excerpt(headers.location ?? 'nowhere')}, where the token is not sent.`,
      'Check graphEndpoint in the config, and whether a proxy asks this machine to log in.',
    );
  }
  if (status === 404) {
    return new MonitorError(
      'graph-not-found',
      `There is no Secure Score at ${placeOf(url)}: 404, ${wordsOf(text)}.`,
      'Check graphEndpoint in the config (it has no path and no version). Clouds without a Secure Score API, like the one in China, cannot be monitored.',
    );
  }
  return new MonitorError(
    'graph-refused',
    `Microsoft Graph refused ${placeOf(url)}: ${status}, ${wordsOf(text)}.`,
    'Act on what Graph says. If it blames the request, open an issue that quotes this message.',
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
