import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ObjectStore } from '../../lambda/ports.ts';

/**
 * What the archive relies on, whatever the store: run on a folder by `npm test`, on S3 by `npm run test:s3`.
 * @param newStore a store without objects
 * @param sameStore another one on the same objects, as another process would open it
 */
export function storeContract(
  newStore: () => Promise<ObjectStore>,
  sameStore: (store: ObjectStore) => ObjectStore,
): void {
  describe('create', () => {
    test('writes once and never overwrites', async () => {
      const store = await newStore();
      expect(await store.create('snapshots/tenant=a/1.json.gz', bytes('first'))).toBe('created');
      expect(await store.create('snapshots/tenant=a/1.json.gz', bytes('second'))).toBe('exists');
      expect(await sameStore(store).create('snapshots/tenant=a/1.json.gz', bytes('third'))).toBe('exists');
      expect(await textOf(store, 'snapshots/tenant=a/1.json.gz')).toBe('first');
    });

    test('by many at once of one key: one creates it, and its bytes stay', async () => {
      const store = await newStore();
      const callers = Array.from({ length: 24 }, (_, i) => `caller ${i} `.repeat(1_000));
      const answers = await Promise.all(
        callers.map((text, i) => (i % 2 ? store : sameStore(store)).create('reports/one.json', bytes(text))),
      );
      const winner = answers.indexOf('created');
      expect(answers.filter((answer) => answer === 'created')).toHaveLength(1);
      expect(await textOf(store, 'reports/one.json')).toBe(callers[winner]);
    });

    test.each([0, 1, 5_000_000])('returns %i bytes as they were', async (length) => {
      const store = await newStore();
      const content = randomBytes(length);
      expect(await store.create('some/object.json.gz', content)).toBe('created');
      expect(same((await store.get('some/object.json.gz'))?.bytes, content)).toBe(true);
    });

    test('stores what looks like gzip unchanged', async () => {
      const store = await newStore();
      const gzip = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0);
      await store.create('empty.json.gz', gzip);
      expect(same((await store.get('empty.json.gz'))?.bytes, gzip)).toBe(true);
    });
  });

  describe('get', () => {
    test('finds nothing where there is nothing', async () => {
      const store = await newStore();
      expect(await store.get('a')).toBeUndefined();
      await store.create('a', bytes('an object'));
      expect(await store.get('a/b')).toBeUndefined();
      expect(await store.get('b')).toBeUndefined();
    });

    test('returns the same version for the same object', async () => {
      const store = await newStore();
      await store.create('a', bytes('an object'));
      expect((await store.get('a'))?.version).toBe((await sameStore(store).get('a'))?.version);
    });
  });

  describe('replace', () => {
    test('from nothing, only if there is nothing', async () => {
      const store = await newStore();
      const version = await store.replace('state/a.json', bytes('one'), null);
      expect(version).toBeDefined();
      expect(await store.get('state/a.json')).toMatchObject({ version });
      expect(await store.replace('state/a.json', bytes('two'), null)).toBeUndefined();
      expect(await textOf(store, 'state/a.json')).toBe('one');
    });

    test('from a version, only if it still is that', async () => {
      const store = await newStore();
      const one = must(await store.replace('state/a.json', bytes('one'), null));
      const two = must(await store.replace('state/a.json', bytes('two'), one));
      expect(two).not.toBe(one);
      expect(await store.get('state/a.json')).toMatchObject({ version: two });
      expect(await sameStore(store).replace('state/a.json', bytes('three'), one)).toBeUndefined();
      expect(await textOf(store, 'state/a.json')).toBe('two');
      expect(await sameStore(store).replace('state/a.json', bytes('three'), two)).toBeDefined();
    });

    test('from a version, where there is nothing', async () => {
      const store = await newStore();
      const version = must(await store.replace('state/a.json', bytes('one'), null));
      expect(await store.replace('state/b.json', bytes('one'), version)).toBeUndefined();
      expect(await store.get('state/b.json')).toBeUndefined();
    });

    test('replaces an object that was created', async () => {
      const store = await newStore();
      await store.create('state/a.json', bytes('one'));
      const version = must(await store.get('state/a.json')).version;
      expect(await store.replace('state/a.json', bytes('two'), version)).toBeDefined();
      expect(await textOf(store, 'state/a.json')).toBe('two');
    });

    test('of two that write the same, one wins', async () => {
      const store = await newStore();
      const one = must(await store.replace('state/a.json', bytes('one'), null));
      expect(await store.replace('state/a.json', bytes('one'), null)).toBeUndefined();
      await store.replace('state/a.json', bytes('two'), one);
      expect(await store.replace('state/a.json', bytes('two'), one)).toBeUndefined();
    });

    test.each(['nothing', 'a version'])(
      'by many at once from %s: one wins, and its bytes stay',
      async (from) => {
        const store = await newStore();
        const expected =
          from === 'nothing' ? null : must(await store.replace('state/a.json', bytes('zero'), null));
        const answers = await Promise.all(
          Array.from({ length: 24 }, (_, i) =>
            (i % 2 ? store : sameStore(store)).replace('state/a.json', bytes(`caller ${i}`), expected),
          ),
        );
        const winner = answers.findIndex((answer) => answer !== undefined);
        expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1);
        expect(await textOf(store, 'state/a.json')).toBe(`caller ${winner}`);
      },
    );

    test('loses no step of a counter that many move at once', async () => {
      const store = await newStore();
      await Promise.all(Array.from({ length: 5 }, () => count(sameStore(store), 'state/counter', 6)));
      expect(await textOf(store, 'state/counter')).toBe('30');
    });
  });

  describe('list', () => {
    test('of nothing is empty', async () => {
      const store = await newStore();
      expect(await store.list('')).toEqual([]);
      expect(await store.list('snapshots/tenant=a/', 'snapshots/tenant=a/date=2026-01-01')).toEqual([]);
    });

    test('selects by prefix, wherever it ends, and sorts by code units', async () => {
      const store = await newStore();
      // `-` and `.` come before `/`, digits and `=` after it.
      const keys = ['a-b/c', 'a.b', 'a/b/c', 'a/b=c', 'a0/b', 'a=b/c', 'B/c', '_', 'aa'];
      for (const key of keys) await store.create(key, bytes(key));
      await store.replace('a/state', bytes('1'), null);
      expect(await store.list('')).toEqual([...keys, 'a/state'].toSorted());
      expect(await store.list('a/')).toEqual(['a/b/c', 'a/b=c', 'a/state']);
      expect(await store.list('a/b')).toEqual(['a/b/c', 'a/b=c']);
      expect(await store.list('a')).toEqual(
        [...keys.filter((key) => key.startsWith('a')), 'a/state'].toSorted(),
      );
      expect(await store.list('a/b/c')).toEqual(['a/b/c']);
      expect(await store.list('a/b/c/')).toEqual([]);
      expect(await store.list('', 'a/b')).toEqual(['a/b/c', 'a/b=c', 'a/state', 'a0/b', 'a=b/c', 'aa']);
      expect(await store.list('', 'a/b/c')).toEqual(['a/b=c', 'a/state', 'a0/b', 'a=b/c', 'aa']);
      expect(await store.list('a/', 'a=')).toEqual([]);
      expect(await store.list('a/', 'B')).toEqual(['a/b/c', 'a/b=c', 'a/state']);
    });

    test('answers for any prefix and start as a plain filter would', async () => {
      const store = await newStore();
      const keys = ['a', 'b', 'a-b', 'b=a'].flatMap((x) => ['a', 'b', 'a-b'].map((y) => `d/${x}/${y}`));
      for (const key of keys) await store.create(key, bytes(key));
      const begin = fc
        .tuple(fc.constantFrom(...keys), fc.nat({ max: 8 }), fc.constantFrom('', '=', 'b'))
        .map(([key, length, end]) => key.slice(0, length) + end)
        .filter((text) => !/^=|\/=/.test(text) || text === '');
      await fc.assert(
        fc.asyncProperty(begin, begin, async (prefix, after) => {
          const wanted = keys.filter((key) => key.startsWith(prefix) && key > after).toSorted();
          expect(await store.list(prefix, after)).toEqual(wanted);
        }),
        { numRuns: 60 },
      );
    });

    test('returns more than a thousand keys', async () => {
      const store = await newStore();
      const keys = Array.from({ length: 1_100 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
      for (let i = 0; i < keys.length; i += 50) {
        await Promise.all(keys.slice(i, i + 50).map((key) => store.create(key, new Uint8Array(1))));
      }
      expect(await store.list('many/')).toEqual(keys);
      expect(await store.list('many/', keys[20])).toEqual(keys.slice(21));
    });
  });

  test.each([
    '',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/../b',
    './a',
    'a/.tmp/b',
    '.tmp/x.tmp',
    'a b',
    'ä',
    'a\\b',
    'a\0',
    'a:b',
  ])('refuses the key %j', async (key) => {
    const store = await newStore();
    await expect(async () => store.get(key)).rejects.toThrow(TypeError);
    await expect(async () => store.create(key, bytes(''))).rejects.toThrow(TypeError);
    await expect(async () => store.replace(key, bytes(''), null)).rejects.toThrow(TypeError);
  });

  test.each(['/a', 'a//', '.', 'a/../b', '.tmp/', 'a b'])('lists no prefix %j', async (prefix) => {
    const store = await newStore();
    await expect(async () => store.list(prefix)).rejects.toThrow(TypeError);
    await expect(async () => store.list('', prefix)).rejects.toThrow(TypeError);
  });
}

/** Adds 1 to the number that an object holds, `times` times, trying again whenever another came first. */
export async function count(store: ObjectStore, key: string, times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const found = await store.get(key);
    const now = found === undefined ? 0 : Number(Buffer.from(found.bytes).toString());
    const version = await store.replace(key, bytes(String(now + 1)), found?.version ?? null);
    if (version !== undefined) done += 1;
  }
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);

export async function textOf(store: ObjectStore, key: string): Promise<string | undefined> {
  const found = await store.get(key);
  return found && Buffer.from(found.bytes).toString();
}

const same = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.compare(a, b) === 0;

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected something');
  return value;
}
