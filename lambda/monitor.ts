import { Archive } from './archive/archive.ts';
import { MonitorError } from './errors.ts';
import { archiveDays } from './run/archive.ts';
import { check } from './run/check.ts';
import { bringColumnsUpToDate } from './run/columns.ts';
import { compare } from './run/compare.ts';
import { deposit, depositOf, send, takeOver } from './run/deliver.ts';
import { explain } from './run/explain.ts';
import { reportFailure } from './run/failure.ts';
import { fetchAnswer } from './run/fetch.ts';
import { ofTenant } from './run/origin.ts';
import { published, type Outcome } from './run/publish.ts';
import { reportFindings } from './run/report.ts';
import type { Run, RunResult } from './run/run.ts';
import { settle } from './run/settle.ts';
import { sumExplanations } from './score/attribution.ts';
import { scoreLine } from './score/snapshot.ts';

/** The maximum number of times another run may come first before this one gives up and is retried. */
const ATTEMPTS = 5;

/**
 * One run for one tenant: fetch, check, archive, compare with what was last reported, explain, settle, report, deliver,
 * bring the columns of the history up to date, publish the metrics.
 * A crash between any two side effects, followed by a rerun, leads to the same archive and loses no mail.
 * @throws MonitorError whose `retryable` says whether the same run may succeed later by itself
 */
export function monitor(run: Run): Promise<RunResult> {
  return published(run, recipe);
}

async function recipe(run: Run): Promise<Outcome> {
  const archive = new Archive(run.ports.store, run.tenant.tenantId);
  try {
    return await steps(run, archive);
  } catch (error) {
    await reportFailure(run, archive, error);
    throw error;
  }
}

async function steps(run: Run, archive: Archive): Promise<Outcome> {
  const origin = ofTenant(run.tenant, archive);
  const fetched = await fetchAnswer(run, archive);
  const answer = await check(run, archive, fetched);
  const archived = await archiveDays(run, archive, answer);
  const result: RunResult = {
    tenant: run.tenant.tenantId,
    name: run.tenant.name,
    archived: archived.added,
    score: scoreLine(answer.newest.snapshot),
    changes: [],
    explanation: sumExplanations([], null),
    mails: [],
    pending: [],
    deliveries: [],
  };

  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const current = await takeOver(run, origin, result);
    const compared = await compare(run, archive, current.state, answer, archived);
    const explained = await explain(compared);
    const settled = settle(run, compared, explained);
    const findings = await reportFindings(run, current.state, {
      answer,
      archived,
      compared,
      explained,
      settled,
    });
    const { score, changes, explanation } = findings;
    Object.assign(result, { score, changes, explanation });
    const ours = await deposit(run, origin, current, depositOf(run, current.state, findings));
    // Another run reported something meanwhile, so the comparison starts again from there.
    if (!ours) continue;
    const { failed, ...delivered } = await send(run, origin, ours);
    const columnsFailed = !(await bringColumnsUpToDate(run, answer, archived));
    return { result: { ...result, ...delivered }, deliveriesFailed: failed, columnsFailed };
  }
  throw new MonitorError(
    'state-contended',
    `Other runs changed the state of ${run.tenant.name} ${ATTEMPTS} times while this one compared.`,
    'Run again when the others are done.',
    { retryable: true },
  );
}
