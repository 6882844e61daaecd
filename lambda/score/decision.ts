import type { Decision } from './snapshot.ts';

/** A decision moves the score within so many days: third-party marks take up to 7, and sources sync late. */
const EFFECTIVE_DAYS = 14;

const DAY_MS = 24 * 3_600_000;

/**
 * States that give a control's points without anything being done here. An open list: compared without case, blanks
 * and dashes ("ThirdParty", "Resolved through alternate mitigation").
 */
const GIVING = ['thirdparty', 'alternatemitigation'];

export function givesPoints(state: string | null): boolean {
  const bare = (state ?? '').toLowerCase().replace(/[^a-z]/g, '');
  return GIVING.some((giving) => bare.endsWith(giving));
}

/** Whether two decisions are one: the same state, set at the same time. */
export function sameDecision(a: Decision | null, b: Decision | null): boolean {
  return a?.state.toLowerCase() === b?.state.toLowerCase() && a?.at === b?.at;
}

/**
 * Whether a decision explains a move of its control's points: a gain where the state in force gives points, a loss
 * where one that gave them was taken back; set at most 14 days before the snapshot.
 * @param date of the snapshot, yyyy-mm-dd
 * @param move in points
 */
export function explains(decision: Decision | null, date: string, move: number): boolean {
  if (!decision?.at || move === 0) return false;
  const age = (Date.parse(date) + DAY_MS - Date.parse(decision.at)) / DAY_MS;
  if (!(age >= 0 && age <= EFFECTIVE_DAYS + 1)) return false;
  return move > 0
    ? givesPoints(decision.state)
    : !givesPoints(decision.state) && givesPoints(decision.previousState);
}
