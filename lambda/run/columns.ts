import { writeColumns } from '../archive/columns/write.ts';
import { MonitorError } from '../errors.ts';
import type { Run } from './run.ts';
import type { Answer } from './check.ts';
import type { Archived } from './archive.ts';

/** The time before its deadline, in ms, at which a run begins no further month. One takes a few seconds at most. */
const RESERVE_MS = 20_000;

/**
 * Brings the columns under history/ up to date with the snapshots. It never throws: because columns are derived, a
 * failure is only logged and counted, and the next run catches up.
 * @returns false if they could not be written
 */
export async function bringColumnsUpToDate(run: Run, answer: Answer, archived: Archived): Promise<boolean> {
  const { tenant, ports } = run;
  const { log, clock, invocation } = ports;
  try {
    const { outcome, files, days } = await writeColumns({
      store: ports.store,
      tenantId: tenant.tenantId,
      log,
      now: clock.now(),
      memory: {
        versions: archived.versions,
        returned: archived.returned,
        inForce: archived.inForce,
        catalogue: {
          hash: answer.profilesContent.hash,
          raw: answer.rawProfiles,
          profiles: answer.profiles,
          added: archived.catalogue,
        },
      },
      timeIsUp: () => clock.now().getTime() > invocation.deadline.getTime() - RESERVE_MS,
    });
    if (outcome !== 'unchanged') {
      log.info('columns of the history', { tenant: tenant.tenantId, outcome, files: files.length, days });
    }
    return true;
  } catch (error) {
    log.error('the columns of the history could not be written; the next run catches up', {
      tenant: tenant.tenantId,
      error: error instanceof Error ? error.message : String(error),
      ...(error instanceof MonitorError ? { code: error.code, advice: error.advice } : {}),
    });
    return false;
  }
}
