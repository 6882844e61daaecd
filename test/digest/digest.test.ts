import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { layout } from '../../lambda/archive/layout.ts';
import { listTenants } from '../../lambda/archive/tenants.ts';
import { changesBetween } from '../../lambda/digest/changes.ts';
import { compile, makeDigest, type DigestRun } from '../../lambda/digest/digest.ts';
import { dateOf } from '../../lambda/dates.ts';
import { DeliveryError, MonitorError } from '../../lambda/errors.ts';
import type { DigestReport } from '../../lambda/report/digest-model.ts';
import type { Report, ReportedChange } from '../../lambda/report/model.ts';
import type { Ports } from '../../lambda/ports.ts';
import { ClaimedError } from '../../lambda/run/run.ts';
import { watch } from '../../lambda/watch/watch.ts';
import * as change from '../../simulator/changes.ts';
import { Crash, crashing, dawdling, RUN_MS } from '../run/fakes.ts';
import { changeOf } from '../report/reports.ts';
import { ADDED, ENTRIES, fleet, FIRST, idOf, nameOf, type FleetOptions } from './fleet.ts';

const CHANNELS = [
  { name: 'soc', type: 'teams', url: { secret: 'soc' } },
  { name: 'chat', type: 'slack', url: { secret: 'chat' }, kinds: ['operations'] },
];
const DAILY = {
  name: 'daily',
  every: 'day',
  at: '08:00',
  to: ['soc@msp.example'],
  channels: ['soc', 'chat'],
};

/** Of the simulator's tenants, all alike: switches that are on, and one that is off. */
let on: string[];
let off: string[];
beforeAll(() => {
  const probe = fleet({ tenants: 1 });
  probe.morning(1);
  const reading = [...probe.tenants.values()][0]!.made.read();
  const { controlScores } = reading.secureScore(reading.dates[0]!, true);
  const switches = new Set(ENTRIES.flatMap(({ id, of }) => (of === null ? id : [])));
  const having = (isOn: boolean) =>
    controlScores.flatMap(({ controlName, score: points }) =>
      switches.has(controlName) && points > 0 === isOn ? controlName : [],
    );
  [on, off] = [having(true), having(false)];
});

async function started(options: Partial<FleetOptions> = {}) {
  const f = fleet({
    tenants: 5,
    digests: [DAILY],
    ...options,
    config: { channels: CHANNELS, ...options.config },
  });
  f.morning(FIRST);
  await f.run();
  await f.digest();
  f.mailer.sent.length = 0;
  const day = async (number: number, name?: string) => {
    f.morning(number);
    await f.run();
    return f.digest(name);
  };
  return { ...f, day };
}

/** The next digest has something to say, and goes to a mailbox and two channels. */
async function aboutToSend() {
  const f = await started({
    forAll: { events: [{ day: FIRST + 1, apply: change.added(ADDED, { on: false }) }], except: [] },
    events: { 2: [{ day: FIRST + 1, apply: change.turned(on[0]!, false) }] },
  });
  f.morning(FIRST + 1);
  await f.run();
  f.clock.advance(3.5 * 3_600_000);
  return f;
}

type Fleet = Awaited<ReturnType<typeof started>>;

function sentBy(f: Fleet): string[] {
  const messages = [...f.channels.byName.values()].flatMap(({ got }) => got.map(({ id }) => id));
  return [...f.mailer.sent.map(({ key }) => key), ...messages];
}

function stateOf(f: Pick<Fleet, 'store'>, name = 'daily') {
  return JSON.parse(Buffer.from(f.store.objects.get(layout.digest(name))!).toString());
}

/** Puts everything back to what it was. */
function rewinder(f: Fleet): () => void {
  const [objects, now] = [new Map(f.store.objects), f.clock.now().toISOString()];
  return () => {
    f.store.objects.clear();
    for (const [key, bytes] of objects) f.store.objects.set(key, bytes);
    f.clock.set(now);
    f.mailer.sent.length = 0;
    for (const channel of f.channels.byName.values()) channel.got.length = 0;
  };
}

/** The run whose nth call of a port dies. */
function dying(run: DigestRun, nth: number, when: 'before' | 'after') {
  const { ports, calls } = crashing(run.ports as unknown as Ports, nth, when);
  return { run: { ...run, ports: { ...ports, schedules: run.ports.schedules } }, calls };
}

describe('a crash at every call of a port', () => {
  it.each(['same', 'later'] as const)(
    'is made good by the %s invocation: the same archive, and nothing lost',
    async (retry) => {
      const f = await aboutToSend();
      const rewind = rewinder(f);
      const watched = dying(f.digestRun(undefined, 'one'), Number.POSITIVE_INFINITY, 'before');
      await makeDigest(watched.run);
      const expected = { sent: sentBy(f).toSorted(), dump: f.store.dump() };
      expect(watched.calls()).toBeGreaterThan(15);
      expect(expected.sent).toHaveLength(3);

      const faults: string[] = [];
      for (let nth = 1; nth <= watched.calls(); nth += 1) {
        for (const when of ['before', 'after'] as const) {
          const check = (what: string, holds: boolean) => {
            if (!holds) faults.push(`call ${nth}, dying ${when} its effect: ${what}`);
          };
          rewind();
          const ending: unknown = await makeDigest(dying(f.digestRun(undefined, 'one'), nth, when).run).catch(
            (error: unknown) => error,
          );
          // A channel that dies looks like one that fails: its delivery waits.
          check('died', ending instanceof Crash || stateOf(f).outbox.length > 0);
          const isClaimed = stateOf(f).claim !== null;
          if (retry === 'later' && isClaimed) f.clock.advance(RUN_MS + 10_001);
          await makeDigest(f.digestRun(undefined, retry === 'same' ? 'one' : 'another'));

          const sent = sentBy(f);
          check('each is sent', isDeepStrictEqual([...new Set(sent)].toSorted(), expected.sent));
          check('at most one is sent twice', sent.length <= 4);
          check('one report', (await f.store.list('reports/digest=')).length === 1);
          const isAlike = isDeepStrictEqual(f.store.dump(), expected.dump);
          check('the same archive', isAlike || (retry === 'later' && isClaimed));
          check('nothing waits', stateOf(f).claim === null && stateOf(f).outbox.length === 0);
        }
      }
      expect(faults).toEqual([]);
    },
    120_000,
  );
});

describe('two digests at once', () => {
  it('send one, whatever the order of their calls', async () => {
    const f = await aboutToSend();
    const rewind = rewinder(f);
    for (let seed = 0; seed < 30; seed += 1) {
      rewind();
      const outcomes = await Promise.allSettled(
        [1, 2].map((which) => makeDigest(dawdling(f.digestRun(), seed * 2 + which))),
      );
      expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
      const reasons = outcomes.flatMap((each) =>
        each.status === 'rejected' ? [each.reason as unknown] : [],
      );
      expect(reasons.filter((reason) => !(reason instanceof ClaimedError))).toEqual([]);
      expect(sentBy(f), `order ${seed}`).toHaveLength(3);
      expect(await f.store.list('reports/digest=')).toHaveLength(1);
    }
  });
});

describe('what a digest covers', () => {
  it('one digest covers ten days without one, and what fell and rose within them is no loss', async () => {
    const f = await started({
      events: {
        1: [
          { day: FIRST + 2, apply: change.turned(on[0]!, false) },
          { day: FIRST + 6, apply: change.turned(on[0]!, true) },
        ],
        2: [
          { day: FIRST + 3, apply: change.turned(on[1]!, false) },
          { day: FIRST + 7, apply: change.turned(on[2]!, false) },
        ],
      },
      forAll: { events: [{ day: FIRST + 4, apply: change.added(ADDED, { on: false }) }], except: [0, 1, 2] },
    });
    const before = (await f.digest()).report;
    expect(before).toBeNull();
    for (let day = FIRST + 1; day < FIRST + 10; day += 1) {
      f.morning(day);
      await f.run();
    }
    const { report } = await f.day(FIRST + 10);
    expect(f.mailer.subjects()).toEqual([expect.stringContaining('Daily digest of 5 tenants')]);
    expect(report!.from).toBe('2026-03-06');
    expect(report!.to).toBe('2026-03-16');
    const [, one, two] = report!.tenants;
    expect(one!.changes).toEqual([]);
    expect(one!.account!.change).toBeCloseTo(0, 9);
    expect(two!.changes.map(({ kind, control }) => `${kind} ${control}`).toSorted()).toEqual(
      [`lost ${on[1]}`, `lost ${on[2]}`].toSorted(),
    );
    expect(report!.many).toMatchObject([{ kind: 'new', control: ADDED.id, tenantIds: [idOf(3), idOf(4)] }]);
    for (const { account, before: was, after, days } of report!.tenants) {
      expect(days).toBe(10);
      expect(account!.unexplained).toBeCloseTo(0, 9);
      expect(was!.percentage! + account!.change).toBeCloseTo(after!.percentage!, 12);
    }
    expect((await f.day(FIRST + 11)).report).toBeNull();
  });

  it('what is pending, muted or too small is in the sum, and in no list', async () => {
    const f = await started({
      tenant: (number) =>
        number === 1
          ? { alerts: { confirmDrops: 3 } }
          : number === 2
            ? { alerts: { mute: [on[0]!] } }
            : number === 3
              ? { alerts: { minimumPoints: 100 } }
              : {},
      events: {
        0: [{ day: FIRST + 1, apply: change.turned(on[0]!, false) }],
        1: [{ day: FIRST + 1, apply: change.turned(on[0]!, false) }],
        2: [{ day: FIRST + 1, apply: change.turned(on[0]!, false) }],
        3: [{ day: FIRST + 1, apply: change.turned(on[0]!, false) }],
      },
    });
    const { report } = await f.day(FIRST + 1);
    expect(report!.tenants.map(({ changes }) => changes.length)).toEqual([1, 0, 0, 0, 0]);
    for (const { account } of report!.tenants.slice(1, 4)) {
      expect(account!.change).toBeLessThan(-0.5);
      expect(account).toMatchObject({ lost: 0, earned: account!.other });
      expect(account!.earned).toBeCloseTo(account!.change, 9);
    }
    // Three days later it is confirmed: listed, and taken back from what is not listed.
    await f.day(FIRST + 2);
    await f.day(FIRST + 3);
    const { report: later } = await f.day(FIRST + 4);
    const [, confirmed] = later!.tenants;
    expect(confirmed!.changes).toMatchObject([{ kind: 'lost', control: on[0], since: '2026-03-07' }]);
    expect(confirmed!.account!.change).toBeCloseTo(0, 9);
    expect(confirmed!.account!.other).toBeCloseTo(-confirmed!.account!.lost, 9);
  });

  it('starts from the score that was digested, whatever Graph says about that day afterwards', async () => {
    const f = await started({
      // The snapshot of the day that was digested is restated two days later.
      events: { 1: [{ day: FIRST, knownFrom: FIRST + 1, apply: change.turned(on[0]!, false) }] },
    });
    const was = stateOf(f).reported.tenants[idOf(1)].score.percentage as number;
    const { report } = await f.day(FIRST + 1);
    const { before, account, after } = report!.tenants[1]!;
    expect(before!.percentage).toBe(was);
    expect(account!.change).toBeCloseTo(after!.percentage! - was, 12);
    expect(account!.lost).toBeCloseTo(account!.change, 9);
    expect(account!.unexplained).toBeCloseTo(0, 9);
  });

  it('days from before trends had decisions take them from the reports', async () => {
    const f = await started({
      events: {
        1: [
          {
            day: FIRST + 1,
            apply: change.all(
              change.decided(off[0]!, { state: 'ThirdParty', by: 'ada@x.example', comment: null }),
              change.granted(off[0]!, true),
            ),
          },
        ],
      },
    });
    f.morning(FIRST + 1);
    await f.run();
    const key = layout.state(idOf(1));
    const state = JSON.parse(Buffer.from(f.store.objects.get(key)!).toString());
    const account = async () => (await f.digest()).report!.tenants[1]!.account!;
    const rewind = rewinder(f);
    const now = await account();
    expect(now.decided).toBeGreaterThan(0);
    rewind();
    for (const day of state.trend) delete day.decided;
    f.store.objects.set(key, Buffer.from(JSON.stringify(state)));
    expect(await account()).toEqual(now);
  });

  it('a tenant that is added, removed or unreadable is listed as such and breaks no sum', async () => {
    const f = await started({
      tenants: 6,
      events: {
        0: [{ day: FIRST + 2, apply: change.turned(on[1]!, false) }],
        1: [{ day: FIRST + 1, apply: change.turned(on[0]!, false) }],
      },
    });
    const key = layout.state(idOf(2));
    const original = f.store.objects.get(key)!;
    f.scheduled.delete(0);
    f.morning(FIRST + 1);
    await f.run([1, 3, 4, 5]);
    f.store.objects.set(key, Buffer.from('{'));
    const { report } = await f.digest();
    expect(report!.removed).toEqual([{ tenantId: idOf(0), name: nameOf(0) }]);
    expect(report!.fleet).toMatchObject({ tenants: 5, compared: 4 });
    expect(report!.attention).toMatchObject([{ kind: 'unreadable', tenantId: idOf(2), isKnown: false }]);
    const text = f.mailer.sent.at(-1)!.text.replaceAll(/\s+/g, ' ');
    expect(report!.tenants.find(({ tenantId }) => tenantId === idOf(2))).toMatchObject({
      name: nameOf(2),
      isNew: false,
      before: { date: '2026-03-06' },
      after: null,
    });
    expect(text).toContain(`Removed or switched off: ${nameOf(0)}.`);
    expect(text).toContain('The state in the archive cannot be read');

    // Restored, it counts from where it was digested last; nothing else is new.
    f.store.objects.set(key, original);
    expect(Object.keys(stateOf(f).reported.gone)).toEqual([idOf(0)]);
    const { report: next } = await f.day(FIRST + 2);
    expect(next).toBeNull();
    expect(stateOf(f).reported.tenants[idOf(2)].score.date).toBe('2026-03-06');
    f.scheduled.add(0);
    const { report: back } = await f.day(FIRST + 3);
    expect(back!.tenants.filter(({ isNew }) => isNew)).toMatchObject([
      // Its account goes on where it was digested last: what it lost meanwhile was in no digest.
      { tenantId: idOf(0), days: 3, changes: [{ kind: 'lost', control: on[1] }] },
    ]);
    expect(stateOf(f).reported.gone).toBeUndefined();
    expect(back!.tenants.find(({ tenantId }) => tenantId === idOf(2))).toMatchObject({
      days: 3,
      isNew: false,
    });
    expect(f.mailer.sent.at(-1)!.text).toContain(`Added: ${nameOf(0)}`);
  });

  it('a tenant that never had a score is listed as removed too', async () => {
    const f = fleet({ tenants: 5, digests: [DAILY], config: { channels: CHANNELS } });
    f.failing.add(4);
    f.morning(FIRST);
    await f.run();
    await f.digest();
    expect(stateOf(f).reported.tenants[idOf(4)]).toEqual({ name: nameOf(4), score: null });
    f.scheduled.delete(4);
    f.morning(FIRST + 1);
    await f.run([0, 1, 2, 3]);
    expect((await f.digest()).report).toMatchObject({
      removed: [{ tenantId: idOf(4), name: nameOf(4) }],
    });
    expect(f.mailer.sent.at(-1)!.text).toContain(`Removed or switched off: ${nameOf(4)}.`);
    expect(stateOf(f).reported.gone).toBeUndefined();
    // Once.
    f.morning(FIRST + 2);
    await f.run([0, 1, 2, 3]);
    expect((await f.digest()).report).toBeNull();
  });

  it('fails retryably if the archive does not answer, and reports nothing', async () => {
    const f = await aboutToSend();
    const run = f.digestRun();
    const get: DigestRun['ports']['store']['get'] = async (key) => {
      if (key === layout.state(idOf(3)))
        throw new MonitorError('archive-failing', 'no answer', 'Wait.', { retryable: true });
      return f.store.get(key);
    };
    const store = new Proxy(run.ports.store, {
      get: (target, name) => (name === 'get' ? get : (Reflect.get(target, name) as () => void).bind(target)),
    });
    await expect(makeDigest({ ...run, ports: { ...run.ports, store } })).rejects.toMatchObject({
      retryable: true,
    });
    expect(sentBy(f)).toEqual([]);
  });

  it('a lasting failure is reported once, and again with other findings', async () => {
    const f = await started({ events: { 1: [{ day: FIRST + 3, apply: change.turned(on[0]!, false) }] } });
    f.failing.add(4);
    expect((await f.day(FIRST + 1)).report!.attention).toMatchObject([
      { kind: 'failing', message: 'The client secret keys are expired.', isKnown: false },
    ]);
    // After 30 hours it is overdue, which is worse.
    expect((await f.day(FIRST + 2)).report!.attention).toMatchObject([{ kind: 'overdue', isKnown: false }]);
    expect((await f.day(FIRST + 3)).report!.attention).toMatchObject([{ kind: 'overdue', isKnown: true }]);
    expect((await f.day(FIRST + 4)).report).toBeNull();
  });

  it('a failure that ends without a digest and comes back is reported again', async () => {
    const f = await started();
    f.failing.add(4);
    expect((await f.day(FIRST + 1)).report!.attention).toMatchObject([{ kind: 'failing', isKnown: false }]);
    f.failing.delete(4);
    expect((await f.day(FIRST + 2)).report).toBeNull();
    f.failing.add(4);
    expect((await f.day(FIRST + 3)).report!.attention).toMatchObject([{ kind: 'failing', isKnown: false }]);
  });

  it('the reason is there also for a tenant that was added and has never run', async () => {
    const f = await started();
    f.scheduled.delete(4);
    await f.day(FIRST + 1);
    const key = layout.state(idOf(4));
    f.store.objects.delete(key);
    for (const each of await f.store.list(`reports/tenant=${idOf(4)}/`)) f.store.objects.delete(each);
    for (const each of await f.store.list(`snapshots/tenant=${idOf(4)}/`)) f.store.objects.delete(each);
    f.scheduled.add(4);
    f.failing.add(4);
    expect((await f.day(FIRST + 2)).report!.attention).toMatchObject([
      { tenantId: idOf(4), message: 'The client secret keys are expired.', advice: 'Renew the certificate.' },
    ]);
  });

  it('an earlier period has the tenants that had nothing to report since, from their snapshots', async () => {
    const f = await started({ events: { 1: [{ day: FIRST + 2, apply: change.turned(on[0]!, false) }] } });
    for (const day of [FIRST + 1, FIRST + 2, FIRST + 3, FIRST + 100]) await f.day(day);
    const now = f.clock.now();
    const days = { from: '2026-03-08', to: '2026-03-08' };
    const { tenants, fleet: all } = await compile(f.digestRun(), null, { now, occurrence: now, days });
    expect(tenants.map(({ isNew, before, days: number }) => [isNew, before?.date, number])).toEqual(
      tenants.map(() => [false, '2026-03-07', 1]),
    );
    expect(all).toMatchObject({ compared: 5, fell: 1, stayed: 4 });
    expect(all.account!.unexplained).toBeCloseTo(0, 9);
    expect(all.account!.other).toBeCloseTo(0, 9);
    expect(all.account!.lost).toBeLessThan(0);
  });

  it('an earlier period is silent about today', async () => {
    const f = await started({
      digests: [{ ...DAILY, every: 'month' }],
      events: { 1: [{ day: FIRST + 2, apply: change.turned(on[0]!, false) }] },
      config: { alerts: { drop: 0.1 } },
    });
    for (const day of [FIRST + 1, FIRST + 2, FIRST + 3]) await f.day(day);
    f.failing.add(4);
    await f.day(FIRST + 100);
    const now = f.clock.now();
    const of = async (from: string, to: string) =>
      compile(f.digestRun(), null, { now, occurrence: now, days: { from, to } });
    const past = await of('2026-03-07', '2026-03-31');
    // What happened in it stands.
    expect(past.attention).toMatchObject([{ kind: 'urgent', name: nameOf(1) }]);
    expect(past.outlook).toBeNull();
    const present = await of('2026-03-07', dateOf(now));
    expect(present.attention.map(({ kind }) => kind)).toEqual(['urgent', 'overdue']);
    expect(present.outlook).not.toBeNull();
  });

  it('a period that begins before the first snapshot begins with that', async () => {
    const f = await started({ events: { 1: [{ day: FIRST + 2, apply: change.turned(on[0]!, false) }] } });
    for (const day of [FIRST + 1, FIRST + 2, FIRST + 3]) await f.day(day);
    const now = f.clock.now();
    const days = { from: '2026-01-01', to: '2026-03-31' };
    const { tenants, notes } = await compile(f.digestRun(), null, { now, occurrence: now, days });
    for (const { isNew, before, account } of tenants) {
      expect([isNew, before?.date]).toEqual([true, '2026-03-02']);
      expect(account!.unexplained).toBeCloseTo(0, 9);
    }
    expect(tenants.flatMap(({ changes }) => changes)).toMatchObject([{ control: on[0], kind: 'lost' }]);
    expect(notes).toEqual([
      'Monitoring of 5 tenants began within this period: earlier changes are in the sums, but in no list.',
    ]);
  });

  it('a period that ends within a report of several days has the changes of its own days', async () => {
    const f = await started({
      events: {
        1: [{ day: FIRST + 3, apply: change.turned(on[0]!, false) }],
        2: [{ day: FIRST + 7, apply: change.turned(on[1]!, false) }],
      },
    });
    await f.day(FIRST + 10);
    const now = f.clock.now();
    const lost = async (days: { from: string; to: string }) => {
      const { tenants } = await compile(f.digestRun(), null, { now, occurrence: now, days });
      for (const { account } of tenants) expect(account!.other).toBeCloseTo(0, 9);
      return tenants.flatMap(({ name, changes }) =>
        changes.map(({ kind, control, date }) => [name, kind, control, date]),
      );
    };
    const [first, second] = [
      [nameOf(1), 'lost', on[0], '2026-03-09'],
      [nameOf(2), 'lost', on[1], '2026-03-13'],
    ];
    expect(await lost({ from: '2026-03-07', to: '2026-03-10' })).toEqual([first]);
    expect(await lost({ from: '2026-03-11', to: '2026-03-15' })).toEqual([second]);
    expect(await lost({ from: '2026-03-07', to: '2026-03-15' })).toEqual([first, second]);
  });
});

describe('a week and a month', () => {
  const WEEKLY = { name: 'weekly', every: 'week', at: '08:00', to: ['boss@msp.example'] };
  const MONTHLY = { name: 'monthly', every: 'month', at: '08:00', to: ['boss@msp.example'] };

  it('go out whether or not anything is new, once a period, however often they are started', async () => {
    // 2026-03-06 is a Friday.
    const f = await started({ digests: [WEEKLY] });
    const first = await f.digest('weekly');
    expect(first.report).toBeNull();
    for (let day = FIRST + 1; day < FIRST + 10; day += 1) await f.day(day, 'weekly');
    expect(f.mailer.subjects()).toEqual(['Weekly digest of 5 tenants: ' + score(f) + ' on average (±0.00)']);
    f.mailer.sent.length = 0;
    await f.digest('weekly');
    expect(f.mailer.sent).toEqual([]);
  });

  it('the first one begins with the first snapshot if there is less than a period', async () => {
    const f = fleet({ tenants: 2, digests: [MONTHLY] });
    f.morning(FIRST);
    await f.run();
    const { report } = await f.digest();
    expect(report!.tenants).toMatchObject([
      { isNew: false, before: { date: '2026-03-02' }, days: 4 },
      { isNew: false, before: { date: '2026-03-02' }, days: 4 },
    ]);
    expect(report!.fleet.compared).toBe(2);
    const single = fleet({ tenants: 1, digests: [MONTHLY] });
    single.morning(1);
    await single.run();
    expect((await single.digest()).report!.tenants).toMatchObject([
      { isNew: true, before: null, account: null },
    ]);
  });

  it('a tenant that was added between two digests counts from its first run', async () => {
    const f = await started({
      digests: [WEEKLY],
      tenants: 3,
      events: { 2: [{ day: 18, apply: change.turned(on[0]!, false) }] },
    });
    f.scheduled.delete(2);
    // No digest has had it yet.
    const state = stateOf(f, 'weekly');
    delete state.reported.tenants[idOf(2)];
    f.store.objects.set(layout.digest('weekly'), Buffer.from(JSON.stringify(state)));
    // 16 March is a Monday, day 15.
    await f.day(15);
    f.scheduled.add(2);
    for (const key of f.store.objects.keys()) if (key.includes(idOf(2))) f.store.objects.delete(key);
    f.morning(16);
    await f.run([2]);
    f.morning(18);
    await f.run();
    const { report } = await f.day(22);
    const added = report!.tenants.find(({ tenantId }) => tenantId === idOf(2))!;
    expect(added).toMatchObject({
      isNew: true,
      before: { date: '2026-03-17' },
      days: 6,
      changes: [{ kind: 'lost', control: on[0], date: '2026-03-19' }],
    });
    expect(added.account!.other).toBeCloseTo(0, 9);
    expect(report!.fleet.compared).toBe(3);
    expect(report!.notes).toEqual([]);
    const text = f.mailer.sent.at(-1)!.text.replaceAll(/\s+/g, ' ');
    expect(text).toContain(`Added: ${nameOf(2)} (`);
    expect(text).not.toContain('from the next digest on');
  });

  it('the month has the trend, who improved, decisions in force and the best points to be had', async () => {
    const f = await started({
      digests: [MONTHLY],
      events: {
        1: [
          { day: FIRST + 5, apply: change.turned(off[0]!, true) },
          {
            day: FIRST + 6,
            apply: change.all(
              change.decided(off[1]!, { state: 'Ignored', by: 'ada@x.example', comment: 'never' }),
            ),
          },
        ],
      },
    });
    for (let day = FIRST + 1; day <= 31; day += 1) await f.day(day, 'monthly');
    const { report } = await f.day(31, 'monthly');
    expect(report).toBeNull();
    const mail = f.mailer.sent.at(-1)!;
    const text = mail.text.replaceAll(/\s+/g, ' ');
    expect(mail.subject).toContain('Monthly report of 5 tenants');
    expect(text).toContain('Chart of the Secure Score from 2 Mar 2026 to 1 Apr 2026');
    expect(text).toMatch(
      new RegExp(
        [
          'Most improved',
          nameOf(1),
          'Decisions: 1',
          'Most points for the least effort',
          'Decisions in force: 1',
          'Risk accepted',
        ].join('.*'),
      ),
    );
    const key = (await f.store.list('reports/digest=monthly/')).at(-1);
    const { report: archived } = JSON.parse(Buffer.from(f.store.objects.get(key!)!).toString()) as {
      report: DigestReport;
    };
    await expectOutlook(f, archived);
  });
});

/** The points to be had, worked out from what Graph stated last. */
async function expectOutlook(f: Fleet, { outlook, tenants }: DigestReport): Promise<void> {
  const effort: Record<string, number> = { low: 1, moderate: 2, high: 3 };
  const had = new Map<string, { tenants: number; percentagePoints: number }>();
  for (const { tenantId } of tenants) {
    const reading = f.tenants.get(tenantId)!.made.read();
    const { controlScores, maxScore } = reading.secureScore(reading.dates[0]!, true);
    for (const { controlName, score: points } of controlScores) {
      const left = ENTRIES.find(({ id }) => id === controlName)!.maximum - points;
      const known = had.get(controlName) ?? { tenants: 0, percentagePoints: 0 };
      if (left <= 1e-9) continue;
      had.set(controlName, {
        tenants: known.tenants + 1,
        percentagePoints: known.percentagePoints + (100 * left) / maxScore,
      });
    }
  }
  const worth = (id: string) =>
    had.get(id)!.percentagePoints /
    (effort[(ENTRIES.find((entry) => entry.id === id)!.cost ?? '').toLowerCase()] ?? 2);
  const best = [...had.keys()].toSorted((a, b) => worth(b) - worth(a));
  for (const [index, gap] of outlook!.gaps.entries()) {
    expect(worth(gap.control)).toBeCloseTo(worth(best[index]!), 9);
    expect(gap.tenants).toBe(had.get(gap.control)!.tenants);
    expect(gap.percentagePoints).toBeCloseTo(had.get(gap.control)!.percentagePoints, 9);
  }
  expect(outlook).toMatchObject({
    decisionsInForce: 1,
    missing: 0,
    decisions: [{ state: 'Ignored', tenants: 1 }],
  });
}

function score(f: Fleet): string {
  const scores = Object.values(stateOf(f, 'weekly').reported.tenants) as { score: { percentage: number } }[];
  return `${(scores.reduce((sum, each) => sum + each.score.percentage, 0) / scores.length).toFixed(1)} %`;
}

describe('deliveries of a digest', () => {
  const gone = () =>
    new DeliveryError('channel-gone', 'The workflow is deleted.', 'Make another.', { final: true });
  const down = () => new DeliveryError('channel-failing', 'No answer.', 'Wait.', { retryable: true });

  it('that are refused permanently: operations are notified by mail, and the others get theirs', async () => {
    const f = await aboutToSend();
    f.channels.named('soc').fails = gone;
    const { result } = await makeDigest(f.digestRun());
    expect(result.deliveries).toMatchObject([
      { destination: 'mail' },
      { destination: 'chat' },
      { destination: 'soc', dropped: 'The workflow is deleted.' },
      { destination: 'mail', kind: 'operations' },
    ]);
    const notice = f.mailer.sent.find(({ kind }) => kind === 'operations')!;
    expect(notice).toMatchObject({ to: ['oncall@contoso.com'] });
    expect(notice.subject).toBe('Digest “daily”: 1 message could not be delivered');
    expect(notice.text).toContain('Digest “daily”, reported');
    expect(await f.store.list('reports/digest=daily/')).toHaveLength(2);
    // They belong to the archive, and are nothing foreign to `archive verify`.
    expect((await listTenants(f.store)).foreign).toEqual([]);
  });

  it('a channel that is down gets its message from the daily watch, in order', async () => {
    const f = await aboutToSend();
    f.channels.named('soc').fails = down;
    await makeDigest(f.digestRun());
    expect(stateOf(f).outbox).toMatchObject([{ destination: 'soc', kind: 'digest' }]);
    f.channels.named('soc').fails = () => null;
    const { ports, sender } = f.runOf();
    const deadline = new Date(f.clock.now().getTime() + 300_000);
    await watch({
      deployment: 'test',
      sender,
      ports: { ...ports, mailer: f.mailer, schedules: { ...f.schedules, digests: async () => [] } },
      deadline,
    });
    expect(f.channels.named('soc').got.map(({ kind }) => kind)).toEqual(['digest']);
    expect(stateOf(f).outbox).toEqual([]);
  });

  it('is dropped after 7 days', async () => {
    const f = await aboutToSend();
    f.channels.named('soc').fails = down;
    await makeDigest(f.digestRun());
    f.clock.advance(7 * 24 * 3_600_000);
    await makeDigest(f.digestRun());
    // What is new of that day waits behind nothing any more.
    expect(stateOf(f).outbox).toMatchObject([
      { destination: 'soc', since: expect.stringMatching(/^2026-03-14/) },
    ]);
    expect(f.mailer.subjects()).toContain('Digest “daily”: 1 message could not be delivered');
  });
});

describe("report: 'digest'", () => {
  it('silences a tenant, except for what is urgent and for operations; its reports are still archived', async () => {
    const f = await started({
      tenant: (number) => ({
        report: number === 0 ? 'each' : 'digest',
        ...(number === 2 && { alerts: { drop: 0.5 } }),
      }),
      config: { channels: [{ ...CHANNELS[0], tenants: 'all' }, CHANNELS[1]] },
      events: Object.fromEntries(
        [0, 1, 2].map((number) => [number, [{ day: FIRST + 1, apply: change.turned(on[0]!, false) }]]),
      ),
    });
    const kinds = () => f.mailer.sent.map(({ kind, to }) => `${kind} ${to.join()}`);
    expect((await f.store.list(`reports/tenant=${idOf(1)}/`)).length).toBe(1);
    f.morning(FIRST + 1);
    f.failing.add(4);
    await f.run();
    expect(kinds()).toEqual([
      'scores it@customer0.example',
      'scores it@customer2.example',
      'operations oncall@contoso.com',
    ]);
    expect(f.mailer.sent[1]).toMatchObject({ urgent: true });
    expect(f.channels.named('soc').got.map(({ kind, report }) => `${kind} ${report.name}`)).toEqual([
      `start ${nameOf(0)}`,
      `scores ${nameOf(0)}`,
      `scores ${nameOf(2)}`,
      `operations ${nameOf(4)}`,
    ]);
    expect((await f.store.list(`reports/tenant=${idOf(1)}/`)).length).toBe(2);
    const { report } = await f.digest();
    expect(report!.attention).toMatchObject([
      { kind: 'urgent', name: nameOf(2) },
      { kind: 'failing', name: nameOf(4) },
    ]);
  });
});

it('the links in Microsoft’s advice reach the digest, whatever their day', () => {
  const remediationLinks = [{ start: 8, end: 13, url: 'https://entra.microsoft.com/' }];
  const day = (date: string, fields: Partial<ReportedChange>) => ({
    date,
    changes: [changeOf('lost', { date, cause: 'earned', percentagePoints: -0.5, ...fields })],
  });
  const days = [
    day('2026-03-01', { remediation: 'Open the Entra', remediationLinks }),
    day('2026-03-02', { percentagePoints: -0.2 }),
  ];
  const report = { days, confirmed: [], to: { date: '2026-03-02' } } as unknown as Report;
  const [found] = changesBetween([report], '2026-02-28', '2026-03-02');
  expect(found).toMatchObject({ percentagePoints: -0.7, remediation: 'Open the Entra', remediationLinks });
});
