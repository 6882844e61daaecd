import { rowsOf } from './entry.ts';
import { count, day, points, score, scoreChange } from './format.ts';
import { line } from './plain-text.ts';
import { controlsEssence, daysCovered, scoresEssence } from './subject.ts';
import type { Block, MailDocument, ScoreBlock, Tone } from './document.ts';
import type { DayReport, Report } from './model.ts';
import type { ChangeKind } from '../score/change.ts';

/** The two mails about changes: one of scores, one of its own for recommendations that come and go. */

/** Sections in the order in which they are told. */
const SECTIONS: Record<'scores' | 'controls', { kind: ChangeKind; heading: string }[]> = {
  scores: [
    { kind: 'lost', heading: 'Lost points' },
    { kind: 'gained', heading: 'Gained points' },
  ],
  controls: [
    { kind: 'new', heading: 'New recommendations' },
    { kind: 'removed', heading: 'Removed recommendations' },
    { kind: 'renamed', heading: 'Renamed recommendations' },
  ],
};

const LAG =
  'Points can appear 24–48 hours after a fix, and 7 days after something is marked as solved by a third party.';

export function changesDocument(report: Report, kind: 'scores' | 'controls'): MailDocument {
  const essence = kind === 'scores' ? scoresEssence(report) : controlsEssence(report);
  const rows = rowsOf(
    report,
    SECTIONS[kind].map((section) => section.kind),
  );
  const several = report.days.length > 1;
  const told = report.days
    .map((each) => ({ day: each, blocks: sections(each, kind, rows, several ? 3 : 2) }))
    .filter((each) => each.blocks.length > 0);

  return {
    tenant: report.name,
    title: essence === '' ? 'The score moved' : essence.charAt(0).toUpperCase() + essence.slice(1),
    preview: previewOf(told.flatMap((each) => each.blocks)),
    blocks: [
      ...scoreBlocks(report),
      ...(several ? [{ type: 'paragraph' as const, text: overview(report, told.length) }] : []),
      ...told.flatMap((each) => (several ? [dayHeading(each.day), ...each.blocks] : each.blocks)),
      ...notesBlocks(report),
    ],
    footer: [LAG],
  };
}

/** The score as it stands, with its change since it was last told. */
export function scoreBlocks({ before, after }: Report): ScoreBlock[] {
  if (after === null) return [];
  const unit = before?.percentage === null || after.percentage === null ? 'points' : 'percentage points';
  return [
    {
      type: 'score',
      value: score(after),
      change: before && {
        text: `${scoreChange(before, after)} ${unit} since ${day(before.date)}`,
        tone: toneOf((after.percentage ?? after.points) - (before.percentage ?? before.points)),
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

function sections(
  of: DayReport,
  kind: 'scores' | 'controls',
  rows: ReturnType<typeof rowsOf>,
  level: 2 | 3,
): Block[] {
  const blocks = SECTIONS[kind].flatMap<Block>((section) => {
    const entries = rows.of(of.changes, section.kind);
    return entries.length === 0
      ? []
      : [
          { type: 'heading', level, text: section.heading, aside: String(entries.length) },
          { type: 'entries', entries },
        ];
  });
  const services = of.changes
    .filter((change) => change.kind === 'services')
    .map((change) => line(change.title, 400));
  if (services.length > 0) {
    blocks.push({ type: 'heading', level, text: 'Enabled services' }, { type: 'list', items: services });
  }
  return blocks;
}

function dayHeading(of: DayReport): Block {
  return {
    type: 'heading',
    level: 2,
    text: day(of.date),
    aside: `${score(of.after)} (${scoreChange(of.before, of.after)})`,
  };
}

/** "31 days were compared, 30 Nov 2025 to 9 Jan 2026; on 3 of them something changed." */
function overview(report: Report, changed: number): string {
  const first = report.days[0]?.previousDate ?? '';
  const last = report.days.at(-1)?.date ?? '';
  const covered = daysCovered(report);
  return (
    `From ${day(first)} to ${day(last)}${covered > 1 ? ` (${covered} days)` : ''} each snapshot was compared with the one before it. ` +
    `${count(changed, 'day')} of ${report.days.length} ${changed === 1 ? 'has' : 'have'} something to tell.`
  );
}

/** What a list of mails shows beside the subject: the most important titles. */
function previewOf(blocks: Block[]): string {
  const titles = blocks.flatMap((block) =>
    block.type === 'entries'
      ? block.entries.map((entry) => `${entry.title}${entry.amount ? ` (${entry.amount})` : ''}`)
      : [],
  );
  return line(titles.slice(0, 3).join('; '), 160);
}

function toneOf(change: number): Tone {
  if (Math.abs(change) < 5e-6) return 'neutral';
  return change < 0 ? 'bad' : 'good';
}
