import type { Control, Profile } from './snapshot.ts';

/** Graph rounds points and percentages to two decimals. */
export const HALF_A_UNIT = 0.005;

/** The range of maxima that a control's rounded points and percentage allow. */
export interface Allowed {
  least: number;
  most: number;
  quotient: number;
}

/** Null if any maximum is allowed, because there are no points or no percentage. */
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
 * The maximum of a control, which Graph does not state, derived from its points and percentage. It is the profile's
 * maxScore if both agree with it within their rounding, else the nearest whole number that they allow, else their
 * quotient. With nothing to derive it from, it is the profile's, else null. An unknown maximum is never 0.
 * @returns points
 */
export function maximumOf(control: Control, profile: Profile | undefined): number | null {
  const stated = profile?.maximum ?? null;
  const allowed = allowedBy(control);
  // The catalogue may lag behind, so a maximum below the points is not used.
  if (!allowed) return stated !== null && stated + HALF_A_UNIT < control.points ? null : stated;
  return allows(allowed, stated) ? stated : derive(allowed);
}

function derive(allowed: Allowed): number {
  const whole = Math.round(allowed.quotient);
  return whole > 0 && allows(allowed, whole) ? whole : allowed.quotient;
}

/**
 * The maxima of one control on two days. They differ only if no single maximum explains both days within their
 * rounding, because rounded points do not make a control re-scored.
 * @param profiles the control's profile at each side, if known
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

  // If the catalogue's maximum moved and each day agrees with it, it is the explanation.
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

  // A day without points allows any maximum. If the catalogue has the same one on both days and the other day
  // contradicts it, the catalogue is wrong; the maximum has not moved.
  const side = before ?? after;
  const known = (control: Control, profile: Profile | undefined) => maximumOf(control, profile);
  const ofBefore = known(controls.before, profiles.before ?? profiles.after);
  const ofAfter = known(controls.after, profiles.after ?? profiles.before);
  if (!side || catalogueMoved) return { before: ofBefore ?? ofAfter, after: ofAfter ?? ofBefore };
  const one = before ? ofBefore : ofAfter;
  return { before: one, after: one };
}

/** The range that two days both allow, with the quotient of the narrower one; null if there is none. */
function intersect(a: Allowed, b: Allowed): Allowed | null {
  const least = Math.max(a.least, b.least);
  const most = Math.min(a.most, b.most);
  if (least > most) return null;
  const narrower = a.most - a.least <= b.most - b.least ? a : b;
  return { least, most, quotient: Math.min(Math.max(narrower.quotient, least), most) };
}
