import { newDelivery, type Delivery, type Notified } from '../archive/state.ts';
import { hears } from '../channels/channels.ts';
import { recipientsOf, type Sender } from '../channels/mail.ts';
import { MAIL } from '../settings.ts';
import { episodesOf, type Episode } from '../report/episodes.ts';
import type { Addressee } from '../ports.ts';
import { isDigest, type AnyReport } from '../report/digest-model.ts';
import type { MailKind, OperationsItem } from '../report/model.ts';
import { subjectOfMail } from '../report/subject.ts';
import type { Outgoing } from './origin.ts';

/** The age, in ms, at which a delivery is given up. */
const GIVEN_UP_MS = 7 * 24 * 3_600_000;

/** The time, in ms, after which a problem that may pass by itself is reported. */
const PATIENCE_MS = 24 * 3_600_000;

/** One delivery for each kind and destination: by mail, and to each channel that takes the kind. */
export function deliveriesOf(
  sender: Pick<Sender, 'operations'>,
  addressee: Addressee,
  report: AnyReport,
  kinds: MailKind[],
): Delivery[] {
  return kinds.flatMap((kind) => {
    const subject = subjectOfMail(report, kind);
    const to = recipientsOf(addressee.recipients, sender, kind);
    const channels = addressee.channels.filter((channel) => hears(channel, kind));
    return [
      ...(to.length > 0 ? [newDelivery(report, kind, MAIL, { to, subject })] : []),
      ...channels.map(({ name }) => newDelivery(report, kind, name, { to: [], subject })),
    ];
  });
}

/** The queue of a delivery: one per channel, but one per kind of mail, because kinds have different readers. */
export function queueOf({ destination, kind }: Pick<Delivery, 'destination' | 'kind'>): string {
  return destination === MAIL ? `${MAIL} ${kind}` : destination;
}

/** True if a delivery must wait for an earlier one. The start mail goes before all others. */
export function waitsFor(later: Delivery, earlier: Delivery): boolean {
  if (queueOf(later) === queueOf(earlier)) return true;
  const isMail = later.destination === MAIL && earlier.destination === MAIL;
  return isMail && earlier.kind === 'start' && later.kind !== 'operations';
}

export function isDue({ notBefore }: Delivery, now: Date): boolean {
  return notBefore === null || Date.parse(notBefore) <= now.getTime();
}

/** Notes in waiting deliveries which of their episodes are over by now. */
export function withEnded(outbox: Delivery[], notified: Notified, now: Date): Delivery[] {
  const until = now.toISOString();
  return outbox.map((delivery) => ({
    ...delivery,
    episodes: delivery.episodes.map((episode) =>
      episode.until === null && !holds(episode, notified) ? { ...episode, until } : episode,
    ),
  }));
}

function holds({ kind, since }: { kind: string; since: string }, notified: Notified): boolean {
  switch (kind as Episode['kind']) {
    case 'failing':
      return notified.failing?.since === since;
    case 'undelivered':
      return Object.entries(notified.undelivered).some(([queue, at]) => `${queue} ${at}` === since);
    case 'stale':
    case 'suspect':
    case 'catalogue':
    case 'unreadable':
      return notified[kind as 'stale'] === since;
  }
  return true;
}

/** True if every episode that a delivery reports is over. */
export function isPast({ episodes }: Delivery, report: AnyReport): boolean {
  return (
    episodes.length > 0 &&
    !isDigest(report) &&
    episodes.length === report.operations.length &&
    episodes.every(({ until }) => until !== null)
  );
}

/** The report, with episodes that are over marked as such. */
export function asOfNow(report: AnyReport, { episodes }: Delivery): AnyReport {
  if (isDigest(report) || episodes.every(({ until }) => until === null)) return report;
  const ends = episodesOf(report).map(
    (of) => episodes.find(({ kind, since }) => kind === of.kind && since === of.since)?.until ?? null,
  );
  let next = 0;
  return {
    ...report,
    operations: report.operations.map((item) => {
      const until = item.kind === 'dropped' ? null : ends[next++];
      return until ? { ...item, until } : item;
    }),
  };
}

/** The reason why a delivery did not get through. */
export interface Setback {
  delivery: Delivery;
  problem: string;
  advice: string;
  /** True if somebody has to act. */
  needsSomebody: boolean;
  final: boolean;
  /** ISO 8601; null: at any time. */
  notBefore: string | null;
}

/** The consequences of a run's setbacks. */
export interface Aftermath<Said> {
  outbox: Delivery[];
  said: Said;
  dropped: Setback[];
  /** Items for the operations mail, without problems that hold up that mail itself. */
  items: OperationsItem[];
  /** Number of deliveries that were dropped, or are operations mails that wait for somebody, which no mail can report. */
  failed: number;
}

/**
 * The outbox and its known problems after everything due was tried. A queue that waits for somebody, or for more than a
 * day, is reported once until it moves again.
 * @param sent queues from which a delivery was sent
 */
export function afterwards<Said extends Outgoing['said']>(
  { outbox, said: notified }: { outbox: Delivery[]; said: Said },
  setbacks: Setback[],
  sent: Set<string>,
  now: Date,
): Aftermath<Said> {
  const at = now.getTime();
  const isLost = ({ final, delivery }: Setback) => final || at - Date.parse(delivery.since) >= GIVEN_UP_MS;
  const dropped = setbacks.filter(isLost);
  const lost = new Set(dropped.map(({ delivery }) => delivery.id));
  const byId = new Map(setbacks.map((setback) => [setback.delivery.id, setback]));
  const left = outbox
    .filter(({ id }) => !lost.has(id))
    .map((delivery) => {
      const setback = byId.get(delivery.id);
      if (!setback) return delivery;
      const { problem, notBefore } = setback;
      return { ...delivery, attempts: delivery.attempts + 1, problem, notBefore };
    });

  const undelivered = { ...notified.undelivered };
  const ended = [...notified.ended];
  const waitingIn = (queue: string) => left.filter((delivery) => queueOf(delivery) === queue).length;
  for (const [queue, since] of Object.entries(undelivered)) {
    if (waitingIn(queue) > 0 && !sent.has(queue)) continue;
    delete undelivered[queue];
    if (sent.has(queue) && !isOfOperationsMail(queue)) {
      ended.push({ kind: `undelivered ${queue}`, since, until: now.toISOString() });
    }
  }
  const items: OperationsItem[] = [];
  const stuck = setbacks.filter(
    (setback) =>
      !isLost(setback) && (setback.needsSomebody || at - Date.parse(setback.delivery.since) >= PATIENCE_MS),
  );
  for (const { delivery, problem, advice } of stuck) {
    const queue = queueOf(delivery);
    if (undelivered[queue] !== undefined) continue;
    const since = now.toISOString();
    undelivered[queue] = since;
    if (isOfOperationsMail(queue)) continue;
    const { destination } = delivery;
    const waiting = waitingIn(queue);
    items.push({ kind: 'undelivered', queue, destination, waiting, since, problem, advice });
  }
  const reportable = dropped.filter(({ delivery }) => !isOfOperationsMail(queueOf(delivery)));
  if (reportable.length > 0) {
    items.push({
      kind: 'dropped',
      deliveries: reportable.map(({ delivery: { destination, subject, to, since }, problem }) => ({
        destination,
        subject,
        to,
        since,
        problem,
      })),
    });
  }
  return {
    outbox: left,
    said: { ...notified, undelivered, ended },
    dropped,
    items,
    failed: dropped.length + stuck.filter(({ delivery }) => isOfOperationsMail(queueOf(delivery))).length,
  };
}

function isOfOperationsMail(queue: string): boolean {
  return queue === queueOf({ destination: MAIL, kind: 'operations' });
}
