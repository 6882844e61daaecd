import { contentHash, type Versioned } from '../archive/archive.ts';
import { EMPTY_STATE, type Delivery, type State } from '../archive/state.ts';
import { MAIL } from '../settings.ts';
import { DeliveryError, MonitorError } from '../errors.ts';
import type { Addressee, Ports } from '../ports.ts';
import type { AnyReport } from '../report/digest-model.ts';
import type { MailKind, Report } from '../report/model.ts';
import { subjectOfMail } from '../report/subject.ts';
import { recipientsOf, type Sender } from '../channels/mail.ts';
import { further } from './ledger.ts';
import { deliveriesIn, type Origin, type Outgoing } from './origin.ts';
import {
  afterwards,
  asOfNow,
  deliveriesOf,
  isDue,
  isPast,
  queueOf,
  waitsFor,
  withEnded,
  type Setback,
} from './outbox.ts';
import type { Findings } from './report.ts';
import { ClaimedError, type Delivered, type Run, type RunResult } from './run.ts';

/** The time, in ms, by which a claim outlives its run's deadline, so that the last call of the run has surely ended. */
const CLAIM_SLACK_MS = 10_000;

/** The longest credible claim, in ms. No run exceeds Lambda's 15 minutes, so a longer one is due to a wrong clock. */
const LONGEST_CLAIM_MS = 16 * 60_000;

/** The maximum time for one message, in ms. */
const MESSAGE_MS = 30_000;

/** The maximum time, in ms, that a run waits in all for receivers that ask for a pause or cannot be reached. */
const PATIENCE_MS = 30_000;
const FIRST_PAUSE_MS = 1_000;

/** The longest pause that is granted, in ms. A receiver that asks for a longer one is tried again after this time. */
const LONGEST_PAUSE_MS = 24 * 3_600_000;

/** The part of a run that delivering needs, so that the watch and digests can deliver too. */
export interface Delivering {
  sender: Sender;
  ports: Pick<Ports, 'clock' | 'pause' | 'invocation' | 'channels' | 'log'>;
}

/**
 * The state, once nobody else is writing and sending. A report that an earlier run claimed but did not archive is now
 * archived, because its claim has ended or this is a retry of the same invocation.
 * @throws ClaimedError while the claim of another run is live
 */
export async function takeOver<S extends Outgoing>(
  run: Delivering,
  origin: Origin<S>,
  result: RunResult | null,
): Promise<Versioned<S>> {
  for (;;) {
    const current = await origin.state();
    const claim = current.state?.claim;
    if (!current.state || !claim) return current;

    const { id } = run.ports.invocation;
    const left = Date.parse(claim.until) - run.ports.clock.now().getTime();
    if (claim.invocation !== id && left > 0 && left < LONGEST_CLAIM_MS) {
      throw new ClaimedError(
        origin.whose,
        claim.until,
        result && { ...result, ...pendingOf(origin.addressee, current.state.outbox) },
      );
    }
    const taken = await origin.swap(
      { ...current.state, claim: { ...claim, invocation: id, until: claimEnd(run) } },
      current.version,
    );
    if (!taken) continue;
    const archived = await archiveReport(run, origin, taken);
    return swapOurs(origin, archived, { ...stateOf(origin, archived), claim: null });
  }
}

/**
 * The part of the findings that is deposited: the report, if it merits any mail, and the state with its deliveries. For a
 * tenant in a digest the report is archived, and only urgent and operations mails are delivered.
 */
export function depositOf(
  { tenant, sender, ports }: Run,
  state: State | null,
  {
    report,
    mails,
    next,
    ledger,
  }: Pick<Findings, 'report' | 'next' | 'ledger'> & { mails: readonly MailKind[] },
): { report: Report | null; state: State } {
  const before = state ?? EMPTY_STATE;
  const deliveries = deliveriesOf(sender, tenant, report, [...mails]).filter(
    ({ kind, urgent }) => tenant.report === 'each' || urgent || kind === 'operations',
  );
  return {
    report: mails.length > 0 ? report : null,
    state: {
      ...before,
      ...next,
      name: tenant.name,
      schedule: tenant.schedule,
      tenant: JSON.parse(JSON.stringify(tenant)) as unknown,
      ledger: further(ledger, before.ledger),
      outbox: [...withEnded(before.outbox, next.said, ports.clock.now()), ...deliveries],
    },
  };
}

/**
 * Moves the cursor, puts the deliveries into the outbox, and claims archiving and sending, all in one compare-and-swap.
 * @param report to be archived, whoever is notified; null: there is none
 * @param state the new state, with the deliveries in its outbox
 * @returns the state, with a claim if there is anything to do; null if another run changed it meanwhile, so that
 *   nothing was done and the comparison must be repeated
 */
export async function deposit<S extends Outgoing>(
  run: Delivering,
  origin: Origin<S>,
  current: Versioned<S>,
  { report, state }: { report: AnyReport | null; state: S },
): Promise<Versioned<S> | null> {
  const now = run.ports.clock.now();
  const hasWork = report !== null || state.outbox.some((delivery) => isDue(delivery, now));
  const next: S = { ...state, claim: hasWork ? claimOf(run, report) : null };
  // A claim is written in any case, because it is what later steps go by.
  const isSame =
    next.claim === null && current.state !== null && contentHash(next) === contentHash(current.state);
  if (isSame) return current;
  return (await origin.swap(next, current.version)) ?? null;
}

/**
 * Archives the claimed report and sends whatever is due. If a destination fails, its own deliveries wait, and others are not
 * held up. Deliveries that were refused permanently, or that need somebody, are reported to operations.
 * @param ours the result of `deposit`. Without a claim there is nothing to do
 * @param patience the maximum time to wait for receivers in all, in ms
 */
export async function send<S extends Outgoing>(
  run: Delivering,
  origin: Origin<S>,
  ours: Versioned<S>,
  patience = PATIENCE_MS,
): Promise<Delivered> {
  const round: Round = { setbacks: new Map(), sent: new Set(), delivered: NOTHING_DELIVERED() };
  let current = ours;
  while (stateOf(origin, current).claim !== null) {
    current = await archiveReport(run, origin, current);
    const tried = new Set(round.setbacks.keys());
    current = await sendDue(run, origin, current, { round, tried, patience });
    const now = run.ports.clock.now();
    const fresh = [...round.setbacks.values()].filter(({ delivery }) => !tried.has(delivery.id));
    const after = afterwards(stateOf(origin, current), fresh, round.sent, now);
    const { outbox, said, items, dropped } = after;
    round.delivered.failed += after.failed;
    for (const { delivery, problem, advice } of fresh) {
      run.ports.log[dropped.some((each) => each.delivery === delivery) ? 'error' : 'warn'](
        dropped.some((each) => each.delivery === delivery)
          ? 'a delivery was given up'
          : 'a delivery did not get through, and waits',
        { ...origin.facts, delivery: delivery.id, problem, advice },
      );
    }
    for (const { delivery, problem } of dropped) {
      round.delivered.deliveries.push({ ...nameOf(origin.addressee, delivery), dropped: problem });
    }

    const state: S = { ...stateOf(origin, current), outbox, said };
    const report = items.length > 0 ? origin.ofOperations(state, now, items) : null;
    current = await swapOurs(origin, current, {
      ...state,
      outbox: report
        ? [
            ...outbox,
            ...deliveriesOf(run.sender, origin.addressee, report, ['operations']).filter(
              ({ destination }) => destination === MAIL,
            ),
          ]
        : outbox,
      claim: report && claimOf(run, report),
    });
  }
  const { pending, deliveries } = pendingOf(origin.addressee, stateOf(origin, current).outbox);
  round.delivered.pending = pending;
  round.delivered.deliveries.push(...deliveries);
  return round.delivered;
}

/** Sends what is due, once, for the watch, which has nothing of its own to report. @throws ClaimedError */
export async function sendWaiting<S extends Outgoing>(
  run: Delivering,
  origin: Origin<S>,
): Promise<Delivered> {
  for (;;) {
    const current = await takeOver(run, origin, null);
    const state = stateOf(origin, current);
    const isAnyDue = state.outbox.some((delivery) => isDue(delivery, run.ports.clock.now()));
    if (!isAnyDue) return send(run, origin, current, 0);
    const ours = await origin.swap({ ...state, claim: claimOf(run, null) }, current.version);
    if (ours) return send(run, origin, ours, 0);
  }
}

interface Round {
  /** Setbacks by the id of their delivery. */
  setbacks: Map<string, Setback>;
  /** Queues from which a delivery was sent. */
  sent: Set<string>;
  delivered: Delivered;
}

const NOTHING_DELIVERED = (): Delivered => ({ mails: [], pending: [], deliveries: [], failed: 0 });

/** @param tried deliveries that have failed in this run. They, and those behind them, wait for the next one */
async function sendDue<S extends Outgoing>(
  run: Delivering,
  origin: Origin<S>,
  claimed: Versioned<S>,
  { round, tried, ...limits }: { round: Round; tried: Set<string>; patience: number },
): Promise<Versioned<S>> {
  const { clock, invocation } = run.ports;
  let current = claimed;
  let { patience } = limits;
  for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
    const held: Delivery[] = [];
    let wait: number | null = null;
    for (const delivery of stateOf(origin, current).outbox) {
      const before = round.setbacks.get(delivery.id);
      const isOver = before && (before.final || before.needsSomebody || tried.has(delivery.id));
      if (held.some((earlier) => waitsFor(delivery, earlier))) {
        held.push(delivery);
      } else if (
        isOver ||
        !isDue({ ...delivery, notBefore: before?.notBefore ?? delivery.notBefore }, clock.now())
      ) {
        if (!before?.final) held.push(delivery);
      } else {
        const setback = await attempt(run, origin, delivery, round);
        if (setback === 'sent' || setback === 'past') {
          round.setbacks.delete(delivery.id);
          const isHeard = setback === 'sent';
          current = await swapOurs(origin, current, without(stateOf(origin, current), delivery, isHeard));
          continue;
        }
        round.setbacks.set(delivery.id, setback);
        if (!setback.final) held.push(delivery);
        if (!setback.final && !setback.needsSomebody) {
          const asked = setback.notBefore
            ? Date.parse(setback.notBefore) - clock.now().getTime()
            : Math.min(pause, patience);
          wait = Math.min(wait ?? asked, asked);
        }
      }
    }
    const left = invocation.deadline.getTime() - clock.now().getTime() - MESSAGE_MS;
    if (wait === null || wait <= 0 || wait > patience || wait > left) return current;
    await run.ports.pause(wait);
    patience -= wait;
  }
}

/** @returns `past` if it need no longer be sent */
async function attempt<S extends Outgoing>(
  run: Delivering,
  origin: Origin<S>,
  delivery: Delivery,
  round: Round,
): Promise<Setback | 'sent' | 'past'> {
  const { sender, ports } = run;
  const { addressee } = origin;
  const { id, kind, destination, urgent, report: reportKey } = delivery;
  const now = ports.clock.now();
  try {
    if (now >= ports.invocation.deadline) throw outOfTime();
    const archived = await reportAt(origin, reportKey);
    if (isPast(delivery, archived) && !delivery.heard) {
      ports.log.info(
        'a delivery is not sent: what it reports is over, and nobody was notified of its beginning',
        { ...origin.facts, delivery: id },
      );
      return 'past';
    }
    const report = asOfNow(archived, delivery);
    const deadline = new Date(Math.min(ports.invocation.deadline.getTime(), now.getTime() + MESSAGE_MS));
    const channel = ports.channels.of(addressee, destination);
    const received = await channel.send({ id, kind, report, reportKey, urgent, deadline });
    round.sent.add(queueOf(delivery));
    round.delivered.deliveries.push({ ...nameOf(origin.addressee, delivery), id: received });
    if (destination === MAIL) {
      const to = recipientsOf(addressee.recipients, sender, kind);
      round.delivered.mails.push({ kind, subject: subjectOfMail(report, kind), to, id: received });
    }
    return 'sent';
  } catch (error) {
    return setbackOf(error, delivery, ports.clock.now());
  }
}

function setbackOf(error: unknown, delivery: Delivery, now: Date): Setback {
  const isKnown = error instanceof MonitorError;
  const { final = false, retryAfter = null } = error instanceof DeliveryError ? error : {};
  return {
    delivery,
    // An unknown error may quote the address of a channel, which is a secret.
    problem:
      isKnown || delivery.destination === MAIL ? messageOf(error) : `It failed: ${nameOfError(error)}.`,
    advice: isKnown ? error.advice : 'Look at the log of this run.',
    // An error that no channel expects is a defect, which does not pass by itself.
    needsSomebody: !final && !(isKnown && error.retryable),
    final,
    notBefore:
      retryAfter === null
        ? null
        : new Date(now.getTime() + Math.min(retryAfter, LONGEST_PAUSE_MS)).toISOString(),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nameOfError(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

async function reportAt<S extends Outgoing>(origin: Origin<S>, key: string): Promise<AnyReport> {
  try {
    return await origin.report(key);
  } catch (error) {
    if (!(error instanceof MonitorError && error.code === 'archive-damaged')) throw error;
    throw new DeliveryError(error.code, error.message, error.advice, { final: true, cause: error });
  }
}

/** The state without a delivery. If it was sent, other deliveries of its report are marked as heard of. */
function without<S extends Outgoing>(state: S, { id, report }: Delivery, isHeard: boolean): S {
  return {
    ...state,
    outbox: state.outbox
      .filter((each) => each.id !== id)
      .map((each) => (isHeard && each.report === report ? { ...each, heard: true } : each)),
  };
}

/** Archives the claimed report, once, however many tries it takes. */
async function archiveReport<S extends Outgoing>(
  run: Delivering,
  origin: Origin<S>,
  current: Versioned<S>,
): Promise<Versioned<S>> {
  const state = stateOf(origin, current);
  if (!state.claim?.report) return current;
  const deliveries = deliveriesIn(state.outbox, state.claim.report);
  return swapOurs(origin, current, await origin.archive(state, deliveries, run.ports.clock.now()));
}

/** Swaps a state that we hold. @throws MonitorError `claim-lost` if we no longer do */
async function swapOurs<S extends Outgoing>(
  origin: Origin<S>,
  current: Versioned<S>,
  next: S,
): Promise<Versioned<S>> {
  const swapped = await origin.swap(next, current.version);
  if (swapped) return swapped;
  throw new MonitorError(
    'claim-lost',
    'Another run took over the deliveries of this one, which had outlived its claim.',
    'Run again: whatever is unsent by then is sent.',
    { retryable: true },
  );
}

/** The error for too little time: a delivery sent now would be noted only after the claim had ended, and so be repeated. */
function outOfTime(): MonitorError {
  return new MonitorError(
    'out-of-time',
    'The run had no time left to send.',
    'Nothing has to be done: the next run sends it. If it happens often, give the function more time.',
    { retryable: true },
  );
}

function stateOf<S extends Outgoing>(origin: Origin<S>, { state }: Versioned<S>): S {
  return state ?? origin.empty;
}

function claimOf(run: Delivering, report: AnyReport | null): Outgoing['claim'] {
  return { invocation: run.ports.invocation.id, until: claimEnd(run), report };
}

function claimEnd({ ports }: Delivering): string {
  return new Date(ports.invocation.deadline.getTime() + CLAIM_SLACK_MS).toISOString();
}

function nameOf({ channels }: Addressee, { destination, kind }: Delivery) {
  const type = channels.find(({ name }) => name === destination)?.type;
  return { channel: type ?? destination, kind, destination };
}

function pendingOf(addressee: Addressee, outbox: Delivery[]): Pick<Delivered, 'pending' | 'deliveries'> {
  return {
    pending: outbox
      .filter(({ destination }) => destination === MAIL)
      .map(({ kind, subject, to }) => ({ kind, subject, to })),
    deliveries: outbox.map((delivery) => ({
      ...nameOf(addressee, delivery),
      pending: true as const,
      problem: delivery.problem,
    })),
  };
}
