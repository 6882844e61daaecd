/**
 * One day of a tenant's Secure Score, in the terms of the field. Pure data: no texts of ours, no I/O.
 * Points and maxima are in points, percentages in per cent (0 to 100, unrounded), dates yyyy-mm-dd (UTC).
 */
export interface Snapshot {
  date: string;
  points: number;
  maximum: number;
  /** Sorted, never empty; null if Graph did not state them. */
  enabledServices: string[] | null;
  /** By exact name, which is a control's identity. */
  controls: Map<string, Control>;
  /** Names of controls whose score could not be read; absent if all could be read. */
  unreadable?: string[];
  /** The averages of other tenants, in per cent. They move daily on their own and are never compared. */
  peers: Peers;
}

/** Averages in per cent; null if Graph gave none, or an impossible one (-1). */
export interface Peers {
  allTenants: number | null;
  /** The average of tenants with about as many seats. */
  similarSize: number | null;
}

export interface Control {
  name: string;
  category: string;
  points: number;
  /** Graph's scoreInPercentage; null if it gave none. */
  percentage: number | null;
  /** True if text, sync and counts are there, which is so only for what was archived while it was the newest day. */
  complete: boolean;
  /** implementationStatus, HTML as Graph sent it; null if not complete. */
  status: string | null;
  lastSynced: string | null;
  count: number | null;
  total: number | null;
  /**
   * The decided state that the control itself carries. Device controls have one, because Defender's exceptions do not
   * reach the catalogue. "default" means that nobody decided; null, that the control has no state.
   */
  state: string | null;
}

/** A control's entry in the catalogue. Texts are HTML as Graph sent them. */
export interface Profile {
  id: string;
  title: string;
  maximum: number | null;
  category: string | null;
  service: string | null;
  tier: string | null;
  remediation: string | null;
  remediationImpact: string | null;
  actionUrl: string | null;
  implementationCost: string | null;
  userImpact: string | null;
  /** The last decision; null if nobody ever decided. */
  decision: Decision | null;
}

/** A state that somebody set on a control, or took back (then it is Default). */
export interface Decision {
  /** An open list, as Graph spells it: Default, Ignored (risk accepted), ThirdParty, Reviewed, … */
  state: string;
  /** The state before it, from the same list; null if there was none. */
  previousState: string | null;
  by: string | null;
  /** ISO 8601. */
  at: string | null;
  comment: string | null;
  /** The state in the catalogue, if the control itself has another one. */
  inCatalogue?: string;
}

/** Profiles by id. */
export type Profiles = ReadonlyMap<string, Profile>;

/** Moves of the score up to this many points are not a change, because partial credits wobble with user counts. */
export const EPSILON = 0.005;

/** @returns the score in per cent, unrounded; null if the maximum is 0 */
export function percentageOf(score: { points: number; maximum: number }): number | null {
  return score.maximum > 0 ? (100 * score.points) / score.maximum : null;
}

/** True if two snapshots of one day are equal in scores, maximum and set of controls. Texts do not count. */
export function sameScores(a: Snapshot, b: Snapshot): boolean {
  if (a.points !== b.points || a.maximum !== b.maximum || a.controls.size !== b.controls.size) return false;
  for (const [name, control] of a.controls) {
    if (b.controls.get(name)?.points !== control.points) return false;
  }
  return (a.unreadable ?? []).join('\n') === (b.unreadable ?? []).join('\n');
}

/** The score of one day. */
export interface ScoreLine {
  date: string;
  points: number;
  maximum: number;
  /** In per cent, unrounded; null if the maximum is 0. */
  percentage: number | null;
}

export function scoreLine(snapshot: Snapshot): ScoreLine {
  const { date, points, maximum } = snapshot;
  return { date, points, maximum, percentage: percentageOf(snapshot) };
}
