import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change } from '../../lambda/score/change.ts';
import { diff } from '../../lambda/score/diff.ts';
import { EPSILON, type Profiles, type Snapshot } from '../../lambda/score/snapshot.ts';
import { comparisons, profile, snapshot, snapshots } from './arbitraries.ts';

const NO_PROFILES = { before: new Map(), after: new Map() };

function changes(before: Snapshot, after: Snapshot): Change[] {
  return diff(before, after, NO_PROFILES).map(({ change }) => change);
}

function kinds(before: Record<string, number>, after: Record<string, number>): [string, string | null][] {
  return changes(snapshot('2026-01-01', before), snapshot('2026-01-02', after)).map(({ kind, control }) => [
    kind,
    control,
  ]);
}

/** What a reader of the changes would make of the earlier day. */
function apply(before: Snapshot, differences: ReturnType<typeof diff>): Map<string, number> {
  const points = new Map([...before.controls].map(([name, { points: value }]) => [name, value]));
  // Names first: a renamed control may have moved as well, and goes by its later name.
  for (const { change, before: earlier } of differences) {
    if (change.kind === 'renamed' && earlier && change.control !== null) {
      points.set(change.control, points.get(earlier.name)!);
      points.delete(earlier.name);
    }
  }
  for (const { change } of differences) {
    if (change.control === null) continue;
    if (change.kind === 'removed') points.delete(change.control);
    if (['new', 'lost', 'gained'].includes(change.kind)) points.set(change.control, change.points.after!);
  }
  return points;
}

describe('what changed between two snapshots', () => {
  it('applied to the first gives the second, within epsilon', () => {
    fc.assert(
      fc.property(snapshots, snapshots, (before, after) => {
        const applied = apply(before, diff(before, after, NO_PROFILES));
        expect([...applied.keys()].toSorted()).toEqual([...after.controls.keys()].toSorted());
        for (const [name, points] of applied) {
          expect(Math.abs(points - after.controls.get(name)!.points)).toBeLessThanOrEqual(EPSILON + 1e-9);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('does not depend on the order of the controls', () => {
    const shuffled = snapshots.chain((original) =>
      fc
        .shuffledSubarray([...original.controls], { minLength: original.controls.size })
        .map((controls) => ({ original, shuffled: { ...original, controls: new Map(controls) } })),
    );
    fc.assert(
      fc.property(shuffled, shuffled, (before, after) => {
        expect(changes(before.shuffled, after.shuffled)).toEqual(changes(before.original, after.original));
      }),
    );
  });

  it('is empty if nothing changed', () => {
    fc.assert(
      fc.property(snapshots, (same) => {
        expect(changes(same, same)).toEqual([]);
      }),
    );
  });

  it('is the same whether a control that is as it was is compared in detail or not', () => {
    // A catalogue that was read again has equal entries, but not the same ones, so that every control is compared.
    const readAgain = (profiles: Profiles): Profiles => new Map(structuredClone([...profiles]));
    let unchanged = 0;
    fc.assert(
      fc.property(comparisons, ({ before, after, profiles }) => {
        expect(diff(before, after, profiles)).toEqual(
          diff(before, after, { ...profiles, after: readAgain(profiles.after) }),
        );
        for (const [name, { points }] of after.controls) {
          const entry = profiles.before.get(name);
          const isSame = entry !== undefined && entry === profiles.after.get(name);
          if (isSame && before.controls.get(name)?.points === points) unchanged += 1;
        }
      }),
      { numRuns: 3000 },
    );
    expect(unchanged).toBeGreaterThan(1000);
  });

  it('distinguishes lost from gained, and nothing up to epsilon', () => {
    expect(kinds({ a: 9, b: 1, c: 8.57 }, { a: 8.99, b: 2, c: 8.57 })).toEqual([
      ['lost', 'a'],
      ['gained', 'b'],
    ]);
    expect(kinds({ a: 8.57 }, { a: 8.575 })).toEqual([]);
    expect(kinds({ a: 8.57 }, { a: 8.576 })).toEqual([['gained', 'a']]);
  });

  it('never compares texts, which all but the newest entry of an answer have lost', () => {
    const before = snapshot('2026-01-01', { a: 1 });
    const after = snapshot('2026-01-02', { a: 1 });
    before.controls.set('a', {
      ...before.controls.get('a')!,
      complete: true,
      status: '3 of 40',
      count: 3,
      total: 40,
    });
    expect(changes(before, after)).toEqual([]);
  });

  it('recognises an instance prefix as a rename if exactly one went and one came', () => {
    const google = 'MDA_Google_EnableTwoFactorAuth';
    expect(kinds({ [google]: 7 }, { [`11770.${google}`]: 7 })).toEqual([['renamed', `11770.${google}`]]);
    expect(kinds({ [`1.${google}`]: 7 }, { [google]: 5 })).toEqual([
      ['lost', google],
      ['renamed', google],
    ]);
    // One became two: which of them it is, nobody can say.
    expect(kinds({ x: 7 }, { '1.x': 7, '2.x': 7 })).toEqual([
      ['removed', 'x'],
      ['new', '1.x'],
      ['new', '2.x'],
    ]);
    // Still there: the other one is new.
    expect(kinds({ x: 7 }, { x: 7, '1.x': 7 })).toEqual([['new', '1.x']]);
    // Ids may hold dots; only a number before the first is a prefix.
    expect(kinds({ 'v.x': 7 }, { x: 7 })).toEqual([
      ['removed', 'v.x'],
      ['new', 'x'],
    ]);
  });

  it('ignores a moved category', () => {
    const before = snapshot('2026-01-01', { aad_x: 1 });
    const after = snapshot('2026-01-02', { aad_x: 1 });
    after.controls.set('aad_x', { ...after.controls.get('aad_x')!, category: 'Apps' });
    expect(changes(before, after)).toEqual([]);
  });

  it('lists the services that came and went', () => {
    const before = snapshot('2026-01-01', { a: 1 }, { enabledServices: ['A', 'B'] });
    const after = snapshot('2026-01-02', { a: 1 }, { enabledServices: ['B', 'C'] });
    expect(changes(before, after)).toMatchObject([
      { kind: 'services', control: null, title: 'Enabled services changed: + C, − A' },
    ]);
  });

  it('takes title and maximum from the catalogue, of either day', () => {
    const differences = diff(
      snapshot('2026-01-01', { gone: 0, stays: 2 }),
      snapshot('2026-01-02', { stays: 1 }, { maximum: 95 }),
      {
        before: new Map([['gone', profile('gone', { maximum: 5 })]]),
        after: new Map([['stays', profile('stays', { title: '' })]]),
      },
    );
    expect(differences.map(({ change }) => change)).toMatchObject([
      { control: 'stays', title: 'stays', maximum: { before: 10, after: 10 } },
      { control: 'gone', title: 'Title of gone', maximum: { before: 5, after: null } },
    ]);
  });

  it('puts the larger move first', () => {
    expect(kinds({ a: 9, b: 9, c: 0 }, { a: 8, b: 2, c: 1 }).map(([, name]) => name)).toEqual([
      'b',
      'a',
      'c',
    ]);
  });
});
