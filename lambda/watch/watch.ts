import { Archive, contentHash } from '../archive/archive.ts';
import { MonitorError } from '../errors.ts';
import { DEPLOYMENT_METRICS } from '../metric-names.ts';
import type { Ports, Schedule, Schedules } from '../ports.ts';
import { renderWatchMail } from '../report/watch.ts';
import type { Sender, SentMail } from '../run/run.ts';
import { recall, remember, type Memory } from './memory.ts';
import { assess, unsaid, type Situation, type Watched } from './situation.ts';

/** So many states are read at a time. */
const AT_A_TIME = 20;

export interface Watch {
  /** The deployment's name: the watch has many tenants. */
  deployment: string;
  sender: Sender;
  ports: Pick<Ports, 'clock' | 'store' | 'mailer' | 'log' | 'metrics'> & { schedules: Schedules };
}

/** What the watch found: returned by the function. `tenant` is an id, `name` the id where no run has told the name. */
export interface WatchResult {
  /** How many tenants have a schedule that is enabled. */
  watched: number;
  /** Without a successful run for 30 hours. `lastRun` is ISO 8601, null where none ever succeeded. */
  overdue: { tenant: string; name: string; lastRun: string | null }[];
  /** Whose newest snapshot, of that date, is 3 days old or older. */
  stale: { tenant: string; name: string; newest: string }[];
  /** The fewest whole days left on a certificate, negative once it has ended; null where none is known. */
  certificateDaysLeft: number | null;
  mails: SentMail[];
}

/**
 * The daily look at all tenants that should have run, for what no run can tell by itself: that it is missing.
 * Publishes how many are overdue and stale and the fewest days left on a certificate, and mails operations once for
 * every tenant that comes to be overdue and for every certificate that comes close to its end.
 * @throws MonitorError `watch-incomplete` where a state could not be read; everything else was done all the same
 */
export async function watch(run: Watch): Promise<WatchResult> {
  const { log, metrics, clock, store } = run.ports;
  const now = clock.now();
  const schedules = await enabledSchedules(run);
  const { tenants, unknown, failure } = await readStates(run, schedules);
  const situation = assess(tenants, now);
  const result: WatchResult = { watched: schedules.length, ...summary(situation), mails: [] };
  log.info('watched', { watched: result.watched, ...summary(situation) });

  // Before the mail, so that alarms do not depend on it. Half a look is none: it would call off an alarm.
  if (!failure) {
    metrics.publish({
      [DEPLOYMENT_METRICS.tenantsOverdue]: result.overdue.length,
      [DEPLOYMENT_METRICS.tenantsStale]: result.stale.length,
      ...(result.certificateDaysLeft === null
        ? {}
        : { [DEPLOYMENT_METRICS.certificateDaysLeft]: result.certificateDaysLeft }),
    });
  }

  const memory = await recall(store, log);
  const news = unsaid(situation, memory.said, tenants, unknown, now);
  if (news.items.length > 0) {
    result.mails.push(await send(run, news.items, now));
    metrics.publish({ [DEPLOYMENT_METRICS.mailsSent]: 1 });
  }
  await note(run, memory, news.said);

  if (failure) throw failure;
  return result;
}

/** Somebody who switches a schedule off wants no runs, and misses none. That it is off stands in the log. */
async function enabledSchedules({ ports, deployment }: Watch): Promise<Schedule[]> {
  const schedules = await ports.schedules.list();
  if (schedules.length === 0) {
    throw new MonitorError(
      'nothing-scheduled',
      `${deployment} has no schedule for any tenant: nothing runs.`,
      'Deploy again: the deployment creates a schedule for each tenant of the config.',
    );
  }
  const disabled = schedules.filter(({ enabled }) => !enabled).map(({ tenantId }) => tenantId);
  if (disabled.length > 0) ports.log.warn('schedules are disabled: not watched', { tenants: disabled });
  return schedules.filter(({ enabled }) => enabled);
}

interface States {
  tenants: Watched[];
  /** Tenants whose state could not be read, for a reason that may pass. */
  unknown: string[];
  failure: MonitorError | null;
}

/** A tenant whose state cannot be read is named in the log, and keeps no other from being watched. */
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
    // In the order of the schedules, whichever was read first.
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

function summary({ overdue, stale, certificates }: Situation) {
  return {
    overdue: overdue.map(({ tenant, name, lastRun }) => ({ tenant, name, lastRun })),
    stale,
    certificateDaysLeft: certificates[0]?.daysLeft ?? null,
  };
}

async function send(run: Watch, items: ReturnType<typeof unsaid>['items'], now: Date): Promise<SentMail> {
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

/** After the mail: a crash between them says it twice, and never not at all. */
async function note({ ports }: Watch, { said, version }: Memory, next: Memory['said']): Promise<void> {
  if (contentHash(next) === contentHash(said)) return;
  if (!(await remember(ports.store, next, version)))
    ports.log.warn('another watch ran at the same time: what it said may be said again');
}
