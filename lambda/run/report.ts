import { renewsItself } from '../settings.ts';
import type { LedgerState } from '../archive/ledger.ts';
import { EMPTY_STATE, type State, type LastReported } from '../archive/state.ts';
import { dateOf, daysBetween } from '../dates.ts';
import type { MailKind } from '../ports.ts';
import { confirmedDrop, mailAccount, startReport } from '../report/build.ts';
import { day as formatDate, points as formatPoints } from '../report/format.ts';
import type { Cursor, DayReport, OperationsItem, Report } from '../report/model.ts';
import { sumExplanations } from '../score/attribution.ts';
import type { Change, Explanation } from '../score/change.ts';
import { tenantChange } from '../score/diff.ts';
import { heldControls, isFromTheFuture } from '../score/plausibility.ts';
import { closeAccount } from '../score/settle.ts';
import { percentageOf, scoreLine, type ScoreLine, type Snapshot } from '../score/snapshot.ts';
import { healedNote, type Archived } from './archive.ts';
import type { Answer } from './check.ts';
import type { Compared } from './compare.ts';
import type { Explained } from './explain.ts';
import { endedNotes, heardOf, incidentsAfter, incidentsOf, LISTED } from './incidents.ts';
import { further, headOf } from './ledger.ts';
import type { Run } from './run.ts';
import type { Settled } from './settle.ts';

/** The findings of a run: a report, the kinds of mail that it merits, and the state afterwards. */
export interface Findings {
  report: Report;
  mails: MailKind[];
  /** The newest day that counts, which is the newest of all unless that is suspect. */
  score: ScoreLine;
  next: LastReported;
  /** The part of the ledger that the state must remember, unless it is already further. */
  ledger: LedgerState | null;
  changes: Change[];
  explanation: Explanation;
}

/** The results of the previous steps. */
export interface Steps {
  answer: Answer;
  archived: Archived;
  compared: Compared;
  explained: Explained;
  settled: Settled;
}

/** Builds the report, and decides which kinds of mail it merits. It changes nothing. */
export async function reportFindings(run: Run, state: State | null, steps: Steps): Promise<Findings> {
  const { answer, archived, compared, explained, settled } = steps;
  const { lastReported, accepted, last, to } = compared;
  const cursor = lastReported?.cursor ?? null;
  const now = run.ports.clock.now();
  const lastNotified = { ...EMPTY_STATE.said, ...(state ?? lastReported)?.said };
  const { begun, next } = incidentsAfter(lastNotified, incidentsOf(run, answer, compared), dateOf(now));
  const notified = heardOf(next, state?.outbox ?? []);
  const after = scoreLine(last);

  const report: Report = {
    version: 1,
    tenantId: run.tenant.tenantId,
    name: run.tenant.name,
    toldAt: now.toISOString(),
    timeZone: run.tenant.schedule.timeZone,
    from: cursor,
    to,
    before: settled.settling.account.since,
    after,
    account: mailAccount(settled.settling, after),
    days: settled.days,
    urgent: settled.urgent,
    confirmed: await Promise.all(settled.confirmed.map((drop) => confirmedDrop(drop, answer.profiles))),
    trend: explained.trend,
    peers: last.peers,
    start: cursor ? null : startReport(last, answer.profiles),
    operations: begun,
    notes: [
      ...endedNotes(notified),
      ...gapNotes(settled.days),
      ...skippedNotes(accepted),
      ...compared.notes,
      ...compared.damaged.map(
        (date) => `The archived snapshot of ${formatDate(date)} is damaged and was left out.`,
      ),
      ...answer.notes,
      ...heldNotes(accepted),
      ...differenceNotes(answer, last),
      ...archived.healed.map(healedNote),
    ],
    ledger: headOf(further(archived.tip, state?.ledger ?? null)),
  };
  const mails = mailsOf(report);
  // A mail that shows the score closes the account, but only if everyone who gets the scores mail gets it too.
  const { scores, controls } = run.tenant.recipients;
  const alike = new Set(scores).symmetricDifference(new Set(controls)).size === 0;
  const showsScore = mails.some(
    (kind) => kind === 'start' || kind === 'scores' || (kind === 'controls' && alike),
  );
  const explanations = explained.days.map(({ explanation }) => explanation);
  return {
    report,
    mails,
    score: accepted.waiting ? after : scoreLine(answer.newest.snapshot),
    next: {
      cursor: to,
      held: heldControls(last),
      services: last.enabledServices ?? explained.services,
      said: mails.length > 0 ? { ...notified, ended: [] } : notified,
      lastRun: {
        at: runAt(answer.fetchedAt, to, state ?? lastReported),
        newest: answer.newest.date,
        certificateFrom: answer.certificate?.notBefore.toISOString() ?? null,
        certificateUntil: answer.certificate?.notAfter.toISOString() ?? null,
        renews: renewsItself(run.tenant),
      },
      settling: showsScore ? closeAccount(settled.settling, after) : settled.settling,
      trend: explained.trend,
    },
    ledger: archived.ledger,
    changes: [
      ...settled.days.flatMap((day) => day.changes.map(changeOf)),
      ...archived.restated,
      ...report.operations.map((item) => operationsChange(item, report, answer)),
    ],
    explanation: cursor
      ? sumExplanations(explanations, percentageOf(last))
      : { ...sumExplanations([], percentageOf(last)), before: null },
  };
}

/**
 * The time of the run. If the clock is days behind, the day last reported lies in its future. The time of the run before is
 * used then, because the next run would otherwise treat the cursor as implausible and report its days again.
 */
function runAt(fetchedAt: string, { date }: Cursor, before: LastReported | null): string {
  return isFromTheFuture(date, fetchedAt) ? (before?.lastRun?.at ?? fetchedAt) : fetchedAt;
}

/**
 * The kinds of mail that a report merits. Gains and losses here have the scores mail; changes by Microsoft or by a
 * decision have the controls mail. A change of the enabled services goes with either, or else has the scores mail to
 * itself. Renames and drift only go along. Pending, healed, silenced and muted changes never cause a mail. An urgent
 * report goes out at once, whatever its cause.
 */
function mailsOf(report: Report): MailKind[] {
  const reported = report.days.flatMap((day) => day.changes.filter(({ fate }) => fate === 'told'));
  const kinds = new Set(reported.map(({ kind }) => kind));
  const controls = (['new', 'removed', 're-scored', 'decided'] as const).some((kind) => kinds.has(kind));
  const scores =
    kinds.has('lost') ||
    kinds.has('gained') ||
    (report.urgent ?? []).length > 0 ||
    report.confirmed.length > 0 ||
    (kinds.has('services') && !controls);
  return [
    ...(report.start ? (['start'] as const) : []),
    ...(scores ? (['scores'] as const) : []),
    ...(controls ? (['controls'] as const) : []),
    ...(report.operations.length > 0 ? (['operations'] as const) : []),
  ];
}

/** The row without the fields that only a mail shows. */
function changeOf(change: Change): Change {
  const { kind, control, title, category, date, previousDate, points, maximum } = change;
  const { percentagePoints, cause } = change;
  return { kind, control, title, category, date, previousDate, points, maximum, percentagePoints, cause };
}

/** A row without points, because the incident has nothing to do with the score's unreported changes. */
function operationsChange(item: OperationsItem, report: Report, answer: Answer): Change {
  const nothing = { before: null, after: null };
  const kind = item.kind === 'stale' ? 'stale' : 'suspect';
  return tenantChange(kind, operationsTitle(item), {
    date: answer.newest.date,
    previousDate: (report.before ?? report.after)?.date ?? null,
    points: nothing,
    maximum: nothing,
  });
}

function operationsTitle(item: OperationsItem): string {
  switch (item.kind) {
    case 'stale':
      return `No new snapshot since ${formatDate(item.since)}`;
    case 'suspect':
      return `${item.gone} of ${item.told} recommendations are missing on ${formatDate(item.date)}`;
    case 'disagreeing':
      return `The total and its recommendations disagree by ${formatPoints(Math.abs(item.difference))} points on ${formatDate(item.date)}`;
    case 'catalogue':
      return item.decisions
        ? `The catalogue has none of its ${item.decisions} decisions`
        : `The catalogue has ${item.profiles} of ${item.complete} profiles`;
    case 'unreadable':
      return `${item.count} recommendations have no readable score on ${formatDate(item.date)}`;
    case 'failing':
      return item.message;
    case 'undelivered':
      return item.problem;
    case 'dropped':
      return `${item.deliveries.length} messages could not be delivered`;
  }
}

function gapNotes(days: DayReport[]): string[] {
  return days.flatMap(({ previousDate, date }) => {
    const missing = daysBetween(previousDate, date) - 1;
    if (missing < 1) return [];
    const what = missing === 1 ? 'one day has' : `${missing} days have`;
    return [
      `Between ${formatDate(previousDate)} and ${formatDate(date)}, ${what} no snapshot that could be compared.`,
    ];
  });
}

function skippedNotes({ skipped }: Compared['accepted']): string[] {
  return skipped.map((suspicion) => {
    const reason =
      'gone' in suspicion
        ? `${suspicion.gone} of ${suspicion.told} recommendations were missing from it and came back`
        : `its total and its recommendations disagreed by ${formatPoints(Math.abs(suspicion.difference))} points`;
    return `The snapshot of ${formatDate(suspicion.date)} was left out: ${reason}.`;
  });
}

/** Notes on controls of the compared days whose score cannot be read, and so counts as last known. */
function heldNotes({ steps }: Compared['accepted']): string[] {
  const days = new Map<string, string[]>();
  for (const { after } of steps) {
    for (const name of after.unreadable ?? []) days.set(name, [...(days.get(name) ?? []), after.date]);
  }
  const notes = [...days].map(([name, dates]) => {
    const last = steps.at(-1)?.after.controls.get(name);
    const held = last ? `, so its last known ${formatPoints(last.points)} points are used` : '';
    const when =
      dates.length === 1
        ? `on ${formatDate(dates[0]!)}`
        : `on ${dates.length} days until ${formatDate(dates.at(-1)!)}`;
    return `The score of ${name} cannot be read ${when}${held}.`;
  });
  return notes.length > LISTED
    ? [...notes.slice(0, LISTED), `And ${notes.length - LISTED} more recommendations like these.`]
    : notes;
}

/** @param last the last compared day, because only compared days are mentioned */
function differenceNotes(answer: Answer, last: Snapshot): string[] {
  return answer.days
    .filter(({ date, difference }) => difference !== 0 && date === last.date)
    .map(
      ({ date, difference }) =>
        `In the snapshot of ${formatDate(date)} the recommendations add up to ${formatPoints(Math.abs(difference))} points ${difference > 0 ? 'more' : 'less'} than the total: this difference is not explained.`,
    );
}
