import { explained } from './account.ts';
import { isTimeZone, count, day, daysBetween, listing, score, scoreChange, span } from './format.ts';
import { line } from './plain-text.ts';
import { isUrgent, urgentEssence } from './urgency.ts';
import { digestSubject } from './digest-sum.ts';
import { isDigest, type AnyReport } from './digest-model.ts';
import type { OperationsItem, Report, ReportedChange } from './model.ts';
import type { MailKind } from '../ports.ts';
import type { ChangeKind } from '../score/change.ts';

/** Mail programs show about 70 characters, and none more than these. */
const LONGEST_SUBJECT = 150;

/** Leaves room for the essence even beside a name of the longest kind. */
const LONGEST_NAME = 60;

/** A mail in one line: whose score, how much, what happened. */
export function subjectOf(report: AnyReport, kind: MailKind): string {
  if (isDigest(report)) return digestSubject(report);
  const urgent = isUrgent(report, kind) ? 'Urgent: ' : '';
  return line(`${urgent}${line(report.name, LONGEST_NAME)}: ${essence(report, kind)}`, LONGEST_SUBJECT);
}

function essence(report: Report, kind: MailKind): string {
  switch (kind) {
    case 'scores': {
      const now = `${scoreNow(report)}${period(report)}`;
      const crossed = urgentEssence(report);
      const what = scoresEssence(report);
      return [crossed ? `${now}, ${crossed}` : now, ...(what ? [what] : [])].join(': ');
    }
    case 'controls':
      return `${controlsEssence(report)}${movedScore(report)}${period(report)}`;
    case 'start':
      return report.after === null
        ? 'Secure Score monitoring has started'
        : `Secure Score monitoring has started at ${score(report.after)}`;
    case 'operations':
    case 'digest':
      return operationsEssence(report.operations, report.timeZone);
  }
}

/** "2 recommendations lost points, 1 gained, 1 gained by a decision"; empty where none did. */
export function scoresEssence(report: Report): string {
  const moved = [
    { what: 'lost points', short: 'lost', number: controlsWith(report, 'lost') },
    { what: 'gained points', short: 'gained', number: controlsWith(report, 'gained') },
    { what: 'gained points by a decision', short: 'gained by a decision', number: gainedByDecision(report) },
  ].filter(({ number }) => number > 0);
  if (moved.length === 0) return controlsWith(report, 'services') ? 'enabled services changed' : '';
  return moved
    .map(({ what, short, number }, index) =>
      index === 0 ? `${count(number, 'recommendation')} ${what}` : `${number} ${short}`,
    )
    .join(', ');
}

/** "5 new and 2 removed Secure Score recommendations, 1 decision". */
export function controlsEssence(report: Report): string {
  const kinds = (['new', 'removed', 're-scored', 'renamed'] as const)
    .map((kind) => ({ kind, number: controlsWith(report, kind) }))
    .filter((each) => each.number > 0);
  const decisions = controlsWith(report, 'decided');
  const unnamed = reportedChanges(report, 're-scored').some(({ control }) => control === null);
  const total = kinds.reduce((sum, each) => sum + each.number, 0);
  const parts = [
    ...(kinds.length > 0
      ? [
          `${listing(kinds.map((each) => `${each.number} ${each.kind}`))} ${count(total, 'Secure Score recommendation', '').trim()}`,
        ]
      : []),
    ...(unnamed
      ? [
          kinds.length > 0
            ? 'others without points re-scored'
            : 'Secure Score recommendations without points re-scored',
        ]
      : []),
    ...(decisions > 0
      ? [
          `${count(decisions, 'decision')}${kinds.length > 0 || unnamed ? '' : ' on Secure Score recommendations'}`,
        ]
      : []),
  ];
  return parts.join(', ') || 'enabled services changed';
}

/** Failures come first, then what looks wrong, then what is only late. */
export function worstFirst(items: OperationsItem[]): OperationsItem[] {
  const order = [
    'failing',
    'dropped',
    'undelivered',
    'suspect',
    'disagreeing',
    'unreadable',
    'catalogue',
    'stale',
  ];
  const rank = ({ kind, until }: OperationsItem) => order.indexOf(kind) + (until ? order.length : 0);
  return items.toSorted((a, b) => rank(a) - rank(b));
}

function operationsEssence(items: OperationsItem[], timeZone: string): string {
  const [worst] = worstFirst(items);
  if (worst === undefined) return 'nothing to report';
  const more = items.length > 1 ? ` (and ${items.length - 1} more)` : '';
  if (worst.until) return `${pastOf(worst, worst.until, timeZone)}${more}`;
  switch (worst.kind) {
    case 'dropped':
      return `${count(worst.deliveries.length, 'message')} could not be delivered${more}`;
    case 'undelivered':
      return `${destinationOf(worst.destination)} ${worst.destination === 'mail' ? 'do' : 'does'} not get through${more}`;
    case 'failing':
      return `monitoring fails: ${line(worst.message, 80) || worst.code}${more}`;
    case 'suspect':
      return `suspect Secure Score of ${day(worst.date)}: ${worst.gone} of ${worst.told} recommendations are missing${more}`;
    case 'disagreeing':
      return `suspect Secure Score of ${day(worst.date)}: the total and its recommendations disagree by ${disagreement(worst)}${more}`;
    case 'unreadable':
      return `${count(worst.count, 'recommendation')} without a readable score on ${day(worst.date)}${more}`;
    case 'catalogue':
      return `Microsoft's list of recommendations is partial: ${worst.decisions ? `without its ${worst.decisions} decisions` : `${worst.profiles} of ${worst.complete}`}${more}`;
    case 'stale':
      return `no new Secure Score since ${day(worst.since)}${more}`;
  }
}

/** "mails" or "the channel soc". */
export function destinationOf(destination: string): string {
  return destination === 'mail' ? 'mails' : `the channel ${line(destination, 60)}`;
}

/** "monitoring failed from 07:00 to 09:12 on 1 Mar 2026 (UTC)", for an incident that is over. */
export function pastOf(item: OperationsItem, until: string, timeZone: string): string {
  const since = 'since' in item ? item.since : 'date' in item ? item.date : until;
  const when = span(since, until, timeZone);
  switch (item.kind) {
    case 'failing':
      return `monitoring failed ${when}`;
    case 'suspect':
    case 'disagreeing':
      return `a snapshot was suspect ${when}`;
    case 'unreadable':
      return `scores could not be read ${when}`;
    case 'catalogue':
      return `Microsoft's list of recommendations was partial ${when}`;
    case 'stale':
      return `Secure Score was stale ${when}`;
    case 'undelivered':
    case 'dropped':
      return `${'destination' in item ? destinationOf(item.destination) : 'messages'} did not get through ${when}`;
  }
}

/** "12.5 points". */
export function disagreement({ difference }: { difference: number }): string {
  return count(Math.abs(difference), 'point');
}

/** On how many controls the mails report changes of a kind, on whatever days; services count as one. */
function controlsWith(report: Report, kind: ChangeKind): number {
  const reported = reportedChanges(report, kind).filter(
    (change) => kind !== 'gained' || !isByDecision(change, report),
  );
  const confirmed = kind === 'lost' ? report.confirmed : [];
  const controls = new Set([...reported, ...confirmed].map(({ control }) => control));
  if (kind === 're-scored') controls.delete(null);
  return controls.size;
}

function gainedByDecision(report: Report): number {
  const gains = reportedChanges(report, 'gained').filter((change) => isByDecision(change, report));
  return new Set(gains.map(({ control }) => control)).size;
}

/** True if a decision caused the move. Only one of several rows of a control bears the share, and with it the cause. */
function isByDecision({ control, date }: ReportedChange, report: Report): boolean {
  return report.days.some(
    (of) =>
      of.date === date &&
      of.changes.some((change) => change.control === control && change.cause === 'decided'),
  );
}

function reportedChanges({ days }: Report, kind: ChangeKind): ReportedChange[] {
  return days.flatMap(({ changes }) => changes).filter((one) => one.kind === kind && one.fate === 'told');
}

/** The number of days between the last report and now; 1 or less needs no mention. */
function daysCovered(report: Report): number {
  return report.before && report.after ? daysBetween(report.before.date, report.after.date) : 1;
}

function scoreNow(report: Report): string {
  const { before, after } = report;
  if (after === null) return 'Secure Score';
  if (before === null) return `Secure Score ${score(after)}`;
  return `Secure Score ${score(after)} (${changeOfScore(report)})`;
}

/** As the mail itself has it. */
function changeOfScore(report: Report): string {
  const { before, after } = report;
  return explained(report)?.change ?? (before && after ? scoreChange(before, after) : '');
}

/** ", score 61.2 % (−1.3)" where it moved: what Microsoft does to the recommendations it does to the score. */
function movedScore(report: Report): string {
  const { before, after } = report;
  const change = changeOfScore(report);
  return before === null || after === null || /^(±.*|)$/.test(change)
    ? ''
    : `, score ${score(after)} (${change})`;
}

function period(report: Report): string {
  const days = daysCovered(report);
  return days > 1 ? ` over ${days} days` : '';
}

/** The subject alone, without drawing anything. */
export function subjectOfMail(report: AnyReport, kind: MailKind): string {
  return subjectOf(namedReport(report), kind);
}

/** A time zone that this runtime does not know, in a report of another version, must not hold back a mail. */
export function namedReport<Of extends AnyReport>(report: Of): Of {
  return {
    ...report,
    timeZone: isTimeZone(report.timeZone) ? report.timeZone : 'UTC',
    name: line(report.name, 200),
  };
}
