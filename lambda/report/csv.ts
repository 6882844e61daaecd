import type { Fate } from '../score/settle.ts';
import type { Report } from './model.ts';

/** The list of all changes, for what a mail has no room for. */
export const LIST_NAME = 'changes.csv';

const COLUMNS = [
  'Day',
  'Day before',
  'Kind',
  'Recommendation',
  'Control',
  'Former control',
  'Category',
  'Service',
  'Tier',
  'Points before',
  'Points after',
  'Maximum before',
  'Maximum after',
  'Percentage points',
  'With earlier days',
  'Cause',
  'What became of it',
  'Status before',
  'Status after',
  'Decision',
  'Decided by',
  'Decided at',
  'Comment',
  'Source synced',
  'Effort',
  'User impact',
  'What to do',
  'Link',
] as const;

/** What became of a change, for people; reports store shorter words. */
const FATES: Record<Fate, string> = {
  told: 'reported',
  waiting: 'pending',
  healing: 'recovering',
  silenced: 'below the minimum',
  muted: 'muted',
  folded: 'too small to list',
};

/**
 * Every change of a report, listed in the mail or not, as a spreadsheet reads it: RFC 4180, UTF-8 with its mark (without it Excel
 * takes the bytes for Windows-1252).
 * "Percentage points" are those of the row's day: added up they are how far the score moved on the days listed. What a
 * reported move has come to over several days, some of them perhaps in an earlier list, is a column of its own.
 */
export function changesCsv(report: Report): string {
  const rows = report.days
    .flatMap(({ changes }) => changes)
    .map((change) => [
      change.date,
      change.previousDate,
      change.kind,
      change.title,
      change.control,
      change.previousControl,
      change.category,
      change.service,
      change.tier,
      change.points.before,
      change.points.after,
      change.maximum.before,
      change.maximum.after,
      rounded(change.percentagePoints),
      change.addedUp ? rounded(change.addedUp.percentagePoints) : null,
      change.cause,
      FATES[change.fate],
      change.status?.before ?? null,
      change.status?.after ?? null,
      change.decision?.state ?? null,
      change.decision?.by ?? null,
      change.decision?.at ?? null,
      change.decision?.comment ?? null,
      change.lastSynced,
      change.implementationCost,
      change.userImpact,
      change.remediation,
      change.actionUrl,
    ]);
  const confirmed = report.confirmed.map((drop) => [
    drop.date,
    drop.previousDate,
    'lost',
    drop.title,
    drop.control,
    null,
    drop.category,
    null,
    null,
    drop.points.before,
    drop.points.after,
    drop.maximum.before,
    drop.maximum.after,
    // The rows of the days on which it fell have them.
    null,
    rounded(drop.percentagePoints),
    'earned',
    'confirmed',
    ...Array.from({ length: COLUMNS.length - 19 }, () => null),
    drop.remediation,
    drop.actionUrl,
  ]);
  return csvOf([[...COLUMNS], ...rows, ...confirmed]);
}

/** @param rows the names of the columns first */
export function csvOf(rows: (string | number | null)[][]): string {
  return `\uFEFF${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** Percentage points to six decimals. */
export function rounded(percentagePoints: number): number {
  return Math.round(1e6 * percentagePoints) / 1e6 + 0;
}

/**
 * A text that a spreadsheet would take for a formula starts with an apostrophe; numbers are left alone.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(value) ? `'${value}` : value;
  return /[",\r\n;]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
