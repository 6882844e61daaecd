import type { Archive } from '../archive/archive.ts';
import type { State, LastReported } from '../archive/state.ts';
import { profilesAsOf, readProfiles, type Catalogue } from '../graph/schema.ts';
import type { Cursor } from '../report/model.ts';
import { withKnownDecisions } from '../score/decision.ts';
import type { ProfilesOfTwo } from '../score/diff.ts';
import { dateMaxima } from '../score/gap.ts';
import { acceptDays, type Accepted } from '../score/plausibility.ts';
import type { Profiles, Snapshot } from '../score/snapshot.ts';
import type { Archived } from './archive.ts';
import type { Answer } from './check.ts';
import { day as formatDate } from '../report/format.ts';
import { backTo, catalogueKnownUntil, findLastReported } from './last-reported.ts';
import type { Run } from './run.ts';
import { isDamage, versionInForce, type VersionInForce } from './versions.ts';

/** The days since the one last reported, in pairs. */
export interface Compared {
  /** What was last reported; null on a first run. */
  lastReported: LastReported | null;
  /** The day compared with: the one last reported, or the first of all. */
  baseline: Snapshot;
  /** The days that count, each with the one before it, those left out, and a suspect day that waits. */
  accepted: Accepted;
  /** The last day that counts, up to which everything will have been reported. */
  last: Snapshot;
  to: Cursor;
  /** The catalogue at both sides of each step. */
  profiles: ProfilesOfTwo[];
  /** Days whose every version is damaged. */
  damaged: string[];
  /** Sentences for the mail, if the comparison could not start from what was last reported. */
  notes: string[];
}

/**
 * Pairs the days, starting from exactly the objects that were last reported. It reads the archive and changes nothing.
 * @param state the present one, because other runs may have reported something since the answer was fetched
 */
export async function compare(
  run: Run,
  archive: Archive,
  state: State | null,
  answer: Answer,
  archived: Archived,
): Promise<Compared> {
  const known = await findLastReported(run, archive, state);
  const start = known?.cursor ? await startOf(run, archive, known, archived) : null;
  const lastReported = start?.lastReported ?? known;
  const cursor = lastReported?.cursor ?? null;
  const { days: later, damaged } = await daysAfter(run, archive, cursor?.date ?? '', archived);
  const baseline = start?.snapshot ?? later[0]!.snapshot;
  const accepted = acceptDays(
    baseline,
    (cursor ? later : later.slice(1)).map((day) => day.snapshot),
  );
  const last = accepted.steps.at(-1)?.after ?? baseline;
  const knownUntil = lastReported && catalogueKnownUntil(lastReported);
  const to: Cursor =
    last === baseline && cursor
      ? cursor
      : {
          date: last.date,
          snapshot: later.find(({ snapshot }) => snapshot.date === last.date)!.hash,
          profiles: answer.profilesContent.hash,
          // The catalogue is the one of then, and of nothing later.
          ...(cursor && answer.partialCatalogue ? { knownUntil: knownUntil ?? cursor.date } : {}),
        };
  const profiles = await profilesByStep(run, archive, { cursor, knownUntil }, answer, accepted);
  return { lastReported, baseline, accepted, last, to, profiles, damaged, notes: start?.notes ?? [] };
}

/**
 * The catalogue at both sides of each step. It is known as of the last report and as of now. Differences count as of the
 * first new day, except for decisions, which have their own date (on the newest day all count), and maxima, which are
 * dated by the total's.
 */
async function profilesByStep(
  run: Run,
  archive: Archive,
  { cursor, knownUntil }: { cursor: Cursor | null; knownUntil: string | null },
  answer: Answer,
  { steps }: Accepted,
): Promise<ProfilesOfTwo[]> {
  const catalogue: Catalogue = { profiles: answer.profiles, raw: answer.rawProfiles };
  const before = await reportedProfiles(run, archive, cursor, answer, catalogue);
  const after = steps.map((step, index) =>
    index === steps.length - 1
      ? answer.profiles
      : withKnownDecisions(before, profilesAsOf(catalogue, step.after.date), step.after.date),
  );
  return dateMaxima(
    steps,
    after.map((profiles, index) => ({
      before: after[index - 1] ?? before,
      after: profiles,
      ...(index === 0 && knownUntil !== null ? { knownUntil } : {}),
    })),
  );
}

/** The days after `date`, ascending, each in the version in force, and the days whose every version is damaged. */
async function daysAfter(
  run: Run,
  archive: Archive,
  date: string,
  { versions, returned, inForce }: Archived,
): Promise<{ days: VersionInForce[]; damaged: string[] }> {
  const days: VersionInForce[] = [];
  const damaged: string[] = [];
  for (const [day, hashes] of versions) {
    if (day <= date) continue;
    const version = inForce.get(day) ?? (await versionInForce(run, archive, day, hashes, returned));
    if (version) days.push(version);
    else damaged.push(day);
  }
  return { days, damaged };
}

/**
 * The snapshot last reported. If it is lost or damaged, the comparison starts, without anybody's help, from another
 * version of that day with the same scores or else from the last reported day that proves itself.
 * @throws MonitorError `archive-damaged` if none does
 */
async function startOf(
  run: Run,
  archive: Archive,
  lastReported: LastReported,
  { versions, returned, inForce }: Archived,
): Promise<{ lastReported: LastReported; snapshot: Snapshot; notes: string[] }> {
  const cursor = lastReported.cursor!;
  let loss: unknown;
  try {
    const proven = inForce.get(cursor.date);
    const isAtHand = proven?.hash === cursor.snapshot && proven.archived !== null;
    const { snapshot } = isAtHand ? proven : await archive.snapshot(cursor.date, cursor.snapshot);
    return { lastReported, snapshot: withHeld(snapshot, lastReported), notes: [] };
  } catch (error) {
    if (!isDamage(error)) throw error;
    loss = error;
    run.ports.log.error(error.message, { tenant: run.tenant.tenantId, advice: error.advice });
  }
  for (const score of lastReported.trend.toReversed()) {
    const { date } = score;
    const known = inForce.get(date);
    const isSame = known?.snapshot.points === score.points && known.snapshot.maximum === score.maximum;
    const version = isSame
      ? known
      : await versionInForce(run, archive, date, versions.get(date) ?? [], returned, score);
    if (!version) continue;
    const what = `The archived snapshot of ${formatDate(cursor.date)}, which was last reported, is lost or damaged.`;
    if (date === cursor.date) {
      return {
        lastReported: { ...lastReported, cursor: { ...cursor, snapshot: version.hash } },
        snapshot: withHeld(version.snapshot, lastReported),
        notes: [`${what} Another version of that day with the same score takes its place.`],
      };
    }
    const back = backTo(lastReported, version);
    const again = `This report starts from ${formatDate(date)}: it may repeat changes after that day.`;
    return { lastReported: back, snapshot: withHeld(version.snapshot, back), notes: [`${what} ${again}`] };
  }
  throw loss;
}

function withHeld(snapshot: Snapshot, { held }: LastReported): Snapshot {
  return {
    ...snapshot,
    controls: new Map([...snapshot.controls, ...held.map((one) => [one.name, one] as const)]),
  };
}

/** The catalogue at the last report. If it cannot be read, it is today's, with the decisions of that time. */
async function reportedProfiles(
  run: Run,
  archive: Archive,
  lastReported: Cursor | null,
  answer: Answer,
  catalogue: Catalogue,
): Promise<Profiles> {
  if (!lastReported || lastReported.profiles === answer.profilesContent.hash) return answer.profiles;
  try {
    return readProfiles(await archive.profiles(lastReported.profiles)).profiles;
  } catch (error) {
    if (!isDamage(error)) throw error;
    run.ports.log.error(error.message, { tenant: run.tenant.tenantId, advice: error.advice });
    return profilesAsOf(catalogue, lastReported.date);
  }
}
