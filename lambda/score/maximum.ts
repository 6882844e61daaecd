import type { Control, Profile } from './snapshot.ts';

/** Graph rounds points and percentages to two decimals. */
const HALF_A_UNIT = 0.005;

/**
 * The maximum of a control, which Graph does not state: derived from its points and percentage.
 * The profile's maxScore where both agree with it within their rounding, else the nearest whole number that they
 * allow, else their quotient; with nothing to derive it from, the profile's; else null. Never 0 for "unknown".
 * @returns points
 */
export function maximumOf(control: Control, profile: Profile | undefined): number | null {
  const stated = profile?.maximum ?? null;
  const { points, percentage } = control;
  if (percentage === null || percentage <= 0 || points <= 0) return stated;

  const least = (100 * Math.max(points - HALF_A_UNIT, 0)) / (percentage + HALF_A_UNIT);
  const most =
    percentage > HALF_A_UNIT
      ? (100 * (points + HALF_A_UNIT)) / (percentage - HALF_A_UNIT)
      : Number.POSITIVE_INFINITY;
  const allowed = (maximum: number) => maximum >= least && maximum <= most;

  if (stated !== null && allowed(stated)) return stated;
  const quotient = (100 * points) / percentage;
  const whole = Math.round(quotient);
  return whole > 0 && allowed(whole) ? whole : quotient;
}
