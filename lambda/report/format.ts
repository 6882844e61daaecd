import type { ScoreLine } from './model.ts';
import type { Sides } from '../score/change.ts';

/** How numbers and dates are written for people: a real minus sign, no trailing zeros, days of the calendar (UTC). */

export const MINUS = '\u2212';

/** In points or percentage points: what five decimals do not show is the noise of binary fractions. */
export const NOISE = 5e-6;

/** "8.57", "9", "−3". */
export function points(value: number, decimals = 2): string {
  return rounded(value, decimals)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}

/** "+0.3", "−3"; more decimals where two would show a zero that is none. */
export function pointsChange(change: number): string {
  return signed(change, (magnitude) => points(magnitude, enoughDecimals(magnitude, 2)));
}

/** "62.4 %", or "128 points" where there is no percentage. */
export function score(of: ScoreLine): string {
  return of.percentage === null
    ? count(of.points, 'point', points(of.points))
    : `${rounded(of.percentage, 1)} %`;
}

/** The change of the score in percentage points ("−0.8", "+0.04", "±0.0"); in points where a side has no percentage. */
export function scoreChange(before: ScoreLine, after: ScoreLine): string {
  if (before.percentage === null || after.percentage === null)
    return pointsChange(after.points - before.points);
  return signed(after.percentage - before.percentage, (magnitude) =>
    rounded(magnitude, enoughDecimals(magnitude, 1)),
  );
}

/** The same with one decimal always, for columns: "+0.9", "±0.0". */
export function scoreStep(before: ScoreLine, after: ScoreLine): string {
  if (before.percentage === null || after.percentage === null) return scoreChange(before, after);
  return signed(Math.round(10 * (after.percentage - before.percentage)) / 10, (magnitude) =>
    rounded(magnitude, 1),
  );
}

/** "8 → 5 of 9 points", "8 of 9 → 5 of 10 points", "8 → 5 points, maximum unknown". */
export function sides(of: Sides, maximum: Sides): string {
  if (of.before === null || of.after === null) {
    const [value, top] = of.after === null ? [of.before, maximum.before] : [of.after, maximum.after];
    return value === null ? 'points unknown' : outOf(points(value), top);
  }
  const [before, after] = distinct(of.before, of.after);
  const top = { before: maximum.before ?? maximum.after, after: maximum.after ?? maximum.before };
  const same = top.before === top.after || top.before === null;
  return outOf(`${same ? before : `${before} of ${points(top.before ?? 0)}`} → ${after}`, top.after);
}

function outOf(value: string, maximum: number | null): string {
  if (maximum === null) return `${value} ${value === '1' ? 'point' : 'points'}, maximum unknown`;
  return `${value} of ${count(maximum, 'point', points(maximum))}`;
}

/** "1 recommendation", "2 recommendations". */
export function count(number: number, noun: string, shown = String(number)): string {
  return `${shown} ${noun}${number === 1 ? '' : 's'}`;
}

const NUMERALS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** "one" to "nine", then digits, for counts in sentences. */
export function numeral(number: number): string {
  return NUMERALS[number - 1] ?? String(number);
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "a, b and c". */
export function listing(items: string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** A number of units of the last decimal: "0.8" for 8 units of one decimal. */
export function units(number: number, decimals: number): string {
  return rounded(number / 10 ** decimals, decimals);
}

/** The same with its sign: "+0.8", "−1.0", "±0.0". */
export function signedUnits(number: number, decimals: number): string {
  return signed(number / 10 ** decimals, (magnitude) => rounded(magnitude, decimals));
}

/** A share of the score in percentage points: "−0.22"; more decimals where two would show a zero that is none. */
export function share(change: number): string {
  return signed(change, (magnitude) => rounded(magnitude, enoughDecimals(magnitude, 2)));
}

/** What is written of a date, as `en-GB` writes it. */
const FIELDS = {
  shortDay: { day: 'numeric', month: 'short' },
  day: { day: 'numeric', month: 'short', year: 'numeric' },
  time: { hour: '2-digit', minute: '2-digit' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

type Fields = keyof typeof FIELDS;

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec'.split(' ');

/** Most dates are days of UTC, which need no time zones: the first format of a process takes 12 ms. */
const IN_UTC: Record<Fields, (at: Date) => string> = {
  shortDay: (at) => `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]!}`,
  day: (at) => `${IN_UTC.shortDay(at)} ${at.getUTCFullYear()}`,
  // From the end, because years beyond 9999 have more digits.
  time: (at) => at.toISOString().slice(-13, -8),
};

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string, fields: Fields): Intl.DateTimeFormat {
  const key = `${timeZone} ${fields}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat('en-GB', { timeZone, ...FIELDS[fields] });
  formats.set(key, format);
  return format;
}

/** @throws RangeError for what is no date */
function written(date: string, timeZone: string, fields: Fields): string {
  const at = new Date(date);
  if (Number.isNaN(at.getTime())) throw new RangeError(`${date} is no date`);
  return timeZone === 'UTC' ? IN_UTC[fields](at) : formatOf(timeZone, fields).format(at);
}

/** Whether this runtime knows it. */
export function isTimeZone(timeZone: string): boolean {
  try {
    return timeZone === 'UTC' || formatOf(timeZone, 'day') !== undefined;
  } catch {
    return false;
  }
}

/** "9 Jan 2026", of yyyy-mm-dd (a snapshot's day is one of UTC, wherever the tenant is) or a moment there. */
export function day(date: string, timeZone = 'UTC'): string {
  return written(date, timeZone, 'day');
}

/** "9 Jan". */
export function shortDay(date: string, timeZone = 'UTC'): string {
  return written(date, timeZone, 'shortDay');
}

/** "9 Jan 2026, 07:00 UTC", "9 Jan 2026, 08:00 (Europe/Budapest)". */
export function moment(date: string, timeZone = 'UTC'): string {
  const text = `${written(date, timeZone, 'day')}, ${written(date, timeZone, 'time')}`;
  return timeZone === 'UTC' ? `${text} UTC` : `${text} (${timeZone})`;
}

/** "from 07:00 to 09:12 on 9 Jan 2026 (UTC)", of two moments of one day; else "from 9 Jan 2026 to 12 Jan 2026". */
export function span(from: string, to: string, timeZone = 'UTC'): string {
  const isMoment = from.includes('T') && to.includes('T');
  const zone = isMoment ? timeZone : 'UTC';
  const [first, last] = [day(from, zone), day(to, zone)];
  if (!isMoment || first !== last) return `from ${first} to ${last}`;
  return `from ${written(from, zone, 'time')} to ${written(to, zone, 'time')} on ${first} (${zone})`;
}

/** Whole days of the calendar from one date to a later one; NaN where one is no date. */
export function daysBetween(from: string, to: string): number {
  return (Date.parse(to.slice(0, 10)) - Date.parse(from.slice(0, 10))) / 86_400_000;
}

function rounded(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', MINUS);
}

function signed(change: number, magnitude: (value: number) => string): string {
  if (Math.abs(change) < NOISE) return `±${magnitude(0)}`;
  return (change < 0 ? MINUS : '+') + magnitude(Math.abs(change));
}

/** The fewest decimals, from `fewest` on, that show a number other than 0 as such. */
function enoughDecimals(magnitude: number, fewest: number): number {
  for (let decimals = fewest; decimals < 6; decimals += 1) {
    if (magnitude === 0 || Number(magnitude.toFixed(decimals)) !== 0) return decimals;
  }
  return fewest;
}

/** Two different numbers, never written alike. */
function distinct(before: number, after: number): [string, string] {
  for (let decimals = 2; decimals < 6; decimals += 1) {
    const texts: [string, string] = [points(before, decimals), points(after, decimals)];
    if (texts[0] !== texts[1]) return texts;
  }
  return [points(before), points(after)];
}
