import { distances, summed } from './wire.ts';

/** What the page carries of a fleet beside each tenant's own history, and how the page reads it. */

/** Days before the newest one, whose changes the fleet shows. */
export const WINDOW = 90;

/** What an event can be; the order is part of what pages carry. */
export const EVENT_KINDS = ['lost', 'gained', 'drift', 'new', 'removed', 're-scored', 'decided'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** The same of causes; the first one: it carries no share. */
const CAUSES = [null, 'earned', 'rescored', 'decided'] as const;
export type Cause = (typeof CAUSES)[number];

/** Percentages and shares are whole numbers: ten-thousandths. */
const FINE = 1e4;

export interface WireFleet {
  /** The day on which the page was made, yyyy-mm-dd. */
  made: string;
  /** Where the archive is, for people. */
  archive: string;
  /** The number of tenants of the archive that the config does not list. */
  leftOut: number;
  /** The newest day of all, since 1970-01-01. */
  last: number;
  /** Places in the catalogue's texts, a recommendation each. */
  controls: { name: number[]; title: number[]; category: number[]; service: number[] };
  tenants: {
    id: string[];
    name: string[];
    tags: string[][];
    /** Which of the histories is its own; -1: it has none. */
    history: number[];
    /** Since 1970-01-01; 0 where it has none. */
    first: number[];
    latest: number[];
    points: number[];
    maximum: number[];
    /**
     * From `last` − WINDOW to `last`, the distance to the value before it; null: no snapshot. The first one is what was
     * in force then, however old.
     */
    line: (number | null)[][];
    /** Places in `controls`. */
    muted: number[][];
    /** The number of events of each, which follow one another in `events`. */
    events: number[];
  };
  events: {
    /** Since 1970-01-01: a tenant's first, then the distance to each next. */
    day: number[];
    /** Place in EVENT_KINDS. */
    kind: number[];
    /** Place in `controls`; -1: none, as where a day's drift is summed. */
    control: number[];
    /** Place in CAUSES. */
    cause: number[];
    share: number[];
    pointsBefore: (number | null)[];
    pointsAfter: (number | null)[];
    maximumBefore: (number | null)[];
    maximumAfter: (number | null)[];
  };
}

/** How every recommendation stands in every tenant. Apart from the rest: it is read where somebody asks for it. */
export interface WireStandings {
  /** Each standing once. */
  points: number[];
  /** Null: unknown. */
  maximum: (number | null)[];
  /** State of the decision in force; null: none. */
  state: (string | null)[];
  /** Of each tenant, of each of `controls`: its standing; -1: it is not there. */
  tenants: number[][];
}

export interface Fleet {
  made: string;
  archive: string;
  leftOut: number;
  last: number;
  controls: FleetControl[];
  tenants: FleetTenant[];
}

export interface FleetControl {
  /** In `controls`. */
  place: number;
  name: string;
  title: string;
  category: string | null;
  service: string | null;
}

export interface FleetTenant {
  /** In `tenants`. */
  place: number;
  id: string;
  name: string;
  tags: string[];
  /** Which of the histories is its own; null: it has no snapshot yet. */
  history: number | null;
  /** Of its snapshots, since 1970-01-01; null where it has none. */
  first: number | null;
  latest: number | null;
  points: number;
  maximum: number;
  /** Per cent, a value a day of the window; null: no snapshot, or no percentage. The first is what was in force then. */
  line: (number | null)[];
  muted: ReadonlySet<number>;
  /** Of the window, ascending. */
  events: FleetEvent[];
}

export interface FleetEvent {
  /** Since 1970-01-01. */
  day: number;
  kind: EventKind;
  control: number | null;
  cause: Cause;
  /** Of the change of the score, in percentage points. */
  share: number;
  points: { before: number | null; after: number | null };
  maximum: { before: number | null; after: number | null };
}

/** Events as they are written: by columns. */
export function eventColumns(byTenant: FleetEvent[][]): WireFleet['events'] {
  const all = byTenant.flat();
  return {
    day: byTenant.flatMap((events) => distances(events.map(({ day }) => day))),
    kind: all.map(({ kind }) => EVENT_KINDS.indexOf(kind)),
    control: all.map(({ control }) => control ?? -1),
    cause: all.map(({ cause }) => CAUSES.indexOf(cause)),
    share: all.map(({ share }) => Math.round(FINE * share) || 0),
    pointsBefore: all.map(({ points }) => points.before),
    pointsAfter: all.map(({ points }) => points.after),
    maximumBefore: all.map(({ maximum }) => maximum.before),
    maximumAfter: all.map(({ maximum }) => maximum.after),
  };
}

/** A line as it is written. */
export function lineColumn(line: (number | null)[]): (number | null)[] {
  let before = 0;
  return line.map((value) => {
    if (value === null) return null;
    const fine = Math.round(FINE * value);
    const distance = fine - before;
    before = fine;
    return distance;
  });
}

/**
 * Reads what `FleetBuilder` (fleet-data.ts) wrote.
 * @param texts of the catalogue
 */
export function decodeFleet(wire: WireFleet, texts: readonly string[]): Fleet {
  const { controls, tenants, events } = wire;
  const textAt = (place: number) => texts[place] ?? null;
  let next = 0;
  return {
    made: wire.made,
    archive: wire.archive,
    leftOut: wire.leftOut,
    last: wire.last,
    controls: controls.name.map((name, place): FleetControl => {
      return {
        place,
        name: textAt(name) ?? '',
        title: textAt(controls.title[place]!) ?? '',
        category: textAt(controls.category[place]!),
        service: textAt(controls.service[place]!),
      };
    }),
    tenants: tenants.id.map((id, place): FleetTenant => {
      const from = next;
      next += tenants.events[place]!;
      const history = tenants.history[place]!;
      const hasNone = history < 0;
      return {
        place,
        id,
        name: tenants.name[place]!,
        tags: tenants.tags[place]!,
        history: hasNone ? null : history,
        first: hasNone ? null : tenants.first[place]!,
        latest: hasNone ? null : tenants.latest[place]!,
        points: tenants.points[place]!,
        maximum: tenants.maximum[place]!,
        line: lineOf(tenants.line[place]!),
        muted: new Set(tenants.muted[place]),
        events: summed(events.day.slice(from, next)).map((day, index): FleetEvent => {
          const at = from + index;
          const control = events.control[at]!;
          return {
            day,
            kind: EVENT_KINDS[events.kind[at]!] ?? 'drift',
            control: control < 0 ? null : control,
            cause: CAUSES[events.cause[at]!] ?? null,
            share: events.share[at]! / FINE,
            points: { before: events.pointsBefore[at]!, after: events.pointsAfter[at]! },
            maximum: { before: events.maximumBefore[at]!, after: events.maximumAfter[at]! },
          };
        }),
      };
    }),
  };
}

function lineOf(column: (number | null)[]): (number | null)[] {
  let sum = 0;
  return column.map((distance) => (distance === null ? null : (sum += distance) / FINE));
}

/** How a recommendation stands in a tenant. */
export interface FleetStanding {
  points: number;
  /** Null: unknown. */
  maximum: number | null;
  state: string | null;
}

/** @returns null where it is not there */
export function standingOf(standings: WireStandings, tenant: number, control: number): FleetStanding | null {
  const which = standings.tenants[tenant]?.[control] ?? -1;
  if (which < 0) return null;
  return {
    points: standings.points[which]!,
    maximum: standings.maximum[which] ?? null,
    state: standings.state[which] ?? null,
  };
}
