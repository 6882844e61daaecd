/** The kinds of the design's table "What a change is". */
export type ChangeKind =
  | 'lost'
  | 'gained'
  | 'drift'
  | 'new'
  | 'removed'
  | 'renamed'
  | 're-scored'
  | 'decided'
  | 'services'
  | 'restated'
  | 'stale'
  | 'suspect';

/** The cause of a move of the score: earned (or lost) here, re-scored by Microsoft, or decided by somebody. */
export type Cause = 'earned' | 'rescored' | 'decided';

/**
 * One row of what changed between two snapshots; the same shape in `run --json`, reports and mails.
 * Points and maxima are in points, dates are yyyy-mm-dd; a side that does not exist or is not known is null.
 */
export interface Change {
  kind: ChangeKind;
  /** The name in the later snapshot (for a removed control, in the earlier); null if the row is about the tenant. */
  control: string | null;
  title: string;
  category: string | null;
  /** The day of the later snapshot. */
  date: string;
  previousDate: string | null;
  points: Sides;
  maximum: Sides;
  /**
   * The control's share of the change in the score, in percentage points, unrounded. If a control has several rows on one
   * day, one row carries it and the others have 0.
   */
  percentagePoints: number;
  /** The cause of the share; null if the row carries none. */
  cause: Cause | null;
}

export interface Sides {
  before: number | null;
  after: number | null;
}

/** The change of the score from one percentage to another, by cause, in percentage points: the causes add up exactly. */
export interface Explanation {
  /** Per cent, unrounded; null if there is no percentage (or nothing earlier). */
  before: number | null;
  after: number | null;
  earned: number;
  rescored: number;
  decided: number;
  /** The part that no control accounts for: totals that differ from the sum, and moves below epsilon. */
  unexplained: number;
}
