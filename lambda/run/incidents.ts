import type { Said } from '../archive/state.ts';
import { dateOf, daysBetween } from '../dates.ts';
import { day as formatDate } from '../report/format.ts';
import type { OperationsItem } from '../report/model.ts';
import type { Answer } from './check.ts';
import type { Compared } from './compare.ts';
import type { Run } from './run.ts';

/** No new snapshot for 3 days is stale: they come daily, and a day or two late. */
export const STALE_AFTER_DAYS = 3;

/** More than a few controls are counted, not listed. */
export const LISTED = 5;

/** What of this run operations should know. */
export function incidentsOf(run: Run, answer: Answer, { accepted }: Compared): OperationsItem[] {
  return [
    ...staleItem(run, answer),
    ...suspectItem(accepted),
    ...catalogueItem(answer),
    ...unreadableItem(answer),
  ];
}

function staleItem(run: Run, answer: Answer): OperationsItem[] {
  const since = answer.newest.date;
  const days = daysBetween(since, dateOf(run.ports.clock.now()));
  return days >= STALE_AFTER_DAYS ? [{ kind: 'stale', since, days }] : [];
}

function suspectItem({ waiting }: Compared['accepted']): OperationsItem[] {
  if (!waiting) return [];
  return [
    'gone' in waiting
      ? { kind: 'suspect' as const, ...waiting }
      : { kind: 'disagreeing' as const, ...waiting },
  ];
}

function catalogueItem({ partialCatalogue, fetchedAt }: Answer): OperationsItem[] {
  return partialCatalogue ? [{ kind: 'catalogue', since: fetchedAt.slice(0, 10), ...partialCatalogue }] : [];
}

function unreadableItem({ newest: { date, snapshot } }: Answer): OperationsItem[] {
  const names = snapshot.unreadable ?? [];
  return names.length > 0
    ? [{ kind: 'unreadable', date, controls: names.slice(0, LISTED), count: names.length }]
    : [];
}

/** The episodes of a run that succeeds, and which of the items each covers. */
const EPISODES = {
  stale: ['stale'],
  suspect: ['suspect', 'disagreeing'],
  catalogue: ['catalogue'],
  unreadable: ['unreadable'],
} as const satisfies Record<string, OperationsItem['kind'][]>;

/**
 * What has been reported after this run: an episode is reported when it begins, goes on whatever its facts become, and ends
 * with the first run that finds none of it.
 * @returns `begun`: the items to report now
 */
export function incidentsAfter(
  before: Said,
  items: OperationsItem[],
  today: string,
): { next: Said; begun: OperationsItem[] } {
  const next: Said = { ...before, failing: null, ended: [...before.ended] };
  const begun: OperationsItem[] = [];
  for (const [episode, kinds] of Object.entries(EPISODES) as [keyof typeof EPISODES, string[]][]) {
    const item = items.find(({ kind }) => kinds.includes(kind));
    const since = before[episode];
    if (item && since === null) begun.push(item);
    if (!item && since !== null) next.ended.push({ kind: episode, since, until: today });
    next[episode] = item ? (since ?? ('since' in item ? item.since : item.date)) : null;
  }
  if (before.failing && before.failing.told.length > 0) {
    next.ended.push({ kind: 'failing', since: before.failing.since.slice(0, 10), until: today });
  }
  return { next, begun };
}

/** For the next mail that goes out, whatever it is about: what an earlier one reported is over. */
export function endedNotes({ ended }: Said): string[] {
  return ended.map(({ kind, since, until }) => {
    const span = `from ${formatDate(since)} to ${formatDate(until)}`;
    switch (kind) {
      case 'stale':
        return `New snapshots come again: the Secure Score was stale ${span}.`;
      case 'suspect':
        return `No snapshot is suspect any more: some were held back ${span}.`;
      case 'catalogue':
        return `Microsoft's list of recommendations is complete again: it was partial ${span}.`;
      case 'unreadable':
        return `All scores can be read again: some could not ${span}.`;
      default:
        return `Monitoring works again: it failed ${span}.`;
    }
  });
}
