import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { contentHash } from '../../lambda/archive/archive.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { listTenants } from '../../lambda/archive/tenants.ts';
import { verify, type Verdict } from '../../lambda/archive/verify.ts';
import { addDays } from '../../lambda/dates.ts';
import { monitor } from '../../lambda/monitor.ts';
import type { ObjectStore } from '../../lambda/ports.ts';
import { entry, fillDays, MemoryStore, PEM, TENANT_ID, world } from '../run/fakes.ts';

/** A store, and what somebody can do to it who has the keys of the house. */
export interface Attacked {
  store: ObjectStore;
  put: (key: string, bytes: Uint8Array) => Promise<void>;
  remove: (key: string) => Promise<void>;
}

const SPEC = { controls: { alpha: 8, beta: 5 }, maximum: 30 };
const FIRST = '2026-02-18';
/** Of the last run. */
const TODAY = '2026-03-04';
const STATE = layout.state(TENANT_ID);

/** Fifteen days over two months: twelve by a first run, then run by run, one of them with another catalogue. */
function runs(store: ObjectStore) {
  const w = world('2026-03-01T07:00:00Z');
  w.graph.profiles = [{ id: 'alpha', title: 'Alpha', maxScore: 10 }];
  fillDays(w.graph, FIRST, 12, SPEC);
  const run = async (today: string): Promise<void> => {
    w.clock.set(`${today}T07:00:00Z`);
    for (let day = FIRST; day <= today; day = addDays(day, 1)) {
      const alpha = 8 - (Number(day.slice(-2)) % 3);
      w.graph.days.set(day, { ...SPEC, controls: { ...SPEC.controls, alpha } });
    }
    if (today >= '2026-03-03') w.graph.profiles = [{ id: 'alpha', title: 'Alpha', maxScore: 11 }];
    const ours = w.runOf();
    ours.ports.store = store;
    await monitor(ours);
  };
  return { run };
}

interface Scene extends Attacked {
  keys: string[];
  /** The archive as it was a run earlier. */
  earlier: MemoryStore;
  bytesOf: (key: string) => Uint8Array;
}

interface Tampering {
  name: string;
  /** @returns keys that a finding must list, or their beginnings */
  act: (scene: Scene) => Promise<string[]>;
  /** Nothing is lost that is evidence: the next run makes it again, and everything is proven as before. */
  heals?: boolean;
}

const snapshotOf = ({ keys }: Scene, date: string) => keys.find((key) => key.includes(`/date=${date}/`))!;
const nth = ({ keys }: Scene, prefix: string, index: number) =>
  keys.filter((key) => key.startsWith(prefix)).at(index)!;

const changes: [string, (scene: Scene, key: string) => Promise<unknown>][] = [
  ['deleted', ({ remove }, key) => remove(key)],
  ['cut', ({ put, bytesOf }, key) => put(key, bytesOf(key).slice(0, -40))],
  ['emptied', ({ put }, key) => put(key, new Uint8Array())],
  [
    'changed in one byte',
    ({ put, bytesOf }, key) => {
      const bytes = Uint8Array.from(bytesOf(key));
      const middle = bytes.length >> 1;
      bytes[middle] = bytes[middle]! ^ 1;
      return put(key, bytes);
    },
  ],
];

const objects: [string, (scene: Scene) => string][] = [
  ['the first snapshot', (scene) => snapshotOf(scene, FIRST)],
  ['a snapshot', (scene) => snapshotOf(scene, '2026-02-25')],
  ['the last snapshot but one', (scene) => snapshotOf(scene, '2026-03-03')],
  ['the newest snapshot', (scene) => snapshotOf(scene, TODAY)],
  ['a catalogue', (scene) => nth(scene, 'profiles/', 0)],
  ['a report', (scene) => nth(scene, 'reports/', 0)],
  ['the newest report', (scene) => nth(scene, 'reports/', -1)],
  ['the first entry', (scene) => nth(scene, 'ledger/', 0)],
  ['an entry', (scene) => nth(scene, 'ledger/', 3)],
  ['the newest entry', (scene) => nth(scene, 'ledger/', -1)],
];

const TAMPERINGS: Tampering[] = [
  ...objects.flatMap(([what, keyOf]) =>
    changes.map(([how, change]): Tampering => ({
      name: `${what} ${how}`,
      act: async (scene) => {
        const key = keyOf(scene);
        await change(scene, key);
        return [key];
      },
    })),
  ),
  {
    name: 'a snapshot replaced by that of another day',
    act: async (scene) => {
      const key = snapshotOf(scene, '2026-02-25');
      await scene.put(key, scene.bytesOf(snapshotOf(scene, '2026-02-24')));
      return [key];
    },
  },
  {
    name: 'the time changed at which a snapshot was fetched',
    act: async (scene) => {
      const key = snapshotOf(scene, '2026-02-25');
      const content = JSON.parse(gunzipSync(scene.bytesOf(key)).toString()) as object;
      await scene.put(key, gzipSync(JSON.stringify({ ...content, fetchedAt: '2026-02-25T01:00:00.000Z' })));
      return [key];
    },
  },
  {
    name: 'another version of a day inserted, right in itself',
    act: async ({ put }) => {
      const secureScore = entry('2026-02-25', { ...SPEC, controls: { alpha: 10, beta: 10 } }, true);
      const key = layout.snapshot(TENANT_ID, '2026-02-25', contentHash(secureScore));
      const envelope = { fetchedAt: '2026-03-04T08:00:00.000Z', newest: true, secureScore };
      await put(key, gzipSync(JSON.stringify(envelope)));
      return [key];
    },
  },
  {
    name: 'a day inserted before the first',
    act: async ({ put }) => {
      const secureScore = entry('2026-02-01', SPEC, true);
      const key = layout.snapshot(TENANT_ID, '2026-02-01', contentHash(secureScore));
      await put(
        key,
        gzipSync(JSON.stringify({ fetchedAt: '2026-02-01T08:00:00Z', newest: true, secureScore })),
      );
      return [key];
    },
  },
  {
    name: 'a report inserted',
    act: async ({ put, bytesOf, keys }) => {
      const report = keys.find((key) => key.startsWith('reports/'))!;
      const key = report.replace(/[0-9a-f]{8}\.json$/, '01234567.json');
      await put(key, bytesOf(report));
      return [key];
    },
  },
  {
    name: 'an unsigned entry inserted that contains a forged snapshot',
    act: async (scene) => {
      const last = nth(scene, 'ledger/', -1);
      const file = JSON.parse(Buffer.from(scene.bytesOf(nth(scene, 'ledger/', 1))).toString()) as {
        entry: string;
      };
      const key = layout.entry(TENANT_ID, layout.parseEntry(last)! + 1);
      const forged = { ...(JSON.parse(file.entry) as object), certificate: null, unsigned: 'trust me' };
      await scene.put(
        key,
        Buffer.from(JSON.stringify({ entry: JSON.stringify(forged), signature: null, certificate: null })),
      );
      return [key];
    },
  },
  {
    name: 'a snapshot renamed to another day',
    act: async (scene) => {
      const key = snapshotOf(scene, '2026-02-25');
      const renamed = key.replace('2026-02-25', '2026-02-26');
      await scene.put(renamed, scene.bytesOf(key));
      await scene.remove(key);
      return [key, renamed];
    },
  },
  {
    name: 'a month of snapshots deleted',
    act: async ({ keys, remove }) => {
      const month = keys.filter((key) => key.includes('/date=2026-02-') && key.startsWith('snapshots/'));
      for (const key of month) await remove(key);
      return month;
    },
  },
  {
    name: 'a month of snapshots deleted, and its history, and its reports',
    act: async ({ keys, remove }) => {
      const month = keys.filter((key) => /^(snapshots|reports)\/.*date=2026-02-|month=2026-02/.test(key));
      for (const key of month) await remove(key);
      return month.filter((key) => !key.startsWith('history/'));
    },
  },
  {
    name: 'the complete ledger deleted',
    act: async ({ keys, remove }) => {
      const ledger = keys.filter((key) => key.startsWith('ledger/'));
      for (const key of ledger) await remove(key);
      return [ledger.at(-1)!];
    },
  },
  {
    name: 'the evidence of the tenant deleted',
    act: async ({ keys, remove }) => {
      for (const key of keys) if (/^(snapshots|profiles|reports|ledger)\//.test(key)) await remove(key);
      return [layout.ledger(TENANT_ID)];
    },
  },
  {
    name: 'the state deleted',
    act: async ({ remove }) => {
      await remove(STATE);
      return [STATE];
    },
    heals: true,
  },
  {
    name: 'the state rolled back',
    act: async ({ put, earlier }) => {
      await put(STATE, earlier.objects.get(STATE)!);
      return [STATE];
    },
    heals: true,
  },
  {
    name: 'what was added by the last run deleted, but for the state',
    act: async ({ keys, remove, earlier }) => {
      const added = keys.filter((key) => !earlier.objects.has(key));
      for (const key of added) await remove(key);
      return [added.findLast((key) => key.startsWith('ledger/'))!];
    },
  },
  {
    name: 'a report rolled back to what another one says',
    act: async (scene) => {
      const key = nth(scene, 'reports/', -1);
      await scene.put(key, scene.bytesOf(nth(scene, 'reports/', 0)));
      return [key];
    },
  },
];

/**
 * Whatever is done to an archive is noticed, named, and never certified: at once, and after a further run that had
 * Graph's help to make good what it could.
 */
export function tamperMatrix(newStore: () => Promise<Attacked>): void {
  let intact: MemoryStore;
  let earlier: MemoryStore;
  beforeAll(async () => {
    intact = new MemoryStore();
    const { run } = runs(intact);
    for (let today = '2026-03-01'; today < TODAY; today = addDays(today, 1)) await run(today);
    earlier = intact.copy();
    await run(TODAY);
  });

  async function scene(): Promise<Scene> {
    const attacked = await newStore();
    for (const [key, bytes] of intact.objects) await attacked.put(key, bytes);
    return {
      ...attacked,
      earlier,
      keys: [...intact.objects.keys()].toSorted(),
      bytesOf: (key) => intact.objects.get(key)!,
    };
  }

  async function verdictOf(store: ObjectStore, heads: string[] = []): Promise<Verdict | null> {
    const [its] = (await listTenants(store, TENANT_ID)).tenants;
    const certificates = [PEM.slice(0, PEM.indexOf('-----BEGIN PRIVATE'))];
    return its ? verify({ store, objects: its, certificates, heads }) : null;
  }

  /** The next day's. It may fail, where what was last reported is gone: then it says so. */
  const further = (store: ObjectStore) =>
    runs(store)
      .run(addDays(TODAY, 1))
      .catch(() => {});

  const speaksOf = (verdict: Verdict | null, keys: string[]) =>
    keys.filter((key) => !verdict?.findings.some((finding) => finding.key.startsWith(key)));

  describe('an archive that nobody has tampered with', () => {
    test('is intact, before and after a further run', async () => {
      const { store } = await scene();
      expect((await verdictOf(store))?.findings).toEqual([]);
      await further(store);
      const verdict = await verdictOf(store, [intact.objects.size > 0 ? await headOf(intact) : '']);
      expect(verdict).toMatchObject({
        findings: [],
        last: addDays(TODAY, 1),
        ledger: { signatures: 'checked' },
      });
    });
  });

  describe('tampering is noticed, listed, and not certified', () => {
    test.each(TAMPERINGS)('$name', async ({ act, heals }) => {
      const its = await scene();
      const keys = await act(its);
      expect(speaksOf(await verdictOf(its.store), keys)).toEqual([]);
      await further(its.store);
      const after = await verdictOf(its.store);
      const isAsExpected = heals ? after?.findings.length === 0 : speaksOf(after, keys).length === 0;
      expect({ isAsExpected, findings: after?.findings }).toMatchObject({ isAsExpected: true });
    });
  });

  describe('a head that was seen outside shows what the archive alone cannot', () => {
    test.each<[string, (scene: Scene) => Promise<void>]>([
      [
        'state and archive rolled back together by a run',
        async ({ keys, remove, put }) => {
          for (const key of keys) {
            const before = earlier.objects.get(key);
            if (before) await put(key, before);
            else await remove(key);
          }
        },
      ],
      [
        'everything of the tenant deleted',
        async ({ keys, remove }) => {
          for (const key of keys) await remove(key);
        },
      ],
    ])('%s', async (_, act) => {
      const its = await scene();
      const head = (await headOf(intact)).slice(0, 12);
      expect((await verdictOf(its.store, [head]))?.findings).toEqual([]);
      await act(its);
      for (const when of ['before', 'after a further run']) {
        if (when !== 'before') await further(its.store);
        const alone = await verdictOf(its.store);
        expect(alone?.findings ?? []).toEqual([]);
        if (!alone) continue;
        const witnessed = await verdictOf(its.store, [head]);
        expect(witnessed?.findings).toMatchObject([
          { kind: 'missing', why: expect.stringContaining(head), key: layout.ledger(TENANT_ID) },
        ]);
      }
    });
  });

  async function headOf(store: MemoryStore): Promise<string> {
    return (await verdictOf(store))!.ledger!.head!.hash;
  }
}
