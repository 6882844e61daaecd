import { count, day, daysBetween, listing, score, scoreChange } from './format.ts';
import { line } from './plain-text.ts';
import type { OperationsItem, Report } from './model.ts';
import type { MailKind } from '../ports.ts';
import type { ChangeKind } from '../score/change.ts';

/** Mail programs show about 70 characters, and none more than these. */
const LONGEST_SUBJECT = 150;

/** Leaves room for the essence even beside a name of the longest kind. */
const LONGEST_NAME = 60;

/** The essence of a mail in one line: whose score, how much, what happened. */
export function subjectOf(report: Report, kind: MailKind): string {
  return line(`${line(report.name, LONGEST_NAME)}: ${essence(report, kind)}`, LONGEST_SUBJECT);
}

function essence(report: Report, kind: MailKind): string {
  switch (kind) {
    case 'scores': {
      const now = `${scoreNow(report)}${period(report)}`;
      const what = scoresEssence(report);
      return what ? `${now}: ${what}` : now;
    }
    case 'controls':
      return `${controlsEssence(report)}${period(report)}`;
    case 'start':
      return report.after === null
        ? 'Secure Score monitoring has started'
        : `Secure Score monitoring has started at ${score(report.after)}`;
    case 'operations':
      return operationsEssence(report.operations);
  }
}

/** "2 recommendations lost points, 1 gained"; empty where none did. */
export function scoresEssence(report: Report): string {
  const lost = controlsWith(report, 'lost');
  const gained = controlsWith(report, 'gained');
  if (lost && gained) return `${count(lost, 'recommendation')} lost points, ${gained} gained`;
  if (lost) return `${count(lost, 'recommendation')} lost points`;
  if (gained) return `${count(gained, 'recommendation')} gained points`;
  return controlsWith(report, 'services') ? 'enabled services changed' : '';
}

/** "5 new and 2 removed Secure Score recommendations". */
export function controlsEssence(report: Report): string {
  const kinds = (['new', 'removed', 'renamed'] as const)
    .map((kind) => ({ kind, number: controlsWith(report, kind) }))
    .filter((each) => each.number > 0);
  if (kinds.length === 0) return 'enabled services changed';
  const total = kinds.reduce((sum, each) => sum + each.number, 0);
  return `${listing(kinds.map((each) => `${each.number} ${each.kind}`))} ${count(total, 'Secure Score recommendation', '').trim()}`;
}

/** What fails stands before what looks wrong, and that before what is only late. */
export function worstFirst(items: OperationsItem[]): OperationsItem[] {
  const order = ['failing', 'suspect', 'stale'];
  return items.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

function operationsEssence(items: OperationsItem[]): string {
  const [worst] = worstFirst(items);
  if (worst === undefined) return 'nothing to tell';
  const more = items.length > 1 ? ` (and ${items.length - 1} more)` : '';
  switch (worst.kind) {
    case 'failing':
      return `monitoring fails: ${line(worst.message, 80) || worst.code}${more}`;
    case 'suspect':
      return `suspect Secure Score of ${day(worst.date)}: ${worst.gone} of ${worst.told} recommendations are gone${more}`;
    case 'stale':
      return `Secure Score is stale since ${day(worst.since)}${more}`;
  }
}

/** How many controls have changes of a kind, on whatever days. */
export function controlsWith(report: Report, kind: ChangeKind): number {
  const changes = report.days.flatMap((each) => each.changes).filter((change) => change.kind === kind);
  return new Set(changes.map((change) => change.control)).size;
}

/** How many days lie between what was told last and now; 1 or less needs no mention. */
export function daysCovered(report: Report): number {
  return report.before && report.after ? daysBetween(report.before.date, report.after.date) : 1;
}

function scoreNow({ before, after }: Report): string {
  if (after === null) return 'Secure Score';
  return `Secure Score ${score(after)}${before === null ? '' : ` (${scoreChange(before, after)})`}`;
}

function period(report: Report): string {
  const days = daysCovered(report);
  return days > 1 ? ` over ${days} days` : '';
}
