import type { Catalogue, ChangeRow, TenantRows } from './data.ts';
import {
  EVENT_KINDS,
  eventColumns,
  lineColumn,
  WINDOW,
  type Cause,
  type EventKind,
  type FleetEvent,
  type WireFleet,
  type WireStandings,
} from './fleet-wire.ts';
import type { WireTenant } from './wire.ts';

/** A tenant as the fleet lists it. */
export interface Member {
  id: string;
  name: string;
  tags: string[];
}

/** What the page states about itself. */
export interface Origin {
  /** The day on which the page is made, yyyy-mm-dd. */
  made: string;
  /** Where the archive is, for people. */
  archive: string;
  /** The number of tenants of the archive that the config does not list. */
  leftOut: number;
}

/** Gathers what the page shows of all tenants together, while their histories pass by. */
export class FleetBuilder {
  readonly #catalogue: Catalogue;
  readonly #last: number;
  readonly #controls = new Map<string, number>();
  /** By the place of its name in the texts. */
  readonly #controlByText = new Map<number, number>();
  readonly #rows: (Member & Drawn)[] = [];
  readonly #standings: Omit<WireStandings, 'tenants'> = { points: [], maximum: [], state: [] };
  readonly #standingPlaces = new Map<string, number>();

  /** @param last the newest day of all tenants, since 1970-01-01 */
  constructor(catalogue: Catalogue, last: number) {
    this.#catalogue = catalogue;
    this.#last = last;
    for (const [control, { name }] of catalogue.entries) {
      this.#controlByText.set(name, this.#controls.size);
      this.#controls.set(control, this.#controls.size);
    }
  }

  /** @param wire what `encode` made of the rows; null: it has no day that counts */
  add(member: Member, rows: TenantRows, wire: WireTenant | null): void {
    const scores = rows.scores.filter(({ counted }) => counted).toSorted((a, b) => a.day - b.day);
    const latest = scores.at(-1);
    if (wire === null || !latest) {
      this.#rows.push({ ...member, ...NOTHING });
      return;
    }
    this.#rows.push({
      ...member,
      first: scores[0]!.day,
      latest: latest.day,
      points: latest.points,
      maximum: latest.maximum,
      line: lineColumn(this.#lineOf(scores)),
      muted: wire.controls.muted.flatMap((place) => {
        return this.#controlByText.get(wire.controls.name[place]!) ?? [];
      }),
      events: this.#eventsOf(rows.changes),
      standings: this.#standingsOf(wire),
    });
  }

  /**
   * @param origin see Origin
   * @param histories ids of the tenants whose histories are on the page, in their order there
   */
  build(origin: Origin, histories: string[]): { fleet: WireFleet; standings: WireStandings } {
    const rows = this.#rows.toSorted((a, b) => a.name.localeCompare(b.name, 'en') || (a.id < b.id ? -1 : 1));
    const places = new Map(histories.map((id, place) => [id, place]));
    const standings = { ...this.#standings, tenants: rows.map((row) => row.standings) };
    return { fleet: this.#fleet(rows, origin, places), standings };
  }

  #fleet(rows: (Member & Drawn)[], origin: Origin, places: ReadonlyMap<string, number>): WireFleet {
    const entries = [...this.#catalogue.entries].map(([, entry]) => entry);
    return {
      ...origin,
      last: this.#last,
      controls: {
        name: entries.map(({ name }) => name),
        title: entries.map(({ title }) => title),
        category: entries.map(({ category }) => category),
        service: entries.map(({ service }) => service),
      },
      tenants: {
        id: rows.map(({ id }) => id),
        name: rows.map(({ name }) => name),
        tags: rows.map(({ tags }) => tags),
        history: rows.map(({ id }) => places.get(id) ?? -1),
        first: rows.map(({ first }) => first),
        latest: rows.map(({ latest }) => latest),
        points: rows.map(({ points }) => points),
        maximum: rows.map(({ maximum }) => maximum),
        line: rows.map(({ line }) => line),
        muted: rows.map(({ muted }) => muted),
        events: rows.map(({ events }) => events.length),
      },
      events: eventColumns(rows.map(({ events }) => events)),
    };
  }

  /** Of the window; the first value is what was in force when it began. */
  #lineOf(scores: TenantRows['scores']): (number | null)[] {
    const begin = this.#last - WINDOW;
    const line = Array.from({ length: WINDOW + 1 }, (): number | null => null);
    for (const { day, points, maximum } of scores) {
      line[Math.max(0, day - begin)] = maximum > 0 ? (100 * points) / maximum : null;
    }
    return line;
  }

  #eventsOf(changes: ChangeRow[]): FleetEvent[] {
    const begin = this.#last - WINDOW;
    const events: FleetEvent[] = [];
    /** A day's drift is summed: of hundreds of recommendations it is the noise. */
    const drifts = new Map<string, FleetEvent>();
    for (const row of changes) {
      const kind = EVENT_KINDS.find((each) => each === row.kind);
      const share = row.percentage_points ?? 0;
      if (row.day <= begin || (kind === undefined && share === 0)) continue;
      const cause = causeOf(row.cause);
      if (kind === undefined || kind === 'drift') {
        const key = `${row.day} ${cause}`;
        const drift = drifts.get(key) ?? { ...eventOf(row, 'drift', null, cause), ...NO_SIDES, share: 0 };
        if (!drifts.has(key)) events.push(drift);
        drifts.set(key, drift);
        drift.share += share;
      } else {
        const control = row.control === null ? null : (this.#controls.get(row.control) ?? null);
        events.push(eventOf(row, kind, control, cause));
      }
    }
    return events.toSorted((a, b) => a.day - b.day);
  }

  #standingsOf({ controls, steps, decisions, texts }: WireTenant): number[] {
    const shared = this.#catalogue.texts;
    const standings = Array.from(this.#controls, () => -1);
    let end = 0;
    for (const [index, name] of controls.name.entries()) {
      end += controls.steps[index]!;
      const points = steps.points[end - 1] ?? null;
      if (controls.steps[index] === 0 || points === null) continue;
      const maximum = steps.maximum[end - 1] ?? null;
      const decision = steps.decision[end - 1] ?? -1;
      const text = decision < 0 ? -1 : decisions.state[decision]!;
      const state = text < 0 ? null : (shared[text] ?? texts[text - shared.length] ?? null);
      standings[this.#controlByText.get(name)!] = this.#standing(points, maximum, state);
    }
    return standings;
  }

  #standing(points: number, maximum: number | null, state: string | null): number {
    const key = `${points} ${maximum} ${state}`;
    let place = this.#standingPlaces.get(key);
    if (place === undefined) {
      place = this.#standings.points.push(points) - 1;
      this.#standings.maximum.push(maximum);
      this.#standings.state.push(state);
      this.#standingPlaces.set(key, place);
    }
    return place;
  }
}

interface Drawn {
  first: number;
  latest: number;
  points: number;
  maximum: number;
  line: (number | null)[];
  muted: number[];
  events: FleetEvent[];
  standings: number[];
}

const NOTHING: Drawn = {
  first: 0,
  latest: 0,
  points: 0,
  maximum: 0,
  line: [],
  muted: [],
  events: [],
  standings: [],
};

const NO_SIDES = {
  points: { before: null, after: null },
  maximum: { before: null, after: null },
};

function eventOf(row: ChangeRow, kind: EventKind, control: number | null, cause: Cause): FleetEvent {
  return {
    day: row.day,
    kind,
    control,
    cause,
    share: row.percentage_points ?? 0,
    points: { before: row.points_before, after: row.points_after },
    maximum: { before: row.maximum_before, after: row.maximum_after },
  };
}

function causeOf(cause: string | null): Cause {
  return cause === 'earned' || cause === 'rescored' || cause === 'decided' ? cause : null;
}
