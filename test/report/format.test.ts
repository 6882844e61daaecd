import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  count,
  day,
  listing,
  moment,
  points,
  pointsChange,
  score,
  scoreChange,
  scoreStep,
  shortDay,
  sides,
} from '../../lambda/report/format.ts';
import { scoreLine } from './reports.ts';

test('points have up to two decimals and a real minus sign', () => {
  expect([9, 8.5, 8.571, 0, -3, -0.001, 815.22].map((value) => points(value))).toEqual([
    '9',
    '8.5',
    '8.57',
    '0',
    '−3',
    '0',
    '815.22',
  ]);
});

test('no change reads as none, and a small one does not', () => {
  expect([-3, 0.02, 0.004, 0, 1e-12, -0.57].map(pointsChange)).toEqual([
    '−3',
    '+0.02',
    '+0.004',
    '±0',
    '±0',
    '−0.57',
  ]);
});

test('the score has one decimal, its change too unless that would hide it', () => {
  const at = (percentage: number) => scoreLine('2026-01-09', percentage, 100);
  expect(score(at(62.44))).toBe('62.4 %');
  expect(score(scoreLine('2026-01-09', 128, 0))).toBe('128 points');
  expect(score(scoreLine('2026-01-09', 1, 0))).toBe('1 point');
  expect(scoreChange(at(63.2), at(62.4))).toBe('−0.8');
  expect(scoreChange(at(62.4), at(62.7))).toBe('+0.3');
  expect(scoreChange(at(62.4), at(62.44))).toBe('+0.04');
  expect(scoreChange(at(62.4), at(62.4))).toBe('±0.0');
  expect(scoreChange(at(62.4), scoreLine('2026-01-09', 65.4, 0))).toBe('+3');
  expect(scoreStep(at(62.44), at(62.4))).toBe('±0.0');
  expect(scoreStep(at(62), at(62.4))).toBe('+0.4');
});

test('both sides show what is known', () => {
  expect(sides({ before: 8, after: 5 }, { before: 9, after: 9 })).toBe('8 → 5 of 9 points');
  expect(sides({ before: 1, after: 0.43 }, { before: null, after: 1 })).toBe('1 → 0.43 of 1 point');
  expect(sides({ before: 8, after: 5 }, { before: 9, after: 10 })).toBe('8 of 9 → 5 of 10 points');
  expect(sides({ before: 8, after: 5 }, { before: null, after: null })).toBe('8 → 5 points, maximum unknown');
  expect(sides({ before: null, after: 1 }, { before: null, after: null })).toBe('1 point, maximum unknown');
  expect(sides({ before: null, after: 0 }, { before: null, after: 5 })).toBe('0 of 5 points');
  expect(sides({ before: 3, after: null }, { before: 5, after: null })).toBe('3 of 5 points');
  expect(sides({ before: null, after: null }, { before: 5, after: 5 })).toBe('points unknown');
});

test('two different scores are never written the same', () => {
  expect(sides({ before: 8.5751, after: 8.5849 }, { before: 9, after: 9 })).toBe('8.575 → 8.585 of 9 points');
});

test('days are those of UTC, whatever the time zone of the machine', () => {
  expect(day('2026-01-09')).toBe('9 Jan 2026');
  expect(day('2026-01-09T23:59:59Z')).toBe('9 Jan 2026');
});

test('English', () => {
  expect([count(0, 'day'), count(1, 'day'), count(2, 'day')]).toEqual(['0 days', '1 day', '2 days']);
  expect([listing([]), listing(['a']), listing(['a', 'b']), listing(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
});

test('a date in UTC is written as in any other time zone', () => {
  const date = fc.date({ min: new Date(0), max: new Date('+012345-12-30'), noInvalidDate: true });
  fc.assert(
    fc.property(date, (at) => {
      const text = at.toISOString();
      // Iceland has had the time of UTC since 1968, under a name of its own.
      const there = 'Atlantic/Reykjavik';
      expect([day(text), shortDay(text)]).toEqual([day(text, there), shortDay(text, there)]);
      expect(moment(text)).toBe(moment(text, there).replace(` (${there})`, ' UTC'));
    }),
  );
  expect(() => day('yesterday')).toThrow(RangeError);
});
