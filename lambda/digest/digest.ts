import { keyOfReport } from '../archive/state.ts';
import type { Sender } from '../channels/mail.ts';
import type { Digest } from '../config.ts';
import { daysBetween, dateOf } from '../dates.ts';
import { MonitorError } from '../errors.ts';
import { DEPLOYMENT_METRICS } from '../metric-names.ts';
import type { Ports, Schedules } from '../ports.ts';
import type { DigestReport } from '../report/digest-model.ts';
import { deposit, send, takeOver } from '../run/deliver.ts';
import { deliveriesOf } from '../run/outbox.ts';
import type { Delivered } from '../run/run.ts';
import { lastOccurrence } from '../watch/occurrences.ts';
import { compose, hasFindings, reportedStill, reportedWith, type Reported } from './compose.ts';
import { gather } from './gather.ts';
import { ofDigest } from './origin.ts';
import { fleetOutlook } from './outlook.ts';
import { EMPTY_DIGEST, type DigestState } from './state.ts';
import type { Start } from './tenant.ts';

/** The maximum number of times another run may come first before this one gives up and is retried. */
const ATTEMPTS = 5;

/** One run of one digest. */
export interface DigestRun {
  digest: Digest;
  sender: Sender;
  ports: Pick<Ports, 'clock' | 'pause' | 'invocation' | 'store' | 'channels' | 'log' | 'metrics'> & {
    schedules: Pick<Schedules, 'list'>;
  };
}

/** The result of a digest: returned by the function, printed by `digest --json` with the report. */
export interface DigestResult extends Omit<Delivered, 'failed'> {
  digest: string;
  /** Key of its report in the archive; null if there was nothing to report. */
  report: string | null;
}

/**
 * One digest: reads what was reported about its tenants since the last one, composes it, claims, archives and delivers.
 * It has the guarantees of a tenant's reports: a crash between any two side effects, followed by a rerun, leads to the same
 * archive and loses no mail; two at once send one; a digest that failed is covered by the next one that succeeds.
 * @returns the report as well, if there was anything to report
 * @throws MonitorError whose `retryable` says whether the same run may succeed later by itself
 */
export async function makeDigest(
  run: DigestRun,
): Promise<{ result: DigestResult; report: DigestReport | null }> {
  const { digest, ports, sender } = run;
  const origin = ofDigest(digest, ports.store);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const current = await takeOver(run, origin, null);
    const before = current.state ?? EMPTY_DIGEST;
    const now = ports.clock.now();
    const occurrence = lastOccurrence(digest, now);
    const isDone = before.reported?.occurrence === occurrence.toISOString();
    const found = isDone ? null : await compile(run, before.reported, { now, occurrence });
    const report = found && (digest.every !== 'day' || hasFindings(found)) ? found : null;
    const state: DigestState = {
      ...before,
      digest: JSON.parse(JSON.stringify(digest)) as unknown,
      lastRun: now.toISOString(),
      reported: reportedAfter(before.reported, { found, report, occurrence }),
      outbox: [
        ...before.outbox,
        ...(report ? deliveriesOf(sender, origin.addressee, report, ['digest']) : []),
      ],
    };
    const ours = await deposit(run, origin, current, { report, state });
    if (!ours) continue;
    const { failed, ...delivered } = await send(run, origin, ours);
    ports.metrics.publish({
      [DEPLOYMENT_METRICS.mailsSent]: delivered.mails.length,
      [DEPLOYMENT_METRICS.deliveriesDropped]: failed,
    });
    return { result: { digest: digest.name, report: report && keyOfReport(report), ...delivered }, report };
  }
  throw new MonitorError(
    'state-contended',
    `Other runs changed the state of the digest ${digest.name} ${ATTEMPTS} times while this one read its tenants.`,
    'Run again when the others are done.',
    { retryable: true },
  );
}

/** The facts from which the next digest starts. */
function reportedAfter(
  before: DigestState['reported'],
  {
    found,
    report,
    occurrence,
  }: { found: DigestReport | null; report: DigestReport | null; occurrence: Date },
): DigestState['reported'] {
  if (report) return { occurrence: occurrence.toISOString(), ...reportedWith(report, before) };
  if (!found) return before;
  // If there was no digest yet, the next one starts from here.
  return before
    ? { ...before, ...reportedStill(found, before) }
    : { occurrence: '', ...reportedWith(found, null) };
}

/**
 * Reads the tenants and composes the digest. Changes nothing.
 * @param days a digest of these days (yyyy-mm-dd, both included) instead of the time since the last one. If they are over,
 *   it is silent about today: what is late or stale, what is left to gain, which decisions are in force.
 */
export async function compile(
  {
    digest,
    ports,
  }: Pick<DigestRun, 'digest'> & { ports: Pick<DigestRun['ports'], 'store' | 'log' | 'schedules'> },
  reported: Reported | null,
  { now, occurrence, days }: { now: Date; occurrence: Date; days?: { from: string; to: string } },
): Promise<DigestReport> {
  const { tenants } = digest;
  const schedules = (await ports.schedules.list()).filter(
    ({ tenantId, enabled }) => enabled && (tenants === 'all' || tenants.includes(tenantId)),
  );
  if (schedules.length === 0) {
    throw new MonitorError(
      'nothing-scheduled',
      `None of the tenants of the digest ${digest.name} has a schedule that is enabled.`,
      'Deploy again: the deployment creates a schedule for each tenant of the config.',
    );
  }
  const previous = lastOccurrence(digest, new Date(occurrence.getTime() - 1));
  const period = Math.max(1, daysBetween(dateOf(previous), dateOf(occurrence)));
  const startOf = (tenantId: string): Start => {
    if (days) return { first: days.from };
    const score = reported?.tenants[tenantId]?.score;
    if (score) return { score, isAdded: false };
    const former = reported?.gone?.[tenantId]?.score;
    return former ? { score: former, isAdded: true } : { daysBack: period, isAdded: reported !== null };
  };
  const isOver = days !== undefined && days.to < dateOf(now);
  const hasOutlook = digest.every === 'month' && !isOver;
  const { parts, outlooks } = await gather(ports, schedules, {
    now,
    startOf,
    nameOf: (tenantId) => (reported?.tenants[tenantId] ?? reported?.gone?.[tenantId])?.name,
    through: days?.to ?? null,
    isOver,
    outlook: hasOutlook,
  });
  return compose(parts, days ? null : reported, {
    name: digest.name,
    every: digest.every,
    timeZone: digest.timeZone,
    toldAt: now.toISOString(),
    outlook: hasOutlook ? fleetOutlook(outlooks, parts.length - outlooks.length) : null,
  });
}
