import { Archive } from './archive/archive.ts';
import { MonitorError } from './errors.ts';
import type { Run, RunResult } from './run/run.ts';
import { sumExplanations } from './score/attribution.ts';
import { scoreLine } from './score/snapshot.ts';
import { bringColumnsUpToDate } from './run/columns.ts';
import { compare } from './run/compare.ts';
import { fetchAnswer } from './run/fetch.ts';
import { keep } from './run/archive.ts';
import { published, type Outcome } from './run/publish.ts';
import { finishClaim, tell } from './run/deliver.ts';
import { tellFailure } from './run/failure.ts';

/** So often may another run come first before this one gives up and is retried. */
const ATTEMPTS = 5;

/**
 * One run for one tenant: fetch, keep, compare with what was last told, tell, remember, bring the columns of the
 * history up to date, publish the metrics.
 * A crash between any two side effects, followed by a rerun, ends in the same archive and no lost mail.
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
    await tellFailure(run, archive, error);
    throw error;
  }
}

async function steps(run: Run, archive: Archive): Promise<Outcome> {
  const answer = await fetchAnswer(run, archive);
  const kept = await keep(run, archive, answer);
  const result: RunResult = {
    tenant: run.tenant.tenantId,
    name: run.tenant.name,
    archived: kept.added,
    score: scoreLine(answer.newest.snapshot),
    changes: [],
    explanation: sumExplanations([], null),
    mails: [],
    pending: [],
  };

  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const current = await finishClaim(run, archive, result);
    const news = await compare(run, archive, current.state, answer, kept);
    result.score = news.score;
    result.changes = news.changes;
    result.explanation = news.explanation;
    // False: another run told something meanwhile. Then compare again, from there.
    if (await tell(run, archive, current, news, result)) {
      return { result, columnsFailed: !(await bringColumnsUpToDate(run, answer, kept)) };
    }
  }
  throw new MonitorError(
    'state-contended',
    `Other runs changed the state of ${run.tenant.name} ${ATTEMPTS} times while this one compared.`,
    'Run again when the others are done.',
    { retryable: true },
  );
}
