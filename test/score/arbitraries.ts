import * as fc from 'fast-check';
import type { ProfilesOfTwo } from '../../lambda/score/diff.ts';
import type { Control, Decision, Profile, Snapshot } from '../../lambda/score/snapshot.ts';

const NO_PEERS = { allTenants: null, similarSize: null };

export function control(name: string, points: number, more: Partial<Control> = {}): Control {
  return {
    name,
    category: 'Identity',
    points,
    percentage: null,
    complete: false,
    status: null,
    lastSynced: null,
    count: null,
    total: null,
    state: null,
    ...more,
  };
}

export function snapshot(
  date: string,
  points: Record<string, number>,
  more: Partial<Snapshot> = {},
): Snapshot {
  const controls = new Map(Object.entries(points).map(([name, value]) => [name, control(name, value)]));
  const sum = Object.values(points).reduce((total, value) => total + value, 0);
  return {
    date,
    points: sum,
    maximum: 100,
    enabledServices: ['HasEXOP2'],
    controls,
    peers: NO_PEERS,
    ...more,
  };
}

export function profile(id: string, more: Partial<Profile> = {}): Profile {
  return {
    id,
    title: `Title of ${id}`,
    maximum: 10,
    category: 'Identity',
    service: 'AzureAD',
    tier: 'Core',
    remediation: null,
    remediationImpact: null,
    actionUrl: null,
    implementationCost: null,
    userImpact: null,
    decision: null,
    ...more,
  };
}

/** Names from a small pool, with instance prefixes and dots, so that renames, twins and near-twins come up. */
const names = fc.constantFrom(
  ...['', '1.', '11770.', 'x.'].flatMap((prefix) =>
    ['alpha', 'beta', 'MDA_Google_EnableTwoFactorAuth', 'a.b', '7', '__proto__'].map((name) => prefix + name),
  ),
);

/** Points as Graph states them: two decimals. */
const points = fc.integer({ min: 0, max: 1000 }).map((hundredths) => hundredths / 100);

export const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({
    controls: fc.uniqueArray(fc.tuple(names, points), { selector: ([name]) => name, maxLength: 20 }),
    services: fc.uniqueArray(fc.constantFrom('HasEXOP2', 'HasMDE', 'HasOCAS')),
    date: fc.constantFrom('2026-01-01', '2026-01-02'),
  })
  .map(({ controls, services, date }) => ({
    date,
    points: controls.reduce((sum, [, value]) => sum + value, 0),
    maximum: 100,
    enabledServices: services.toSorted(),
    controls: new Map(controls.map(([name, value]) => [name, control(name, value)])),
    peers: NO_PEERS,
  }));

const states = fc.constantFrom(
  null,
  'default',
  'Default',
  'thirdParty',
  'ThirdParty',
  'Ignored',
  'riskAccepted',
);

const decisions: fc.Arbitrary<Decision | null> = fc.option(
  fc.record({
    state: fc.constantFrom('Default', 'default', 'ThirdParty', 'Ignored', 'Reviewed'),
    previousState: fc.constantFrom(null, 'Default', 'ThirdParty'),
    by: fc.constantFrom(null, 'ann@contoso.com', 'bob@contoso.com'),
    at: fc.constantFrom(
      null,
      ...['2025-12-01', '2025-12-28', '2026-01-02', '2026-01-09'].map((day) => `${day}T09:00:00Z`),
    ),
    comment: fc.constantFrom(null, 'until May'),
  }),
);

const catalogueEntry = fc.record({
  maximum: fc.constantFrom(null, 2, 5, 10),
  decision: decisions,
});

/** What a comparison reads of a control. Few values, so that controls often stay as they were, in a part or wholly. */
const facts = fc.record({
  points: fc.constantFrom(0, 1, 2, 2.004, 5),
  percentage: fc.constantFrom(null, 0, 20, 50, 100),
  complete: fc.boolean(),
  count: fc.constantFrom(null, 0, 4, 10),
  total: fc.constantFrom(null, 0, 10, 12, 400),
  state: states,
  category: fc.constantFrom('Identity', 'Apps'),
});

/** A control on two days, and its entry in two catalogues: as it was, with a part of it changed, or another one. */
const history = fc
  .record({
    name: names,
    later: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, names),
    facts: fc.tuple(facts, facts),
    changed: fc.subarray([
      'points',
      'percentage',
      'complete',
      'count',
      'total',
      'state',
      'category',
    ] as const),
    days: fc.constantFrom('both', 'both', 'both', 'both', 'before', 'after'),
    entries: fc.tuple(fc.option(catalogueEntry), fc.option(catalogueEntry)),
    entry: fc.constantFrom('same', 'same', 'maximum', 'decision', 'other'),
  })
  .map(({ name, later, facts: [first, second], changed, days, entries: [one, other], entry }) => {
    const moved = { ...first, ...Object.fromEntries(changed.map((fact) => [fact, second[fact]])) };
    const known = one && profile(name, one);
    const knownAfter =
      entry === 'same' || (known && !other)
        ? known
        : entry === 'other' || !known
          ? other && profile(later ?? name, other)
          : { ...known, [entry]: other![entry] };
    return {
      before: days === 'after' ? [] : [control(name, first.points, first)],
      after: days === 'before' ? [] : [control(later ?? name, moved.points, moved)],
      known: known ? [known] : [],
      knownAfter: knownAfter ? [knownAfter] : [],
    };
  });

/** Two days and their catalogues, in which controls and entries change in all ways that a comparison reads. */
export const comparisons: fc.Arbitrary<{ before: Snapshot; after: Snapshot; profiles: ProfilesOfTwo }> = fc
  .record({
    histories: fc.array(history, { maxLength: 12 }),
    maxima: fc.tuple(fc.constantFrom(0, 100, 110), fc.constantFrom(0, 100, 110, 103)),
    knownUntil: fc.constantFrom(undefined, '2025-12-20', '2026-01-05'),
    undated: fc.subarray(['alpha', 'beta', '7', '1.alpha']),
  })
  .map(({ histories, maxima, knownUntil, undated }) => {
    const day = (date: string, maximum: number, controls: Control[]): Snapshot => ({
      date,
      points: controls.reduce((sum, { points: value }) => sum + value, 0),
      maximum,
      enabledServices: null,
      controls: new Map(controls.map((one) => [one.name, one])),
      peers: NO_PEERS,
    });
    const catalogue = (profiles: Profile[]) => new Map(profiles.map((one) => [one.id, one]));
    return {
      before: day(
        '2026-01-01',
        maxima[0],
        histories.flatMap((one) => one.before),
      ),
      after: day(
        '2026-01-02',
        maxima[1],
        histories.flatMap((one) => one.after),
      ),
      profiles: {
        before: catalogue(histories.flatMap((one) => one.known)),
        after: catalogue(histories.flatMap((one) => one.knownAfter)),
        ...(knownUntil === undefined ? {} : { knownUntil }),
        undated: new Set(undated),
      },
    };
  });
