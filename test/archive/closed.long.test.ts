import { beforeAll, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../lambda/ports.ts';
import { Crash, MemoryStore } from '../run/fakes.ts';
import {
  archive,
  close,
  FIRST,
  isClosed,
  late,
  own,
  read,
  SECOND,
  THIRD,
  threeTenants,
  tracked,
} from './closed-months.ts';

let base: MemoryStore;
beforeAll(async () => {
  base = await threeTenants();
});

type Step = (store: ObjectStore) => Promise<unknown>;

/**
 * What an action leaves, for each of its calls in turn.
 * @param meddle what else is done before a call; `at` is the one whose turn it is, both counted from 1
 */
async function* disturbed(
  start: MemoryStore,
  action: Step,
  meddle: (store: ObjectStore, at: number, call: number) => Promise<void>,
): AsyncGenerator<MemoryStore> {
  const counted = tracked(start.copy(), {});
  await action(counted);
  for (let at = 1; at <= counted.calls; at += 1) {
    const store = start.copy();
    await action(tracked(store, { before: (call) => meddle(store, at, call) }));
    yield store;
  }
}

describe('a crash', () => {
  it('at whichever call leaves each row once, and the next watch closes', async () => {
    const counted = tracked(base.copy(), {});
    await close(counted);
    for (let crashAt = 1; crashAt <= counted.calls; crashAt += 1) {
      const store = base.copy();
      const before = (call: number) => {
        if (call === crashAt) throw new Crash();
      };
      await expect(close(tracked(store, { before }))).rejects.toThrow(Crash);
      expect(await read(store.objects, store.objects)).toEqual(await own(base.objects));
      await close(store);
      expect([isClosed(store, '2026-01'), isClosed(store, '2026-02')]).toEqual([true, true]);
      expect(await read(store.objects, store.objects)).toEqual(await own(base.objects));
    }
  });

  it('of a late writer, at whichever call, leaves the month without copies', async () => {
    const closed = base.copy();
    await close(closed);
    const counted = tracked(closed.copy(), {});
    await late(counted);
    for (let crashAt = 1; crashAt <= counted.calls; crashAt += 1) {
      const store = closed.copy();
      const before = (call: number) => {
        if (call >= crashAt) throw new Crash();
      };
      await late(tracked(store, { before })).catch(() => undefined);
      expect(await read(store.objects, store.objects)).toEqual(await own(store.objects));
    }
  });
});

describe('a late writer', () => {
  it('that writes while months are closed, before whichever call, is never lost', async () => {
    const stores = disturbed(base, close, async (store, at, call) => {
      if (call === at) await late(store);
    });
    for await (const store of stores)
      expect(await read(store.objects, store.objects)).toEqual(await own(store.objects));
  });

  it('during whose writing months are closed, before whichever call, is never lost', async () => {
    const stores = disturbed(base, late, async (store, at, call) => {
      if (call === at) await close(store);
    });
    for await (const store of stores)
      expect(await read(store.objects, store.objects)).toEqual(await own(store.objects));
  });

  it('that is new, and was in no copy, is never lost, whenever months are closed or opened meanwhile', async () => {
    const two = new MemoryStore();
    for (const tenantId of [FIRST, SECOND]) await archive(two, tenantId, '2026-03-05', 15, 7);
    await close(two);
    const join = (store: ObjectStore) => archive(store, THIRD, '2026-03-05', 15, 9);
    const stores = disturbed(two, join, async (store, at, call) => {
      if (call === at) await late(store);
      if (call === at + 3) await close(store);
    });
    for await (const store of stores)
      expect(await read(store.objects, store.objects)).toEqual(await own(store.objects));
  });

  it.each([3, 7, 11, 19])('that takes turns with closing (every %i calls) is never lost', async (every) => {
    for (let shift = 0; shift < every; shift += 1) {
      const store = base.copy();
      const turns = (call: number) =>
        (call + shift) % every === 0
          ? new Promise<void>((resolve) => setTimeout(resolve, 0))
          : Promise.resolve();
      await Promise.all([
        close(tracked(store, { before: turns })),
        late(tracked(store, { before: (call) => turns(call + 1) })),
      ]);
      expect(await read(store.objects, store.objects)).toEqual(await own(store.objects));
    }
  });
});

it('two watches at once close each month once, with the same rows', async () => {
  for (let at = 1; at <= 30; at += 1) {
    const store = base.copy();
    const before = async (call: number) => {
      if (call === at) await close(store);
    };
    await close(tracked(store, { before }));
    expect([isClosed(store, '2026-01'), isClosed(store, '2026-02')]).toEqual([true, true]);
    expect(await read(store.objects, store.objects)).toEqual(await own(base.objects));
  }
});
