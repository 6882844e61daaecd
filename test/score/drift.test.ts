import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays } from '../../lambda/dates.ts';
import { explain } from '../../lambda/score/attribution.ts';
import { diff } from '../../lambda/score/diff.ts';
import { allowedInAll } from '../../lambda/score/drift.ts';
import {
  closeAccount,
  openAccount,
  settleDay,
  pendingPart,
  type Alerts,
  type Settling,
} from '../../lambda/score/settle.ts';
import { scoreLine, type Control, type Snapshot } from '../../lambda/score/snapshot.ts';
import { control, profile, snapshot } from './arbitraries.ts';

/** How many there are, and how many of them fail. */
type Tally = readonly [total: number, failing: number];

/** What Graph would say of it: points with two decimals, and a percentage made from these. */
function counted([total, failing]: Tally, maximum: number, more: Partial<Control> = {}): Control {
  const points = Math.round((100 * maximum * (total - failing)) / total) / 100;
  return control('a', points, {
    percentage: Math.round((10_000 * points) / maximum) / 100,
    complete: true,
    total,
    ...more,
  });
}

function day(index: number, of: Control, others = 50): Snapshot {
  return snapshot(
    addDays('2026-01-01', index),
    {},
    { points: of.points + others, maximum: 100, controls: new Map([[of.name, of]]) },
  );
}

function rowsOf(before: Snapshot, after: Snapshot, maximum: number) {
  const profiles = new Map([['a', profile('a', { maximum })]]);
  return diff(before, after, { before: profiles, after: profiles });
}

function kindOf(before: Tally, after: Tally, maximum = 10, more: Partial<Control> = {}): string | null {
  const rows = rowsOf(day(0, counted(before, maximum, more)), day(1, counted(after, maximum, more)), maximum);
  expect(rows.length).toBeLessThanOrEqual(1);
  return rows[0]?.change.kind ?? null;
}

describe('one day', () => {
  it.each<[string, Tally, Tally, string]>([
    ['newcomers without protection', [40, 0], [50, 10], 'lost'],
    ['one of 40', [40, 2], [41, 3], 'lost'],
    ['administrators come, and all are without', [2, 0], [4, 4], 'lost'],
    ['a policy is off, in a tenant of one', [1, 0], [2, 2], 'lost'],
    ['a policy is on, as one leaves', [2, 2], [1, 0], 'gained'],
    ['protected ones leave', [40, 4], [30, 4], 'drift'],
    ['protected ones come', [40, 4], [60, 4], 'drift'],
    ['more protected ones leave than are mended', [100, 20], [60, 18], 'drift'],
    ['three of 300, as many come', [300, 30], [301, 33], 'drift'],
    ['four of 300', [300, 30], [301, 34], 'lost'],
    ['enough come protected that the score rises, and 30 do not', [40, 20], [140, 50], 'gained'],
    ['twenty of 20,000', [20_000, 1_000], [19_990, 1_020], 'drift'],
    ['the same total', [300, 30], [300, 31], 'lost'],
  ])('%s', (_, before, after, kind) => {
    expect(kindOf(before, after)).toBe(kind);
  });

  it('the fate of those counted before is unknown if nobody is left to count', () => {
    const none = counted([1, 1], 10, { total: 0 });
    expect(rowsOf(day(0, counted([5, 1], 10)), day(1, none), 10)[0]!.change.kind).toBe('lost');
  });

  it('credit that is not linear counts as it is: a fraction of one who fails is no rounding', () => {
    const before = control('a', 10, { percentage: 100, complete: true, total: 1 });
    const after = control('a', 7.6, { percentage: 76, complete: true, total: 2 });
    expect(rowsOf(day(0, before), day(1, after), 10)[0]!.change.kind).toBe('lost');
  });

  it('a count is exact where points are not, of those who meet it or of those who fail it', () => {
    // A hundredth of a point is 200 people.
    const of = (count: (tally: Tally) => number | null) => {
      const [before, after]: Tally[] = [
        [20_000, 6_099],
        [20_005, 6_103],
      ];
      const [earlier, later] = [before!, after!].map((tally) => counted(tally, 1, { count: count(tally) }));
      return rowsOf(day(0, earlier!), day(1, later!), 1)[0]!;
    };
    expect(of(([total, failing]) => total - failing).failing).toMatchObject({ before: 6_099, after: 6_103 });
    expect(of(([, failing]) => failing).failing).toMatchObject({ before: 6_099, after: 6_103, rounding: 0 });
    // One that means something else proves nothing.
    expect(of(() => 7).failing!.rounding).toBeCloseTo(200, 0);
  });

  const maximum = fc.integer({ min: 1, max: 10 });
  const total = fc.oneof(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 20, max: 1000 }),
    fc.integer({ min: 1000, max: 50_000 }),
  );
  const tally = total.chain((all) => fc.tuple(fc.constant(all), fc.integer({ min: 0, max: all })));
  /** As Graph counts users, as it counts devices, not at all, and by mistake. */
  const countOf = fc.constantFrom(
    ([all, failing]: Tally) => all - failing,
    ([, failing]: Tally) => failing,
    () => null,
    () => 1,
  );

  it('no increase of those who fail beyond the allowance is ever drift', () => {
    fc.assert(
      fc.property(tally, tally, maximum, countOf, (before, after, worth, count) => {
        const [earlier, later] = [before, after].map((one) => counted(one, worth, { count: count(one) }));
        const row = rowsOf(day(0, earlier!), day(1, later!), worth)[0];
        if (row?.change.kind !== 'drift') return;
        const least = Math.min(before[0], after[0]);
        const allowance = Math.min(least / 100, Math.max(3, least / 1000));
        // What rounding hides is hidden twice at most: as it is measured, and in the limit.
        const rounding = (0.005 * (before[0] + after[0])) / worth;
        const limit = Math.max(allowance + Math.min(rounding, 0.5), rounding);
        expect(after[1] - before[1]).toBeLessThanOrEqual(limit + rounding + 1e-6);
        const isTrue = [before, after].every((one) => [one[1], one[0] - one[1]].includes(count(one) ?? -1));
        const isExact = isTrue && row.failing!.rounding === 0;
        const most = isExact ? allowance : Number.POSITIVE_INFINITY;
        expect(after[1] - before[1]).toBeLessThanOrEqual(most + 1e-6);
      }),
      { numRuns: 20_000, examples: [[[483, 3], [246, 6], 9, () => 1]] },
    );
  });

  it('protected ones who come and go alone are never lost or gained', () => {
    fc.assert(
      fc.property(tally, total, maximum, countOf, ([all, failing], other, worth, count) => {
        const [before, after]: Tally[] = [
          [all, failing],
          [Math.max(failing, other), failing],
        ];
        fc.pre(before![0] !== after![0]);
        const [earlier, later] = [before!, after!].map((one) => counted(one, worth, { count: count(one) }));
        const kind = rowsOf(day(0, earlier!), day(1, later!), worth)[0]?.change.kind;
        expect(['drift', undefined]).toContain(kind);
      }),
      { numRuns: 20_000 },
    );
  });
});

const NOW: Alerts = { confirmDrops: 0, minimumPoints: 0 };

/** Everything that moved the score since the last mail, part by part. */
function sumOf(settling: Settling): number {
  const { gained, lost, rescored, decided, drift, silenced, healed, countedBefore, unexplained } =
    settling.account;
  const parts = [gained, lost, rescored, decided, drift, silenced, pendingPart(settling), ...healed];
  return parts.reduce((sum, part) => sum + part.percentagePoints, countedBefore + unexplained);
}

/**
 * Days one after the other. A mail goes out on each day with a reported change.
 * @returns the reported changes by day; points is what a reader sees
 */
function live(
  days: Snapshot[],
  { alerts = NOW, worth = 10, restart = false, mails = true } = {},
): {
  reported: { day: number; kind: string; points: number }[];
  hidden: { points: number; failing: number }[];
  settling: Settling;
} {
  let settling: Settling = { waiting: [], told: [], account: openAccount(scoreLine(days[0]!)) };
  let since = days[0]!;
  const reported: { day: number; kind: string; points: number }[] = [];
  const hidden = [{ points: 0, failing: 0 }];
  for (const [index, after] of days.entries()) {
    const before = days[index - 1];
    if (!before) continue;
    const differences = rowsOf(before, after, worth);
    const rows = differences.map(({ change, failing }) => ({
      ...change,
      failing: failing ?? null,
      previousControl: null,
    }));
    const { unexplained } = explain(before, after, rows);
    const settled = settleDay(settling, rows, { date: after.date, unexplained }, alerts);
    settling = settled.settling;
    if (restart) settling = JSON.parse(JSON.stringify(settling));
    const moves = [
      ...settled.confirmed.map(({ points }) => ({ kind: 'lost', points })),
      ...settled.changes
        .filter(({ fate }) => fate === 'told')
        .map(({ change, addedUp }) => ({ kind: change.kind, points: addedUp?.points ?? change.points })),
    ];
    const folded = settled.changes.filter(({ fate }) => fate === 'folded' || fate === 'silenced');
    const soFar = hidden.at(-1)!;
    hidden.push(
      folded.reduce(
        ({ points, failing }, { change }) => ({
          points: points + change.points.after! - change.points.before!,
          failing: failing + change.failing!.after - change.failing!.before,
        }),
        soFar,
      ),
    );
    for (const { kind, points } of moves) {
      reported.push({ day: index, kind, points: points.after! - points.before! });
    }
    // Every part, on every day: whatever is reported twice, or not at all, breaks the sum.
    expect(sumOf(settling)).toBeCloseTo(after.points - since.points, 6);
    if (mails && moves.length > 0) {
      settling = closeAccount(settling, scoreLine(after));
      since = after;
    }
  }
  return { reported, hidden, settling };
}

/** Of n days. */
const history = (n: number, tallyOf: (index: number) => Tally, worth = 10) =>
  Array.from({ length: n }, (_, index) => {
    const tally = tallyOf(index);
    return day(index, counted(tally, worth, { count: tally[0] - tally[1] }));
  });

describe('what adds up', () => {
  it('a slow leak is reported, with all that it has come to, once', () => {
    // One a day of 300, who all are new: 6 are 2 %.
    const { reported } = live(history(9, (index) => [300 + index, 30 + index]));
    expect(reported).toEqual([{ day: 7, kind: 'lost', points: expect.closeTo(-0.21, 9) }]);
  });

  it('and a slow gain', () => {
    const { reported } = live(history(9, (index) => [300 - index, 60 - index]));
    expect(reported).toMatchObject([{ day: 8, kind: 'gained', points: expect.closeTo(0.22, 9) }]);
  });

  it('is measured from the score at its best: protected newcomers do not pay for those who fail', () => {
    const { reported } = live([
      ...history(1, () => [100, 20]),
      // A hundred protected ones: a rise of a point.
      ...history(1, () => [200, 20]).map((one) => ({ ...one, date: '2026-01-02' })),
      ...history(8, (index) => [200 + (index % 2), 20 + index]).map((one, index) => ({
        ...one,
        date: addDays('2026-01-03', index),
      })),
    ]);
    expect(reported).toMatchObject([{ kind: 'lost', day: 7 }]);
  });

  it('is not excused by those who failed and left', () => {
    // 180 leave, ten of whom failed: drift. Then one a day begins to fail.
    const { reported } = live(
      history(6, (index) => (index === 0 ? [300, 30] : [120 + (index % 2), 20 + index - 1])),
    );
    expect(reported).toMatchObject([{ kind: 'lost', day: 4 }]);
  });

  it('protected ones alone who come and go are never reported, however many days pass', () => {
    const totals = fc.array(fc.integer({ min: 50, max: 400 }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(totals, fc.integer({ min: 0, max: 50 }), (all, failing) => {
        const days = all
          .filter((total, index) => total !== all[index - 1])
          .map((total, index) => day(index, counted([total, failing], 10)));
        expect(live(days).reported).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('newcomers who are like the others are never reported: the score does not fall', () => {
    expect(live(history(200, (index) => [1000 + 10 * index, 100 + index])).reported).toEqual([]);
  });

  /** Months of leaking, through whatever else happens: people come and go, some are mended, and come back. */
  const leak = fc.record({
    total: fc.integer({ min: 20, max: 3000 }),
    share: fc.integer({ min: 0, max: 60 }),
    worth: fc.integer({ min: 1, max: 10 }),
    noise: fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -1, max: 2 })), {
      minLength: 60,
      maxLength: 120,
    }),
  });
  const alerts = fc.record({
    confirmDrops: fc.constantFrom(0, 0, 2),
    minimumPoints: fc.constantFrom(0, 0, 0.5),
  });
  const daysOf = ({ total, share, noise, worth }: typeof leak extends fc.Arbitrary<infer T> ? T : never) => {
    let now: Tally = [total, Math.floor((total * share) / 100)];
    return [
      now,
      ...noise.map(([come, fail]) => {
        const all = Math.max(10, now[0] + come);
        now = [all, Math.min(all, Math.max(0, now[1] + fail))];
        return now;
      }),
    ].map((one, index) => ({ tally: one, day: day(index, counted(one, worth, { count: one[0] - one[1] })) }));
  };

  it('however a leak comes about: what fell as more failed, and no mail reported, is small', () => {
    fc.assert(
      fc.property(leak, (of) => {
        const days = daysOf(of);
        const { reported, hidden } = live(
          days.map((one) => one.day),
          { worth: of.worth },
        );
        // Who no longer fails, on a day on which the points show nothing, counts as well.
        const unseen = [0];
        for (const [index, { tally }] of days.entries()) {
          if (index === 0) continue;
          const shows = hidden[index] !== hidden[index - 1];
          const fewer = Math.min(0, tally[1] - days[index - 1]!.tally[1]);
          unseen.push(unseen.at(-1)! + (shows ? 0 : fewer));
        }
        // Between two mails that report it, from any day to any later one.
        for (const [end, { tally: later }] of days.entries()) {
          const since = reported.findLast(({ day: index }) => index <= end)?.day ?? 0;
          for (let start = since; start < end; start += 1) {
            const [from, to] = [hidden[start]!, hidden[end]!];
            const fell = ((from.points - to.points) / of.worth) * later[0];
            const more = to.failing - from.failing + unseen[end]! - unseen[start]!;
            // One step of the points: before it shows, nobody can count.
            const step = (0.01 * later[0]) / of.worth + 1;
            const small = allowedInAll(Math.min(later[0], days[start]!.tally[0])) + step;
            expect(Math.min(fell, more), `${start} to ${end}`).toBeLessThanOrEqual(small + 1e-6);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('daily runs and one run after a gap report the same, and what they report adds up', () => {
    fc.assert(
      fc.property(leak, alerts, (history_, noise) => {
        const days = daysOf(history_).map((one) => one.day);
        const { worth } = history_;
        const atOnce = live(days, { alerts: noise, worth, mails: false });
        const daily = live(days, { alerts: noise, worth, mails: false, restart: true });
        expect(daily.reported).toEqual(atOnce.reported);
        expect(daily.settling).toEqual(JSON.parse(JSON.stringify(atOnce.settling)));
        // Mails in between change what is counted where, not what is reported.
        expect(live(days, { alerts: noise, worth }).reported).toEqual(atOnce.reported);
      }),
      { numRuns: 300 },
    );
  });

  it('counts those too who fail on days on which the points show nothing', () => {
    // A hundredth of a point is 200 people; 10 a day begin to fail.
    const { reported } = live(
      history(120, (index) => [20_000 + (index % 2), 6_000 + 10 * index], 1),
      { worth: 1 },
    );
    expect(reported[0]).toMatchObject({ kind: 'lost' });
    expect(reported[0]!.day).toBeLessThan(45);
  });

  it('confirmed drops wait for the usual snapshots, and heal only if all is back', () => {
    const two = { alerts: { confirmDrops: 2, minimumPoints: 0 } };
    const leaking = history(10, (index) => [300 + index, 30 + index]);
    expect(live(leaking, two).reported).toMatchObject([
      { day: 9, kind: 'lost', points: expect.closeTo(-0.26, 9) },
    ]);
    const { reported, settling } = live([...leaking.slice(0, 8), day(8, counted([310, 31], 10))], two);
    expect(reported).toEqual([]);
    expect(settling.account.healed).toHaveLength(1);
  });

  it('counts nobody again whose move was reported on a day that did not say how many fail', () => {
    const { reported } = live([
      day(0, counted([300, 200], 10)),
      day(1, counted([320, 200], 10)),
      // A day that came late, without its texts: 72 fewer fail.
      day(2, counted([320, 128], 10, { complete: false })),
      day(3, counted([320, 128], 10)),
      day(4, counted([318, 128], 10)),
    ]);
    expect(reported).toEqual([{ day: 2, kind: 'gained', points: expect.closeTo(2.25, 9) }]);
  });

  it('counts nobody whose number a new maximum has changed', () => {
    const { reported } = live([
      day(0, counted([300, 200], 10)),
      day(1, counted([320, 200], 10)),
      // The same points of half the maximum: 120 fewer fail, and nobody did anything.
      day(2, counted([320, 80], 5)),
      day(3, counted([318, 80], 5)),
    ]);
    expect(new Set(reported.map(({ kind }) => kind))).toEqual(new Set(['re-scored']));
  });

  it('what minimumPoints silences adds up too', () => {
    // The same people, one a day: each is lost, and below half a point.
    const half = { alerts: { confirmDrops: 0, minimumPoints: 0.5 } };
    expect(
      live(
        history(16, (index) => [300, 30 + index]),
        half,
      ).reported,
    ).toMatchObject([{ day: 15, kind: 'lost', points: expect.closeTo(-0.5, 9) }]);
    expect(
      live(
        history(30, (index) => [300, 30 + (index % 2)]),
        half,
      ).reported,
    ).toEqual([]);
    // Drift that is not small by its own rule waits until it is worth a mail.
    expect(
      live(
        history(20, (index) => [300 + index, 30 + index]),
        half,
      ).reported,
    ).toMatchObject([{ kind: 'lost', points: expect.closeTo(-0.52, 1) }]);
  });

  it('a re-scored recommendation in between forgets no leak', () => {
    const days = history(12, (index) => [300 + index, 30 + index]);
    const doubled = days.map((one, index) =>
      index < 4 ? one : day(index, counted([300 + index, 30 + index], 20)),
    );
    const { reported } = live(doubled);
    expect(reported.filter(({ kind }) => kind === 'lost')).toHaveLength(1);
  });

  it('a state from before there were sums is read', () => {
    const old = JSON.parse(JSON.stringify({ waiting: [], told: [], account: openAccount(null) })) as Settling;
    const [before, after] = history(2, (index) => [300 + index, 30 + index]);
    const rows = rowsOf(before!, after!, 10).map(({ change, failing }) => ({
      ...change,
      failing: failing ?? null,
      previousControl: null,
    }));
    const { settling } = settleDay(old, rows, { date: after!.date, unexplained: 0 }, NOW);
    expect(settling.sums).toMatchObject([{ part: 'drift', direction: 'lost', failing: 1 }]);
    expect(closeAccount(old, scoreLine(after!)).sums).toEqual([]);
  });
});
