import { matchControls, SAME_MAXIMUM, type ProfilesOfTwo } from './diff.ts';
import { allowedBy, allows, maximaOf, maximumOf } from './maximum.ts';
import { EPSILON, type Control, type Profile, type Profiles, type Snapshot } from './snapshot.ts';

/**
 * Finds out on which day Microsoft re-scored a control. The catalogue is known at two moments, with any number of days
 * between them. The total's maximum is known on each of these days, and so may show on which one a maximum in the
 * catalogue moved.
 */

/** A day and the one before it. */
export interface Step {
  before: Snapshot;
  after: Snapshot;
}

/** One control from day 0 to the last day of a gap, under all its names; null on days without it. */
interface Life {
  names: (string | null)[];
  controls: (Control | null)[];
  /** Its profile in the catalogue at both ends. */
  profiles: { before: Profile | undefined; after: Profile | undefined };
}

/** A life whose maximum moved in the catalogue, on a step still to be found. Step `n` leads from day n − 1 to day n. */
interface Riddle {
  life: Life;
  before: number;
  after: number;
  /** The first and the last step on which it can have moved. A step after the last day means: perhaps not yet. */
  earliest: number;
  latest: number;
}

/** Maximum number of steps of the search, a few milliseconds; a larger search has more than one answer anyway. */
const LONGEST_SEARCH = 20_000;

/**
 * The catalogue at both sides of each step, with the maxima of that day. If exactly one set of controls adds up to the
 * moves of the total's maximum on all steps, each maximum that moved in the catalogue is dated to its step; otherwise to
 * the last step, as `undated`.
 * @param steps consecutive
 * @param profiles for each step: before the first one as of the earlier moment, after the last one as of the later
 */
export function dateMaxima(steps: Step[], profiles: ProfilesOfTwo[]): ProfilesOfTwo[] {
  const [first, last] = [profiles[0]?.before, profiles.at(-1)?.after];
  if (!first || !last) return profiles;
  // A day that came late may have a later catalogue than the days around it, which lacks what was renamed since. Whether
  // two equal catalogues are one object depends on who read them, so that alone decides nothing.
  const isComplete = ({ controls }: Snapshot) => [...controls.keys()].every((name) => first.has(name));
  const isSame = profiles.every(({ after }) => after === first);
  const snapshots = new Set(steps.flatMap(({ before, after }) => [before, after]));
  if (isSame && [...snapshots].every(isComplete)) return profiles;

  const lives = livesOf(steps, first, last);
  const days = [first, ...profiles.map(({ after }) => after)].map((known) => new Map(known));
  // Some controls are missing in the later catalogue, or are in it under another name than the one they had meanwhile.
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
  const remainders = open.length === 0 ? [] : remaindersOf(steps, days, lives, open);
  // If every maximum may have moved on its earliest day, the totals are explained and no search is needed.
  if (open.length > 0 && !addUp(remainders, open)) {
    const found = search(remainders, open);
    for (const riddle of open) {
      const step = found.get(riddle) ?? null;
      const end = lastDayOf(riddle.life);
      date(riddle, step ?? (end < steps.length ? end + 1 : Math.min(riddle.latest, steps.length)));
      if (step === null) for (const name of riddle.life.names) if (name !== null) undated.add(name);
    }
  }
  return steps.map((_, index) => ({
    ...profiles[index]!,
    before: days[index]!,
    after: days[index + 1]!,
    undated,
  }));
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

/** Empty if its maximum did not move in the catalogue, or if its points contradict both ends of it. */
function riddleOf(life: Life): Riddle[] {
  const before = life.profiles.before?.maximum ?? null;
  const after = life.profiles.after?.maximum ?? null;
  if (before === null || after === null || Math.abs(after - before) <= EPSILON) return [];
  // A control that came with its new maximum moved before the gap, and one that went with its old maximum never moved.
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

/** The part of one step's move of the total's maximum that no known maximum explains, and the controls of unknown one. */
interface Remainder {
  points: number;
  /** Numbers of controls of unknown maximum that came, and that went. */
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

/** The part of a step's move that a control accounts for, if its own maximum moved on step `moved`. */
function contribution({ life, before, after }: Riddle, moved: number, step: number): number {
  const maximumOn = (day: number) => (life.controls[day] ? (day < moved ? before : after) : 0);
  return maximumOn(step) - maximumOn(step - 1);
}

/** Sums of maxima count as equal if they differ by no more than this; binary fractions add a little. */
const REACH = SAME_MAXIMUM + 1e-9;

function isKnown({ come, gone }: Remainder): boolean {
  return come + gone === 0;
}

/** @param points the part of the move of the total's maximum that is left to explain */
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
 * A choice of the search: a riddle that may move on this step, and by how much that moves the total; and the limits
 * within which it and the riddles after it can move the total down and up.
 */
interface Choice {
  step: number;
  remainder: Remainder;
  free: { riddle: Riddle; move: number; down: number; up: number }[];
  unexplained: number;
}

/**
 * Searches all combinations of moves that leave the fewest steps unexplained.
 * @returns the step of each riddle that moves on the same step in all of them; empty if there are too many
 */
function search(remainders: Remainder[], open: Riddle[]): Map<Riddle, number> {
  let fewest = Number.POSITIVE_INFINITY;
  let steps = 0;
  /** Null for a riddle whose step differs between the answers. */
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
    // Its points prove that it moves on this step at the latest.
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

  /** Tries the subsets of the free riddles whose moves add up to what is left of the step's maximum. */
  const choose = (of: Choice, index: number, points: number): void => {
    steps += 1;
    if (steps > LONGEST_SEARCH) return;
    if (index === of.free.length) {
      if (isExplained(of.remainder, points)) decide(of.step + 1, of.unexplained);
      return;
    }
    const { riddle, move, down, up } = of.free[index]!;
    // The others together can no longer reach what is left.
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
