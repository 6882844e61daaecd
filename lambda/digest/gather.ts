import { Archive } from '../archive/archive.ts';
import { inParallel } from '../archive/columns/parallel.ts';
import type { State } from '../archive/state.ts';
import { MonitorError } from '../errors.ts';
import { readProfiles } from '../graph/schema.ts';
import type { Log, ObjectStore, Schedule } from '../ports.ts';
import type { Report, TrendDay } from '../report/model.ts';
import { isDamage } from '../run/versions.ts';
import { assess } from '../watch/incidents.ts';
import type { Part } from './compose.ts';
import { olderDays } from './older.ts';
import { tenantOutlook, type TenantOutlook } from './outlook.ts';
import { attentionOf, reportsFrom, tenantAccount, trendOf, type Start } from './tenant.ts';

/** The maximum number of tenants that are read at once. */
const AT_A_TIME = 20;

export interface Gathered {
  parts: Part[];
  /** The known outlooks of a monthly digest; empty for others. */
  outlooks: TenantOutlook[];
}

/**
 * Reads the tenants of a digest, a few at a time, and retains only what the digest needs. A tenant that cannot be read is
 * listed as unreadable and left out of the sums. An error that may pass by itself fails the digest, which is retried.
 * @param startOf the start of a tenant's account
 * @param nameOf the name of a tenant in the last digest, for one whose state cannot be read
 * @param through the last day that counts (yyyy-mm-dd); null: all days count
 * @param isOver the period ended before today
 */
export async function gather(
  { store, log }: { store: ObjectStore; log: Log },
  schedules: Schedule[],
  options: {
    now: Date;
    startOf: (tenantId: string) => Start;
    nameOf: (tenantId: string) => string | undefined;
    through: string | null;
    isOver: boolean;
    outlook: boolean;
  },
): Promise<Gathered> {
  const read = await inParallel(
    schedules,
    async (schedule) => {
      const { tenantId } = schedule;
      const archive = new Archive(store, tenantId);
      const damage = (error: unknown) => {
        if (!(error instanceof MonitorError) || error.retryable) throw error;
        log.error(error.message, { tenant: tenantId, advice: error.advice });
        return 'damaged' as const;
      };
      // The state is read first, because a run that ends meanwhile reports later days, which belong to the next digest.
      let state: State | null | 'damaged' = await archive.state().then(({ state: of }) => of, damage);
      const start = options.startOf(tenantId);
      let reports: Report[] = [];
      if (state !== null && state !== 'damaged') {
        const found = await archive.reportsSince(reportsFrom(start, state)).catch(damage);
        if (found === 'damaged') state = found;
        else reports = withClaimed(found, state);
      }
      const name =
        (state !== 'damaged' && state?.name) || schedule.name || options.nameOf(tenantId) || tenantId;
      let older: TrendDay[] = [];
      if (state !== null && state !== 'damaged' && 'first' in start) {
        const dates = new Set(trendOf(state, reports).map(({ date }) => date));
        const period = { first: start.first, through: options.through ?? '9999-12-31' };
        const found = await olderDays({ archive, tenantId, log }, state, dates, period).catch(damage);
        if (found === 'damaged') state = found;
        else older = found;
      }
      const known = { tenantId, name, state, reports, older };
      const own = tenantAccount(known, start, options.through);
      const incidents = options.isOver ? null : assess([{ schedule, state }], options.now);
      return {
        part: { ...own, attention: attentionOf(known, incidents, own.account) },
        outlook:
          options.outlook && state !== null && state !== 'damaged'
            ? await outlookOf(archive, state, log)
            : null,
      };
    },
    AT_A_TIME,
  );
  return { parts: read.map(({ part }) => part), outlooks: read.flatMap(({ outlook }) => outlook ?? []) };
}

/** Adds a report that is claimed but not archived, because its run died: a later run will archive it. */
function withClaimed(reports: Report[], { claim }: State): Report[] {
  const claimed = claim?.report;
  return claimed && !reports.some(({ toldAt }) => toldAt === claimed.toldAt)
    ? [...reports, claimed]
    : reports;
}

async function outlookOf(archive: Archive, { cursor }: State, log: Log): Promise<TenantOutlook | null> {
  if (!cursor) return null;
  try {
    const { snapshot } = await archive.snapshot(cursor.date, cursor.snapshot);
    return tenantOutlook(snapshot, readProfiles(await archive.profiles(cursor.profiles)).profiles);
  } catch (error) {
    if (!isDamage(error)) throw error;
    log.error(error.message, { advice: error.advice });
    return null;
  }
}
