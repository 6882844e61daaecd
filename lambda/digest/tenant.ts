import type { State } from '../archive/state.ts';
import { addDays } from '../dates.ts';
import type { Attention, TenantAccount } from '../report/digest-model.ts';
import { line } from '../report/plain-text.ts';
import type { OperationsItem, Report, TrendDay } from '../report/model.ts';
import type { ScoreLine } from '../score/snapshot.ts';
import type { Incidents } from '../watch/incidents.ts';
import { accountOf } from './account.ts';
import { changesBetween } from './changes.ts';

/** One tenant's part of a digest. Pure. */

/** The start of a tenant's account. */
export type Start =
  /** The score in the last digest, or in the last one that had it, of a tenant that is back. */
  | { score: ScoreLine; isAdded: boolean }
  /** The last score before that day (yyyy-mm-dd); of a tenant without one its first. */
  | { first: string }
  /**
   * This number of days before its newest score, because the first digest looks back over one period. So does the first
   * one with an added tenant, but not to before its first run.
   */
  | { daysBack: number; isAdded: boolean };

/** What is known about a tenant. */
export interface Known {
  tenantId: string;
  name: string;
  /** Null: it has never run. 'damaged': it cannot be read. */
  state: State | null | 'damaged';
  /** Its reports since the first day of the account, in any order. */
  reports: Report[];
  /** Days of an earlier period that are in neither. */
  older: TrendDay[];
}

/**
 * @param through the last day that counts (yyyy-mm-dd); null: all days count
 * @returns the account, its days, and whether it begins before the first run, from when on changes are listed
 */
export function tenantAccount(
  { tenantId, name, state, reports, older }: Known,
  start: Start,
  through: string | null,
): { account: TenantAccount; trend: TrendDay[]; isOlder: boolean } {
  const trend = trendOf(state, reports, older).filter(({ date }) => through === null || date <= through);
  const newest = trend.at(-1);
  const before = beginning(start, trend, reports);
  // A period may begin before the first day of all.
  const isAdded = 'first' in start ? before !== null && before.date >= start.first : start.isAdded;
  const days = before ? trend.filter(({ date }) => date > before.date) : [];
  // Its only day has nothing to be compared with.
  const isAlone = days.length === 0 && (isAdded || 'daysBack' in start);
  const none = {
    tenantId,
    name,
    before,
    after: newest ? lineOf(newest) : null,
    days: 0,
    isNew: isAdded || !before || isAlone,
  };
  const nothing = { ...none, account: null, changes: [] };
  if (!newest || !before) return { account: nothing, trend, isOlder: false };

  if (isAlone) return { account: { ...nothing, before: null }, trend, isOlder: false };
  const changes = changesBetween(reports, before.date, newest.date);
  return {
    account: {
      ...none,
      days: days.length,
      account: accountOf(before, newest, days, { changes, decidedOn: decidedOn(reports) }),
      changes,
    },
    trend,
    isOlder: (firstRun(reports)?.date ?? '') > before.date,
  };
}

/** The score that the first run reported; null if that was before these reports. */
function firstRun(reports: Report[]): ScoreLine | null {
  return reports.find(({ start }) => start !== null)?.after ?? null;
}

/** The days as they were last reported. The state has the last 90 days, and each report the 90 days before it. */
export function trendOf(state: Known['state'], reports: Report[], older: TrendDay[] = []): TrendDay[] {
  if (state === null || state === 'damaged') return [];
  const days = new Map(state.trend.map((day) => [day.date, day]));
  const [first] = state.trend;
  for (const trend of first ? [...reports.map((report) => report.trend), older] : []) {
    for (const day of trend) if (day.date < first!.date && !days.has(day.date)) days.set(day.date, day);
  }
  return [...days.values()].toSorted((a, b) => (a.date < b.date ? -1 : 1));
}

/** The first day of a tenant's reports that is needed (yyyy-mm-dd). */
export function reportsFrom(start: Start, state: State): string {
  if ('score' in start) return start.score.date;
  if ('first' in start) return start.first;
  return addDays(state.trend.at(-1)?.date ?? '1970-01-01', -start.daysBack);
}

function beginning(start: Start, trend: TrendDay[], reports: Report[]): ScoreLine | null {
  if ('score' in start) return start.score;
  const newest = trend.at(-1);
  if (!newest) return null;
  const first = 'daysBack' in start && start.isAdded ? firstRun(reports) : null;
  const until = 'first' in start ? addDays(start.first, -1) : addDays(newest.date, -start.daysBack);
  const day = trend.findLast(({ date }) => date <= until) ?? trend[0];
  if (first && (!day || first.date > day.date)) return lineOf(first);
  return day ? lineOf(day) : null;
}

function lineOf({ date, points, maximum, percentage }: ScoreLine): ScoreLine {
  return { date, points, maximum, percentage };
}

/** Percentage points by decisions, by day. */
function decidedOn(reports: Report[]): Map<string, number> {
  const days = new Map<string, number>();
  for (const { date, changes } of reports.flatMap((report) => report.days)) {
    const decided = changes.filter(({ cause }) => cause === 'decided');
    days.set(
      date,
      decided.reduce((sum, { percentagePoints }) => sum + percentagePoints, 0),
    );
  }
  return days;
}

const LONGEST = { message: 300, advice: 400 };

/**
 * What needs attention at a tenant.
 * @param incidents the findings of the watch about all tenants; null for a period that is over: they are today's, as is
 *   the failure that the state lists
 */
export function attentionOf(
  { tenantId, name, state, reports }: Known,
  incidents: Pick<Incidents, 'overdue' | 'stale'> | null,
  { before, after }: TenantAccount,
): Omit<Attention, 'isKnown'>[] {
  const nothing = { tenantId, name, since: null, message: null, advice: null, urgent: [] };
  if (state === 'damaged') return [{ ...nothing, kind: 'unreadable' }];
  const late = incidents?.overdue.find(({ tenant }) => tenant === tenantId);
  const failing = (incidents && state?.said.failing) ?? null;
  const item = failing ? lastFailure(reports) : null;
  const crossed = reports
    .filter(({ to }) => to && before && after && to.date > before.date && to.date <= after.date)
    .flatMap(({ urgent = [] }) => urgent);
  const old = incidents?.stale.find(({ tenant }) => tenant === tenantId);
  return [
    ...(late || failing
      ? [
          {
            ...nothing,
            kind: late ? ('overdue' as const) : ('failing' as const),
            since: failing?.since ?? late?.lastRun ?? null,
            message: item && line(item.message, LONGEST.message),
            advice: item && line(item.advice, LONGEST.advice),
          },
        ]
      : []),
    ...(crossed.length > 0 ? [{ ...nothing, kind: 'urgent' as const, urgent: crossed }] : []),
    // Without runs there are no snapshots, which is already reported.
    ...(old && !late && !failing ? [{ ...nothing, kind: 'stale' as const, since: old.newest }] : []),
  ];
}

function lastFailure(reports: Report[]): (OperationsItem & { kind: 'failing' }) | null {
  return (
    reports
      .flatMap(({ operations }) => operations.flatMap((item) => (item.kind === 'failing' ? [item] : [])))
      .toSorted((a, b) => (a.since < b.since ? -1 : 1))
      .at(-1) ?? null
  );
}
