import type { Change } from '../score/change.ts';
import type { Failing } from '../score/drift.ts';
import type { AddedUp, Drop, Fate, Healed, Part } from '../score/settle.ts';
import type { Decision, Peers, ScoreLine } from '../score/snapshot.ts';
import type { TextLink } from './plain-text.ts';

export type { ScoreLine } from '../score/snapshot.ts';

/**
 * What one run tells: plain data, archived as it is under reports/, from which every mail is rendered.
 * All foreign texts in it are plain already (no HTML), but not escaped: renderers escape.
 */
export interface Report {
  version: 1;
  tenantId: string;
  name: string;
  /** When it was claimed, ISO 8601. */
  toldAt: string;
  /** Of the tenant: dates and times are shown in it (a snapshot's date stays UTC's). */
  timeZone: string;
  /** What had been compared before it, and what has been with it. Null where nothing was yet. */
  from: Cursor | null;
  to: Cursor | null;
  /** The score last told by a mail, and the newest one. */
  before: ScoreLine | null;
  after: ScoreLine | null;
  /** What moved the one to the other; null where there is no earlier score, or no percentage. */
  account: MailAccount | null;
  /** The compared days, oldest first: each against the one before it. Empty for the first run. */
  days: DayReport[];
  /** Drops of earlier days that are told now: confirmed, or beyond healing. */
  confirmed: ConfirmedDrop[];
  /** The last 90 days, oldest first. */
  trend: TrendDay[];
  /** Of the newest day. */
  peers: Peers;
  /** Set on the first run alone. */
  start: StartReport | null;
  /** What the operations mail tells; empty: no such mail. */
  operations: OperationsItem[];
  /** One sentence each, for people: gaps, entries left out, sums that do not add up. */
  notes: string[];
  /** The last entry of the ledger when it was claimed; null, or absent from older reports, where there was none. */
  ledger?: { sequence: number; hash: string } | null;
  /** Name of the digest whose deliveries an operations report is about; then it is of no tenant. */
  digest?: string;
  /** Lines of the tenant's alerts that were crossed: any makes the report urgent. Older reports lack it. */
  urgent?: Urgency[];
}

/** A line that was crossed. */
export type Urgency =
  /** The score has fallen below `limit` per cent. */
  | { rule: 'below'; limit: number }
  /** At least `limit` percentage points were lost within a few days: so many, since that snapshot (yyyy-mm-dd). */
  | { rule: 'drop'; limit: number; lost: number; since: string };

/** A drop with what a person needs to act on it, as of today's catalogue. */
export interface ConfirmedDrop extends Drop {
  /** What to do; shortened. */
  remediation: string | null;
  /** The links in it. Older reports have none. */
  remediationLinks?: TextLink[];
  /** https only. */
  actionUrl: string | null;
}

/**
 * Every percentage point from `before` to `after` of the report, by where it comes from: the parts and
 * `countedBefore` and `unexplained` add up to after − before, exactly (unrounded).
 */
export interface MailAccount {
  /** Earned here and lost here, as told in this mail. */
  gained: Part;
  lost: Part;
  /** By Microsoft: new, removed and re-scored controls. */
  rescored: Part;
  /** By somebody's decision. */
  decided: Part;
  /** By people and devices that come and go. */
  drift: Part;
  /** Smaller than the tenant's minimumPoints. */
  silenced: Part;
  /** Of recommendations that the tenant has muted. Older reports lack it. */
  muted?: Part;
  /** Drops that wait for confirmation, as far as no mail has counted them yet; how many wait in all. */
  waiting: Part;
  /** Drops that were back before they were told. */
  healed: { percentagePoints: number; drops: Healed[] };
  /** The opposite of what an earlier mail counted as waiting, drift or silenced, and is told, or healed, since. */
  countedBefore: number;
  /** What no control accounts for. */
  unexplained: number;
}

/** A day of the chart. */
export interface TrendDay extends ScoreLine {
  /** In percentage points against the day before: earned and decided here, and re-scored by Microsoft. */
  moved: number;
  rescored: number;
  /** Of `moved`, what was decided. Older trends lack it. */
  decided?: number;
}

/** What was last told: exactly these objects of the archive. */
export interface Cursor {
  date: string;
  /** Content hash of the snapshot. */
  snapshot: string;
  /** Content hash of the profiles. */
  profiles: string;
}

export interface DayReport {
  date: string;
  previousDate: string;
  before: ScoreLine;
  after: ScoreLine;
  changes: ReportedChange[];
}

/** A change with what a person needs to act on it. */
export interface ReportedChange extends Change {
  /** What becomes of it: told, waiting, silenced, … */
  fate: Fate;
  /** Of a gain that undoes a told drop: the day on which that fell. */
  downSince: string | null;
  /** Of a move that makes small ones add up to what is reported: all of them. Reports of before there were any lack it. */
  addedUp?: AddedUp | null;
  /** Of a move: how many fail, where that is known. */
  failing?: Failing | null;
  /** The decision that the row tells of, or that caused it. */
  decision: Decision | null;
  /** The former name, of a renamed control. */
  previousControl: string | null;
  /** The texts "You have 3 of 40 users …" before and after, where both days are complete. */
  status: { before: string; after: string } | null;
  /** When the source of the later side was last synced, ISO 8601. */
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

/** Where a tenant stands, for the start mail. */
export interface StartReport {
  /** By category, on the newest day, largest gap first. */
  categories: {
    category: string;
    controls: number;
    points: number;
    /** At least; null where none is known. */
    maximum: number | null;
    /** Of how many controls the maximum is not known: it counts as what they have. Older reports do not say. */
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

/** What those who keep the monitor running should know; `until` (ISO 8601) where it is over. */
export type OperationsItem = { until?: string } & (
  | { kind: 'stale'; since: string; days: number }
  | { kind: 'suspect'; date: string; gone: number; told: number }
  /** The total has left its controls: by how many points, total minus sum. */
  | { kind: 'disagreeing'; date: string; difference: number }
  /** Graph answered with so few profiles, where the last complete catalogue has more; or without all its decisions. */
  | { kind: 'catalogue'; since: string; profiles: number; complete: number; decisions?: number }
  /** Controls (a few of them) whose score cannot be read, first on that day. */
  | { kind: 'unreadable'; date: string; controls: string[]; count: number }
  | { kind: 'failing'; code: string; message: string; advice: string; since: string }
  /** Deliveries that wait for somebody: to 'mail' or a channel, since when (ISO 8601), because of what. */
  | {
      kind: 'undelivered';
      queue: string;
      destination: string;
      waiting: number;
      since: string;
      problem: string;
      advice: string;
    }
  /** Deliveries that were given up: refused for good, or 7 days old. */
  | {
      kind: 'dropped';
      deliveries: { destination: string; subject: string; to: string[]; since: string; problem: string }[];
    }
);

/** What of a report goes out together: a mail of its own, and a message of its own in each channel. */
export type MailKind = ReportKind | 'digest';
/** Of a tenant's report. */
export type ReportKind = 'start' | 'scores' | 'controls' | 'operations';

export interface Attachment {
  /** File name, with its extension. */
  name: string;
  /** Like `image/png` or `text/csv; charset=utf-8`. */
  contentType: string;
  content: Uint8Array;
  /** Where the HTML shows it as `<img src="cid:…">`: then it is inline, else a file to save. */
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
  /** What kept the chart from being drawn: the mail then goes without. */
  problem: Error | null;
}
