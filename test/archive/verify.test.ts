import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { contentHash } from '../../lambda/archive/archive.ts';
import { writeColumns } from '../../lambda/archive/columns/write.ts';
import { listTenants } from '../../lambda/archive/tenants.ts';
import { verify, type Verdict } from '../../lambda/archive/verify.ts';
import { addDays } from '../../lambda/dates.ts';
import { monitor } from '../../lambda/monitor.ts';
import { entry, fillDays, MemoryStore, TENANT_ID, world } from '../run/fakes.ts';
import { archiveAnswer } from './archive-day.ts';

const OTHER = TENANT_ID.replace(/^./, 'f');
const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

async function verdictOf(store: MemoryStore): Promise<Verdict> {
  const { tenants } = await listTenants(store, TENANT_ID);
  return verify({ store, objects: tenants[0]! });
}

/** Eleven days of runs, the catalogue changed on one, a day never published, a report for most. */
let intact: MemoryStore;
/** The same, made by a version that knew no ledger. */
let old: MemoryStore;
beforeAll(async () => {
  const w = world('2026-02-24T07:00:00Z');
  fillDays(w.graph, '2026-02-20', 5, { controls: { alpha: 8, beta: 5, gamma: 2 } });
  w.graph.profiles = [{ id: 'alpha', title: 'Alpha', maxScore: 10 }];
  await monitor(w.runOf());
  for (let index = 1; index <= 6; index += 1) {
    const today = addDays('2026-02-24', index);
    w.clock.set(`${today}T07:00:00Z`);
    if (index !== 3) w.graph.days.set(today, { controls: { alpha: 8 - index, beta: 5, gamma: 2 } });
    if (index === 2) w.graph.profiles = [{ id: 'alpha', title: 'Alpha', maxScore: 11 }];
    await monitor(w.runOf());
  }
  intact = w.store;
  old = intact.copy();
  for (const [key, bytes] of intact.objects) {
    if (key.startsWith('ledger/')) old.objects.delete(key);
    if (!/^(reports|state\/tenant=)/.test(key)) continue;
    const content = JSON.parse(Buffer.from(bytes).toString()) as {
      ledger?: object;
      report?: { ledger?: object };
    };
    delete content.ledger;
    delete content.report?.ledger;
    old.objects.set(key, Buffer.from(JSON.stringify(content)));
  }
});

function keyOf(store: MemoryStore, prefix: string, index = 0): string {
  return [...store.objects.keys()].filter((key) => key.startsWith(prefix)).toSorted()[index]!;
}

function repacked(bytes: Uint8Array, change: (content: Record<string, unknown>) => void): Uint8Array {
  const content = JSON.parse(gunzipSync(bytes).toString()) as Record<string, unknown>;
  change(content);
  return gzipSync(JSON.stringify(content));
}

describe('an archive that is intact', () => {
  it('is proved intact, with what it contains', async () => {
    const { findings, ...verdict } = await verdictOf(intact);
    expect(findings).toEqual([]);
    expect(verdict).toMatchObject({
      tenant: TENANT_ID,
      name: 'Contoso',
      snapshots: 10,
      days: 10,
      catalogues: 2,
      first: '2026-02-20',
      last: '2026-03-02',
      since: '2026-02-24',
      gaps: [{ from: '2026-02-27', to: '2026-02-27', days: 1, reason: 'not-published', asked: '2026-02-28' }],
      rows: { scores: 10, controls: 30 },
      ledger: {
        began: '2026-02-24T07:00:00.000Z',
        unsigned: 0,
        signatures: 'not checked',
        certificates: [{ thumbprint: expect.stringMatching(/^[0-9a-f]{64}$/) }],
        unfinished: [],
      },
      acknowledged: [],
    });
    expect(verdict.reports).toBeGreaterThan(3);
  });

  it('is proved as far as possible if there is no ledger, and the cause of its gaps is then unknown', async () => {
    const { findings, ledger, gaps } = await verdictOf(old);
    expect({ findings, ledger }).toEqual({ findings: [], ledger: null });
    expect(gaps).toMatchObject([{ from: '2026-02-27', reason: 'before-ledger', asked: null }]);
  });

  it('is not changed by the proof', async () => {
    const store = intact.copy();
    await verdictOf(store);
    expect(store.dump()).toEqual(intact.dump());
  });
});

describe('what is wrong is listed', () => {
  const cases: [string, (store: MemoryStore) => string | { object: string; kind: string }, string][] = [
    [
      'a snapshot that is cut off',
      (store) => {
        const key = keyOf(store, 'snapshots/', 3);
        store.objects.set(key, store.objects.get(key)!.slice(0, 100));
        return key;
      },
      'it is not gzipped JSON',
    ],
    [
      'a snapshot that is empty',
      (store) => {
        const key = keyOf(store, 'snapshots/', 0);
        store.objects.set(key, new Uint8Array());
        return key;
      },
      'it is not gzipped JSON',
    ],
    [
      'a snapshot with a changed score',
      (store) => {
        const key = keyOf(store, 'snapshots/', 4);
        const bytes = repacked(store.objects.get(key)!, (content) => {
          (content['secureScore'] as { currentScore: number }).currentScore = 99;
        });
        store.objects.set(key, bytes);
        return key;
      },
      'its content does not match the hash in its name',
    ],
    [
      'a snapshot that is no score',
      (store) => {
        const content = { some: 'thing' };
        const key = `snapshots/tenant=${TENANT_ID}/date=2026-03-02/${contentHash(content)}.json.gz`;
        store.objects.set(
          key,
          gzipSync(JSON.stringify({ fetchedAt: '2026-03-02', newest: true, secureScore: content })),
        );
        return key;
      },
      'cannot be read again',
    ],
    [
      'a snapshot of another tenant',
      (store) => {
        const secureScore = entry('2026-03-02', { controls: { alpha: 1 } }, true, OTHER);
        const key = `snapshots/tenant=${TENANT_ID}/date=2026-03-02/${contentHash(secureScore)}.json.gz`;
        store.objects.set(
          key,
          gzipSync(JSON.stringify({ fetchedAt: '2026-03-01', newest: true, secureScore })),
        );
        return { object: key, kind: 'foreign' };
      },
      'it belongs to another tenant',
    ],
    [
      'a snapshot of another day',
      (store) => {
        const secureScore = entry('2026-03-01', { controls: { alpha: 1 } }, true);
        const key = `snapshots/tenant=${TENANT_ID}/date=2026-03-02/${contentHash(secureScore)}.json.gz`;
        store.objects.set(
          key,
          gzipSync(JSON.stringify({ fetchedAt: '2026-03-01', newest: true, secureScore })),
        );
        return { object: key, kind: 'foreign' };
      },
      'it belongs to another day, 2026-03-01',
    ],
    [
      'a catalogue that was changed',
      (store) => {
        const key = keyOf(store, 'profiles/');
        store.objects.set(
          key,
          repacked(store.objects.get(key)!, (content) => void (content['profiles'] = [{ id: 'alpha' }])),
        );
        return key;
      },
      'its content does not match the hash in its name',
    ],
    [
      'a report that is torn',
      (store) => {
        const key = keyOf(store, 'reports/', 1);
        store.objects.set(key, store.objects.get(key)!.slice(0, 40));
        return key;
      },
      'it is not JSON',
    ],
    [
      'a state that is damaged',
      (store) => {
        const key = `state/tenant=${TENANT_ID}.json`;
        store.objects.set(key, Buffer.from('{}'));
        return key;
      },
      'is not a state of this program',
    ],
    [
      'something that nobody of us put there',
      (store) => {
        const key = `snapshots/tenant=${TENANT_ID}/date=2026-03-02/notes.txt`;
        store.objects.set(key, Buffer.from('?'));
        return { object: key, kind: 'foreign' };
      },
      'no object of the archive has such a name',
    ],
    [
      'a snapshot that is gone, of a day that was reported',
      (store) => {
        const key = keyOf(store, `snapshots/tenant=${TENANT_ID}/date=2026-03-01`);
        store.objects.delete(key);
        return { object: `snapshots/tenant=${TENANT_ID}/date=2026-03-01/`, kind: 'missing' };
      },
      'there is no snapshot of 2026-03-01, but a report knows that day',
    ],
  ];
  it.each(cases)('%s', async (_, damage, why) => {
    const store = old.copy();
    const damaged = damage(store);
    const wanted = typeof damaged === 'string' ? { object: damaged, kind: 'damaged' } : damaged;
    const { findings } = await verdictOf(store);
    const { object: key, kind } = wanted;
    const rest = { consequence: expect.any(String), remedy: expect.any(String) };
    expect(findings).toContainEqual({ key, kind, why: expect.stringContaining(why), ...rest });
    // And the rest of it is proved all the same.
    expect(findings.filter((each) => each.kind !== 'columns' && each.key !== wanted.object)).toEqual([]);
  });

  const columns = (table: string, month: string) => `history/${table}/month=${month}/${TENANT_ID}.parquet`;
  it.each<[string, (store: MemoryStore) => string, string]>([
    [
      'missing',
      (store) => {
        store.objects.delete(columns('changes', '2026-02'));
        return columns('changes', '2026-02');
      },
      'it is missing',
    ],
    [
      'cut off',
      (store) => {
        const key = columns('controls', '2026-02');
        store.objects.set(key, store.objects.get(key)!.slice(0, -20));
        return key;
      },
      'footer',
    ],
    [
      'those of another month',
      (store) => {
        store.objects.set(columns('scores', '2026-02'), store.objects.get(columns('scores', '2026-03'))!);
        return columns('scores', '2026-02');
      },
      'another tenant or month',
    ],
  ])('columns that are %s', async (_, damage, why) => {
    const store = intact.copy();
    const object = damage(store);
    expect((await verdictOf(store)).findings).toMatchObject([
      { kind: 'columns', key: object, why: expect.stringContaining(why) },
    ]);
    // A rebuild mends them, byte for byte, and touches nothing else.
    await writeColumns({ store, tenantId: TENANT_ID, log: SILENT, everything: true });
    expect(store.dump()).toEqual(intact.dump());
  });

  it('columns that lag behind, and how far', async () => {
    const store = old.copy();
    const secureScore = entry('2026-03-03', { controls: { alpha: 1, beta: 5, gamma: 2 } }, true);
    store.objects.set(
      `snapshots/tenant=${TENANT_ID}/date=2026-03-03/${contentHash(secureScore)}.json.gz`,
      gzipSync(JSON.stringify({ fetchedAt: '2026-03-03T07:00:00.000Z', newest: true, secureScore })),
    );
    const { findings } = await verdictOf(store);
    expect(findings).toHaveLength(3);
    expect(findings[2]).toMatchObject({
      kind: 'columns',
      key: columns('scores', '2026-03'),
      why: 'compared with the snapshots, 1 row is missing and 0 rows are superfluous, on 2026-03-03 (they end on 2026-03-02)',
    });
  });

  it('a file of a month that has no days', async () => {
    const store = intact.copy();
    const key = columns('scores', '2024-01');
    store.objects.set(key, store.objects.get(columns('scores', '2026-03'))!);
    expect((await verdictOf(store)).findings.map((each) => each.key)).toContain(key);
    const history = ['2024-01'];
    await writeColumns({ store, tenantId: TENANT_ID, log: SILENT, everything: true, alsoMonths: history });
    expect((await verdictOf(store)).findings).toEqual([]);
  });
});

describe('gaps', () => {
  it('that began when Graph no longer had the days are distinguished from days that it never had', async () => {
    const store = new MemoryStore();
    const answer = (dates: string[]) => ({
      tenantId: TENANT_ID,
      profiles: [],
      entries: dates.toReversed().map((date, index) => entry(date, { controls: { alpha: 8 } }, index === 0)),
    });
    await archiveAnswer(store, '2026-01-02T07:00:00Z', answer(['2026-01-01', '2026-01-02']));
    // 100 days later: Graph keeps 90.
    await archiveAnswer(store, '2026-04-12T07:00:00Z', answer(['2026-01-14', '2026-04-12']));
    const { gaps, findings } = await verdictOf(store);
    // Nobody asked for these while Graph had them: that is a loss, which somebody may acknowledge.
    expect(findings.map(({ kind, key }) => [kind, key.slice(-16)])).toEqual(
      Array.from({ length: 11 }, (_, index) => ['missing', `date=${addDays('2026-01-03', index)}/`]),
    );
    expect(findings[0]?.why).toBe('no entry of the ledger says that Microsoft was asked for it and had none');
    expect(gaps).toEqual([
      { from: '2026-01-15', to: '2026-04-11', days: 87, reason: 'not-published', asked: '2026-04-12' },
    ]);
  });
});
