import { dateOf } from '../../lambda/dates.ts';
import { quote } from '../../lambda/errors.ts';
import { UsageError } from './exit.ts';

/**
 * @param written a day, month or year as a person writes it: 2026-11-01, 2026-11, 2026
 * @returns its first or last day (yyyy-mm-dd)
 * @throws UsageError
 */
export function dayOf(flag: 'from' | 'to', written: string): string {
  const [, year, month, day] = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(written) ?? [];
  const wrong = new UsageError(`--${flag} must be a day like 2026-01-31, not ${quote(written)}.`);
  if (year === undefined) throw wrong;
  const first = `${year}-${month ?? (flag === 'from' ? '01' : '12')}-${day ?? '01'}`;
  const start = new Date(`${first}T00:00:00Z`);
  // JavaScript reads 31 February as 3 March.
  if (Number.isNaN(start.getTime()) || dateOf(start) !== first) throw wrong;
  if (day !== undefined || flag === 'from') return first;
  return dateOf(new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 0)));
}
