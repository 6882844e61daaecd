import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { MonitorError } from '../errors.ts';
import type { Clock } from '../ports.ts';

/** How long and how many times Entra ID and Graph are tried before a run gives up. */
export interface Limits {
  /** ms; one call, from connecting to the last byte of the body. */
  timeout: number;
  /** Maximum number of calls if the service is unreachable, throttles or fails. */
  attempts: number;
  /** Maximum number of calls if it answers with something unusable, which rarely changes within a minute. */
  answers: number;
  /** ms; without a Retry-After the first pause is random up to this, the second up to twice this, and so on, … */
  backoff: number;
  /** … ms; up to this. */
  backoffLimit: number;
  /** Bytes of one answer, decompressed. 411 controls over 90 days are 10 MB. */
  bytes: number;
  /** Pages of one list. The longest known, the profiles, has three. */
  pages: number;
}

export const LIMITS: Limits = {
  timeout: 30_000,
  attempts: 8,
  answers: 3,
  backoff: 500,
  backoffLimit: 30_000,
  bytes: 64 * 2 ** 20,
  pages: 100,
};

/** A call that failed and may succeed if it is made again. */
export class Setback extends Error {
  readonly kind: 'outage' | 'answer';
  /** The error for the operator when patience ends. */
  readonly failure: MonitorError;
  /** ms that the service asks to wait; null if it does not say. */
  readonly retryAfter: number | null;

  constructor(kind: 'outage' | 'answer', failure: MonitorError, retryAfter: number | null = null) {
    super(failure.message);
    this.name = 'Setback';
    this.kind = kind;
    this.failure = failure;
    this.retryAfter = retryAfter;
  }
}

/** Makes a call, and repeats it after a `Setback`, until it works or patience ends. The call gets the ms that it may take. */
export type Patiently = <T>(call: (timeout: number) => Promise<T>) => Promise<T>;

/**
 * @param deadline nothing starts, waits or goes on after it
 * @param clock the one that the deadline is of
 * @returns a function that throws what the call throws, the failure of its last `Setback`, or `deadline-reached`
 */
export function patience(limits: Limits, deadline: Date, clock: Clock): Patiently {
  return async (call) => {
    const setbacks = { outage: 0, answer: 0 };
    const most = { outage: limits.attempts, answer: limits.answers };
    for (;;) {
      const left = deadline.getTime() - clock.now().getTime();
      if (left <= 0) throw late(deadline);
      try {
        return await call(Math.min(limits.timeout, left));
      } catch (error) {
        if (!(error instanceof Setback)) throw error;
        setbacks[error.kind] += 1;
        if (setbacks[error.kind] >= most[error.kind]) throw error.failure;

        const pause = pauseAfter(error, setbacks.outage + setbacks.answer, limits);
        if (clock.now().getTime() + pause >= deadline.getTime()) throw tooLong(error, pause, deadline);
        await sleep(pause);
      }
    }
  };
}

/**
 * What a Retry-After says: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 * A date is measured against the answer's own Date, so that a wrong clock on our side does no harm.
 * @returns ms from now; null where there is none, or none that can be read
 */
export function retryAfterOf(headers: IncomingHttpHeaders, now: Date): number | null {
  const text = headers['retry-after']?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!text.endsWith('GMT')) return null;
  const sent = Date.parse(headers.date ?? '');
  const wait = Date.parse(text) - (Number.isNaN(sent) ? now.getTime() : sent);
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/** ms. Full jitter (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter) or what was asked for. */
function pauseAfter(setback: Setback, times: number, limits: Limits): number {
  if (setback.retryAfter === null) {
    return Math.random() * Math.min(limits.backoffLimit, limits.backoff * 2 ** (times - 1));
  }
  // A little is added, so that clients that were throttled together do not return together.
  return setback.retryAfter + Math.random() * limits.backoff;
}

function tooLong({ failure, retryAfter }: Setback, pause: number, deadline: Date): MonitorError {
  const wait = `${Math.ceil((retryAfter ?? pause) / 1000)} s`;
  return new MonitorError(
    failure.code,
    `${failure.message} ${retryAfter === null ? `A pause of ${wait}` : `The ${wait} that it asks to wait`} would end after this run must end (${deadline.toISOString()}).`,
    failure.advice,
    { retryable: failure.retryable },
  );
}

function late(deadline: Date): MonitorError {
  return new MonitorError(
    'deadline-reached',
    `Microsoft was no longer asked, because this run had to end by ${deadline.toISOString()}.`,
    'The next run fetches what is missing. If this happens daily, find out what took the time.',
    { retryable: true },
  );
}
