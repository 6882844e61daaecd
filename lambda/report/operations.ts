import { notesBlocks } from './changes.ts';
import { count, day, score } from './format.ts';
import { line, prose } from './plain-text.ts';
import { operationsEssence } from './subject.ts';
import type { Block, Detail, MailDocument } from './document.ts';
import type { OperationsItem, Report } from './model.ts';

/** The mail to those who keep the monitor running: what is wrong, since when, what to do. */
export function operationsDocument(report: Report): MailDocument {
  const essence = operationsEssence(report.operations);
  const last = report.after ?? report.before;
  return {
    tenant: report.name,
    title: essence.charAt(0).toUpperCase() + essence.slice(1),
    preview:
      report.operations.flatMap((item) => explain(item).details.map((each) => line(each.text, 120)))[0] ?? '',
    blocks: [
      ...report.operations.flatMap((item): Block[] => {
        const { heading, details } = explain(item);
        return [
          { type: 'heading', level: 2, text: heading },
          { type: 'details', items: details },
        ];
      }),
      ...(last
        ? [
            {
              type: 'paragraph' as const,
              text: `Last known score: ${score(last)}, in the snapshot of ${day(last.date)}.`,
            },
          ]
        : []),
      ...notesBlocks(report),
    ],
    footer: [],
  };
}

function explain(item: OperationsItem): { heading: string; details: Detail[] } {
  switch (item.kind) {
    case 'stale':
      return {
        heading: 'No new snapshot',
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
        heading: 'Suspect snapshot',
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
          { label: 'What happened', text: prose(item.message, 1500) || line(item.code, 80) },
          { label: 'What to do', text: prose(item.advice, 1500) },
          { label: 'Failing since', text: day(item.since) },
          { label: 'Code', text: line(item.code, 80) },
        ].filter((each) => each.text !== ''),
      };
  }
}
