import { distances, type WireTenant } from './wire.ts';

/**
 * Rows of the history's tables (lambda/archive/columns/tables.ts) as the page is made of them. Days are numbers, since
 * 1970-01-01: a fleet has millions of them.
 */
export interface TenantRows {
  /** A row a day of `scores`. */
  scores: ScoreRow[];
  /** How controls stood, and on which days. */
  standings: StandingRow[];
  changes: ChangeRow[];
}

export interface ScoreRow {
  day: number;
  points: number;
  maximum: number;
  peers_all: number | null;
  peers_similar: number | null;
  counted: boolean;
}

export interface StandingRow {
  control: string;
  points: number | null;
  maximum: number | null;
  state: string | null;
  state_by: string | null;
  state_at: string | null;
  first_day: number;
  last_day: number;
  /** In any order; null: all days of the tenant from the first to the last one. */
  days: number[] | null;
}

/** A control as the newest catalogue has it. */
export interface CatalogueRow {
  control: string;
  title: string | null;
  category: string | null;
  service: string | null;
}

export interface ChangeRow {
  day: number;
  previous_day: number | null;
  kind: string;
  control: string | null;
  previous_control: string | null;
  title: string | null;
  category: string | null;
  points_before: number | null;
  points_after: number | null;
  maximum_before: number | null;
  maximum_after: number | null;
  percentage_points: number | null;
  cause: string | null;
  decision: string | null;
  decided_by: string | null;
}

/** What several tenants of a page have in common: the texts of their catalogues, each once. */
export class Catalogue {
  /** For `decode`: what each tenant's own texts follow. */
  readonly texts: string[];
  readonly #entries: Map<string, CatalogueEntry>;

  /** @param rows one a control */
  constructor(rows: CatalogueRow[]) {
    const texts = new Texts([]);
    this.#entries = new Map(
      sorted(rows, ({ control }) => control).map(({ control, title, category, service }) => [
        control,
        {
          name: texts.place(control),
          title: texts.place(title ?? control),
          category: texts.place(category),
          service: texts.place(service),
        },
      ]),
    );
    this.texts = texts.own;
  }

  /** By name, ascending. */
  get entries(): Iterable<[control: string, CatalogueEntry]> {
    return this.#entries;
  }
}

/** Places in the catalogue's texts; -1: null. */
export interface CatalogueEntry {
  name: number;
  title: number;
  category: number;
  service: number;
}

/** Whose history it is. */
export interface Owner {
  id: string;
  name: string;
  /** Whether a recommendation is muted. */
  isMuted?: (control: string) => boolean;
}

/**
 * A tenant's rows as the page carries them. Rows come in any order; equal rows give equal data.
 * @param catalogue of this tenant, or of all that are on the page
 * @returns null where no day counts: there is nothing to show
 */
export function encode(
  { id, name, isMuted }: Owner,
  rows: TenantRows,
  catalogue: Catalogue,
): WireTenant | null {
  const scores = sorted(rows.scores, ({ day }) => day);
  const counted = scores.filter((row) => row.counted);
  if (counted.length === 0) return null;
  const places = new Places(counted.map(({ day }) => day));
  const texts = new Texts(catalogue.texts);
  const decisions = new Decisions(texts);

  const standings = Map.groupBy(rows.standings, ({ control }) => control);
  const controls = [...catalogue.entries].filter(([control]) => standings.has(control));
  const stepsOf = controls.map(([control]) => toSteps(standings.get(control)!, places, decisions));
  const steps = stepsOf.flat();
  const changes = sorted(rows.changes, ({ day, kind, control }) => `${day} ${kind} ${control ?? ''}`);
  const column = (each: TextColumn) => changes.map((row) => texts.place(row[each]));

  return {
    id,
    name,
    days: {
      date: distances(counted.map(({ day }) => day)),
      points: counted.map(({ points }) => short(points)),
      maximum: counted.map(({ maximum }) => short(maximum)),
      peersAll: counted.map((row) => shortOrNull(row.peers_all)),
      peersSimilar: counted.map((row) => shortOrNull(row.peers_similar)),
    },
    leftOut: scores.filter((row) => !row.counted).map(({ day }) => day),
    controls: {
      name: controls.map(([, entry]) => entry.name),
      title: controls.map(([, entry]) => entry.title),
      category: controls.map(([, entry]) => entry.category),
      service: controls.map(([, entry]) => entry.service),
      steps: stepsOf.map(({ length }) => length),
      muted: isMuted ? controls.flatMap(([control], place) => (isMuted(control) ? [place] : [])) : [],
    },
    steps: {
      from: stepsOf.flatMap((own) => distances(own.map(({ from }) => from))),
      points: steps.map(({ points }) => points),
      maximum: steps.map(({ maximum }) => maximum),
      decision: steps.map(({ decision }) => decision),
    },
    changes: {
      date: distances(changes.map(({ day }) => day)),
      since: changes.map(({ day, previous_day: previous }) => (previous === null ? 0 : day - previous)),
      kind: column('kind'),
      control: column('control'),
      previousControl: column('previous_control'),
      title: changes.map(({ title, control }) => texts.place(title ?? control ?? '')),
      category: column('category'),
      cause: column('cause'),
      decision: column('decision'),
      by: column('decided_by'),
      pointsBefore: changes.map((row) => shortOrNull(row.points_before)),
      pointsAfter: changes.map((row) => shortOrNull(row.points_after)),
      maximumBefore: changes.map((row) => shortOrNull(row.maximum_before)),
      maximumAfter: changes.map((row) => shortOrNull(row.maximum_after)),
      share: changes.map((row) => Math.round(1e6 * (row.percentage_points ?? 0)) / 1e6 || 0),
    },
    decisions: decisions.columns,
    texts: texts.own,
  };
}

type TextColumn = 'kind' | 'control' | 'previous_control' | 'category' | 'cause' | 'decision' | 'decided_by';

interface WireStep {
  from: number;
  points: number | null;
  maximum: number | null;
  decision: number;
}

/** A step where a control stands otherwise than the day before, and one (of nulls) where it is gone. */
function toSteps(standings: StandingRow[], places: Places, decisions: Decisions): WireStep[] {
  const stood = standings.map((row): Omit<WireStep, 'from'> => ({
    points: shortOrNull(row.points),
    maximum: shortOrNull(row.maximum),
    decision: decisions.place(row),
  }));
  // Of each counted day which of them.
  const which = new Int32Array(places.number).fill(-1);
  for (const [index, { first_day: first, last_day: last, days }] of standings.entries()) {
    if (days === null) which.fill(index, places.from(first), places.from(last + 1));
    else for (const day of days) which.fill(index, places.from(day), places.from(day + 1));
  }
  const steps: WireStep[] = [];
  for (let place = 0; place < which.length; place += 1) {
    const index = which[place]!;
    if (place > 0 && which[place - 1] === index) continue;
    const last = steps.at(-1);
    // It begins when it was first seen.
    if (!last && index === -1) continue;
    const { points, maximum, decision } = stood[index] ?? GONE;
    const same = last?.points === points && last.maximum === maximum && last.decision === decision;
    if (!same) steps.push({ from: place, points, maximum, decision });
  }
  return steps;
}

const GONE: Omit<WireStep, 'from'> = { points: null, maximum: null, decision: -1 };

/** Where days stand among the counted ones. */
class Places {
  readonly number: number;
  readonly #first: number;
  /** By the distance to the first day: the place of the first counted day from there on. */
  readonly #next: number[] = [];

  /** @param days ascending, at least one */
  constructor(days: number[]) {
    this.number = days.length;
    this.#first = days[0]!;
    for (const [place, day] of days.entries()) {
      while (this.#next.length <= day - this.#first) this.#next.push(place);
    }
  }

  /** Of the first counted day that is not before a day; their number where there is none. */
  from(day: number): number {
    return day < this.#first ? 0 : (this.#next[day - this.#first] ?? this.number);
  }
}

/** Each text once. */
class Texts {
  /** Those that are no shared ones. */
  readonly own: string[] = [];
  readonly #places: Map<string, number>;

  /** @param shared that come before them, each once */
  constructor(shared: readonly string[]) {
    this.#places = new Map(shared.map((text, place) => [text, place]));
  }

  place(text: string | null): number {
    if (text === null) return -1;
    let place = this.#places.get(text);
    if (place === undefined) {
      place = this.#places.size;
      this.#places.set(text, place);
      this.own.push(text);
    }
    return place;
  }
}

class Decisions {
  readonly columns: WireTenant['decisions'] = { state: [], by: [], at: [] };
  readonly #texts: Texts;
  readonly #places = new Map<string, number>();

  constructor(texts: Texts) {
    this.#texts = texts;
  }

  place({ state, state_by: decider, state_at: at }: StandingRow): number {
    if (state === null) return -1;
    const key = JSON.stringify([state, decider, at]);
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.columns.state.push(this.#texts.place(state)) - 1;
      this.columns.by.push(this.#texts.place(decider));
      this.columns.at.push(this.#texts.place(at));
      this.#places.set(key, place);
    }
    return place;
  }
}

/** By code units, as the tables are sorted; what is in order already costs little. */
function sorted<Row>(rows: Row[], key: (row: Row) => string | number): Row[] {
  const keyed = rows.map((row) => ({ row, key: key(row) }));
  const isSorted = keyed.every((each, index) => index === 0 || keyed[index - 1]!.key <= each.key);
  if (isSorted) return rows;
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ row }) => row);
}

/** Graph gives two decimals; what a sum or a quotient adds beyond four is noise. */
function short(value: number): number {
  return Math.round(1e4 * value) / 1e4;
}

function shortOrNull(value: number | null): number | null {
  return value === null ? null : short(value);
}
