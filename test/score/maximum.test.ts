import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maximumOf } from '../../lambda/score/maximum.ts';
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
    expect(found).toEqual(expected === null ? null : expect.closeTo(expected, 9));
  });

  it('is the true one for any partial credit of a whole maximum, as rounding goes', () => {
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
