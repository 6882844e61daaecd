import { createHash, randomUUID } from 'node:crypto';
import type { Endpoint, Handled, Incoming, Reply } from './http.ts';
import type { SimulatedTenant, TenantReading } from './tenant.ts';
import type { Throttle } from './throttle.ts';
import type { TokenProblem, Tokens } from './tokens.ts';

export interface GraphOptions {
  graphEndpoint: string;
  tokens: Tokens;
  tenants: ReadonlyMap<string, SimulatedTenant>;
  throttle: Throttle | null;
  now: () => Date;
}

const PROFILES_A_PAGE = 200;

/** Either of these lets an app read both resources. */
const ROLES = new Set(['SecurityEvents.Read.All', 'SecurityEvents.ReadWrite.All']);

const TOKEN_PROBLEMS: Record<TokenProblem, string> = {
  empty: 'Access token is empty.',
  malformed: 'IDX14100: JWT is not well formed.',
  signature: 'Access token validation failure. Invalid signature.',
  expired: 'Lifetime validation failed, the token is expired.',
  audience: 'Access token validation failure. Invalid audience.',
};

interface Resource {
  endpoint: Endpoint;
  /** The number of entries per page if the request sets none. */
  pageSize: number;
  size: (reading: TenantReading) => number;
  slice: (reading: TenantReading, from: number, to: number) => unknown[];
}

const RESOURCES: Record<string, Resource> = {
  secureScores: {
    endpoint: 'secureScores',
    pageSize: Infinity,
    size: ({ dates }) => dates.length,
    slice: (reading, from, to) =>
      reading.dates.slice(from, to).map((date, index) => reading.secureScore(date, from + index === 0)),
  },
  secureScoreControlProfiles: {
    endpoint: 'profiles',
    pageSize: PROFILES_A_PAGE,
    size: (reading) => reading.profiles().length,
    slice: (reading, from, to) => reading.profiles().slice(from, to),
  },
};

/** A tenant without a single day and without profiles: Graph knows it, Secure Score does not yet. */
const NOTHING: TenantReading = {
  dates: [],
  secureScore: (date) => {
    throw new RangeError(`There is no ${date}`);
  },
  profiles: () => [],
};

/** Answers `/v1.0/security/secureScores` and `/v1.0/security/secureScoreControlProfiles`. */
export function handleGraph(options: GraphOptions, incoming: Incoming): Handled {
  const segments = incoming.url.pathname.split('/').slice(2);
  const name = segments[0] === 'security' && segments.length === 2 ? (segments[1] ?? '') : '';
  const resource = RESOURCES[name];
  const endpoint = resource?.endpoint ?? null;
  const fail = (status: number, code: string, message: string, headers?: Record<string, string>): Reply =>
    graphError(incoming, options.now(), status, code, message, headers);

  const claims = options.tokens.read(incoming.headers.authorization);
  if (typeof claims === 'string') {
    return { endpoint, tenantId: null, reply: tokenRefused(incoming, options.now(), claims) };
  }
  const tenantId = claims.tid;
  const answer = (reply: Reply): Handled => ({ endpoint, tenantId, reply });
  if (!resource)
    return answer(fail(400, 'BadRequest', `Resource not found for the segment '${segments.at(-1) ?? ''}'.`));
  if (incoming.method !== 'GET') {
    return answer(
      fail(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.'),
    );
  }
  if (!claims.roles.some((role) => ROLES.has(role))) {
    const message = 'Auth token does not contain valid permissions or user does not have valid roles.';
    return answer(fail(403, 'Forbidden', message));
  }

  const limited = `${claims.appid}/${tenantId}`;
  const wait = options.throttle?.enter(limited, options.now().getTime());
  if (wait !== undefined) {
    return answer(fail(429, 'TooManyRequests', 'Too many requests.', { 'retry-after': String(wait) }));
  }
  const done = (): void => options.throttle?.leave(limited);
  const page = readPage(incoming.url.searchParams, `${tenantId}/${name}`);
  if (typeof page === 'string') return { ...answer(fail(400, 'BadRequest', page)), done };

  const reading = options.tenants.get(tenantId)?.read() ?? NOTHING;
  const size = resource.size(reading);
  const end = Math.min(size, page.skip + Math.min(page.top ?? resource.pageSize, resource.pageSize));
  const root = `${options.graphEndpoint}/v1.0/`;
  const query = [
    ...(page.top === undefined ? [] : [`$top=${page.top}`]),
    `$skiptoken=${skipToken(`${tenantId}/${name}`, end)}`,
  ];
  const body = {
    '@odata.context': `${root}$metadata#security/${name}`,
    ...(end < size && page.top !== 0
      ? { '@odata.nextLink': `${root}security/${name}?${query.join('&')}` }
      : {}),
    value: resource.slice(reading, page.skip, end),
  };
  return { ...answer({ status: 200, headers: jsonHeaders(incoming), body }), done };
}

/** The answer to a request without a valid token. */
export function tokenRefused(incoming: Incoming, now: Date, problem: TokenProblem): Reply {
  return graphError(incoming, now, 401, 'InvalidAuthenticationToken', TOKEN_PROBLEMS[problem], {
    'www-authenticate':
      'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"',
  });
}

/** @returns the error's text if an option is wrong or unknown to both resources */
function readPage(query: URLSearchParams, collection: string): { top?: number; skip: number } | string {
  const page: { top?: number; skip: number } = { skip: 0 };
  for (const [name, text] of query) {
    if (name === '$skiptoken') {
      const offset = Number(text.slice(-12));
      if (skipToken(collection, offset) !== text) return 'Invalid skip token.';
      page.skip += offset;
    } else if (name === '$top' || name === '$skip') {
      if (!/^\d+$/.test(text)) {
        return `Invalid value '${text}' for ${name} query option found. The ${name} query option requires a non-negative integer value.`;
      }
      if (name === '$top') page.top = Number(text);
      else page.skip += Number(text);
    } else {
      return `The query option '${name}' is not supported.`;
    }
  }
  return page;
}

/** A guid that has the offset in its last digits, and is valid for only one tenant's collection. */
function skipToken(collection: string, offset: number): string {
  const hash = createHash('sha256').update(collection).digest('hex');
  const parts = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    hash.slice(12, 16),
    hash.slice(16, 20),
    String(offset).padStart(12, '0'),
  ];
  return parts.join('-');
}

/** An error as Graph sends it: https://learn.microsoft.com/en-us/graph/errors */
export function graphError(
  incoming: Incoming,
  now: Date,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Reply {
  const answered = jsonHeaders(incoming);
  const innerError = {
    date: now.toISOString().slice(0, 19),
    'request-id': answered['request-id'],
    'client-request-id': answered['client-request-id'],
  };
  return { status, headers: { ...answered, ...headers }, body: { error: { code, message, innerError } } };
}

function jsonHeaders(incoming: Incoming): Record<string, string> {
  const id = randomUUID();
  const client = incoming.headers['client-request-id'];
  return {
    'content-type':
      'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8',
    'cache-control': 'no-store, no-cache',
    'request-id': id,
    'client-request-id': typeof client === 'string' ? client : id,
  };
}
