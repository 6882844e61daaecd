/**
 * Which days of a line are worth a mark, and with what number: of the mails' chart, of its text and of the history page
 * alike. A mark says how far the score moved on that day, all causes together: what the line and the tables show.
 */

/** How the score of a day moved against the one before it, in percentage points. */
export interface DayMove {
  /** Null where a side has no percentage. */
  total: number | null;
  /** Earned or decided here. */
  here: number;
  /** Re-scored by Microsoft. */
  microsoft: number;
}

export interface Mark<Day> {
  day: Day;
  /** Whose part of it is the larger. */
  by: 'here' | 'microsoft';
  /** Whether the other's part can be seen too. */
  isMixed: boolean;
  /** In percentage points. */
  change: number;
}

/** Smaller moves are the wobble of partial credits; what is small beside the whole range is no event. */
const SMALLEST_MARK = 0.25;
const SMALLEST_PART = 0.06;

/** Whose doing a day mostly is. */
export function whose({ here, microsoft }: Omit<DayMove, 'total'>): 'here' | 'microsoft' {
  return Math.abs(microsoft) > Math.abs(here) ? 'microsoft' : 'here';
}

/**
 * The days on which the score moved most, largest first.
 * @param range of the scores shown, in percentage points
 */
export function largestMoves<Day>(
  moves: { day: Day; move: DayMove }[],
  range: number,
  most: number,
): Mark<Day>[] {
  const smallest = Math.max(SMALLEST_MARK, SMALLEST_PART * range);
  return moves
    .flatMap(({ day, move }): Mark<Day>[] => {
      if (move.total === null || Math.abs(move.total) < smallest) return [];
      const isMixed = Math.min(Math.abs(move.here), Math.abs(move.microsoft)) >= 0.05;
      return [{ day, by: whose(move), isMixed, change: move.total }];
    })
    .toSorted((a, b) => Math.abs(b.change) - Math.abs(a.change))
    .slice(0, most);
}
