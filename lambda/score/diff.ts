import type { Change, ChangeKind, Sides } from './change.ts';
import { maximumOf } from './maximum.ts';
import { EPSILON, type Control, type Profiles, type Snapshot } from './snapshot.ts';

/** A change with the two controls it is about, for whoever tells it. */
export interface Difference {
  change: Change;
  before: Control | null;
  after: Control | null;
}

/** Differences of points are multiples of 0.01 on the wire; this only absorbs what binary fractions add. */
const BINARY_SLACK = 1e-9;

const ORDER: ChangeKind[] = [
  'suspect',
  'services',
  'lost',
  'gained',
  'removed',
  'new',
  'renamed',
  'restated',
  'stale',
];

/**
 * What changed between two snapshots of one tenant: applying the result to the first gives the second, within epsilon.
 * Texts are never compared (all but the newest entry of an answer have lost theirs).
 * @param profiles the catalogue at each side, for titles and maxima; a control may be in neither
 * @returns rows in a fixed order: by kind, then largest move first, then by name; independent of the order of controls
 */
export function diff(
  before: Snapshot,
  after: Snapshot,
  profiles: { before: Profiles; after: Profiles },
): Difference[] {
  const { pairs, removed, added } = matchControls(before, after);
  const differences: Difference[] = [];

  const add = (kind: ChangeKind, earlier: Control | null, later: Control | null) => {
    const control = later ?? earlier;
    if (!control) return;
    const earlierProfile = earlier
      ? (profiles.before.get(earlier.name) ?? profiles.after.get(earlier.name))
      : undefined;
    const laterProfile = later
      ? (profiles.after.get(later.name) ?? profiles.before.get(later.name))
      : undefined;
    const maxima = {
      before: earlier && maximumOf(earlier, earlierProfile),
      after: later && maximumOf(later, laterProfile),
    };
    differences.push({
      before: earlier,
      after: later,
      change: {
        kind,
        control: control.name,
        title: (laterProfile ?? earlierProfile)?.title || control.name,
        category: control.category,
        date: after.date,
        previousDate: before.date,
        points: { before: earlier?.points ?? null, after: later?.points ?? null },
        // A side that is there but unknown takes the other side's.
        maximum: {
          before: earlier && (maxima.before ?? maxima.after),
          after: later && (maxima.after ?? maxima.before),
        },
      },
    });
  };

  for (const [earlier, later] of pairs) {
    if (earlier.name !== later.name) add('renamed', earlier, later);
    const move = later.points - earlier.points;
    if (Math.abs(move) > EPSILON + BINARY_SLACK) add(move < 0 ? 'lost' : 'gained', earlier, later);
  }
  for (const control of removed) add('removed', control, null);
  for (const control of added) add('new', null, control);

  const services = servicesChange(before, after);
  if (services) differences.push({ change: services, before: null, after: null });
  return differences.toSorted((a, b) => compareChanges(a.change, b.change));
}

export interface Matched {
  pairs: [Control, Control][];
  removed: Control[];
  added: Control[];
}

/**
 * Pairs the controls of two snapshots: by exact name; and where exactly one removed and one new name differ by an
 * instance prefix (`11770.MDA_Google_…`) alone, as a rename. Ids may hold further dots.
 */
export function matchControls(before: Snapshot, after: Snapshot): Matched {
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

/** A row about the tenant as a whole: no control, no category. */
export function tenantChange(
  kind: ChangeKind,
  title: string,
  facts: { date: string; previousDate: string | null; points: Sides; maximum: Sides },
): Change {
  const { date, previousDate, points, maximum } = facts;
  return { kind, control: null, title, category: null, date, previousDate, points, maximum };
}

function compareChanges(a: Change, b: Change): number {
  return (
    ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) ||
    size(b) - size(a) ||
    // Code units, not a locale: the same everywhere.
    ((a.control ?? '') < (b.control ?? '') ? -1 : 1)
  );
}

function size(change: Change): number {
  return change.points.before === null || change.points.after === null
    ? (change.maximum.after ?? change.maximum.before ?? 0)
    : Math.abs(change.points.after - change.points.before);
}
