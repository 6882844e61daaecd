import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maximaOf, maximumOf } from '../../lambda/score/maximum.ts';
import { control, profile } from './arbitraries.ts';

const round2 = (value: number) => Math.round(value * 100) / 100;

describe('the maximum, which Graph does not state', () => {
  it.each([
    // points, percentage, profile, maximum
    [5, 100, 5, 5],
    [2.86, 57.14, 5, 5],
    [2.86, 57.14, null, 5],
    [2.86, 57.14, 9, 5],
    [0, 0, 8, 8],
    [0, 0, null, null],
    [3, null, 8, 8],
    [3, null, null, null],
    [1.23, 20.5, null, 6],
    [1, 30, null, 100 / 30],
    [0.01, 0, 10, 10],
  ])('of %s points at %s %% with %s in the profile is %s', (points, percentage, stated, expected) => {
    const found = maximumOf(control('x', points, { percentage }), profile('x', { maximum: stated }));
    expect(found?.toFixed(9)).toBe(expected?.toFixed(9));
  });

  it('is the true one for any partial credit of an integral maximum, within rounding', () => {
    const credits = fc.record({
      maximum: fc.integer({ min: 1, max: 10 }),
      total: fc.integer({ min: 1, max: 5000 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(credits, ({ maximum, total, share }) => {
        const ratio = Math.round(share * total) / total;
        const x = control('x', round2(maximum * ratio), { percentage: round2(100 * ratio) });
        expect(maximumOf(x, profile('x', { maximum }))).toBe(maximum);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('the maxima of two days', () => {
  const credit = (maximum: number, share: number) => {
    const points = round2(maximum * share);
    return control('x', points, { percentage: round2(100 * share) });
  };

  it('never differ because points were rounded: 10,000 partial credits, with a catalogue that is right, wrong or silent', () => {
    const days = fc.record({
      maximum: fc.integer({ min: 1, max: 10 }),
      stated: fc.option(fc.integer({ min: 1, max: 10 })),
      total: fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 3000 })),
      share: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    });
    fc.assert(
      fc.property(days, ({ maximum, stated, total, share }) => {
        const [before, after] = [0, 1].map((side) => {
          const ratio = Math.round(share[side]! * total[side]!) / total[side]!;
          return credit(maximum, ratio);
        });
        const known = stated === null ? undefined : profile('x', { maximum: stated });
        const found = maximaOf({ before: before!, after: after! }, { before: known, after: known });
        expect(found.before).toBe(found.after);
      }),
      { numRuns: 10_000 },
    );
  });

  it.each([
    ['full before and after: 9 became 10', [9, 1], [10, 1], [9, 9], { before: 9, after: 10 }],
    ['partial: 9 became 10', [9, 0.5], [10, 0.4], [null, null], { before: 9, after: 10 }],
    ['empty on both days: the catalogue says', [5, 0], [8, 0], [5, 8], { before: 5, after: 8 }],
    ['empty before; the catalogue is behind', [8, 0], [8, 1], [5, 5], { before: 8, after: 8 }],
    ['empty before; the catalogue moved along', [5, 0], [8, 1], [5, 8], { before: 5, after: 8 }],
    ['empty after; unknown to the catalogue', [8, 1], [8, 0], [null, null], { before: 8, after: 8 }],
    ['empty, and unknown', [8, 0], [8, 0], [null, null], { before: null, after: null }],
  ] as const)('%s', (_, before, after, stated, expected) => {
    const known = (maximum: number | null) => (maximum === null ? undefined : profile('x', { maximum }));
    const controls = { before: credit(before[0], before[1]), after: credit(after[0], after[1]) };
    expect(maximaOf(controls, { before: known(stated[0]), after: known(stated[1]) })).toEqual(expected);
  });
});
