import type { DigestChange, Many, TenantAccount } from '../report/digest-model.ts';
import type { ConfirmedDrop, Report, ReportedChange } from '../report/model.ts';
import type { ChangeKind } from '../score/change.ts';
import { NOISE } from '../report/format.ts';

/** What the reports of tenants hold of a period, put together. Pure. */

/** Microsoft's doing: grouped over tenants, however few they are. */
const BY_MICROSOFT = new Set<ChangeKind>(['new', 'removed', 're-scored', 'services']);
const LISTED = new Set<ChangeKind>([...BY_MICROSOFT, 'lost', 'gained', 'decided']);

/** A twentieth of the tenants, and three at least, are many. */
const MANY = { share: 1 / 20, least: 3 };

/**
 * The reported changes after `from` up to `to` (yyyy-mm-dd), a row a recommendation and kind. What fell and rose within
 * the period is one row by what is left of it, and none where nothing is.
 */
export function changesBetween(reports: Report[], from: string, to: string): DigestChange[] {
  const isCovered = (date: string | undefined) => date !== undefined && date > from && date <= to;
  const rows = reports
    .flatMap((report) =>
      isCovered(report.to?.date)
        ? [
            ...report.days.flatMap(({ date, changes }) =>
              isCovered(date) ? changes.filter((change) => isListed(change, changes)).map(rowOf) : [],
            ),
            ...report.confirmed.map(confirmedRow),
          ]
        : [],
    )
    .toSorted((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
  const groups = Map.groupBy(rows, ({ kind, control, title }) =>
    JSON.stringify([isMove(kind) ? 'moved' : kind, control ?? title]),
  );
  return [...groups.values()].flatMap((group) => together(group) ?? []);
}

/** A drop of an earlier day, perhaps of an earlier digest, that is reported now. */
function confirmedRow(drop: ConfirmedDrop): DigestChange {
  const { control, title, category, date, points, maximum, percentagePoints } = drop;
  const { remediation, actionUrl } = drop;
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
    remediation,
    actionUrl,
  };
}

/** A gain that a decision brought about is the decision's. */
function isListed(change: ReportedChange, siblings: ReportedChange[]): boolean {
  if (change.fate !== 'told' || !LISTED.has(change.kind)) return false;
  return !(
    isMove(change.kind) &&
    siblings.some(({ control, cause }) => control === change.control && cause === 'decided')
  );
}

function rowOf(change: ReportedChange): DigestChange {
  const { kind, control, title, category, date, maximum, cause, decision, actionUrl } = change;
  // Small moves that have added up are reported as all that they came to.
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
    remediation: kind === 'lost' ? change.remediation : null,
    actionUrl,
  };
}

function isMove(kind: ChangeKind): boolean {
  return kind === 'lost' || kind === 'gained';
}

/** @param rows of one recommendation, by day; null where nothing is left of what they moved */
function together(rows: DigestChange[]): DigestChange | null {
  const [first, last] = [rows[0]!, rows.at(-1)!];
  const whole: DigestChange = {
    ...last,
    since: first.since,
    points: { before: first.points.before, after: last.points.after },
    maximum: { before: first.maximum.before, after: last.maximum.after },
    percentagePoints: rows.reduce((sum, row) => sum + row.percentagePoints, 0),
    cause: rows.find(({ cause }) => cause !== null)?.cause ?? null,
    remediation: rows.find(({ remediation }) => remediation !== null)?.remediation ?? null,
  };
  if (!isMove(whole.kind)) return whole;
  const moved = (whole.points.after ?? 0) - (whole.points.before ?? 0);
  const net = Math.abs(whole.percentagePoints) > NOISE ? whole.percentagePoints : moved;
  if (Math.abs(net) <= NOISE) return null;
  return { ...whole, kind: net < 0 ? 'lost' : 'gained' };
}

/** How many tenants are many, of all of them. */
function manyOf(tenants: number): number {
  return Math.max(MANY.least, Math.ceil(tenants * MANY.share));
}

/** What happened to many tenants, and whatever Microsoft did: once each, most tenants first. */
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
        remediation: group.find(({ change }) => change.remediation !== null)?.change.remediation ?? null,
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

/** Tenants see a catalogue in different versions for some days. */
function commonest(titles: string[]): string {
  const [[title] = ['']] = [...Map.groupBy(titles, (each) => each)].toSorted(
    ([, a], [, b]) => b.length - a.length,
  );
  return title;
}
