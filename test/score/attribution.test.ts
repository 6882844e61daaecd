import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explain, sumExplanations } from '../../lambda/score/attribution.ts';
import { diff, type ProfilesOfTwo } from '../../lambda/score/diff.ts';
import type { Decision, Snapshot } from '../../lambda/score/snapshot.ts';
import { control, profile, snapshot } from './arbitraries.ts';

/** A day of controls with their maxima; the percentages are Graph's, rounded to two decimals. */
function day(
  date: string,
  controls: Record<string, [points: number, maximum: number]>,
  more: Partial<Snapshot> = {},
) {
  const entries = Object.entries(controls).map(
    ([name, [points, maximum]]) =>
      [name, control(name, points, { percentage: Math.round((10_000 * points) / maximum) / 100 })] as const,
  );
  return snapshot(
    date,
    {},
    {
      controls: new Map(entries),
      points: Object.values(controls).reduce((sum, [points]) => sum + points, 0),
      maximum: Object.values(controls).reduce((sum, [, maximum]) => sum + maximum, 0),
      ...more,
    },
  );
}

function catalogue(maxima: Record<string, number>, decisions: Record<string, Decision> = {}) {
  return new Map(
    Object.entries(maxima).map(([id, maximum]) => [
      id,
      profile(id, { maximum, decision: decisions[id] ?? null }),
    ]),
  );
}

const BEFORE = { a: 10, b: 10, c: 5 };

function compared(
  before: Record<string, [number, number]>,
  after: Record<string, [number, number]>,
  profiles: ProfilesOfTwo = { before: catalogue(BEFORE), after: catalogue(BEFORE) },
) {
  const [first, second] = [day('2026-01-01', before), day('2026-01-02', after)];
  const changes = diff(first, second, profiles).map(({ change }) => change);
  return { changes, explanation: explain(first, second, changes) };
}

describe('the cause of points', () => {
  it('a lost point is ours', () => {
    const { changes, explanation } = compared({ a: [10, 10], b: [5, 10] }, { a: [8, 10], b: [5, 10] });
    expect(changes).toMatchObject([
      { kind: 'lost', cause: 'earned', percentagePoints: expect.closeTo(-10, 9) },
    ]);
    expect(explanation).toEqual({
      before: 75,
      after: 65,
      earned: expect.closeTo(-10, 9),
      rescored: 0,
      decided: 0,
      unexplained: expect.closeTo(0, 9),
    });
  });

  it('a full control that Microsoft retires is nobody’s loss', () => {
    const { changes, explanation } = compared({ a: [10, 10], b: [5, 10] }, { b: [5, 10] });
    expect(changes).toMatchObject([
      { kind: 'removed', cause: 'rescored', percentagePoints: expect.closeTo(-25, 9) },
    ]);
    expect(explanation).toMatchObject({ before: 75, after: 50, earned: 0, rescored: expect.closeTo(-25, 9) });
  });

  it('a full control that Microsoft doubles in worth is nobody’s merit', () => {
    const profiles = { before: catalogue({ a: 5, b: 10 }), after: catalogue({ a: 10, b: 10 }) };
    const { changes, explanation } = compared(
      { a: [5, 5], b: [5, 10] },
      { a: [10, 10], b: [5, 10] },
      profiles,
    );
    expect(changes.map(({ kind, cause }) => [kind, cause])).toEqual([
      ['gained', null],
      ['re-scored', 'rescored'],
    ]);
    expect(explanation).toMatchObject({ earned: 0, rescored: expect.closeTo(75 - 200 / 3, 9) });
  });

  it('a full control that Microsoft adds is nobody’s gain, an empty one nobody’s loss', () => {
    const full = compared({ b: [5, 10] }, { a: [10, 10], b: [5, 10] });
    expect(full.explanation).toMatchObject({
      before: 50,
      after: 75,
      earned: 0,
      rescored: expect.closeTo(25, 9),
    });
    const empty = compared({ b: [5, 10] }, { a: [0, 10], b: [5, 10] });
    expect(empty.explanation).toMatchObject({
      before: 50,
      after: 25,
      earned: 0,
      rescored: expect.closeTo(-25, 9),
    });
  });

  it('an empty control whose worth the catalogue raises is re-scored', () => {
    const profiles = { before: catalogue({ a: 5, b: 10 }), after: catalogue({ a: 8, b: 10 }) };
    const { changes } = compared({ a: [0, 5], b: [5, 10] }, { a: [0, 8], b: [5, 10] }, profiles);
    expect(changes).toMatchObject([
      { kind: 're-scored', maximum: { before: 5, after: 8 }, cause: 'rescored' },
    ]);
  });

  const thirdParty: Decision = {
    state: 'ThirdParty',
    previousState: 'Default',
    by: 'ada@contoso.com',
    at: '2026-01-01T15:00:00Z',
    comment: 'Okta',
  };

  it('a gain on a control that someone marked as third party is the decision’s', () => {
    const profiles = { before: catalogue(BEFORE), after: catalogue(BEFORE, { a: thirdParty }) };
    const { changes, explanation } = compared(
      { a: [0, 10], b: [5, 10] },
      { a: [10, 10], b: [5, 10] },
      profiles,
    );
    expect(changes.map(({ kind, cause, percentagePoints }) => [kind, cause, percentagePoints])).toEqual([
      ['gained', null, 0],
      ['decided', 'decided', expect.closeTo(50, 9)],
    ]);
    expect(explanation).toMatchObject({ earned: 0, decided: expect.closeTo(50, 9) });
  });

  it('days later too, up to 14, when the decision was already reported', () => {
    const decisionAt = (at: string, state = 'ThirdParty') => {
      const both = catalogue(BEFORE, { a: { ...thirdParty, state, at } });
      return compared({ a: [0, 10], b: [5, 10] }, { a: [10, 10], b: [5, 10] }, { before: both, after: both })
        .changes;
    };
    expect(decisionAt('2025-12-20T00:00:00Z')).toMatchObject([{ kind: 'gained', cause: 'decided' }]);
    expect(decisionAt('2025-12-18T00:00:00Z')).toMatchObject([{ kind: 'gained', cause: 'earned' }]);
    expect(decisionAt('2026-01-04T00:00:00Z')).toMatchObject([{ kind: 'gained', cause: 'earned' }]);
    expect(decisionAt('2026-01-01T00:00:00Z', 'thirdparty')).toMatchObject([{ cause: 'decided' }]);
    expect(decisionAt('2026-01-01T00:00:00Z', 'Resolved through alternate mitigation')).toMatchObject([
      { cause: 'decided' },
    ]);
    expect(decisionAt('2026-01-01T00:00:00Z', 'Ignored')).toMatchObject([{ cause: 'earned' }]);
  });

  it('after a gap, too, in which the mark had its effect', () => {
    const causeAfter = (decision: Decision) => {
      const both = { before: catalogue(BEFORE), after: catalogue(BEFORE, { a: decision }) };
      const [first, later] = [day('2026-01-01', { a: [0, 10] }), day('2026-02-01', { a: [10, 10] })];
      return diff(first, later, both).map(({ change }) => change.cause);
    };
    expect(causeAfter({ ...thirdParty, at: '2026-01-05T09:00:00Z' })).toContain('decided');
    expect(causeAfter({ ...thirdParty, at: '2025-12-19T00:00:00Z' })).toContain('decided');
    expect(causeAfter({ ...thirdParty, at: '2025-12-18T00:00:00Z' })).toContain('earned');
  });

  it('if the mark was taken back within 7 days before, too: its points come late, and go later', () => {
    const causeOf = (at: string | null, state = 'Default') => {
      const back = { ...thirdParty, state, previousState: 'ThirdParty', at };
      return compared(
        { a: [0, 10], b: [5, 10] },
        { a: [10, 10], b: [5, 10] },
        { before: catalogue(BEFORE), after: catalogue(BEFORE, { a: back }) },
      ).changes.map(({ cause }) => cause);
    };
    expect(causeOf('2026-01-01T15:00:00Z')).toEqual([null, 'decided']);
    expect(causeOf('2025-12-26T00:00:00Z')).toEqual([null, 'decided']);
    expect(causeOf('2025-12-25T23:00:00Z')).toContain('earned');
    expect(causeOf(null)).toEqual([null, 'decided']);
    expect(causeOf('2026-01-01T15:00:00Z', 'Ignored')).toEqual([null, 'decided']);
  });

  it('a loss that follows from taking it back is the decision’s as well', () => {
    const back: Decision = { ...thirdParty, state: 'Default', previousState: 'ThirdParty' };
    const profiles = { before: catalogue(BEFORE, { a: thirdParty }), after: catalogue(BEFORE, { a: back }) };
    const { changes } = compared({ a: [10, 10], b: [5, 10] }, { a: [0, 10], b: [5, 10] }, profiles);
    expect(changes.map(({ kind, cause }) => [kind, cause])).toEqual([
      ['lost', null],
      ['decided', 'decided'],
    ]);
  });

  it('a mark gives all points of a recommendation: what moves below its maximum is of another cause', () => {
    const back: Decision = { ...thirdParty, state: 'Default', previousState: 'ThirdParty' };
    const causeOf = (decision: Decision, before: number, after: number) => {
      const both = catalogue(BEFORE, { a: decision });
      return compared(
        { a: [before, 10], b: [5, 10] },
        { a: [after, 10], b: [5, 10] },
        { before: both, after: both },
      ).changes.map(({ cause }) => cause);
    };
    expect(causeOf(thirdParty, 1, 1.01)).toEqual(['earned']);
    expect(causeOf(thirdParty, 1, 9.5)).toEqual(['earned']);
    expect(causeOf(thirdParty, 1.01, 10)).toEqual(['decided']);
    expect(causeOf(back, 2, 1)).toEqual(['earned']);
    expect(causeOf(back, 10, 2)).toEqual(['decided']);
  });

  it('the part of a total beyond the known controls is not explained', () => {
    const first = day('2026-01-01', { a: [10, 10] }, { points: 12, maximum: 20 });
    const second = day('2026-01-02', { a: [10, 10] }, { points: 10, maximum: 20 });
    expect(explain(first, second, [])).toMatchObject({ before: 60, after: 50, earned: 0, unexplained: -10 });
  });

  it('without a percentage there is nothing to account for', () => {
    const first = day('2026-01-01', { a: [10, 10] }, { maximum: 0 });
    const second = day('2026-01-02', { a: [5, 10] });
    const changes = diff(first, second, { before: new Map(), after: new Map() }).map(({ change }) => change);
    expect(changes).toMatchObject([{ kind: 'lost', percentagePoints: 0 }]);
    expect(explain(first, second, changes)).toMatchObject({ before: null, after: 50, unexplained: 0 });
  });
});

describe('the shares', () => {
  const credit = fc.record({
    maximum: fc.integer({ min: 1, max: 10 }),
    share: fc.integer({ min: 0, max: 20 }),
  });
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', '1.a', '2.a', '1.b', 'g.h');
  const decisions = fc.option(
    fc.record({
      state: fc.constantFrom('Default', 'ThirdParty', 'Ignored', 'Reviewed'),
      previousState: fc.constantFrom(null, 'ThirdParty', 'Default'),
      by: fc.constant('x'),
      at: fc.constantFrom('2026-01-01T01:00:00Z', '2025-06-01T00:00:00Z'),
      comment: fc.constant(null),
    }),
  );
  const side = fc.record({
    controls: fc.dictionary(names, credit, { maxKeys: 10 }),
    known: fc.dictionary(names, fc.tuple(fc.option(fc.integer({ min: 1, max: 10 })), decisions), {
      maxKeys: 10,
    }),
    counts: fc.boolean(),
    hidden: fc.constantFrom(0, 0, 3.5, -1),
    noMaximum: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
  });
  type Side = typeof side extends fc.Arbitrary<infer T> ? T : never;

  /** As Graph says it: points with two decimals, totals that may hide something, a catalogue that knows some. */
  const built = (date: string, { controls, hidden, noMaximum, counts, known }: Side) => {
    const list = Object.entries(controls).map(([name, { maximum, share }]) => {
      const points = Math.round(5 * maximum * share) / 100;
      return control(name, points, {
        percentage: counts || points > 0 ? Math.round((10_000 * points) / maximum) / 100 : null,
        complete: counts,
        total: counts ? 20 + share : null,
      });
    });
    const sum = list.reduce((total, { points }) => total + points, 0);
    const maximum = Object.values(controls).reduce((total, one) => total + one.maximum, 0);
    return {
      day: snapshot(
        date,
        {},
        {
          controls: new Map(list.map((one) => [one.name, one])),
          points: Math.max(sum + hidden, 0),
          maximum: noMaximum ? 0 : maximum + 5,
        },
      ),
      profiles: new Map(
        Object.entries(known).map(([id, [stated, decision]]) => [
          id,
          profile(id, { maximum: stated, decision }),
        ]),
      ),
    };
  };

  it('and what is not explained add up to the change, within 1e-9, whatever happens', () => {
    fc.assert(
      fc.property(side, side, (one, two) => {
        const [first, second] = [built('2026-01-01', one), built('2026-01-02', two)];
        const changes = diff(first.day, second.day, { before: first.profiles, after: second.profiles }).map(
          ({ change }) => change,
        );
        const { before, after, earned, rescored, decided, unexplained } = explain(
          first.day,
          second.day,
          changes,
        );
        const rows = changes.reduce((sum, change) => sum + change.percentagePoints, 0);
        expect(Math.abs(rows - earned - rescored - decided)).toBeLessThan(1e-9);
        const moved = before === null || after === null ? 0 : after - before;
        expect(Math.abs(rows + unexplained - moved)).toBeLessThan(1e-9);
        // One row of a control on a day bears its share, and none without a cause.
        for (const row of changes) expect(row.cause !== null || row.percentagePoints === 0).toBe(true);
        const bearers = changes.filter(({ cause }) => cause !== null).map(({ control: name }) => name);
        expect(new Set(bearers).size).toBe(bearers.length);
      }),
      { numRuns: 1000 },
    );
  });

  it('leave nothing unexplained if the total has only the controls, and their maxima are known', () => {
    fc.assert(
      fc.property(
        fc.dictionary(names, credit, { minKeys: 1, maxKeys: 10 }),
        fc.dictionary(names, credit, { minKeys: 1, maxKeys: 10 }),
        (one, two) => {
          const full = (controls: Record<string, { maximum: number; share: number }>) =>
            Object.fromEntries(
              Object.entries(controls).map(([name, { maximum, share }]) => [
                name,
                [Math.round(5 * maximum * share) / 100, maximum] as [number, number],
              ]),
            );
          const stated = (controls: Record<string, { maximum: number }>) =>
            catalogue(
              Object.fromEntries(Object.entries(controls).map(([name, { maximum }]) => [name, maximum])),
            );
          const { explanation } = compared(full(one), full(two), { before: stated(one), after: stated(two) });
          // Moves below epsilon are the only thing left out, and two decimals have none.
          expect(Math.abs(explanation.unexplained)).toBeLessThan(1e-9);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('of several days add up from the first to the last', () => {
    const parts = [
      compared({ a: [10, 10], b: [5, 10] }, { a: [8, 10], b: [5, 10] }).explanation,
      compared({ a: [8, 10], b: [5, 10] }, { a: [8, 10], b: [5, 10], c: [5, 5] }).explanation,
    ];
    const sum = sumExplanations(parts, null);
    expect(sum).toMatchObject({ before: 75, after: 72 });
    expect(sum.earned + sum.rescored + sum.decided + sum.unexplained).toBeCloseTo(-3, 9);
    expect(sumExplanations([], 62.4)).toEqual({
      before: 62.4,
      after: 62.4,
      earned: 0,
      rescored: 0,
      decided: 0,
      unexplained: 0,
    });
  });
});
