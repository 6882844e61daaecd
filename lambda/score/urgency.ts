const DAY_MS = 24 * 3_600_000;

/** The number of days over which losses are added up. */
const WINDOW_DAYS = 7;

/** Percentages are quotients of points with two decimals; this only absorbs what binary fractions add. */
const SLACK = 1e-9;

/** A day and its score in per cent; null if the tenant had no maximum. */
export interface DayScore {
  date: string;
  percentage: number | null;
}

/** A limit of the alerts that was crossed. */
export type Crossing =
  { rule: 'below'; limit: number } | { rule: 'drop'; limit: number; lost: number; since: string };

/**
 * The limits that the score has crossed on new days and is still beyond on the last of them. A limit is crossed once,
 * and again only after the score has been back. No memory is needed, because the day before shows on which side it was.
 * @param days ascending, some before the new ones
 * @param reported the last day that is not new
 */
export function crossings(
  days: DayScore[],
  reported: string,
  { below, drop }: { below?: number | undefined; drop?: number | undefined },
): Crossing[] {
  const known = days.flatMap(({ date, percentage }) => (percentage === null ? [] : [{ date, percentage }]));
  const last = known.at(-1);
  const fresh = known.flatMap(({ date }, index) => (date > reported && index > 0 ? [index] : []));
  if (!last || fresh.length === 0) return [];
  const found: Crossing[] = [];

  if (below !== undefined) {
    const isBelow = (index: number) => known[index]!.percentage < below - SLACK;
    const isCrossed = fresh.some((index) => isBelow(index) && !isBelow(index - 1));
    if (isCrossed && isBelow(known.length - 1)) found.push({ rule: 'below', limit: below });
  }
  if (drop !== undefined) {
    const peaks = known.map((_, index) => peakBefore(known, index));
    const isFallen = (index: number) =>
      index > 0 && peaks[index]!.percentage - known[index]!.percentage >= drop - SLACK;
    // A fall in the middle of a gap counts as long as the score has not come back.
    const fallen = fresh
      .filter((index) => isFallen(index) && !isFallen(index - 1))
      .map((index) => ({ since: peaks[index]!.date, lost: peaks[index]!.percentage - last.percentage }))
      .filter(({ lost }) => lost >= drop - SLACK)
      .toSorted((a, b) => b.lost - a.lost)[0];
    if (fallen) found.push({ rule: 'drop', limit: drop, ...fallen });
  }
  return found;
}

/** The best earlier day within the window, or the previous day if that is further back. */
function peakBefore(
  known: { date: string; percentage: number }[],
  index: number,
): { date: string; percentage: number } {
  let peak = known[Math.max(index - 1, 0)]!;
  for (let at = index - 2; at >= 0; at -= 1) {
    const day = known[at]!;
    if (Date.parse(known[index]!.date) - Date.parse(day.date) > WINDOW_DAYS * DAY_MS) break;
    if (day.percentage > peak.percentage) peak = day;
  }
  return peak;
}
