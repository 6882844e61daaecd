import { describe, expect, test } from 'vitest';
import { colour } from '../../lambda/report/chart/palette.ts';
import { pngOf } from '../../lambda/report/chart/picture.ts';
import { CHART_SIZE, chartAlt, chartOf } from '../../lambda/report/chart/chart-of.ts';
import { drawScoreChart } from '../../lambda/report/chart/score-chart.ts';
import { renderMail } from '../../lambda/report/render.ts';
import { reports, scoreLine, trendDay, trendTo } from './reports.ts';
import type { TrendDay } from '../../lambda/report/model.ts';

const trend = trendTo(scoreLine('2026-01-09', 858.6));
const chart = chartOf(trend)!;
const flat = (percentages: (number | null)[]): TrendDay[] =>
  percentages.map((percentage, index) => ({
    date: new Date(Date.UTC(2026, 0, 1 + index)).toISOString().slice(0, 10),
    points: 1,
    maximum: percentage === null ? 0 : 100,
    percentage,
    moved: 0,
    rescored: 0,
  }));

describe('what it shows', () => {
  test('its description says from where to where, the extremes, and what moved it most', () => {
    expect(chartAlt(chart)).toBe(
      'Chart of the Secure Score from 12 Oct 2025 to 9 Jan 2026: from 52.0 % to 62.4 %, lowest 52.0 % on 12 Oct, highest 62.4 % on 9 Jan. Largest moves: −4.2 on 17 Dec, re-scored by Microsoft; +3.1 on 17 Nov; +2.6 on 26 Dec.',
    );
  });

  test('the largest moves are marked, by us and by Microsoft with different shapes', () => {
    expect(chart.marks.map(({ by }) => by)).toEqual(['microsoft', 'here', 'here']);
    const svg = drawScoreChart(chart, 'light');
    for (const label of [
      '−4.2',
      '+3.1',
      '+2.6',
      '62.4 %',
      'moved here',
      're-scored by Microsoft',
      'Last 90 days',
    ])
      expect(svg).toContain(`>${label}</text>`);
    // Two circles and their sign, one diamond and its sign, and where it stands now.
    expect(svg.match(/<circle/g)).toHaveLength(2 + 1 + 1);
    expect(svg.match(/l7 7l-7 7l-7 -7z/g)).toHaveLength(1 + 1);
  });

  test('a wobble is no mark; a day has the number that its score moved by, and belongs to the larger part', () => {
    const days = flat([50, 50.1, 50.2, 52, 52, 50.8]);
    days[1]!.moved = 0.1;
    days[3]!.moved = 0.8;
    days[3]!.rescored = 1;
    // Neither part of it would be a mark.
    days[5]!.moved = -0.6;
    days[5]!.rescored = -0.6;
    const { marks } = chartOf(days)!;
    expect(marks.map(({ by, change, isMixed }) => [by, isMixed, change])).toEqual([
      ['microsoft', true, expect.closeTo(1.8, 9)],
      ['here', true, expect.closeTo(-1.2, 9)],
    ]);
    expect(chartAlt(chartOf(days)!)).toContain(
      'Largest moves: +1.8 on 4 Jan, mostly re-scored by Microsoft; −1.2 on 6 Jan.',
    );
  });

  test('days without a percentage are left out; fewer than two give no chart', () => {
    expect(chartOf([])).toBeNull();
    expect(chartOf(flat([null, 50, null]))).toBeNull();
    expect(chartOf(flat([40, null, 50]))!.days).toHaveLength(2);
  });

  test('missing days are bridged by dots, not drawn as if they were known', () => {
    expect(drawScoreChart(chart, 'light')).toContain('stroke-dasharray');
    expect(drawScoreChart(chartOf(flat([50, 51, 52]))!, 'light')).not.toContain('stroke-dasharray');
  });

  test('90 snapshots of more than 90 days show the last 90 days', () => {
    const days = flat(Array.from({ length: 95 }, (_, index) => 40 + index / 10));
    expect(chartOf(days)!.days).toHaveLength(90);
    expect(drawScoreChart(chartOf(days)!, 'light')).toContain('Last 90 days');
  });

  test.each([
    ['flat', [50, 50, 50]],
    ['at the bottom', [0, 0, 0]],
    ['at the top', [100, 100]],
    ['from end to end', [0, 100]],
  ])('%s, it draws what it can', (_, percentages) => {
    const svg = drawScoreChart(chartOf(flat(percentages))!, 'dark');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    // Everything is on the picture.
    for (const [, y] of svg.matchAll(/ c?y[12]?="([\d.-]+)"/g)) {
      expect(Number(y)).toBeGreaterThanOrEqual(0);
      expect(Number(y)).toBeLessThanOrEqual(CHART_SIZE.height);
    }
  });

  test('in grey too: line, diamond and letters stand out by their lightness', () => {
    for (const theme of ['light', 'dark'] as const) {
      const grey = (name: Parameters<typeof colour>[0]) => {
        const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) =>
          Number.parseInt(colour(name, theme).slice(at, at + 2), 16),
        );
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      };
      for (const name of ['bar', 'ink', 'soft'] as const)
        expect(Math.abs(grey(name) - grey('card'))).toBeGreaterThan(90);
      // The diamond against the line.
      expect(Math.abs(grey('ink') - grey('bar'))).toBeGreaterThan(60);
    }
  });
});

describe('the picture', () => {
  test('has twice the size for screens of high density, and the same bytes every time', async () => {
    const svg = drawScoreChart(chart, 'light');
    const png = await pngOf(svg);
    const header = new DataView(png.buffer, png.byteOffset);
    expect([header.getUint32(16), header.getUint32(20)]).toEqual([
      2 * CHART_SIZE.width,
      2 * CHART_SIZE.height,
    ]);
    // Past what is remembered, it is drawn again.
    for (let index = 0; index < 5; index += 1) await pngOf(svg.replace('62.4 %', `62.${index} %`));
    expect(await pngOf(svg)).not.toBe(png);
    expect(Buffer.compare(await pngOf(svg), png)).toBe(0);
    expect(png.length).toBeLessThan(100_000);
  });

  test('is in our own font: text draws something', async () => {
    const svg = (text: string) =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40" font-family="Inter, sans-serif"><text y="30" font-size="20" font-weight="600">${text}</text></svg>`;
    const [empty, digits, regular] = await Promise.all([
      pngOf(svg('')),
      pngOf(svg('−0.8 %')),
      pngOf(svg('−0.8 %').replace('600', '400')),
    ]);
    expect(Buffer.compare(empty, digits)).not.toBe(0);
    expect(Buffer.compare(regular, digits)).not.toBe(0);
  });

  test('is drawn in a moment once the tools are loaded', async () => {
    const svg = drawScoreChart(chart, 'light');
    await pngOf(svg);
    const started = performance.now();
    await pngOf(svg.replace('62.4 %', '62.5 %'));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('in a mail', () => {
  test.each(['scores', 'controls', 'start'] as const)(
    '%s: one for light, one for dark, by their ids',
    async (kind) => {
      const { html, attachments, problem, text } = await renderMail(reports[kind].typical, kind);
      expect(problem).toBeNull();
      const pictures = attachments.filter(({ contentType }) => contentType === 'image/png');
      expect(pictures).toHaveLength(2);
      for (const { contentId } of pictures) expect(html).toContain(`src="cid:${contentId}"`);
      expect(html.match(/ alt="Chart of the Secure Score from /g)).toHaveLength(2);
      expect(text.replace(/\s+/g, ' ')).toContain('Chart of the Secure Score from ');
    },
  );

  test('is absent from the operations mail, and for a tenant with one day', async () => {
    expect((await renderMail(reports.operations.typical, 'operations')).attachments).toEqual([]);
    expect((await renderMail(reports.start.tiny, 'start')).attachments).toEqual([]);
  });
});

test('the line is one of steps: a score stands until the next snapshot, and only in a gap is it unknown', () => {
  const days = Array.from({ length: 12 }, (_, index) =>
    trendDay(scoreLine(`2026-01-${String(index + 1).padStart(2, '0')}`, 50 + ((index * 7) % 6), 100)),
  ).filter((_, index) => index < 5 || index > 8);
  const svg = drawScoreChart(chartOf(days)!, 'light');
  const paths = [...svg.matchAll(/<path d="(M[^"]+)"([^>]*)>/g)].filter(([, , rest]) =>
    rest!.includes('stroke-linecap="round"'),
  );
  const isSlope = (path: string): boolean => {
    const points = [...path.matchAll(/[ML]([\d.]+)[ ,]([\d.]+)/g)].map(([, x, y]) => [x, y]);
    expect(points.length).toBeGreaterThan(1);
    return points.some(([x, y], index) => {
      const [beforeX, beforeY] = points[index - 1] ?? [x, y];
      return x !== beforeX && y !== beforeY;
    });
  };
  const found = paths.map(([, path, rest]) => ({
    isGap: rest!.includes('dasharray'),
    isSlope: isSlope(path!),
  }));
  expect(found).toEqual([
    { isGap: true, isSlope: true },
    { isGap: false, isSlope: false },
    { isGap: false, isSlope: false },
  ]);
});
