import { notesBlocks } from './common.ts';
import { count, day, score } from './format.ts';
import { line, prose } from './plain-text.ts';
import { worstFirst } from './subject.ts';
import type { Block, Detail, MailDocument } from './document.ts';
import type { OperationsItem, Report, ScoreLine } from './model.ts';

/** The mail to those who keep the monitor running: what is wrong, since when, what to do. */
export function operationsDocument(report: Report): MailDocument {
  const explained = worstFirst(report.operations).map(explain);
  const last = report.after ?? report.before;
  const single = explained.length === 1;
  return {
    tenant: report.name,
    title: single ? (explained[0]?.heading ?? '') : `${explained.length} things want attention`,
    preview: line(explained[0]?.details[0]?.text ?? '', 160),
    blocks: [
      ...explained.flatMap(({ heading, details }): Block[] => [
        ...(single ? [] : [{ type: 'heading' as const, level: 2 as const, text: heading }]),
        { type: 'details', items: details },
      ]),
      ...(last ? [lastKnown(last)] : []),
      ...notesBlocks(report),
    ],
    footer: [],
  };
}

function lastKnown(last: ScoreLine): Block {
  return {
    type: 'paragraph',
    text: `Last known score: ${score(last)}, in the snapshot of ${day(last.date)}.`,
  };
}

function explain(item: OperationsItem): { heading: string; details: Detail[] } {
  switch (item.kind) {
    case 'stale':
      return {
        heading: `No new snapshot since ${day(item.since)}`,
        details: [
          {
            label: 'What happened',
            text: `The newest Secure Score that Microsoft serves is that of ${day(item.since)}, ${count(item.days, 'day')} ago. Until a newer one comes, changes cannot be seen.`,
          },
          {
            label: 'What to do',
            text: 'Usually nothing: Microsoft resumes by itself, and the missed days are then told day by day. If it lasts, look at Secure Score in the Defender portal, and ask Microsoft if it stands still there too.',
          },
        ],
      };
    case 'suspect':
      return {
        heading: `Suspect snapshot of ${day(item.date)}`,
        details: [
          {
            label: 'What happened',
            text: `In the snapshot of ${day(item.date)}, ${item.gone} of ${count(item.told, 'recommendation')} are gone at once. That is more often a partial answer than a real change: it is archived, and not told.`,
          },
          {
            label: 'What to do',
            text: 'Nothing yet: it is accepted when two further days agree. If services or licences of the tenant were taken away, it is probably real.',
          },
        ],
      };
    case 'failing':
      return {
        heading: 'Monitoring fails',
        details: [
          { label: 'What happened', text: prose(item.message, 1000) || line(item.code, 80) },
          { label: 'What to do', text: prose(item.advice, 1000) },
          { label: 'Failing since', text: day(item.since) },
          { label: 'Code', text: line(item.code, 80) },
        ].filter((each) => each.text !== ''),
      };
  }
}
