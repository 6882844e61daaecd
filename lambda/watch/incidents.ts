import type { State } from '../archive/state.ts';
import { isRenewalLate } from '../certificate/bundle.ts';
import { dateOf, daysBetween } from '../dates.ts';
import type { Schedule } from '../ports.ts';
import type { OverdueTenant, WatchItem } from '../report/watch.ts';
import { STALE_AFTER_DAYS } from '../run/incidents.ts';
import type { Notified } from './memory.ts';
import { lastOccurrence } from './occurrences.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A run may be late because of its flexible window and retries. */
const GRACE_MS = 6 * HOUR_MS;

/** After this time without a successful run a tenant is overdue, if a run was due in the meantime (`isOverdue`). */
export const OVERDUE_AFTER_MS = DAY_MS + GRACE_MS;

/** How long an expired certificate is remembered: a tenant that could not be read for some time may still have it. */
const REMEMBERED_MS = 90 * DAY_MS;

/**
 * Operations are notified at these numbers of days before a certificate expires, and when it has expired (0). The
 * renewal of a certificate that renews itself reports its own failures, so these notices are the last resort.
 */
const THRESHOLDS = (renews: boolean | null): number[] =>
  renews === null ? [0, 7, 30] : renews ? [0, 7] : [0, 7, 30, 60];

/** An alarm goes off below 30 days. A certificate whose renewal is in time counts with this many, so that it ends one. */
const CALM_DAYS = 60;

/**
 * The lowest number of full days left on a certificate that somebody may have to renew; null if none is known. Where a
 * renewal is in time, it counts as 60 at least.
 */
export function daysLeftToAct({ certificates }: Pick<Incidents, 'certificates'>): number | null {
  const days = certificates.map(({ daysLeft: left, inTime }) => (inTime ? Math.max(left, CALM_DAYS) : left));
  return days.length === 0 ? null : Math.min(...days);
}

/** When something is due; without `every`: daily. */
type Due = Parameters<typeof lastOccurrence>[0];

/** A tenant that should run, and what is known about it. */
export interface Watched {
  schedule: Schedule;
  /** Null: it has never run. 'damaged': nothing is known, and no run can succeed. */
  state: State | null | 'damaged';
}

/** What is wrong now, over all tenants. */
export interface Incidents {
  overdue: OverdueTenant[];
  stale: { tenant: string; name: string; newest: string }[];
  /** Certificates by the time at which they expire, the next one first. Tenants that share one are listed together. */
  certificates: {
    until: string;
    daysLeft: number;
    names: string[];
    renews: boolean | null;
    /** True if it renews itself and is not late, so that nobody has to act, however short its life is. */
    inTime: boolean;
  }[];
}

/** Pure. @param tenants those whose schedule is enabled */
export function assess(tenants: Watched[], now: Date): Incidents {
  const incidents: Incidents = { overdue: [], stale: [], certificates: [] };
  const certificates = new Map<string, { names: string[]; renews: boolean | null; from: string | null }>();
  for (const { schedule, state } of tenants) {
    const known = state === 'damaged' ? null : state;
    const tenant = schedule.tenantId;
    const name = known?.name ?? schedule.name ?? tenant;
    const lastRun = known?.lastRun ?? null;

    // A schedule that is new, was changed, or was enabled again may not have been due yet.
    const since = Math.max(schedule.since.getTime(), lastRun ? Date.parse(lastRun.at) : 0);
    if (state === 'damaged' || isOverdue(since, known?.schedule ?? null, now)) {
      const failing = known?.said.failing ?? null;
      incidents.overdue.push({
        tenant,
        name,
        lastRun: lastRun?.at ?? null,
        failing: failing && { since: failing.since, codes: failing.told },
        damaged: state === 'damaged',
      });
    }
    if (!lastRun) continue;
    if (daysBetween(lastRun.newest, dateOf(now)) >= STALE_AFTER_DAYS)
      incidents.stale.push({ tenant, name, newest: lastRun.newest });
    const { certificateFrom = null, certificateUntil, renews = null } = lastRun;
    if (certificateUntil === null) continue;
    const shared = certificates.get(certificateUntil);
    certificates.set(certificateUntil, {
      names: [...(shared?.names ?? []), name],
      // A tenant that does not renew its certificate holds back all that share it.
      renews: shared && shared.renews !== true ? shared.renews : renews,
      from: shared?.from ?? certificateFrom,
    });
  }
  incidents.certificates = [...certificates]
    .map(([until, { from, ...shared }]) => ({
      until,
      daysLeft: daysLeft(until, now),
      ...shared,
      inTime:
        shared.renews === true &&
        from !== null &&
        !isRenewalLate({ notBefore: new Date(from), notAfter: new Date(until) }, now),
    }))
    .toSorted((a, b) => a.daysLeft - b.daysLeft);
  return incidents;
}

/**
 * Whether a run is missing: none has succeeded for more than 30 hours, and one was due long enough ago to have finished.
 * Due times follow the calendar: a schedule at 02:30 does not run on a day whose clock skips that time.
 * @param since time of the last run that succeeded, or of the schedule itself, ms
 * @param schedule as of the last run; null if it is not known
 */
export function isOverdue(since: number, schedule: Due | null, now: Date): boolean {
  if (now.getTime() - since <= OVERDUE_AFTER_MS) return false;
  return schedule === null || lastOccurrence(schedule, new Date(now.getTime() - GRACE_MS)).getTime() > since;
}

/**
 * The incidents that have not been reported yet, and the memory once they are.
 * @param tenants those of `assess`
 * @param unknown tenants whose state could not be read now: their entries in the memory stay
 */
export function notYetNotified(
  incidents: Incidents,
  notified: Notified,
  tenants: Watched[],
  unknown: string[],
  now: Date,
): { items: WatchItem[]; notified: Pick<Notified, 'version' | 'overdue' | 'certificates'> } {
  const overdue: Notified['overdue'] = {};
  for (const tenant of unknown) carry(overdue, notified.overdue, tenant);
  for (const { schedule, state } of tenants) {
    const at = notified.overdue[schedule.tenantId];
    // The entry stays until the tenant has run, even if a changed schedule makes the next run due later.
    const ranSince =
      at !== undefined &&
      state !== null &&
      state !== 'damaged' &&
      state.lastRun !== null &&
      state.lastRun.at > at;
    if (!ranSince) carry(overdue, notified.overdue, schedule.tenantId);
  }
  const found = incidents.overdue.filter(({ tenant }) => overdue[tenant] === undefined);
  const already = incidents.overdue.filter(({ tenant }) => overdue[tenant] !== undefined);
  for (const { tenant } of found) overdue[tenant] = now.toISOString();

  // Certificates that no tenant uses now stay too, because a state may be damaged, or a schedule disabled, for a day.
  const certificates: Notified['certificates'] = Object.fromEntries(
    Object.entries(notified.certificates).filter(
      ([until]) => now.getTime() - Date.parse(until) < REMEMBERED_MS,
    ),
  );
  const ending: WatchItem[] = [];
  for (const { until, daysLeft: days, names, renews, inTime } of incidents.certificates) {
    if (inTime) continue;
    const threshold = THRESHOLDS(renews).find((limit) => (limit === 0 ? days < 0 : days <= limit));
    if (threshold === undefined) continue;
    const before = notified.certificates[until] ?? Infinity;
    if (threshold < before) ending.push({ kind: 'certificate', until, daysLeft: days, names, renews });
    certificates[until] = Math.min(threshold, before);
  }
  return {
    items: [...(found.length > 0 ? [{ kind: 'overdue' as const, tenants: found, already }] : []), ...ending],
    notified: { version: 1, overdue, certificates },
  };
}

function carry(into: Notified['overdue'], notified: Notified['overdue'], tenant: string): void {
  const at = notified[tenant];
  if (at !== undefined) into[tenant] = at;
}

/** Full days; negative once it has expired. */
export function daysLeft(until: string, now: Date): number {
  return Math.floor((Date.parse(until) - now.getTime()) / DAY_MS);
}
