import { expect, test } from 'vitest';
import { startReport } from '../../lambda/report/build.ts';
import { renderMail } from '../../lambda/report/render.ts';
import { scoreLine } from '../../lambda/score/snapshot.ts';
import { control, profile, snapshot } from '../score/arbitraries.ts';
import { reportOf } from './reports.ts';

/** The total's maximum is 40: 9 more than what is known, for nobody states what `odd` and `other` are worth. */
const newest = snapshot(
  '2026-03-01',
  {},
  {
    points: 14,
    maximum: 40,
    controls: new Map(
      [
        control('mfa', 5, { percentage: 50 }),
        control('odd', 0, { category: 'Apps' }),
        control('dlp', 8, { category: 'Data', percentage: 40 }),
        control('other', 1, { category: 'Data' }),
      ].map((of) => [of.name, of]),
    ),
  },
);
const start = startReport(newest, new Map([['mfa', profile('mfa')]]));

test('controls of unknown maximum are counted, and none is shown as complete', () => {
  expect(start.categories).toEqual([
    { category: 'Data', controls: 2, points: 9, maximum: 21, unknown: 1 },
    { category: 'Identity', controls: 1, points: 5, maximum: 10, unknown: 0 },
    { category: 'Apps', controls: 1, points: 0, maximum: null, unknown: 1 },
  ]);
});

test('the table adds up to the total, by the total’s own maximum', async () => {
  const report = reportOf({ from: null, before: null, after: scoreLine(newest), start });
  const { text } = await renderMail(report, 'start');
  const table = text.replaceAll(/[ \t]+/g, ' ');
  expect(table).toMatch(/Data 2 9 of at least 21 at least 12/);
  expect(table).toMatch(/Identity 1 5 of 10 5\b/);
  expect(table).toMatch(/Apps 1 0 unknown/);
  expect(table).toMatch(/Maximum unknown 9\b/);
  expect(table).toMatch(/Total 4 14 of 40 26\b/);
});
