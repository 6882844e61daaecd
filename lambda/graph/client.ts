import type { Tenant } from '../config.ts';
import { MonitorError } from '../errors.ts';
import type { Clock, Graph } from '../ports.ts';
import { exchange, excerpt, placeOf } from './exchange.ts';
import { GRAPH, passesByItself, readPage, wordsOf, type Page } from './page.ts';
import { LIMITS, patience, Setback, type Limits } from './patience.ts';
import { checkRoles, permissionMissing } from './permission.ts';
import { dateOfEntry } from './schema.ts';
import { tokenSource } from './sign-in.ts';
import { stsWebIdentity, type WebIdentity } from './web-identity.ts';

export interface GraphOptions {
  /** Overrides of LIMITS. */
  limits?: Partial<Limits>;
  /** The clock that deadlines refer to. */
  clock: Clock;
  /** Vouches for this process if the tenant has no certificate. The default is STS. */
  webIdentity?: WebIdentity;
}

const HEADERS = {
  accept: 'application/json',
  // Titles and texts come in the requested language, which is fixed so that it never shows as a change of text.
  'accept-language': 'en-US',
  'user-agent': 'secure-score-monitor/0.1',
};

/**
 * Entra ID and Microsoft Graph (v1.0).
 *
 * Throws MonitorErrors: those of `TokenSource.token`, those of `readPage`, `permission-missing`, `graph-forbidden`,
 * `graph-unauthorized`, `graph-next-link`, `graph-not-trusted`, `graph-too-large`; retryable: `graph-unreachable`,
 * `graph-timeout`, `deadline-reached`. None holds a token, an assertion or a key.
 */
export function graphClient({ clock, webIdentity = stsWebIdentity(), ...options }: GraphOptions): Graph {
  const limits = { ...LIMITS, ...options.limits };

  return {
    async signIn(tenant, certificate, deadline) {
      const patiently = patience(limits, deadline, clock);
      const tokens = tokenSource(tenant, certificate, { patiently, limits, clock, webIdentity });
      const fresh = async (renew?: boolean): Promise<string> => {
        const issued = await tokens.token(renew);
        checkRoles(issued, tenant);
        return issued;
      };
      let token = await fresh();

      /** One page, with pauses, retries, and one fresh token. */
      function fetchPage(url: URL): Promise<Page> {
        let renewed = false;
        return patiently(async (timeout) => {
          const headers = { ...HEADERS, authorization: `Bearer ${token}` };
          const answer = await exchange(GRAPH, url, { headers }, { timeout, bytes: limits.bytes });
          if (answer.status === 401) {
            const failure = unauthorized(url, answer.text);
            if (renewed) throw failure;
            renewed = true;
            token = await fresh(true);
            throw new Setback('outage', failure, 0);
          }
          if (answer.status === 403 && !passesByItself(answer)) throw forbidden(tenant, url, answer.text);
          return readPage(url, answer, clock.now());
        });
      }

      /** @param more whether to fetch the next page, if there is one, after these entries */
      async function list(pathAndQuery: string, more: (entries: unknown[]) => boolean): Promise<unknown[]> {
        const { graphEndpoint } = tenant.cloud;
        const entries: unknown[] = [];
        const seen = new Set<string>();
        let url: URL | null = new URL(`${graphEndpoint}/v1.0/security/${pathAndQuery}`);
        while (url) {
          seen.add(url.href);
          const page: Page = await fetchPage(url);
          entries.push(...page.entries);
          url = page.nextLink !== null && more(entries) ? nextOf(page.nextLink, url) : null;
          if (url && (seen.has(url.href) || seen.size >= limits.pages)) throw endless(url, seen.size);
        }
        return entries;
      }

      return {
        // Even a complete answer has a nextLink, which leads through all 90 days, one per page. It is followed only for
        // what is missing.
        secureScores: (days, after) =>
          list(
            `secureScores?$top=${days}`,
            (entries) => entries.length < days && isNewer(oldestOf(entries), after),
          ),
        controlProfiles: () => list('secureScoreControlProfiles', () => true),
      };
    },
  };
}

/** An unknown day counts as newer; the number of pages is bounded anyway. */
function isNewer(date: string | null, after: string | null): boolean {
  return date === null || after === null || date > after;
}

function oldestOf(entries: unknown[]): string | null {
  return entries
    .map(dateOfEntry)
    .filter((date) => date !== null)
    .reduce<string | null>((a, b) => (a === null || b < a ? b : a), null);
}

/** The token goes with every page, so a page elsewhere would get it: https://learn.microsoft.com/graph/paging */
function nextOf(nextLink: string, from: URL): URL {
  const url = URL.parse(nextLink);
  if (url?.origin === from.origin && !url.username && !url.password) return url;
  throw new MonitorError(
    'graph-next-link',
    `Microsoft Graph says that ${placeOf(from)} goes on at ${excerpt(url ? placeOf(url) : nextLink)}, which is not on ${from.origin}. The token is not sent there.`,
    'Check whether a proxy answers instead of Microsoft, and check graphEndpoint in the config.',
  );
}

function endless(url: URL, pages: number): MonitorError {
  return new MonitorError(
    'graph-next-link',
    `Microsoft Graph's list at ${placeOf(url)} does not end: after ${pages} pages it still goes on, or repeats itself.`,
    'The next run tries again. If it lasts, open an issue.',
    { retryable: true },
  );
}

function unauthorized(url: URL, text: string): MonitorError {
  return new MonitorError(
    'graph-unauthorized',
    `Microsoft Graph accepts no token of this app at ${placeOf(url)}, not even a fresh one: 401, ${wordsOf(text)}.`,
    'Check that authorityHost and graphEndpoint are of the same cloud, and that the app is enabled in the tenant.',
  );
}

function forbidden(tenant: Tenant, url: URL, text: string): MonitorError {
  const words = wordsOf(text);
  // "Auth token does not contain valid permissions or user does not have valid roles …"
  if (/valid permissions/i.test(words)) return permissionMissing(tenant);
  return new MonitorError(
    'graph-forbidden',
    `Microsoft Graph does not let the app ${tenant.clientId} read ${placeOf(url)}: 403, ${words}.`,
    'The app needs the application permission SecurityEvents.Read.All with admin consent, and the tenant a licence with Secure Score. Also look for a conditional access policy.',
  );
}
