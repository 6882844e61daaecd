import type { Change, Explanation } from './change.ts';
import { percentageOf, type Snapshot } from './snapshot.ts';

/**
 * A control's share of the change of the percentage, in percentage points: the Shapley value of its two factors,
 * points (C points in all) and maximum (M in all). It is 100·(Δc·(1/M₀+1/M₁)/2 − Δm·(C₀+C₁)/(2·M₀·M₁)); the shares
 * of all points and maxima that moved add up to 100·(C₁/M₁ − C₀/M₀), exactly.
 * @param points Δc, and @param maximum Δm: how far the control's own points and maximum moved
 * @returns 0 if a total maximum is 0, because there is no percentage then
 */
export function shareOf(before: Snapshot, after: Snapshot, points: number, maximum: number): number {
  const { points: c0, maximum: m0 } = before;
  const { points: c1, maximum: m1 } = after;
  if (m0 <= 0 || m1 <= 0) return 0;
  return 100 * ((points * (1 / m0 + 1 / m1)) / 2 - (maximum * (c0 + c1)) / (2 * m0 * m1));
}

/** The change between two days by cause. The part that no row's share accounts for is unexplained. */
export function explain(before: Snapshot, after: Snapshot, changes: Change[]): Explanation {
  const percentages = { before: percentageOf(before), after: percentageOf(after) };
  const by = (cause: Change['cause']) =>
    changes.reduce((sum, change) => (change.cause === cause ? sum + change.percentagePoints : sum), 0);
  const causes = { earned: by('earned'), rescored: by('rescored'), decided: by('decided') };
  const total =
    percentages.before === null || percentages.after === null ? 0 : percentages.after - percentages.before;
  return {
    ...percentages,
    ...causes,
    unexplained: total - causes.earned - causes.rescored - causes.decided,
  };
}

/** The explanation over consecutive days, from the first to the last: the sum of the daily shares. */
export function sumExplanations(explanations: Explanation[], empty: number | null): Explanation {
  const sum = (part: 'earned' | 'rescored' | 'decided' | 'unexplained') =>
    explanations.reduce((total, explanation) => total + explanation[part], 0);
  const first = explanations[0];
  const before = first ? first.before : empty;
  const after = (explanations.at(-1) ?? { after: empty }).after;
  const causes = { earned: sum('earned'), rescored: sum('rescored'), decided: sum('decided') };
  // The days' own values cannot be summed, because a day without a percentage hides a part of the change.
  const unexplained =
    before === null || after === null
      ? sum('unexplained')
      : after - before - causes.earned - causes.rescored - causes.decided;
  return { before, after, ...causes, unexplained };
}
