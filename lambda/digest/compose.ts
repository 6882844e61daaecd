import { addDays } from '../dates.ts';
import type { Attention, DigestReport, Every, Outlook } from '../report/digest-model.ts';
import { count, points } from '../report/format.ts';
import type { TrendDay } from '../report/model.ts';
import type { ScoreLine } from '../score/snapshot.ts';
import { fleetOf, fleetTrend } from './account.ts';
import { manyIn } from './changes.ts';
import type { tenantAccount } from './tenant.ts';

/** The number of unexplained percentage points of one tenant that merits a note. */
const UNEXPLAINED = 0.5;

/** The number of days in the chart. */
const TREND_DAYS = 90;

/** How long the score of a tenant that is gone is remembered: Graph has no more days to catch up on. */
const REMEMBERED_DAYS = 90;

/** Most urgent first. */
const ORDER: Attention['kind'][] = ['urgent', 'unreadable', 'overdue', 'failing', 'stale'];

/** One tenant, as it was read. */
export type Part = ReturnType<typeof tenantAccount> & { attention: Omit<Attention, 'isKnown'>[] };

type Digested = Record<string, { name: string; score: ScoreLine | null }>;

/** The facts that an earlier digest reported. */
export interface Reported {
  /** By id of the tenant: its name, and the score that was digested; null: it never had one. */
  tenants: Digested;
  /** Of tenants that an earlier digest had and that one did not. */
  gone?: Digested | undefined;
  /** Keys of what needed attention. */
  attention: string[];
}

/** The parts of a digest other than its tenants. */
export interface Frame {
  name: string;
  every: Every;
  timeZone: string;
  /** ISO 8601. */
  toldAt: string;
  outlook: Outlook | null;
}

/** Composes the digest of its tenants. Pure. @param reported null if there was no digest yet */
export function compose(parts: Part[], reported: Reported | null, frame: Frame): DigestReport {
  const tenants = parts.map(({ account }) => account).toSorted(byName);
  const compared = parts.filter(({ account }) => account.account !== null);
  const days = compared.map(({ account }) => ({ from: account.before!.date, to: account.after!.date }));
  const to =
    days
      .map((each) => each.to)
      .toSorted()
      .at(-1) ?? null;
  const known = new Set(reported?.attention);
  const ids = new Set(tenants.map(({ tenantId }) => tenantId));
  return {
    version: 1,
    kind: 'digest',
    name: frame.name,
    every: frame.every,
    toldAt: frame.toldAt,
    timeZone: frame.timeZone,
    from: days.map((each) => each.from).toSorted()[0] ?? null,
    to,
    fleet: fleetOf(tenants),
    tenants,
    attention: parts
      .flatMap(({ attention }) => attention)
      .map((each) => ({ ...each, isKnown: known.has(keyOfAttention(each)) }))
      .toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || byName(a, b)),
    many: manyIn(tenants),
    removed: Object.entries(reported?.tenants ?? {})
      .flatMap(([tenantId, { name }]) => (ids.has(tenantId) ? [] : [{ tenantId, name }]))
      .toSorted(byName),
    trend:
      to === null
        ? []
        : fleetTrend(
            compared.map(({ trend }) => trend),
            lastDays(compared, to),
          ),
    outlook: frame.outlook,
    notes: notesOf(parts),
  };
}

/** Notes on large unexplained changes, which come from days that are not all known, and on days before the first run. */
function notesOf(parts: Part[]): string[] {
  const older = parts.filter(({ isOlder }) => isOlder).length;
  return [
    ...parts
      .map(({ account }) => account)
      .filter(({ account }) => account !== null && Math.abs(account.unexplained) > UNEXPLAINED)
      .toSorted(byName)
      .map(
        ({ name, account }) =>
          `${name}: ${points(Math.abs(account!.unexplained))} percentage points are not explained by any recommendation.`,
      ),
    ...(older > 0
      ? [
          `Monitoring of ${count(older, 'tenant')} began within this period: earlier changes are in the sums, but in no list.`,
        ]
      : []),
  ];
}

function byName(a: { name: string; tenantId: string }, b: { name: string; tenantId: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : a.tenantId < b.tenantId ? -1 : 1;
}

function lastDays(parts: { trend: TrendDay[] }[], to: string): string[] {
  const first = addDays(to, 1 - TREND_DAYS);
  const dates = new Set(parts.flatMap(({ trend }) => trend.map(({ date }) => date)));
  return [...dates].filter((date) => date >= first && date <= to).toSorted();
}

/** True if there is anything that merits a daily digest. */
export function hasFindings({ tenants, attention, removed }: DigestReport): boolean {
  return (
    removed.length > 0 ||
    attention.some(({ kind, isKnown }) => kind === 'urgent' || !isKnown) ||
    tenants.some(({ isNew, after, changes }) => changes.length > 0 || (isNew && after !== null))
  );
}

/**
 * The facts that a digest has reported.
 * @param before the facts of the digest before, whose scores stay in force for tenants that cannot be read now
 */
export function reportedWith(digest: DigestReport, before: Reported | null): Reported {
  const tenants = digest.tenants.map(({ tenantId, name, after }) => {
    const score = after ?? (before?.tenants[tenantId] ?? before?.gone?.[tenantId])?.score ?? null;
    return [tenantId, { name, score }] as const;
  });
  const ids = new Set(digest.tenants.map(({ tenantId }) => tenantId));
  const oldest = addDays(digest.toldAt.slice(0, 10), -REMEMBERED_DAYS);
  const gone = Object.entries({ ...before?.gone, ...before?.tenants }).filter(
    ([tenantId, { score }]) => !ids.has(tenantId) && score !== null && score.date >= oldest,
  );
  return {
    tenants: Object.fromEntries(tenants),
    ...(gone.length > 0 && { gone: Object.fromEntries(gone) }),
    attention: digest.attention.flatMap((each) => (each.kind === 'urgent' ? [] : keyOfAttention(each))),
  };
}

/** The facts after a digest that had nothing to report: what has ended is reported again if it comes back. */
export function reportedStill({ attention }: DigestReport, before: Reported): Reported {
  const now = new Set(attention.map(keyOfAttention));
  return { ...before, attention: before.attention.filter((key) => now.has(key)) };
}

function keyOfAttention({ kind, tenantId }: Pick<Attention, 'kind' | 'tenantId'>): string {
  return `${kind} ${tenantId}`;
}
