import type { Archive } from '../archive/archive.ts';
import type { LedgerState } from '../archive/ledger.ts';
import { EMPTY_STATE, type Said, type State, type Told } from '../archive/state.ts';
import { addDays, dateOf, daysBetween } from '../dates.ts';
import { MonitorError } from '../errors.ts';
import { profilesAsOf, readProfiles, type Catalogue } from '../graph/schema.ts';
import type { MailKind } from '../ports.ts';
import { confirmedDrop, dayReport, mailAccount, startReport, trendDay } from '../report/build.ts';
import { day as formatDate, points as formatPoints } from '../report/format.ts';
import type { Cursor, DayReport, OperationsItem, Report, TrendDay } from '../report/model.ts';
import type { Run } from './run.ts';
import { sumExplanations } from '../score/attribution.ts';
import type { Change, Explanation } from '../score/change.ts';
import { carryStates } from '../score/decision.ts';
import {
  acceptDays,
  heldControls,
  isFromTheFuture,
  isPlausible,
  type Accepted,
} from '../score/plausibility.ts';
import { tenantChange, type ProfilesOfTwo } from '../score/diff.ts';
import { dateMaxima } from '../score/gap.ts';
import { closeAccount, openAccount, settleDay, type Drop, type Settling } from '../score/settle.ts';
import { percentageOf, scoreLine, type ScoreLine, type Profiles, type Snapshot } from '../score/snapshot.ts';
import type { Answer } from './fetch.ts';
import { healedNote, versionInForce, type Kept, type VersionInForce } from './archive.ts';
import { further, headOf } from './ledger.ts';

/** No new snapshot for so many days is stale: they come daily, and a day or two late. */
export const STALE_AFTER_DAYS = 3;

/** More than a few controls are counted, not listed. */
const LISTED = 5;

/** Days of the chart. */
const TREND_DAYS = 90;

/** What a comparison comes to: a report, the mails it is worth, and the state afterwards. */
export interface News {
  report: Report;
  mails: MailKind[];
  /** The newest day that counts: the newest of all, unless that is suspect. */
  score: ScoreLine;
  next: Told;
  /** What the state is to remember of the ledger, unless it has come further. */
  ledger: LedgerState | null;
  changes: Change[];
  explanation: Explanation;
}

/**
 * What was last told. Where the state is gone, the last report knows; null: nothing was told yet.
 * Where it stands at a day that cannot be, which an earlier version took, it goes back to the last plausible day that
 * was compared: everything up to that has been reported, whatever came after it was compared with what never was.
 */
export async function lastTold(run: Run, archive: Archive, state: State | null): Promise<Told | null> {
  const found = state?.cursor ? state : await archive.lastTold();
  if (!found?.cursor) return found;
  const told: Told = { ...found, said: { ...EMPTY_STATE.said, ...found.said }, held: found.held ?? [] };
  const { cursor } = found;
  // What was from the future then stays so, even when its date has come.
  const now = found.lastRun?.at ?? run.ports.clock.now().toISOString();
  const trend = told.trend.filter((day) => isPlausible(day, now));
  const last = trend.at(-1);
  const stands = !isFromTheFuture(cursor.date, now) && last?.date === cursor.date;
  if (stands || trend.length === told.trend.length || !last) return { ...told, trend };

  const hashes = (await archive.days(addDays(last.date, -1), run.ports.clock.now())).get(last.date) ?? [];
  const version = await versionInForce(run, archive, last.date, hashes, last);
  if (!version) return { ...told, trend };
  run.ports.log.warn('what was last reported cannot be: going back to the last plausible day', {
    tenant: run.tenant.tenantId,
    from: cursor.date,
    to: last.date,
  });
  return {
    ...told,
    cursor: { ...cursor, date: last.date, snapshot: version.hash },
    trend,
    settling: rewind(told.settling, version.snapshot),
  };
}

/** The settling without what a day later than the snapshot has done to it. */
function rewind(settling: Settling, to: Snapshot): Settling {
  const { account, waiting, told } = settling;
  const isPast = ({ date }: { date: string }) => date <= to.date;
  const reopened = account.healed.filter(({ back }) => back > to.date);
  return {
    told: told.filter(isPast),
    // A drop that was back on such a day alone waits again.
    waiting: [...waiting, ...reopened].filter(isPast).map((drop) => {
      const after = to.controls.get(drop.control)?.points ?? drop.points.after;
      return { ...drop, points: { ...drop.points, after } };
    }),
    account:
      account.since && account.since.date > to.date
        ? openAccount(scoreLine(to))
        : { ...account, healed: account.healed.filter(({ back }) => back <= to.date) },
  };
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
  const told = await lastTold(run, archive, state);
  const cursor = told?.cursor ?? null;
  const { days: later, damaged } = await daysAfter(run, archive, cursor?.date ?? '', kept);
  const baseline = cursor ? await toldSnapshot(archive, told!) : later[0]!.snapshot;
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
          snapshot: later.find(({ snapshot }) => snapshot.date === last.date)!.hash,
          profiles: answer.profilesHash,
        };

  const profiles = await profilesByStep(run, archive, cursor, answer, accepted);
  const compared = compareSteps(run, baseline, accepted, profiles, told);
  const operations = [
    ...staleItem(run, answer),
    ...suspectItem(accepted),
    ...catalogueItem(answer),
    ...unreadableItem(answer),
  ];
  const lastSaid = { ...EMPTY_STATE.said, ...(state ?? told)?.said };
  const said = saidAfter(lastSaid, operations, dateOf(run.ports.clock.now()));
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
    operations: said.begun,
    notes: [
      ...endedNotes(said.next),
      ...gapNotes(compared.days),
      ...skippedNotes(accepted),
      ...damaged.map((date) => `The archived snapshot of ${formatDate(date)} is damaged and was left out.`),
      ...answer.notes,
      ...heldNotes(accepted),
      ...differenceNotes(answer, last),
      ...kept.healed.map(healedNote),
    ],
    ledger: headOf(further(kept.tip, state?.ledger ?? null)),
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
    score: accepted.waiting ? after : scoreLine(answer.newest.snapshot),
    next: {
      cursor: to,
      held: heldControls(last),
      services: last.enabledServices ?? compared.services,
      said: mails.length > 0 ? { ...said.next, ended: [] } : said.next,
      lastRun: {
        at: answer.fetchedAt,
        newest: answer.newest.date,
        certificateUntil: answer.certificateUntil,
      },
      settling: tellsScore ? closeAccount(compared.settling, after) : compared.settling,
      trend: compared.trend,
    },
    ledger: kept.ledger,
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
  /** The enabled services last known. */
  services: string[] | null;
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
    services: baseline.enabledServices ?? told?.services ?? null,
    days: [],
    explanations: [],
    confirmed: [],
    settling: told?.settling ?? { waiting: [], told: [], account: openAccount(null) },
    trend: told ? [...told.trend] : [trendDay(baseline, null)],
  };
  for (const [index, { before, after }] of carryStates(steps).entries()) {
    // A day that names no services changes none: the next that does is compared with the last that did.
    const { services } = compared;
    compared.services = after.enabledServices ?? services;
    const { day, explanation } = dayReport({ ...before, enabledServices: services }, after, profiles[index]!);
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

async function toldSnapshot(archive: Archive, { cursor, held }: Told): Promise<Snapshot> {
  const { snapshot } = await archive.snapshot(cursor!.date, cursor!.snapshot);
  return {
    ...snapshot,
    controls: new Map([...snapshot.controls, ...held.map((one) => [one.name, one] as const)]),
  };
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
  if (!waiting) return [];
  return [
    'gone' in waiting
      ? { kind: 'suspect' as const, ...waiting }
      : { kind: 'disagreeing' as const, ...waiting },
  ];
}

function catalogueItem({ partialCatalogue, fetchedAt }: Answer): OperationsItem[] {
  return partialCatalogue ? [{ kind: 'catalogue', since: fetchedAt.slice(0, 10), ...partialCatalogue }] : [];
}

function unreadableItem({ newest: { date, snapshot } }: Answer): OperationsItem[] {
  const names = snapshot.unreadable ?? [];
  return names.length > 0
    ? [{ kind: 'unreadable', date, controls: names.slice(0, LISTED), count: names.length }]
    : [];
}

/** The episodes of a run that succeeds, and which of the items each covers. */
const EPISODES = {
  stale: ['stale'],
  suspect: ['suspect', 'disagreeing'],
  catalogue: ['catalogue'],
  unreadable: ['unreadable'],
} as const satisfies Record<string, OperationsItem['kind'][]>;

/**
 * What has been said after this run: an episode is reported when it begins, goes on whatever its facts become, and ends
 * with the first run that finds none of it.
 * @returns `begun`: the items to report now
 */
function saidAfter(
  before: Said,
  items: OperationsItem[],
  today: string,
): { next: Said; begun: OperationsItem[] } {
  const next: Said = { ...before, failing: null, ended: [...before.ended] };
  const begun: OperationsItem[] = [];
  for (const [episode, kinds] of Object.entries(EPISODES) as [keyof typeof EPISODES, string[]][]) {
    const item = items.find(({ kind }) => kinds.includes(kind));
    const since = before[episode];
    if (item && since === null) begun.push(item);
    if (!item && since !== null) next.ended.push({ kind: episode, since, until: today });
    next[episode] = item ? (since ?? ('since' in item ? item.since : item.date)) : null;
  }
  if (before.failing && before.failing.told.length > 0) {
    next.ended.push({ kind: 'failing', since: before.failing.since.slice(0, 10), until: today });
  }
  return { next, begun };
}

/** For the next mail that goes out, whatever it is about: what an earlier one reported is over. */
export function endedNotes({ ended }: Said): string[] {
  return ended.map(({ kind, since, until }) => {
    const span = `from ${formatDate(since)} to ${formatDate(until)}`;
    switch (kind) {
      case 'stale':
        return `New snapshots come again: the Secure Score was stale ${span}.`;
      case 'suspect':
        return `No snapshot is suspect any more: some were held back ${span}.`;
      case 'catalogue':
        return `Microsoft's list of recommendations is complete again: it was partial ${span}.`;
      case 'unreadable':
        return `All scores can be read again: some could not ${span}.`;
      default:
        return `Monitoring works again: it failed ${span}.`;
    }
  });
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
      return `The catalogue has ${item.profiles} of ${item.complete} profiles`;
    case 'unreadable':
      return `${item.count} controls have no score that can be read on ${formatDate(item.date)}`;
    case 'failing':
      return item.message;
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

function skippedNotes({ skipped }: Accepted): string[] {
  return skipped.map((suspicion) => {
    const reason =
      'gone' in suspicion
        ? `${suspicion.gone} of ${suspicion.told} controls were missing in it, and came back`
        : `its total and its recommendations disagreed by ${formatPoints(Math.abs(suspicion.difference))} points`;
    return `The snapshot of ${formatDate(suspicion.date)} was left out: ${reason}.`;
  });
}

/** Of the compared days: a control whose score cannot be read counts with the one last known. */
function heldNotes({ steps }: Accepted): string[] {
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

/** @param last only what has been compared is told */
function differenceNotes(answer: Answer, last: Snapshot): string[] {
  return answer.days
    .filter(({ date, difference }) => difference !== 0 && date === last.date)
    .map(
      ({ date, difference }) =>
        `In the snapshot of ${formatDate(date)} the controls add up to ${formatPoints(Math.abs(difference))} points ${difference > 0 ? 'more' : 'less'} than the total: this difference is not explained.`,
    );
}
