import { roundTogether } from '../../lambda/report/rounding.ts';
import {
  standingOf,
  WINDOW,
  type Fleet,
  type FleetControl,
  type FleetEvent,
  type FleetStanding,
  type FleetTenant,
  type WireStandings,
} from './fleet-wire.ts';
import { containsAll, type Account } from './model.ts';

/** What the page works out of a fleet. Pure: no document, no clock. Shares in percentage points. */

export const FLEET_PERIODS = [
  { name: '1d', days: 1, label: '1 day' },
  { name: '7d', days: 7, label: '7 days' },
  { name: '30d', days: 30, label: '30 days' },
  { name: '90d', days: WINDOW, label: '90 days' },
] as const;

/** @param period a name; anything else is 30 days */
export function fleetDays(period: string | null): number {
  return FLEET_PERIODS.find(({ name }) => name === period)?.days ?? 30;
}

/** Days without a snapshot after which a tenant is silent. */
const SILENT_AFTER = 3;

/** A tenant as the fleet lists it, over some days. */
export interface FleetRow {
  tenant: FleetTenant;
  /** Per cent on its newest day; null where it has none. */
  percentage: number | null;
  /** How it moved, in tenths of a percentage point that add up as printed; null where a side is unknown. */
  account: Account | null;
  /** The same, unrounded. */
  exact: Account | null;
  /** The day that it moved from, since 1970-01-01. */
  since: number | null;
  /** What cost most of all that was lost; null: nothing was. */
  loss: { control: FleetControl | null; share: number } | null;
  /** The sum of what was lost here; 0 or less. */
  lost: number;
  /** Days between its newest snapshot and the day on which the page was made; null: it has none. */
  age: number | null;
}

/** @param days the length of the period, up to WINDOW */
export function fleetRows(fleet: Fleet, days: number): FleetRow[] {
  const made = Math.round(Date.parse(fleet.made) / 86_400_000);
  return fleet.tenants.map((tenant): FleetRow => {
    const percentage = tenant.maximum > 0 ? (100 * tenant.points) / tenant.maximum : null;
    const start = startOf(tenant, fleet.last, days);
    const events = start === null ? [] : tenant.events.filter(({ day }) => day > start.day);
    const losses = events.filter(({ kind, share }) => kind === 'lost' && share < 0);
    const largest = losses.reduce<FleetEvent | null>(
      (most, event) => (most === null || event.share < most.share ? event : most),
      null,
    );
    const exact = start === null ? null : exactAccount(tenant, start.value, events);
    return {
      tenant,
      percentage: tenant.latest === null ? null : percentage,
      exact,
      account: exact && printed(exact),
      since: start?.day ?? null,
      loss: largest && {
        control: largest.control === null ? null : fleet.controls[largest.control]!,
        share: largest.share,
      },
      lost: losses.reduce((sum, { share }) => sum + share, 0),
      age: tenant.latest === null ? null : made - tenant.latest,
    };
  });
}

export function isSilent({ age }: FleetRow): boolean {
  return age === null || age > SILENT_AFTER;
}

/** What was in force when the period began; of a tenant that began within it, its first day. */
function startOf(tenant: FleetTenant, last: number, days: number): { day: number; value: number } | null {
  const begin = last - WINDOW;
  const slot = WINDOW - days;
  const before = tenant.line.findLastIndex((value, place) => place <= slot && value !== null);
  const at = before === -1 ? tenant.line.findIndex((value) => value !== null) : before;
  if (at === -1) return null;
  // What counts is what happened after the period's first day, even if it had no snapshot of its own.
  return { day: before === -1 ? begin + at : last - days, value: tenant.line[at]! };
}

function exactAccount(tenant: FleetTenant, from: number, events: FleetEvent[]): Account | null {
  const to = tenant.line.findLast((value) => value !== null);
  if (to === undefined || to === null) return null;
  const sum = (cause: FleetEvent['cause']) =>
    events.reduce((all, event) => (event.cause === cause ? all + event.share : all), 0);
  const [earned, rescored, decided] = [sum('earned'), sum('rescored'), sum('decided')];
  const total = to - from;
  return { total, earned, rescored, decided, unexplained: total - earned - rescored - decided };
}

/** As printed: in tenths that add up. */
function printed({ total, earned, rescored, decided, unexplained }: Account): Account {
  const rounded = roundTogether([earned, rescored, decided, unexplained], total, 1);
  const [ofEarned = 0, ofRescored = 0, ofDecided = 0, rest = 0] = rounded.parts;
  return {
    total: rounded.total,
    earned: ofEarned,
    rescored: ofRescored,
    decided: ofDecided,
    unexplained: rest,
  };
}

/** The fleet in a few figures. */
export interface FleetSummary {
  /** Of the scores, per cent; null where no tenant has one. */
  median: number | null;
  /** On average of the tenants that moved from somewhere, in tenths that add up as printed. */
  account: Account | null;
  /** The number of tenants whose score is higher, lower, the same by what is printed. */
  higher: number;
  lower: number;
  same: number;
  /** That lost something here. */
  lost: number;
  silent: number;
}

export function fleetSummary(rows: FleetRow[]): FleetSummary {
  const exact = rows.flatMap((row) => row.exact ?? []);
  const average = (part: keyof Account) =>
    exact.reduce((sum, account) => sum + account[part], 0) / exact.length;
  const totals = rows.flatMap(({ account }) => account?.total ?? []);
  return {
    median: quantile(
      rows.flatMap(({ percentage }) => percentage ?? []),
      0.5,
    ),
    account:
      exact.length === 0
        ? null
        : printed({
            total: average('total'),
            earned: average('earned'),
            rescored: average('rescored'),
            decided: average('decided'),
            unexplained: average('unexplained'),
          }),
    higher: totals.filter((total) => total > 0).length,
    lower: totals.filter((total) => total < 0).length,
    same: totals.filter((total) => total === 0).length,
    lost: rows.filter(({ lost }) => lost < 0).length,
    silent: rows.filter(isSilent).length,
  };
}

/** How the scores of all tenants lie on each day of the window: the middle half of them, and the median. */
export function bandOf(fleet: Fleet): {
  low: (number | null)[];
  median: (number | null)[];
  high: (number | null)[];
} {
  const now = fleet.tenants.map((): number | null => null);
  const band = {
    low: [] as (number | null)[],
    median: [] as (number | null)[],
    high: [] as (number | null)[],
  };
  for (let slot = 0; slot <= WINDOW; slot += 1) {
    for (const [place, { line }] of fleet.tenants.entries()) now[place] = line[slot] ?? now[place]!;
    const values = now.filter((value) => value !== null).toSorted((a, b) => a - b);
    band.low.push(sortedQuantile(values, 0.25));
    band.median.push(sortedQuantile(values, 0.5));
    band.high.push(sortedQuantile(values, 0.75));
  }
  return band;
}

/** Between two values in proportion; null of none. */
export function quantile(values: number[], part: number): number | null {
  return sortedQuantile(
    values.toSorted((a, b) => a - b),
    part,
  );
}

function sortedQuantile(values: number[], part: number): number | null {
  if (values.length === 0) return null;
  const at = part * (values.length - 1);
  const [low, high] = [values[Math.floor(at)]!, values[Math.ceil(at)]!];
  return low + (high - low) * (at - Math.floor(at));
}

/** What happened to a recommendation in many tenants. */
export interface Spread {
  control: FleetControl | null;
  kind: FleetEvent['kind'];
  /** Of each tenant the sum of its shares; by place. */
  tenants: Map<number, number>;
  /** Of the shares of those tenants. */
  average: number;
  /** Days, since 1970-01-01. */
  from: number;
  to: number;
}

const MICROSOFT = new Set<string>(['new', 'removed', 're-scored']);

/** What Microsoft did in a period: what happened to most tenants first. */
export function microsoftOf(fleet: Fleet, days: number): Spread[] {
  return spreadOf(fleet, days, ({ kind }) => MICROSOFT.has(kind));
}

/** What was lost, by recommendation. */
export function lossesOf(fleet: Fleet, days: number): Spread[] {
  return spreadOf(fleet, days, ({ kind, share }) => kind === 'lost' && share <= 0);
}

function spreadOf(fleet: Fleet, days: number, isMeant: (event: FleetEvent) => boolean): Spread[] {
  const spreads = new Map<string, Spread>();
  for (const { place, events } of fleet.tenants) {
    for (const event of events) {
      if (event.day <= fleet.last - days || !isMeant(event)) continue;
      const key = `${event.control} ${event.kind}`;
      let spread = spreads.get(key);
      if (!spread) {
        const control = event.control === null ? null : fleet.controls[event.control]!;
        spread = {
          control,
          kind: event.kind,
          tenants: new Map(),
          average: 0,
          from: event.day,
          to: event.day,
        };
        spreads.set(key, spread);
      }
      spread.tenants.set(place, (spread.tenants.get(place) ?? 0) + event.share);
      spread.from = Math.min(spread.from, event.day);
      spread.to = Math.max(spread.to, event.day);
    }
  }
  for (const spread of spreads.values()) {
    const shares = [...spread.tenants.values()];
    spread.average = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }
  return [...spreads.values()].toSorted((a, b) => b.tenants.size - a.tenants.size || a.average - b.average);
}

/** A recommendation over all tenants. */
export interface FleetRecommendation {
  control: FleetControl;
  /** The number of tenants that it applies to, that have all its points, and that do not; unknown maximum: in neither. */
  applies: number;
  full: number;
  open: number;
  /** That lost points of it in the period. */
  lost: number;
  /** Points still to be earned, of all tenants. */
  missing: number;
}

export function recommendationsOf(
  fleet: Fleet,
  standings: WireStandings,
  days: number,
): FleetRecommendation[] {
  const losses = new Map(lossesOf(fleet, days).map(({ control, tenants }) => [control?.place, tenants.size]));
  const all = fleet.controls.map((control): FleetRecommendation => {
    const lost = losses.get(control.place) ?? 0;
    return { control, applies: 0, full: 0, open: 0, lost, missing: 0 };
  });
  for (const which of standings.tenants) {
    for (const [control, standing] of which.entries()) {
      if (standing < 0) continue;
      const row = all[control]!;
      row.applies += 1;
      const maximum = standings.maximum[standing] ?? null;
      if (maximum === null) continue;
      const missing = maximum - standings.points[standing]!;
      if (missing > EPSILON) {
        row.open += 1;
        row.missing += missing;
      } else row.full += 1;
    }
  }
  return all;
}

/** Points differ by less than this only through rounding. */
const EPSILON = 0.005;

/** How one recommendation stands in one tenant, and what became of it in a period. */
export interface Holder {
  tenant: FleetTenant;
  /** Null: it is not there. */
  standing: FleetStanding | null;
  /** Null: the maximum is unknown, or it is not there. */
  missing: number | null;
  /** Of the period, newest first. */
  losses: FleetEvent[];
  /** The sum of what the losses cost. */
  lost: number;
}

/** Every tenant that has a recommendation, or lost points of it. */
export function holdersOf(
  fleet: Fleet,
  standings: WireStandings,
  control: FleetControl,
  days: number,
): Holder[] {
  return fleet.tenants.flatMap((tenant): Holder[] => {
    const standing = standingOf(standings, tenant.place, control.place);
    const losses = tenant.events
      .filter(
        ({ kind, control: of, day }) => kind === 'lost' && of === control.place && day > fleet.last - days,
      )
      .toReversed();
    if (standing === null && losses.length === 0) return [];
    const missing =
      standing === null || standing.maximum === null ? null : Math.max(0, standing.maximum - standing.points);
    return [{ tenant, standing, missing, losses, lost: losses.reduce((sum, { share }) => sum + share, 0) }];
  });
}

export interface FleetFilter {
  /** See `isFound`. */
  search: string;
  tag: string | null;
  state: string | null;
}

/** Whether each word occurs in name or tags, or the id begins so: in the middle of ids every number occurs. */
export function isFound(
  { name, id, tags }: Pick<FleetTenant, 'name' | 'id' | 'tags'>,
  search: string,
): boolean {
  const start = search.trim().toLocaleLowerCase('en');
  return (
    (start.length >= 4 && id.startsWith(start)) ||
    containsAll([name, ...tags.map((each) => `#${each}`)], search)
  );
}

export function matchesTenant(row: FleetRow, { search, tag, state }: FleetFilter): boolean {
  const { name, id, tags } = row.tenant;
  if (tag !== null && !tags.includes(tag)) return false;
  if (state === 'lost' && row.lost >= 0) return false;
  if (state === 'higher' && (row.account?.total ?? 0) <= 0) return false;
  if (state === 'lower' && (row.account?.total ?? 0) >= 0) return false;
  if (state === 'silent' && !isSilent(row)) return false;
  return isFound({ name, id, tags }, search);
}

/** Tags and the number of tenants of each, most first. */
export function tagsOf(fleet: Fleet): [tag: string, tenants: number][] {
  const numbers = new Map<string, number>();
  for (const tag of fleet.tenants.flatMap(({ tags }) => tags)) numbers.set(tag, (numbers.get(tag) ?? 0) + 1);
  return [...numbers].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}
