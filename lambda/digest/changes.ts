import type { DigestChange, Many, TenantAccount } from '../report/digest-model.ts';
import type { ConfirmedDrop, Report, ReportedChange } from '../report/model.ts';
import type { ChangeKind } from '../score/change.ts';
import { NOISE } from '../report/format.ts';

/** Combines the changes that the reports of tenants contain for a period. Pure. */

/** Changes by Microsoft are grouped over tenants, however few they are. */
const BY_MICROSOFT = new Set<ChangeKind>(['new', 'removed', 're-scored', 'services']);
const LISTED = new Set<ChangeKind>([...BY_MICROSOFT, 'lost', 'gained', 'decided']);

/** A change at a twentieth of the tenants, but at least three, is common. */
const MANY = { share: 1 / 20, least: 3 };

/**
 * The reported changes after `from` up to `to` (yyyy-mm-dd), one row for each recommendation and kind. A recommendation
 * that fell and rose within the period has one row with the remaining difference, or none if nothing remains.
 */
export function changesBetween(reports: Report[], from: string, to: string): DigestChange[] {
  const isCovered = (date: string | undefined) => date !== undefined && date > from && date <= to;
  const rows = reports
    .flatMap((report) => [
      // The report of several days may end after the period.
      ...report.days.flatMap(({ date, changes }) =>
        isCovered(date) ? changes.filter((change) => isListed(change, changes)).map(rowOf) : [],
      ),
      ...(isCovered(report.to?.date) ? report.confirmed.map(confirmedRow) : []),
    ])
    .toSorted((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
  const groups = Map.groupBy(rows, ({ kind, control, title }) =>
    JSON.stringify([isMove(kind) ? 'moved' : kind, control ?? title]),
  );
  return [...groups.values()].flatMap((group) => together(group) ?? []);
}

type Advice = Pick<DigestChange, 'remediation' | 'remediationLinks'>;

/** A drop of an earlier day, perhaps of an earlier digest, that is reported now. */
function confirmedRow(drop: ConfirmedDrop): DigestChange {
  const { control, title, category, date, points, maximum, percentagePoints } = drop;
  return {
    kind: 'lost',
    control,
    title,
    category,
    since: date,
    date,
    points,
    maximum,
    percentagePoints,
    cause: 'earned',
    decision: null,
    ...adviceOf(drop),
    actionUrl: drop.actionUrl,
  };
}

/** What to do, and its links. */
function adviceOf(row: Advice | undefined): Advice {
  const { remediation = null, remediationLinks } = row ?? {};
  return { remediation, ...(remediationLinks && { remediationLinks }) };
}

/** False for a gain that a decision brought about, because the row of the decision shows it. */
function isListed(change: ReportedChange, siblings: ReportedChange[]): boolean {
  if (change.fate !== 'told' || !LISTED.has(change.kind)) return false;
  return !(
    isMove(change.kind) &&
    siblings.some(({ control, cause }) => control === change.control && cause === 'decided')
  );
}

function rowOf(change: ReportedChange): DigestChange {
  const { kind, control, title, category, date, maximum, cause, decision, actionUrl } = change;
  // Small moves that have added up are reported with their sum.
  const { points, percentagePoints } = change.addedUp ?? change;
  return {
    kind,
    control,
    title,
    category,
    since: change.addedUp?.since ?? date,
    date,
    points,
    maximum,
    percentagePoints,
    cause: isMove(kind) && change.addedUp ? 'earned' : cause,
    decision,
    ...adviceOf(kind === 'lost' ? change : undefined),
    actionUrl,
  };
}

function isMove(kind: ChangeKind): boolean {
  return kind === 'lost' || kind === 'gained';
}

/** @param rows of one recommendation, by day. @returns null if their moves cancel out */
function together(rows: DigestChange[]): DigestChange | null {
  const [first, last] = [rows[0]!, rows.at(-1)!];
  const whole: DigestChange = {
    ...last,
    since: first.since,
    points: { before: first.points.before, after: last.points.after },
    maximum: { before: first.maximum.before, after: last.maximum.after },
    percentagePoints: rows.reduce((sum, row) => sum + row.percentagePoints, 0),
    cause: rows.find(({ cause }) => cause !== null)?.cause ?? null,
    ...adviceOf(rows.findLast(({ remediation }) => remediation !== null)),
  };
  if (!isMove(whole.kind)) return whole;
  const moved = (whole.points.after ?? 0) - (whole.points.before ?? 0);
  const net = Math.abs(whole.percentagePoints) > NOISE ? whole.percentagePoints : moved;
  if (Math.abs(net) <= NOISE) return null;
  return { ...whole, kind: net < 0 ? 'lost' : 'gained' };
}

/** The number of tenants from which on a change is common. */
function manyOf(tenants: number): number {
  return Math.max(MANY.least, Math.ceil(tenants * MANY.share));
}

/** The changes that are common to many tenants, and all changes by Microsoft: each once, most tenants first. */
export function manyIn(tenants: TenantAccount[]): Many[] {
  const rows = tenants.flatMap(({ tenantId, name, changes }) =>
    changes.map((change) => ({ tenantId, name, change })),
  );
  const groups = Map.groupBy(rows, ({ change: { kind, control, title } }) =>
    JSON.stringify([kind, control ?? title]),
  );
  return [...groups.values()]
    .filter(
      (group) =>
        BY_MICROSOFT.has(group[0]!.change.kind) ||
        (isMove(group[0]!.change.kind) && group.length >= manyOf(tenants.length)),
    )
    .map((group): Many => {
      const { kind, control } = group[0]!.change;
      const [most] = group.toSorted(
        (a, b) => Math.abs(b.change.percentagePoints) - Math.abs(a.change.percentagePoints),
      );
      return {
        kind,
        control,
        title: commonest(group.map(({ change }) => change.title)),
        category: group[0]!.change.category,
        tenantIds: group.map(({ tenantId }) => tenantId),
        percentagePoints: group.reduce((sum, { change }) => sum + change.percentagePoints, 0),
        most: most
          ? { tenantId: most.tenantId, name: most.name, percentagePoints: most.change.percentagePoints }
          : null,
        ...adviceOf(group.find(({ change }) => change.remediation !== null)?.change),
        actionUrl: group.length === 1 ? group[0]!.change.actionUrl : null,
      };
    })
    .toSorted(
      (a, b) =>
        b.tenantIds.length - a.tenantIds.length ||
        Math.abs(b.percentagePoints) - Math.abs(a.percentagePoints) ||
        (a.title < b.title ? -1 : 1),
    );
}

/** The most frequent title is used, because tenants see different versions of the catalogue for some days. */
function commonest(titles: string[]): string {
  const [[title] = ['']] = [...Map.groupBy(titles, (each) => each)].toSorted(
    ([, a], [, b]) => b.length - a.length,
  );
  return title;
}
