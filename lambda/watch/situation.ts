import type { State } from '../archive/state.ts';
import { dateOf, daysBetween } from '../dates.ts';
import type { Schedule } from '../ports.ts';
import type { OverdueTenant, WatchItem } from '../report/watch.ts';
import { STALE_AFTER_DAYS } from '../run/incidents.ts';
import type { Said } from './memory.ts';
import { lastOccurrence } from './occurrences.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A run may be late by its flexible window and by retries. */
const GRACE_MS = 6 * HOUR_MS;

/** A tenant runs daily: so long after a run, one is missing, if one was due meanwhile (`isOverdue`). */
export const OVERDUE_AFTER_MS = DAY_MS + GRACE_MS;

/** So long after its end a certificate is remembered: it may be seen again, of a tenant that was out of sight. */
const REMEMBERED_MS = 90 * DAY_MS;

/**
 * How many days before a certificate ends operations are notified, and once more when it has ended. Where one renews
 * itself, the renewal notifies them of what stands in its way, and this is the last line.
 */
const THRESHOLDS = (renews: boolean | null): number[] =>
  renews === null ? [0, 7, 30] : renews ? [0, 7] : [0, 7, 30, 60];

/** A tenant that should run, and what is known of it. */
export interface Watched {
  schedule: Schedule;
  /** Null: it has never run. Damaged: nothing is known, and no run can succeed. */
  state: State | null | 'damaged';
}

/** How all tenants stand. */
export interface Situation {
  overdue: OverdueTenant[];
  stale: { tenant: string; name: string; newest: string }[];
  /** By when they end, the next one first. A certificate that many tenants share is one. */
  certificates: { until: string; daysLeft: number; names: string[]; renews: boolean | null }[];
}

/** Pure. @param tenants those whose schedule is enabled */
export function assess(tenants: Watched[], now: Date): Situation {
  const situation: Situation = { overdue: [], stale: [], certificates: [] };
  const certificates = new Map<string, { names: string[]; renews: boolean | null }>();
  for (const { schedule, state } of tenants) {
    const known = state === 'damaged' ? null : state;
    const tenant = schedule.tenantId;
    const name = known?.name ?? schedule.name ?? tenant;
    const lastRun = known?.lastRun ?? null;

    // A schedule that is new, or was changed, or switched on again, has not had its turn yet.
    const since = Math.max(schedule.since.getTime(), lastRun ? Date.parse(lastRun.at) : 0);
    if (state === 'damaged' || isOverdue(since, known?.schedule ?? null, now)) {
      const failing = known?.said.failing ?? null;
      situation.overdue.push({
        tenant,
        name,
        lastRun: lastRun?.at ?? null,
        failing: failing && { since: failing.since, codes: failing.told },
        damaged: state === 'damaged',
      });
    }
    if (!lastRun) continue;
    if (daysBetween(lastRun.newest, dateOf(now)) >= STALE_AFTER_DAYS)
      situation.stale.push({ tenant, name, newest: lastRun.newest });
    const { certificateUntil, renews = null } = lastRun;
    if (certificateUntil === null) continue;
    const shared = certificates.get(certificateUntil);
    certificates.set(certificateUntil, {
      names: [...(shared?.names ?? []), name],
      // One that does not holds back all.
      renews: shared && shared.renews !== true ? shared.renews : renews,
    });
  }
  situation.certificates = [...certificates]
    .map(([until, shared]) => ({ until, daysLeft: daysLeft(until, now), ...shared }))
    .toSorted((a, b) => a.daysLeft - b.daysLeft);
  return situation;
}

/**
 * Whether a run is missing: for more than 30 hours none has succeeded, and one was due since, so long ago that it should
 * be there. A day is a matter of the calendar: a schedule at 02:30 has no turn on the day whose clock skips it.
 * @param since of the last run that succeeded, or of the schedule itself, ms
 * @param schedule as of the last run; null where that is not known
 */
function isOverdue(since: number, schedule: State['schedule'], now: Date): boolean {
  if (now.getTime() - since <= OVERDUE_AFTER_MS) return false;
  return schedule === null || lastOccurrence(schedule, new Date(now.getTime() - GRACE_MS)).getTime() > since;
}

/**
 * What of the situation has not been said yet, and what will have been said then.
 * @param tenants those of `assess`
 * @param unknown tenants whose state could not be read now: what was said of them stays said
 */
export function unsaid(
  situation: Situation,
  said: Said,
  tenants: Watched[],
  unknown: string[],
  now: Date,
): { items: WatchItem[]; said: Omit<Said, 'evidence'> } {
  const overdue: Said['overdue'] = {};
  for (const tenant of unknown) keepSaid(overdue, said.overdue, tenant);
  for (const { schedule, state } of tenants) {
    const at = said.overdue[schedule.tenantId];
    // As long as it has not run it stays said, even if a change of its schedule gives it a new day.
    const ranSince =
      at !== undefined &&
      state !== null &&
      state !== 'damaged' &&
      state.lastRun !== null &&
      state.lastRun.at > at;
    if (!ranSince) keepSaid(overdue, said.overdue, schedule.tenantId);
  }
  const news = situation.overdue.filter(({ tenant }) => overdue[tenant] === undefined);
  const already = situation.overdue.filter(({ tenant }) => overdue[tenant] !== undefined);
  for (const { tenant } of news) overdue[tenant] = now.toISOString();

  // Also those that no tenant uses now: its state may be damaged, or its schedule off, for a day.
  const certificates: Said['certificates'] = Object.fromEntries(
    Object.entries(said.certificates).filter(([until]) => now.getTime() - Date.parse(until) < REMEMBERED_MS),
  );
  const ending: WatchItem[] = [];
  for (const { until, daysLeft: days, names, renews } of situation.certificates) {
    const threshold = THRESHOLDS(renews).find((limit) => (limit === 0 ? days < 0 : days <= limit));
    if (threshold === undefined) continue;
    const before = said.certificates[until] ?? Infinity;
    if (threshold < before) ending.push({ kind: 'certificate', until, daysLeft: days, names, renews });
    certificates[until] = Math.min(threshold, before);
  }
  return {
    items: [...(news.length > 0 ? [{ kind: 'overdue' as const, tenants: news, already }] : []), ...ending],
    said: { version: 1, overdue, certificates },
  };
}

function keepSaid(into: Said['overdue'], said: Said['overdue'], tenant: string): void {
  const at = said[tenant];
  if (at !== undefined) into[tenant] = at;
}

/** Whole days; negative once it has ended. */
export function daysLeft(until: string, now: Date): number {
  return Math.floor((Date.parse(until) - now.getTime()) / DAY_MS);
}
