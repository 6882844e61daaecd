import type { Sides } from './change.ts';
import {
  EPSILON,
  type Control,
  type Decision,
  type Profile,
  type Profiles,
  type Snapshot,
} from './snapshot.ts';

/** The number of days within which a decision moves the score: third-party marks take up to 7, and sources sync late. */
const EFFECTIVE_DAYS = 14;

/** The number of days by which the catalogue, or the points, may lag behind a decision: third-party marks take up to 7. */
const LATE_DAYS = 7;

const DAY_MS = 24 * 3_600_000;

/**
 * States that give a control's points although nothing was done here. Graph's list is open, so spellings are compared
 * without case, blanks and dashes ("ThirdParty", "Resolved through alternate mitigation").
 */
const GIVING = ['thirdparty', 'alternatemitigation'];

function givesPoints(state: string | null): boolean {
  const bare = (state ?? '').toLowerCase().replace(/[^a-z]/g, '');
  return GIVING.some((giving) => bare.endsWith(giving));
}

/**
 * The decision in force on the later day, and whether it was made between the two days. It is in the catalogue and, for
 * device controls, in the control itself. The control's own state is the one that moves the score; if the catalogue has
 * another one, that is in `inCatalogue`.
 * @param days of the two snapshots
 */
export function decisionBetween(
  before: { control: Control | null; profile: Profile | undefined },
  after: { control: Control; profile: Profile | undefined },
  days: { since: string; date: string },
): { decision: Decision | null; decided: boolean } {
  const inCatalogue = decisionInCatalogue(before.profile, after.profile, days);
  const [former, state] = [before.control?.state ?? null, after.control.state];
  if (state === null || former === null || sameState(state, former)) return inCatalogue;
  const catalogueState = inCatalogue.decision?.state ?? 'Default';
  const differs = !sameState(state, catalogueState);
  // The catalogue is preferred, because it also has who decided, when and why.
  if (!differs && inCatalogue.decided) return inCatalogue;
  return {
    decision: {
      state,
      previousState: former,
      by: null,
      at: null,
      comment: null,
      ...(differs ? { inCatalogue: catalogueState } : {}),
    },
    decided: true,
  };
}

function decisionInCatalogue(
  before: Profile | undefined,
  after: Profile | undefined,
  { since, date }: { since: string; date: string },
): { decision: Decision | null; decided: boolean } {
  const decision = after?.decision ?? null;
  const former = before?.decision ?? null;
  if (sameDecision(former, decision)) return { decision, decided: false };
  if (after && former && isInForce(former) && !(decision && isInForce(decision))) {
    // A catalogue as of a day has no later decisions.
    if (former.at !== null && former.at.slice(0, 10) > date) return { decision, decided: false };
    return { decision: takenBack(former, decision), decided: true };
  }
  if (decision === null) return { decision, decided: false };
  // If Graph has only the last update, the earlier catalogue has the state that it replaced.
  const previousState = decision.previousState ?? former?.state ?? null;
  // Even Microsoft's samples contain Defaults of 2019 that nobody set.
  const takesNothingBack = isDefault(decision.state) && isDefault(previousState ?? 'Default');
  if (takesNothingBack && decision.by === null) return { decision: null, decided: false };
  // A decision older than the snapshot last compared was known then, or was published late. If the control was not in
  // the catalogue, only newer decisions count, so that a control that comes back does not bring those of years ago.
  const from = before ? daysBefore(since, LATE_DAYS) : since;
  const decided = decision.at === null ? before !== undefined : decision.at.slice(0, 10) >= from;
  return { decision: { ...decision, previousState }, decided };
}

/** The state that somebody decided and that is in force; null where none is. A control's own outweighs the catalogue's. */
export function stateInForce(control: Pick<Control, 'state'>, profile: Profile | undefined): string | null {
  const state = control.state ?? profile?.decision?.state ?? null;
  return state === null || isDefault(state) ? null : state;
}

function isInForce({ state }: Decision): boolean {
  return !isDefault(state);
}

/**
 * The decision that took back a former one. If the catalogue has only the Default that it had from the beginning, it is
 * unknown who took it back and when.
 */
function takenBack(former: Decision, left: Decision | null): Decision {
  const known = left && !isBare(left, former) ? left : { by: null, at: null, comment: null };
  return { ...known, state: left?.state ?? 'Default', previousState: former.state };
}

/** True if the Default has no one who set it, and no time after the decision that it replaces. */
function isBare({ by, at }: Decision, former: Decision): boolean {
  return by === null && (at === null || Date.parse(at) <= (Date.parse(former.at ?? '') || 0));
}

/**
 * The number of decisions that a partial catalogue lacks. It is partial if it has lost all of several decisions at once
 * and shows nobody who took one back. Otherwise the number is 0, because a single decision may be taken back on any day.
 * @param last the last complete catalogue; only its profiles that still exist count
 */
export function lackedDecisions(last: Profiles, profiles: Profiles): number {
  const inForce = [...last.values()].flatMap(({ id, decision }) => {
    const profile = profiles.get(id);
    return decision && isInForce(decision) && profile ? [{ former: decision, left: profile.decision }] : [];
  });
  const areLost = inForce.every(({ former, left }) => !left || (!isInForce(left) && isBare(left, former)));
  return areLost && inForce.length > 1 ? inForce.length : 0;
}

/**
 * A catalogue as of a day, with the decisions that an earlier catalogue already had. The earlier one was fetched later
 * than its day, because snapshots come late, so decisions made meanwhile have already been reported with it.
 */
export function withKnownDecisions(known: Profiles, asOf: Profiles, date: string): Profiles {
  // A catalogue that stays as it is stays the same one, which spares comparing its entries.
  let profiles: Map<string, Profile> | null = null;
  for (const { id, decision } of known.values()) {
    const profile = asOf.get(id);
    if (profile && (decision?.at ?? '').slice(0, 10) > date) {
      (profiles ??= new Map(asOf)).set(id, { ...profile, decision });
    }
  }
  return profiles ?? asOf;
}

function daysBefore(date: string, days: number): string {
  return new Date(Date.parse(date) - days * DAY_MS).toISOString().slice(0, 10);
}

function isDefault(state: string): boolean {
  return sameState(state, 'Default');
}

function sameState(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/**
 * The same steps, in which a control without a state keeps its last one. Only the newest day of an answer has states,
 * so a decision made in a gap is found on the first day that has them.
 */
export function carryStates(
  steps: readonly { before: Snapshot; after: Snapshot }[],
): { before: Snapshot; after: Snapshot }[] {
  interface Day {
    carried: Snapshot;
    /** Of its controls that have one. */
    states: ReadonlyMap<string, string>;
  }
  let last: (Day & { from: Snapshot }) | null = null;
  const carried: { before: Snapshot; after: Snapshot }[] = [];
  for (const { before, after } of steps) {
    const known: Day = last?.from === before ? last : { carried: before, states: statesOf(before) };
    const states = new Map([...known.states, ...statesOf(after)]);
    // A day is copied only if something is carried to it, which is so on few days.
    let controls: Map<string, Control> | null = null;
    for (const [name, state] of states) {
      const control = after.controls.get(name);
      if (!control) states.delete(name);
      else if (control.state === null)
        (controls ??= new Map(after.controls)).set(name, { ...control, state });
    }
    last = { from: after, carried: controls ? { ...after, controls } : after, states };
    carried.push({ before: known.carried, after: last.carried });
  }
  return carried;
}

/** The states of the controls that have one. */
function statesOf({ controls }: Snapshot): Map<string, string> {
  const states = new Map<string, string>();
  for (const { name, state } of controls.values()) if (state !== null) states.set(name, state);
  return states;
}

/** True if two decisions are the same: one state, set at one time. */
function sameDecision(a: Decision | null, b: Decision | null): boolean {
  return a?.state.toLowerCase() === b?.state.toLowerCase() && a?.at === b?.at;
}

/**
 * True if a decision explains a move of its control's points: a gain if the state in force gives points, or if one that
 * gave them was taken back so recently that its points may come yet; a loss if one that gave them was taken back. It must
 * have been set at most 14 days before a day on which the points may have moved, which is any after the previous snapshot,
 * or, if its date is unknown, since that snapshot. A mark gives all of a recommendation's points, so what ends or began
 * below its maximum is somebody's work, or drift, on the days between the mark and its effect. A device control's own
 * state is excepted, because it may be of some devices alone.
 * @param days of the previous snapshot and of this one, yyyy-mm-dd
 * @param decided true if it was made since the previous snapshot
 */
export function explains(
  decision: Decision | null,
  days: { previous: string; date: string },
  { before, after }: { before: Control; after: Control },
  maximum: Sides,
  decided: boolean,
): boolean {
  const move = after.points - before.points;
  if (!decision || move === 0) return false;
  const on = decision.at?.slice(0, 10) ?? null;
  const from = daysBefore(days.previous, EFFECTIVE_DAYS - 1);
  if (on === null ? !decided : on < from || on > days.date) return false;
  const hasAll = move > 0 ? isFull(after.points, maximum.after) : isFull(before.points, maximum.before);
  if (!hasAll && after.state === null) return false;
  if (givesPoints(decision.state)) return move > 0;
  const mayComeYet = on === null || on >= daysBefore(days.date, LATE_DAYS);
  return givesPoints(decision.previousState) && (move < 0 || mayComeYet);
}

function isFull(points: number, maximum: number | null): boolean {
  return maximum === null || points >= maximum - EPSILON;
}
