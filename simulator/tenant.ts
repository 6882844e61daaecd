import type { WireProfile, WireSecureScore } from './wire.ts';

/** The number of days that Graph has. */
export const DAYS_KEPT = 90;

/** A tenant as the two services see it. It has a calendar of its own, which a test moves on. */
export interface SimulatedTenant {
  /** Lower case. */
  readonly tenantId: string;
  /** yyyy-mm-dd. */
  readonly today: string;
  /** Moves today on by a number of days. */
  advance(days: number): void;
  /** What Graph knows about it today; valid for one answer. */
  read(): TenantReading;
}

export interface TenantReading {
  /** All days that were published until today and that Graph still has, newest first, yyyy-mm-dd. */
  dates: string[];
  /**
   * @param date one of `dates`
   * @param complete with its texts, syncs and counts, which Graph serves for only the newest day
   */
  secureScore(date: string, complete: boolean): WireSecureScore;
  profiles(): WireProfile[];
}

/** @returns the day that lies `days` after `date`, both yyyy-mm-dd. */
export function addDays(date: string, days: number): string {
  const time = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(time)) throw new RangeError(`"${date}" is not a date; expected yyyy-mm-dd`);
  return new Date(time + days * 86_400_000).toISOString().slice(0, 10);
}

/** The values that older entries lose altogether ("/ exposed devices"); other numbers become 0. */
const LOST = new Set(['state', 'exposed', 'devices']);

/**
 * Microsoft's status texts are templates: `{count} of {total} users`, `current status: {state}`. In an entry that is
 * not the newest the numbers are zero or missing, as the state is, and the text around them stays.
 */
export function fillStatus(template: string, values: Record<string, string | number> | null): string {
  return template.replaceAll(/\{(\w+)\}/g, (match, name: string) => {
    if (!values) return LOST.has(name) ? '' : '0';
    return String(values[name] ?? match);
  });
}
