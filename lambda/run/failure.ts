import type { Archive } from '../archive/archive.ts';
import { EMPTY_STATE, lastReportedOf, type State } from '../archive/state.ts';
import { MonitorError } from '../errors.ts';
import { deposit, depositOf, send, takeOver } from './deliver.ts';
import { endedNotes, reportOfOperations } from './incidents.ts';
import { findLastReported } from './last-reported.ts';
import { ofTenant } from './origin.ts';
import type { Run } from './run.ts';

/** The time, in ms, after which a failure that may pass by itself is reported. */
const PATIENCE_MS = 24 * 3_600_000;

/** Errors that need no report, because another run is doing the work. */
const OF_OTHER_RUNS = new Set(['claimed-by-another-run', 'claim-lost', 'state-contended', 'out-of-time']);

/**
 * Reports to operations that runs fail: once for each kind of failure in a row of failing runs, and at once only if
 * waiting cannot help. It also sends what waits. It never throws, because the caller throws the failure itself.
 */
export async function reportFailure(run: Run, archive: Archive, failure: unknown): Promise<void> {
  if (!(failure instanceof MonitorError) || OF_OTHER_RUNS.has(failure.code)) return;
  const { ports, tenant } = run;
  try {
    const origin = ofTenant(tenant, archive);
    const current = await takeOver(run, origin, null);
    const state: State = current.state ?? { ...EMPTY_STATE, ...(await findLastReported(run, archive, null)) };
    const now = ports.clock.now();
    const { code: kind, message, advice, retryable } = failure;
    const failing = state.said.failing ?? { since: now.toISOString(), told: [] };
    // An outage shows different errors from try to try, but is one failure to the reader.
    const code = retryable ? 'outage' : kind;
    const due =
      !failing.told.includes(code) &&
      (!retryable || now.getTime() - Date.parse(failing.since) >= PATIENCE_MS);
    const item = { kind: 'failing' as const, code: kind, message, advice, since: failing.since };
    const findings = {
      report: reportOfOperations(run, state, now, [item], due ? endedNotes(state.said) : []),
      mails: due ? (['operations'] as const) : [],
      next: {
        ...lastReportedOf(state),
        said: {
          ...state.said,
          ended: due ? [] : state.said.ended,
          failing: due ? { ...failing, told: [...failing.told, code] } : failing,
        },
      },
      ledger: null,
    };
    const ours = await deposit(run, origin, current, depositOf(run, current.state, findings));
    if (ours) await send(run, origin, ours);
  } catch (error) {
    ports.log.warn('the failure could not be reported', {
      tenant: tenant.tenantId,
      failure: failure.code,
      error: error instanceof Error ? error.message : String(error),
    });
  }
}
