import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Archive, contentHash } from '../../lambda/archive/archive.ts';
import { writeColumns } from '../../lambda/archive/columns/write.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { checkChain, contentsOf, isOffered } from '../../lambda/archive/ledger.ts';
import { addDays } from '../../lambda/dates.ts';
import { MonitorError } from '../../lambda/errors.ts';
import { monitor } from '../../lambda/monitor.ts';
import type { ArchivedReport } from '../../lambda/archive/archive.ts';
import { Crash, crashing, entry, fillDays, TENANT_ID, world, type World } from './fakes.ts';
import { entriesOf, expectCompleteLedger, ledgerOf, withoutLedger } from './ledgers.ts';

const BASE = { controls: { alpha: 8, beta: 5, gamma: 2, delta: 1 }, maximum: 40 };
const LOST = { ...BASE, controls: { ...BASE.controls, alpha: 5 } };

type Running = ReturnType<typeof world>;

/** A tenant with 60 archived days up to 1 March. */
async function monitored(): Promise<Running> {
  const w = world('2026-03-01T07:00:00Z');
  fillDays(w.graph, '2026-01-01', 60, BASE);
  await monitor(w.runOf());
  w.logged.length = 0;
  return w;
}

/** The next day, and its run. */
async function nextDay(w: Running, spec: typeof BASE | null = BASE) {
  w.clock.advance(24 * 3_600_000);
  if (spec) w.graph.days.set(w.clock.now().toISOString().slice(0, 10), spec);
  return monitor(w.runOf());
}

const keysOf = (w: World, date: string) =>
  [...w.store.objects.keys()].filter((key) => key.startsWith(`snapshots/`) && key.includes(`date=${date}/`));

function reportsOf(w: World): ArchivedReport[] {
  const keys = [...w.store.objects.keys()].filter((key) => key.startsWith('reports/')).toSorted();
  return keys.map((key) => JSON.parse(Buffer.from(w.store.objects.get(key)!).toString()) as ArchivedReport);
}

const stateOf = async (w: World) => (await new Archive(w.store, TENANT_ID).state()).state!;

describe('the ledger of a run', () => {
  it('begins with what the first run added, and its report', async () => {
    const w = await monitored();
    expect((await entriesOf(w.store)).map(({ kind, added }) => [kind, added.length])).toEqual([
      ['began', 0],
      ['run', 61],
      ['report', 1],
    ]);
    await expectCompleteLedger(w.store);
  });

  it('adds one entry on an ordinary day, with one listing and one put, and none where nothing was added', async () => {
    const w = await monitored();
    const calls: string[] = [];
    w.clock.advance(24 * 3_600_000);
    w.graph.days.set('2026-03-02', BASE);
    const run = w.runOf();
    run.ports.store = new Proxy(w.store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (String(args[0]).startsWith('ledger/')) calls.push(String(name));
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
    await monitor(run);
    expect(calls).toEqual(['list', 'create']);
    expect((await entriesOf(w.store)).at(-1)).toMatchObject({
      kind: 'run',
      sequence: 4,
      completed: 3,
      at: '2026-03-02T07:00:00.000Z',
      added: [{ key: keysOf(w, '2026-03-02')[0] }],
      asked: { days: 8, from: '2026-02-23', to: '2026-03-02' },
      offered: ['2026-02-23/2026-03-02'],
      refused: [],
      unsigned: null,
    });
    await nextDay(w, null);
    expect(await entriesOf(w.store)).toHaveLength(4);
    await expectCompleteLedger(w.store);
  });

  it('says which days Graph had, so that a gap is provably its own, and what was refused', async () => {
    const w = await monitored();
    await nextDay(w, null);
    await nextDay(w, null);
    w.graph.days.set('2026-03-02', { ...BASE, maximum: -1 });
    w.graph.days.set('2026-03-01', { ...BASE, maximum: -1 });
    await nextDay(w);
    const last = (await entriesOf(w.store)).at(-1)!;
    expect(last.asked).toMatchObject({ to: '2026-03-04' });
    expect(last.asked!.from <= '2026-03-03').toBe(true);
    expect(['2026-03-02', '2026-03-03', '2026-03-04'].map((day) => isOffered(last.offered, day))).toEqual([
      true,
      false,
      true,
    ]);
    expect(last.refused).toMatchObject([
      { date: '2026-03-02', reason: expect.stringContaining('2026-03-02') },
      { date: '2026-03-01' },
    ]);
  });

  it('begins on an existing archive with what is there, by hash, and proves nothing about the time before', async () => {
    const w = await monitored();
    await nextDay(w, LOST);
    withoutLedger(w.store);
    const found = [...w.store.objects.keys()].filter((key) => /^(snapshots|profiles|reports)\//.test(key));
    await nextDay(w);
    const [began, run] = await entriesOf(w.store);
    expect(began).toMatchObject({ kind: 'began', previous: null, asked: null });
    expect(began!.added.map(({ key }) => key).toSorted()).toEqual(found.toSorted());
    expect(began!.note).toContain('proves nothing about the time before');
    expect(run).toMatchObject({ kind: 'run', completed: 1 });
    await expectCompleteLedger(w.store);
  });

  it('lists nothing twice if gaps let an answer reach back further than a run looks', async () => {
    const w = world('2026-03-01T07:00:00Z');
    fillDays(w.graph, '2025-11-01', 45, BASE);
    fillDays(w.graph, '2026-02-01', 29, BASE);
    await monitor(w.runOf());
    w.store.objects.delete(keysOf(w, '2026-02-01')[0]!);
    await nextDay(w);
    const { named } = contentsOf(await ledgerOf(w.store).read());
    const twice = [...named].filter(([, entries]) => entries.length > 1).map(([key]) => key);
    expect(twice).toEqual(keysOf(w, '2026-02-01'));
    await expectCompleteLedger(w.store);

    // All 90 days that Graph keeps, with the gap, are 137 days long.
    const state = await stateOf(w);
    w.store.objects.set(
      layout.state(TENANT_ID),
      Buffer.from(JSON.stringify({ ...state, ledger: { ...state.ledger, lacked: [] } })),
    );
    w.graph.days.delete('2026-01-01');
    await nextDay(w);
    expect(w.graph.asked.at(-1)).toBeGreaterThan(70);
    expect((await entriesOf(w.store)).at(-1)!.added.map(({ key }) => key)).toEqual(keysOf(w, '2026-03-03'));
    await expectCompleteLedger(w.store);
  });

  it('goes on if the state is missing, and does not begin again', async () => {
    const w = await monitored();
    w.store.objects.delete(layout.state(TENANT_ID));
    await nextDay(w);
    expect((await entriesOf(w.store)).map(({ kind }) => kind)).toEqual(['began', 'run', 'report', 'run']);
    await expectCompleteLedger(w.store);
  });

  it.each([['the state alone knows it'], ['reports alone know it']])(
    'that was taken away shows for ever, where %s',
    async (which) => {
      const w = await monitored();
      for (const key of w.store.objects.keys()) if (key.startsWith('ledger/')) w.store.objects.delete(key);
      if (which.startsWith('reports')) w.store.objects.delete(layout.state(TENANT_ID));
      await nextDay(w);
      await nextDay(w);
      const faults = checkChain(TENANT_ID, await ledgerOf(w.store).read());
      expect(faults).toContainEqual(expect.objectContaining({ kind: 'missing' }));
    },
  );

  it('is in every report and in the footer of every mail', async () => {
    const w = await monitored();
    await nextDay(w, LOST);
    const files = await ledgerOf(w.store).read();
    const heads = reportsOf(w).map(({ report }) => report.ledger!);
    expect(heads.map(({ sequence }) => sequence)).toEqual([2, 4]);
    for (const { sequence, hash } of heads) expect(files[sequence - 1]!.hash).toBe(hash);
    for (const [index, { hash }] of heads.entries()) {
      expect(w.mailer.sent[index]!.html).toContain(`Ledger ${hash.slice(0, 12)}.`);
      expect(w.mailer.sent[index]!.text).toContain(`Ledger ${hash.slice(0, 12)}.`);
    }
  });

  it('lists the report of a failing run, unsigned if no certificate can be read', async () => {
    const w = await monitored();
    const failing = w.runOf();
    failing.ports.certificate = {
      read: async () => {
        throw new MonitorError('certificate-not-found', 'There is none.', 'Put one there.');
      },
    };
    await expect(monitor(failing)).rejects.toThrow('There is none.');
    const last = (await entriesOf(w.store)).at(-1)!;
    expect(last).toMatchObject({ kind: 'report', certificate: null, unsigned: expect.any(String) });
    await nextDay(w);
    await expectCompleteLedger(w.store);
  });
});

describe('what a run entered before it died', () => {
  /** A run that dies as soon as it has created its entry. */
  async function died(): Promise<Running> {
    const w = await monitored();
    w.clock.advance(24 * 3_600_000);
    w.graph.days.set('2026-03-02', LOST);
    const run = w.runOf();
    let calls = 0;
    const counting = crashing(run.ports, Number.POSITIVE_INFINITY, 'after');
    const create = counting.ports.store.create.bind(counting.ports.store);
    counting.ports.store = new Proxy(counting.ports.store, {
      get: (target, name) =>
        name === 'create'
          ? async (key: string, bytes: Uint8Array) => {
              if (calls > 0) throw new Crash();
              if (key.startsWith('ledger/')) calls += 1;
              return create(key, bytes);
            }
          : (Reflect.get(target, name, target) as unknown),
    });
    await expect(monitor({ ...run, ports: counting.ports })).rejects.toThrow(Crash);
    expect((await entriesOf(w.store)).at(-1)!.added).toHaveLength(1);
    expect(keysOf(w, '2026-03-02')).toEqual([]);
    return w;
  }

  it('is added by the next run as it was, to the byte, if Graph still has it', async () => {
    const w = await died();
    w.clock.advance(3_600_000);
    const result = await monitor(w.runOf());
    expect(result.archived).toEqual(['2026-03-02']);
    expect((await entriesOf(w.store)).map(({ kind }) => kind)).toEqual([
      'began',
      'run',
      'report',
      'run',
      'report',
    ]);
    expect(contentsOf(await ledgerOf(w.store).read()).unfinished.size).toBe(0);
    await expectCompleteLedger(w.store);
  });

  async function dieAfterEntry(w: Running) {
    const run = w.runOf();
    run.ports.store = new Proxy(w.store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          if (name === 'create' && !String(args[0]).startsWith('ledger/')) throw new Crash();
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
    await expect(monitor(run)).rejects.toThrow(Crash);
  }

  it('is in force from its fetch on if it is a catalogue, also for the history', async () => {
    const w = await monitored();
    w.clock.advance(24 * 3_600_000);
    w.graph.days.set('2026-03-02', LOST);
    w.graph.profiles = [{ id: 'alpha', title: 'Alpha', maxScore: 9 }];
    await dieAfterEntry(w);
    w.clock.advance(60_000);
    await monitor(w.runOf());
    const copy = w.store.copy();
    for (const key of copy.objects.keys()) if (/^(history|state)\//.test(key)) copy.objects.delete(key);
    await writeColumns({ store: copy, tenantId: TENANT_ID, log: w.run.ports.log, everything: true });
    expect(w.store.dump('history/')).toEqual(copy.dump('history/'));
  });

  it('is archived as it comes then if it is a catalogue whose bytes are no longer available', async () => {
    const w = await monitored();
    w.clock.advance(24 * 3_600_000);
    w.graph.days.set('2026-03-02', BASE);
    const profiles = ['alpha', 'beta'].map((id) => ({ id, title: id, maxScore: 10 }));
    w.graph.profiles = profiles;
    await dieAfterEntry(w);
    w.clock.advance(3_600_000);
    // Equal profiles in another order are the same catalogue, and other bytes.
    w.graph.profiles = profiles.toReversed();
    await monitor(w.runOf());
    const { profiles: hash } = (await stateOf(w)).cursor!;
    expect(w.store.objects.has(layout.profiles(TENANT_ID, hash))).toBe(true);
    await expectCompleteLedger(w.store);
  });

  it('is no damage if it is a catalogue, and Graph has another one by then', async () => {
    const w = await monitored();
    w.clock.advance(24 * 3_600_000);
    w.graph.days.set('2026-03-02', LOST);
    w.graph.profiles = [{ id: 'alpha', title: 'Alpha', maxScore: 9 }];
    await dieAfterEntry(w);
    w.clock.advance(24 * 3_600_000);
    w.graph.profiles = [{ id: 'alpha', title: 'Alpha', maxScore: 8 }];
    await monitor(w.runOf());
    expect(w.logged.filter(({ level }) => level === 'error')).toEqual([]);
    await expectCompleteLedger(w.store);
  });

  it('is called unfinished if Graph has something else by then', async () => {
    const w = await died();
    w.clock.advance(3_600_000);
    w.graph.days.set('2026-03-02', { ...LOST, total: 12.5 });
    await monitor(w.runOf());
    expect(contentsOf(await ledgerOf(w.store).read()).unfinished.size).toBe(1);
    await expectCompleteLedger(w.store);
  });

  it('is not touched while that run may be alive, and the head stays before it', async () => {
    const w = await died();
    w.clock.advance(60_000);
    w.graph.days.set('2026-03-02', { ...LOST, total: 12.5 });
    await monitor(w.runOf());
    expect(reportsOf(w)).toHaveLength(2);
    expect((await stateOf(w)).ledger!.sequence).toBe(3);
    w.clock.advance(3_600_000);
    await monitor(w.runOf());
    expect(contentsOf(await ledgerOf(w.store).read()).unfinished.size).toBe(1);
    await expectCompleteLedger(w.store);
  });
});

describe('an object that is in no entry', () => {
  /** What somebody puts there: a day with other points. */
  function insert(w: World, date: string, fetchedAt: string, points = 0) {
    const secureScore = entry(date, { ...BASE, controls: { ...BASE.controls, beta: points } }, true);
    const key = layout.snapshot(TENANT_ID, date, contentHash(secureScore));
    w.store.objects.set(key, gzipSync(JSON.stringify({ fetchedAt, newest: true, secureScore })));
    return key;
  }

  it.each(['2026-02-20', '2026-03-01', '2025-12-31'])(
    'of %s is used by no comparison and no column, is never entered, and is logged',
    async (date) => {
      const [clean, w] = [await monitored(), await monitored()];
      const key = insert(w, date, '2026-03-01T12:00:00.000Z');
      for (const each of [clean, w]) await nextDay(each, LOST);
      for (const each of [clean, w]) await nextDay(each, BASE);
      expect(w.mailer.subjects()).toEqual(clean.mailer.subjects());
      expect(w.store.dump('history/')).toEqual(clean.store.dump('history/'));
      expect(contentsOf(await ledgerOf(w.store).read()).named.has(key)).toBe(false);
      expect(w.logged).toContainEqual(
        expect.objectContaining({ level: 'error', facts: expect.objectContaining({ date }) }),
      );
    },
  );

  it('is entered unchanged if it is what Graph offers', async () => {
    const w = await monitored();
    const key = insert(w, '2026-03-02', '2026-03-01T23:00:00.000Z', BASE.controls.beta);
    await nextDay(w);
    expect((await entriesOf(w.store)).at(-1)!.added.map((each) => each.key)).toEqual([key]);
    await expectCompleteLedger(w.store);
  });
});

describe('a day that the archive lost', () => {
  it('is fetched again, as what it is, and stays a loss in the ledger', async () => {
    const w = await monitored();
    const [key] = keysOf(w, '2026-02-01');
    const before = JSON.parse(gunzipSync(w.store.objects.get(key!)!).toString());
    w.store.objects.delete(key!);
    const result = await nextDay(w, LOST);
    expect(w.graph.asked.at(-1)).toBe(30);
    expect(result.archived).toEqual(['2026-02-01', '2026-03-02']);
    const after = JSON.parse(gunzipSync(w.store.objects.get(key!)!).toString());
    expect(after).toEqual({ ...before, newest: false, fetchedAt: '2026-03-02T07:00:00.000Z' });

    const note = 'The snapshot of 1 Feb 2026 was missing in the archive.';
    expect((await entriesOf(w.store)).map((each) => each.note ?? '').join(' ')).toContain(note);
    expect(w.mailer.sent.at(-1)!.text.replaceAll(/\s+/g, ' ')).toContain(note);
    const { named, unfinished } = contentsOf(await ledgerOf(w.store).read());
    expect(named.get(key!)!.map(({ sequence }) => sequence)).toEqual([2, 4]);
    expect(named.get(key!)![0]!.hash).not.toBe(named.get(key!)![1]!.hash);
    expect(unfinished.size).toBe(0);
    await nextDay(w);
    expect(w.graph.asked.at(-1)).toBe(8);
    await expectCompleteLedger(w.store);
  });

  it('is asked for once if Graph lacks it', async () => {
    const w = await monitored();
    w.store.objects.delete(keysOf(w, '2026-02-01')[0]!);
    w.graph.days.delete('2026-02-01');
    await nextDay(w);
    await nextDay(w);
    await nextDay(w);
    expect(w.graph.asked.slice(-3)).toEqual([30, 8, 8]);
    expect(contentsOf(await ledgerOf(w.store).read()).unfinished.size).toBe(0);
    expect((await stateOf(w)).ledger!.lacked).toContain('2026-02-01');
  });

  it('is noticed, damaged, within the days that Graph keeps it, whichever it is', async () => {
    for (const date of ['2026-02-26', '2026-02-15']) {
      const w = await monitored();
      const [key] = keysOf(w, date);
      w.store.objects.set(key!, Buffer.from('torn'));
      // What Graph has of it now differs: the very same content could not take the place of the torn one.
      w.graph.days.set(date, { ...BASE, services: ['Restated'] });
      let days = 0;
      while (keysOf(w, date).length === 1 && days < 90) {
        await nextDay(w);
        days += 1;
      }
      expect(days).toBeLessThan(90);
      expect(keysOf(w, date)).toHaveLength(2);
      expect((await entriesOf(w.store)).at(-1)!.note).toContain('was damaged in the archive');
    }
  });

  it('is asked for once if it was missing before there was a ledger', async () => {
    const w = world('2026-03-01T07:00:00Z');
    fillDays(w.graph, '2026-01-01', 60, BASE);
    w.graph.days.delete('2026-01-20');
    await monitor(w.runOf());
    await nextDay(w);
    expect(w.graph.asked).toEqual([90, 8]);
    withoutLedger(w.store);
    w.graph.days.set('2026-01-20', BASE);
    expect((await nextDay(w)).archived).toContain('2026-01-20');
    expect(w.graph.asked.at(-1)).toBe(43);
    expect(addDays('2026-01-20', 42)).toBe('2026-03-03');
  });
});
