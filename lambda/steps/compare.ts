import type { Archive } from '../archive/archive.ts';
import { EMPTY_STATE, type Said, type State, type Told } from '../archive/state.ts';
import { dateOf, daysBetween } from '../dates.ts';
import { MonitorError } from '../errors.ts';
import { profilesAsOf, readProfiles, type Catalogue } from '../graph/schema.ts';
import type { MailKind } from '../ports.ts';
import { confirmedDrop, dayReport, mailAccount, startReport, trendDay } from '../report/build.ts';
import { day as formatDate, points as formatPoints } from '../report/format.ts';
import type { Cursor, DayReport, OperationsItem, Report, TrendDay } from '../report/model.ts';
import type { Run } from '../run.ts';
import { acceptDays, type Accepted } from '../score/accept.ts';
import { sumExplanations } from '../score/attribution.ts';
import type { Change, Explanation } from '../score/change.ts';
import { carryStates } from '../score/decision.ts';
import { tenantChange, type ProfilesOfTwo } from '../score/diff.ts';
import { dateMaxima } from '../score/gap.ts';
import { closeAccount, openAccount, settleDay, type Drop, type Settling } from '../score/settle.ts';
import { percentageOf, scoreLine, type Profiles, type Snapshot } from '../score/snapshot.ts';
import type { Answer } from './fetch.ts';
import { versionInForce, type Kept, type VersionInForce } from './keep.ts';

/** No new snapshot for so many days is stale: they come daily, and a day or two late. */
export const STALE_AFTER_DAYS = 3;

/** Days of the chart. */
const TREND_DAYS = 90;

/** What a comparison comes to: a report, the mails it is worth, and the state afterwards. */
export interface News {
  report: Report;
  mails: MailKind[];
  next: Told;
  changes: Change[];
  explanation: Explanation;
}

/** What was last told. Where the state is gone, the last report knows; null: nothing was told yet. */
export async function lastTold(archive: Archive, state: State | null): Promise<Told | null> {
  return state?.cursor ? state : archive.lastTold();
}

/**
 * Compares day by day, starting from exactly the objects that were last told. Reads the archive, changes nothing.
 * @param state as it is now: other runs may have told something since the answer was fetched
 */
export async function compare(
  run: Run,
  archive: Archive,
  state: State | null,
  answer: Answer,
  kept: Kept,
): Promise<News> {
  const told = await lastTold(archive, state);
  const cursor = told?.cursor ?? null;
  const { days: later, damaged } = await daysAfter(run, archive, cursor?.date ?? '', kept);
  const baseline = cursor ? await toldSnapshot(archive, cursor) : later[0]!.snapshot;
  const accepted = acceptDays(
    baseline,
    (cursor ? later : later.slice(1)).map((day) => day.snapshot),
  );
  const last = accepted.steps.at(-1)?.after ?? baseline;
  const to: Cursor =
    last === baseline && cursor
      ? cursor
      : {
          date: last.date,
          snapshot: later.find(({ snapshot }) => snapshot === last)!.hash,
          profiles: answer.profilesHash,
        };

  const profiles = await profilesByStep(run, archive, cursor, answer, accepted);
  const compared = compareSteps(run, baseline, accepted, profiles, told);
  const operations = [...staleItem(run, answer), ...suspectItem(accepted)];
  const { said } = state ?? told ?? EMPTY_STATE;
  const after = scoreLine(last);

  const report: Report = {
    version: 1,
    tenantId: run.tenant.tenantId,
    name: run.tenant.name,
    toldAt: run.ports.clock.now().toISOString(),
    timeZone: run.tenant.schedule.timeZone,
    from: cursor,
    to,
    before: compared.settling.account.since,
    after,
    account: mailAccount(compared.settling, after),
    days: compared.days,
    confirmed: compared.confirmed.map((drop) => confirmedDrop(drop, answer.profiles)),
    trend: compared.trend,
    peers: last.peers,
    start: cursor ? null : startReport(last, answer.profiles),
    operations: operations.filter((item) => !alreadySaid(item, said)),
    notes: [
      ...gapNotes(compared.days),
      ...skippedNotes(accepted),
      ...damaged.map((date) => `The archived snapshot of ${formatDate(date)} is damaged and was left out.`),
      ...answer.notes,
      ...differenceNotes(answer, last),
    ],
  };
  const mails = mailsOf(report);
  // A mail that shows the score settles the account up to it; one that not all who get the scores mail get does not.
  const { scores, controls } = run.tenant.recipients;
  const alike = new Set(scores).symmetricDifference(new Set(controls)).size === 0;
  const tellsScore = mails.some(
    (kind) => kind === 'start' || kind === 'scores' || (kind === 'controls' && alike),
  );
  return {
    report,
    mails,
    next: {
      cursor: to,
      said: {
        stale: operations.find((item) => item.kind === 'stale')?.since ?? null,
        suspect: operations.find((item) => item.kind === 'suspect')?.date ?? null,
        failing: null,
      },
      lastRun: {
        at: answer.fetchedAt,
        newest: answer.newest.date,
        certificateUntil: answer.certificateUntil,
      },
      settling: tellsScore ? closeAccount(compared.settling, after) : compared.settling,
      trend: compared.trend,
    },
    changes: [
      ...compared.days.flatMap((day) => day.changes.map(changeOf)),
      ...kept.restated,
      ...report.operations.map((item) => operationsChange(item, report, answer)),
    ],
    explanation: cursor
      ? sumExplanations(compared.explanations, percentageOf(last))
      : { ...sumExplanations([], percentageOf(last)), before: null },
  };
}

interface Compared {
  days: DayReport[];
  explanations: Explanation[];
  confirmed: Drop[];
  settling: Settling;
  trend: TrendDay[];
}

/** Diffs, explains and settles the accepted days one after the other. The days of a first run make the chart alone. */
function compareSteps(
  run: Run,
  baseline: Snapshot,
  { steps }: Accepted,
  profiles: ProfilesOfTwo[],
  told: Told | null,
): Compared {
  const compared: Compared = {
    days: [],
    explanations: [],
    confirmed: [],
    settling: told?.settling ?? { waiting: [], told: [], account: openAccount(null) },
    trend: told ? [...told.trend] : [trendDay(baseline, null)],
  };
  for (const [index, { before, after }] of carryStates(steps).entries()) {
    const { day, explanation } = dayReport(before, after, profiles[index]!);
    compared.trend.push(trendDay(after, explanation));
    if (!told) continue;
    const { date, unexplained } = { date: day.date, ...explanation };
    const settled = settleDay(compared.settling, day.changes, { date, unexplained }, run.tenant.alerts);
    compared.settling = settled.settling;
    compared.confirmed.push(...settled.confirmed);
    compared.explanations.push(explanation);
    compared.days.push({
      ...day,
      changes: settled.changes.map(({ change, ...outcome }) => ({ ...change, ...outcome })),
    });
  }
  compared.trend = compared.trend.slice(-TREND_DAYS);
  return compared;
}

/**
 * The catalogue at both sides of each step. It is known as of what was last told and as of now: what differs is taken
 * to have come with the first new day, save decisions, which say when they were taken (on the newest day all count),
 * and maxima, which are dated by the total's.
 */
async function profilesByStep(
  run: Run,
  archive: Archive,
  cursor: Cursor | null,
  answer: Answer,
  { steps }: Accepted,
): Promise<ProfilesOfTwo[]> {
  const catalogue: Catalogue = { profiles: answer.profiles, raw: answer.rawProfiles };
  const before = await toldProfiles(run, archive, cursor, answer, catalogue);
  const after = steps.map((step, index) =>
    index === steps.length - 1 ? answer.profiles : profilesAsOf(catalogue, step.after.date),
  );
  return dateMaxima(
    steps,
    after.map((profiles, index) => ({ before: after[index - 1] ?? before, after: profiles })),
  );
}

/** The days after `date`, ascending, each in the version in force; and those whose every version is damaged. */
async function daysAfter(
  run: Run,
  archive: Archive,
  date: string,
  kept: Kept,
): Promise<{ days: VersionInForce[]; damaged: string[] }> {
  const days: VersionInForce[] = [];
  const damaged: string[] = [];
  for (const [day, hashes] of kept.versions) {
    if (day <= date) continue;
    const version = kept.inForce.get(day) ?? (await versionInForce(run, archive, day, hashes));
    if (version) days.push(version);
    else damaged.push(day);
  }
  return { days, damaged };
}

async function toldSnapshot(archive: Archive, told: Cursor): Promise<Snapshot> {
  return (await archive.snapshot(told.date, told.snapshot)).snapshot;
}

/** The catalogue at the time of what was last told. Where it cannot be read, today's with the decisions of then. */
async function toldProfiles(
  run: Run,
  archive: Archive,
  told: Cursor | null,
  answer: Answer,
  catalogue: Catalogue,
): Promise<Profiles> {
  if (!told || told.profiles === answer.profilesHash) return answer.profiles;
  try {
    return readProfiles(await archive.profiles(told.profiles)).profiles;
  } catch (error) {
    if (!(error instanceof MonitorError && error.code === 'archive-damaged')) throw error;
    run.ports.log.error(error.message, { tenant: run.tenant.tenantId, advice: error.advice });
    return profilesAsOf(catalogue, told.date);
  }
}

function staleItem(run: Run, answer: Answer): OperationsItem[] {
  const since = answer.newest.date;
  const days = daysBetween(since, dateOf(run.ports.clock.now()));
  return days >= STALE_AFTER_DAYS ? [{ kind: 'stale', since, days }] : [];
}

function suspectItem({ waiting }: Accepted): OperationsItem[] {
  return waiting ? [{ kind: 'suspect', ...waiting }] : [];
}

function alreadySaid(item: OperationsItem, said: Said): boolean {
  if (item.kind === 'stale') return said.stale === item.since;
  return item.kind === 'suspect' && said.suspect === item.date;
}

/**
 * Which mails a report is worth. What was earned or lost here has a mail of its own, and so has what Microsoft or a
 * decision did to controls; a change of the enabled services goes with either, and has the scores mail to itself where
 * there is none. Renames and drift only go along; what waits, heals or is silenced never mails.
 */
function mailsOf(report: Report): MailKind[] {
  const told = report.days.flatMap((day) => day.changes.filter(({ fate }) => fate === 'told'));
  const kinds = new Set(told.map(({ kind }) => kind));
  const controls = (['new', 'removed', 're-scored', 'decided'] as const).some((kind) => kinds.has(kind));
  const scores =
    kinds.has('lost') ||
    kinds.has('gained') ||
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

function operationsChange(item: OperationsItem, report: Report, answer: Answer): Change {
  const told = report.before ?? report.after;
  const { snapshot } = answer.newest;
  return tenantChange(item.kind === 'stale' ? 'stale' : 'suspect', operationsTitle(item), {
    date: answer.newest.date,
    previousDate: told?.date ?? null,
    points: { before: told?.points ?? null, after: snapshot.points },
    maximum: { before: told?.maximum ?? null, after: snapshot.maximum },
  });
}

function operationsTitle(item: OperationsItem): string {
  if (item.kind === 'stale') return `No new snapshot since ${formatDate(item.since)}`;
  if (item.kind === 'suspect')
    return `${item.gone} of ${item.told} controls are missing on ${formatDate(item.date)}`;
  return item.message;
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

function skippedNotes({ skipped }: Accepted): string[] {
  return skipped.map(
    ({ date, gone, told }) =>
      `The snapshot of ${formatDate(date)} was left out: ${gone} of ${told} controls were missing in it, and came back.`,
  );
}

/** @param last only what has been compared is told */
function differenceNotes(answer: Answer, last: Snapshot): string[] {
  return answer.days
    .filter(({ date, difference }) => difference !== 0 && date === last.date)
    .map(
      ({ date, difference }) =>
        `In the snapshot of ${formatDate(date)} the controls add up to ${formatPoints(Math.abs(difference))} points ${difference > 0 ? 'more' : 'less'} than the total: this difference is not explained.`,
    );
}
