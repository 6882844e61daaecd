import { day, points, score, scoreChange } from './format.ts';
import { line } from './plain-text.ts';
import type { Block, ScoreBlock, Tone } from './document.ts';
import type { Report } from './model.ts';

/** Blocks and sentences that several kinds of mail share. */

/** What Microsoft documents of its delays. */
export const LAG =
  'Points can appear 24–48 hours after a fix, and 7 days after something is marked as solved by a third party.';

/** The score as it stands, with its change since it was last told. */
export function scoreBlocks({ before, after }: Report): ScoreBlock[] {
  if (after === null) return [];
  const inPoints = before?.percentage === null || after.percentage === null;
  return [
    {
      type: 'score',
      value: score(after),
      change: before && {
        text: `${scoreChange(before, after)} ${inPoints ? 'points' : 'percentage points'} since ${day(before.date)}`,
        tone: inPoints
          ? toneOf(after.points - before.points)
          : toneOf((after.percentage ?? 0) - (before.percentage ?? 0)),
      },
      detail: `${points(after.points)} of ${points(after.maximum)} points in the snapshot of ${day(after.date)}`,
      fraction: after.percentage === null ? null : after.percentage / 100,
    },
  ];
}

export function notesBlocks(report: Report): Block[] {
  const items = report.notes.map((note) => line(note, 400)).filter((note) => note !== '');
  return items.length === 0
    ? []
    : [
        { type: 'heading', level: 2, text: 'Notes' },
        { type: 'list', items },
      ];
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What five decimals do not show is the noise of binary fractions. */
function toneOf(change: number): Tone {
  if (Math.abs(change) < 5e-6) return 'neutral';
  return change < 0 ? 'bad' : 'good';
}
