import { healedBlocks, LAG, notesBlocks, scoreBlocks } from './common.ts';
import { explained } from './account.ts';
import { localDay } from './decision.ts';
import { mostImportantFirst, rowsOf, titleOf, reportedChanges, type Rows } from './entry.ts';
import {
  capitalised,
  count,
  day,
  listing,
  score,
  scoreChange,
  shortDay,
  sides,
  signedUnits,
} from './format.ts';
import { line } from './plain-text.ts';
import { bends, roundTogether } from './rounding.ts';
import { commandLine, shellWord } from '../command-line.ts';
import { controlsEssence, scoresEssence } from './subject.ts';
import type { Block, Cell, Entry, MailDocument } from './document.ts';
import type { DayReport, Report, ReportedChange } from './model.ts';
import type { MailKind } from '../ports.ts';
import type { ChangeKind } from '../score/change.ts';

/** The two mails about changes: one for scores, and one for recommendations that are added, removed or re-scored. */

/** Sections in the order in which they are listed. */
const SECTIONS: Record<'scores' | 'controls', { kind: ChangeKind; heading: string }[]> = {
  scores: [
    { kind: 'lost', heading: 'Lost points' },
    { kind: 'gained', heading: 'Gained points' },
  ],
  controls: [
    { kind: 'new', heading: 'New recommendations' },
    { kind: 'removed', heading: 'Removed recommendations' },
    { kind: 're-scored', heading: 'Re-scored recommendations' },
    { kind: 'decided', heading: 'Decisions' },
    { kind: 'renamed', heading: 'Renamed recommendations' },
  ],
};

/** The maximum number of services whose last sync is listed. */
const SERVICES = 8;

/** The maximum number of recommendations that are listed as changed and changed back. */
const ROUND_TRIPS = 20;

/** The kinds of change that a delivery of a kind reports. */
export function kindsOf(kind: MailKind): ChangeKind[] {
  return kind === 'scores' || kind === 'controls'
    ? [...SECTIONS[kind].map((section) => section.kind), 'services']
    : [];
}

export function changesDocument(report: Report, kind: 'scores' | 'controls'): MailDocument {
  const essence = kind === 'scores' ? scoresEssence(report) : controlsEssence(report);
  const kinds = SECTIONS[kind].map((section) => section.kind);
  const rows = rowsOf(report, kinds);
  const several = report.days.length > 1;
  const confirmed = rows.confirmed();
  const reported = report.days
    .map((each) => ({
      day: each,
      // Of one day, what is confirmed stands with what fell.
      blocks: sections(each, kind, rows, several ? { level: 3, more: [] } : { level: 2, more: confirmed }),
    }))
    .filter((each) => each.blocks.length > 0);

  const steps = stepsOf(
    report,
    reported.map((each) => each.day),
  );
  const blocks = [
    ...(several && confirmed.length > 0 ? confirmedBlocks(confirmed) : []),
    ...reported.flatMap((each) =>
      several ? [dayHeading(each.day, steps.of(each.day)), ...each.blocks] : each.blocks,
    ),
  ];
  return {
    tenant: report.name,
    title: capitalised(essence) || 'The score moved',
    preview: explained(report)?.sentence ?? previewOf(blocks),
    blocks: [
      ...scoreBlocks(report),
      ...(several
        ? overview(
            report,
            reported.map((each) => each.day),
            kinds,
            steps,
          )
        : []),
      ...blocks,
      ...healedBlocks(report),
      ...(kind === 'scores' ? otherMail(report) : []),
      ...sourcesBlocks(report, kinds),
      ...notesBlocks(report),
    ],
    footer: [LAG],
    ...everythingOf(report),
  };
}

function sections(
  of: DayReport,
  kind: 'scores' | 'controls',
  rows: Rows,
  { level, more }: { level: 2 | 3; more: Entry[] },
): Block[] {
  const blocks = SECTIONS[kind].flatMap<Block>((section) => {
    const entries = rows.of(of.changes, section.kind);
    const all = section.kind === 'lost' ? [...entries, ...more].toSorted(mostImportantFirst) : entries;
    return all.length === 0
      ? []
      : [
          { type: 'heading', level, text: section.heading, aside: String(all.length) },
          { type: 'entries', entries: all },
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

function confirmedBlocks(entries: Entry[]): Block[] {
  return [
    { type: 'heading', level: 2, text: 'Lost points, confirmed', aside: String(entries.length) },
    { type: 'entries', entries },
  ];
}

function dayHeading({ date, after }: DayReport, step: string): Block {
  return { type: 'heading', level: 2, text: day(date), aside: `${score(after)} (${step})` };
}

/** The days of an absence in one table, before each is listed by itself. */
function overview(report: Report, reported: DayReport[], kinds: ChangeKind[], steps: Steps): Block[] {
  const first = report.days[0]?.previousDate ?? '';
  const all = report.days.length;
  const which =
    reported.length === all ? `All ${all} snapshots` : `${reported.length} of the ${all} snapshots`;
  const sentence = `${which} since ${day(first)} ${reported.length === 1 ? 'has' : 'have'} changes to report.`;
  return [
    { type: 'heading', level: 2, text: 'Day by day' },
    { type: 'paragraph', text: sentence },
    ...(reported.length > 0 ? [daysTable(report, reported, kinds, steps)] : []),
    ...roundTrips(report, kinds),
  ];
}

/** How far the score moved, day by day, as the table and the headings print it. */
interface Steps {
  of(day: DayReport): string;
  /** All days that have nothing to report. */
  others: string | null;
  together: string;
}

/**
 * Of the days with something to report, of the others in one, and of all: as printed they add up, and each is rounded as
 * usual, for which there are two decimals where one does not do.
 */
function stepsOf(report: Report, reported: DayReport[]): Steps {
  const [first, last] = [report.days[0], report.days.at(-1)];
  if (!first || !last) return { of: () => '', others: null, together: '' };
  const steps = reported.map(({ before, after }) => stepOf(before.percentage, after.percentage));
  const total = stepOf(first.before.percentage, last.after.percentage);
  const rest = total - steps.reduce((sum, step) => sum + step, 0);
  const hasOthers = report.days.length > reported.length;
  const parts = [...steps, ...(hasOthers ? [rest] : [])];
  // Where a day has no percentage, its steps add up to nothing.
  if (!parts.every(Number.isFinite) || !Number.isFinite(total)) {
    return {
      of: ({ before, after }) => scoreChange(before, after),
      others: null,
      together: scoreChange(first.before, last.after),
    };
  }
  const { decimals, printed } = roundedSteps(parts, total, explained(report)?.decimals ?? 1);
  const texts = new Map(reported.map((each, index) => [each, signedUnits(printed.parts[index]!, decimals)]));
  return {
    of: (each) => texts.get(each) ?? '',
    others: hasOthers ? signedUnits(printed.parts.at(-1)!, decimals) : null,
    together: signedUnits(printed.total, decimals),
  };
}

function roundedSteps(parts: number[], total: number, fewest: number) {
  for (let decimals = fewest; ; decimals += 1) {
    const printed = roundTogether(parts, total, decimals);
    if (decimals >= 2 || !bends(parts, printed.parts, decimals)) return { decimals, printed };
  }
}

/** The days with changes to report, the others in one row, and the sum. */
function daysTable(report: Report, reported: DayReport[], kinds: ChangeKind[], steps: Steps): Block {
  const last = report.days.at(-1)!;
  const others = report.days.length - reported.length;
  const summary = (of: DayReport): string =>
    kinds
      .map((kind) => ({
        kind,
        number: of.changes.filter((change) => change.kind === kind && change.fate === 'told').length,
      }))
      .flatMap(({ kind, number }) => (number === 0 ? [] : [`${number} ${kind}`]))
      .join(', ') || 'services';
  return {
    type: 'table',
    columns: [
      { label: 'Snapshot', align: 'left' },
      { label: 'Score', align: 'right' },
      { label: 'Change', align: 'right' },
      { label: 'What changed', align: 'left' },
    ],
    rows: [
      ...reported.map((each): Cell[] => [
        shortDay(each.date),
        score(each.after),
        steps.of(each),
        summary(each),
      ]),
      ...(steps.others === null ? [] : [[count(others, 'other'), '', steps.others, '']]),
      ['Total', score(last.after), steps.together, ''],
    ],
    sum: true,
  };
}

function stepOf(before: number | null, after: number | null): number {
  return before === null || after === null ? Number.NaN : after - before;
}

/** What rose and fell again, or fell and came back, within the days of one mail: the sum alone would hide it. */
function roundTrips(report: Report, kinds: ChangeKind[]): Block[] {
  if (!kinds.includes('lost')) return [];
  const moves = new Map<string, ReportedChange[]>();
  for (const move of reportedChanges(report, ['lost', 'gained'])) {
    const control = move.control ?? '';
    moves.set(control, [...(moves.get(control) ?? []), move]);
  }
  const items = [...moves.values()].flatMap((of) => {
    const [first, last] = [of[0]!, of.at(-1)!];
    const stays = Math.abs((last.points.after ?? 0) - (first.points.before ?? 0)) < 0.005;
    if (of.length < 2 || !stays) return [];
    const fell = first.kind === 'lost';
    return [
      `${titleOf(first)}: ${fell ? 'fell' : 'rose'} on ${shortDay(first.date)} (${sides(first.points, first.maximum)}), ${fell ? 'back' : 'fell back'} on ${shortDay(last.date)}`,
    ];
  });
  if (items.length === 0) return [];
  const more = items.length - ROUND_TRIPS;
  return [
    { type: 'paragraph', text: 'Changed and changed back within this period:' },
    { type: 'list', items: [...items.slice(0, ROUND_TRIPS), ...(more > 0 ? [`${more} more`] : [])] },
  ];
}

/** What the other mail of this run reports. */
function otherMail(report: Report): Block[] {
  const controls = controlsEssence(report);
  return reportedChanges(report, ['new', 'removed', 're-scored', 'decided']).length === 0
    ? []
    : [{ type: 'paragraph', text: `${capitalised(controls)}: see the separate message.` }];
}

/** "Sources last synced: AzureAD on 28 Dec and EXO on 9 Jan." A snapshot is built from syncs of mixed age. */
function sourcesBlocks(report: Report, kinds: ChangeKind[]): Block[] {
  const synced = new Map<string, string>();
  for (const { service, lastSynced } of reportedChanges(report, kinds)) {
    const name = line(service ?? '', 40);
    if (name === '' || lastSynced === null || Number.isNaN(Date.parse(lastSynced))) continue;
    if (lastSynced > (synced.get(name) ?? '')) synced.set(name, lastSynced);
  }
  if (synced.size === 0) return [];
  const near = report.to?.date ?? '';
  const parts = [...synced]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, SERVICES)
    .map(([name, at]) => `${name} on ${localDay(at, report.timeZone, near)}`);
  return [{ type: 'facts', items: [`Sources last synced: ${listing(parts)}.`] }];
}

/** Of the days compared, from the archive. */
function everythingOf({ tenantId, days }: Report): Pick<MailDocument, 'everything'> {
  const [first, last] = [days[0], days.at(-1)];
  if (!first || !last) return {};
  const tenant = shellWord(line(tenantId, 80));
  return {
    everything: commandLine(`history changes --tenant ${tenant} --from ${first.date} --to ${last.date}`),
  };
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
