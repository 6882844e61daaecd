import { Archive, contentHash } from '../archive/archive.ts';
import { closeMonths } from '../archive/columns/closed.ts';
import { inParallel } from '../archive/columns/parallel.ts';
import type { State } from '../archive/state.ts';
import { tenantSchema } from '../settings.ts';
import { ofDigest } from '../digest/origin.ts';
import { MonitorError } from '../errors.ts';
import { DEPLOYMENT_METRICS } from '../metric-names.ts';
import type { Mailer, Ports, Schedule, Schedules } from '../ports.ts';
import { renderWatchMail, type WatchItem } from '../report/watch.ts';
import type { Sender } from '../channels/mail.ts';
import { sendWaiting } from '../run/deliver.ts';
import { ofTenant, type Origin, type Outgoing } from '../run/origin.ts';
import type { Delivered, SentMail } from '../run/run.ts';
import { overdueDigests, readDigests, type KnownDigest } from './digests.ts';
import { lookThrough, type Look } from './evidence.ts';
import { recall, remember, type Memory } from './memory.ts';
import { assess, daysLeftToAct, notYetNotified, type Incidents, type Watched } from './incidents.ts';

/** The maximum number of states that are read at once. */
const AT_A_TIME = 20;

export interface Watch {
  /** The deployment's name: the watch has many tenants. */
  deployment: string;
  sender: Sender;
  ports: Pick<Ports, 'clock' | 'pause' | 'store' | 'channels' | 'log' | 'metrics'> & {
    mailer: Mailer;
    schedules: Schedules;
  };
  /** The invocation's deadline: no tenant's evidence is begun shortly before it. */
  deadline: Date;
}

/** What the watch found, returned by the function. `tenant` is an id; `name` is also the id until a run recorded a name. */
export interface WatchResult {
  /** How many tenants have a schedule that is enabled. */
  watched: number;
  /** Tenants without a successful run for 30 hours. `lastRun` is ISO 8601; null if none ever succeeded. */
  overdue: { tenant: string; name: string; lastRun: string | null }[];
  /** Digests that were due more than 30 hours ago and have not been made. `lastRun` as above. */
  overdueDigests: { name: string; lastRun: string | null }[];
  /** Tenants whose newest snapshot, of that date, is at least 3 days old. */
  stale: { tenant: string; name: string; newest: string }[];
  /** The lowest number of full days left on a certificate, negative once it has expired; null if none is known. */
  certificateDaysLeft: number | null;
  /** Tenants with damaged, missing or foreign evidence in what has been checked so far, and the keys. */
  damaged: { tenant: string; name: string; keys: string[] }[];
  mails: SentMail[];
}

/**
 * The daily check of all tenants that should have run. It finds what no run can report, which is that a run or a
 * digest is missing. It publishes how many are overdue and stale and the lowest number of days left on a certificate. It
 * mails operations once for every tenant and digest that becomes overdue, for every certificate that is about to expire, and for evidence
 * that is damaged or missing in the slice of each archive that it checks, or foreign among what the runs have read.
 * @throws MonitorError `watch-incomplete` where a state could not be read; everything else was done all the same
 */
export async function watch(run: Watch): Promise<WatchResult> {
  const { log, metrics, clock, store } = run.ports;
  const now = clock.now();
  const schedules = await enabledSchedules(run);
  const { tenants, unknown, failure } = await readStates(run, schedules);
  const incidents = assess(tenants, now);
  const digests = await readDigests(store, log);
  const silent = digests ? overdueDigests(await run.ports.schedules.digests(), digests, now) : [];
  const memory = await recall(store, log);
  const evidence = await lookAtEvidence(run, tenants, memory.notified.evidence);
  const damaged = damagedIn(evidence, tenants);
  const found = { watched: schedules.length, ...summary(incidents), overdueDigests: silent, damaged };
  const result: WatchResult = { ...found, mails: [] };
  log.info('watched', found);

  const daysLeft = daysLeftToAct(incidents);
  // Metrics come before the mail, so that alarms do not depend on it. An incomplete watch publishes none, because its
  // figures would end an alarm.
  if (!failure) {
    metrics.publish({
      [DEPLOYMENT_METRICS.tenantsOverdue]: result.overdue.length + silent.length,
      [DEPLOYMENT_METRICS.tenantsStale]: result.stale.length,
      [DEPLOYMENT_METRICS.archivesDamaged]: result.damaged.length,
      ...(daysLeft === null ? {} : { [DEPLOYMENT_METRICS.certificateDaysLeft]: daysLeft }),
    });
  }

  const findings = notYetNotified(incidents, memory.notified, tenants, unknown, now);
  const newlySilent = silent.filter(({ name }) => memory.notified.digests[name] === undefined);
  const items: WatchItem[] = [
    ...findings.items,
    ...(newlySilent.length > 0 ? [{ kind: 'digests' as const, digests: newlySilent }] : []),
    ...newlyDamaged(evidence, memory.notified.evidence, tenants),
  ];
  if (items.length > 0) {
    result.mails.push(await send(run, items, now));
    metrics.publish({ [DEPLOYMENT_METRICS.mailsSent]: 1 });
  }
  await note(run, memory, {
    ...findings.notified,
    evidence,
    digests: digests
      ? Object.fromEntries(
          silent.map(({ name }) => [name, memory.notified.digests[name] ?? now.toISOString()]),
        )
      : memory.notified.digests,
  });
  result.mails.push(...(await emptyOutboxes(run, tenants, digests ?? new Map())));
  await closeOldMonths(run);

  if (failure) throw failure;
  return result;
}

/** A tenant whose schedule is disabled is not watched, because nobody expects it to run. The log lists these. */
async function enabledSchedules({ ports, deployment }: Watch): Promise<Schedule[]> {
  const schedules = await ports.schedules.list();
  if (schedules.length === 0) {
    throw new MonitorError(
      'nothing-scheduled',
      `${deployment} has no schedule for any tenant, so nothing runs.`,
      'Deploy again: the deployment creates a schedule for each tenant of the config.',
    );
  }
  const disabled = schedules.filter(({ enabled }) => !enabled).map(({ tenantId }) => tenantId);
  if (disabled.length > 0) ports.log.warn('schedules are disabled: not watched', { tenants: disabled });
  return schedules.filter(({ enabled }) => enabled);
}

interface States {
  tenants: Watched[];
  /** Tenants whose state could not be read, for a reason that may be temporary. */
  unknown: string[];
  failure: MonitorError | null;
}

/** Reads all states. A state that cannot be read is logged, and the other tenants are watched all the same. */
async function readStates({ ports }: Watch, schedules: Schedule[]): Promise<States> {
  const tenants: Watched[] = [];
  const unknown: string[] = [];
  const failures: unknown[] = [];
  const read = async (schedule: Schedule): Promise<void> => {
    const { tenantId } = schedule;
    try {
      const { state } = await new Archive(ports.store, tenantId).state();
      tenants.push({ schedule, state });
    } catch (error) {
      const facts = { tenant: tenantId, ...(error instanceof MonitorError ? { advice: error.advice } : {}) };
      ports.log.error(error instanceof Error ? error.message : String(error), facts);
      if (error instanceof MonitorError && error.code === 'state-damaged') {
        tenants.push({ schedule, state: 'damaged' });
      } else {
        unknown.push(tenantId);
        failures.push(error);
      }
    }
  };
  for (let start = 0; start < schedules.length; start += AT_A_TIME) {
    await Promise.all(schedules.slice(start, start + AT_A_TIME).map(read));
  }
  const [first] = failures;
  return {
    // Tenants have the order of the schedules, whichever was read first.
    tenants: tenants.toSorted((a, b) => schedules.indexOf(a.schedule) - schedules.indexOf(b.schedule)),
    unknown,
    failure: first === undefined ? null : incomplete(unknown, first),
  };
}

function incomplete(unknown: string[], first: unknown): MonitorError {
  return new MonitorError(
    'watch-incomplete',
    `The state of ${unknown.length === 1 ? `the tenant ${unknown[0]}` : `${unknown.length} tenants`} could not be read: ${first instanceof Error ? first.message : String(first)}`,
    first instanceof MonitorError ? first.advice : 'Look at the log of this invocation for the tenants.',
    { retryable: true, cause: first },
  );
}

function summary({ overdue, stale, certificates }: Incidents) {
  return {
    overdue: overdue.map(({ tenant, name, lastRun }) => ({ tenant, name, lastRun })),
    stale,
    certificateDaysLeft: certificates[0]?.daysLeft ?? null,
  };
}

/** No further tenant is begun in the last minute before the deadline, because a slice takes seconds. */
const RESERVE_MS = 60_000;

/**
 * Checks a slice of each tenant's evidence, least recently checked first, as far as time allows. A tenant whose evidence
 * cannot be read is logged and checked again the next day. A tenant that is no longer watched is forgotten.
 */
async function lookAtEvidence(
  { ports, deadline }: Watch,
  tenants: Watched[],
  before: Record<string, Look>,
): Promise<Record<string, Look>> {
  const { store, clock, log } = ports;
  const known = Object.fromEntries(
    tenants.flatMap(({ schedule: { tenantId } }) => (before[tenantId] ? [[tenantId, before[tenantId]]] : [])),
  ) as Record<string, Look>;
  const at = ({ schedule }: Watched) => before[schedule.tenantId]?.at ?? '';
  const due = tenants.toSorted((a, b) => (at(a) < at(b) ? -1 : 1));
  await inParallel(
    due,
    async ({ schedule: { tenantId }, state }) => {
      const through = state === 'damaged' ? null : (state?.ledger ?? null);
      const last = before[tenantId] ?? null;
      if ((!through && !last) || clock.now().getTime() > deadline.getTime() - RESERVE_MS) return;
      try {
        const archive = new Archive(store, tenantId);
        known[tenantId] = await lookThrough({ store, archive, tenantId, through, now: clock.now() }, last);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        log.error('the evidence could not be checked', { tenant: tenantId, error: message });
      }
    },
    AT_A_TIME,
  );
  return known;
}

function nameOf({ schedule, state }: Watched): string {
  return (state === 'damaged' ? null : state?.name) ?? schedule.tenantId;
}

function damagedIn(evidence: Record<string, Look>, tenants: Watched[]): WatchResult['damaged'] {
  return tenants.flatMap((watched) => {
    const { tenantId: tenant } = watched.schedule;
    const keys = Object.keys(evidence[tenant]?.open ?? {});
    return keys.length > 0 ? [{ tenant, name: nameOf(watched), keys }] : [];
  });
}

/** What has been found since the last check; an incident that goes on is reported once. */
function newlyDamaged(
  evidence: Record<string, Look>,
  before: Record<string, Look>,
  tenants: Watched[],
): WatchItem[] {
  const found = tenants.flatMap((watched) => {
    const { tenantId } = watched.schedule;
    const reported = before[tenantId]?.open ?? {};
    const losses = Object.entries(evidence[tenantId]?.open ?? {}).filter(([key]) => !(key in reported));
    const objects = losses.map(([key, why]) => ({ key, why }));
    return objects.length > 0 ? [{ name: nameOf(watched), objects }] : [];
  });
  return found.length > 0 ? [{ kind: 'evidence', tenants: found }] : [];
}

async function send(run: Watch, items: WatchItem[], now: Date): Promise<SentMail> {
  const { deployment, sender, ports } = run;
  const report = { deployment, toldAt: now.toISOString(), items };
  const { subject, html, text } = renderWatchMail(report);
  const kind = 'operations';
  const id = await ports.mailer.send({
    kind,
    key: `${report.toldAt.slice(0, 10)}/${deployment}/watch-${contentHash(report).slice(0, 8)}`,
    date: now,
    from: sender.from,
    to: sender.operations,
    subject,
    html,
    text,
  });
  return { kind, subject, to: sender.operations, id };
}

/**
 * Sends what waits in the outboxes of the tenants and of the digests. One that cannot be emptied does not hold up others.
 * @returns the mails
 */
async function emptyOutboxes(
  run: Watch,
  tenants: Watched[],
  digests: Map<string, KnownDigest | null>,
): Promise<SentMail[]> {
  const { ports, sender, deadline } = run;
  const invocation = { id: `watch ${run.deployment} ${ports.clock.now().toISOString()}`, deadline };
  const delivering = { sender, ports: { ...ports, invocation } };
  const emptied = async <S extends Outgoing>(origin: Origin<S>): Promise<Delivered[]> => {
    try {
      return ports.clock.now() >= deadline ? [] : [await sendWaiting(delivering, origin)];
    } catch (error) {
      ports.log.warn('an outbox could not be emptied: the next run tries again', {
        ...origin.facts,
        error: error instanceof Error ? error.message : String(error),
      });
      return [];
    }
  };
  const waiting = tenants.filter(({ state }) => state && state !== 'damaged' && state.outbox.length > 0);
  const delivered = await inParallel(waiting, async ({ schedule: { tenantId }, state }) => {
    // The tenant is as of its last run. A state older than the channels has none, so the next run sends.
    const parsed = tenantSchema.safeParse((state as State).tenant);
    return parsed.success ? emptied(ofTenant(parsed.data, new Archive(ports.store, tenantId))) : [];
  });
  for (const known of digests.values())
    if (known?.digest && known.state.outbox.length > 0)
      delivered.push(await emptied(ofDigest(known.digest, ports.store)));
  const all = delivered.flat();
  if (all.length > 0) {
    ports.metrics.publish({
      [DEPLOYMENT_METRICS.mailsSent]: all.reduce((sum, { mails }) => sum + mails.length, 0),
      [DEPLOYMENT_METRICS.deliveriesDropped]: all.reduce((sum, { failed }) => sum + failed, 0),
    });
  }
  return all.flatMap(({ mails }) => mails);
}

/** The time that closing a month of a thousand tenants may take. */
const CLOSING_MS = 150_000;

/** Copies months of the history that no run changes any more into few files. A failure is logged; the next day tries again. */
async function closeOldMonths({ ports, deadline }: Watch): Promise<void> {
  const { store, log, clock } = ports;
  try {
    const timeIsUp = () => clock.now().getTime() > deadline.getTime() - CLOSING_MS;
    if (!timeIsUp()) await closeMonths({ store, log, now: clock.now(), timeIsUp });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log.warn('months of the history could not be closed: the next watch tries again', { error: message });
  }
}

/** Records what was reported after the mail, so that a crash in between repeats the mail rather than losing it. */
async function note(
  { ports }: Watch,
  { notified, version }: Memory,
  next: Memory['notified'],
): Promise<void> {
  if (contentHash(next) === contentHash(notified)) return;
  if (!(await remember(ports.store, next, version)))
    ports.log.warn('another watch ran at the same time: what it reported may be reported again');
}
