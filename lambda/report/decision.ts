import { day, shortDay } from './format.ts';
import { line } from './plain-text.ts';
import type { Decision } from '../score/snapshot.ts';

/** How decisions are described. Their states are an open list, compared without case, spaces and dashes. */

const LONGEST = { state: 60, by: 80, comment: 240 };

const STATES: Record<string, { set: string; name: string }> = {
  thirdparty: { set: 'marked as third party', name: 'third party' },
  ignored: { set: 'risk accepted', name: 'accepted risk' },
  riskaccepted: { set: 'risk accepted', name: 'accepted risk' },
  reviewed: { set: 'marked as reviewed', name: 'reviewed' },
  planned: { set: 'marked as planned', name: 'planned' },
  alternatemitigation: {
    set: 'marked as resolved through alternate mitigation',
    name: 'alternate mitigation',
  },
};

/** Whether it takes an earlier decision back. */
function isTakenBack({ state }: Decision): boolean {
  return bare(state) === 'default';
}

/** "marked as third party", "third party taken back". */
function decided(decision: Decision): string {
  const before = decision.previousState === null ? null : known(decision.previousState);
  if (isTakenBack(decision)) {
    return before === null || before.name === '' ? 'decision taken back' : `${before.name} taken back`;
  }
  return known(decision.state).set;
}

/**
 * "Marked as third party by alex@contoso.com on 3 Mar: “Proofpoint does it”".
 * @param near a day in whose year a date needs no year
 */
export function decisionSentence(decision: Decision, timeZone: string, near: string): string {
  const what = decided(decision);
  const by = line(decision.by ?? '', LONGEST.by);
  const comment = line(decision.comment ?? '', LONGEST.comment);
  return [
    what.charAt(0).toUpperCase() + what.slice(1),
    ...(by ? [` by ${by}`] : []),
    ...(decision.at === null || Number.isNaN(Date.parse(decision.at))
      ? []
      : [` on ${localDay(decision.at, timeZone, near)}`]),
    comment ? `: “${comment}”` : '.',
    ...(decision.inCatalogue === undefined ? [] : [` ${whereItStands(decision.inCatalogue)}`]),
  ].join('');
}

/** Of a device control, whose exceptions are made in Defender. */
function whereItStands(inCatalogue: string): string {
  const there = bare(inCatalogue) === 'default' ? 'has no decision' : `is ${known(inCatalogue).set}`;
  return `The recommendation itself carries this decision, as with exceptions made in Defender; in the catalogue it ${there}.`;
}

/** A moment as the tenant's day; with its year where that is not the one of `near`. */
export function localDay(at: string, timeZone: string, near: string): string {
  return at.slice(0, 4) === near.slice(0, 4) ? shortDay(at, timeZone) : day(at, timeZone);
}

function known(state: string): { set: string; name: string } {
  const key = bare(state);
  const entry = Object.entries(STATES).find(([name]) => key === name || key.endsWith(name));
  const name = line(state, LONGEST.state);
  return (
    entry?.[1] ?? (key === 'default' ? { set: '', name: '' } : { set: `set to “${name}”`, name: `“${name}”` })
  );
}

function bare(state: string): string {
  return state.toLowerCase().replace(/[^a-z]/g, '');
}
