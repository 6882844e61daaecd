import type { Archive } from '../archive/archive.ts';
import { EMPTY_STATE, type State, type LastReported } from '../archive/state.ts';
import { addDays } from '../dates.ts';
import { isFromTheFuture, isPlausible } from '../score/plausibility.ts';
import { openAccount, type Settling } from '../score/settle.ts';
import { scoreLine, type Snapshot } from '../score/snapshot.ts';
import type { Run } from './run.ts';
import { versionInForce, type VersionInForce } from './versions.ts';

/**
 * What was last reported; null if nothing was. If the state is gone, it comes from the last report. An earlier version
 * accepted implausible days. If the cursor is at one, this goes back to the last plausible day that was compared: up to
 * there everything has been reported, while later days were compared with a day that never was.
 */
export async function findLastReported(
  run: Run,
  archive: Archive,
  state: State | null,
): Promise<LastReported | null> {
  const found = state?.cursor ? state : await archive.lastReported();
  if (!found?.cursor) return found;
  const reported: LastReported = {
    ...found,
    said: { ...EMPTY_STATE.said, ...found.said },
    held: found.held ?? [],
  };
  const { cursor } = found;
  // A day that was in the future then stays implausible, even when its date has come.
  const now = found.lastRun?.at ?? run.ports.clock.now().toISOString();
  const trend = reported.trend.filter((day) => isPlausible(day, now));
  const last = trend.at(-1);
  const stands = !isFromTheFuture(cursor.date, now) && last?.date === cursor.date;
  if (stands || trend.length === reported.trend.length || !last) return { ...reported, trend };

  const hashes = (await archive.days(addDays(last.date, -1), run.ports.clock.now())).get(last.date) ?? [];
  const version = await versionInForce(run, archive, last.date, hashes, new Map(), last);
  if (!version) return { ...reported, trend };
  run.ports.log.warn('the day last reported is implausible: going back to the last plausible one', {
    tenant: run.tenant.tenantId,
    from: cursor.date,
    to: last.date,
  });
  return backTo({ ...reported, trend }, version);
}

/**
 * The day (yyyy-mm-dd) until which the catalogue last reported is known, if that is before the day last reported, because
 * only a part of the catalogue came since; else null. States of 0.1.0 know it from the episode.
 */
export function catalogueKnownUntil({ cursor, said }: Pick<LastReported, 'cursor' | 'said'>): string | null {
  if (!cursor) return null;
  return (
    cursor.knownUntil ?? (said.catalogue !== null && said.catalogue < cursor.date ? said.catalogue : null)
  );
}

/** What was last reported, set back to an earlier day. */
export function backTo(reported: LastReported, { hash, snapshot }: VersionInForce): LastReported {
  return {
    ...reported,
    cursor: reported.cursor && { ...reported.cursor, date: snapshot.date, snapshot: hash },
    trend: reported.trend.filter(({ date }) => date <= snapshot.date),
    settling: rewind(reported.settling, snapshot),
  };
}

/** The settling without the effects of days later than the snapshot. */
function rewind(settling: Settling, to: Snapshot): Settling {
  const { account, waiting, told } = settling;
  const isPast = ({ date }: { date: string }) => date <= to.date;
  const reopened = account.healed.filter(({ back }) => back > to.date);
  return {
    told: told.filter(isPast),
    // A drop that recovered only on such a day is pending again.
    waiting: [...waiting, ...reopened].filter(isPast).map((drop) => {
      const after = to.controls.get(drop.control)?.points ?? drop.points.after;
      return { ...drop, points: { ...drop.points, after } };
    }),
    account:
      account.since && account.since.date > to.date
        ? openAccount(scoreLine(to))
        : { ...account, healed: account.healed.filter(({ back }) => back <= to.date) },
  };
}
