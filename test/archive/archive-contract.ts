import { gunzipSync, gzipSync } from 'node:zlib';
import canonicalize from 'canonicalize';
import { describe, expect, test } from 'vitest';
import { Archive, canonical, contentHash } from '../../lambda/archive/archive.ts';
import { EMPTY_STATE } from '../../lambda/archive/state.ts';
import { monitor } from '../../lambda/monitor.ts';
import type { ObjectStore } from '../../lambda/ports.ts';
import type { Report } from '../../lambda/report/model.ts';
import { ClaimedError } from '../../lambda/run/run.ts';
import { entry, fillDays, TENANT_ID, world } from '../run/fakes.ts';

const FETCHED = '2026-03-01T07:00:00.000Z';
const yesterday = { id: `${TENANT_ID}_2026-02-28`, createdDateTime: '2026-02-28T00:00:00Z' };

function report(date: string, toldAt: string, name = 'Contoso'): Report {
  return {
    version: 1,
    tenantId: TENANT_ID,
    name,
    toldAt,
    from: null,
    to: { date, snapshot: 'a', profiles: 'b' },
    timeZone: 'UTC',
    before: null,
    after: null,
    account: null,
    days: [],
    confirmed: [],
    trend: [],
    peers: { allTenants: null, similarSize: null },
    start: null,
    operations: [],
    notes: [],
  };
}

/** What a run relies on, whatever the store: on a folder by `npm test`, on S3 by `npm run test:s3`. */
export function archiveContract(newStore: () => Promise<ObjectStore>): void {
  describe('an archive', () => {
    test('archives a snapshot verbatim under the hash of its canonical JSON, and never overwrites it', async () => {
      const store = await newStore();
      const archive = new Archive(store, TENANT_ID);
      // Unknown keys, texts of every kind, numbers as Graph writes them.
      const secureScore = {
        ...entry('2026-03-01', { controls: { a: 8.57 } }, true),
        'new key \u202E': ['<b>é</b>', '\u0000', 1e21, -0.5, null, { __proto__x: 1 }],
      };
      const content = canonical(secureScore);
      const { hash } = content;
      const facts = { fetchedAt: FETCHED, newest: true };
      expect(await archive.add(archive.newSnapshot('2026-03-01', content, facts))).toBe(true);
      const later = { fetchedAt: '2027-01-01T00:00:00.000Z', newest: false };
      expect(await archive.add(archive.newSnapshot('2026-03-01', content, later))).toBe(false);

      const key = `snapshots/tenant=${TENANT_ID}/date=2026-03-01/${hash}.json.gz`;
      expect(await store.list('')).toEqual([key]);
      const { bytes } = (await store.get(key))!;
      // The content stands last, in canonical form, so that its bytes have the hash in the name.
      expect(gunzipSync(bytes).toString()).toBe(
        `{"fetchedAt":"${FETCHED}","newest":true,"secureScore":${canonicalize(secureScore)}}`,
      );
      const { snapshot, ...archived } = await archive.snapshot('2026-03-01', hash);
      expect(snapshot.points).toBe(8.57);
      expect(archived).toEqual({
        fetchedAt: FETCHED,
        newest: true,
        secureScore,
      });
      expect(contentHash(Object.fromEntries(Object.entries(secureScore).toReversed()))).toBe(hash);
    });

    test('lists the versions of the days after one, and nothing foreign', async () => {
      const store = await newStore();
      const archive = new Archive(store, TENANT_ID);
      const [a, b] = [canonical({ a: 1 }), canonical({ b: 1 })];
      const facts = { fetchedAt: FETCHED, newest: true };
      for (const [date, content] of [
        ['2026-02-28', a],
        ['2026-03-01', a],
        ['2026-03-01', b],
        ['2026-03-02', a],
      ] as const) {
        await archive.add(archive.newSnapshot(date, content, facts));
      }
      await store.create(`snapshots/tenant=${TENANT_ID}/date=2026-03-02/readme.txt`, Buffer.from('x'));
      const other = new Archive(store, TENANT_ID.replace(/^./, 'f'));
      await other.add(other.newSnapshot('2026-03-05', a, facts));
      expect([...(await archive.days('2026-02-28'))]).toEqual([
        ['2026-03-01', [a.hash, b.hash].toSorted()],
        ['2026-03-02', [a.hash]],
      ]);
    });

    test('finds where the last report ended (the later of several on one day), and ignores those without a score', async () => {
      const archive = new Archive(await newStore(), TENANT_ID);
      const add = (date: string | null, toldAt: string, snapshot: string) =>
        archive.add(
          archive.newReport({
            report: {
              ...report(date ?? '', toldAt),
              to: date === null ? null : { date, snapshot, profiles: 'p' },
            },
            deliveries: [],
            next: { ...EMPTY_STATE, cursor: date === null ? null : { date, snapshot, profiles: 'p' } },
          }),
        );
      expect(await archive.lastReported()).toBeNull();
      await add('2026-03-02', '2026-03-02T08:00:00.000Z', 'late');
      await add('2026-03-02', '2026-03-02T07:00:00.000Z', 'early');
      await add('2026-03-01', '2026-03-03T07:00:00.000Z', 'older');
      await add(null, '2026-03-04T07:00:00.000Z', 'none');
      expect((await archive.lastReported())?.cursor).toMatchObject({ snapshot: 'late' });
    });

    test('swaps a state only against the version that was read', async () => {
      const archive = new Archive(await newStore(), TENANT_ID);
      const next = { ...EMPTY_STATE, cursor: { date: '2026-03-01', snapshot: 'a', profiles: 'b' } };
      expect(await archive.state()).toEqual({ state: null, version: null });
      const first = await archive.swapState(EMPTY_STATE, null);
      expect(await archive.swapState(next, null)).toBeUndefined();
      const second = await archive.swapState(next, first!.version);
      expect(await archive.state()).toEqual(second);
      expect(await archive.swapState(EMPTY_STATE, first!.version)).toBeUndefined();
    });

    test.each([
      ['torn', Buffer.from('torn')],
      ['cut', null],
      ['not ours', Buffer.from('H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==', 'base64')],
    ])('reports an object that is %s', async (_, bytes) => {
      const store = await newStore();
      const archive = new Archive(store, TENANT_ID);
      const hash = contentHash('x');
      const key = `snapshots/tenant=${TENANT_ID}/date=2026-03-01/${hash}.json.gz`;
      if (bytes) await store.create(key, bytes);
      await expect(archive.snapshot('2026-03-01', hash)).rejects.toMatchObject({
        code: 'archive-damaged',
        message: expect.stringContaining(key),
      });
    });

    test.each<[string, string, (content: Record<string, unknown>) => void, boolean]>([
      ['a score', 'its content does not match', (content) => (content['currentScore'] = 1), false],
      ['the day', 'belongs to another day, 2026-02-28', (content) => Object.assign(content, yesterday), true],
      [
        'the tenant',
        'belongs to another tenant',
        (content) => (content['azureTenantId'] = 'f'.repeat(36)),
        true,
      ],
    ])('reads no snapshot whose %s was changed', async (_, why, change, rename) => {
      const store = await newStore();
      const secureScore = entry('2026-03-01', { controls: { a: 8 } }, true);
      const original = contentHash(secureScore);
      change(secureScore);
      const hash = rename ? contentHash(secureScore) : original;
      const envelope = gzipSync(JSON.stringify({ fetchedAt: FETCHED, newest: true, secureScore }));
      await store.create(`snapshots/tenant=${TENANT_ID}/date=2026-03-01/${hash}.json.gz`, envelope);
      await expect(new Archive(store, TENANT_ID).snapshot('2026-03-01', hash)).rejects.toMatchObject({
        code: 'archive-damaged',
        message: expect.stringContaining(why),
      });
    });

    test('reads no catalogue that was changed', async () => {
      const store = await newStore();
      const hash = contentHash([{ id: 'a', maxScore: 10 }]);
      const envelope = gzipSync(JSON.stringify({ fetchedAt: FETCHED, profiles: [{ id: 'a', maxScore: 9 }] }));
      await store.create(`profiles/tenant=${TENANT_ID}/${hash}.json.gz`, envelope);
      await expect(new Archive(store, TENANT_ID).profiles(hash)).rejects.toMatchObject({
        code: 'archive-damaged',
      });
    });
  });

  describe('runs', () => {
    const BASE = { controls: { alpha: 8, beta: 5, gamma: 2 }, maximum: 30 };

    test('that overlap end in one archive and one of each mail', async () => {
      const w = world('2026-03-01T07:00:00Z');
      const store = await newStore();
      const runOf = () => {
        const run = w.runOf();
        return { ...run, ports: { ...run.ports, store } };
      };
      fillDays(w.graph, '2026-02-20', 10, BASE);
      const first = await Promise.allSettled([monitor(runOf()), monitor(runOf())]);
      w.graph.days.set('2026-03-02', { ...BASE, controls: { alpha: 5, beta: 5, delta: 1 } });
      w.clock.set('2026-03-02T07:00:00Z');
      const second = await Promise.allSettled([monitor(runOf()), monitor(runOf()), monitor(runOf())]);

      for (const outcomes of [first, second]) {
        expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
        const reasons = outcomes.flatMap((outcome) =>
          outcome.status === 'rejected' ? [outcome.reason] : [],
        );
        expect(reasons.filter((reason) => !(reason instanceof ClaimedError))).toEqual([]);
      }
      expect(w.mailer.sent.map(({ kind }) => kind).toSorted()).toEqual(['controls', 'scores', 'start']);
      expect(await store.list('snapshots/')).toHaveLength(11);
      expect(await store.list('reports/')).toHaveLength(2);

      const contents = async () =>
        Promise.all((await store.list('')).map(async (key) => [key, (await store.get(key))?.bytes]));
      const before = await contents();
      expect(await monitor(runOf())).toMatchObject({ archived: [], mails: [] });
      const after = await contents();
      // All but the state, which says when the last run was.
      const withoutState = (objects: typeof before) =>
        objects.filter(([key]) => !String(key).startsWith('state/'));
      expect(withoutState(after)).toEqual(withoutState(before));
    });
  });
}
