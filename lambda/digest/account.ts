import type { Account, DigestChange, Fleet, TenantAccount } from '../report/digest-model.ts';
import { NOISE } from '../report/format.ts';
import type { TrendDay } from '../report/model.ts';
import type { ScoreLine } from '../score/snapshot.ts';

/**
 * The arithmetic of digests. Pure.
 *
 * The account of a tenant comes from the days of its trend, which its runs write. Each day holds by how much it moved the
 * percentage, starting from exactly the objects that were last reported. The days therefore add up whatever Microsoft has
 * restated since, and include what is pending, muted, drifting or too small; reports contain only what merited a mail.
 */

/**
 * Every percentage point from a score to the newest day, by where it comes from.
 * @param days of the trend, those after `before` up to the newest
 * @param decidedOn percentage points by decisions, by day, for days older than this part of the trend
 * @returns null if a side has no percentage
 */
export function accountOf(
  before: ScoreLine,
  after: ScoreLine,
  days: TrendDay[],
  { changes, decidedOn }: { changes: DigestChange[]; decidedOn: ReadonlyMap<string, number> },
): Account | null {
  if (before.percentage === null || after.percentage === null) return null;
  const sum = (of: (day: TrendDay) => number) => days.reduce((all, day) => all + of(day), 0);
  const decided = sum((day) => day.decided ?? decidedOn.get(day.date) ?? 0);
  const earned = sum(({ moved }) => moved) - decided;
  const rescored = sum((day) => day.rescored);
  const change = after.percentage - before.percentage;
  const listed = (kind: 'lost' | 'gained') =>
    changes.reduce(
      (all, row) => all + (row.kind === kind && row.cause === 'earned' ? row.percentagePoints : 0),
      0,
    );
  const [lost, gained] = [listed('lost'), listed('gained')];
  return {
    change,
    earned,
    rescored,
    decided,
    unexplained: change - earned - rescored - decided,
    lost,
    gained,
    other: earned - lost - gained,
  };
}

const PARTS = [
  'change',
  'earned',
  'rescored',
  'decided',
  'unexplained',
  'lost',
  'gained',
  'other',
] as const satisfies (keyof Account)[];

/** The averages of the tenants that have an account. They add up as the accounts do. */
export function fleetOf(tenants: TenantAccount[]): Fleet {
  const compared = tenants.flatMap(({ before, after, account }) =>
    account && before && after
      ? [{ account, before: before.percentage ?? 0, after: after.percentage ?? 0 }]
      : [],
  );
  const number = compared.length;
  const average = (of: (each: (typeof compared)[number]) => number) =>
    compared.reduce((sum, each) => sum + of(each), 0) / number;
  const scores = compared.map(({ after }) => after).toSorted((a, b) => a - b);
  const moved = (isSo: (change: number) => boolean) =>
    compared.filter(({ account }) => isSo(account.change)).length;
  return {
    tenants: tenants.length,
    compared: number,
    before: number > 0 ? average(({ before }) => before) : null,
    after: number > 0 ? average(({ after }) => after) : null,
    median: medianOf(scores),
    lowest: scores[0] ?? null,
    highest: scores.at(-1) ?? null,
    account:
      number > 0
        ? (Object.fromEntries(
            PARTS.map((part) => [part, average(({ account }) => account[part])]),
          ) as unknown as Account)
        : null,
    rose: moved((change) => change > NOISE),
    fell: moved((change) => change < -NOISE),
    stayed: moved((change) => Math.abs(change) <= NOISE),
  };
}

/** @param sorted ascending */
function medianOf(sorted: number[]): number | null {
  if (sorted.length === 0) return null;
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

/**
 * The daily average of the tenants, up to today's. It is chained backwards: each step from a day to the one before uses
 * the tenants that have both, so that a new tenant makes no step. A tenant without a score on a day has its last one.
 * @param trends of the tenants that are compared
 * @param dates of the days, ascending
 */
export function fleetTrend(trends: TrendDay[][], dates: string[]): TrendDay[] {
  const known = trends.map((trend) => new Map(trend.map((day) => [day.date, day])));
  /** The position of each tenant in its trend, on the day that the loop has reached. */
  const standing = trends.map((trend, index) => {
    const at = dates.map((date) => known[index]!.get(date));
    const values: (number | null)[] = [];
    const before = trend.findLast(({ date }) => date < (dates[0] ?? ''));
    let last: number | null = before?.percentage ?? null;
    for (const day of at) {
      last = day?.percentage ?? last;
      values.push(last);
    }
    return values;
  });
  const ends = standing.flatMap((values) => values.at(-1) ?? []);
  if (ends.length === 0) return [];
  const result: TrendDay[] = [];
  let percentage = ends.reduce((sum, each) => sum + each, 0) / ends.length;
  for (let at = dates.length - 1; at >= 0; at -= 1) {
    const date = dates[at]!;
    const both = standing.flatMap((values, index) => {
      const [previous, value] = [values[at - 1] ?? null, values[at] ?? null];
      return previous === null || value === null
        ? []
        : [{ step: value - previous, day: known[index]!.get(date) }];
    });
    const mean = (of: (each: (typeof both)[number]) => number) =>
      both.length === 0 ? 0 : both.reduce((sum, each) => sum + of(each), 0) / both.length;
    result.push({
      date,
      points: percentage,
      maximum: 100,
      percentage,
      moved: mean(({ day }) => day?.moved ?? 0),
      rescored: mean(({ day }) => day?.rescored ?? 0),
      decided: mean(({ day }) => day?.decided ?? 0),
    });
    if (both.length === 0) break;
    percentage -= mean(({ step }) => step);
  }
  return result.toReversed();
}
