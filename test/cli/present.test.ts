import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { changesTable } from '../../cli/run/present.ts';
import type { Change } from '../../lambda/score/change.ts';

const row = (
  kind: Change['kind'],
  control: string | null,
  points: Change['points'],
  share: number,
): Change => ({
  kind,
  control,
  title: control ?? kind,
  category: null,
  date: '2026-01-02',
  previousDate: '2026-01-01',
  points,
  maximum: { before: 10, after: 10 },
  percentagePoints: share,
  cause: share === 0 ? null : 'earned',
});

it('adds up: points once per control, none for the tenant itself, and what is not explained', () => {
  const table = changesTable(
    [
      row('lost', 'a', { before: 9, after: 5 }, -0.4),
      row('gained', 'b', { before: 0, after: 2 }, 0),
      row('decided', 'b', { before: 0, after: 2 }, 0.2),
      row('new', 'c', { before: null, after: 3 }, 0.004),
      row('restated', null, { before: 736, after: 732 }, 0),
      row('stale', null, { before: null, after: null }, 0),
    ],
    { before: 60, after: 59.7, earned: -0.396, rescored: 0, decided: 0.2, unexplained: -0.104 },
  );
  const lines = stripVTControlCharacters(table).split('\n');
  expect(lines.map((line) => line.trimEnd())).toEqual([
    expect.stringMatching(/−4 +−0\.40$/),
    expect.stringMatching(/\+2$/),
    expect.stringMatching(/[^2] {2,}\+0\.20$/),
    expect.stringMatching(/\+3 +±0\.00$/),
    expect.stringMatching(/restated$/),
    expect.stringMatching(/stale$/),
    expect.stringMatching(/−0\.10$/),
    expect.stringMatching(/\+1 +−0\.30$/),
  ]);
});
