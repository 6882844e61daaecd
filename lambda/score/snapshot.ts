/**
 * One day of a tenant's Secure Score, in the terms of the field. Pure data: no texts of ours, no I/O.
 * Points and maxima are in points, percentages in per cent (0 to 100, unrounded), dates yyyy-mm-dd (UTC).
 */
export interface Snapshot {
  date: string;
  points: number;
  maximum: number;
  /** Sorted, never empty; null where Graph did not say. */
  enabledServices: string[] | null;
  /** By exact name, which is a control's identity. */
  controls: Map<string, Control>;
  /** Names of controls whose score could not be read; absent where all could. */
  unreadable?: string[];
  /** How others do, in per cent: a fact beside the score, which moves daily on its own. */
  peers: Peers;
}

/** Averages in per cent; null where Graph gave none, or one that cannot be (-1). */
export interface Peers {
  allTenants: number | null;
  /** Of tenants with about as many seats. */
  similarSize: number | null;
}

export interface Control {
  name: string;
  category: string;
  points: number;
  /** Graph's scoreInPercentage; null where it gave none. */
  percentage: number | null;
  /** The day's text, sync and counts are there: true only of what was archived while it was the newest day. */
  complete: boolean;
  /** implementationStatus, HTML as Graph sent it; null where not complete. */
  status: string | null;
  lastSynced: string | null;
  count: number | null;
  total: number | null;
  /**
   * What somebody decided, where the control itself says so: device controls do, for Defender's exceptions do not
   * reach the catalogue. "default" where nobody did; null where it does not say.
   */
  state: string | null;
}

/** What the catalogue says of a control. Texts are HTML as Graph sent them. */
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
  /** What somebody decided last; null where nobody ever did. */
  decision: Decision | null;
}

/** A state that somebody set on a control, or took back (then it is Default). */
export interface Decision {
  /** An open list, as Graph spells it: Default, Ignored (risk accepted), ThirdParty, Reviewed, … */
  state: string;
  /** The one before it, of the same list; null where there was none. */
  previousState: string | null;
  by: string | null;
  /** ISO 8601. */
  at: string | null;
  comment: string | null;
  /** Where the control itself says so, and the catalogue has another state: that one. */
  inCatalogue?: string;
}

/** Profiles by id. */
export type Profiles = ReadonlyMap<string, Profile>;

/** Score moves up to this many points are no change: partial credits wobble as user counts move. */
export const EPSILON = 0.005;

/** @returns the score in per cent, unrounded; null where the maximum is 0. */
export function percentageOf(score: { points: number; maximum: number }): number | null {
  return score.maximum > 0 ? (100 * score.points) / score.maximum : null;
}

/** Whether two snapshots of one day tell the same: scores, maximum, and set of controls. Texts do not count. */
export function sameScores(a: Snapshot, b: Snapshot): boolean {
  if (a.points !== b.points || a.maximum !== b.maximum || a.controls.size !== b.controls.size) return false;
  for (const [name, control] of a.controls) {
    if (b.controls.get(name)?.points !== control.points) return false;
  }
  return (a.unreadable ?? []).join('\n') === (b.unreadable ?? []).join('\n');
}

/** The score of a day, in one line. */
export interface ScoreLine {
  date: string;
  points: number;
  maximum: number;
  /** In per cent, unrounded; null where the maximum is 0. */
  percentage: number | null;
}

export function scoreLine(snapshot: Snapshot): ScoreLine {
  const { date, points, maximum } = snapshot;
  return { date, points, maximum, percentage: percentageOf(snapshot) };
}
