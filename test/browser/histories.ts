import { deriveRows, type ArchivedDay } from '../../lambda/archive/columns/rows.ts';
import { addDays } from '../../lambda/dates.ts';
import { readProfiles, snapshotOf } from '../../lambda/graph/schema.ts';
import { generatedTenant } from '../../simulator/generated-tenant.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import type { TenantReading } from '../../simulator/tenant.ts';
import { tenantRows, type PageRows } from '../history/page-rows.ts';

/** Histories to look at: rows as the columns of an archive would have them. */

const TODAY = '2026-11-20';

/** 100 days in which everything happens. */
export function practiceRows(): PageRows {
  const days: ArchivedDay[] = [];
  const tenant = practiceTenant({ today: addDays(TODAY, -99), day: 1 });
  for (; ; tenant.advance(1)) {
    const reading = tenant.read();
    const { profiles } = readProfiles(reading.profiles());
    // What was published late comes as it is served now.
    for (const date of reading.dates.slice(0, 8).toReversed()) {
      const known = days.find((day) => day.date === date);
      const of = { date, newest: date === reading.dates[0], today: tenant.today };
      if (!known) days.push(dayOf(reading, of, profiles));
    }
    if (tenant.today === TODAY) break;
  }
  return rowsOf(days.toSorted((a, b) => (a.date < b.date ? -1 : 1)));
}

/** As many days and controls as one likes. */
export function generatedRows(seed: string, size: { days: number; controls: number }): PageRows {
  const tenant = generatedTenant(seed, { today: TODAY, day: size.days, controls: size.controls });
  const reading = tenant.read();
  const { profiles } = readProfiles(reading.profiles());
  const dates = Array.from({ length: size.days }, (_, index) => addDays(TODAY, index - size.days + 1));
  return rowsOf(dates.map((date) => dayOf(reading, { date, newest: true, today: date }, profiles)));
}

function dayOf(
  reading: TenantReading,
  { date, newest, today }: { date: string; newest: boolean; today: string },
  profiles: ArchivedDay['profiles'],
): ArchivedDay {
  const versions = [snapshotOf(reading.secureScore(date, newest), newest)];
  return { date, versions, seenAt: `${today}T07:00:00Z`, profiles };
}

function rowsOf(days: ArchivedDay[]): PageRows {
  const { scores, controls, changes } = deriveRows('practice', null, days);
  return tenantRows({ scores, controls, changes });
}
