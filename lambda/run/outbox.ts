import { newDelivery, type Delivery, type Notified, type State } from '../archive/state.ts';
import { hears } from '../channels/channels.ts';
import { recipientsOf } from '../channels/mail.ts';
import { MAIL } from '../config.ts';
import { episodesOf, type Episode } from '../report/episodes.ts';
import type { MailKind, OperationsItem, Report } from '../report/model.ts';
import { subjectOfMail } from '../report/subject.ts';
import type { Run } from './run.ts';

/** A delivery is given up when it is 7 days old. */
const GIVEN_UP_MS = 7 * 24 * 3_600_000;

/** What may pass by itself is reported when it has lasted for a day. */
const PATIENCE_MS = 24 * 3_600_000;

/** Who has to know to which the deliveries of a run go. */
export type Recipients = Pick<Run, 'tenant' | 'sender'>;

/** One delivery a kind and destination: by mail, and to each channel that hears of the kind. */
export function deliveriesOf({ tenant, sender }: Recipients, report: Report, kinds: MailKind[]): Delivery[] {
  return kinds.flatMap((kind) => {
    const subject = subjectOfMail(report, kind);
    const to = recipientsOf(tenant.recipients, sender, kind);
    const channels = tenant.channels.filter((channel) => hears(channel, kind));
    return [
      newDelivery(report, kind, MAIL, { to, subject }),
      ...channels.map(({ name }) => newDelivery(report, kind, name, { to: [], subject })),
    ];
  });
}

/** Of a channel everything, of mail each kind has an order of its own: its readers are others. */
export function queueOf({ destination, kind }: Pick<Delivery, 'destination' | 'kind'>): string {
  return destination === MAIL ? `${MAIL} ${kind}` : destination;
}

/** Whether a delivery may not go out before an earlier one has. Nothing stands before the mail of the beginning. */
export function waitsFor(later: Delivery, earlier: Delivery): boolean {
  if (queueOf(later) === queueOf(earlier)) return true;
  const isMail = later.destination === MAIL && earlier.destination === MAIL;
  return isMail && earlier.kind === 'start' && later.kind !== 'operations';
}

export function isDue({ notBefore }: Delivery, now: Date): boolean {
  return notBefore === null || Date.parse(notBefore) <= now.getTime();
}

/** Notes in the deliveries that wait which of what they report is over by now. */
export function withEnded(outbox: Delivery[], said: Notified, now: Date): Delivery[] {
  const until = now.toISOString();
  return outbox.map((delivery) => ({
    ...delivery,
    episodes: delivery.episodes.map((episode) =>
      episode.until === null && !holds(episode, said) ? { ...episode, until } : episode,
    ),
  }));
}

function holds({ kind, since }: { kind: string; since: string }, said: Notified): boolean {
  switch (kind as Episode['kind']) {
    case 'failing':
      return said.failing?.since === since;
    case 'undelivered':
      return Object.entries(said.undelivered).some(([queue, at]) => `${queue} ${at}` === since);
    case 'stale':
    case 'suspect':
    case 'catalogue':
    case 'unreadable':
      return said[kind as 'stale'] === since;
  }
  return true;
}

/** Whether nothing that a delivery reports goes on any more. */
export function isPast({ episodes }: Delivery, report: Report): boolean {
  return (
    episodes.length > 0 &&
    episodes.length === report.operations.length &&
    episodes.every(({ until }) => until !== null)
  );
}

/** The report with what is over marked as that. */
export function asOfNow(report: Report, { episodes }: Delivery): Report {
  if (episodes.every(({ until }) => until === null)) return report;
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

/** Why a delivery did not get through. */
export interface Setback {
  delivery: Delivery;
  problem: string;
  advice: string;
  /** Whether somebody has to act. */
  needsSomebody: boolean;
  final: boolean;
  /** ISO 8601; null: at any time. */
  notBefore: string | null;
}

/** What the setbacks of a run come to. */
export interface Aftermath {
  outbox: Delivery[];
  said: Notified;
  dropped: Setback[];
  /** What operations should know, by mail; what keeps those mails themselves back is not among it. */
  items: OperationsItem[];
  /** How many deliveries were dropped, or are mails to operations that wait for somebody: of these no mail tells. */
  failed: number;
}

/**
 * The outbox and what is known of its troubles after all that is due was tried. A queue that waits for somebody, or for
 * more than a day, is reported once until it moves again. Pure.
 * @param sent queues that took something
 */
export function afterwards(
  { outbox, said }: State,
  setbacks: Setback[],
  sent: Set<string>,
  now: Date,
): Aftermath {
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

  const undelivered = { ...said.undelivered };
  const ended = [...said.ended];
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
  const mourned = dropped.filter(({ delivery }) => !isOfOperationsMail(queueOf(delivery)));
  if (mourned.length > 0) {
    items.push({
      kind: 'dropped',
      deliveries: mourned.map(({ delivery: { destination, subject, to, since }, problem }) => ({
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
    said: { ...said, undelivered, ended },
    dropped,
    items,
    failed: dropped.length + stuck.filter(({ delivery }) => isOfOperationsMail(queueOf(delivery))).length,
  };
}

function isOfOperationsMail(queue: string): boolean {
  return queue === queueOf({ destination: MAIL, kind: 'operations' });
}
