import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TABLES } from '../../lambda/archive/columns/tables.ts';
import { readRows, writeColumns } from '../../lambda/archive/columns/write.ts';
import { addDays } from '../../lambda/dates.ts';
import type { Log, ObjectStore } from '../../lambda/ports.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import { entry, MemoryStore, TENANT_ID, type DaySpec } from '../run/fakes.ts';
import { archiveAnswer, archiveTenant } from './archive-day.ts';

const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** The same archive without its columns, and then those that are made of its snapshots in one go. */
async function rebuilt(store: MemoryStore, tenantId = TENANT_ID): Promise<MemoryStore> {
  const copy = store.copy();
  for (const key of copy.objects.keys()) if (/^(history|state)\//.test(key)) copy.objects.delete(key);
  await writeColumns({ store: copy, tenantId, log: SILENT, everything: true });
  return copy;
}

/** The rows of every file of the history, by key. */
async function rowsIn(store: ObjectStore, tenantId = TENANT_ID) {
  const rows: Record<string, ReturnType<typeof readRows>> = {};
  for (const { name } of TABLES) {
    for (const key of await store.list(`history/${name}/`)) {
      const month = /month=([\d-]+)/.exec(key)![1]!;
      const { bytes } = (await store.get(key))!;
      rows[key] = readRows(name, { month, tenantId, bytes });
    }
  }
  return rows;
}

async function expectAsRebuilt(store: MemoryStore, tenantId = TENANT_ID) {
  const copy = await rebuilt(store, tenantId);
  expect(await rowsIn(store, tenantId)).toEqual(await rowsIn(copy, tenantId));
  expect(store.dump('history/')).toEqual(copy.dump('history/'));
  expect(store.dump('state/columns')).toEqual(copy.dump('state/'));
}

/** A store in which writes to one table fail. */
function refusing(store: MemoryStore, prefix: string): ObjectStore {
  return {
    location: store.location,
    get: (key) => store.get(key),
    list: (from, after) => store.list(from, after),
    create: (key, bytes) => store.create(key, bytes),
    replace: async (key, bytes, expected) => {
      if (key.startsWith(prefix)) throw new Error('no space left');
      return store.replace(key, bytes, expected);
    },
  };
}

const START = '2026-01-25';
const CONTROLS = ['c0', 'c1', 'c2', 'c3', 'c4', '7.c5'];

/** What happens on one day of a history. */
const happening = fc.record({
  points: fc.array(fc.integer({ min: 0, max: 3 }), {
    minLength: CONTROLS.length,
    maxLength: CONTROLS.length,
  }),
  kind: fc.oneof(
    { arbitrary: fc.constant('plain' as const), weight: 5 },
    {
      arbitrary: fc.constantFrom(
        'suspect',
        'suspect',
        'late',
        'missing',
        'restated',
        'services',
        're-scored',
        're-scored unseen',
        'no run',
        'long gap',
        'columns fail',
        'columns damaged',
        'columns lost',
        'catalogue',
      ),
      weight: 6,
    },
  ),
  /** How many days late, or back. */
  by: fc.integer({ min: 1, max: 7 }),
});
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** Plays a history run by run. @returns what it leaves, and whether every run wrote what it should */
async function play(happenings: Happening[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  const published = new Map<string, DaySpec>();
  const due: { on: string; date: string; spec: DaySpec }[] = [];
  let profiles: unknown[] = [];
  let services = 1;
  // Of one without points, which the total and the catalogue alone know.
  let empty = 5;
  let today = START;
  const last = { points: CONTROLS.map(() => 1), kind: 'plain' as const, by: 1 };

  for (const { points, kind, by } of [...happenings, last]) {
    today = addDays(today, kind === 'long gap' ? 20 * by : 1);
    if (kind === 'services') services += 1;
    if (kind === 're-scored' || kind === 're-scored unseen') empty = 5 + by + points[0]!;
    const there = kind === 'suspect' ? CONTROLS.slice(0, 2) : CONTROLS;
    const spec: DaySpec = {
      controls: { ...Object.fromEntries(there.map((name, index) => [name, points[index] ?? 0])), empty: 0 },
      maximum: 100 + empty,
      services: [`S${services}`],
    };
    if (kind === 'late') due.push({ on: addDays(today, by), date: today, spec });
    else if (kind !== 'missing') published.set(today, spec);
    const earlier = published.get(addDays(today, -by));
    if (kind === 'restated' && earlier) {
      published.set(addDays(today, -by), { ...earlier, controls: { ...spec.controls, c0: 9 } });
    }
    for (const { on, date, spec: late } of due) if (on <= today) published.set(date, late);
    profiles = [
      ...profiles.filter((profile) => (profile as { id: string }).id !== 'empty'),
      { id: 'empty', title: 'Empty', maxScore: empty },
    ];
    if (kind === 'catalogue') {
      const decided = {
        state: 'Ignored',
        updatedBy: 'a@b.c',
        updatedDateTime: `${addDays(today, -by)}T09:00:00Z`,
      };
      profiles = [
        {
          id: 'c1',
          title: `Title <b>${points[0]}`,
          maxScore: by,
          service: 'AAD',
          controlStateUpdates: [decided],
        },
        ...profiles.filter((profile) => (profile as { id: string }).id === 'empty'),
      ];
    }
    if (kind.startsWith('columns')) {
      const files = [...store.objects.keys()].filter((key) => key.startsWith('history/')).toSorted();
      const file = files[(by * points[0]!) % files.length];
      if (file && kind === 'columns damaged')
        store.objects.set(file, store.objects.get(file)!.slice(0, 50 * by));
      if (file && kind === 'columns lost') store.objects.delete(file);
    }
    if (kind === 'no run' || kind === 're-scored unseen' || published.size === 0) continue;
    const target = kind === 'columns fail' ? refusing(store, `history/${TABLES[by % 3]!.name}`) : store;
    const entries = [...published.keys()]
      .toSorted()
      .toReversed()
      .slice(0, store.objects.size === 0 ? 90 : 8 + 20 * by)
      .map((date, index) => entry(date, published.get(date)!, index === 0));
    await archiveAnswer(target, `${today}T07:00:00Z`, { tenantId: TENANT_ID, entries, profiles }, SILENT);
  }
  return store;
}

describe('the columns that runs write, one by one', () => {
  it('are those of a rebuild, whatever happened', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 25 }), async (happenings) => {
        // A file that was damaged or lost is made again when the run comes by its month: see the test below.
        const benign = happenings.filter(({ kind }) => kind !== 'columns damaged' && kind !== 'columns lost');
        const store = await play(benign);
        await expectAsRebuilt(store);
        expect(store.objects.size).toBeGreaterThan(0);
      }),
      { numRuns: 150 },
    );
  });

  it('over the 100 days of the practice tenant', { timeout: 120_000 }, async () => {
    const today = '2026-03-31';
    const tenant = practiceTenant({ today: addDays(today, -99), day: 1 });
    const store = new MemoryStore();
    for (let day = 1; day <= 100; day += 1) {
      expect(await archiveTenant(store, tenant)).toBe(true);
      tenant.advance(1);
    }
    await expectAsRebuilt(store, tenant.tenantId);
    const kinds = new Set<unknown>();
    for (const [key, rows] of Object.entries(await rowsIn(store, tenant.tenantId))) {
      if (key.startsWith('history/changes/')) for (const { kind } of rows) kinds.add(kind);
    }
    expect([...kinds].map(String).toSorted()).toEqual([
      'decided',
      'drift',
      'gained',
      'lost',
      'new',
      're-scored',
      'removed',
      'renamed',
      'restated',
      'services',
    ]);
  });
});
