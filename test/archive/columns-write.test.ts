import { gunzipSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Archive, canonicalProfiles } from '../../lambda/archive/archive.ts';
import { merged } from '../../lambda/archive/columns/coded.ts';
import { toParquet } from '../../lambda/archive/columns/parquet.ts';
import { TABLES } from '../../lambda/archive/columns/tables.ts';
import { readRows, writeColumns } from '../../lambda/archive/columns/write.ts';
import { contentsOf } from '../../lambda/archive/ledger.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { listTenants } from '../../lambda/archive/tenants.ts';
import { verify } from '../../lambda/archive/verify.ts';
import { addDays } from '../../lambda/dates.ts';
import { monitor } from '../../lambda/monitor.ts';
import type { Log, ObjectStore } from '../../lambda/ports.ts';
import { dawdler, entry, fillDays, MemoryStore, TENANT_ID, world, type DaySpec } from '../run/fakes.ts';
import { archiveAnswer } from './archive-day.ts';

const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {} };
const BASE: DaySpec = { controls: { alpha: 8, beta: 5, gamma: 2 } };

/** Days with some points each, archived by one run on the last of them. */
async function archived(first: string, count: number, store = new MemoryStore()): Promise<MemoryStore> {
  const dates = Array.from({ length: count }, (_, index) => addDays(first, index));
  await archive(store, dates);
  return store;
}

async function archive(store: ObjectStore, dates: string[], points = 8, log: Log = SILENT): Promise<boolean> {
  const entries = dates.toReversed().map((date, index) => {
    const controls = { ...BASE.controls, alpha: points - (Number(date.slice(-2)) % 3) };
    return entry(date, { controls }, index === 0);
  });
  return archiveAnswer(
    store,
    `${dates.at(-1)}T07:00:00Z`,
    { tenantId: TENANT_ID, entries, profiles: [] },
    log,
  );
}

async function rebuilt(store: MemoryStore): Promise<Record<string, string>> {
  const copy = store.copy();
  for (const key of copy.objects.keys()) if (/^(history|state)\//.test(key)) copy.objects.delete(key);
  await writeColumns({ store: copy, tenantId: TENANT_ID, log: SILENT, everything: true });
  return copy.dump('history/');
}

const file = (table: string, month: string) => `history/${table}/month=${month}/${TENANT_ID}.parquet`;

/** The bytes of controls as they were before columns were added. */
function ofEarlierVersion(bytes: Uint8Array, month: string): Uint8Array {
  const rows = readRows('controls', { month, tenantId: TENANT_ID, bytes });
  const table = TABLES.find(({ name }) => name === 'controls')!;
  const before = { ...table, columns: table.columns.filter(({ added }) => !added) };
  return toParquet(before, merged(before, null, null, rows));
}

/** Every call, as `get key`. */
function watched(store: ObjectStore, calls: string[]): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        calls.push(`${String(name)} ${String(args[0])}`);
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}

describe('an ordinary day', () => {
  it('reads no snapshot again, and writes the three files of its month', async () => {
    const store = await archived('2026-03-01', 12);
    const dates = Array.from({ length: 8 }, (_, index) => addDays('2026-03-06', index));
    const calls: string[] = [];
    await archive(watched(store, calls), dates);
    const columns = calls.slice(calls.indexOf(`get state/columns/tenant=${TENANT_ID}.json`));
    expect(columns.toSorted()).toEqual(
      [
        `get state/columns/tenant=${TENANT_ID}.json`,
        `list profiles/tenant=${TENANT_ID}/`,
        ...['scores', 'controls', 'changes'].flatMap((table) => [
          `get ${file(table, '2026-03')}`,
          `replace ${file(table, '2026-03')}`,
        ]),
        `replace state/columns/tenant=${TENANT_ID}.json`,
        `replace state/columns/tenant=${TENANT_ID}.json`,
      ].toSorted(),
    );
    expect(store.dump('history/')).toEqual(await rebuilt(store));
  });

  it('made from scratch reads a catalogue twice, for its time and for its days, whatever their number', async () => {
    const store = await archived('2026-03-01', 30);
    const calls: string[] = [];
    const from = watched(store, calls);
    await writeColumns({ store: from, tenantId: TENANT_ID, log: SILENT, everything: true });
    const reads = calls.filter((call) => call.startsWith(`get profiles/`));
    expect(reads).toHaveLength(2);
    expect(new Set(reads).size).toBe(1);
  });

  it('without a new snapshot writes nothing', async () => {
    const store = await archived('2026-03-01', 12);
    const calls: string[] = [];
    await archive(
      watched(store, calls),
      Array.from({ length: 8 }, (_, index) => addDays('2026-03-05', index)),
    );
    expect(calls.filter((call) => call.startsWith('replace'))).toEqual([]);
  });

  it('at the beginning of a month leaves the last one alone', async () => {
    const store = await archived('2026-02-15', 14);
    const before = store.dump('history/');
    await archive(
      store,
      Array.from({ length: 8 }, (_, index) => addDays('2026-02-22', index)),
    );
    expect(store.dump('history/')).toMatchObject(before);
    expect(store.objects.has(file('scores', '2026-03'))).toBe(true);
  });
});

describe('what was damaged or lost', () => {
  it.each(['scores', 'controls', 'changes'])('is made again with its month (%s)', async (table) => {
    for (const damage of ['lost', 'cut', 'foreign', 'of another month']) {
      const store = await archived('2026-02-20', 20);
      const key = file(table, '2026-03');
      if (damage === 'lost') store.objects.delete(key);
      if (damage === 'cut') store.objects.set(key, store.objects.get(key)!.slice(0, 200));
      if (damage === 'foreign') store.objects.set(key, Buffer.from('PAR1 not really PAR1'));
      if (damage === 'of another month') store.objects.set(key, store.objects.get(file(table, '2026-02'))!);
      const warned: unknown[] = [];
      const log = { ...SILENT, warn: (_: string, facts: unknown) => void warned.push(facts) };
      await archive(
        store,
        Array.from({ length: 8 }, (_, index) => addDays('2026-03-05', index)),
        8,
        log,
      );
      expect(store.dump('history/')).toEqual(await rebuilt(store));
      expect(warned).toMatchObject(damage === 'lost' ? [] : [{ file: `memory:/${key}` }]);
    }
  });

  it('is made again, with all columns if it is their state', async () => {
    const store = await archived('2026-02-20', 20);
    store.objects.set(`state/columns/tenant=${TENANT_ID}.json`, Buffer.from('{}'));
    store.objects.delete(file('changes', '2026-02'));
    await archive(
      store,
      Array.from({ length: 8 }, (_, index) => addDays('2026-03-05', index)),
    );
    expect(store.dump('history/')).toEqual(await rebuilt(store));
  });

  it.each(['scores', 'controls', 'changes', 'all of them'])(
    'is made again by the next run, though no day is new (%s)',
    async (table) => {
      const store = await archived('2026-01-20', 50);
      const before = store.dump('history/');
      const isLost = (key: string) =>
        key.startsWith(table === 'all of them' ? 'history/' : `history/${table}/`);
      for (const key of store.objects.keys()) if (isLost(key)) store.objects.delete(key);
      const again = (timeIsUp?: () => boolean) =>
        writeColumns({ store, tenantId: TENANT_ID, log: SILENT, ...(timeIsUp && { timeIsUp }) });
      // Within its time: month by month.
      expect(await again(() => true)).toMatchObject({ outcome: 'unfinished' });
      expect(await again()).toMatchObject({ outcome: 'written' });
      expect(await again()).toMatchObject({ outcome: 'unchanged' });
      expect(store.dump('history/')).toEqual(before);
    },
  );
});

describe('a day that does not prove itself', () => {
  const keyOf = (store: MemoryStore, date: string) =>
    [...store.objects.keys()].find((key) => key.includes(`date=${date}`))!;
  const rescored = (bytes: Uint8Array) => {
    const content = JSON.parse(gunzipSync(bytes).toString()) as { secureScore: { currentScore: number } };
    content.secureScore.currentScore = 1;
    return gzipSync(JSON.stringify(content));
  };
  const damages: [string, (store: MemoryStore, key: string) => void, string][] = [
    ['torn', (store, key) => store.objects.set(key, Buffer.from('torn')), 'not gzipped JSON'],
    ['cut', (store, key) => store.objects.set(key, store.objects.get(key)!.slice(0, 90)), 'not gzipped JSON'],
    [
      'changed',
      (store, key) => store.objects.set(key, rescored(store.objects.get(key)!)),
      'its content does not match',
    ],
    [
      'of another day',
      (store, key) => store.objects.set(key, store.objects.get(keyOf(store, '2026-02-22'))!),
      'its content does not match',
    ],
    ['gone', (store, key) => store.objects.delete(key), 'it has no snapshot'],
  ];
  const rebuild = (store: MemoryStore) =>
    writeColumns({ store, tenantId: TENANT_ID, log: SILENT, everything: true });

  it.each(damages)('keeps its rows, and those made by comparison with it (%s)', async (_, damage, why) => {
    for (const date of ['2026-02-20', '2026-02-25', '2026-02-28', '2026-03-01', '2026-03-11']) {
      const store = await archived('2026-02-20', 20);
      const before = store.dump('history/');
      damage(store, keyOf(store, date));
      expect((await rebuild(store)).unproven).toEqual([
        { date, why: expect.stringContaining(why), rows: 'kept' },
      ]);
      expect(store.dump('history/')).toEqual(before);
      const { tenants } = await listTenants(store);
      const { findings } = await verify({ store, objects: tenants[0]! });
      expect(findings).toMatchObject([{ key: expect.stringContaining(date) }]);
    }
  });

  it('keeps them whichever days are damaged, however, and adds none that are not proven', async () => {
    const intact = await archived('2026-02-20', 20);
    const dates = [...(await new Archive(intact, TENANT_ID).days('')).keys()];
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...dates), fc.constantFrom(...damages.map(([name]) => name)), {
          minKeys: 1,
        }),
        async (damaged) => {
          const store = intact.copy();
          for (const [date, name] of Object.entries(damaged)) {
            const [, damage] = damages.find(([each]) => each === name)!;
            damage(store, keyOf(intact, date));
          }
          const { unproven } = await rebuild(store);
          const own = Object.entries(damaged).filter(
            // That day in its own place is intact.
            ([date, name]) => !(name === 'of another day' && date === '2026-02-22'),
          );
          expect(unproven.map(({ date }) => date)).toEqual(own.map(([date]) => date).toSorted());
          expect(store.dump('history/')).toEqual(intact.dump('history/'));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('has no rows where there were none', async () => {
    const store = await archived('2026-02-20', 20);
    damages[0]![1](store, keyOf(store, '2026-02-25'));
    for (const key of store.objects.keys()) if (key.startsWith('history/')) store.objects.delete(key);
    expect((await rebuild(store)).unproven).toMatchObject([{ date: '2026-02-25', rows: 'none' }]);
    expect(store.dump('history/')).toEqual(await rebuilt(store));
  });

  it('keeps them in an ordinary run as well, and with the rows of the days that follow', async () => {
    const store = await archived('2026-03-01', 12);
    const before = store.dump('history/');
    store.objects.delete(keyOf(store, '2026-03-11'));
    expect(await writeColumns({ store, tenantId: TENANT_ID, log: SILENT })).toMatchObject({
      unproven: [{ date: '2026-03-11', rows: 'kept' }],
    });
    expect(store.dump('history/')).toEqual(before);
    expect(await writeColumns({ store, tenantId: TENANT_ID, log: SILENT })).toMatchObject({
      outcome: 'unchanged',
    });
  });

  it('is any day if a catalogue does not prove itself, because its time in force is unknown', async () => {
    const store = new MemoryStore();
    for (const [last, title] of [
      ['2026-03-08', 'Old'],
      ['2026-03-10', 'New'],
    ] as const) {
      const entries = Array.from({ length: 8 }, (_, index) => addDays(last, -index)).map((date, index) =>
        entry(date, BASE, index === 0),
      );
      const profiles = [{ id: 'alpha', title, maxScore: 10 }];
      await archiveAnswer(store, `${last}T07:00:00Z`, { tenantId: TENANT_ID, entries, profiles }, SILENT);
    }
    const before = store.dump('history/');
    const key = [...store.objects.keys()].find((each) => each.startsWith('profiles/'))!;
    store.objects.set(key, Buffer.from('torn'));
    const { unproven } = await rebuild(store);
    expect(unproven).toHaveLength(10);
    expect(unproven[0]).toMatchObject({ rows: 'kept', why: expect.stringContaining(key) });
    expect(store.dump('history/')).toEqual(before);
  });
});

describe('a run whose columns fail', () => {
  it('has sent its mails, reports the failure in the log and in a metric, and the next run catches up', async () => {
    const w = world('2026-03-01T07:00:00Z');
    fillDays(w.graph, '2026-02-20', 10, BASE);
    const run = w.runOf();
    const { store } = w;
    run.ports.store = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== 'replace') return typeof value === 'function' ? value.bind(target) : value;
        return async (key: string, bytes: Uint8Array, expected: string | null) => {
          if (key.startsWith('history/')) throw new Error('no space left');
          return store.replace(key, bytes, expected);
        };
      },
    });
    const result = await monitor(run);
    expect(result.mails.map(({ kind }) => kind)).toEqual(['start']);
    expect(w.metrics.published[0]).toMatchObject({ RunsSucceeded: 1, ColumnsFailed: 1 });
    expect(w.logged.filter(({ level }) => level === 'error')).toMatchObject([
      { message: expect.stringContaining('columns'), facts: { tenant: TENANT_ID, error: 'no space left' } },
    ]);

    await monitor(w.runOf());
    expect(w.metrics.published[1]).toMatchObject({ RunsSucceeded: 1, ColumnsFailed: 0 });
    expect(store.dump('history/')).toEqual(await rebuilt(store));
  });
});

describe('work that exceeds the time of a run', () => {
  it('is begun, month by month, and continued by the next run', async () => {
    const intact = await archived('2025-12-20', 90);
    const store = intact.copy();
    for (const key of store.objects.keys()) if (/^(history|state)\//.test(key)) store.objects.delete(key);
    const outcomes: unknown[] = [];
    for (let run = 1; run <= 5; run += 1) {
      const { outcome, files } = await writeColumns({
        store,
        tenantId: TENANT_ID,
        log: SILENT,
        timeIsUp: () => true,
      });
      outcomes.push([outcome, files.length]);
    }
    expect(outcomes).toEqual([
      ['unfinished', 3],
      ['unfinished', 3],
      ['unfinished', 3],
      ['written', 3],
      ['unchanged', 0],
    ]);
    expect(store.dump('history/')).toEqual(intact.dump('history/'));
  });
});

describe('decisions', () => {
  it('count from the day on which they were taken, and for the newest day as in its mail', async () => {
    const store = new MemoryStore();
    const dates = Array.from({ length: 8 }, (_, index) => addDays('2026-03-01', index));
    const entries = dates.toReversed().map((date, index) => entry(date, BASE, index === 0));
    const update = (state: string, day: string) => ({
      state,
      updatedBy: 'anna@contoso.com',
      updatedDateTime: `2026-03-${day}T09:00:00Z`,
    });
    const profiles = [
      { id: 'alpha', controlStateUpdates: [update('Ignored', '03'), update('Default', '05')] },
      { id: 'beta', controlStateUpdates: [update('ThirdParty', '09')] },
    ];
    // Asked in the morning of the 9th, when the newest day is the 8th.
    await archiveAnswer(store, '2026-03-09T10:00:00Z', { tenantId: TENANT_ID, entries, profiles }, SILENT);
    const rowsOf = (table: 'controls' | 'changes') => {
      const bytes = store.objects.get(file(table, '2026-03'))!;
      return readRows(table, { month: '2026-03', tenantId: TENANT_ID, bytes });
    };
    const states = rowsOf('controls').filter(({ state }) => state !== null);
    expect(
      states.map(({ control, date, state, state_by: by, state_at: at }) => [control, date, state, by, at]),
    ).toEqual([
      ['alpha', '2026-03-03', 'Ignored', 'anna@contoso.com', '2026-03-03T09:00:00Z'],
      ['alpha', '2026-03-04', 'Ignored', 'anna@contoso.com', '2026-03-03T09:00:00Z'],
      ['beta', '2026-03-08', 'ThirdParty', 'anna@contoso.com', '2026-03-09T09:00:00Z'],
    ]);
    expect(
      rowsOf('changes').map(({ date, kind, control, decision }) => [date, kind, control, decision]),
    ).toEqual([
      ['2026-03-03', 'decided', 'alpha', 'Ignored'],
      ['2026-03-05', 'decided', 'alpha', 'Default'],
      ['2026-03-08', 'decided', 'beta', 'ThirdParty'],
    ]);
  });
});

describe('a maximum that moved while no run looked', () => {
  const gapFrom = '2026-02-20';
  const dates = Array.from({ length: 90 }, (_, index) => addDays('2026-01-01', index));
  const answerUntil = (last: string, movedOn: string) => {
    const until = dates.filter((date) => date <= last);
    const maximumOn = (date: string) => (date < movedOn ? 10 : 14);
    return {
      tenantId: TENANT_ID,
      entries: until.toReversed().map((date, index) => {
        const spec = { controls: { ...BASE.controls, empty: 0 }, maximum: 100 + maximumOn(date) };
        return entry(date, spec, index === 0);
      }),
      profiles: [{ id: 'empty', title: 'Empty', maxScore: maximumOn(last) }],
    };
  };

  it.each(['2026-02-21', '2026-02-25', '2026-02-28', '2026-03-01', '2026-03-02', '2026-03-12'])(
    'is dated by the total, over the end of a month too (%s)',
    async (movedOn) => {
      const store = new MemoryStore();
      for (const last of [gapFrom, '2026-03-12', '2026-03-13', '2026-03-14']) {
        const answer = answerUntil(last, movedOn);
        expect(await archiveAnswer(store, `${last}T07:00:00Z`, answer, SILENT)).toBe(true);
        expect(store.dump('history/')).toEqual(await rebuilt(store));
      }
      // A day of the gap is restated: what came with it stays together.
      const restated = answerUntil('2026-03-15', movedOn);
      restated.entries = restated.entries.map((each, index) =>
        index === 5
          ? entry(
              '2026-03-10',
              {
                controls: { ...BASE.controls, empty: 0, alpha: 7 },
                maximum: movedOn > '2026-03-10' ? 110 : 114,
              },
              false,
            )
          : each,
      );
      expect(await archiveAnswer(store, '2026-03-15T07:00:00Z', restated, SILENT)).toBe(true);
      expect(store.dump('history/')).toEqual(await rebuilt(store));
      const rows = (table: 'changes' | 'controls') =>
        ['2026-02', '2026-03'].flatMap((month) =>
          readRows(table, { month, tenantId: TENANT_ID, bytes: store.objects.get(file(table, month))! }),
        );
      const moves = rows('changes').filter(({ kind }) => kind === 're-scored');
      expect(moves).toMatchObject([
        { date: movedOn, control: 'empty', maximum_before: 10, maximum_after: 14, cause: 'rescored' },
      ]);
      expect(moves[0]!['percentage_points']).toBeLessThan(-0.1);
      // The maximum of each day is what the total has of it.
      const maxima = rows('controls').filter(({ control }) => control === 'empty');
      expect(maxima.every(({ date, maximum }) => maximum === (date < movedOn ? 10 : 14))).toBe(true);
    },
  );
});

it('a later day of an absence dates a maximum of the month before', async () => {
  const store = new MemoryStore();
  const dates = Array.from({ length: 70 }, (_, index) => addDays('2026-01-02', index));
  for (const last of ['2026-02-20', dates.at(-1)!]) {
    const until = dates.filter((date) => date <= last);
    // Both rise by 4; that the other one has not by 8 March its points say.
    const maxima = (date: string) => ({
      empty: date < '2026-02-25' ? 10 : 14,
      other: date < '2026-03-10' ? 5 : 9,
    });
    const entries = until.toReversed().map((date, index) => {
      const { empty, other } = maxima(date);
      const controls = { ...BASE.controls, empty: 0, other: date < '2026-03-08' ? 0 : 1 };
      return entry(date, { controls, maxima: { other }, maximum: 100 + empty + other }, index === 0);
    });
    const profiles = Object.entries(maxima(last)).map(([id, maxScore]) => ({ id, title: id, maxScore }));
    await archiveAnswer(store, `${last}T07:00:00Z`, { tenantId: TENANT_ID, entries, profiles }, SILENT);
  }
  const bytes = store.objects.get(file('changes', '2026-02'))!;
  const changes = readRows('changes', { month: '2026-02', tenantId: TENANT_ID, bytes });
  expect(changes).toMatchObject([{ kind: 're-scored', control: 'empty', date: '2026-02-25' }]);
});

describe('existing rows are made again', () => {
  it.each([1, 2])('where version %i wrote them', async (version) => {
    const store = await archived('2026-02-20', 20);
    const before = store.dump('history/');
    const key = `state/columns/tenant=${TENANT_ID}.json`;
    const state = JSON.parse(Buffer.from(store.objects.get(key)!).toString()) as Record<string, unknown>;
    store.objects.set(key, Buffer.from(JSON.stringify({ ...state, version })));
    // As it would have it that one day's rows are others.
    store.objects.delete(file('changes', '2026-02'));
    const { outcome, days } = await writeColumns({ store, tenantId: TENANT_ID, log: SILENT });
    expect([outcome, days]).toEqual(['written', 20]);
    expect(store.dump('history/')).toEqual(before);
  });

  it('from files without the columns added since; the rows of a day that is gone stay as they are', async () => {
    const store = await archived('2026-02-20', 20);
    const before = store.dump('history/');
    const key = `state/columns/tenant=${TENANT_ID}.json`;
    const state = JSON.parse(Buffer.from(store.objects.get(key)!).toString()) as Record<string, unknown>;
    const months = ['2026-02', '2026-03'];
    const makeOld = () => {
      store.objects.set(key, Buffer.from(JSON.stringify({ ...state, version: 2 })));
      for (const month of months) {
        const bytes = store.objects.get(file('controls', month))!;
        store.objects.set(file('controls', month), ofEarlierVersion(bytes, month));
      }
    };
    const warnings: string[] = [];
    const log = { ...SILENT, warn: (message: string) => warnings.push(message) };
    makeOld();
    expect((await writeColumns({ store, tenantId: TENANT_ID, log })).outcome).toBe('written');
    expect([store.dump('history/'), warnings]).toEqual([before, []]);

    makeOld();
    const snapshot = [...store.objects.keys()].find((each) => each.includes('/date=2026-02-22/'))!;
    store.objects.delete(snapshot);
    const { unproven } = await writeColumns({ store, tenantId: TENANT_ID, log });
    expect(unproven).toMatchObject([{ date: '2026-02-22', rows: 'kept' }]);
    const bytes = store.objects.get(file('controls', '2026-02'))!;
    const rows = readRows('controls', { month: '2026-02', tenantId: TENANT_ID, bytes });
    expect(rows.filter(({ date }) => date === '2026-02-22')).toHaveLength(3);
  });

  const catalogue = (title: string) => [{ id: 'alpha', title, maxScore: 10 }];
  const until = (last: string, count = 8) =>
    Array.from({ length: count }, (_, index) => addDays(last, index - count + 1));

  it('where a catalogue of an earlier run turns up late', async () => {
    const store = await archived('2026-02-20', 12);
    await archive(store, until('2026-03-04'));
    const stalled = new Archive(store, TENANT_ID);
    for (const [title, fetchedAt, next] of [
      ['Of a run that stalled', '2026-03-03T12:00:00.000Z', '2026-03-05'],
      ['Of one that stalled even longer', '2026-03-03T11:00:00.000Z', '2026-03-06'],
      ['Older than all', '2026-02-01T07:00:00.000Z', '2026-03-07'],
    ] as const) {
      const profiles = catalogue(title);
      const object = stalled.newProfiles(canonicalProfiles(profiles), { fetchedAt });
      const { key, hash } = object;
      const tip = (await stalled.ledger.read()).at(-1)!;
      await stalled.ledger.append({ at: fetchedAt, kind: 'run', completed: 0, added: [{ key, hash }] }, tip);
      await stalled.add(object);
      expect(await archive(store, until(next))).toBe(true);
      expect(store.dump('history/')).toEqual(await rebuilt(store));
    }
    const { bytes } = (await store.get(file('controls', '2026-03')))!;
    const titles = readRows('controls', { month: '2026-03', tenantId: TENANT_ID, bytes })
      .filter(({ control }) => control === 'alpha')
      .map(({ date, title }) => [date, title]);
    expect(titles).toEqual([
      ['2026-03-01', 'alpha'],
      ['2026-03-02', 'alpha'],
      ['2026-03-03', 'alpha'],
      ['2026-03-04', 'Of a run that stalled'],
      // From here on, the first one is in force again. It is empty: a title is known from the day before.
      ['2026-03-05', 'Of a run that stalled'],
      ['2026-03-06', 'alpha'],
      ['2026-03-07', 'alpha'],
    ]);
  });

  it.each(['written each day', 'not written on the day of the return'])(
    'a catalogue that Graph gives again is in force again (%s)',
    async (how) => {
      const store = new MemoryStore();
      const answerOn = async (day: string, title: string) => {
        const entries = until(day)
          .toReversed()
          .map((date, index) => entry(date, BASE, index === 0));
        const answer = { tenantId: TENANT_ID, entries, profiles: catalogue(title) };
        await archiveAnswer(store, `${day}T07:00:00Z`, answer, SILENT);
      };
      await answerOn('2026-03-04', 'One');
      await answerOn('2026-03-05', 'Another');
      const before = [...store.objects].filter(([key]) => key.startsWith('history/'));
      const state = await store.get(layout.columnsState(TENANT_ID));
      await answerOn('2026-03-06', 'One');
      if (how !== 'written each day') {
        for (const [key, bytes] of before) store.objects.set(key, bytes);
        store.objects.set(layout.columnsState(TENANT_ID), state!.bytes);
      }
      await answerOn('2026-03-07', 'One');
      const { bytes } = (await store.get(file('controls', '2026-03')))!;
      const titles = readRows('controls', { month: '2026-03', tenantId: TENANT_ID, bytes })
        .filter(({ control, date }) => control === 'alpha' && date >= '2026-03-04')
        .map(({ title }) => title);
      expect(titles).toEqual(['One', 'Another', 'One', 'One']);
      expect(store.dump('history/')).toEqual(await rebuilt(store));
      // It is named when it comes, and not each day.
      const { named } = contentsOf(await new Archive(store, TENANT_ID).ledger.read());
      const times = [...named].flatMap(([key, entries]) =>
        key.startsWith('profiles/') ? entries.length : [],
      );
      expect(times.toSorted((a, b) => a - b)).toEqual([1, 2]);
    },
  );

  it.each(['written each day', 'not written on the day of the return'])(
    'a version of a day that Graph gives again is in force again (%s)',
    async (how) => {
      const store = new MemoryStore();
      const answerOn = async (day: string, alpha: number) => {
        const entries = until(day)
          .toReversed()
          .map((date, index) => {
            const controls = { ...BASE.controls, alpha: date === '2026-03-04' ? alpha : 8 };
            return entry(date, { controls }, index === 0);
          });
        const answer = { tenantId: TENANT_ID, entries, profiles: catalogue('One') };
        await archiveAnswer(store, `${day}T07:00:00Z`, answer, SILENT);
      };
      for (const [day, alpha] of [4, 7, 4].entries()) await answerOn(addDays('2026-03-05', day), alpha);
      const before = [...store.objects].filter(([key]) => key.startsWith('history/'));
      const state = await store.get(layout.columnsState(TENANT_ID));
      await answerOn('2026-03-08', 7);
      if (how !== 'written each day') {
        for (const [key, bytes] of before) store.objects.set(key, bytes);
        store.objects.set(layout.columnsState(TENANT_ID), state!.bytes);
      }
      // Long after Graph was last asked for that day.
      for (const day of [9, 20, 21]) await answerOn(`2026-03-${String(day).padStart(2, '0')}`, 7);
      expect(store.dump('history/')).toEqual(await rebuilt(store));
      const rowsOf = async (table: 'scores' | 'changes') => {
        const { bytes } = (await store.get(file(table, '2026-03')))!;
        return readRows(table, { month: '2026-03', tenantId: TENANT_ID, bytes });
      };
      const score = (await rowsOf('scores')).find(({ date }) => date === '2026-03-04');
      expect(score).toMatchObject({ points: 14 });
      const restated = (await rowsOf('changes')).filter(({ kind }) => kind === 'restated');
      const points = restated.map(({ points_before: from, points_after: to }) => [from, to]);
      expect(points).toEqual([
        [11, 14],
        [14, 11],
        [11, 14],
      ]);
      // It is noted when it comes back, and not each day.
      const { named, returned } = contentsOf(await new Archive(store, TENANT_ID).ledger.read());
      expect([...returned.values()]).toEqual([['2026-03-07T07:00:00.000Z'], ['2026-03-08T07:00:00.000Z']]);
      expect([...named.values()].every((entries) => entries.length === 1)).toBe(true);
    },
  );

  it.each([
    ['One', 'Another'],
    ['Another', 'One'],
  ])('a catalogue is not in force again because a ledger begins (%s, %s)', async (former, latter) => {
    const store = new MemoryStore();
    const answerOn = async (day: string, title: string) => {
      const entries = until(day)
        .toReversed()
        .map((date, index) => entry(date, BASE, index === 0));
      const answer = { tenantId: TENANT_ID, entries, profiles: catalogue(title) };
      await archiveAnswer(store, `${day}T07:00:00Z`, answer, SILENT);
    };
    await answerOn('2026-03-04', former);
    await answerOn('2026-03-05', latter);
    for (const key of store.objects.keys()) if (/^(ledger|state)\//.test(key)) store.objects.delete(key);
    await answerOn('2026-03-06', latter);
    const columns = store.dump('history/');
    expect(columns).toEqual(await rebuilt(store));
    const { bytes } = (await store.get(file('controls', '2026-03')))!;
    const titles = readRows('controls', { month: '2026-03', tenantId: TENANT_ID, bytes })
      .filter(({ control, date }) => control === 'alpha' && date >= '2026-03-04')
      .map(({ title }) => title);
    expect(titles).toEqual([former, latter, latter]);
  });

  it.each([
    ['One', 'Another'],
    ['Another', 'One'],
  ])('where two runs of one moment saw different catalogues (%s, %s)', async (...titles) => {
    const store = new MemoryStore();
    const entries = until('2026-03-04')
      .toReversed()
      .map((date, index) => entry(date, BASE, index === 0));
    for (const title of titles) {
      const answer = { tenantId: TENANT_ID, entries, profiles: catalogue(title) };
      await archiveAnswer(store, '2026-03-04T07:00:00Z', answer, SILENT);
    }
    expect(store.dump('history/')).toEqual(await rebuilt(store));
  });

  it('where an accepted suspect day is contradicted after all', async () => {
    const store = new MemoryStore();
    const days = new Map<string, DaySpec>(until('2026-03-04').map((date) => [date, BASE]));
    const run = async (now: string) => {
      const entries = [...days].toReversed().map(([date, spec], index) => entry(date, spec, index === 0));
      await archiveAnswer(store, `${now}T07:00:00Z`, { tenantId: TENANT_ID, entries, profiles: [] }, SILENT);
      expect(store.dump('history/')).toEqual(await rebuilt(store));
    };
    await run('2026-03-04');
    for (const date of ['2026-03-05', '2026-03-06', '2026-03-07']) {
      days.set(date, { controls: { alpha: 8 } });
      await run(date);
    }
    days.set('2026-03-07', { controls: { ...BASE.controls, alpha: 7 } });
    days.set('2026-03-08', BASE);
    await run('2026-03-08');
  });

  it('except for a month without any snapshots, whose rows stay', async () => {
    const store = await archived('2026-02-20', 12);
    const before = store.dump('history/');
    for (const key of store.objects.keys()) if (key.includes('date=2026-03')) store.objects.delete(key);
    await writeColumns({ store, tenantId: TENANT_ID, log: SILENT });
    await writeColumns({
      store,
      tenantId: TENANT_ID,
      log: SILENT,
      everything: true,
      alsoMonths: ['2026-03'],
    });
    expect(store.dump('history/')).toEqual(before);
    const { tenants } = await listTenants(store);
    const { findings } = await verify({ store, objects: tenants[0]! });
    expect(findings.map(({ kind }) => kind)).toEqual(['missing', 'missing', 'missing']);
  });
});

describe('several writers at once', () => {
  it.each(['history/scores', 'history/controls', 'history/changes', 'state/columns'])(
    'one that is overtaken while it writes to %s stops, and spoils nothing',
    async (prefix) => {
      const store = await archived('2026-02-20', 12);
      const until = (last: string) => Array.from({ length: 8 }, (_, index) => addDays(last, index - 7));
      let overtaken = false;
      const slow: ObjectStore = {
        location: store.location,
        get: (key) => store.get(key),
        list: (from, after) => store.list(from, after),
        create: (key, bytes) => store.create(key, bytes),
        replace: async (key, bytes, expected) => {
          if (key.startsWith(prefix) && !overtaken) {
            overtaken = true;
            await archive(store, until('2026-03-05'), 7);
          }
          return store.replace(key, bytes, expected);
        },
      };
      await archive(slow, until('2026-03-04'));
      expect(overtaken).toBe(true);
      // Nothing new came since, so nobody would mend it.
      const state = store.dump('state/');
      expect(store.dump('history/')).toEqual(await rebuilt(store));
      await archive(store, until('2026-03-05'), 7);
      expect(store.dump('state/')).toEqual(state);
    },
  );

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'lose nothing: what is left is what a rebuild makes, at the latest after the next run (order %i)',
    async (seed) => {
      const store = await archived('2026-02-20', 12);
      const until = (last: string) => Array.from({ length: 8 }, (_, index) => addDays(last, index - 7));
      await Promise.all([
        archive(dawdler(seed * 3 + 1, 11)(store), until('2026-03-04')),
        archive(dawdler(seed * 3 + 2, 11)(store), until('2026-03-05'), 7),
        writeColumns({
          store: dawdler(seed * 3 + 3, 11)(store),
          tenantId: TENANT_ID,
          log: SILENT,
          everything: seed % 2 === 0,
        }),
      ]);
      await archive(store, until('2026-03-06'));
      expect(store.dump('history/')).toEqual(await rebuilt(store));
    },
  );
});
