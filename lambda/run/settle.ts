import type { DayReport, Urgency } from '../report/model.ts';
import { openAccount, settleDay, type Drop, type Settling } from '../score/settle.ts';
import { crossings } from '../score/urgency.ts';
import type { Compared } from './compare.ts';
import type { Explained } from './explain.ts';
import type { Run } from './run.ts';

/** The settled days, whose changes are reported, pending, silenced, … */
export interface Settled {
  days: DayReport[];
  /** Drops of earlier days that are reported now. */
  confirmed: Drop[];
  settling: Settling;
  /** Limits of the alerts that were crossed. */
  urgent: Urgency[];
}

/** Settles the explained days by the tenant's alerts. */
export function settle({ tenant }: Run, { lastReported }: Compared, explained: Explained): Settled {
  const settled: Settled = {
    days: [],
    confirmed: [],
    urgent: lastReported?.cursor ? crossings(explained.trend, lastReported.cursor.date, tenant.alerts) : [],
    settling: lastReported?.settling ?? { waiting: [], told: [], account: openAccount(null) },
  };
  for (const { day, explanation } of explained.days) {
    const { date, unexplained } = { date: day.date, ...explanation };
    const { changes, confirmed, settling } = settleDay(
      settled.settling,
      day.changes,
      { date, unexplained },
      tenant.alerts,
    );
    settled.settling = settling;
    settled.confirmed.push(...confirmed);
    settled.days.push({
      ...day,
      changes: changes.map(({ change, ...outcome }) => ({ ...change, ...outcome })),
    });
  }
  return settled;
}
