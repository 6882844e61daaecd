import { shareOf } from './attribution.ts';
import type { Cause, Change, ChangeKind, Sides } from './change.ts';
import { decisionBetween, explains } from './decision.ts';
import { failingOf, isDrift, type Failing } from './drift.ts';
import { maximaOf, maximumOf } from './maximum.ts';
import { EPSILON, type Control, type Decision, type Profiles, type Snapshot } from './snapshot.ts';

/** A change with the two controls it is about, for the report. */
export interface Difference {
  change: Change;
  before: Control | null;
  after: Control | null;
  /** The decision that the row is about, or that caused it. */
  decision: Decision | null;
  /** For a move: how many people or devices fail, if known. */
  failing?: Failing | null;
}

/** The catalogue at each side, for titles, maxima and decisions; a control may be in neither. */
export interface ProfilesOfTwo {
  before: Profiles;
  after: Profiles;
  /**
   * The day (yyyy-mm-dd) until which the earlier catalogue is known, if that is before the earlier snapshot: decisions
   * since then are new. Only a part of the catalogue came after it.
   */
  knownUntil?: string;
  /**
   * Controls whose maximum moved in the catalogue on an unknown day (`dateMaxima`). Their rows carry nothing of that
   * move, so that each day's total accounts for it.
   */
  undated?: ReadonlySet<string>;
}

/** Title of the row for a move of the total's maximum that no control explains. */
export const WITHOUT_POINTS = 'Recommendations without points';

/** Moves of maxima count as equal if they differ by no more than this, in points, because totals are rounded. */
export const SAME_MAXIMUM = 0.01;

/** Differences of points are multiples of 0.01 on the wire; this only absorbs what binary fractions add. */
const BINARY_SLACK = 1e-9;

/** The order of rows. */
const ORDER: ChangeKind[] = [
  'suspect',
  'services',
  'lost',
  'gained',
  'drift',
  're-scored',
  'decided',
  'removed',
  'new',
  'renamed',
  'restated',
  'stale',
];

/**
 * The changes between two snapshots of one tenant, with each row's share of the change of the score. Applying the
 * result to the first snapshot gives the second, within epsilon.
 * Texts are never compared, because all but the newest entry of an answer have lost theirs.
 * @returns rows in a fixed order: by kind, then largest move first, then by name; independent of the order of controls
 */
export function diff(before: Snapshot, after: Snapshot, profiles: ProfilesOfTwo): Difference[] {
  const { pairs, removed, added } = matchControls(before, after);
  const differences: Difference[] = [];
  const undated = profiles.undated ?? NONE;
  const since =
    profiles.knownUntil !== undefined && profiles.knownUntil < before.date
      ? profiles.knownUntil
      : before.date;
  const isOneCatalogue = profiles.before === profiles.after;
  // The part of the move of the total's maximum that the rows so far carry.
  let borne = 0;

  const profileOf = (name: string | undefined, side: 'before' | 'after') =>
    name === undefined ? undefined : profiles[side].get(name);

  const add = (kinds: ChangeKind[], earlier: Control | null, later: Control | null, moved: Moved) => {
    const control = later ?? earlier;
    if (!control) return;
    const title =
      profileOf(control.name, 'after')?.title || profileOf(control.name, 'before')?.title || control.name;
    // Kinds are in order of precedence, so the first one carries the control's share. A rename never does.
    const bearer = kinds.find((kind) => kind !== 'renamed');
    for (const kind of kinds) {
      const bears = kind === bearer;
      differences.push({
        before: earlier,
        after: later,
        decision: kind === 'decided' || (bears && moved.cause === 'decided') ? moved.decision : null,
        failing: moved.failing,
        change: {
          kind,
          control: control.name,
          title,
          category: control.category,
          date: after.date,
          previousDate: before.date,
          points: { before: earlier?.points ?? null, after: later?.points ?? null },
          maximum: moved.maximum,
          percentagePoints: bears ? moved.share : 0,
          cause: bears ? moved.cause : null,
        },
      });
    }
  };

  for (const [earlier, later] of pairs) {
    const known = profileOf(earlier.name, 'before');
    // Most controls are as they were, and so is their entry in the catalogue: they give no row.
    const isSame = known !== undefined && isUnchanged(earlier, later);
    if (isSame && isOneCatalogue) continue;
    const knownAfter = profileOf(later.name, 'after') ?? profileOf(earlier.name, 'after');
    if (isSame && known === knownAfter) continue;
    const maximum = maximaOf({ before: earlier, after: later }, { before: known, after: knownAfter });
    const { decision, decided: decides } = decisionBetween(
      { control: earlier, profile: known ?? profileOf(later.name, 'before') },
      { control: later, profile: knownAfter },
      { since, date: after.date },
    );

    const points = later.points - earlier.points;
    const moves = Math.abs(points) > EPSILON + BINARY_SLACK;
    const rise = maximum.before === null || maximum.after === null ? 0 : maximum.after - maximum.before;
    const rescored = Math.abs(rise) > EPSILON + BINARY_SLACK;
    const bears = rescored && !undated.has(later.name) ? rise : 0;
    borne += bears;
    const days = { previous: before.date, date: after.date };
    const decided = explains(decision, days, { before: earlier, after: later }, maximum, decides);

    const kinds: ChangeKind[] = [];
    if (rescored) kinds.push('re-scored');
    if (decides) kinds.push('decided');
    const failing = moves ? failingOf(earlier, later, maximum) : null;
    if (moves)
      kinds.push(isDrift(earlier, later, failing, points) ? 'drift' : points < 0 ? 'lost' : 'gained');
    if (earlier.name !== later.name) kinds.push('renamed');
    const share = rescored || moves ? shareOf(before, after, points, bears) : 0;
    add(kinds, earlier, later, {
      maximum,
      share,
      cause: rescored ? 'rescored' : moves ? (decided ? 'decided' : 'earned') : null,
      decision,
      failing,
    });
  }

  const maximumBefore = (control: Control) =>
    maximumOf(control, profileOf(control.name, 'before') ?? profileOf(control.name, 'after'));
  const maximumAfter = (control: Control) =>
    maximumOf(control, profileOf(control.name, 'after') ?? profileOf(control.name, 'before'));
  const gone = removed.map((control) => ({ control, maximum: maximumBefore(control), sign: -1 }));
  const come = added.map((control) => ({ control, maximum: maximumAfter(control), sign: 1 }));
  const known = [...gone, ...come].reduce((sum, { maximum, sign }) => sum + sign * (maximum ?? 0), borne);
  let remainder = after.maximum - before.maximum - known;

  // If the maximum of exactly one control is unknown, the total gives it.
  const [unknown, ...others] = [...gone, ...come].filter(({ maximum }) => maximum === null);
  if (unknown && others.length === 0 && undated.size === 0 && hasPercentages(before, after)) {
    const left = remainder * unknown.sign;
    if (left > SAME_MAXIMUM && left >= unknown.control.points - SAME_MAXIMUM) {
      unknown.maximum = left;
      remainder = 0;
    }
  }

  for (const { control, maximum } of gone) {
    add(['removed'], control, null, {
      maximum: { before: maximum, after: null },
      share: shareOf(before, after, -control.points, -(maximum ?? 0)),
      cause: 'rescored',
      decision: null,
    });
  }
  for (const { control, maximum } of come) {
    const { decision, decided } = decisionBetween(
      { control: null, profile: undefined },
      { control, profile: profileOf(control.name, 'after') },
      { since, date: after.date },
    );
    add(decided ? ['new', 'decided'] : ['new'], null, control, {
      maximum: { before: null, after: maximum },
      share: shareOf(before, after, control.points, maximum ?? 0),
      cause: 'rescored',
      decision,
    });
  }
  if (Math.abs(remainder) > BINARY_SLACK && hasPercentages(before, after)) {
    differences.push({
      change: withoutPoints(before, after, remainder),
      before: null,
      after: null,
      decision: null,
    });
  }

  const services = servicesChange(before, after);
  if (services) {
    differences.push({ change: services, before: null, after: null, decision: null });
  }
  return differences.toSorted((a, b) => compareChanges(a.change, b.change));
}

const NONE: ReadonlySet<string> = new Set();

/** True if all is equal of which the row of a pair can be made: the date of a decision alone decides nothing. */
function isUnchanged(earlier: Control, later: Control): boolean {
  return (
    earlier.name === later.name &&
    earlier.points === later.points &&
    earlier.percentage === later.percentage &&
    earlier.state === later.state
  );
}

function hasPercentages(before: Snapshot, after: Snapshot): boolean {
  return before.maximum > 0 && after.maximum > 0;
}

/**
 * The row for the move of the total's maximum that no control explains. It is Microsoft's doing, which states the total.
 * @param remainder in points: counted as if one recommendation worth that, without points, had come or gone
 */
function withoutPoints(before: Snapshot, after: Snapshot, remainder: number): Change {
  const { date, previousDate } = { date: after.date, previousDate: before.date };
  return {
    ...tenantChange('re-scored', WITHOUT_POINTS, {
      date,
      previousDate,
      points: { before: 0, after: 0 },
      maximum: { before: Math.max(-remainder, 0), after: Math.max(remainder, 0) },
    }),
    percentagePoints: shareOf(before, after, 0, remainder),
    cause: 'rescored',
  };
}

interface Moved {
  maximum: Sides;
  share: number;
  cause: Cause | null;
  decision: Decision | null;
  failing?: Failing | null;
}

export interface Matched {
  pairs: [Control, Control][];
  removed: Control[];
  added: Control[];
}

/**
 * Pairs the controls of two snapshots by exact name. If exactly one removed and one new name differ only by an instance
 * prefix (`11770.MDA_Google_…`), they are a rename. Ids may contain further dots.
 */
export function matchControls(before: Snapshot, after: Snapshot): Matched {
  return matchedInOrder(before, after) ?? matchedByName(before, after);
}

/** Null unless both have the same controls in the same order, as most days of Graph have: then no name is looked up. */
function matchedInOrder({ controls: before }: Snapshot, { controls: after }: Snapshot): Matched | null {
  if (before.size !== after.size) return null;
  const pairs: [Control, Control][] = [];
  const others = after.values();
  for (const control of before.values()) {
    const later = others.next().value!;
    if (control.name !== later.name) return null;
    pairs.push([control, later]);
  }
  return { pairs, removed: [], added: [] };
}

function matchedByName(before: Snapshot, after: Snapshot): Matched {
  const pairs: [Control, Control][] = [];
  const orphans = new Map<string, { removed: Control[]; added: Control[] }>();
  const orphansOf = (name: string) => {
    const bare = name.replace(/^\d+\./, '');
    const group = orphans.get(bare) ?? { removed: [], added: [] };
    orphans.set(bare, group);
    return group;
  };

  for (const control of before.controls.values()) {
    const later = after.controls.get(control.name);
    if (later) pairs.push([control, later]);
    else orphansOf(control.name).removed.push(control);
  }
  for (const control of after.controls.values()) {
    if (!before.controls.has(control.name)) orphansOf(control.name).added.push(control);
  }

  const matched: Matched = { pairs, removed: [], added: [] };
  for (const { removed, added } of orphans.values()) {
    const [from] = removed;
    const [to] = added;
    if (from && to && removed.length === 1 && added.length === 1) pairs.push([from, to]);
    else {
      matched.removed.push(...removed);
      matched.added.push(...added);
    }
  }
  return matched;
}

function servicesChange(before: Snapshot, after: Snapshot): Change | null {
  if (!before.enabledServices || !after.enabledServices) return null;
  const earlier = new Set(before.enabledServices);
  const later = new Set(after.enabledServices);
  const parts = [
    ...[...later.difference(earlier)].map((service) => `+ ${service}`),
    ...[...earlier.difference(later)].map((service) => `− ${service}`),
  ];
  if (parts.length === 0) return null;
  return tenantChange('services', `Enabled services changed: ${parts.join(', ')}`, {
    date: after.date,
    previousDate: before.date,
    points: { before: before.points, after: after.points },
    maximum: { before: before.maximum, after: after.maximum },
  });
}

/** A row about the tenant as a whole: no control, no category, no share. */
export function tenantChange(
  kind: ChangeKind,
  title: string,
  facts: { date: string; previousDate: string | null; points: Sides; maximum: Sides },
): Change {
  const { date, previousDate, points, maximum } = facts;
  return {
    kind,
    control: null,
    title,
    category: null,
    date,
    previousDate,
    points,
    maximum,
    percentagePoints: 0,
    cause: null,
  };
}

function compareChanges(a: Change, b: Change): number {
  return (
    ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) ||
    size(b) - size(a) ||
    // Code units are compared, because a locale's order is not the same everywhere.
    ((a.control ?? '') < (b.control ?? '') ? -1 : 1)
  );
}

function size(change: Change): number {
  return change.points.before === null || change.points.after === null
    ? (change.maximum.after ?? change.maximum.before ?? 0)
    : Math.abs(change.points.after - change.points.before);
}
