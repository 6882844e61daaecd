import type { Archive } from '../archive/archive.ts';
import type { State } from '../archive/state.ts';
import { readProfiles } from '../graph/schema.ts';
import type { Log } from '../ports.ts';
import { dayExplanation, trendDay } from '../report/build.ts';
import type { TrendDay } from '../report/model.ts';
import type { Snapshot } from '../score/snapshot.ts';
import { versionInForce } from '../run/versions.ts';

/**
 * The days of an earlier period that neither the state nor any report has, from the snapshots: a tenant that had nothing
 * to report for a long time has no trend of it.
 * @param known days of its trend, yyyy-mm-dd
 * @param period its first and last day; the day before it belongs to it, because the account starts from there
 * @throws MonitorError of the archive if it does not answer, or `archive-damaged` for the catalogue
 */
export async function olderDays(
  { archive, tenantId, log }: { archive: Archive; tenantId: string; log: Log },
  { cursor }: State,
  known: ReadonlySet<string>,
  { first, through }: { first: string; through: string },
): Promise<TrendDay[]> {
  if (!cursor) return [];
  const versions = await archive.days('');
  const dates = [...versions.keys()].filter((date) => date <= through && date <= cursor.date);
  const wanted = dates.slice(
    Math.max(
      0,
      dates.findLastIndex((date) => date < first),
    ),
  );
  if (wanted.every((date) => known.has(date))) return [];

  const { profiles } = readProfiles(await archive.profiles(cursor.profiles));
  const read = async (date: string): Promise<Snapshot | null> => {
    const run = { tenant: { tenantId }, ports: { log } };
    const found = await versionInForce(run, archive, date, versions.get(date) ?? [], new Map());
    return found?.snapshot ?? null;
  };
  const days: TrendDay[] = [];
  let previous: Snapshot | null = null;
  for (const [index, date] of wanted.entries()) {
    if (known.has(date)) {
      previous = null;
      continue;
    }
    const after = await read(date);
    if (!after) continue;
    const before: Snapshot | null = previous ?? (index > 0 ? await read(wanted[index - 1]!) : null);
    days.push(
      trendDay(after, before && dayExplanation(before, after, { before: profiles, after: profiles })),
    );
    previous = after;
  }
  return days;
}
