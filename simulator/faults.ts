import { aadstsError } from './aadsts.ts';
import { graphError } from './graph.ts';
import type { Endpoint, Incoming, Reply } from './http.ts';
import type { WireControlScore, WireProfile, WireSecureScore } from './wire.ts';

/** Turns a good answer into the one that is sent instead. */
export type Fault = (good: Reply, incoming: Incoming) => Reply;

export interface FaultRule {
  at: Endpoint;
  /** Only this tenant. */
  tenant?: string;
  /** The number of good answers that are sent first; 0 if absent. */
  after?: number;
  /** The number of times it happens: 1 if absent, `Infinity` forever. */
  times?: number;
  with: Fault;
}

/** The pending rules, in the order in which they were made. At most one applies to an answer. */
export class Faults {
  #rules: { rule: FaultRule; after: number; times: number }[] = [];

  /** @returns a function that takes the rule back. */
  add(rule: FaultRule): () => void {
    const added = { rule, after: rule.after ?? 0, times: rule.times ?? 1 };
    this.#rules.push(added);
    return () => {
      this.#rules = this.#rules.filter((other) => other !== added);
    };
  }

  clear(): void {
    this.#rules = [];
  }

  apply(endpoint: Endpoint | null, tenantId: string | null, reply: Reply, incoming: Incoming): Reply {
    for (const pending of this.#rules) {
      const { at, tenant, with: fault } = pending.rule;
      if (at !== endpoint || (tenant && tenant.toLowerCase() !== tenantId) || pending.times <= 0) continue;
      if (pending.after > 0) pending.after -= 1;
      else {
        pending.times -= 1;
        return fault(reply, incoming);
      }
    }
    return reply;
  }
}

// What goes wrong on the way

/** The service answers an error. */
export function status(code: number, text = 'The service could not answer.'): Fault {
  const names: Record<number, string> = {
    401: 'InvalidAuthenticationToken',
    403: 'Forbidden',
    429: 'TooManyRequests',
    500: 'InternalServerError',
    502: 'BadGateway',
    503: 'ServiceUnavailable',
    504: 'GatewayTimeout',
  };
  return (_good, incoming) => graphError(incoming, incoming.at, code, names[code] ?? 'UnknownError', text);
}

/** The service answers 429. @param retryAfter seconds, or the time; undefined: the answer has no Retry-After */
export function throttled(retryAfter?: number | Date): Fault {
  return (good, incoming) => {
    const reply = status(429, 'Too many requests.')(good, incoming);
    if (retryAfter === undefined) return reply;
    const value = retryAfter instanceof Date ? retryAfter.toUTCString() : String(retryAfter);
    return { ...reply, headers: { ...reply.headers, 'retry-after': value } };
  };
}

/** The token is not accepted, as if it had been revoked. */
export const unauthorized: Fault = status(401, 'Access token validation failure.');

/** The token lacks the role, although the registration has it. */
export const forbidden: Fault = status(
  403,
  'Auth token does not contain valid permissions or user does not have valid roles.',
);

/** Entra answers the error with that number, at the token endpoint (or the discovery document). */
export function aadsts(code: number): Fault {
  return (_good, incoming) => {
    const tenant = incoming.url.pathname.split('/')[1] ?? '';
    const clientId = new URLSearchParams(incoming.body).get('client_id') ?? 'unknown';
    return aadstsError(code, { tenant, clientId }, incoming.at);
  };
}

/**
 * The service answers 206, because a provider did not answer. The first half of the entries' controls (or of the
 * profiles) is there.
 * @param warning `{vendor}/{provider}/{status}/{latency}`
 */
export function partial(warning = 'Microsoft/SecureScore/504/10000'): Fault {
  return (good) => {
    const answer = onAnswer((body) => {
      const half = <T>(list: T[]): T[] => list.slice(0, Math.ceil(list.length / 2));
      const value = body.value as (WireSecureScore | WireProfile)[];
      const cut = value.map((one) =>
        'controlScores' in one ? { ...one, controlScores: half(one.controlScores) } : one,
      );
      return { ...body, value: value.some((one) => 'controlScores' in one) ? cut : half(value) };
    })(good);
    return { ...answer, status: 206, headers: { ...answer.headers, warning: `199 - "${warning}"` } };
  };
}

/** A proxy answers a page of its own, with status 200. */
export const html: Fault = () => ({
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: '<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Please sign in.</body></html>',
});

/** The connection ends before the length that was announced. */
export const truncated: Fault = (good) => ({ ...good, broken: 'cut' });

/** The body has its complete length, but its JSON is truncated. */
export const cutJson: Fault = (good) => {
  const text = JSON.stringify(good.body);
  return { ...good, body: text.slice(0, Math.ceil(text.length / 2)) };
};

/** The body is not JSON, although the header claims it. */
export const malformedJson: Fault = (good) => ({ ...good, body: `{'value': [${'undefined, '.repeat(3)}]}` });

/** No answer is ever sent. */
export const hangs: Fault = (good) => ({ ...good, broken: 'hangs' });

/** The connection is reset: ECONNRESET. */
export const reset: Fault = (good) => ({ ...good, broken: 'reset' });

// What is wrong in the answer

export interface Answer {
  value: unknown[];
  [key: string]: unknown;
}

/** Changes the body of a good answer, and leaves any other alone. */
export function onAnswer(change: (body: Answer) => Answer): (good: Reply) => Reply {
  return (good) => (good.status === 200 ? { ...good, body: change(good.body as Answer) } : good);
}

type Entry = WireSecureScore;
type Changed = Record<string, unknown>;

/** @param change of the entry that stands n-th in the answer (0 is the newest) */
function entry(n: number, change: (one: Entry) => Changed): Fault {
  return onAnswer((body) => ({
    ...body,
    value: body.value.map((one, index) => (index === n ? change(one as Entry) : one)),
  }));
}

/** @param change of all entries of the answer */
function everyEntry(change: (one: Entry) => Changed): Fault {
  return onAnswer((body) => ({ ...body, value: body.value.map((one) => change(one as Entry)) }));
}

/** @returns the entry without one of its keys. */
function without(key: keyof Entry): (one: Entry) => Changed {
  return (one) => Object.fromEntries(Object.entries(one).filter(([name]) => name !== key));
}

/** The record of no tenant that Graph once served: azureTenantId "NA" and numbers of somebody else. */
export const placeholder = (n = 0): Fault =>
  entry(n, (one) => ({
    ...one,
    id: `NA_${one.createdDateTime.slice(0, 10)}`,
    azureTenantId: 'NA',
    currentScore: 12,
    maxScore: 5300,
    activeUserCount: 0,
    enabledServices: [],
    controlScores: [],
  }));

/** Another tenant's entry, complete in itself. */
export const foreign = (n: number, tenantId = '99999999-9999-4999-8999-999999999999'): Fault =>
  entry(n, (one) => ({
    ...one,
    id: `${tenantId}_${one.createdDateTime.slice(0, 10)}`,
    azureTenantId: tenantId,
  }));

/** An entry that lacks one of its keys. */
export const incomplete = (n: number, key: keyof Entry): Fault => entry(n, without(key));

/** `value: []`, and no further page. */
export const empty: Fault = onAnswer((body) => ({ '@odata.context': body['@odata.context'], value: [] }));

/** Scores as strings, as one user reported them. */
export const scoresAsStrings: Fault = everyEntry((one) => ({
  ...one,
  currentScore: String(one.currentScore),
  maxScore: String(one.maxScore),
  controlScores: one.controlScores.map((control) => ({
    ...control,
    score: String(control.score),
    scoreInPercentage: String(control.scoreInPercentage),
  })),
}));

/** The page in reverse order. */
export const oldestFirst: Fault = onAnswer((body) => ({ ...body, value: body.value.toReversed() }));

/** Three of five controls of the n-th entry are missing; the total is as if they were not in the tenant. */
export const controlsGone = (n = 0): Fault =>
  entry(n, (one) => {
    const controlScores = one.controlScores.filter((_, index) => index % 5 < 2);
    const currentScore =
      Math.round(controlScores.reduce((sum, control) => sum + control.score, 0) * 100) / 100;
    return { ...one, controlScores, currentScore };
  });

/** The total of the n-th entry differs by this number of points from the sum of its controls. */
export const sumOff = (points: number, n = 0): Fault =>
  entry(n, (one) => ({ ...one, currentScore: Math.round((one.currentScore + points) * 100) / 100 }));

/** `averageComparativeScores` is empty, as it was for a month. */
export const noComparison: Fault = everyEntry((one) => ({ ...one, averageComparativeScores: [] }));

/** All averages are -1, as in an outage. */
export const comparisonMinusOne: Fault = everyEntry((one) => ({
  ...one,
  averageComparativeScores: one.averageComparativeScores.map((average) => ({ ...average, averageScore: -1 })),
}));

/** One control of the n-th entry, changed: for hostile texts and the like. */
export const control = (n: number, name: string, change: (one: WireControlScore) => Changed): Fault =>
  entry(n, (one) => ({
    ...one,
    controlScores: one.controlScores.map((score) => (score.controlName === name ? change(score) : score)),
  }));

/** One profile, changed. */
export const profile = (id: string, change: (one: WireProfile) => Changed): Fault =>
  onAnswer((body) => ({
    ...body,
    value: (body.value as WireProfile[]).map((one) => (one.id === id ? change(one) : one)),
  }));
