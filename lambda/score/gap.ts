import { matchControls, SAME_MAXIMUM, type ProfilesOfTwo } from './diff.ts';
import { allowedBy, allows, maximaOf, maximumOf } from './maximum.ts';
import { EPSILON, type Control, type Profile, type Profiles, type Snapshot } from './snapshot.ts';

/**
 * When Microsoft re-scored what. The catalogue is known as of two moments, with any number of days between them; the
 * total's maximum is known on each of these days, and so may tell on which one a maximum in the catalogue moved.
 */

/** A day against the one before it. */
export interface Step {
  before: Snapshot;
  after: Snapshot;
}

/** One control from day 0 to the last day of a gap, under whatever names; null where it is not there. */
interface Life {
  names: (string | null)[];
  controls: (Control | null)[];
  /** What the catalogue says of it at the one end and at the other. */
  profiles: { before: Profile | undefined; after: Profile | undefined };
}

/** A life whose maximum moved in the catalogue: on which of the steps? Step `n` leads from day n − 1 to day n. */
interface Riddle {
  life: Life;
  before: number;
  after: number;
  /** The first and the last step on which it can have moved; after the last day: perhaps not yet. */
  earliest: number;
  latest: number;
}

/** Maximum number of steps of the search, a few milliseconds; a larger search has more than one answer anyway. */
const LONGEST_SEARCH = 20_000;

/**
 * The catalogue at both sides of each step, so that what it says of maxima holds for the day: one that moved in it is
 * dated to the step on which the total's maximum says that it moved, where exactly one set of controls adds up to what
 * the totals say of all steps; else to the last step, as `undated`.
 * @param steps in a row
 * @param profiles of each step: before the first one as of the earlier moment, after the last one as of the later
 */
export function dateMaxima(steps: Step[], profiles: ProfilesOfTwo[]): ProfilesOfTwo[] {
  const [first, last] = [profiles[0]?.before, profiles.at(-1)?.after];
  if (!first || !last || first === last) return profiles;

  const lives = livesOf(steps, first, last);
  const days = [first, ...profiles.map(({ after }) => after)].map((known) => new Map(known));
  // A control that the later catalogue has dropped, or never had under the name that it bore in between.
  for (const { names, profiles: of } of lives) {
    for (const [day, name] of names.entries()) {
      if (name !== null && of.before && !days[day]!.has(name)) days[day]!.set(name, of.before);
    }
  }

  const riddles = lives.flatMap(riddleOf);
  const date = ({ life, before, after }: Riddle, step: number) => {
    for (const [day, name] of life.names.entries()) {
      const profile = name === null ? undefined : days[day]!.get(name);
      if (name !== null && profile)
        days[day]!.set(name, { ...profile, maximum: day < step ? before : after });
    }
  };
  const open = riddles.filter(({ earliest, latest }) => earliest < latest);
  for (const riddle of riddles) date(riddle, riddle.earliest);

  const undated = new Set<string>();
  const remainders = remaindersOf(steps, days, lives, open);
  // Where all is as the catalogue says it, from the first day on that it may be, there is nothing to find out.
  if (!addUp(remainders, open)) {
    const found = search(remainders, open);
    for (const riddle of open) {
      const step = found.get(riddle) ?? null;
      const end = lastDayOf(riddle.life);
      date(riddle, step ?? (end < steps.length ? end + 1 : Math.min(riddle.latest, steps.length)));
      if (step === null) for (const name of riddle.life.names) if (name !== null) undated.add(name);
    }
  }
  return steps.map((_, index) => ({ before: days[index]!, after: days[index + 1]!, undated }));
}

function livesOf(steps: Step[], first: Profiles, last: Profiles): Life[] {
  const lives: Life[] = [];
  let present = new Map<string, Life>();
  const begin = (control: Control, day: number) => {
    const absent = () => Array.from({ length: steps.length + 1 }, () => null);
    const life: Life = {
      names: absent(),
      controls: absent(),
      profiles: { before: undefined, after: undefined },
    };
    lives.push(life);
    return goOn(life, control, day);
  };
  const goOn = (life: Life, control: Control, day: number) => {
    life.names[day] = control.name;
    life.controls[day] = control;
    return life;
  };
  for (const control of steps[0]?.before.controls.values() ?? [])
    present.set(control.name, begin(control, 0));
  for (const [index, { before, after }] of steps.entries()) {
    const { pairs, added } = matchControls(before, after);
    const next = new Map<string, Life>();
    for (const [earlier, later] of pairs) {
      next.set(later.name, goOn(present.get(earlier.name)!, later, index + 1));
    }
    for (const control of added) next.set(control.name, begin(control, index + 1));
    present = next;
  }
  for (const life of lives) {
    const names = life.names.filter((name) => name !== null);
    const named = (catalogue: Profiles, all: string[]) =>
      all.map((name) => catalogue.get(name)).find((profile) => profile !== undefined);
    life.profiles = { before: named(first, names), after: named(last, names.toReversed()) };
  }
  return lives;
}

function firstDayOf({ names }: Life): number {
  return names.findIndex((name) => name !== null);
}

function lastDayOf({ names }: Life): number {
  return names.findLastIndex((name) => name !== null);
}

/** None where its maximum stands in the catalogue, or where its points contradict both ends of it. */
function riddleOf(life: Life): Riddle[] {
  const before = life.profiles.before?.maximum ?? null;
  const after = life.profiles.after?.maximum ?? null;
  if (before === null || after === null || Math.abs(after - before) <= EPSILON) return [];
  // New when it came, or old when it went, is the same as having moved before, or never.
  let earliest = Math.max(firstDayOf(life), 1);
  let latest = lastDayOf(life) + 1;
  for (const [day, control] of life.controls.entries()) {
    const allowed = allowedBy(control);
    if (!allowed) continue;
    const still = allows(allowed, before);
    const already = allows(allowed, after);
    if (!still && !already) return [];
    if (!already) earliest = Math.max(earliest, day + 1);
    if (!still) latest = Math.min(latest, day);
  }
  return earliest > latest
    ? latest === 0
      ? [{ life, before, after, earliest: 0, latest: 0 }]
      : []
    : [{ life, before, after, earliest, latest }];
}

/** Of one step: what the total's maximum moved by, less what is known of it; and what is not known at all. */
interface Remainder {
  points: number;
  /** Controls that came, and that went, whose maximum nobody knows. */
  come: number;
  gone: number;
}

function remaindersOf(steps: Step[], days: Profiles[], lives: Life[], open: Riddle[]): Remainder[] {
  const left = steps.map(({ before, after }): Remainder => ({
    points: after.maximum - before.maximum,
    come: 0,
    gone: 0,
  }));
  const isOpen = new Set(open.map(({ life }) => life));
  for (const life of lives) {
    if (isOpen.has(life)) continue;
    for (const [index, remainder] of left.entries()) {
      const [before, after] = [life.controls[index] ?? null, life.controls[index + 1] ?? null];
      const profile = {
        before: before ? days[index]!.get(before.name) : undefined,
        after: after ? days[index + 1]!.get(after.name) : undefined,
      };
      if (before && after) {
        const maximum = maximaOf({ before, after }, profile);
        const rise = (maximum.after ?? 0) - (maximum.before ?? 0);
        if (Math.abs(rise) > EPSILON) remainder.points -= rise;
      } else if (after) {
        const maximum = maximumOf(after, profile.after);
        if (maximum === null) remainder.come += 1;
        else remainder.points -= maximum;
      } else if (before) {
        const maximum = maximumOf(before, profile.before);
        if (maximum === null) remainder.gone += 1;
        else remainder.points += maximum;
      }
    }
  }
  return left;
}

/** What a control adds to the move of a step's maximum, if its own moved on a step. */
function contribution({ life, before, after }: Riddle, moved: number, step: number): number {
  const maximumOn = (day: number) => (life.controls[day] ? (day < moved ? before : after) : 0);
  return maximumOn(step) - maximumOn(step - 1);
}

/** Two sums of maxima are one where they differ by no more; binary fractions add a little. */
const REACH = SAME_MAXIMUM + 1e-9;

function isKnown({ come, gone }: Remainder): boolean {
  return come + gone === 0;
}

/** @param points that are left of what the total's maximum moved by */
function isExplained(remainder: Remainder, points: number): boolean {
  const { come, gone } = remainder;
  if (isKnown(remainder)) return Math.abs(points) <= REACH;
  return (come > 0 && points > SAME_MAXIMUM) || (gone > 0 && points < -SAME_MAXIMUM);
}

function addUp(remainders: Remainder[], open: Riddle[]): boolean {
  return remainders.every((remainder, index) => {
    const parts = open.map((riddle) => contribution(riddle, riddle.earliest, index + 1));
    return isExplained(
      remainder,
      parts.reduce((points, part) => points - part, remainder.points),
    );
  });
}

/**
 * What can be chosen on a step: who moves on it, and how far that moves the total; how far at most it and those after
 * it move it down, and up.
 */
interface Choice {
  step: number;
  remainder: Remainder;
  free: { riddle: Riddle; move: number; down: number; up: number }[];
  unexplained: number;
}

/**
 * Looks for all ways in which the riddles can have moved that leave the fewest steps unexplained.
 * @returns the step of each that moves on the same one in all of them; empty where there are too many
 */
function search(remainders: Remainder[], open: Riddle[]): Map<Riddle, number> {
  let fewest = Number.POSITIVE_INFINITY;
  let steps = 0;
  /** Null: not the same in all answers. */
  let agreed = new Map<Riddle, number | null>();
  const moved = new Map<Riddle, number>();

  const answer = (unexplained: number) => {
    if (unexplained < fewest) {
      fewest = unexplained;
      agreed = new Map(open.map((riddle) => [riddle, moved.get(riddle) ?? null]));
      return;
    }
    for (const riddle of open) if (agreed.get(riddle) !== moved.get(riddle)) agreed.set(riddle, null);
  };

  const decide = (step: number, unexplained: number): void => {
    steps += 1;
    if (unexplained > fewest || steps > LONGEST_SEARCH) return;
    if (step > remainders.length) return answer(unexplained);
    const remainder = remainders[step - 1]!;
    const waiting = open.filter((riddle) => !moved.has(riddle) && riddle.earliest <= step);
    // Its points say that it has moved by now at the latest.
    const due = waiting.filter(({ latest, life }) => latest === step && life.controls[step]);
    for (const riddle of due) moved.set(riddle, step);
    const never = remainders.length + 2;
    const points = open.reduce(
      (left, riddle) => left - contribution(riddle, moved.get(riddle) ?? never, step),
      remainder.points,
    );
    if (isExplained(remainder, points)) decide(step + 1, unexplained);
    else {
      const free: Choice['free'] = [];
      for (const riddle of waiting) {
        if (moved.has(riddle) || !riddle.life.controls[step]) continue;
        const move = contribution(riddle, step, step) - contribution(riddle, never, step);
        const { down, up } = free[0] ?? { down: 0, up: 0 };
        free.unshift({ riddle, move, down: down + Math.min(move, 0), up: up + Math.max(move, 0) });
      }
      choose({ step, remainder, free, unexplained }, 0, points);
      decide(step + 1, unexplained + 1);
    }
    for (const riddle of due) moved.delete(riddle);
  };

  /** Tries which of the free ones move on a step: those whose moves add up to what is left of its maximum. */
  const choose = (of: Choice, index: number, points: number): void => {
    steps += 1;
    if (steps > LONGEST_SEARCH) return;
    if (index === of.free.length) {
      if (isExplained(of.remainder, points)) decide(of.step + 1, of.unexplained);
      return;
    }
    const { riddle, move, down, up } = of.free[index]!;
    // What is left is out of reach of all the others together.
    if (isKnown(of.remainder) && (points > up + REACH || points < down - REACH)) return;
    moved.set(riddle, of.step);
    choose(of, index + 1, points - move);
    moved.delete(riddle);
    choose(of, index + 1, points);
  };

  decide(1, 0);
  const found = new Map<Riddle, number>();
  if (steps > LONGEST_SEARCH) return found;
  for (const [riddle, step] of agreed) if (step !== null) found.set(riddle, step);
  return found;
}
