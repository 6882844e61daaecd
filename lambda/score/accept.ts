import { matchControls } from './diff.ts';
import type { Snapshot } from './snapshot.ts';

/** Which of the days after the one last told count, and which not. */
export interface Accepted {
  /** Days to compare, oldest first: each with the accepted day before it. */
  steps: { before: Snapshot; after: Snapshot }[];
  /** Suspect days that the following days contradict: left out of every comparison. */
  skipped: Suspicion[];
  /** A suspect day that still waits for two further days; nothing from it on is told. */
  waiting: Suspicion | null;
}

export interface Suspicion {
  date: string;
  /** How many of the `told` controls of the baseline are gone. */
  gone: number;
  told: number;
}

/** A suspect day is accepted when so many further days agree with it. */
const CONFIRMING_DAYS = 2;

/**
 * Decides which days count. A day on which more than half of the told controls are gone, with the same services,
 * is more often half an answer than the truth: it counts only once two further days agree with it.
 * A fold over the days: daily runs and one run after a gap accept the same days.
 * @param told the baseline: the snapshot last told
 * @param days the days after it, oldest first
 */
export function acceptDays(told: Snapshot, days: Snapshot[]): Accepted {
  const accepted: Accepted = { steps: [], skipped: [], waiting: null };
  let baseline = told;
  for (const [index, day] of days.entries()) {
    const suspicion = suspect(baseline, day);
    if (suspicion) {
      const further = days.slice(index + 1, index + 1 + CONFIRMING_DAYS);
      const agree = (other: Snapshot) => suspect(baseline, other) !== null && suspect(day, other) === null;
      if (!further.every(agree)) {
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

function suspect(baseline: Snapshot, day: Snapshot): Suspicion | null {
  const { enabledServices: before } = baseline;
  const { enabledServices: after } = day;
  if (before && after && before.join('\n') !== after.join('\n')) return null;
  const told = baseline.controls.size;
  const gone = matchControls(baseline, day).removed.length;
  return gone > told / 2 ? { date: day.date, gone, told } : null;
}
