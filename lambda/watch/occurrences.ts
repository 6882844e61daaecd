import type { Tenant } from '../config.ts';

const DAY_MS = 24 * 3_600_000;

/** Clocks skip a time on one day only, so that a few days more than the longest period are enough in any zone. */
const DAYS_BACK = { day: 3, week: 3 * 7, month: 3 * 31 };

const MONDAY = 1;

/**
 * The last moment, up to `until`, at which a schedule was due in its time zone: every day, every Monday, or on the first
 * of every month. On a day whose clock skips that time EventBridge skips the schedule; on a day that has it twice, the
 * first one counts:
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
 * @param schedule at: hh:mm
 */
export function lastOccurrence(
  { at, timeZone, every = 'day' }: Tenant['schedule'] & { every?: keyof typeof DAYS_BACK },
  until: Date,
): Date {
  const wall = wallClockOf(timeZone);
  const time = Date.parse(`1970-01-01T${at}:00Z`);
  const today = Math.floor(wall(until.getTime()) / DAY_MS) * DAY_MS;
  for (let day = 0; day <= DAYS_BACK[every]; day += 1) {
    const date = new Date(today - day * DAY_MS);
    if (every === 'week' && date.getUTCDay() !== MONDAY) continue;
    if (every === 'month' && date.getUTCDate() !== 1) continue;
    const wanted = date.getTime() + time;
    const instant = instantsAt(wanted, wall).find((each) => each <= until.getTime());
    if (instant !== undefined) return new Date(instant);
  }
  throw new Error(`the time zone ${timeZone} has no ${at} within ${DAYS_BACK[every]} days`);
}

/** The moments at which the clock shows a time, ascending: none, one or two. */
function instantsAt(wanted: number, wall: (instant: number) => number): number[] {
  const candidates = [-DAY_MS, DAY_MS].map((away) => wanted - (wall(wanted + away) - (wanted + away)));
  return [...new Set(candidates)].filter((instant) => wall(instant) === wanted).toSorted((a, b) => a - b);
}

/** Maps an instant to the wall clock of a zone, as if that were UTC; both in milliseconds, with full minutes. */
function wallClockOf(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  return (instant) => {
    const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    return Date.parse(
      `${part['year']}-${part['month']}-${part['day']}T${part['hour']}:${part['minute']}:00Z`,
    );
  };
}
