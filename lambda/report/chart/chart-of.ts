import { daysBetween, day, score, shortDay, signedUnits } from '../format.ts';
import { largestMoves, type Mark as MarkOf } from './marks.ts';
import type { TrendDay } from '../model.ts';

/** What the chart of the score shows. It is drawn by `score-chart.ts`, which is loaded only where it is drawn. */
export interface ScoreChart {
  /** Days with a percentage, oldest first. */
  days: ChartDay[];
  /** What moved it most, by day. */
  marks: Mark[];
}

export type ChartDay = TrendDay & { percentage: number };

export type Mark = MarkOf<ChartDay>;

/** In CSS pixels: a card's width on a desktop; its letters can still be read on a phone. */
export const CHART_SIZE = { width: 544, height: 268 };

export const CHART_IDS = {
  light: 'score-light@secure-score-monitor',
  dark: 'score-dark@secure-score-monitor',
};

const MOST_DAYS = 90;

const MARKS = 6;

/** @returns null where there are not two days to draw a line between */
export function chartOf(trend: TrendDay[]): ScoreChart | null {
  const known = trend
    .filter((each): each is ChartDay => each.percentage !== null && Number.isFinite(each.percentage))
    .toSorted((a, b) => (a.date < b.date ? -1 : 1));
  // 90 snapshots, where some are missing, are of more than 90 days.
  const days = known.filter(({ date }) => daysBetween(date, known.at(-1)!.date) < MOST_DAYS);
  if (days.length < 2) return null;

  const { lowest, highest } = extremes(days);
  const moves = days.slice(1).map((of, index) => ({
    day: of,
    move: {
      total: of.percentage - days[index]!.percentage,
      here: of.moved,
      microsoft: of.rescored,
    },
  }));
  const marks = largestMoves(moves, highest.percentage - lowest.percentage, MARKS);
  return { days, marks };
}

/** What the chart shows, in words. */
export function chartAlt({ days, marks }: ScoreChart): string {
  const [first, last] = [days[0]!, days.at(-1)!];
  const { lowest, highest } = extremes(days);
  const moves = marks
    .slice(0, 3)
    .map(
      ({ day: of, by, isMixed, change }) =>
        `${step(change)} on ${shortDay(of.date)}${by === 'here' ? '' : `, ${isMixed ? 'mostly ' : ''}re-scored by Microsoft`}`,
    );
  return [
    `Chart of the Secure Score from ${day(first.date)} to ${day(last.date)}: from ${score(first)} to ${score(last)}`,
    lowest.percentage === highest.percentage
      ? ''
      : `, lowest ${score(lowest)} on ${shortDay(lowest.date)}, highest ${score(highest)} on ${shortDay(highest.date)}`,
    '.',
    moves.length > 0 ? ` Largest moves: ${moves.join('; ')}.` : '',
  ].join('');
}

/** The least span of the axis in percentage points: a wobble shall not look like a fall. */
export const LEAST_SPAN = 4;

/** The days of the lowest and of the highest percentage. @param days at least one */
export function extremes(days: ChartDay[]): { lowest: ChartDay; highest: ChartDay } {
  return {
    lowest: days.reduce((a, b) => (b.percentage < a.percentage ? b : a)),
    highest: days.reduce((a, b) => (b.percentage > a.percentage ? b : a)),
  };
}

/** "−4.2". */
export function step(change: number): string {
  return signedUnits(Math.round(10 * change), 1);
}
