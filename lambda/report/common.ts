import { chartAlt, chartOf, CHART_IDS, CHART_SIZE, LEAST_SPAN, type ScoreChart } from './chart/chart-of.ts';
import { explained } from './account.ts';
import { titleOf } from './entry.ts';
import { day, daysBetween, NOISE, points, score, scoreChange, shortDay } from './format.ts';
import { line } from './plain-text.ts';
import { sparkline } from './sparkline.ts';
import type { Block, ChartBlock, Tone } from './document.ts';
import type { Report } from './model.ts';

/** Blocks and sentences that several kinds of mail share. */

/** Delays, as Microsoft documents them. */
export const LAG =
  'Points can appear 24–48 hours after a fix, and 7 days after something is marked as solved by a third party.';

/**
 * The score, what moved it, and its chart.
 * @param sentence below the score if there is nothing to explain
 */
export function scoreBlocks(report: Report, sentence = ''): Block[] {
  const { before, after } = report;
  if (after === null) return [];
  const sum = explained(report);
  const inPoints = before?.percentage == null || after.percentage === null;
  const change = sum?.change ?? (before && scoreChange(before, after));
  return [
    {
      type: 'score',
      value: score(after),
      change:
        before && change !== null
          ? {
              text: `${change} ${inPoints ? 'points' : 'percentage points'} since ${day(before.date)}`,
              tone: inPoints
                ? toneOf(after.points - before.points)
                : toneOf((after.percentage ?? 0) - (before.percentage ?? 0)),
            }
          : null,
    },
    ...(sum ? [{ type: 'sum' as const, sentence: sum.sentence, lines: sum.lines }] : []),
    ...(sentence ? [{ type: 'sum' as const, sentence, lines: [] }] : []),
    ...chartBlocks(report.trend),
    {
      type: 'facts',
      items: [
        `${points(after.points)} of ${points(after.maximum)} points in the snapshot of ${day(after.date)}`,
        ...peersLine(report),
      ],
    },
  ];
}

/** "Averages: all tenants 47.3 %, tenants of similar size 51.0 %": a fact, which moves daily on its own. */
function peersLine({ peers: { allTenants, similarSize } }: Report): string[] {
  const percent = (percentage: number) => score({ date: '', points: 0, maximum: 0, percentage });
  const parts = [
    ...(allTenants === null ? [] : [`all tenants ${percent(allTenants)}`]),
    ...(similarSize === null ? [] : [`tenants of similar size ${percent(similarSize)}`]),
  ];
  return parts.length === 0 ? [] : [`Averages: ${parts.join(', ')}`];
}

/** @param trend as of a report; a digest's is the average of its tenants */
export function chartBlocks(trend: Report['trend']): Block[] {
  const chart = chartOf(trend);
  return chart === null
    ? []
    : [
        {
          type: 'chart',
          line: lineOf(chart),
          alt: chartAlt(chart),
          width: CHART_SIZE.width,
          contentId: CHART_IDS,
        },
      ];
}

/** Days in the line, and the most characters for them, which is what a phone has room for. */
const LINE_DAYS = 30;
const LINE_LENGTH = 15;

/** The chart's end in block characters: a day each, or the later day of two. */
function lineOf({ days }: ScoreChart): ChartBlock['line'] {
  const last = days.at(-1)!.date;
  const shown = days.filter(({ date }) => daysBetween(date, last) < LINE_DAYS);
  const first = shown[0]!.date;
  const each = daysBetween(first, last) < LINE_LENGTH ? 1 : 2;
  const length = Math.floor(daysBetween(first, last) / each) + 1;
  const values: (number | null)[] = Array.from({ length }, () => null);
  for (const { date, percentage } of shown) {
    values[length - 1 - Math.floor(daysBetween(date, last) / each)] = percentage;
  }
  const known = shown.map(({ percentage }) => percentage);
  const [lowest, highest] = [Math.min(...known), Math.max(...known)];
  // As in the chart, a wobble shall not look like a fall.
  const spare = Math.max(0, (LEAST_SPAN - (highest - lowest)) / 2);
  const range = { lowest: lowest - spare, highest: highest + spare };
  return {
    bars: sparkline(values, length, range).replaceAll(' ', '\u2007'),
    from: shortDay(first),
    to: shortDay(last),
  };
}

/** Pending drops that healed before they were reported. */
export function healedBlocks({ account }: Report): Block[] {
  const drops = account?.healed.drops ?? [];
  if (drops.length === 0) return [];
  return [
    { type: 'heading', level: 2, text: 'Healed before being reported', aside: String(drops.length) },
    {
      type: 'list',
      items: drops.map(
        (drop) => `${titleOf(drop)}: fell on ${shortDay(drop.date)}, back on ${shortDay(drop.back)}`,
      ),
    },
  ];
}

export function notesBlocks(report: Report): Block[] {
  const items = report.notes.map((note) => line(note, 400)).filter((note) => note !== '');
  return items.length === 0
    ? []
    : [
        { type: 'heading', level: 2, text: 'Notes' },
        { type: 'list', items },
      ];
}

/** What five decimals do not show is the noise of binary fractions. */
export function toneOf(change: number): Tone {
  if (Math.abs(change) < NOISE) return 'neutral';
  return change < 0 ? 'bad' : 'good';
}
