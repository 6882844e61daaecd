import * as fc from 'fast-check';
import type { Control, Profile, Snapshot } from '../../lambda/score/snapshot.ts';

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
