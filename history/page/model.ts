import { largestMoves, type DayMove, type Mark as MarkOf } from '../../lambda/report/chart/marks.ts';
import { roundTogether } from '../../lambda/report/rounding.ts';
import type { Change, Control, Day, History, Step } from './wire.ts';

/** What the page works out of a history. Pure: no document, no clock. Points in points, shares in percentage points. */

/** How the score of a day moved against the counted day before, by cause. */
export interface Move {
  /** Null where a side has no percentage. */
  total: number | null;
  earned: number;
  rescored: number;
  decided: number;
  unexplained: number;
  changes: number;
}

/** Of each day; the first one moved against nothing. */
export function movesOf({ days, changes }: History): Move[] {
  const byDate = Map.groupBy(changes, ({ date }) => date);
  return days.map((day, index): Move => {
    const before = days[index - 1]?.percentage ?? null;
    const own = byDate.get(day.date) ?? [];
    const sum = (cause: string) =>
      own.reduce((total, change) => (change.cause === cause ? total + change.share : total), 0);
    const causes = { earned: sum('earned'), rescored: sum('rescored'), decided: sum('decided') };
    const total = before === null || day.percentage === null ? null : day.percentage - before;
    return {
      total,
      ...causes,
      unexplained: (total ?? 0) - causes.earned - causes.rescored - causes.decided,
      changes: own.length,
    };
  });
}

/** What is printed of a period: tenths of a percentage point that add up as printed. */
export interface Account {
  total: number;
  earned: number;
  rescored: number;
  decided: number;
  unexplained: number;
}

/**
 * From one day to a later one, in tenths; null where one has no percentage.
 * @param from place of the day that is the start, @param to of the last one
 */
export function accountOf({ days }: History, moves: Move[], from: number, to: number): Account | null {
  const [before, after] = [days[from]?.percentage ?? null, days[to]?.percentage ?? null];
  if (before === null || after === null) return null;
  const between = moves.slice(from + 1, to + 1);
  const sum = (part: 'earned' | 'rescored' | 'decided') =>
    between.reduce((total, move) => total + move[part], 0);
  const parts = [sum('earned'), sum('rescored'), sum('decided')];
  const total = after - before;
  const rest = total - parts.reduce((all, part) => all + part, 0);
  const rounded = roundTogether([...parts, rest], total, 1);
  const [earned = 0, rescored = 0, decided = 0, unexplained = 0] = rounded.parts;
  return { total: rounded.total, earned, rescored, decided, unexplained };
}

export interface Category {
  name: string;
  /** Per cent, a value a day; null where it has no maximum. */
  percentages: (number | null)[];
  /** Of how many controls the maximum is unknown, a value a day. */
  unknown: number[];
}

/**
 * Points of a category by those of its controls; one whose maximum is unknown counts in neither, but in `unknown`: as
 * history/questions/categories.sql has it.
 */
export function categoriesOf({ days, controls }: History): Category[] {
  const categories = new Map<string, Record<'points' | 'maximum' | 'unknown', Float64Array>>();
  for (const { category, steps } of controls) {
    if (category === null) continue;
    const sums = categories.get(category) ?? {
      points: new Float64Array(days.length),
      maximum: new Float64Array(days.length),
      unknown: new Float64Array(days.length),
    };
    categories.set(category, sums);
    for (const [index, { from, points, maximum }] of steps.entries()) {
      if (points === null) continue;
      const end = steps[index + 1]?.from ?? days.length;
      for (let day = from; day < end; day += 1) {
        if (maximum === null) sums.unknown[day]! += 1;
        else {
          sums.points[day]! += points;
          sums.maximum[day]! += maximum;
        }
      }
    }
  }
  return [...categories]
    .map(([name, { points, maximum, unknown }]) => {
      return {
        name,
        percentages: Array.from(maximum, (most, day) => (most > 0 ? (100 * points[day]!) / most : null)),
        unknown: [...unknown],
      };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** How a control stood on a day; null before it was first seen. */
export function stepAt({ steps }: Control, day: number): Step | null {
  return steps.findLast(({ from }) => from <= day) ?? null;
}

/** An event worth a mark on the line; `day` is its place in `days`. */
export type Mark = MarkOf<number>;

/** What moved the score most in a period, the largest first: as the chart of the mails marks it. */
export function marksOf(history: History, moves: Move[], from: number, to: number, most: number): Mark[] {
  const shown = history.days.slice(from, to + 1).flatMap(({ percentage }) => percentage ?? []);
  const range = Math.max(...shown) - Math.min(...shown);
  const between = moves.map((move, day) => ({ day, move: moveOf(move) })).slice(from + 1, to + 1);
  return largestMoves(between, range, most);
}

/** As the marks have it: earned and decided are both done here. */
export function moveOf({ total, earned, decided, rescored }: Move): DayMove {
  return { total, here: earned + decided, microsoft: rescored };
}

/** A day's move as the table of days prints it, in hundredths: the parts add up to the total as printed. */
export function printedMove(
  move: Move,
): { total: number; here: number; microsoft: number; rest: number } | null {
  const { total, here, microsoft } = moveOf(move);
  if (total === null) return null;
  const rounded = roundTogether([here, microsoft, move.unexplained], total, 2);
  const [ofHere = 0, ofMicrosoft = 0, rest = 0] = rounded.parts;
  return { total: rounded.total, here: ofHere, microsoft: ofMicrosoft, rest };
}

/** What happened on a day, in a few words. */
export interface Caption {
  /** The title of what weighs most, or how many of a kind. */
  title: string;
  /** How many changes more made up the day; 0 where without them the amount beside the caption would be the same. */
  more: number;
}

/** @returns null where nobody knows */
export function caption(changes: Change[], { by, change }: Pick<Mark, 'by' | 'change'>): Caption | null {
  const own = changes.filter(({ cause, share }) => (cause === 'rescored') === (by === 'microsoft') && share);
  const [largest] = own.toSorted((a, b) => Math.abs(b.share) - Math.abs(a.share));
  if (!largest) return null;
  const words: Record<string, string> = { new: 'new', removed: 'retired', 're-scored': 're-scored' };
  const word = words[largest.kind];
  const alike = word ? own.filter(({ kind }) => kind === largest.kind) : [];
  const named = alike.length > 1 ? alike : [largest];
  const title = named.length > 1 ? `${named.length} ${word}` : largest.title;
  const share = named.reduce((sum, each) => sum + each.share, 0);
  const isAll = tenth(share) === tenth(change);
  const others = changes.filter((each) => !named.includes(each) && Math.abs(each.share) >= SMALLEST_SHARE);
  return { title, more: isAll ? 0 : others.length };
}

/** In percentage points: smaller ones are printed as 0.00. */
const SMALLEST_SHARE = 0.005;

function tenth(share: number): number {
  return Math.round(10 * share);
}

export interface ChangeFilter {
  /** All where empty. */
  kinds: string[];
  /** earned, rescored, decided. */
  cause: string | null;
  category: string | null;
  /** Words that all must occur in title, name, kind or decision. */
  search: string;
}

export function matches(change: Change, { kinds, cause, category, search }: ChangeFilter): boolean {
  if (kinds.length > 0 && !kinds.includes(change.kind)) return false;
  if (cause !== null && change.cause !== cause) return false;
  if (category !== null && change.category !== category) return false;
  const { title, control, previousControl, kind, decision, by } = change;
  return containsAll([title, control, previousControl, kind, decision, by], search);
}

/** Whether each word of the search occurs in one of the texts, whatever its case. */
export function containsAll(texts: (string | null)[], search: string): boolean {
  if (search.trim() === '') return true;
  const text = texts
    .filter((each) => each !== null)
    .join('\n')
    .toLocaleLowerCase('en');
  return search
    .toLocaleLowerCase('en')
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** A control as the list of all shows it on a day. */
export interface Standing {
  control: Control;
  step: Step;
  /** Points that are still to be had; null where the maximum is unknown. */
  missing: number | null;
  /** Date of its last change; null: never since monitoring began. */
  changed: string | null;
}

/** The controls that are there on a day. */
export function standings(history: History, day: number): Standing[] {
  const until = history.days[day]?.date ?? '';
  const changed = new Map<string, string>();
  for (const { control, date } of history.changes) {
    if (control !== null && date <= until) changed.set(control, date);
  }
  return history.controls.flatMap((control) => {
    const step = stepAt(control, day);
    if (!step || step.points === null) return [];
    const missing = step.maximum === null ? null : Math.max(0, step.maximum - step.points);
    return [{ control, step, missing, changed: changed.get(control.name) ?? null }];
  });
}

/** Names that a control bore, itself among them, oldest first: a rename does not end its life. */
export function lineage({ changes }: History, name: string): string[] {
  const renames = changes.filter(({ kind }) => kind === 'renamed');
  const follow = (next: (from: string) => string | null | undefined): string[] => {
    const found: string[] = [];
    // Foreign data: there may be a circle.
    for (let at = next(name); at && at !== name && !found.includes(at); at = next(at)) found.push(at);
    return found;
  };
  const former = follow((from) => renames.findLast(({ control }) => control === from)?.previousControl);
  const later = follow((from) => renames.find(({ previousControl }) => previousControl === from)?.control);
  return [...former.toReversed(), name, ...later.filter((each) => !former.includes(each))];
}

/** All days of a control. */
export interface Life {
  /** Under its newest name. */
  control: Control;
  /** Former names, oldest first. */
  formerly: string[];
  /** Under all names. */
  steps: Step[];
  /** Newest first. */
  changes: Change[];
}

/** @returns null where there is no such control */
export function lifeOf(history: History, name: string): Life | null {
  const names = lineage(history, name);
  const known = names.flatMap((each) => history.controls.find((control) => control.name === each) ?? []);
  const control = known.at(-1);
  if (!control) return null;
  const formerly = names.filter((each) => each !== control.name);
  return {
    control,
    formerly,
    steps: joined(known),
    changes: history.changes
      .filter((change) => change.control !== null && names.includes(change.control))
      .toReversed(),
  };
}

/** The steps of several names of one control: where one is gone, the other is there. */
function joined(controls: Control[]): Step[] {
  if (controls.length === 1) return controls[0]!.steps;
  const starts = [...new Set(controls.flatMap(({ steps }) => steps.map(({ from }) => from)))];
  const steps: Step[] = [];
  for (const from of starts.toSorted((a, b) => a - b)) {
    const there = controls.map((control) => stepAt(control, from)).filter((step) => step !== null);
    const step = there.findLast(({ points }) => points !== null) ?? there.at(-1)!;
    const last = steps.at(-1);
    const same =
      last?.points === step.points && last.maximum === step.maximum && last.decision === step.decision;
    if (!same) steps.push({ ...step, from });
  }
  return steps;
}

/** A stretch of days on which a control stood the same. */
export interface Stretch extends Step {
  /** Place of its last day. */
  to: number;
}

/** Newest first; without those on which it was not there, unless something follows. */
export function stretchesOf(steps: Step[], days: Day[]): Stretch[] {
  return steps
    .map((step, index): Stretch => ({ ...step, to: (steps[index + 1]?.from ?? days.length) - 1 }))
    .toReversed();
}

/** Place of the first day on or after a date; the last day where there is none. */
function placeOf(days: Day[], date: string): number {
  const place = days.findIndex((day) => day.date >= date);
  return place === -1 ? days.length - 1 : place;
}

/** Place of the day that is nearest to a day's number. */
export function nearest(days: Day[], number: number): number {
  let low = 0;
  let high = days.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (days[middle]!.number < number) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [days[low - 1], days[low]!];
  return before && number - before.number < after.number - number ? low - 1 : low;
}

export const PERIODS = [
  { name: '30d', days: 30, label: '30 days' },
  { name: '90d', days: 90, label: '90 days' },
  { name: '1y', days: 365, label: '1 year' },
  { name: 'all', days: Infinity, label: 'All' },
] as const;

/** Those that differ: nothing is gained from a year where there are 80 days. */
export function periodsFor(days: Day[]): (typeof PERIODS)[number][] {
  const span = days.at(-1)!.number - days[0]!.number;
  return PERIODS.filter((period) => period.days <= span || period.name === 'all');
}

/** First and last day shown. */
export interface Span {
  from: number;
  to: number;
}

/** @param period a name, or two dates with two dots between; anything else is all */
export function spanOf(days: Day[], period: string): Span {
  const last = days.length - 1;
  const [from, to] = period.split('..');
  if (from && to && /^\d{4}-\d\d-\d\d$/.test(from) && /^\d{4}-\d\d-\d\d$/.test(to)) {
    const span = { from: placeOf(days, from), to: days.findLastIndex(({ date }) => date <= to) };
    if (span.to > span.from) return span;
  }
  const length = PERIODS.find(({ name }) => name === period)?.days ?? Infinity;
  const first = days.findIndex(({ number }) => number >= days[last]!.number - length);
  return { from: Math.min(Math.max(0, first), Math.max(0, last - 1)), to: last };
}
