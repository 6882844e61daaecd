import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays } from '../../lambda/dates.ts';
import { acceptDays, type Accepted } from '../../lambda/score/plausibility.ts';
import type { Snapshot } from '../../lambda/score/snapshot.ts';
import { snapshot } from './arbitraries.ts';

const FULL = { a: 1, b: 2, c: 3, d: 4 };
const HALF = { a: 1 };
const OTHER_HALF = { c: 3 };

function days(...contents: Record<string, number>[]): Snapshot[] {
  return contents.map((content, index) => snapshot(addDays('2026-01-01', index + 1), content));
}

function outline({ steps, skipped, waiting }: Accepted) {
  return {
    steps: steps.map(({ before, after }) => `${before.date.slice(-2)}→${after.date.slice(-2)}`),
    skipped: skipped.map(({ date }) => date.slice(-2)),
    waiting: waiting?.date.slice(-2) ?? null,
  };
}

const BASELINE = snapshot('2026-01-01', FULL);

describe('which days count', () => {
  it.each([
    [
      'complete days, each after the other',
      [FULL, FULL],
      { steps: ['01→02', '02→03'], skipped: [], waiting: null },
    ],
    [
      'half of the controls gone is not more than half',
      [{ a: 1, b: 2 }],
      { steps: ['01→02'], skipped: [], waiting: null },
    ],
    ['a suspect day waits', [FULL, HALF], { steps: ['01→02'], skipped: [], waiting: '03' }],
    ['and waits on with one that agrees', [HALF, HALF], { steps: [], skipped: [], waiting: '02' }],
    [
      'two further days that agree make it count',
      [HALF, HALF, HALF],
      { steps: ['01→02', '02→03', '03→04'], skipped: [], waiting: null },
    ],
    ['a complete day contradicts it', [HALF, FULL], { steps: ['01→03'], skipped: ['02'], waiting: null }],
    [
      'a complete day contradicts two',
      [HALF, HALF, FULL],
      { steps: ['01→04'], skipped: ['02', '03'], waiting: null },
    ],
    [
      'another half contradicts it and waits itself',
      [HALF, OTHER_HALF],
      { steps: [], skipped: ['02'], waiting: '03' },
    ],
  ])('%s', (_, contents, expected) => {
    expect(outline(acceptDays(BASELINE, days(...contents)))).toEqual(expected);
  });

  it.each([[null], [[]], [['HasMDE']]])('whatever the day says of the services: %j', (enabledServices) => {
    const day = snapshot('2026-01-02', HALF, { enabledServices });
    expect(outline(acceptDays(BASELINE, [day]))).toEqual({ steps: [], skipped: [], waiting: '02' });
  });

  it('renamed controls are not gone', () => {
    expect(outline(acceptDays(BASELINE, days({ '1.a': 1, '1.b': 2, '1.c': 3, '1.d': 4 })))).toMatchObject({
      waiting: null,
    });
  });

  it('says how many are gone', () => {
    expect(acceptDays(BASELINE, days(HALF)).waiting).toEqual({ date: '2026-01-02', gone: 3, told: 4 });
  });

  it('daily runs and one run after a gap accept the same days', () => {
    const content = fc.constantFrom(FULL, FULL, HALF, OTHER_HALF, { ...FULL, e: 5 });
    fc.assert(
      fc.property(fc.array(content, { maxLength: 12 }), (contents) => {
        const all = days(...contents);
        const atOnce = acceptDays(BASELINE, all);

        const daily: Accepted['steps'] = [];
        let baseline = BASELINE;
        for (let index = 0; index < all.length; index += 1) {
          const seen = all.slice(0, index + 1).filter(({ date }) => date > baseline.date);
          const { steps } = acceptDays(baseline, seen);
          daily.push(...steps);
          baseline = steps.at(-1)?.after ?? baseline;
        }
        expect(daily).toEqual(atOnce.steps);
      }),
      { numRuns: 500 },
    );
  });
});
