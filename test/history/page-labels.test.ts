import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { apart, placeLabels } from '../../history/page/browser/labels.ts';
import type { Mark } from '../../history/page/model.ts';

const SCALE = { left: 40, right: 900, top: 0, bottom: 300 } as Parameters<typeof placeLabels>[4];
const LINE = Array.from({ length: 87 }, (_, day) => ({ x: 40 + 10 * day, y: day === 86 ? 130 : 100 }));

it('a mark on the newest day has its words, which end beside it', () => {
  const mark: Mark = { day: 86, by: 'microsoft', isMixed: false, change: -1.36 };
  const captions = new Map([[mark, { title: '9 new', more: 4 }]]);
  const [placed] = placeLabels([mark], captions, LINE, ({ day }) => LINE[day]!, SCALE);
  expect(placed!.label).toMatchObject({ text: '9 new and 4 more −1.4', anchor: 'end' });
  expect(placed!.label!.x).toBeGreaterThanOrEqual(SCALE.right);
  // The scale's own numbers stand there.
  expect(placed!.label!.x).toBeLessThan(SCALE.right + 8);
});

it('words are cut, but not the rest of the amount', () => {
  const mark: Mark = { day: 43, by: 'here', isMixed: false, change: 2 };
  const captions = new Map([[mark, { title: 'Set '.repeat(40), more: 2 }]]);
  const [placed] = placeLabels([mark], captions, LINE, ({ day }) => LINE[day]!, SCALE);
  expect(placed!.label!.text).toMatch(/^Set .*… and 2 more \+2\.0$/);
  expect(placed!.label!.text.length).toBeLessThanOrEqual(40 + ' +2.0'.length);
});

it.each([
  ['far from one another stay where they are', [90, 60, 30], [90, 60, 30]],
  ['that are equal stand around their value', [60, 60, 60], [64, 60, 56]],
  ['that meet stand around their middle', [80, 60, 59], [80, 61.5, 57.5]],
  ['at the edge stand inside', [0, 0], [4, 0]],
])('labels at values %s', (_, values, places) => {
  expect(apart(values, 4, [0, 100])).toEqual(places);
});

it('labels never meet, and keep their order, inside the chart', () => {
  const values = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(values, (tenths) => {
      const placed = apart(
        tenths.toSorted((a, b) => b - a).map((each) => each / 10),
        5,
        [0, 100],
      );
      expect(placed).toHaveLength(tenths.length);
      for (const [index, place] of placed.entries()) {
        expect(place).toBeGreaterThanOrEqual(-1e-9);
        expect(place).toBeLessThanOrEqual(100 + 1e-9);
        expect((placed[index - 1] ?? Infinity) - place).toBeGreaterThanOrEqual(5 - 1e-9);
      }
    }),
  );
});
