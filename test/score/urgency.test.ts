import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays } from '../../lambda/dates.ts';
import { crossings, type DayScore } from '../../lambda/score/urgency.ts';

const START = '2026-03-01';
const history = (...percentages: (number | null)[]): DayScore[] =>
  percentages.map((percentage, index) => ({ date: addDays(START, index), percentage }));

/** What daily runs report, by the number of the day. */
function daily(days: DayScore[], alerts: { below?: number; drop?: number }): string[] {
  return days.flatMap((_, index) =>
    index === 0
      ? []
      : crossings(days.slice(0, index + 1), days[index - 1]!.date, alerts).map(
          ({ rule }) => `${index} ${rule}`,
        ),
  );
}

describe('below', () => {
  it('is crossed once, and again only after the score has been back', () => {
    expect(daily(history(61, 59, 58, 59.9, 60, 59, 70, 50), { below: 60 })).toEqual([
      '1 below',
      '5 below',
      '7 below',
    ]);
  });

  it('is not crossed by a score that began beyond it, nor by a day without a score', () => {
    expect(daily(history(50, 40, 59, null, 58), { below: 60 })).toEqual([]);
    expect(daily(history(61, null, 58), { below: 60 })).toEqual(['2 below']);
  });

  it('counts as crossed after a gap, unless the score is back', () => {
    const days = history(61, 59, 58, 57);
    expect(crossings(days, START, { below: 60 })).toEqual([{ rule: 'below', limit: 60 }]);
    expect(crossings(history(61, 59, 61), START, { below: 60 })).toEqual([]);
  });
});

describe('drop', () => {
  it('adds up what is lost within 7 days, and gives the first day', () => {
    const days = history(70, 69, 68, 67);
    expect(daily(days, { drop: 3 })).toEqual(['3 drop']);
    expect(crossings(days, addDays(START, 2), { drop: 3 })).toEqual([
      { rule: 'drop', limit: 3, lost: 3, since: START },
    ]);
  });

  it('forgets what is older, but not the last snapshot before an outage', () => {
    expect(daily(history(70, 69.6, 69.2, 68.8, 68.4, 68, 67.6, 67.2, 66.8, 66.4), { drop: 3 })).toEqual([]);
    const outage = [...history(70), { date: '2026-03-20', percentage: 60 }];
    expect(crossings(outage, START, { drop: 3 })).toMatchObject([{ lost: 10, since: START }]);
  });

  it('of the middle of a gap counts as long as it has not come back', () => {
    const later = Array<number>(20).fill(60);
    expect(crossings(history(70, ...later), START, { drop: 3 })).toMatchObject([{ lost: 10 }]);
    expect(crossings(history(70, 60, 69), START, { drop: 3 })).toEqual([]);
  });
});

describe('any history', () => {
  const percentages = fc.array(fc.integer({ min: 50, max: 70 }), { minLength: 2, maxLength: 15 });

  it('is urgent exactly as often as the score falls through the limit', () => {
    fc.assert(
      fc.property(percentages, fc.integer({ min: 50, max: 70 }), (values, below) => {
        const falls = values.filter(
          (value, index) => index > 0 && value < below && values[index - 1]! >= below,
        );
        expect(daily(history(...values), { below })).toHaveLength(falls.length);
      }),
    );
  });

  it('never reports a drop twice in a row without the loss having been smaller in between', () => {
    fc.assert(
      fc.property(percentages, fc.integer({ min: 1, max: 10 }), (values, drop) => {
        const days = history(...values);
        const lost = (index: number) =>
          Math.max(...values.slice(Math.max(0, index - 7), index + 1)) - values[index]!;
        const reported = daily(days, { drop }).map((words) => Number.parseInt(words, 10));
        for (const index of reported) {
          expect(lost(index)).toBeGreaterThanOrEqual(drop);
          expect(lost(index - 1)).toBeLessThan(drop);
        }
        const crossed = values.flatMap((_, index) =>
          index > 0 && lost(index) >= drop && lost(index - 1) < drop ? [index] : [],
        );
        expect(reported).toEqual(crossed);
      }),
    );
  });
});
