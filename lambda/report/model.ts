import type { Change } from '../score/change.ts';
import type { Failing } from '../score/drift.ts';
import type { AddedUp, Drop, Fate, Healed, Part } from '../score/settle.ts';
import type { Decision, Peers, ScoreLine } from '../score/snapshot.ts';
import type { TextLink } from './plain-text.ts';

export type { ScoreLine } from '../score/snapshot.ts';

/**
 * The report of one run: plain data, archived as it is under reports/, from which every mail is rendered. All foreign texts
 * in it are plain (no HTML) but not escaped, because the renderers escape them.
 */
export interface Report {
  version: 1;
  tenantId: string;
  name: string;
  /** The time at which it was claimed, ISO 8601 (`toldAt` is a stored name). */
  toldAt: string;
  /** The tenant's time zone, in which dates and times are shown, except for the dates of snapshots, which are UTC. */
  timeZone: string;
  /** The objects last compared before this report, and those last compared with it. Null if there were none. */
  from: Cursor | null;
  to: Cursor | null;
  /** The score last reported by a mail, and the newest one. */
  before: ScoreLine | null;
  after: ScoreLine | null;
  /** The account of the change between the two; null if there is no earlier score, or no percentage. */
  account: MailAccount | null;
  /** The compared days, oldest first: each against the one before it. Empty for the first run. */
  days: DayReport[];
  /** Drops of earlier days that are reported now, because they are confirmed or can no longer heal. */
  confirmed: ConfirmedDrop[];
  /** The last 90 days, oldest first. */
  trend: TrendDay[];
  /** The averages of other tenants on the newest day. */
  peers: Peers;
  /** Set only on the first run. */
  start: StartReport | null;
  /** The items of the operations mail. If there are none, no such mail is sent. */
  operations: OperationsItem[];
  /** Sentences for people, about gaps, entries that were left out, and sums that do not add up. */
  notes: string[];
  /** The last entry of the ledger when it was claimed; null, or absent from older reports, if there was none. */
  ledger?: { sequence: number; hash: string } | null;
  /** The name of the digest whose deliveries an operations report is about. The report then belongs to no tenant. */
  digest?: string;
  /** The limits of the tenant's alerts that were crossed. Any of them makes the report urgent. Older reports lack it. */
  urgent?: Urgency[];
}

/** A limit that was crossed. */
export type Urgency =
  /** The score has fallen below `limit` per cent. */
  | { rule: 'below'; limit: number }
  /** At least `limit` percentage points were lost within a few days: `lost` since the snapshot of `since` (yyyy-mm-dd). */
  | { rule: 'drop'; limit: number; lost: number; since: string };

/** A drop with the facts that a person needs to act on it, as of today's catalogue. */
export interface ConfirmedDrop extends Drop {
  /** What to do; shortened. */
  remediation: string | null;
  /** The links in it. Older reports have none. */
  remediationLinks?: TextLink[];
  /** https only. */
  actionUrl: string | null;
}

/**
 * Every percentage point from `before` to `after` of the report, by its origin: the parts and
 * `countedBefore` and `unexplained` add up to after − before, exactly (unrounded).
 */
export interface MailAccount {
  /** Earned here and lost here, as reported in this mail. */
  gained: Part;
  lost: Part;
  /** By Microsoft: new, removed and re-scored controls. */
  rescored: Part;
  /** By somebody's decision. */
  decided: Part;
  /** Drift, as people and devices come and go. */
  drift: Part;
  /** Smaller than the tenant's minimumPoints. */
  silenced: Part;
  /** Of recommendations that the tenant has muted. Older reports lack it. */
  muted?: Part;
  /** Pending drops (`waiting` is a stored name), as far as no mail has counted them yet, and the number of all of them. */
  waiting: Part;
  /** Drops that recovered before they were reported. */
  healed: { percentagePoints: number; drops: Healed[] };
  /** Minus what an earlier mail counted as pending, drift or silenced and which has since been reported (or healed). */
  countedBefore: number;
  /** The part that no control accounts for. */
  unexplained: number;
}

/** A day of the chart. */
export interface TrendDay extends ScoreLine {
  /** The change since the day before, in percentage points: earned and decided here, and re-scored by Microsoft. */
  moved: number;
  rescored: number;
  /** The part of `moved` that was decided. Older trends lack it. */
  decided?: number;
}

/** The objects of the archive that were last reported. */
export interface Cursor {
  date: string;
  /** Content hash of the snapshot. */
  snapshot: string;
  /** Content hash of the profiles. */
  profiles: string;
  /** The day until which these profiles are known, if only a part of the catalogue came since. */
  knownUntil?: string;
}

export interface DayReport {
  date: string;
  previousDate: string;
  before: ScoreLine;
  after: ScoreLine;
  changes: ReportedChange[];
}

/** A change with the facts that a person needs to act on it. */
export interface ReportedChange extends Change {
  /** The outcome for the change: reported, pending, silenced, … */
  fate: Fate;
  /** For a gain that undoes a notified drop: the day of that drop. */
  downSince: string | null;
  /** For a move with which small moves have added up to a reported change: all of them together. Older reports lack it. */
  addedUp?: AddedUp | null;
  /** For a move: how many people or devices fail, if known. */
  failing?: Failing | null;
  /** The decision that the row is about, or that caused it. */
  decision: Decision | null;
  /** The former name of a renamed control. */
  previousControl: string | null;
  /** The texts "You have 3 of 40 users …" before and after; null unless both days are complete. */
  status: { before: string; after: string } | null;
  /** The time at which the source of the later side was last synced, ISO 8601. */
  lastSynced: string | null;
  service: string | null;
  tier: string | null;
  implementationCost: string | null;
  userImpact: string | null;
  /** What to do; shortened. */
  remediation: string | null;
  /** The links in it. Older reports have none. */
  remediationLinks?: TextLink[];
  /** https only. */
  actionUrl: string | null;
}

/** The position of a tenant, for the start mail. */
export interface StartReport {
  /** By category, on the newest day, largest gap first. */
  categories: {
    category: string;
    controls: number;
    points: number;
    /** The sum of the known maxima; null if none is known. */
    maximum: number | null;
    /** The number of controls of unknown maximum, which counts as their points. Older reports lack it. */
    unknown?: number;
  }[];
  /** The ten controls with the most points still to be earned. */
  gaps: {
    control: string;
    title: string;
    category: string;
    points: number;
    maximum: number;
    implementationCost: string | null;
    userImpact: string | null;
    actionUrl: string | null;
  }[];
}

/** An item for those who operate the monitor; `until` (ISO 8601) if it is over. */
export type OperationsItem = { until?: string } & (
  | { kind: 'stale'; since: string; days: number }
  | { kind: 'suspect'; date: string; gone: number; told: number }
  /** The total has left its controls; `difference` is the total minus their sum, in points. */
  | { kind: 'disagreeing'; date: string; difference: number }
  /** Graph answered with fewer profiles than the last complete catalogue has, or without all its decisions. */
  | { kind: 'catalogue'; since: string; profiles: number; complete: number; decisions?: number }
  /** Controls (a few of them) whose score could not be read on that day for the first time. */
  | { kind: 'unreadable'; date: string; controls: string[]; count: number }
  | { kind: 'failing'; code: string; message: string; advice: string; since: string }
  /** Deliveries to 'mail' or a channel that wait for somebody, since when (ISO 8601), and the reason. */
  | {
      kind: 'undelivered';
      queue: string;
      destination: string;
      waiting: number;
      since: string;
      problem: string;
      advice: string;
    }
  /** Deliveries that were given up, because they were refused permanently or 7 days old. */
  | {
      kind: 'dropped';
      deliveries: { destination: string; subject: string; to: string[]; since: string; problem: string }[];
    }
);

/** The kinds of mail. Each has a mail of its own, and a message of its own in each channel. */
export type MailKind = ReportKind | 'digest';
/** The kinds of mail of a tenant's report. */
export type ReportKind = 'start' | 'scores' | 'controls' | 'operations';

export interface Attachment {
  /** File name, with its extension. */
  name: string;
  /** Like `image/png` or `text/csv; charset=utf-8`. */
  contentType: string;
  content: Uint8Array;
  /** The id by which the HTML shows it (`<img src="cid:…">`). Without one it is a file to save. */
  contentId?: string;
}

/** A mail of a report, rendered. */
export interface RenderedMail {
  kind: MailKind;
  subject: string;
  urgent: boolean;
  html: string;
  text: string;
  /** The chart that the HTML shows, and the list of all changes. */
  attachments: Attachment[];
  /** The reason why the chart could not be drawn, so that the mail has none. */
  problem: Error | null;
}
