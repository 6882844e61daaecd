import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays } from '../../lambda/dates.ts';
import { explain, sumExplanations } from '../../lambda/score/attribution.ts';
import { diff, WITHOUT_POINTS } from '../../lambda/score/diff.ts';
import { dateMaxima } from '../../lambda/score/gap.ts';
import type { Profiles, Snapshot } from '../../lambda/score/snapshot.ts';
import { control, profile, snapshot } from './arbitraries.ts';

/** Points, maximum of each control, as they really are; the total is their sum. */
type Truth = Record<string, [points: number, maximum: number]>;

function day(index: number, truth: Truth): Snapshot {
  const controls = Object.entries(truth).map(
    ([name, [points, maximum]]) =>
      [name, control(name, points, { percentage: Math.round((10_000 * points) / maximum) / 100 })] as const,
  );
  const sum = (part: 0 | 1) => Object.values(truth).reduce((total, each) => total + each[part], 0);
  return snapshot(
    addDays('2026-01-01', index),
    {},
    { controls: new Map(controls), points: Math.round(100 * sum(0)) / 100, maximum: sum(1) },
  );
}

function catalogueOf(truth: Truth, without: string[] = []): Profiles {
  return new Map(
    Object.entries(truth)
      .filter(([name]) => !without.includes(name))
      .map(([id, [, maximum]]) => [id, profile(id, { maximum })]),
  );
}

it('a late day, whose catalogue lacks a control, has its profile from before, whether or not the ends share an object', () => {
  const before = catalogueOf({ old: [1, 5], same: [1, 5] });
  const later = catalogueOf({ new: [1, 5], same: [1, 5] });
  const snapshots = [0, 1, 2].map((index) => day(index, { old: [1, 5], same: [1, 5] }));
  const steps = snapshots.slice(1).map((after, index) => ({ before: snapshots[index]!, after }));
  const dated = (last: Profiles) =>
    dateMaxima(steps, [
      { before, after: later },
      { before: later, after: last },
    ]).map(({ after }) => after.get('old'));
  expect(dated(before)).toEqual([before.get('old'), before.get('old')]);
  expect(dated(new Map(before))).toEqual(dated(before));
});

it('a control that one catalogue lacks on all days has the profile of its later name, whoever read that catalogue', () => {
  const catalogue = catalogueOf({ '11770.one': [1, 5] });
  const [first, second, third] = [
    day(0, { one: [1, 5] }),
    day(1, { one: [2, 5] }),
    day(2, { '11770.one': [2, 5] }),
  ];
  const steps = [
    { before: first, after: second },
    { before: second, after: third },
  ];
  const dated = (copy: () => Profiles) =>
    dateMaxima(
      steps,
      steps.map(() => ({ before: copy(), after: copy() })),
    ).map(({ before, after }) => [before, after]);
  expect(dated(() => catalogue)[0]![0]!.get('one')).toEqual(catalogue.get('11770.one'));
  expect(dated(() => catalogue)).toEqual(dated(() => new Map(catalogue)));
});

/** What a run finds after a gap: the catalogue as of its two ends alone. */
function seen(days: Truth[], first = catalogueOf(days[0]!), last = catalogueOf(days.at(-1)!)) {
  const snapshots = days.map((truth, index) => day(index, truth));
  const steps = snapshots.slice(1).map((after, index) => ({ before: snapshots[index]!, after }));
  const dated = dateMaxima(
    steps,
    steps.map((_, index) => ({ before: index === 0 ? first : last, after: last })),
  );
  const changes = steps.map(({ before, after }, index) =>
    diff(before, after, dated[index]!).map(({ change }) => change),
  );
  const explanations = steps.map(({ before, after }, index) => explain(before, after, changes[index]!));
  return { changes, explanations };
}

/** "2 re-scored empty 5→8", of all steps. */
function rows(days: Truth[], first?: Profiles, last?: Profiles): string[] {
  const { changes, explanations } = seen(days, first, last);
  for (const { unexplained } of explanations) expect(Math.abs(unexplained)).toBeLessThan(1e-9);
  return changes.flatMap((ofDay, index) =>
    ofDay.map(({ kind, control: name, title, maximum, percentagePoints }) => {
      const worth = `${maximum.before ?? '–'}→${maximum.after ?? '–'}`;
      return `${index + 1} ${kind} ${name ?? title} ${worth}${Math.abs(percentagePoints) < 1e-9 ? ' bears nothing' : ''}`;
    }),
  );
}

const REST: Truth = { full: [10, 10], half: [5, 10] };

describe('maxima that moved in a gap', () => {
  it('of a control without points: on the day on which the total’s did', () => {
    const old: Truth = { ...REST, empty: [0, 5] };
    const now: Truth = { ...REST, empty: [0, 8] };
    expect(rows([old, old, old, now, now])).toEqual(['3 re-scored empty 5→8']);
  });

  it('of several: where one set alone adds up to what the totals say', () => {
    const truth = (a: number, b: number, c: number): Truth => ({ ...REST, a: [0, a], b: [0, b], c: [0, c] });
    expect(rows([truth(5, 5, 5), truth(5, 5, 5), truth(7, 5, 5), truth(7, 5, 4), truth(7, 9, 4)])).toEqual([
      '2 re-scored a 5→7',
      '3 re-scored c 5→4',
      '4 re-scored b 5→9',
    ]);
    // Only over all days: 3 is a's, or b's and c's together, but on the other day nothing else makes 4.
    expect(rows([truth(1, 1, 1), truth(4, 1, 1), truth(4, 2, 1), truth(4, 2, 3)])).toEqual([
      '1 re-scored a 1→4',
      '2 re-scored b 1→2',
      '3 re-scored c 1→3',
    ]);
  });

  it('where two would do: on no day of their own, and the day has its share all the same', () => {
    const truth = (a: number, b: number): Truth => ({ ...REST, a: [0, a], b: [0, b] });
    expect(rows([truth(5, 5), truth(8, 5), truth(8, 5), truth(8, 8)])).toEqual([
      `1 re-scored ${WITHOUT_POINTS} 0→3`,
      `3 re-scored ${WITHOUT_POINTS} 0→3`,
      '3 re-scored a 5→8 bears nothing',
      '3 re-scored b 5→8 bears nothing',
    ]);
  });

  it('of many at once: the complete set, or none if too many sets fit', () => {
    const truth = (...worths: number[]): Truth => ({
      ...REST,
      ...Object.fromEntries(worths.map((worth, index) => [`c${index}`, [0, worth] as [number, number]])),
    });
    const all = (worth: number) => Array.from({ length: 60 }, () => worth);
    const batch = rows([truth(...all(9)), truth(...all(9)), truth(...all(8))]);
    expect(batch).toHaveLength(60);
    expect(batch.every((row) => /^2 re-scored c\d+ 9→8$/.test(row))).toBe(true);

    const some = (until: number) => all(9).map((worth, index) => (index < until ? 8 - (index % 3) : worth));
    const mixed = rows([truth(...some(0)), truth(...some(31)), truth(...some(60))]);
    expect(mixed.filter((row) => row.includes(WITHOUT_POINTS))).toHaveLength(2);
    expect(mixed.filter((row) => row.endsWith('bears nothing'))).toHaveLength(60);
  });

  it('are dated by the points if those show it', () => {
    const truth = (a: [number, number], b: [number, number]): Truth => ({ ...REST, a, b });
    // Both moved by 3; a had points before, and b after.
    expect(
      rows([
        truth([1, 5], [0, 5]),
        truth([1, 5], [0, 8]),
        truth([1, 5], [4, 8]),
        truth([0, 8], [4, 8]),
      ]).filter((row) => row.includes('re-scored')),
    ).toEqual(['1 re-scored b 5→8', '3 re-scored a 5→8']);
  });

  it('of one that came in between, and of one that went', () => {
    const come = (maximum: number): Truth => ({ ...REST, came: [0, maximum] });
    const known = catalogueOf(come(4));
    expect(rows([REST, come(4), come(4), come(6)], known)).toEqual([
      '1 new came –→4',
      '3 re-scored came 4→6',
    ]);
    expect(rows([REST, come(6), come(6), come(6)], known)).toEqual(['1 new came –→6']);
    const later = catalogueOf(come(6));
    expect(rows([come(4), come(6), come(6), REST], known, later)).toEqual([
      '1 re-scored came 4→6',
      '3 removed came 6→–',
    ]);
    expect(rows([come(4), come(4), REST, REST], known, later)).toEqual(['2 removed came 4→–']);
  });

  it('of one that was renamed and then removed', () => {
    const days: Truth[] = [
      { ...REST, x: [0, 7] },
      { ...REST, '1.x': [0, 7] },
      { ...REST, '1.x': [0, 7] },
      REST,
    ];
    expect(rows(days)).toEqual(['1 renamed 1.x 7→7 bears nothing', '3 removed 1.x 7→–']);
  });

  it('of one that nobody states: the total knows it', () => {
    const days: Truth[] = [REST, { ...REST, silent: [0, 6] }];
    expect(rows(days, catalogueOf(REST), catalogueOf(REST))).toEqual(['1 new silent –→6']);
    const two: Truth[] = [REST, { ...REST, silent: [0, 6], still: [0, 2] }];
    expect(rows(two, catalogueOf(REST), catalogueOf(REST))).toEqual([
      `1 re-scored ${WITHOUT_POINTS} 0→8`,
      '1 new silent –→– bears nothing',
      '1 new still –→– bears nothing',
    ]);
  });

  it('in the catalogue alone, as the score has not followed yet: it bears nothing', () => {
    const truth: Truth = { ...REST, empty: [0, 5] };
    const ahead = catalogueOf({ ...REST, empty: [0, 8] });
    expect(rows([truth, truth], catalogueOf(truth), ahead)).toEqual(['1 re-scored empty 5→8 bears nothing']);
    expect(rows([truth, { ...truth, empty: [0, 8] }], ahead, ahead)).toEqual([
      `1 re-scored ${WITHOUT_POINTS} 0→3`,
    ]);
  });
});

/** What happens to a control on a day. */
const event = fc.record({
  day: fc.nat({ max: 89 }),
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'),
  what: fc.constantFrom('points', 'none', 're-scored', 're-scored', 'come', 'go', 'renamed'),
  maximum: fc.integer({ min: 1, max: 10 }),
  share: fc.nat({ max: 100 }),
});

type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

function historyOf(start: Truth, events: Event[], length: number): Truth[] {
  let truth: Truth = { ...start, ...REST };
  return Array.from({ length: length + 1 }, (_, index) => {
    for (const { name, what, maximum, share } of events.filter(({ day: on }) => on === index - 1)) {
      const now = [name, `1.${name}`, `2.${name}`].find((each) => each in truth);
      const next = { ...truth };
      const of = (share_: number, maximum_: number): [number, number] => [
        Math.round(share_ * maximum_) / 100,
        maximum_,
      ];
      if (now === undefined) {
        if (what === 'come') next[name] = of(share % 3 === 0 ? 0 : share, maximum);
      } else {
        const [points, worth] = truth[now]!;
        if (what === 'points') next[now] = of(share, worth);
        if (what === 'none') next[now] = [0, worth];
        if (what === 're-scored') next[now] = of(Math.round((100 * points) / worth), maximum);
        if (what === 'go' || what === 'renamed') delete next[now];
        if (what === 'renamed') next[now === name ? `1.${name}` : `2.${name}`] = [points, worth];
      }
      truth = next;
    }
    return truth;
  });
}

describe('not explained', () => {
  it('is 0 after any history whose points add up, seen daily or after any gap', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
          fc.constant([0, 5] as [number, number]),
        ),
        fc.array(event, { maxLength: 40 }),
        fc.integer({ min: 1, max: 90 }),
        fc.subarray(['a', 'b', '1.c', 'd']),
        (start, events, length, hidden) => {
          const history = historyOf(start, events, length);
          const catalogue = (truth: Truth) => catalogueOf(truth, hidden);
          const runs = [
            ...history.slice(1).map((truth, index) => [history[index]!, truth]),
            history,
            history.slice(0, Math.ceil(length / 2) + 1),
          ];
          for (const days of runs) {
            const { explanations, changes } = seen(days, catalogue(days[0]!), catalogue(days.at(-1)!));
            for (const [index, each] of explanations.entries()) {
              expect(Math.abs(each.unexplained)).toBeLessThan(1e-9);
              const shares = changes[index]!.reduce((sum, row) => sum + row.percentagePoints, 0);
              expect(Math.abs(shares - (each.after! - each.before!))).toBeLessThan(1e-9);
            }
            expect(Math.abs(sumExplanations(explanations, null).unexplained)).toBeLessThan(1e-9);
          }
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  it('holds points alone, where a total is not the sum of its controls', () => {
    const [before, after] = [day(0, REST), day(1, { ...REST, half: [5, 12] })];
    after.points += 2;
    const changes = diff(before, after, { before: new Map(), after: new Map() }).map(({ change }) => change);
    const { unexplained } = explain(before, after, changes);
    expect(unexplained).toBeCloseTo(100 * ((2 * (1 / before.maximum + 1 / after.maximum)) / 2), 9);
  });
});
