import type { Cause, ChangeKind, Sides } from '../score/change.ts';
import type { Decision, ScoreLine } from '../score/snapshot.ts';
import type { Report, TrendDay, Urgency } from './model.ts';
import type { TextLink } from './plain-text.ts';

/** The period of a digest: a week begins on Monday, a month on its first day. */
export type Every = 'day' | 'week' | 'month';

/**
 * What one digest reports of many tenants: plain data, archived as it is under reports/digest=<name>/, from which every
 * face of it is drawn. Foreign texts in it are plain (no HTML) and bounded, but not escaped. Percentages and percentage
 * points are unrounded.
 */
export interface DigestReport {
  version: 1;
  kind: 'digest';
  /** Of the digest, as in the config. */
  name: string;
  every: Every;
  /** When it was claimed, ISO 8601. */
  toldAt: string;
  /** Times are shown in it; days are those of the snapshots (UTC). */
  timeZone: string;
  /** The day of the oldest score that it starts from, and that of the newest score; null where there is none. */
  from: string | null;
  to: string | null;
  fleet: Fleet;
  /** All tenants of the digest, by name. */
  tenants: TenantAccount[];
  /** What needs attention, most urgent first. */
  attention: Attention[];
  /** Changes common to many tenants, and all changes by Microsoft: most tenants first. */
  many: Many[];
  /** Tenants that were in the last digest and are in this one no longer. */
  removed: { tenantId: string; name: string }[];
  /** The average of the tenants over the last 90 days, oldest first. */
  trend: TrendDay[];
  /** What a monthly digest looks ahead by; else null. */
  outlook: Outlook | null;
  /** A sentence each. */
  notes: string[];
}

/** Percentage points from one score to another by where they come from: the first four add up to `change` exactly. */
export interface Account {
  change: number;
  /** Here: lost, gained and `other`. */
  earned: number;
  /** By Microsoft: new, removed and re-scored recommendations. */
  rescored: number;
  /** By somebody's decision. */
  decided: number;
  unexplained: number;
  /** Of what was earned: recommendations that fell, and that rose, over the whole period. */
  lost: number;
  gained: number;
  /** Of what was earned: pending, muted, small, drifting and whatever else is not listed. */
  other: number;
}

/** Sums and averages over the tenants that have a score in the last digest and now. */
export interface Fleet {
  /** The number of tenants that the digest covers. */
  tenants: number;
  /** The number of compared tenants, to which the figures below refer. */
  compared: number;
  /** Averages of their percentages; null where none is compared. */
  before: number | null;
  after: number | null;
  median: number | null;
  lowest: number | null;
  highest: number | null;
  /** The average of their accounts: its parts add up to after − before exactly. */
  account: Account | null;
  /** How many rose, fell and stayed. */
  rose: number;
  fell: number;
  stayed: number;
}

export interface TenantAccount {
  tenantId: string;
  name: string;
  /** As last digested, or where the account of an added tenant begins; null where there is neither. */
  before: ScoreLine | null;
  /** The newest that is reported; null where there is none, or where the state cannot be read. */
  after: ScoreLine | null;
  /** How many days are new. */
  days: number;
  /** Whether it was not in the last digest. */
  isNew: boolean;
  account: Account | null;
  /** Over the whole period, a row a recommendation and kind; what happened to many is among them. */
  changes: DigestChange[];
}

/** What happened to a recommendation of one tenant over the period. */
export interface DigestChange {
  kind: ChangeKind;
  control: string | null;
  title: string;
  category: string | null;
  /** Days of the first and the last of its changes. */
  since: string;
  date: string;
  points: Sides;
  maximum: Sides;
  percentagePoints: number;
  cause: Cause | null;
  decision: Decision | null;
  /** What to do, of what was lost; else null. */
  remediation: string | null;
  /** Of `remediation`; absent: none. */
  remediationLinks?: TextLink[];
  /** https only. */
  actionUrl: string | null;
}

export interface Attention {
  kind: 'unreadable' | 'overdue' | 'failing' | 'urgent' | 'stale';
  tenantId: string;
  name: string;
  /** Since when (yyyy-mm-dd or ISO 8601), where that is known. */
  since: string | null;
  /** Of runs that fail: what the last report of it says. */
  message: string | null;
  advice: string | null;
  /** Of urgent scores. */
  urgent: Urgency[];
  /** Whether an earlier digest has reported it. */
  isKnown: boolean;
}

/** One thing that happened to several tenants. */
export interface Many {
  kind: ChangeKind;
  control: string | null;
  title: string;
  category: string | null;
  /** Ids of the tenants that it hit. */
  tenantIds: string[];
  /** The sum over these tenants, in percentage points; divided by their number the average. */
  percentagePoints: number;
  /** The tenant that it moved most. */
  most: { tenantId: string; name: string; percentagePoints: number } | null;
  remediation: string | null;
  remediationLinks?: TextLink[];
  actionUrl: string | null;
}

/** Where the fleet stands, and what is worth doing. */
export interface Outlook {
  /** Decisions that somebody made and that are in force, most tenants first. */
  decisions: { state: string; title: string; control: string; tenants: number }[];
  /** The number of recommendations with a decision in force, over all tenants. */
  decisionsInForce: number;
  /** Recommendations with the most points to be had for the least effort. */
  gaps: Gap[];
  /** The number of tenants for which it could not be computed. */
  missing: number;
}

export interface Gap {
  control: string;
  title: string;
  category: string;
  implementationCost: string | null;
  userImpact: string | null;
  /** How many tenants have points left. */
  tenants: number;
  /** Percentage points to be had, over all of them. */
  percentagePoints: number;
  actionUrl: string | null;
}

/** What is archived and delivered: of one tenant, or of many. */
export type AnyReport = Report | DigestReport;

export function isDigest(report: AnyReport): report is DigestReport {
  return 'fleet' in report;
}
