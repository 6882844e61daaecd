import { type Delivery, type Notified, type State } from '../archive/state.ts';
import { dateOf, daysBetween } from '../dates.ts';
import { day as formatDate } from '../report/format.ts';
import { episodeOf } from '../report/episodes.ts';
import type { OperationsItem, Report } from '../report/model.ts';
import type { Answer } from './check.ts';
import type { Compared } from './compare.ts';
import { headOf } from './ledger.ts';
import type { Run } from './run.ts';

/** No new snapshot for 3 days is stale: they come daily, and a day or two late. */
export const STALE_AFTER_DAYS = 3;

/** The maximum number of controls that are listed. More are counted. */
export const LISTED = 5;

/** The items of this run for operations. */
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

/** The kinds of episodes that a successful run can find. */
const EPISODES = ['stale', 'suspect', 'catalogue', 'unreadable'] as const;

/**
 * The notified episodes after this run. An episode is reported when it begins, lasts whatever its facts become, and ends
 * with the first run that does not find it.
 * @returns `begun`: the items to report now
 */
export function incidentsAfter(
  before: Notified,
  items: OperationsItem[],
  today: string,
): { next: Notified; begun: OperationsItem[] } {
  const next: Notified = { ...before, failing: null, ended: [...before.ended] };
  const begun: OperationsItem[] = [];
  for (const episode of EPISODES) {
    const item = items.find((each) => episodeOf(each)?.kind === episode);
    const since = before[episode];
    if (item && since === null) begun.push(item);
    if (!item && since !== null) next.ended.push({ kind: episode, since, until: today });
    next[episode] = item ? (since ?? episodeOf(item)!.since) : null;
  }
  if (before.failing && before.failing.told.length > 0) {
    next.ended.push({ kind: 'failing', since: before.failing.since.slice(0, 10), until: today });
  }
  return { next, begun };
}

/** Notes for the next mail, whatever it is about, on reported episodes that are over. */
export function endedNotes({ ended }: Notified): string[] {
  return ended.map(({ kind, since, until }) => {
    const span = `from ${formatDate(since)} to ${formatDate(until)}`;
    switch (kind) {
      case 'stale':
        return `New snapshots are arriving again: the Secure Score was stale ${span}.`;
      case 'suspect':
        return `Snapshots are no longer suspect: some were held back ${span}.`;
      case 'catalogue':
        return `Microsoft's list of recommendations is complete again: it was partial ${span}.`;
      case 'unreadable':
        return `All scores can be read again: some could not ${span}.`;
      case 'failing':
        return `Monitoring works again: it failed ${span}.`;
      default:
        return `What waited for ${kind.startsWith('undelivered mail ') ? 'mails' : `the channel ${kind.replace('undelivered ', '')}`} is going out again: deliveries failed ${span}.`;
    }
  });
}

/** Leaves out the episodes that nobody was notified of, because their reports still wait and will not be sent. */
export function heardOf(notified: Notified, outbox: Delivery[]): Notified {
  const unheard = outbox.filter(({ heard }) => !heard).flatMap(({ episodes }) => episodes);
  return {
    ...notified,
    ended: notified.ended.filter(
      ({ kind, since }) => !unheard.some((of) => of.kind === kind && of.since.slice(0, 10) === since),
    ),
  };
}

/** A report only for operations. */
export function reportOfOperations(
  { tenant }: Pick<Run, 'tenant'>,
  state: State,
  now: Date,
  operations: OperationsItem[],
  notes: string[] = [],
): Report {
  const { tenantId, name, schedule } = tenant;
  return {
    ...operationsAlone({ tenantId, name, timeZone: schedule.timeZone }, now, operations),
    from: state.cursor,
    to: state.cursor,
    notes,
    ledger: headOf(state.ledger),
  };
}

/** A report of no score. @param of whose it is, and the time zone in which its reader lives */
export function operationsAlone(
  of: Pick<Report, 'tenantId' | 'name' | 'timeZone' | 'digest'>,
  now: Date,
  operations: OperationsItem[],
): Report {
  return {
    version: 1,
    ...of,
    toldAt: now.toISOString(),
    from: null,
    to: null,
    before: null,
    after: null,
    account: null,
    days: [],
    confirmed: [],
    trend: [],
    peers: { allTenants: null, similarSize: null },
    start: null,
    operations,
    notes: [],
  };
}
