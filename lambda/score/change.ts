/** The kinds of the design's table "What a change is". */
export type ChangeKind =
  'lost' | 'gained' | 'new' | 'removed' | 'renamed' | 'services' | 'restated' | 'stale' | 'suspect';

/**
 * One row of what changed between two snapshots; the same shape in `run --json`, reports and mails.
 * Points and maxima in points, dates yyyy-mm-dd; a side that does not exist or is not known is null.
 */
export interface Change {
  kind: ChangeKind;
  /** The name in the later snapshot (of a removed control: in the earlier); null where the row is about the tenant. */
  control: string | null;
  title: string;
  category: string | null;
  /** Day of the later snapshot. */
  date: string;
  previousDate: string | null;
  points: Sides;
  maximum: Sides;
}

export interface Sides {
  before: number | null;
  after: number | null;
}
