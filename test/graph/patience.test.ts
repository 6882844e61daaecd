import { afterEach, describe, expect, test, vi } from 'vitest';
import { machineClock } from '../../lambda/clock.ts';
import { MonitorError } from '../../lambda/errors.ts';
import { LIMITS, patience, retryAfterOf, Setback } from '../../lambda/graph/patience.ts';
import { failureOf, inSeconds } from './support.ts';

const limits = { ...LIMITS, timeout: 1_000, attempts: 5, answers: 2, backoff: 4, backoffLimit: 8 };
const failure = new MonitorError('graph-throttled', 'It throttles.', 'Wait.', { retryable: true });

/** A call that suffers these setbacks, one a time, then works. */
function setBack(...setbacks: Setback[]) {
  const timeouts: number[] = [];
  const call = async (timeout: number) => {
    timeouts.push(timeout);
    const setback = setbacks[timeouts.length - 1];
    if (setback) throw setback;
    return 'done';
  };
  return { call, timeouts };
}

const outage = () => new Setback('outage', failure);
const answer = () => new Setback('answer', failure);

describe('a call', () => {
  const patiently = patience(limits, inSeconds(60), machineClock);

  test('that works is made once', async () => {
    const { call, timeouts } = setBack();
    expect(await patiently(call)).toBe('done');
    expect(timeouts).toEqual([1_000]);
  });

  test('is made again until it works', async () => {
    const { call, timeouts } = setBack(outage(), outage(), answer(), outage(), outage(), outage());
    expect((await failureOf(patiently(call))).code).toBe('graph-throttled');
    expect(timeouts).toHaveLength(6);
    expect(await patiently(setBack(outage(), answer(), outage(), outage(), outage()).call)).toBe('done');
  });

  test('that gets an unusable answer is given up sooner', async () => {
    const { call, timeouts } = setBack(answer(), answer());
    expect(await failureOf(patiently(call))).toBe(failure);
    expect(timeouts).toHaveLength(2);
  });

  test('that fails otherwise is not made again', async () => {
    let calls = 0;
    const error = new Error('a bug');
    await expect(
      patiently(async () => {
        calls += 1;
        throw error;
      }),
    ).rejects.toBe(error);
    expect(calls).toBe(1);
  });

  test('waits as long as it is asked to, and only then', async () => {
    const start = performance.now();
    await patiently(setBack(new Setback('outage', failure, 120)).call);
    expect(performance.now() - start).toBeGreaterThanOrEqual(119);
  });
});

describe('the deadline', () => {
  test('bounds the time that a call may take', async () => {
    const clock = { now: () => new Date(10_000) };
    const { call, timeouts } = setBack();
    await patience(limits, new Date(10_250), clock)(call);
    expect(timeouts).toEqual([250]);
  });

  test('allows no call to begin after it', async () => {
    const { call, timeouts } = setBack();
    const error = await failureOf(patience(limits, inSeconds(-1), machineClock)(call));
    expect(error.code).toBe('deadline-reached');
    expect(error.retryable).toBe(true);
    expect(timeouts).toEqual([]);
  });

  test('makes a Retry-After beyond it fail at once, and the error has both times', async () => {
    const deadline = inSeconds(20);
    const start = performance.now();
    const error = await failureOf(
      patience(limits, deadline, machineClock)(setBack(new Setback('outage', failure, 300_000)).call),
    );
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(error).toMatchObject({ code: 'graph-throttled', retryable: true, advice: 'Wait.' });
    expect(error.message).toMatch(/^It throttles\. The 30[01] s that it asks to wait would end after/);
    expect(error.message).toContain(deadline.toISOString());
  });
});

describe('without a Retry-After', () => {
  const slow = { ...limits, attempts: 6, backoff: 20, backoffLimit: 80 };
  afterEach(() => void vi.restoreAllMocks());

  /** With a clock that stands still, a pause fails if and only if it is as long as all the time there is. */
  const withPausesBelow = (milliseconds: number) => {
    const { call, timeouts } = setBack(outage(), outage(), outage(), outage());
    const outcome = patience(slow, new Date(milliseconds), { now: () => new Date(0) })(call);
    return { outcome, timeouts };
  };

  test('the pauses double up to a bound', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    const { outcome } = withPausesBelow(81);
    expect(await outcome).toBe('done');
    for (const [below, calls] of [
      [79, 3],
      [39, 2],
      [19, 1],
    ] as const) {
      const { outcome: early, timeouts } = withPausesBelow(below);
      expect((await failureOf(early)).message).toContain('A pause of 1 s would end after');
      expect(timeouts).toHaveLength(calls);
    }
  });

  test('the pauses are random from zero on', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    expect(await withPausesBelow(1).outcome).toBe('done');
  });
});

describe('Retry-After', () => {
  const now = new Date('2026-03-31T12:00:00Z');
  test.each<[Record<string, string>, number | null]>([
    [{}, null],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '17' }, 17_000],
    [{ 'retry-after': 'Tue, 31 Mar 2026 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Tue, 31 Mar 2026 11:00:00 GMT' }, 0],
    // Our clock is an hour off; the answer says what time it is there.
    [{ 'retry-after': 'Tue, 31 Mar 2026 13:00:30 GMT', date: 'Tue, 31 Mar 2026 13:00:00 GMT' }, 30_000],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '-5' }, null],
    [{ 'retry-after': 'never GMT' }, null],
  ])('%j is %s ms', (headers, milliseconds) => {
    expect(retryAfterOf(headers, now)).toBe(milliseconds);
  });
});
