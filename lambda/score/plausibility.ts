import { matchControls } from './diff.ts';
import { maximumOf } from './maximum.ts';
import type { Control, ScoreLine, Snapshot } from './snapshot.ts';

/*
 * The rules by which an answer is accepted. Each single field is checked where it is read (graph/schema.ts); this file
 * checks values that contradict each other or the days before. A value that would move a score is refused with its entry.
 * A value that only describes one becomes unknown, because no description is worth losing a day.
 *
 *   secureScore
 *   id, createdDateTime    one day, of the tenant, that a calendar has, at most tomorrow in UTC (isFromTheFuture);
 *                          else the entry is refused
 *   azureTenantId          the configured tenant; else refused
 *   currentScore, maxScore finite, 0 or more, points at most the maximum (impossible); else refused. 0 of 0 is the
 *                          score of a tenant without licences
 *   currentScore           leaves the sum of its controls no further than before; else suspect (acceptDays)
 *   maxScore               may move in any way: Microsoft re-scores. It is not the sum of known maxima
 *   controlScores          a list of controls with a name each, not empty beside points; else refused.
 *                          More than half of those last reported gone: suspect (acceptDays)
 *   … score                finite, 0 or more, for more than half of the list. A control whose score cannot be read is held
 *                          at its last value and named (holdUnreadable)
 *   … controlName          twice: the points are summed, percentage and counts unknown
 *   … scoreInPercentage    0 to 100, beyond rounding; else unknown: the maximum then comes from the catalogue
 *   … count, total         whole numbers, count at most total; else both unknown, and no move is drift because of them
 *   … lastSynced, texts    anything: shown, never derived from
 *   … controlCategory      anything: an attribute, which may change
 *   enabledServices        an empty list is unknown, as a missing one is: no tenant with a score has no service.
 *                          Unknown is no change; the last known ones stay in force
 *   averageComparativeScores  0 to 100 per cent; else unknown. Shown, never compared
 *   activeUserCount, …     not read
 *
 *   secureScoreControlProfile
 *   the list               neither empty nor less than half of the last complete one (isPartialCatalogue); else that
 *                          one stays in force
 *   id                     there; else the profile is left out and named
 *   maxScore               finite, above 0, and not below the points of its control (maximumOf); else unknown
 *   controlStateUpdates    the rules of decisions (score/decision.ts)
 *   all others             anything: shown
 */

const DAY_MS = 24 * 3_600_000;

/** Graph states points and maxima with two decimals: each may be half a unit off. */
const ROUNDING = 0.01;

/** The maximum difference, in points, between the total and its controls: rounding adds up over hundreds of controls. */
const TOTAL_SLACK = 0.5;

/** The maximum that is assumed where none is stated, because those in the catalogue go up to 10. */
const LIKELY_MAXIMUM = 10;

/** The number of further days that must agree with a suspect day before it is accepted. */
const CONFIRMING_DAYS = 2;

/**
 * True if a day is in the future of an answer: later than the next day in UTC. One day is allowed, because a clock may be
 * slow and a time zone ahead.
 * @param date yyyy-mm-dd
 * @param now the time of the answer, ISO 8601. For an archived snapshot it is `fetchedAt`, so that one from the future
 *   stays implausible even when its date has come
 */
export function isFromTheFuture(date: string, now: string): boolean {
  return date > new Date(Date.parse(now) + DAY_MS).toISOString().slice(0, 10);
}

/** The reason why a score is impossible, as the end of a sentence about it; null if it is possible. */
export function impossible({ points, maximum }: { points: number; maximum: number }): string | null {
  if (points <= maximum + ROUNDING) return null;
  return maximum === 0
    ? `its currentScore is ${points} though its maxScore is 0`
    : `its currentScore ${points} is more than its maxScore ${maximum}`;
}

/** True if a day of the chart is plausible. An earlier version accepted days that are not. */
export function isPlausible(day: ScoreLine, now: string): boolean {
  return !isFromTheFuture(day.date, now) && impossible(day) === null;
}

/**
 * True if a catalogue is only a part, because Microsoft adds and retires only a few profiles at a time.
 * @param size its number of profiles. @param complete that of the last complete one
 */
export function isPartialCatalogue(size: number, complete: number): boolean {
  return size < complete / 2;
}

/** Which of the days after the one last reported count, and which do not. */
export interface Accepted {
  /** Days to compare, oldest first, each with the accepted day before it. */
  steps: { before: Snapshot; after: Snapshot }[];
  /** Suspect days that the following days contradict: left out of every comparison. */
  skipped: Suspicion[];
  /** A suspect day that needs two further days to be confirmed; nothing from it on is reported. */
  waiting: Suspicion | null;
}

/** Why a day is suspect. */
export type Suspicion =
  /** The number of controls that are gone, and that of the baseline (`told`, a stored name). */
  | { date: string; gone: number; told: number }
  /** The total minus the sum of its controls, in points. */
  | { date: string; difference: number };

/**
 * Decides which days count. A day is suspect if more than half of the baseline's controls are gone (more often a partial
 * answer than the truth, whatever it says about the services), or if its total has left its controls. It counts only
 * once two further days agree with it. A suspect day that does not count changes nothing: the next plausible day is
 * compared with the baseline, and carries whatever was lost meanwhile.
 * It is a fold over the days, so daily runs and one run after a gap accept the same days.
 * @param lastReported the baseline: the snapshot last reported
 * @param days the days after it, oldest first
 */
export function acceptDays(lastReported: Snapshot, days: Snapshot[]): Accepted {
  const accepted: Accepted = { steps: [], skipped: [], waiting: null };
  let baseline = lastReported;
  for (const [index, raw] of days.entries()) {
    const day = holdUnreadable(baseline, raw);
    const suspicion = suspect(baseline, day);
    if (suspicion) {
      const further = days
        .slice(index + 1, index + 1 + CONFIRMING_DAYS)
        .map((other) => holdUnreadable(baseline, other));
      if (!further.every((other) => agrees(baseline, day, other))) {
        accepted.skipped.push(suspicion);
        continue;
      }
      if (further.length < CONFIRMING_DAYS) {
        accepted.waiting = suspicion;
        break;
      }
    }
    accepted.steps.push({ before: baseline, after: day });
    baseline = day;
  }
  return accepted;
}

/**
 * A day on which each control of unreadable score has its last known value, so that one broken control does not hide what
 * happens to the others. A control that is not in the baseline is left out until it can be read, and is new then.
 */
function holdUnreadable(baseline: Snapshot, day: Snapshot): Snapshot {
  const held = (day.unreadable ?? []).flatMap((name) => {
    const control = baseline.controls.get(name);
    return control && !day.controls.has(name) ? [[name, control] as const] : [];
  });
  return held.length === 0 ? day : { ...day, controls: new Map([...day.controls, ...held]) };
}

/** The held controls of a day. A later comparison needs them, because the archived object does not contain them. */
export function heldControls(day: Snapshot): Control[] {
  return (day.unreadable ?? []).flatMap((name) => day.controls.get(name) ?? []);
}

function suspect(baseline: Snapshot, day: Snapshot): Suspicion | null {
  const baselineSize = baseline.controls.size;
  const gone = matchControls(baseline, day).removed.length;
  if (gone > baselineSize / 2) return { date: day.date, gone, told: baselineSize };
  const difference = disagreement(day);
  return leaves(disagreement(baseline), difference, day) ? { date: day.date, difference } : null;
}

/**
 * True if another day confirms a suspect day: the same controls are missing, by the same measure, or its total has left
 * its controls too, by any amount. If the amount had to be the same, a total that is no longer the sum and moves daily
 * would never be confirmed, and the tenant would never be reported again.
 */
function agrees(baseline: Snapshot, day: Snapshot, other: Snapshot): boolean {
  const [first, second] = [suspect(baseline, day), suspect(baseline, other)];
  if (!first || !second) return false;
  return 'difference' in first ? 'difference' in second : 'gone' in second && !misses(day, other);
}

function misses(day: Snapshot, other: Snapshot): boolean {
  return matchControls(day, other).removed.length > day.controls.size / 2;
}

/** Points of the total minus the sum of its controls. */
function disagreement(snapshot: Snapshot): number {
  let sum = 0;
  for (const { points } of snapshot.controls.values()) sum += points;
  return snapshot.points - sum;
}

/**
 * True if the total is further from the sum of its controls than before. A total that comes back to them never is, and
 * for one that is never their sum only a multiple of the usual difference means anything. A held control may be worth
 * anything up to its maximum, and gives the total as much room.
 */
function leaves(before: number, after: number, day: Snapshot): boolean {
  let room = TOTAL_SLACK;
  for (const control of heldControls(day)) {
    room += Math.max(maximumOf(control, undefined) ?? LIKELY_MAXIMUM, control.points);
  }
  return Math.abs(after) > 2 * Math.abs(before) + room;
}
