import type { Sides } from './change.ts';
import { HALF_A_UNIT } from './maximum.ts';
import type { Control } from './snapshot.ts';

/**
 * Drift is the movement of a score because people and devices come and go. It differs from a loss neither in the score
 * nor in how far a new total could move it, but in **how many fail**: total · (1 − points / maximum). Protected users
 * who come and go move the score but not that number; a hole, however small compared with the total, raises it.
 */

/** How many people or devices fail a control on two days (a fraction if credit is not linear). */
export interface Failing {
  before: number;
  after: number;
  /** The smaller of the two totals. */
  total: number;
  /** The uncertainty of the difference because points are rounded. */
  rounding: number;
}

/** Absorbs what binary fractions add. */
const SLACK = 1e-9;

/** @returns null if a day is partial, counts nobody, or has no maximum: it is then unknown how many fail */
export function failingOf(before: Control, after: Control, maximum: Sides): Failing | null {
  const earlier = byPoints(before, maximum.before);
  const later = byPoints(after, maximum.after);
  if (!earlier || !later) return null;
  const total = Math.min(before.total!, after.total!);
  // The count is exact, while a hundredth of a point may be 200 of 20,000 people. But it counts either those who fail or
  // those who do not, and has changed its meaning before, so it is used if the points of both days agree with one of the two.
  const [exact, ...more] = [failingByCount, meetingByCount]
    .map((read) => ({ before: read(before), after: read(after) }))
    .filter((read) => agrees(read.before, earlier) && agrees(read.after, later));
  if (exact && more.length === 0) return { before: exact.before!, after: exact.after!, total, rounding: 0 };
  return {
    before: earlier.number,
    after: later.number,
    total,
    rounding: earlier.rounding + later.rounding,
  };
}

function byPoints(control: Control, maximum: number | null): { number: number; rounding: number } | null {
  const { complete, points, total } = control;
  if (!complete || !total || !maximum) return null;
  return { number: total * (1 - points / maximum), rounding: (total * HALF_A_UNIT) / maximum };
}

const failingByCount = ({ count }: Control): number | null => count;
const meetingByCount = ({ count, total }: Control): number | null =>
  count === null || total === null ? null : total - count;

function agrees(number: number | null, { number: ofPoints, rounding }: { number: number; rounding: number }) {
  return number !== null && Math.abs(number - ofPoints) <= rounding + SLACK;
}

/**
 * True if a move of the score is drift: the total moved, but the number that fails did not, beyond rounding and a small
 * allowance. If fewer fail, it is a gain only if the score rose; if the score fell, protected users left as well.
 * @param move in points, not 0
 */
export function isDrift(before: Control, after: Control, failing: Failing | null, move: number): boolean {
  if (!failing || before.total === after.total) return false;
  const more = failing.after - failing.before;
  const { rounding } = failing;
  // Half a person or device counts as none.
  const limit = Math.max(rounding, allowedADay(failing.total) + Math.min(rounding, 0.5)) + SLACK;
  return (move < 0 ? more : Math.abs(more)) <= limit;
}

/** The allowance in people or devices: 3, or 1 ‰ of many. Below 300 it is 1 %, so below 100 it is nobody. */
function allowedADay(total: number): number {
  return Math.min(0.01 * total, Math.max(3, 0.001 * total));
}

/** Small moves that have added up to more than this are reported: 10, or 5 ‰ of many, but no more than 2 %. */
export function allowedInAll(total: number): number {
  return Math.min(0.02 * total, Math.max(10, 0.005 * total));
}
