import { csvOf, rounded } from './csv.ts';
import type { DigestReport } from './digest-model.ts';
import type { ScoreLine } from './model.ts';

/** The lists of a digest, as a spreadsheet reads them: see `changesCsv`. */

/** One row a tenant, with its account. */
export const TENANTS_NAME = 'tenants.csv';

/** Mailboxes refuse large files. */
const MOST_ROWS = 20_000;

/** Every change of every tenant, a row a recommendation and kind over the whole period. */
export function digestChangesCsv({ tenants }: DigestReport): string {
  const rows = tenants.flatMap(({ tenantId, name, changes }) =>
    changes.map((change) => [
      name,
      tenantId,
      change.kind,
      change.title,
      change.control,
      change.category,
      change.since,
      change.date,
      change.points.before,
      change.points.after,
      change.maximum.before,
      change.maximum.after,
      rounded(change.percentagePoints),
      change.cause,
      change.decision?.state ?? null,
      change.decision?.by ?? null,
      change.decision?.comment ?? null,
      change.remediation,
      change.actionUrl,
    ]),
  );
  const more = rows.length - MOST_ROWS;
  return csvOf([
    [
      'Tenant',
      'Tenant id',
      'Kind',
      'Recommendation',
      'Control',
      'Category',
      'First day',
      'Last day',
      'Points before',
      'Points after',
      'Maximum before',
      'Maximum after',
      'Percentage points',
      'Cause',
      'Decision',
      'Decided by',
      'Comment',
      'What to do',
      'Link',
    ],
    ...rows.slice(0, MOST_ROWS),
    ...(more > 0 ? [[`and ${more} more, in the archived report`]] : []),
  ]);
}

/** Every tenant, with what moved it; the parts add up to the change. */
export function digestTenantsCsv({ tenants, attention }: DigestReport): string {
  const needs = Map.groupBy(attention, ({ tenantId }) => tenantId);
  const percentage = (score: ScoreLine | null) =>
    score?.percentage == null ? null : rounded(score.percentage);
  return csvOf([
    [
      'Tenant',
      'Tenant id',
      'Day before',
      'Score before',
      'Day',
      'Score',
      'Change',
      'Lost here',
      'Gained here',
      'Other here',
      'By Microsoft',
      'By decisions',
      'Not explained',
      'New days',
      'Added',
      'Needs attention',
    ],
    ...tenants.map(({ tenantId, name, before, after, account, days, isNew }) => [
      name,
      tenantId,
      before?.date ?? null,
      percentage(before),
      after?.date ?? null,
      percentage(after),
      ...(account
        ? [
            account.change,
            account.lost,
            account.gained,
            account.other,
            account.rescored,
            account.decided,
            account.unexplained,
          ].map(rounded)
        : Array.from({ length: 7 }, () => null)),
      days,
      isNew ? 'yes' : null,
      (needs.get(tenantId) ?? []).map(({ kind }) => kind).join(', ') || null,
    ]),
  ]);
}
