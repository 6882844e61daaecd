import { describe, expect, it } from 'vitest';
import type { ChannelSettings } from '../../lambda/config.ts';
import { MonitorError } from '../../lambda/errors.ts';
import { monitor } from '../../lambda/monitor.ts';
import { ClaimedError, type Run, type RunResult } from '../../lambda/run/run.ts';
import { expectCompleteLedger } from './ledgers.ts';
import {
  sendBy,
  Crash,
  crashing,
  dawdling,
  fillDays,
  RUN_MS,
  tenant,
  TENANT_ID,
  world,
  type World,
} from './fakes.ts';

const BASE = { controls: { alpha: 8, beta: 5, gamma: 2, delta: 1 }, maximum: 40 };

const CHANNELS: ChannelSettings[] = [
  { name: 'soc', type: 'teams', url: { secret: 'soc' }, kinds: ['scores', 'controls', 'operations'] },
  { name: 'chat', type: 'slack', url: { secret: 'chat' }, kinds: ['scores'] },
  { name: 'bus', type: 'events', kinds: ['operations'] },
];

/** The archive after the first run, which is the same every time. */
const begun = new Map<string, Uint8Array>();

/**
 * A tenant whose next run sends three mails, one after the other: scores, controls and operations (stale),
 * and five messages to three channels.
 * Three days are new, two of them to be archived after the first.
 */
async function aboutToSendThree() {
  const w = world('2026-03-01T07:00:00Z');
  fillDays(w.graph, '2026-02-20', 10, BASE);
  w.tenant = { ...tenant, channels: CHANNELS };
  const first = w.runOf();
  if (begun.size === 0) {
    await monitor(first);
    for (const [key, bytes] of w.store.objects) begun.set(key, bytes);
  } else for (const [key, bytes] of begun) w.store.objects.set(key, bytes);
  w.mailer.sent.length = 0;
  for (const { got } of w.channels.byName.values()) got.length = 0;
  w.graph.days.set('2026-03-02', BASE);
  w.graph.days.set('2026-03-03', { ...BASE, controls: { alpha: 5, beta: 5, delta: 1, epsilon: 3 } });
  w.graph.profiles = [{ id: 'alpha', title: 'Alpha', maxScore: 10 }];
  w.clock.set('2026-03-06T07:00:00Z');
  return w;
}

function keysSent(w: World): string[] {
  const messages = [...w.channels.byName.values()].flatMap(({ got }) => got.map(({ id }) => id));
  return [...w.mailer.sent.map(({ key }) => key), ...messages];
}

/** The undisturbed run, and how many calls of ports it makes. */
async function reference() {
  const w = await aboutToSendThree();
  const run = w.runOf();
  const watched = crashing(run.ports, Number.POSITIVE_INFINITY, 'before');
  const result = await monitor({ ...run, ports: watched.ports });
  expect(result.mails.map(({ kind }) => kind)).toEqual(['scores', 'controls', 'operations']);
  expect(keysSent(w)).toHaveLength(8);
  return { calls: watched.calls(), dump: w.store.dump(), sent: keysSent(w), result };
}

describe('a crash at every call of a port', async () => {
  const expected = await reference();
  const points = Array.from({ length: expected.calls }, (_, index) => index + 1).flatMap((nth) => [
    [nth, 'before'] as const,
    [nth, 'after'] as const,
  ]);

  it('has many places to crash at', () => {
    expect(expected.calls).toBeGreaterThan(20);
  });

  it.each(points)(
    'call %i, dying %s its effect: a retry of the invocation ends the same, byte for byte',
    async (nth, when) => {
      const w = await aboutToSendThree();
      const run = w.runOf('the-invocation');
      await die(run, nth, when);
      await monitor(w.runOf('the-invocation'));

      expect(w.store.dump()).toEqual(expected.dump);
      await expectCompleteLedger(w.store);
      expectEachMailOnce(w, expected.sent);
    },
  );

  it.each(points)(
    'call %i, dying %s its effect: a later run, past the claim, ends in the same archive',
    async (nth, when) => {
      const w = await aboutToSendThree();
      const run = w.runOf();
      await die(run, nth, when);
      const claimed = JSON.parse(
        Buffer.from(w.store.objects.get(`state/tenant=${TENANT_ID}.json`)!).toString(),
      ).claim;
      // Where nothing was claimed, the clock may stand still, and then every byte is the same.
      if (claimed) w.clock.advance(RUN_MS + 10_001);
      await monitor(w.runOf());

      expect(withoutRunTime(w.store.dump())).toEqual(withoutRunTime(expected.dump));
      await expectCompleteLedger(w.store);
      expectEachMailOnce(w, expected.sent);
    },
  );
});

/**
 * The run dies at a call. In its last step, the columns, a death looks to it like any failure there, and fails nothing:
 * everything has been reported by then.
 */
async function die(run: Run, nth: number, when: 'before' | 'after') {
  const { ports, calls } = crashing(run.ports, nth, when);
  const ending = await monitor({ ...run, ports }).catch((error: unknown) => error);
  expect(calls()).toBe(nth);
  const hasTold = !(ending instanceof Error) && (ending as RunResult).pending.length === 0;
  expect(ending instanceof Crash || hasTold).toBe(true);
}

/** When the last run was is all that may differ. */
function withoutRunTime(dump: Record<string, string>) {
  const key = `state/tenant=${TENANT_ID}.json`;
  const { lastRun, ...state } = JSON.parse(Buffer.from(dump[key]!, 'base64').toString());
  return { ...dump, [key]: { ...state, lastRun: { ...lastRun, at: null } } };
}

/** Every mail was sent; at most one of them twice: the one that was in flight. */
function expectEachMailOnce(w: World, expected: string[]) {
  const sent = keysSent(w);
  expect([...new Set(sent)].toSorted()).toEqual(expected.toSorted());
  expect(sent.length).toBeLessThanOrEqual(expected.length + 1);
}

describe('two runs at once', () => {
  it.each(Array.from({ length: 25 }, (_, seed) => seed))(
    'end in one archive and one of each mail (order %i)',
    async (seed) => {
      const expected = await reference();
      const w = await aboutToSendThree();
      const outcomes = await Promise.allSettled(
        [1, 2].map((which) => monitor(dawdling(w.runOf(), seed * 2 + which))),
      );

      expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
      const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      expect(reasons.filter((reason) => !(reason instanceof ClaimedError))).toEqual([]);
      expect(keysSent(w).toSorted()).toEqual(expected.sent.toSorted());
      const last = await monitor(w.runOf());
      expect(last.mails).toEqual([]);
      await expectCompleteLedger(w.store);
      expect(w.store.dump('snapshots/')).toEqual(
        Object.fromEntries(Object.entries(expected.dump).filter(([key]) => key.startsWith('snapshots/'))),
      );
    },
  );

  it('finds a live claim, archives, lists its mails in pending, and fails retryably', async () => {
    const w = await aboutToSendThree();
    const first = w.runOf();
    const second = w.runOf();
    let outcome: unknown;
    // The second run comes while the first is sending its first mail.
    sendBy(first, {
      send: async (mail) => {
        outcome ??= await monitor(second).catch((error: unknown) => error);
        return w.mailer.send(mail);
      },
    });
    await monitor(first);

    expect(outcome).toBeInstanceOf(ClaimedError);
    expect(outcome).toMatchObject({
      retryable: true,
      result: {
        archived: [],
        mails: [],
        pending: [{ kind: 'scores' }, { kind: 'controls' }, { kind: 'operations' }],
      },
    });
    expect(w.mailer.sent).toHaveLength(3);
  });

  it('never sends for a run whose claim was taken over', async () => {
    const w = await aboutToSendThree();
    const slow = w.runOf();
    sendBy(slow, {
      send: async (mail) => {
        if (w.mailer.sent.length === 0) {
          // It hangs here until its claim has ended and another run has done the work.
          w.clock.advance(RUN_MS + 10_001);
          await monitor(w.runOf());
        }
        return w.mailer.send(mail);
      },
    });
    await expect(monitor(slow)).rejects.toMatchObject({ code: 'claim-lost', retryable: true });
    // The three of the other run, and the one that was in flight.
    expect(w.mailer.sent).toHaveLength(4);
  });
});

describe('a mail that fails', () => {
  it('holds back no other, is sent by the next run, and to an address corrected since', async () => {
    const w = await aboutToSendThree();
    const run = w.runOf();
    sendBy(run, {
      send: async (mail) => {
        if (mail.kind === 'scores')
          throw new MonitorError('mail-failed', 'rejected', '', { retryable: true });
        return w.mailer.send(mail);
      },
    });
    expect(await monitor(run)).toMatchObject({ pending: [{ kind: 'scores' }] });
    expect(w.mailer.sent.map(({ kind }) => kind)).toEqual(['controls', 'operations']);

    const next = w.runOf();
    const corrected = {
      ...next.tenant,
      recipients: { ...next.tenant.recipients, scores: ['new@contoso.com'] },
    };
    const result = await monitor({ ...next, tenant: corrected });
    expect(result.mails).toMatchObject([{ kind: 'scores', to: ['new@contoso.com'] }]);
    expect(w.mailer.sent.map(({ kind }) => kind)).toEqual(['controls', 'operations', 'scores']);
  });
});
