import { notesBlocks } from './common.ts';
import { capitalised, count, day, listing, score } from './format.ts';
import { line, prose } from './plain-text.ts';
import { destinationOf, disagreement, pastOf, worstFirst } from './subject.ts';
import type { Block, Detail, MailDocument } from './document.ts';
import type { OperationsItem, Report, ScoreLine } from './model.ts';

/** The mail to operations: what is wrong, since when, and what to do. */
export function operationsDocument(report: Report): MailDocument {
  const explained = worstFirst(report.operations).map((item) =>
    item.until ? past(item, item.until, report.timeZone) : explain(item),
  );
  const last = report.after ?? report.before;
  const single = explained.length === 1;
  return {
    tenant: report.name,
    // Without items it is a test of a channel, whose note says so.
    title:
      explained.length === 0
        ? 'A test: nothing to do'
        : single
          ? (explained[0]?.heading ?? '')
          : `${explained.length} things need attention`,
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

/** More are counted. */
const LISTED = 10;

function lastKnown(last: ScoreLine): Block {
  return {
    type: 'paragraph',
    text: `Last known score: ${score(last)}, in the snapshot of ${day(last.date)}.`,
  };
}

/** The item of an incident that is over: what it was, and that nothing has to be done. */
function past(item: OperationsItem, until: string, timeZone: string): { heading: string; details: Detail[] } {
  const happened = explain(item).details.filter(({ label }) => label === 'What happened');
  return {
    heading: capitalised(pastOf(item, until, timeZone)),
    details: [
      ...happened.map(({ text }) => ({ label: 'What happened', text })),
      { label: 'What to do', text: 'Nothing: it is over. This message could not be sent before.' },
    ],
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
            text: `Microsoft's newest Secure Score is ${count(item.days, 'day')} old (${day(item.since)}). Changes cannot be seen until a newer one is published.`,
          },
          {
            label: 'What to do',
            text: 'Usually nothing. Microsoft resumes by itself, and the missed days are then reported day by day. If this goes on, check Secure Score in the Defender portal; if it is not updated there either, ask Microsoft.',
          },
        ],
      };
    case 'suspect':
      return {
        heading: `Suspect snapshot of ${day(item.date)}`,
        details: [
          {
            label: 'What happened',
            text: `${item.gone} of ${count(item.told, 'recommendation')} are missing from the snapshot of ${day(item.date)}. That is usually a partial answer and not a real change, so the snapshot is archived but not reported.`,
          },
          {
            label: 'What to do',
            text: 'Nothing yet. The snapshot is accepted when two more days agree with it. If the tenant has lost services or licences, the change is probably real.',
          },
        ],
      };
    case 'disagreeing':
      return {
        heading: `Suspect snapshot of ${day(item.date)}`,
        details: [
          {
            label: 'What happened',
            text: `In the snapshot of ${day(item.date)}, the total and its recommendations disagree by ${disagreement(item)}: the total is ${item.difference < 0 ? 'less' : 'more'} than their sum. One of the two is wrong, so the snapshot is archived but not reported.`,
          },
          {
            label: 'What to do',
            text: 'Nothing yet. The snapshot is accepted when the total of two more days disagrees too. What no recommendation accounts for is then reported as not explained.',
          },
        ],
      };
    case 'unreadable': {
      const unlisted = item.count - item.controls.length;
      const names = item.controls.map((name) => line(name, 100));
      return {
        heading: `${count(item.count, 'recommendation')} without a readable score`,
        details: [
          {
            label: 'What happened',
            text: `In the snapshot of ${day(item.date)}, Microsoft gives no readable score for ${listing(unlisted > 0 ? [...names, `${unlisted} more`] : names)}. ${item.count === 1 ? 'It counts' : 'They count'} with the points last known, and all others are compared as usual.`,
          },
          {
            label: 'What to do',
            text: 'Usually nothing. Changes are reported as soon as the score can be read again. If this goes on, open a support request with Microsoft that quotes this message.',
          },
        ],
      };
    }
    case 'catalogue':
      return {
        heading: "Microsoft's list of recommendations is partial",
        details: [
          {
            label: 'What happened',
            text: `${item.decisions ? `All ${item.decisions} decisions are missing from Microsoft's list of recommendations, and it does not say who took them back.` : `Microsoft answered with ${item.profiles === 0 ? 'none' : `only ${item.profiles}`} of the ${count(item.complete, 'recommendation')} that its list had before.`} Until the list is complete again, titles, maxima and decisions come from the last complete one.`,
          },
          {
            label: 'What to do',
            text: 'Usually nothing. Decisions made in the meantime are reported when the list is complete again. A list that stays partial for 14 days is accepted as complete.',
          },
        ],
      };
    case 'undelivered':
      return {
        heading: `${capitalised(destinationOf(item.destination))} ${item.destination === 'mail' ? 'do' : 'does'} not get through`,
        details: [
          { label: 'What happened', text: prose(item.problem, 1000) },
          { label: 'What to do', text: prose(item.advice, 1000) },
          {
            label: 'Pending',
            text: `${count(item.waiting, 'message')}. Every run tries again until they are 7 days old, and then gives up.`,
          },
        ].filter((each) => each.text !== ''),
      };
    case 'dropped': {
      const shown = item.deliveries.slice(0, LISTED);
      const more = item.deliveries.length - shown.length;
      return {
        heading: `${count(item.deliveries.length, 'message')} could not be delivered`,
        details: [
          ...shown.map(({ destination, subject, to, since, problem }) => ({
            label: line(subject, 200),
            text: `To ${to.length > 0 ? line(to.join(', '), 300) : destinationOf(destination)}, of ${day(since)}: ${prose(problem, 500)}`,
          })),
          ...(more > 0 ? [{ label: 'And', text: `${more} more, all in the log of the function.` }] : []),
          {
            label: 'What to do',
            text: 'Correct the address or the channel in the config, so that the next message arrives. These messages are not sent again; their reports are in the archive, under reports/.',
          },
        ],
      };
    }
    case 'failing':
      return {
        heading: 'Monitoring is failing',
        details: [
          { label: 'What happened', text: prose(item.message, 1000) || line(item.code, 80) },
          { label: 'What to do', text: prose(item.advice, 1000) },
          { label: 'Failing since', text: day(item.since) },
          { label: 'Code', text: line(item.code, 80) },
        ].filter((each) => each.text !== ''),
      };
  }
}
