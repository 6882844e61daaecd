import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays } from '../../lambda/dates.ts';
import { explain } from '../../lambda/score/attribution.ts';
import { diff } from '../../lambda/score/diff.ts';
import {
  closeAccount,
  openAccount,
  settleDay,
  pendingPart,
  type Alerts,
  type Settling,
} from '../../lambda/score/settle.ts';
import { scoreLine, type Snapshot } from '../../lambda/score/snapshot.ts';
import { isMuted } from '../../lambda/score/muted.ts';
import { control, profile, snapshot } from './arbitraries.ts';

const PROFILES = new Map(['a', 'b', 'c', '1.a'].map((id) => [id, profile(id)]));

/** Controls are worth 10; a fraction above 10 is one that Microsoft made worth 20. */
function day(index: number, points: Record<string, number>): Snapshot {
  const controls = Object.entries(points).map(([name, value]) => {
    const maximum = value > 10 ? 20 : 10;
    return [name, control(name, Math.min(value, 20), { percentage: (100 * value) / maximum })] as const;
  });
  return snapshot(addDays('2026-01-01', index), points, { controls: new Map(controls), maximum: 30 });
}

const DEFAULT: Alerts = { confirmDrops: 0, minimumPoints: 0 };

/** Folds days over a settling; returns in words what was reported on which day. */
function fold(alerts: Alerts, days: Record<string, number>[], from: Settling = open(day(0, days[0]!))) {
  const snapshots = days.map((points, index) => day(index, points));
  return foldSnapshots(alerts, snapshots, from);
}

function open(first: Snapshot): Settling {
  return { waiting: [], told: [], account: openAccount(scoreLine(first)) };
}

function foldSnapshots(alerts: Alerts, snapshots: Snapshot[], from: Settling) {
  let settling = from;
  const reported: string[] = [];
  for (const [index, after] of snapshots.entries()) {
    const before = snapshots[index - 1];
    if (!before) continue;
    const rows = diff(before, after, { before: PROFILES, after: PROFILES }).map(
      ({ change, before: earlier, failing }) => ({
        ...change,
        failing,
        previousControl: change.kind === 'renamed' ? earlier!.name : null,
      }),
    );
    const { unexplained } = explain(before, after, rows);
    const settled = settleDay(settling, rows, { date: after.date, unexplained }, alerts);
    settling = settled.settling;
    const on = after.date.slice(-2);
    for (const drop of settled.confirmed)
      reported.push(`${on} confirmed ${drop.control} of ${drop.date.slice(-2)}`);
    for (const { change, fate, downSince } of settled.changes) {
      // The total of these days is always 30, whatever comes and goes.
      if (fate !== 'told' || change.control === null) continue;
      reported.push(
        `${on} ${change.kind} ${change.control}${downSince ? ` down since ${downSince.slice(-2)}` : ''}`,
      );
    }
  }
  return { settling, reported };
}

/** Everything that moved the score since the last mail, part by part. */
function sumOf({ account, ...settling }: Settling): number {
  const { gained, lost, rescored, decided, drift, silenced, muted, healed, countedBefore, unexplained } =
    account;
  const parts = [
    gained,
    lost,
    rescored,
    decided,
    drift,
    silenced,
    muted ?? { percentagePoints: 0 },
    pendingPart({ account, ...settling }),
    ...healed,
  ];
  return parts.reduce((sum, part) => sum + part.percentagePoints, countedBefore + unexplained);
}

const A = (...values: number[]) => values.map((a) => ({ a, b: 5, c: 5 }));

describe('by default', () => {
  it('a drop is reported at once, and so is its recovery', () => {
    expect(fold(DEFAULT, A(9, 5, 5, 7, 9)).reported).toEqual([
      '02 lost a',
      '04 gained a',
      '05 gained a down since 02',
    ]);
  });

  it('a further drop is reported, and recovery means the first level', () => {
    expect(fold(DEFAULT, A(9, 5, 4, 9)).reported).toEqual([
      '02 lost a',
      '03 lost a',
      '04 gained a down since 02',
    ]);
  });
});

describe('with confirmDrops', () => {
  const two: Alerts = { confirmDrops: 2, minimumPoints: 0 };
  it.each<[string, Record<string, number>[], string[], number, number]>([
    [
      'it is reported when it still stands that number of snapshots later',
      A(9, 5, 5, 5),
      ['04 confirmed a of 02'],
      0,
      0,
    ],
    ['it is not reported before', A(9, 5, 5), [], 1, 0],
    ['back before that, it is healed and never reported', A(9, 5, 9, 9, 9), [], 0, 1],
    [
      'back above what it was, the rest is a gain, and gains never wait',
      A(9, 5, 10),
      ['03 gained a down since 02'],
      0,
      1,
    ],
    ['a drop that recovers partially is not back', A(9, 5, 7, 7), ['04 confirmed a of 02'], 0, 0],
    ['falling further does not start it again', A(9, 5, 4, 4), ['04 confirmed a of 02'], 0, 0],
    [
      'once reported, its recovery is reported later',
      A(9, 5, 5, 5, 9),
      ['04 confirmed a of 02', '05 gained a down since 02'],
      0,
      0,
    ],
    [
      'removed while it is pending, it is reported at once',
      [...A(9, 5), { b: 5, c: 5 }],
      ['03 confirmed a of 02', '03 removed a'],
      0,
      0,
    ],
    [
      'renamed, it goes on waiting',
      [...A(9, 5), { '1.a': 5, b: 5, c: 5 }, { '1.a': 5, b: 5, c: 5 }],
      ['03 renamed 1.a', '04 confirmed 1.a of 02'],
      0,
      0,
    ],
    [
      're-scored while it is pending, it is reported at once',
      [...A(9, 5), { a: 18, b: 5, c: 5 }],
      ['03 confirmed a of 02', '03 gained a', '03 re-scored a'],
      0,
      0,
    ],
    [
      'gains and new controls never wait',
      [
        { a: 5, b: 5 },
        { a: 9, b: 5, c: 5 },
      ],
      ['02 gained a', '02 new c'],
      0,
      0,
    ],
  ])('%s', (_, days, reported, waiting, healed) => {
    const outcome = fold(two, days);
    expect(outcome.reported.toSorted()).toEqual(reported.toSorted());
    expect(outcome.settling.waiting).toHaveLength(waiting);
    expect(outcome.settling.account.healed).toHaveLength(healed);
  });
});

describe('with minimumPoints', () => {
  it('smaller moves are silenced and stay in the sum', () => {
    const { reported, settling } = fold({ confirmDrops: 0, minimumPoints: 1 }, A(9, 8.5, 7.5, 7.9));
    expect(reported).toEqual(['03 lost a']);
    expect(settling.account.silenced.of).toEqual(['a']);
    expect(sumOf(settling)).toBeCloseTo((100 * (7.9 - 9)) / 30, 9);
  });
});

describe('a row without a control', () => {
  const row = (kind: 're-scored' | 'services', after: number, share: number) => ({
    ...diff(day(0, { a: 9 }), day(1, { a: 8 }), { before: PROFILES, after: PROFILES })[0]!.change,
    kind,
    control: null,
    previousControl: null,
    maximum: { before: 0, after },
    percentagePoints: share,
    cause: kind === 're-scored' ? ('rescored' as const) : null,
  });

  it('counts what Microsoft re-scored, on an unknown number of controls', () => {
    const rows = [row('re-scored', 3, -0.4), row('services', 30, 0)];
    const { settling, changes } = settleDay(
      open(day(0, { a: 9 })),
      rows,
      { date: '2026-01-02', unexplained: 0 },
      DEFAULT,
    );
    expect(settling.account.rescored).toEqual({ percentagePoints: -0.4, of: [] });
    expect(changes.map(({ fate }) => fate)).toEqual(['told', 'told']);
  });

  it('is folded if the total was only rounded', () => {
    const { settling, changes } = settleDay(
      open(day(0, { a: 9 })),
      [row('re-scored', 0.01, -0.001)],
      { date: '2026-01-02', unexplained: 0 },
      DEFAULT,
    );
    expect(settling.account.rescored.percentagePoints).toBe(-0.001);
    expect(changes.map(({ fate }) => fate)).toEqual(['folded']);
  });
});

describe('the account', () => {
  it('adds up over mails: what one counted as pending is taken back where it is reported', () => {
    const two: Alerts = { confirmDrops: 2, minimumPoints: 0 };
    const days = [
      { a: 9, b: 5, c: 5 },
      { a: 5, b: 5, c: 5 },
      { a: 5, b: 6, c: 5 },
    ].map((points, i) => day(i, points));
    const first = foldSnapshots(two, days, open(days[0]!));
    expect(first.reported).toEqual(['03 gained b']);
    expect(sumOf(first.settling)).toBeCloseTo(-10, 9);
    expect(pendingPart(first.settling)).toEqual({
      percentagePoints: expect.closeTo(-40 / 3, 9),
      controls: 1,
    });

    // The mail of 3 January goes out.
    const closed = closeAccount(first.settling, scoreLine(days[2]!));
    expect(sumOf(closed)).toBeCloseTo(0, 9);
    const second = foldSnapshots(two, [days[2]!, day(3, { a: 5, b: 6, c: 5 })], closed);
    expect(second.reported).toEqual(['04 confirmed a of 02']);
    expect(second.settling.account).toMatchObject({
      lost: { percentagePoints: expect.closeTo(-40 / 3, 9), of: ['a'] },
      countedBefore: expect.closeTo(40 / 3, 9),
    });
    expect(sumOf(second.settling)).toBeCloseTo(0, 9);
  });

  const points = fc.constantFrom(0, 2.5, 5, 8.57, 8.575, 9, 10, 14);
  const history = fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c', '1.a'), points, { minKeys: 1 }), {
    minLength: 2,
    maxLength: 15,
  });
  const alerts = fc.record({
    confirmDrops: fc.integer({ min: 0, max: 3 }),
    minimumPoints: fc.constantFrom(0, 0, 1),
  });

  it('adds up after any history, whenever mails go out', () => {
    fc.assert(
      fc.property(
        history,
        alerts,
        fc.array(fc.boolean(), { minLength: 15, maxLength: 15 }),
        (contents, noise, mails) => {
          const days = contents.map((content, index) => day(index, content));
          let settling = open(days[0]!);
          let since = days[0]!;
          for (const [index, after] of days.entries()) {
            if (index === 0) continue;
            ({ settling } = foldSnapshots(noise, [days[index - 1]!, after], settling));
            expect(sumOf(settling)).toBeCloseTo((100 * (after.points - since.points)) / 30, 6);
            if (mails[index]) {
              settling = closeAccount(settling, scoreLine(after));
              since = after;
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('daily runs and one run after a gap report the same and leave the same', () => {
    fc.assert(
      fc.property(history, alerts, (contents, noise) => {
        const days = contents.map((content, index) => day(index, content));
        const atOnce = foldSnapshots(noise, days, open(days[0]!));
        // A state is JSON between two runs.
        let settling = open(days[0]!);
        const reported: string[] = [];
        for (let index = 1; index < days.length; index += 1) {
          const daily = foldSnapshots(noise, days.slice(index - 1, index + 1), settling);
          settling = JSON.parse(JSON.stringify(daily.settling));
          reported.push(...daily.reported);
        }
        expect(reported).toEqual(atOnce.reported);
        expect(settling).toEqual(JSON.parse(JSON.stringify(atOnce.settling)));
      }),
      { numRuns: 500 },
    );
  });
});

describe('muted recommendations', () => {
  it('are given by their id, in which * matches any characters', () => {
    const mute = ['scid_*', 'mfa', '*x*y'];
    expect(['scid_12', 'mfa', 'axby', 'xy'].filter((id) => !isMuted(id, mute))).toEqual([]);
    expect(['scid', 'mfa2', 'MFA', 'axb', ''].filter((id) => isMuted(id, mute))).toEqual([]);
    expect(isMuted('a'.repeat(300), ['*a'.repeat(40) + 'b'])).toBe(false);
  });

  it('take a pending drop with them', () => {
    const alerts = { confirmDrops: 2, minimumPoints: 0 };
    const { settling } = fold(alerts, A(9, 5));
    expect(settling.waiting).toHaveLength(1);
    const after = fold({ ...alerts, mute: ['a'] }, A(5, 5, 5), settling);
    expect(after.settling.waiting).toEqual([]);
    expect(after.reported).toEqual([]);
    expect(after.settling.account.muted!.of).toEqual(['a']);
  });

  it('are never reported by themselves, and never vanish from the sum, whenever they are muted', () => {
    const points = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 12 }));
    const days = fc.array(points, { minLength: 2, maxLength: 6 });
    const alerts = fc.record({
      confirmDrops: fc.integer({ min: 0, max: 2 }),
      minimumPoints: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(days, days, alerts, fc.boolean(), (before, later, limits, isMailed) => {
        const first = day(0, before[0]!);
        const open1 = fold(limits, before).settling;
        const middle = day(before.length - 1, before.at(-1)!);
        // A mail in between has counted what was pending.
        const from = isMailed ? closeAccount(open1, scoreLine(middle)) : open1;
        const since = isMailed ? middle : first;
        const days2 = [before.at(-1)!, ...later];
        const shifted = days2.map((of, index) => day(before.length - 1 + index, of));
        const { settling, reported } = foldSnapshots({ ...limits, mute: ['a'] }, shifted, from);
        expect(reported.filter((words) => / a( |$)/.test(words))).toEqual([]);
        const moved = (100 * (shifted.at(-1)!.points - since.points)) / 30;
        expect(sumOf(settling)).toBeCloseTo(moved, 6);
      }),
    );
  });
});
