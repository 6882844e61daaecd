import { capitalised, LAG, notesBlocks, scoreBlocks } from './common.ts';
import { rowsOf, type Rows } from './entry.ts';
import { count, day, score, scoreChange, scoreStep, shortDay } from './format.ts';
import { line } from './plain-text.ts';
import { controlsEssence, scoresEssence } from './subject.ts';
import type { Block, Cell, MailDocument } from './document.ts';
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

/** From so many days on a table of them stands before the days themselves. */
const MANY_DAYS = 4;

export function changesDocument(report: Report, kind: 'scores' | 'controls'): MailDocument {
  const essence = kind === 'scores' ? scoresEssence(report) : controlsEssence(report);
  const kinds = SECTIONS[kind].map((section) => section.kind);
  const rows = rowsOf(report, kinds);
  const several = report.days.length > 1;
  const told = report.days
    .map((each) => ({ day: each, blocks: sections(each, kind, rows, several ? 3 : 2) }))
    .filter((each) => each.blocks.length > 0);

  return {
    tenant: report.name,
    title: capitalised(essence) || 'The score moved',
    preview: previewOf(told.flatMap((each) => each.blocks)),
    blocks: [
      ...scoreBlocks(report),
      ...(several
        ? overview(
            report,
            told.map((each) => each.day),
            kinds,
          )
        : []),
      ...told.flatMap((each) => (several ? [dayHeading(each.day), ...each.blocks] : each.blocks)),
      ...notesBlocks(report),
    ],
    footer: [LAG],
  };
}

function sections(of: DayReport, kind: 'scores' | 'controls', rows: Rows, level: 2 | 3): Block[] {
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
    blocks.push({ type: 'heading', level, text: 'Services' }, { type: 'list', items: services });
  }
  return blocks;
}

function dayHeading({ date, before, after }: DayReport): Block {
  return {
    type: 'heading',
    level: 2,
    text: day(date),
    aside: `${score(after)} (${scoreChange(before, after)})`,
  };
}

/** What the days of an absence bring, before each is told by itself. */
function overview(report: Report, told: DayReport[], kinds: ChangeKind[]): Block[] {
  const first = report.days[0]?.previousDate ?? '';
  const sentence = `${told.length} of the ${count(report.days.length, 'snapshot')} since ${day(first)} ${told.length === 1 ? 'has' : 'have'} something to tell.`;
  if (told.length < MANY_DAYS) return [{ type: 'paragraph', text: sentence }];

  const summary = (of: DayReport): string =>
    kinds
      .map((kind) => ({ kind, number: of.changes.filter((change) => change.kind === kind).length }))
      .flatMap(({ kind, number }) => (number === 0 ? [] : [`${number} ${kind}`]))
      .join(', ') || 'services';
  return [
    { type: 'paragraph', text: sentence },
    {
      type: 'table',
      columns: [
        { label: 'Snapshot', align: 'left' },
        { label: 'Score', align: 'right' },
        { label: 'Change', align: 'right' },
        { label: 'Recommendations', align: 'left' },
      ],
      rows: told.map((each): Cell[] => [
        shortDay(each.date),
        score(each.after),
        scoreStep(each.before, each.after),
        summary(each),
      ]),
    },
  ];
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
