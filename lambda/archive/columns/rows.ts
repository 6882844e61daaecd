import { addDays } from '../../dates.ts';
import { line } from '../../report/plain-text.ts';
import { carryStates } from '../../score/decision.ts';
import { acceptDays } from '../../score/plausibility.ts';
import { diff, tenantChange, type Difference, type ProfilesOfTwo } from '../../score/diff.ts';
import { dateMaxima, type Step } from '../../score/gap.ts';
import { maximumOf } from '../../score/maximum.ts';
import {
  percentageOf,
  sameScores,
  type Control,
  type Decision,
  type Profile,
  type Profiles,
  type Snapshot,
} from '../../score/snapshot.ts';

/**
 * A row of the history's tables (tables.ts), derived from archived days and from nothing else. Dates are yyyy-mm-dd,
 * texts are well-formed Unicode without markup, numbers are finite.
 */
export type Row = Record<string, string | number | boolean | null> & { tenant: string; date: string };

/** The rows of each table, each in the order in which they were derived. */
export interface Rows {
  scores: ScoreRow[];
  controls: ControlRow[];
  changes: ChangeRow[];
}

export type ScoreRow = Row & {
  points: number;
  maximum: number;
  percentage: number | null;
  controls: number;
  peers_all: number | null;
  peers_similar: number | null;
  services: string;
  counted: boolean;
};

export type ControlRow = Row & {
  control: string;
  title: string;
  category: string | null;
  service: string | null;
  points: number;
  maximum: number | null;
  percentage: number | null;
  state: string | null;
  state_by: string | null;
  state_at: string | null;
  last_synced: string | null;
  effort: string | null;
};

export type ChangeRow = Row & {
  previous_date: string | null;
  kind: string;
  control: string | null;
  previous_control: string | null;
  title: string;
  category: string | null;
  points_before: number | null;
  points_after: number | null;
  maximum_before: number | null;
  maximum_after: number | null;
  percentage_points: number;
  cause: string | null;
  decision: string | null;
  decided_by: string | null;
};

/** An archived day, with what its rows are made from. */
export interface ArchivedDay {
  date: string;
  /** Every readable version, at least one, in the order in which they came into force; one that came back stands there again. */
  versions: Snapshot[];
  /** The time at which the first version was fetched, ISO 8601. */
  seenAt: string;
  /** The catalogue in force for it. */
  profiles: Profiles;
  /** The day until which the catalogue before that one is known, if only a part came since (`ArchivedProfiles`). */
  knownUntil?: string;
}

/**
 * Derives the rows of consecutive days. It is a fold whose only memory is the last counted day. Take a counted day whose
 * acceptance is final, whose scores can all be read (`isBaseline`), and with which an answer of Graph ended
 * (`endsAnswer`): the rows of all later days are the same, whether derived from it or from the very first day. The rows
 * of a day depend on all days of its answer.
 * @param baseline the counted day before them, for which no rows are made; null if they are the tenant's first
 * @param days ascending by date
 */
export function deriveRows(tenant: string, baseline: ArchivedDay | null, days: ArchivedDay[]): Rows {
  return derivationOf(tenant, baseline, days).rows(() => true);
}

/** What `deriveRows` derives, of which rows are made only for the days that are asked for. */
export interface Derivation {
  /** True if the day is compared with, and not left out as suspect. */
  isCounted: (date: string) => boolean;
  rows: (isAskedFor: (date: string) => boolean) => Rows;
}

/** As `deriveRows`: the comparison of all days is made once, however often rows are asked for. */
export function derivationOf(tenant: string, baseline: ArchivedDay | null, days: ArchivedDay[]): Derivation {
  const first = baseline ?? days[0];
  if (!first) {
    return { isCounted: () => false, rows: () => ({ scores: [], controls: [], changes: [] }) };
  }
  const later = baseline ? days : days.slice(1);
  const { steps } = acceptDays(
    inForce(first),
    later.map((day) => inForce(day)),
  );
  const texts = textsOf();
  const stepTo = new Map(steps.map((step) => [step.after.date, step]));
  const profilesTo = datedProfiles([first, ...later], steps);
  const compared = new Map(carryStates(steps).map((step) => [step.after.date, step]));

  const isCounted = (date: string) => date === first.date || stepTo.has(date);
  return {
    isCounted,
    rows(isAskedFor) {
      const rows: Rows = { scores: [], controls: [], changes: [] };
      for (const day of days) {
        if (!isAskedFor(day.date)) continue;
        const counted = stepTo.get(day.date)?.after ?? inForce(day);
        rows.scores.push(scoreRow(tenant, counted, isCounted(day.date)));
        const profiles = profilesTo.get(day.date);
        for (const control of controlRows(tenant, counted, profiles?.after ?? day.profiles, texts))
          rows.controls.push(control);
        if (profiles) {
          const { before, after } = compared.get(day.date)!;
          const differences = diff(before, after, profiles);
          for (const difference of differences) rows.changes.push(changeRow(tenant, difference));
        }
        for (const restated of restatements(day)) rows.changes.push(changeRow(tenant, restated));
      }
      return rows;
    },
  };
}

/** True if later days can be compared with this counted day alone: none of its controls has a value held from before. */
export function isBaseline(day: ArchivedDay): boolean {
  return inForce(day).unreadable === undefined;
}

/**
 * True if the answer that brought a day brought no later one. Only then can nothing new in its catalogue belong to a
 * later day, and that stays so, whatever is restated or comes late.
 * @param later at least those up to `lastOfAnswer`
 */
export function endsAnswer(day: ArchivedDay, later: ArchivedDay[]): boolean {
  return later.every(({ seenAt }) => seenAt > day.seenAt);
}

/** The last day, yyyy-mm-dd, that the day's answer can hold: tomorrow's at most (`isFromTheFuture`). */
export function lastOfAnswer({ seenAt }: ArchivedDay): string {
  return addDays(seenAt.slice(0, 10), 1);
}

/**
 * The catalogue at both sides of each step, by the day that it leads to. As in the mails, a new maximum in an answer's
 * catalogue is dated by the totals of all days of that answer, and of the days between them that came later.
 */
function datedProfiles(days: ArchivedDay[], steps: Step[]): Map<string, ProfilesOfTwo> {
  const answerOf = new Map<string, string>();
  let first = '9999';
  for (const { date, seenAt } of days.toReversed()) {
    if (seenAt < first) first = seenAt;
    answerOf.set(date, first);
  }
  const dayOf = new Map(days.map((day) => [day.date, day]));
  const dated = new Map<string, ProfilesOfTwo>();
  for (const group of Map.groupBy(steps, ({ after }) => answerOf.get(after.date)!).values()) {
    const known = group.map((step) => {
      const [before, after] = [dayOf.get(step.before.date)!, dayOf.get(step.after.date)!];
      // Only the first day with a catalogue brings what was hidden before it came.
      const isFirst = after.knownUntil !== undefined && after.knownUntil !== before.knownUntil;
      return {
        before: before.profiles,
        after: after.profiles,
        ...(isFirst ? { knownUntil: after.knownUntil! } : {}),
      };
    });
    for (const [index, profiles] of dateMaxima(group, known).entries())
      dated.set(group[index]!.after.date, profiles);
  }
  return dated;
}

function inForce(day: ArchivedDay): Snapshot {
  return day.versions.at(-1)!;
}

function scoreRow(tenant: string, snapshot: Snapshot, counted: boolean): ScoreRow {
  return {
    tenant,
    date: snapshot.date,
    points: snapshot.points,
    maximum: snapshot.maximum,
    percentage: percentageOf(snapshot),
    controls: snapshot.controls.size,
    peers_all: snapshot.peers.allTenants,
    peers_similar: snapshot.peers.similarSize,
    services: plain((snapshot.enabledServices ?? []).join(','), 2000) ?? '',
    counted,
  };
}

function controlRows(tenant: string, day: Snapshot, profiles: Profiles, texts: Texts): ControlRow[] {
  return Array.from(day.controls.values(), (control) => {
    const profile = profiles.get(control.name);
    const { title, service, state, state_by, state_at, effort } = texts.ofProfile(profile);
    return {
      tenant,
      date: day.date,
      control: control.name.toWellFormed(),
      title: title ?? control.name.toWellFormed(),
      category: texts.plain(control.category),
      service,
      points: control.points,
      maximum: maximumOf(control, profile),
      percentage: control.percentage,
      state: state ?? texts.plain(decidedState(control)),
      state_by,
      state_at,
      last_synced: texts.plain(control.lastSynced),
      effort,
    };
  });
}

type Texts = ReturnType<typeof textsOf>;

/** Makes texts plain, each only once, because they are the same day after day. */
function textsOf() {
  const texts = new Map<string, string | null>();
  const profiles = new Map<Profile | undefined, ReturnType<typeof profileTexts>>();
  return {
    plain(text: string | null): string | null {
      if (text === null) return null;
      let made = texts.get(text);
      if (made === undefined) texts.set(text, (made = plain(text)));
      return made;
    },
    ofProfile(profile: Profile | undefined) {
      let made = profiles.get(profile);
      if (!made) profiles.set(profile, (made = profileTexts(profile)));
      return made;
    },
  };
}

function profileTexts(profile: Profile | undefined) {
  const decision = inEffect(profile?.decision);
  return {
    title: plain(profile?.title, TITLE_LENGTH),
    service: plain(profile?.service),
    state: plain(decision?.state),
    state_by: plain(decision?.by),
    state_at: plain(decision?.at),
    effort: plain(profile?.implementationCost),
  };
}

function changeRow(tenant: string, { change, before, after, decision }: Difference): ChangeRow {
  const { kind, control, title, category, date, previousDate, points, maximum, cause } = change;
  const former = before && after && before.name !== after.name ? before.name.toWellFormed() : null;
  return {
    tenant,
    date,
    previous_date: previousDate,
    kind,
    control: control?.toWellFormed() ?? null,
    previous_control: former,
    title: plain(title, TITLE_LENGTH) ?? control?.toWellFormed() ?? '',
    category: plain(category),
    points_before: points.before,
    points_after: points.after,
    maximum_before: maximum.before,
    maximum_after: maximum.after,
    // Adding 0 turns −0 into 0.
    percentage_points: change.percentagePoints + 0,
    cause,
    decision: plain(decision?.state),
    decided_by: plain(decision?.by),
  };
}

/** A row for each version of a day whose scores differ from those of the version before it. */
function restatements({ date, versions }: ArchivedDay): Difference[] {
  return versions.flatMap((after, index) => {
    const before = versions[index - 1];
    if (!before || sameScores(before, after)) return [];
    const change = tenantChange('restated', `Microsoft restated the score of ${date}`, {
      date,
      previousDate: date,
      points: { before: before.points, after: after.points },
      maximum: { before: before.maximum, after: after.maximum },
    });
    return [{ change, before: null, after: null, decision: null }];
  });
}

/** The state that the control itself carries, as device controls do. */
function decidedState({ state }: Control): string | null {
  return state?.toLowerCase() === 'default' ? null : state;
}

function inEffect(decision: Decision | null | undefined): Decision | null {
  return !decision || decision.state.toLowerCase() === 'default' ? null : decision;
}

/** Longer than any title of the catalogue, so that it only limits a hostile one. */
const TITLE_LENGTH = 300;

/** Text from outside as one plain line; null if nothing of it is left. */
function plain(text: string | null | undefined, maximumLength = 200): string | null {
  return text ? line(text, maximumLength) || null : null;
}
