import { dayNumber, distances, type WireTenant } from './wire.ts';

/** Rows of the history's tables (history/tables.ts) as the page is made of them; dates yyyy-mm-dd. */
export interface TenantRows {
  /** A row a day of `scores`. */
  scores: ScoreRow[];
  /**
   * A row a stretch of counted days on which a control stood the same. A row of `controls` is one of one day: what
   * follows without a difference is joined.
   */
  stretches: StretchRow[];
  /** A row a control. */
  catalogue: CatalogueRow[];
  changes: ChangeRow[];
}

export interface ScoreRow {
  date: string;
  points: number;
  maximum: number;
  peers_all: number | null;
  peers_similar: number | null;
  counted: boolean;
}

export interface StretchRow {
  control: string;
  first_date: string;
  last_date: string;
  points: number | null;
  maximum: number | null;
  state: string | null;
  state_by: string | null;
  state_at: string | null;
}

export interface CatalogueRow {
  control: string;
  title: string | null;
  category: string | null;
  service: string | null;
}

export interface ChangeRow {
  date: string;
  previous_date: string | null;
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

/**
 * A tenant's rows as the page carries them. Rows come in any order; equal rows give equal data.
 * @returns null where no day counts: there is nothing to show
 */
export function encode(tenant: { id: string; name: string }, rows: TenantRows): WireTenant | null {
  const scores = sorted(rows.scores, ({ date }) => date);
  const counted = scores.filter((row) => row.counted);
  if (counted.length === 0) return null;
  const places = new Map(counted.map(({ date }, place) => [date, place]));
  const texts = new Texts();
  const decisions = new Decisions(texts);

  const stretches = Map.groupBy(rows.stretches, ({ control }) => control);
  const catalogue = sorted(
    rows.catalogue.filter(({ control }) => stretches.has(control)),
    ({ control }) => control,
  );
  const stepsOf = catalogue.map(({ control }) => toSteps(stretches.get(control)!, places, decisions));
  const steps = stepsOf.flat();
  const changes = sorted(rows.changes, ({ date, kind, control }) => `${date} ${kind} ${control ?? ''}`);
  const numbers = changes.map(({ date }) => dayNumber(date));
  const column = (name: TextColumn) => changes.map((row) => texts.place(row[name]));

  return {
    id: tenant.id,
    name: tenant.name,
    days: {
      date: distances(counted.map(({ date }) => dayNumber(date))),
      points: counted.map(({ points }) => short(points)),
      maximum: counted.map(({ maximum }) => short(maximum)),
      peersAll: counted.map((row) => shortOrNull(row.peers_all)),
      peersSimilar: counted.map((row) => shortOrNull(row.peers_similar)),
    },
    leftOut: scores.filter((row) => !row.counted).map(({ date }) => date),
    controls: {
      name: catalogue.map(({ control }) => texts.place(control)),
      title: catalogue.map(({ title, control }) => texts.place(title ?? control)),
      category: catalogue.map(({ category }) => texts.place(category)),
      service: catalogue.map(({ service }) => texts.place(service)),
      steps: stepsOf.map(({ length }) => length),
    },
    steps: {
      from: stepsOf.flatMap((own) => distances(own.map(({ from }) => from))),
      points: steps.map(({ points }) => points),
      maximum: steps.map(({ maximum }) => maximum),
      decision: steps.map(({ decision }) => decision),
    },
    changes: {
      date: distances(numbers),
      since: changes.map((row, index) =>
        row.previous_date === null ? 0 : numbers[index]! - dayNumber(row.previous_date),
      ),
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
    texts: texts.all,
  };
}

type TextColumn = 'kind' | 'control' | 'previous_control' | 'category' | 'cause' | 'decision' | 'decided_by';

interface WireStep {
  from: number;
  points: number | null;
  maximum: number | null;
  decision: number;
}

/** Stretches as steps: one where it differs from the day before, and one (of nulls) where the control is gone. */
function toSteps(stretches: StretchRow[], places: Map<string, number>, decisions: Decisions): WireStep[] {
  const steps: WireStep[] = [];
  const add = (step: WireStep) => {
    const last = steps.at(-1);
    const same =
      last?.points === step.points && last.maximum === step.maximum && last.decision === step.decision;
    if (!same) steps.push(step);
  };
  const gone = { points: null, maximum: null, decision: -1 };
  let end = -1;
  for (const row of sorted(stretches, ({ first_date: date }) => date)) {
    const from = places.get(row.first_date);
    const to = places.get(row.last_date);
    // Of a day that does not count.
    if (from === undefined || to === undefined) continue;
    if (steps.length > 0 && from > end + 1) add({ from: end + 1, ...gone });
    add({
      from,
      points: shortOrNull(row.points),
      maximum: shortOrNull(row.maximum),
      decision: decisions.place(row),
    });
    end = to;
  }
  if (steps.length > 0 && end < places.size - 1) add({ from: end + 1, ...gone });
  return steps;
}

/** Each text once. */
class Texts {
  readonly all: string[] = [];
  readonly #places = new Map<string, number>();

  place(text: string | null): number {
    if (text === null) return -1;
    let place = this.#places.get(text);
    if (place === undefined) {
      place = this.all.push(text) - 1;
      this.#places.set(text, place);
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

  place({ state, state_by: decider, state_at: at }: StretchRow): number {
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
function sorted<Row>(rows: Row[], key: (row: Row) => string): Row[] {
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
