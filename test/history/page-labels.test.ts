import { expect, it } from 'vitest';
import { placeLabels } from '../../history/page/browser/labels.ts';
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
