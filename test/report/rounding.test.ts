import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { roundTogether } from '../../lambda/report/rounding.ts';

const part = fc.double({ min: -60, max: 60, noNaN: true });
const parts = fc.array(part, { maxLength: 12 });
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

test('parts add up to the total as printed, each within one unit of its value', () => {
  fc.assert(
    fc.property(parts, fc.integer({ min: 0, max: 4 }), (values, decimals) => {
      const unit = 10 ** decimals;
      const rounded = roundTogether(values, sum(values), decimals);
      expect(sum(rounded.parts)).toBe(rounded.total);
      expect(rounded.parts.every(Number.isSafeInteger)).toBe(true);
      expect(Math.abs(rounded.total - sum(values) * unit)).toBeLessThanOrEqual(0.5 + 1e-6);
      for (const [index, value] of values.entries()) {
        expect(Math.abs(rounded.parts[index]! - value * unit)).toBeLessThan(1 + 1e-6);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a part of 0 stays 0, and nothing is a negative zero', () => {
  fc.assert(
    fc.property(parts, (values) => {
      const rounded = roundTogether([0, ...values, 0], sum(values), 1);
      expect([rounded.parts.at(0), rounded.parts.at(-1)]).toEqual([0, 0]);
      expect([...rounded.parts, rounded.total].some((value) => Object.is(value, -0))).toBe(false);
    }),
  );
});

test('whole units stay as they are, whatever binary fractions make of them', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 10 }), (values) => {
      const tenths = values.map((value) => value / 10);
      expect(roundTogether(tenths, sum(tenths), 1).parts).toEqual(values);
    }),
  );
});

test.each<[parts: number[], decimals: number, printed: number[], total: number]>([
  // Each by itself would be 0.3, 0.3 and 0.3.
  [[1 / 3, 1 / 3, 1 / 3], 1, [4, 3, 3], 10],
  [[-1.06, 0.28, -0.19], 1, [-11, 3, -2], -10],
  [[0.25, 0.25], 1, [3, 2], 5],
  [[-0.05], 1, [-1], -1],
  [[0.05], 1, [1], 1],
  [[], 1, [], 0],
])('%j with %i decimals', (values, decimals, printed, total) => {
  expect(roundTogether(values, sum(values), decimals)).toEqual({ parts: printed, total });
});
