import type { Control, Profile } from './snapshot.ts';

/** Graph rounds points and percentages to two decimals. */
export const HALF_A_UNIT = 0.005;

/** What rounding leaves open: the maxima that a control's points and percentage allow. */
export interface Allowed {
  least: number;
  most: number;
  quotient: number;
}

/** Null where they allow anything: no points, or no percentage. */
export function allowedBy(control: Control | null): Allowed | null {
  const percentage = control?.percentage ?? 0;
  const points = control?.points ?? 0;
  if (percentage <= 0 || points <= 0) return null;
  return {
    least: (100 * Math.max(points - HALF_A_UNIT, 0)) / (percentage + HALF_A_UNIT),
    most:
      percentage > HALF_A_UNIT
        ? (100 * (points + HALF_A_UNIT)) / (percentage - HALF_A_UNIT)
        : Number.POSITIVE_INFINITY,
    quotient: (100 * points) / percentage,
  };
}

export function allows({ least, most }: Allowed, maximum: number | null): maximum is number {
  return maximum !== null && maximum >= least && maximum <= most;
}

/**
 * The maximum of a control, which Graph does not state: derived from its points and percentage.
 * The profile's maxScore where both agree with it within their rounding, else the nearest whole number that they
 * allow, else their quotient; with nothing to derive it from, the profile's; else null. Never 0 for "unknown".
 * @returns points
 */
export function maximumOf(control: Control, profile: Profile | undefined): number | null {
  const stated = profile?.maximum ?? null;
  const allowed = allowedBy(control);
  // The catalogue may lag behind: a maximum below the points is none.
  if (!allowed) return stated !== null && stated + HALF_A_UNIT < control.points ? null : stated;
  return allows(allowed, stated) ? stated : derive(allowed);
}

function derive(allowed: Allowed): number {
  const whole = Math.round(allowed.quotient);
  return whole > 0 && allows(allowed, whole) ? whole : allowed.quotient;
}

/**
 * The maxima of one control on two days. They differ only where no single maximum explains both days within their
 * rounding: a control is not re-scored because its points were rounded.
 * @param profiles the control's profile at each side, as far as it is known
 */
export function maximaOf(
  controls: { before: Control; after: Control },
  profiles: { before: Profile | undefined; after: Profile | undefined },
): { before: number | null; after: number | null } {
  const before = allowedBy(controls.before);
  const after = allowedBy(controls.after);
  const statedBefore = profiles.before?.maximum ?? profiles.after?.maximum ?? null;
  const statedAfter = profiles.after?.maximum ?? profiles.before?.maximum ?? null;

  const catalogueMoved = statedBefore !== statedAfter;

  // A catalogue that moves, and that each day agrees with, needs no other explanation.
  if (before && after && catalogueMoved && allows(before, statedBefore) && allows(after, statedAfter)) {
    return { before: statedBefore, after: statedAfter };
  }
  if (before && after) {
    const both = intersect(before, after);
    if (!both) {
      return {
        before: maximumOf(controls.before, profiles.before ?? profiles.after),
        after: maximumOf(controls.after, profiles.after ?? profiles.before),
      };
    }
    const stated = [statedAfter, statedBefore].find((maximum) => allows(both, maximum));
    const one = stated ?? derive(both);
    return { before: one, after: one };
  }

  // A day without points allows anything. Where the catalogue says the same on both days and the other day
  // contradicts it, it is the catalogue that is wrong, not the maximum that moved.
  const side = before ?? after;
  const known = (control: Control, profile: Profile | undefined) => maximumOf(control, profile);
  const ofBefore = known(controls.before, profiles.before ?? profiles.after);
  const ofAfter = known(controls.after, profiles.after ?? profiles.before);
  if (!side || catalogueMoved) return { before: ofBefore ?? ofAfter, after: ofAfter ?? ofBefore };
  const one = before ? ofBefore : ofAfter;
  return { before: one, after: one };
}

/** Of two days: what both allow, with the quotient of the narrower one. Null where nothing does. */
function intersect(a: Allowed, b: Allowed): Allowed | null {
  const least = Math.max(a.least, b.least);
  const most = Math.min(a.most, b.most);
  if (least > most) return null;
  const narrower = a.most - a.least <= b.most - b.least ? a : b;
  return { least, most, quotient: Math.min(Math.max(narrower.quotient, least), most) };
}
