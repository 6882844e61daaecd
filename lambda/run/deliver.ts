import { recipientsOf } from '../channels/mail.ts';
import { contentHash, type Archive, type Versioned } from '../archive/archive.ts';
import { EMPTY_STATE, type Claim, type State } from '../archive/state.ts';
import { MonitorError } from '../errors.ts';
import { subjectOfMail } from '../report/subject.ts';
import { ClaimedError, type Run, type RunResult } from './run.ts';
import type { Findings } from './report.ts';
import { enterReport, further } from './ledger.ts';

/** A claim outlives its run's deadline by this, so that the last call of a run has surely ended. */
const CLAIM_SLACK_MS = 10_000;

/** No run is longer than Lambda's 15 minutes: a claim that ends later was made by a clock that was wrong. */
const LONGEST_CLAIM_MS = 16 * 60_000;

/**
 * Sends what an earlier run claimed and left behind: its claim has ended, or this is a retry of the same invocation.
 * @param result its `mails` grow by what is sent
 * @returns the state without a claim
 * @throws ClaimedError while the claim of another run is alive
 */
export async function finishClaim(run: Run, archive: Archive, result: RunResult | null): Promise<Versioned> {
  for (;;) {
    const current = await archive.state();
    const claim = current.state?.claim;
    if (!current.state || !claim) return current;

    const { id } = run.ports.invocation;
    const left = Date.parse(claim.until) - run.ports.clock.now().getTime();
    if (claim.invocation !== id && left > 0 && left < LONGEST_CLAIM_MS) {
      const unsent = claim.mails.filter((mail) => mail.id === null);
      const pending = unsent.map(({ kind, subject, to }) => ({ kind, subject, to }));
      throw new ClaimedError(claim.until, result && { ...result, pending });
    }
    const taken = await archive.swapState(
      { ...current.state, claim: { ...claim, invocation: id, until: claimEnd(run) } },
      current.version,
    );
    if (taken) return send(run, archive, taken, result);
  }
}

/**
 * Delivers the findings: claims its mails in the state, sends each, marks it sent, archives the report, moves the cursor.
 * Where there is nothing to mail, only moves the cursor.
 * @returns false where another run changed the state meanwhile: nothing was sent, compare again
 */
export async function deliver(
  run: Run,
  archive: Archive,
  current: Versioned,
  findings: Findings,
  result: RunResult | null,
): Promise<boolean> {
  const before = current.state ?? EMPTY_STATE;
  const ledger = further(findings.ledger, before.ledger);
  const state: State = { ...before, name: run.tenant.name, schedule: run.tenant.schedule, ledger };
  const { report } = findings;
  if (findings.mails.length === 0) {
    const next: State = { ...state, ...findings.next };
    const unchanged = current.state !== null && contentHash(next) === contentHash(current.state);
    return unchanged || (await archive.swapState(next, current.version)) !== undefined;
  }

  const claim: Claim = {
    invocation: run.ports.invocation.id,
    until: claimEnd(run),
    mails: findings.mails.map((kind) => ({
      kind,
      to: recipientsOf(run.tenant.recipients, run.sender, kind),
      subject: subjectOfMail(report, kind),
      id: null,
    })),
    report,
    next: findings.next,
  };
  const claimed = await archive.swapState({ ...state, claim }, current.version);
  if (!claimed) return false;
  await send(run, archive, claimed, result);
  return true;
}

/** Sends the unsent mails of our claim. One that fails does not keep the others back; the claim then stays. */
async function send(
  run: Run,
  archive: Archive,
  claimed: Versioned,
  result: RunResult | null,
): Promise<Versioned> {
  let current = claimed;
  const failures: unknown[] = [];
  const report = claimOf(current).report;
  const hash = contentHash(report);

  for (const [index, { kind, id }] of claimOf(claimed).mails.entries()) {
    if (id !== null) continue;
    // Today's recipients: an address that made a mail fail may have been corrected since.
    const to = recipientsOf(run.tenant.recipients, run.sender, kind);
    const key = `${report.toldAt.slice(0, 10)}/${report.name}/${kind}-${hash.slice(0, 8)}`;
    let subject: string;
    let sent: string;
    try {
      if (run.ports.clock.now() >= run.ports.invocation.deadline) throw outOfTime();
      // Most days have nothing to mail: what draws mails is loaded when there is.
      const { renderMail } = await import('../report/render.ts');
      const { problem, ...mail } = await renderMail(report, kind);
      if (problem) {
        run.ports.log.warn('The chart of a mail could not be drawn.', { kind, problem: problem.message });
      }
      subject = mail.subject;
      sent = await run.ports.mailer.send({
        ...mail,
        key,
        date: new Date(report.toldAt),
        from: run.sender.from,
        to,
      });
    } catch (error) {
      failures.push(error);
      continue;
    }
    result?.mails.push({ kind, subject, to, id: sent });
    const claim = claimOf(current);
    const mails = claim.mails.with(index, { kind, to, subject, id: sent });
    current = await swapOurs(archive, current, { ...claim, mails });
  }

  if (failures.length > 0) {
    // Let go, so that the next run need not wait; what was sent is marked.
    await swapOurs(archive, current, { ...claimOf(current), until: run.ports.clock.now().toISOString() });
    throw failures[0];
  }
  const { mails, next } = claimOf(current);
  const before = current.state ?? EMPTY_STATE;
  const ledger = await enterReport(archive, before.ledger, { report, mails, next }, run.ports.clock.now());
  const state: State = { ...before, ...next, ledger };
  return swapOurs(archive, { ...current, state }, null);
}

/** Swaps the claim in a state that we hold. @throws MonitorError `claim-lost` where we no longer do */
async function swapOurs(archive: Archive, current: Versioned, claim: Claim | null): Promise<Versioned> {
  const swapped = await archive.swapState({ ...(current.state ?? EMPTY_STATE), claim }, current.version);
  if (swapped) return swapped;
  throw new MonitorError(
    'claim-lost',
    'Another run took over the mails of this one, which had outlived its claim.',
    'Run again: whatever is unsent by then is sent.',
    { retryable: true },
  );
}

/** Sent now, a mail could be noted as sent only after the claim has ended, and would come twice. */
function outOfTime(): MonitorError {
  return new MonitorError(
    'out-of-time',
    'The run had no time left to send its mails.',
    'Run again: whatever is unsent by then is sent. If it happens often, give the function more time.',
    { retryable: true },
  );
}

function claimOf({ state }: Versioned): Claim {
  if (!state?.claim) throw new Error('a claimed state has a claim');
  return state.claim;
}

function claimEnd(run: Run): string {
  return new Date(run.ports.invocation.deadline.getTime() + CLAIM_SLACK_MS).toISOString();
}
