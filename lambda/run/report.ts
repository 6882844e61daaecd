import { renewsItself } from '../config.ts';
import type { LedgerState } from '../archive/ledger.ts';
import { EMPTY_STATE, type State, type LastReported } from '../archive/state.ts';
import { dateOf, daysBetween } from '../dates.ts';
import type { MailKind } from '../ports.ts';
import { confirmedDrop, mailAccount, startReport } from '../report/build.ts';
import { day as formatDate, points as formatPoints } from '../report/format.ts';
import type { DayReport, OperationsItem, Report } from '../report/model.ts';
import { sumExplanations } from '../score/attribution.ts';
import type { Change, Explanation } from '../score/change.ts';
import { tenantChange } from '../score/diff.ts';
import { heldControls } from '../score/plausibility.ts';
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

/** What a run came to: a report, the mails it is worth, and the state afterwards. */
export interface Findings {
  report: Report;
  mails: MailKind[];
  /** The newest day that counts: the newest of all, unless that is suspect. */
  score: ScoreLine;
  next: LastReported;
  /** What the state is to remember of the ledger, unless it has come further. */
  ledger: LedgerState | null;
  changes: Change[];
  explanation: Explanation;
}

/** What the steps before came to. */
export interface Steps {
  answer: Answer;
  archived: Archived;
  compared: Compared;
  explained: Explained;
  settled: Settled;
}

/** Writes the report of what was found, and decides what of it is worth a mail. Changes nothing. */
export function reportFindings(run: Run, state: State | null, steps: Steps): Findings {
  const { answer, archived, compared, explained, settled } = steps;
  const { lastReported, accepted, last, to } = compared;
  const cursor = lastReported?.cursor ?? null;
  const now = run.ports.clock.now();
  const lastNotified = { ...EMPTY_STATE.said, ...(state ?? lastReported)?.said };
  const { begun, next } = incidentsAfter(lastNotified, incidentsOf(run, answer, compared), dateOf(now));
  const said = heardOf(next, state?.outbox ?? []);
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
    confirmed: settled.confirmed.map((drop) => confirmedDrop(drop, answer.profiles)),
    trend: explained.trend,
    peers: last.peers,
    start: cursor ? null : startReport(last, answer.profiles),
    operations: begun,
    notes: [
      ...endedNotes(said),
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
  // A mail that shows the score settles the account up to it; one that not all who get the scores mail get does not.
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
      said: mails.length > 0 ? { ...said, ended: [] } : said,
      lastRun: {
        at: answer.fetchedAt,
        newest: answer.newest.date,
        certificateUntil: answer.certificateUntil,
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
 * Which mails a report is worth. What was earned or lost here has a mail of its own, and so has what Microsoft or a
 * decision did to controls; a change of the enabled services goes with either, and has the scores mail to itself where
 * there is none. Renames and drift only go along; what waits, heals, is silenced or muted never mails. What is urgent goes out at once, whatever brought it about.
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

/** The row without what only a mail shows. */
function changeOf(change: Change): Change {
  const { kind, control, title, category, date, previousDate, points, maximum } = change;
  const { percentagePoints, cause } = change;
  return { kind, control, title, category, date, previousDate, points, maximum, percentagePoints, cause };
}

/** No points: what the newest snapshot has that was not reported yet has nothing to do with it. */
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
      return `${item.gone} of ${item.told} controls are missing on ${formatDate(item.date)}`;
    case 'disagreeing':
      return `The total and its recommendations disagree by ${formatPoints(Math.abs(item.difference))} points on ${formatDate(item.date)}`;
    case 'catalogue':
      return item.decisions
        ? `The catalogue has none of its ${item.decisions} decisions`
        : `The catalogue has ${item.profiles} of ${item.complete} profiles`;
    case 'unreadable':
      return `${item.count} controls have no score that can be read on ${formatDate(item.date)}`;
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
        ? `${suspicion.gone} of ${suspicion.told} controls were missing in it, and came back`
        : `its total and its recommendations disagreed by ${formatPoints(Math.abs(suspicion.difference))} points`;
    return `The snapshot of ${formatDate(suspicion.date)} was left out: ${reason}.`;
  });
}

/** Of the compared days: a control whose score cannot be read counts with the one last known. */
function heldNotes({ steps }: Compared['accepted']): string[] {
  const days = new Map<string, string[]>();
  for (const { after } of steps) {
    for (const name of after.unreadable ?? []) days.set(name, [...(days.get(name) ?? []), after.date]);
  }
  const notes = [...days].map(([name, dates]) => {
    const last = steps.at(-1)?.after.controls.get(name);
    const held = last ? `, and counts with the ${formatPoints(last.points)} points last known` : '';
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

/** @param last only what has been compared is named */
function differenceNotes(answer: Answer, last: Snapshot): string[] {
  return answer.days
    .filter(({ date, difference }) => difference !== 0 && date === last.date)
    .map(
      ({ date, difference }) =>
        `In the snapshot of ${formatDate(date)} the controls add up to ${formatPoints(Math.abs(difference))} points ${difference > 0 ? 'more' : 'less'} than the total: this difference is not explained.`,
    );
}
