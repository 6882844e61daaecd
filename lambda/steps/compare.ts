import type { Archive } from '../archive/archive.ts';
import { EMPTY_STATE, type Said, type State, type Told } from '../archive/state.ts';
import { dateOf, daysBetween } from '../dates.ts';
import { MonitorError } from '../errors.ts';
import { readProfiles, snapshotOf } from '../graph/schema.ts';
import type { MailKind } from '../ports.ts';
import { dayReport, scoreLine, startReport } from '../report/build.ts';
import { day as formatDate, points as formatPoints } from '../report/format.ts';
import type { Cursor, DayReport, OperationsItem, Report } from '../report/model.ts';
import type { Run } from '../run.ts';
import type { Change } from '../score/change.ts';
import { tenantChange } from '../score/diff.ts';
import { settle, type Settled } from '../score/settle.ts';
import type { Profiles, Snapshot } from '../score/snapshot.ts';
import type { Answer } from './fetch.ts';
import { versionInForce, type Kept, type VersionInForce } from './keep.ts';

/** No new snapshot for so many days is stale: they come daily, and a day or two late. */
export const STALE_AFTER_DAYS = 3;

/** What a comparison comes to: a report, the mails it is worth, and the state afterwards. */
export interface News {
  report: Report;
  mails: MailKind[];
  next: Told;
  changes: Change[];
}

/** What was last told. Where the state is gone, the last report knows; null: nothing was told yet. */
export async function lastTold(archive: Archive, state: State | null): Promise<Cursor | null> {
  return state?.cursor ?? (await archive.lastReport())?.to ?? null;
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
  const { days: later, damaged } = await daysAfter(run, archive, told?.date ?? '', kept);
  const baseline = told ? await toldSnapshot(archive, told) : later[0]!.snapshot;
  const settled = settle(
    baseline,
    (told ? later : later.slice(1)).map((day) => day.snapshot),
  );
  const last = settled.steps.at(-1)?.after ?? baseline;
  const to: Cursor | null =
    last === baseline && told
      ? told
      : {
          date: last.date,
          snapshot: later.find(({ snapshot }) => snapshot === last)!.hash,
          profiles: answer.profilesHash,
        };

  const profiles = { before: await toldProfiles(run, archive, told, answer), after: answer.profiles };
  const days = told ? settled.steps.map(({ before, after }) => dayReport(before, after, profiles)) : [];
  const operations = [...staleItem(run, answer), ...suspectItem(settled)];
  const { said: before } = state ?? EMPTY_STATE;
  const unsaid = operations.filter((item) => !alreadySaid(item, before));

  const report: Report = {
    version: 1,
    tenantId: run.tenant.tenantId,
    name: run.tenant.name,
    toldAt: run.ports.clock.now().toISOString(),
    from: told,
    to,
    before: told ? scoreLine(baseline) : null,
    after: scoreLine(last),
    days,
    start: told
      ? null
      : startReport([baseline, ...settled.steps.map(({ after }) => after)], last, answer.profiles),
    operations: unsaid,
    notes: [
      ...gapNotes(days),
      ...skippedNotes(settled),
      ...damaged.map((date) => `The archived snapshot of ${formatDate(date)} is damaged and was left out.`),
      ...answer.notes,
      ...differenceNotes(answer, last),
    ],
  };
  return {
    report,
    mails: mailsOf(report),
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
    },
    changes: [
      ...days.flatMap((day) => day.changes.map(changeOf)),
      ...kept.restated,
      ...unsaid.map((item) => operationsChange(item, report, answer)),
    ],
  };
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
  const { secureScore, newest } = await archive.snapshot(told.date, told.snapshot);
  return snapshotOf(secureScore, newest);
}

/** The catalogue at the time of what was last told. It gives titles and maxima: without it, today's serves. */
async function toldProfiles(
  run: Run,
  archive: Archive,
  told: Cursor | null,
  answer: Answer,
): Promise<Profiles> {
  if (!told || told.profiles === answer.profilesHash) return answer.profiles;
  try {
    return readProfiles(await archive.profiles(told.profiles)).profiles;
  } catch (error) {
    if (!(error instanceof MonitorError && error.code === 'archive-damaged')) throw error;
    run.ports.log.error(error.message, { tenant: run.tenant.tenantId, advice: error.advice });
    return answer.profiles;
  }
}

function staleItem(run: Run, answer: Answer): OperationsItem[] {
  const since = answer.newest.date;
  const days = daysBetween(since, dateOf(run.ports.clock.now()));
  return days >= STALE_AFTER_DAYS ? [{ kind: 'stale', since, days }] : [];
}

function suspectItem({ waiting }: Settled): OperationsItem[] {
  return waiting ? [{ kind: 'suspect', ...waiting }] : [];
}

function alreadySaid(item: OperationsItem, said: Said): boolean {
  if (item.kind === 'stale') return said.stale === item.since;
  return item.kind === 'suspect' && said.suspect === item.date;
}

/**
 * Which mails a report is worth. Score changes and new or removed controls have a mail each; a change of the
 * enabled services goes with either, and has the scores mail to itself where there is none. A rename only goes along.
 */
function mailsOf(report: Report): MailKind[] {
  const kinds = new Set(report.days.flatMap((day) => day.changes.map((change) => change.kind)));
  const controls = kinds.has('new') || kinds.has('removed');
  const scores = kinds.has('lost') || kinds.has('gained') || (kinds.has('services') && !controls);
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
  return { kind, control, title, category, date, previousDate, points, maximum };
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

function skippedNotes({ skipped }: Settled): string[] {
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
