import { contentHash, type Archive, type Versioned } from '../archive/archive.ts';
import { EMPTY_STATE, lastReportedOf, type Delivery, type State } from '../archive/state.ts';
import { MAIL } from '../config.ts';
import { DeliveryError, MonitorError } from '../errors.ts';
import type { Report } from '../report/model.ts';
import { subjectOfMail } from '../report/subject.ts';
import { recipientsOf } from '../channels/mail.ts';
import { reportOfOperations } from './incidents.ts';
import { enterReport, further } from './ledger.ts';
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

/** The part of a run that delivering needs, so that the watch can deliver too. */
export type Delivering = Pick<Run, 'tenant' | 'sender'> & {
  ports: Pick<Run['ports'], 'clock' | 'pause' | 'invocation' | 'channels' | 'log'>;
};

/**
 * The state, once nobody else is writing and sending. A report that an earlier run claimed but did not archive is now
 * archived, because its claim has ended or this is a retry of the same invocation.
 * @throws ClaimedError while the claim of another run is live
 */
export async function takeOver(
  run: Delivering,
  archive: Archive,
  result: RunResult | null,
): Promise<Versioned> {
  for (;;) {
    const current = await archive.state();
    const claim = current.state?.claim;
    if (!current.state || !claim) return current;

    const { id } = run.ports.invocation;
    const left = Date.parse(claim.until) - run.ports.clock.now().getTime();
    if (claim.invocation !== id && left > 0 && left < LONGEST_CLAIM_MS) {
      throw new ClaimedError(claim.until, result && { ...result, ...pendingOf(run, current.state.outbox) });
    }
    const taken = await archive.swapState(
      { ...current.state, claim: { ...claim, invocation: id, until: claimEnd(run) } },
      current.version,
    );
    if (!taken) continue;
    const archived = await archiveReport(run, archive, taken);
    return swapOurs(archive, archived, { ...stateOf(archived), claim: null });
  }
}

/**
 * Moves the cursor, puts the deliveries of the findings into the outbox, and claims archiving and sending, all in one
 * compare-and-swap.
 * @returns the state, with a claim if there is anything to send; null if another run changed it meanwhile, so that
 *   nothing was done and the comparison must be repeated
 */
export async function deposit(
  run: Delivering,
  archive: Archive,
  current: Versioned,
  findings: Pick<Findings, 'report' | 'mails' | 'next' | 'ledger'>,
): Promise<Versioned | null> {
  const before = stateOf(current);
  const { report, mails, next } = findings;
  const now = run.ports.clock.now();
  const outbox = [
    ...withEnded(before.outbox, next.said, now),
    ...(mails.length > 0 ? deliveriesOf(run, report, mails) : []),
  ];
  const hasWork = mails.length > 0 || outbox.some((delivery) => isDue(delivery, now));
  const state: State = {
    ...before,
    ...next,
    name: run.tenant.name,
    schedule: run.tenant.schedule,
    tenant: JSON.parse(JSON.stringify(run.tenant)) as unknown,
    ledger: further(findings.ledger, before.ledger),
    outbox,
    claim: hasWork ? claimOf(run, mails.length > 0 ? report : null) : null,
  };
  if (current.state !== null && contentHash(state) === contentHash(current.state)) return current;
  return (await archive.swapState(state, current.version)) ?? null;
}

/**
 * Archives the claimed report and sends whatever is due. A destination that fails keeps its own deliveries and does not
 * hold up others. Deliveries that were refused for good, or that need somebody, are reported to operations.
 * @param ours the result of `deposit`. Without a claim there is nothing to do
 * @param patience the maximum time to wait for receivers in all, in ms
 */
export async function send(
  run: Delivering,
  archive: Archive,
  ours: Versioned,
  patience = PATIENCE_MS,
): Promise<Delivered> {
  const round: Round = { setbacks: new Map(), sent: new Set(), delivered: NOTHING_DELIVERED() };
  let current = ours;
  while (stateOf(current).claim !== null) {
    current = await archiveReport(run, archive, current);
    const tried = new Set(round.setbacks.keys());
    current = await sendDue(run, archive, current, { round, tried, patience });
    const now = run.ports.clock.now();
    const fresh = [...round.setbacks.values()].filter(({ delivery }) => !tried.has(delivery.id));
    const after = afterwards(stateOf(current), fresh, round.sent, now);
    const { outbox, said, items, dropped } = after;
    round.delivered.failed += after.failed;
    for (const { delivery, problem, advice } of fresh) {
      run.ports.log[dropped.some((each) => each.delivery === delivery) ? 'error' : 'warn'](
        dropped.some((each) => each.delivery === delivery)
          ? 'a delivery was given up'
          : 'a delivery did not get through, and waits',
        { tenant: run.tenant.tenantId, delivery: delivery.id, problem, advice },
      );
    }
    for (const { delivery, problem } of dropped) {
      round.delivered.deliveries.push({ ...nameOf(run, delivery), dropped: problem });
    }

    const state: State = { ...stateOf(current), outbox, said };
    const report = items.length > 0 ? reportOfOperations(run, state, now, items) : null;
    current = await swapOurs(archive, current, {
      ...state,
      outbox: report
        ? [
            ...outbox,
            ...deliveriesOf(run, report, ['operations']).filter(({ destination }) => destination === MAIL),
          ]
        : outbox,
      claim: report && claimOf(run, report),
    });
  }
  const { pending, deliveries } = pendingOf(run, stateOf(current).outbox);
  round.delivered.pending = pending;
  round.delivered.deliveries.push(...deliveries);
  return round.delivered;
}

/** Sends what is due, once, for the watch, which has nothing of its own to report. @throws ClaimedError */
export async function sendWaiting(run: Delivering, archive: Archive): Promise<Delivered> {
  for (;;) {
    const current = await takeOver(run, archive, null);
    const state = stateOf(current);
    const isAnyDue = state.outbox.some((delivery) => isDue(delivery, run.ports.clock.now()));
    if (!isAnyDue) return send(run, archive, current, 0);
    const ours = await archive.swapState({ ...state, claim: claimOf(run, null) }, current.version);
    if (ours) return send(run, archive, ours, 0);
  }
}

interface Round {
  /** Setbacks by the id of their delivery. */
  setbacks: Map<string, Setback>;
  /** Queues of which a delivery was sent. */
  sent: Set<string>;
  delivered: Delivered;
}

const NOTHING_DELIVERED = (): Delivered => ({ mails: [], pending: [], deliveries: [], failed: 0 });

/** @param tried deliveries that have failed in this run. They, and those behind them, wait for the next one */
async function sendDue(
  run: Delivering,
  archive: Archive,
  claimed: Versioned,
  { round, tried, ...limits }: { round: Round; tried: Set<string>; patience: number },
): Promise<Versioned> {
  const { clock, invocation } = run.ports;
  let current = claimed;
  let { patience } = limits;
  for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
    const held: Delivery[] = [];
    let wait: number | null = null;
    for (const delivery of stateOf(current).outbox) {
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
        const setback = await attempt(run, archive, delivery, round);
        if (!setback) {
          round.setbacks.delete(delivery.id);
          current = await swapOurs(archive, current, without(stateOf(current), delivery));
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

/** @returns null if it was sent, or need no longer be */
async function attempt(
  run: Delivering,
  archive: Archive,
  delivery: Delivery,
  round: Round,
): Promise<Setback | null> {
  const { tenant, sender, ports } = run;
  const { id, kind, destination, urgent, report: reportKey } = delivery;
  const now = ports.clock.now();
  try {
    if (now >= ports.invocation.deadline) throw outOfTime();
    const archived = await reportAt(archive, reportKey);
    if (isPast(delivery, archived) && !delivery.heard) {
      ports.log.info(
        'a delivery is not sent: what it reports is over, and nobody was notified of its beginning',
        {
          tenant: tenant.tenantId,
          delivery: id,
        },
      );
      return null;
    }
    const report = asOfNow(archived, delivery);
    const deadline = new Date(Math.min(ports.invocation.deadline.getTime(), now.getTime() + MESSAGE_MS));
    const channel = ports.channels.of(tenant, destination);
    const received = await channel.send({ id, kind, report, reportKey, urgent, deadline });
    round.sent.add(queueOf(delivery));
    round.delivered.deliveries.push({ ...nameOf(run, delivery), id: received });
    if (destination === MAIL) {
      const to = recipientsOf(tenant.recipients, sender, kind);
      round.delivered.mails.push({ kind, subject: subjectOfMail(report, kind), to, id: received });
    }
    return null;
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

async function reportAt(archive: Archive, key: string): Promise<Report> {
  try {
    return (await archive.report(key)).report;
  } catch (error) {
    if (!(error instanceof MonitorError && error.code === 'archive-damaged')) throw error;
    throw new DeliveryError(error.code, error.message, error.advice, { final: true, cause: error });
  }
}

/** The state after a delivery was sent. Other deliveries of its report are marked as heard of. */
function without(state: State, { id, report }: Delivery): State {
  return {
    ...state,
    outbox: state.outbox
      .filter((each) => each.id !== id)
      .map((each) => (each.report === report ? { ...each, heard: true } : each)),
  };
}

/** Enters the claimed report in the ledger and archives it, both once, however many tries it takes. */
async function archiveReport(run: Delivering, archive: Archive, current: Versioned): Promise<Versioned> {
  const state = stateOf(current);
  const { claim } = state;
  if (!claim?.report) return current;
  const { report } = claim;
  const deliveries = state.outbox
    .filter(({ id }) => id.startsWith(contentHash(report).slice(0, 16)))
    .map(({ id, destination, kind, subject, to }) => ({ id, destination, kind, subject, to }));
  const archived = { report, deliveries, next: lastReportedOf(state) };
  const ledger = await enterReport(archive, state.ledger, archived, run.ports.clock.now());
  return swapOurs(archive, current, { ...state, ledger, claim: { ...claim, report: null } });
}

/** Swaps a state that we hold. @throws MonitorError `claim-lost` if we no longer do */
async function swapOurs(archive: Archive, current: Versioned, next: State): Promise<Versioned> {
  const swapped = await archive.swapState(next, current.version);
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

function stateOf({ state }: Versioned): State {
  return state ?? EMPTY_STATE;
}

function claimOf(run: Delivering, report: Report | null): State['claim'] {
  return { invocation: run.ports.invocation.id, until: claimEnd(run), report };
}

function claimEnd({ ports }: Delivering): string {
  return new Date(ports.invocation.deadline.getTime() + CLAIM_SLACK_MS).toISOString();
}

function nameOf({ tenant }: Delivering, { destination, kind }: Delivery) {
  const type = tenant.channels.find(({ name }) => name === destination)?.type;
  return { channel: type ?? destination, kind, destination };
}

function pendingOf(run: Delivering, outbox: Delivery[]): Pick<Delivered, 'pending' | 'deliveries'> {
  return {
    pending: outbox
      .filter(({ destination }) => destination === MAIL)
      .map(({ kind, subject, to }) => ({ kind, subject, to })),
    deliveries: outbox.map((delivery) => ({
      ...nameOf(run, delivery),
      pending: true as const,
      problem: delivery.problem,
    })),
  };
}
