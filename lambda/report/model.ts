import type { MailKind } from '../ports.ts';
import type { Change } from '../score/change.ts';

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
  /** What had been told before it, and what has been told with it. Null where nothing was told yet. */
  from: Cursor | null;
  to: Cursor | null;
  /** The score last told, and the newest one. */
  before: ScoreLine | null;
  after: ScoreLine | null;
  /** The compared days, oldest first: each against the one before it. Empty for the first run. */
  days: DayReport[];
  /** Set on the first run alone. */
  start: StartReport | null;
  /** What the operations mail tells; empty: no such mail. */
  operations: OperationsItem[];
  /** One sentence each, for people: gaps, entries left out, sums that do not add up. */
  notes: string[];
}

/** What was last told: exactly these objects of the archive. */
export interface Cursor {
  date: string;
  /** Content hash of the snapshot. */
  snapshot: string;
  /** Content hash of the profiles. */
  profiles: string;
}

export interface ScoreLine {
  date: string;
  points: number;
  maximum: number;
  /** In per cent, unrounded; null where the maximum is 0. */
  percentage: number | null;
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
  /** https only. */
  actionUrl: string | null;
}

/** The 90-day picture of the start mail. */
export interface StartReport {
  /** Oldest first. */
  trend: ScoreLine[];
  /** Points earned and achievable by category on the newest day, largest gap first. Maximum null where none is known. */
  categories: { category: string; controls: number; points: number; maximum: number | null }[];
  /** The ten controls with the most points still to be earned. */
  gaps: {
    control: string;
    title: string;
    category: string;
    points: number;
    maximum: number;
    implementationCost: string | null;
    actionUrl: string | null;
  }[];
}

export type OperationsItem =
  | { kind: 'stale'; since: string; days: number }
  | { kind: 'suspect'; date: string; gone: number; told: number }
  | { kind: 'failing'; code: string; message: string; advice: string; since: string };

/** A mail of a report, rendered. */
export interface RenderedMail {
  kind: MailKind;
  subject: string;
  html: string;
  text: string;
}
