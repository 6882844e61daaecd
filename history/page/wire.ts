/**
 * What the page carries of a tenant, and how the page reads it. Columns rather than rows, texts by their place in one
 * list, a control's days as steps: gzip then makes little of much.
 */
export interface WireTenant {
  id: string;
  name: string;
  /** They follow those of the catalogue. */
  texts: string[];
  /** Counted days, ascending. */
  days: {
    /** Days since 1970-01-01: the first, then the distance to each next. */
    date: number[];
    points: number[];
    maximum: number[];
    peersAll: (number | null)[];
    peersSimilar: (number | null)[];
  };
  /** Days that no comparison counts, since 1970-01-01. */
  leftOut: number[];
  /** Texts. */
  decisions: { state: number[]; by: number[]; at: number[] };
  controls: {
    /** Texts. */
    name: number[];
    title: number[];
    category: number[];
    service: number[];
    /** The number of steps of each control, which follow one another in `steps`. */
    steps: number[];
    /** Places of those that are muted. */
    muted: number[];
  };
  steps: {
    /** Place in `days`: of a control's first step, then the distance to each next. */
    from: number[];
    /** Null: the control is not there. */
    points: (number | null)[];
    maximum: (number | null)[];
    /** Place in `decisions`; -1: none. */
    decision: number[];
  };
  changes: {
    /** Days since 1970-01-01: the first, then the distance to each next. */
    date: number[];
    /** Distance to the day that it was compared with; 0: none. */
    since: number[];
    /** Texts; -1: null. */
    kind: number[];
    control: number[];
    previousControl: number[];
    title: number[];
    category: number[];
    cause: number[];
    decision: number[];
    by: number[];
    pointsBefore: (number | null)[];
    pointsAfter: (number | null)[];
    maximumBefore: (number | null)[];
    maximumAfter: (number | null)[];
    share: number[];
  };
}

/** A tenant's history, for the page. Points in points, percentages in per cent, days by their place in `days`. */
export interface History {
  id: string;
  name: string;
  /** Counted days, ascending; at least one. */
  days: Day[];
  /** Days that no comparison counts, yyyy-mm-dd. */
  leftOut: string[];
  /** By name, ascending. */
  controls: Control[];
  /** In the order of the table: by date, kind, control. */
  changes: Change[];
}

export interface Day {
  /** yyyy-mm-dd. */
  date: string;
  /** Days since 1970-01-01. */
  number: number;
  points: number;
  maximum: number;
  /** Unrounded; null where the maximum is 0. */
  percentage: number | null;
  peersAll: number | null;
  peersSimilar: number | null;
}

export interface Control {
  name: string;
  title: string;
  category: string | null;
  service: string | null;
  /** By the config: it never mails by itself. */
  muted: boolean;
  /** Ascending; the first one begins when it was first seen. */
  steps: Step[];
}

/** How a control stood from one day on, until its next step. */
export interface Step {
  /** Place in `days`. */
  from: number;
  /** Null: the control is not there. */
  points: number | null;
  /** Null: unknown, or not there. */
  maximum: number | null;
  decision: Decision | null;
}

export interface Decision {
  state: string;
  by: string | null;
  /** As Graph gave it, ISO 8601. */
  at: string | null;
}

export interface Change {
  date: string;
  previousDate: string | null;
  kind: string;
  control: string | null;
  previousControl: string | null;
  title: string;
  category: string | null;
  cause: string | null;
  decision: string | null;
  by: string | null;
  points: { before: number | null; after: number | null };
  maximum: { before: number | null; after: number | null };
  /** Of the change of the score, in percentage points. */
  share: number;
}

const DAY_MS = 86_400_000;

/** @param date yyyy-mm-dd */
export function dayNumber(date: string): number {
  return Math.round(Date.parse(date) / DAY_MS);
}

/** yyyy-mm-dd. */
export function dateOfNumber(number: number): string {
  return new Date(number * DAY_MS).toISOString().slice(0, 10);
}

/**
 * Reads what `encode` (data.ts) wrote.
 * @param shared texts of the catalogue
 */
export function decode(wire: WireTenant, shared: readonly string[]): History {
  const { days, decisions, controls, steps, changes } = wire;
  const texts = [...shared, ...wire.texts];
  const textAt = (place: number | undefined): string | null =>
    place === undefined || place < 0 ? null : (texts[place] ?? null);
  const muted = new Set(controls.muted);

  const decided = decisions.state.map((state, index): Decision => {
    return {
      state: textAt(state) ?? '',
      by: textAt(decisions.by[index]),
      at: textAt(decisions.at[index]),
    };
  });

  let next = 0;
  return {
    id: wire.id,
    name: wire.name,
    leftOut: wire.leftOut.map(dateOfNumber),
    days: summed(days.date).map((number, index): Day => {
      const points = days.points[index]!;
      const maximum = days.maximum[index]!;
      return {
        date: dateOfNumber(number),
        number,
        points,
        maximum,
        percentage: maximum > 0 ? (100 * points) / maximum : null,
        peersAll: days.peersAll[index] ?? null,
        peersSimilar: days.peersSimilar[index] ?? null,
      };
    }),
    controls: controls.name.map((name, index): Control => {
      const first = next;
      next += controls.steps[index]!;
      const own = summed(steps.from.slice(first, next)).map((from, step): Step => {
        return {
          from,
          points: steps.points[first + step] ?? null,
          maximum: steps.maximum[first + step] ?? null,
          decision: decided[steps.decision[first + step]!] ?? null,
        };
      });
      return {
        name: textAt(name) ?? '',
        title: textAt(controls.title[index]) ?? '',
        category: textAt(controls.category[index]),
        service: textAt(controls.service[index]),
        muted: muted.has(index),
        steps: own,
      };
    }),
    changes: summed(changes.date).map((number, index): Change => {
      const since = changes.since[index]!;
      return {
        date: dateOfNumber(number),
        previousDate: since === 0 ? null : dateOfNumber(number - since),
        kind: textAt(changes.kind[index]) ?? '',
        control: textAt(changes.control[index]),
        previousControl: textAt(changes.previousControl[index]),
        title: textAt(changes.title[index]) ?? '',
        category: textAt(changes.category[index]),
        cause: textAt(changes.cause[index]),
        decision: textAt(changes.decision[index]),
        by: textAt(changes.by[index]),
        points: { before: changes.pointsBefore[index] ?? null, after: changes.pointsAfter[index] ?? null },
        maximum: { before: changes.maximumBefore[index] ?? null, after: changes.maximumAfter[index] ?? null },
        share: changes.share[index]!,
      };
    }),
  };
}

/** 3, 1, 1 as 3, 4, 5. */
export function summed(gaps: number[]): number[] {
  let sum = 0;
  return gaps.map((gap) => (sum += gap));
}

/** The inverse. */
export function distances(numbers: number[]): number[] {
  return numbers.map((number, index) => number - (index === 0 ? 0 : numbers[index - 1]!));
}
