/** Days are yyyy-mm-dd in UTC, as Graph dates its snapshots. */

const DAY_MS = 24 * 3_600_000;

export function dateOf(instant: Date): string {
  return instant.toISOString().slice(0, 10);
}

/** @param days may be negative */
export function addDays(date: string, days: number): string {
  return dateOf(new Date(Date.parse(date) + days * DAY_MS));
}

/** The number of days from `earlier` to `later`; negative if `later` is the earlier one. */
export function daysBetween(earlier: string, later: string): number {
  return Math.round((Date.parse(later) - Date.parse(earlier)) / DAY_MS);
}
