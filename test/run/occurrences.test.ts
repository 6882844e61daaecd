import { describe, expect, it } from 'vitest';
import { EMPTY_STATE, type State } from '../../lambda/archive/state.ts';
import { lastOccurrence } from '../../lambda/watch/occurrences.ts';
import { assess, OVERDUE_AFTER_MS } from '../../lambda/watch/incidents.ts';
import { watchTime } from '../../lib/schedules.ts';
import { TENANT_ID } from './fakes.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Of every zone, the changes of its offset within the year 2026, in ms; zones that change alike are one. */
function zonesWithDst(): { timeZone: string; changes: number[] }[] {
  const zones = new Map<string, { timeZone: string; changes: number[] }>();
  for (const timeZone of Intl.supportedValuesOf('timeZone')) {
    const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
    const offset = (at: number) =>
      format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value;
    const changes: number[] = [];
    const offsets: (string | undefined)[] = [];
    for (let day = Date.UTC(2026, 0, 1); day < Date.UTC(2027, 0, 1); day += 7 * DAY) {
      if (offset(day) === offset(day + 7 * DAY)) continue;
      let [low, high] = [day, day + 7 * DAY];
      while (high - low > 60_000) {
        const middle = Math.floor((low + high) / 120_000) * 60_000;
        if (offset(middle) === offset(low)) low = middle;
        else high = middle;
      }
      changes.push(high);
      offsets.push(offset(low), offset(high));
    }
    if (changes.length > 0) zones.set(JSON.stringify([changes, offsets]), { timeZone, changes });
  }
  return [...zones.values()];
}

const ZONES = zonesWithDst();

/** Every moment at which a daily schedule is due from one moment to another. */
function occurrences(schedule: { at: string; timeZone: string }, from: number, to: number): number[] {
  const found: number[] = [];
  for (let at = to; ;) {
    const last = lastOccurrence(schedule, new Date(at)).getTime();
    if (last < from) return found.toReversed();
    found.push(last);
    at = last - 60_000;
  }
}

function isOverdue(schedule: State['schedule'], lastRun: number, now: number): boolean {
  const state = {
    ...EMPTY_STATE,
    schedule,
    lastRun: {
      at: new Date(lastRun).toISOString(),
      newest: '2026-01-01',
      certificateUntil: '2028-01-01T00:00:00Z',
    },
  };
  const watched = { schedule: { tenantId: TENANT_ID, enabled: true, since: new Date(0) }, state };
  return assess([watched], new Date(now)).overdue.length > 0;
}

describe('a daily schedule', () => {
  it.each([
    [
      '02:30',
      'Europe/Berlin',
      '2026-03-29T12:00:00Z',
      '2026-03-28T01:30:00Z',
      'is skipped where clocks go forward',
    ],
    [
      '02:30',
      'Europe/Berlin',
      '2026-10-25T12:00:00Z',
      '2026-10-25T00:30:00Z',
      'comes once where they go back',
    ],
    ['07:00', 'Asia/Kathmandu', '2026-06-01T01:14:00Z', '2026-05-31T01:15:00Z', 'comes at quarters'],
    ['00:30', 'Africa/Cairo', '2026-04-24T12:00:00Z', '2026-04-22T22:30:00Z', 'is skipped at midnight'],
  ])('at %s in %s, until %s, was last due at %s: it %s', (at, timeZone, until, expected) => {
    expect(lastOccurrence({ at, timeZone }, new Date(until)).getTime()).toBe(Date.parse(expected));
  });
});

describe('in every zone whose clocks change, around every change of the year', () => {
  const TIMES = ['00:00', '00:30', '01:30', '02:15', '02:30', '03:15', '07:00', '23:30'];

  it('is about as many zones as the database has', () => expect(ZONES.length).toBeGreaterThan(20));

  it('a tenant whose runs all came is never overdue, and one whose run is missing is before the next day is over', () => {
    const wrong = { skippedWatches: [] as string[], falseAlarms: [] as string[], unnoticed: [] as string[] };
    let missing = 0;
    for (const { timeZone, changes } of ZONES) {
      for (const at of TIMES) {
        const schedule = { at, timeZone };
        for (const change of changes) {
          const due = occurrences(schedule, change - 4 * DAY, change + 4 * DAY);
          const looks = occurrences(watchTime(schedule), change - 2 * DAY, change + 4 * DAY);
          const last = looks.at(-1)!;
          for (const [index, look] of looks.entries()) {
            const what = `${timeZone} ${at}, ${new Date(look).toISOString()}`;
            // Troll's clock moves by two hours.
            if (look - (looks[index - 1] ?? look) > 26 * HOUR) wrong.skippedWatches.push(what);
            // A run that began with its time, and one that began at the end of its window.
            const latest = due.findLast((each) => each + HOUR <= look)!;
            if (isOverdue(schedule, latest, look) || isOverdue(schedule, latest + HOUR, look)) {
              wrong.falseAlarms.push(what);
            }
            // That run is missing, and so is any later one.
            const before = due.findLast((each) => each < latest)!;
            const end = latest + OVERDUE_AFTER_MS + 7 * HOUR;
            const watched = looks.filter((each) => each >= latest && each <= end);
            if (last < end) continue;
            missing += 1;
            if (!watched.some((each) => isOverdue(schedule, before + HOUR, each))) wrong.unnoticed.push(what);
          }
        }
      }
    }
    expect(wrong).toEqual({ skippedWatches: [], falseAlarms: [], unnoticed: [] });
    expect(missing).toBeGreaterThan(1000);
  }, 120_000);
});

describe('a week and a month', () => {
  it.each([
    ['week', '2026-11-30T07:30:00Z', '2026-11-30T07:30:00Z'],
    ['week', '2026-11-30T07:29:59Z', '2026-11-23T07:30:00Z'],
    // Summer time ended in between.
    ['week', '2026-10-26T07:29:59Z', '2026-10-19T06:30:00Z'],
    ['month', '2026-12-01T07:30:00Z', '2026-12-01T07:30:00Z'],
    ['month', '2026-12-01T07:29:00Z', '2026-11-01T07:30:00Z'],
    ['month', '2026-10-31T23:00:00Z', '2026-10-01T06:30:00Z'],
  ] as const)('of a %s, up to %s, was last due at %s', (every, until, expected) => {
    const schedule = { at: '08:30', timeZone: 'Europe/Budapest', every };
    expect(lastOccurrence(schedule, new Date(until)).toISOString()).toBe(new Date(expected).toISOString());
  });
});
