import type { Archive } from '../archive/archive.ts';
import { EMPTY_STATE, type State } from '../archive/state.ts';
import { MonitorError } from '../errors.ts';
import type { Run } from './run.ts';
import { sumExplanations } from '../score/attribution.ts';
import { deliver, finishClaim } from './deliver.ts';
import { endedNotes } from './incidents.ts';
import { lastReported } from './last-reported.ts';
import { headOf } from './ledger.ts';
import type { Findings } from './report.ts';

/** A failure that may pass by itself is mailed only when it has lasted so long. */
const PATIENCE_MS = 24 * 3_600_000;

/** Mails that are another run's, or that cannot be sent, are not told by one more mail: the alarms do. */
function isAboutMails({ code }: MonitorError): boolean {
  return (
    ['claimed-by-another-run', 'claim-lost', 'state-contended', 'out-of-time'].includes(code) ||
    code.startsWith('mail-')
  );
}

/**
 * Mails operations that runs fail: once a kind of failure in a row of failing runs, and at once only where waiting
 * cannot help. Also sends what an earlier run left behind. Never throws: the failure itself is what the caller throws.
 */
export async function reportFailure(run: Run, archive: Archive, failure: unknown): Promise<void> {
  if (!(failure instanceof MonitorError) || isAboutMails(failure)) return;
  const { ports, tenant } = run;
  try {
    const current = await finishClaim(run, archive, null);
    const state: State = current.state ?? { ...EMPTY_STATE, ...(await lastReported(run, archive, null)) };
    const now = ports.clock.now();
    const failing = state.said.failing ?? { since: now.toISOString(), told: [] };
    // Outages change their face from try to try: to the reader they are one failure.
    const code = failure.retryable ? 'outage' : failure.code;
    const due =
      !failing.told.includes(code) &&
      (!failure.retryable || now.getTime() - Date.parse(failing.since) >= PATIENCE_MS);

    const findings: Findings = {
      report: {
        version: 1,
        tenantId: tenant.tenantId,
        name: tenant.name,
        toldAt: now.toISOString(),
        timeZone: tenant.schedule.timeZone,
        from: state.cursor,
        to: state.cursor,
        before: null,
        after: null,
        account: null,
        days: [],
        confirmed: [],
        trend: [],
        peers: { allTenants: null, similarSize: null },
        start: null,
        operations: [
          {
            kind: 'failing',
            code: failure.code,
            message: failure.message,
            advice: failure.advice,
            since: failing.since,
          },
        ],
        notes: due ? endedNotes(state.said) : [],
        ledger: headOf(state.ledger),
      },
      mails: due ? ['operations'] : [],
      score: { date: '', points: 0, maximum: 0, percentage: null },
      next: {
        cursor: state.cursor,
        held: state.held,
        services: state.services,
        lastRun: state.lastRun,
        settling: state.settling,
        trend: state.trend,
        said: {
          ...state.said,
          ended: due ? [] : state.said.ended,
          failing: due ? { ...failing, told: [...failing.told, code] } : failing,
        },
      },
      ledger: null,
      changes: [],
      explanation: sumExplanations([], null),
    };
    await deliver(run, archive, current, findings, null);
  } catch (error) {
    ports.log.warn('the failure could not be reported', {
      tenant: tenant.tenantId,
      failure: failure.code,
      error: error instanceof Error ? error.message : String(error),
    });
  }
}
