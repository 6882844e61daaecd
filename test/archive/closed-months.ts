import { parquetReadObjects } from 'hyparquet';
import { parseClosedMonth } from '../../lambda/archive/columns/closed-month.ts';
import { closeMonths } from '../../lambda/archive/columns/closed.ts';
import { TABLES } from '../../lambda/archive/columns/tables.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { addDays } from '../../lambda/dates.ts';
import type { Log, ObjectStore } from '../../lambda/ports.ts';
import { entry, MemoryStore } from '../run/fakes.ts';
import { archiveAnswer } from './archive-day.ts';

/** What the tests of closed months share. */

export const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {} };
export const TENANTS = [1, 2, 3].map((n) => `aaaaaaaa-0000-4000-8000-00000000000${n}`);
export const [FIRST = '', SECOND = '', THIRD = ''] = TENANTS;
export const MONTHS = ['2026-01', '2026-02', '2026-03'];
/** More than 20 days after February has ended, and March has not. */
export const NOW = '2026-03-25T08:00:00Z';

/** Graph answers with `count` days up to `last`, every third day: nothing here depends on how many rows a month has. */
export async function archive(
  store: ObjectStore,
  tenantId: string,
  last: string,
  count: number,
  points: number,
) {
  const entries = Array.from({ length: count }, (_, index) => {
    const date = addDays(last, -3 * index);
    const controls = { alpha: points - (index % 3), beta: 5, gamma: 2 };
    return entry(date, { controls }, index === 0, tenantId);
  });
  const profiles = [{ id: 'alpha', title: 'Alpha', maxScore: 10, implementationCost: 'Low' }];
  return archiveAnswer(store, NOW, { tenantId, entries, profiles }, SILENT);
}

/** Three tenants, from January to March. */
export async function threeTenants(): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const [index, tenantId] of TENANTS.entries())
    await archive(store, tenantId, '2026-03-05', 15, 7 + index);
  return store;
}

export const close = (store: ObjectStore, now = NOW, log = SILENT) =>
  closeMonths({ store, log, now: new Date(now) });

/** Whoever restates days of February, long after its end. */
export const late = (store: ObjectStore) => archive(store, SECOND, '2026-02-27', 3, 4);

export type Objects = ReadonlyMap<string, Uint8Array>;

/** The rows of each table, as the tenants' own files have them. */
export async function own(objects: Objects): Promise<string[]> {
  const keys = TABLES.flatMap(({ name }) =>
    [...objects.keys()].filter((key) => key.startsWith(`history/${name}/`)),
  );
  return (await Promise.all(keys.map((key) => rowsIn(key, objects.get(key))))).flat().toSorted();
}

/**
 * The rows of each table for a reader of all tenants that learns at one moment which copies are valid, and reads files at
 * another.
 */
export async function read(before: Objects, objects: Objects): Promise<string[]> {
  const copied = new Set<string>();
  const copies: string[] = [];
  for (const month of MONTHS) {
    const closed = parseClosedMonth(before.get(layout.closedMonth(month)) ?? new Uint8Array(), month);
    if (!closed?.closed) continue;
    for (const { name } of TABLES) {
      copies.push(...closed.copies[name]);
      for (const tenant of closed.tenants) copied.add(layout.columns(name, month, tenant));
    }
  }
  const rows = await Promise.all(copies.map((key) => rowsIn(key, objects.get(key))));
  const others = new Map([...objects].filter(([key]) => !copied.has(key)));
  return [...rows.flat(), ...(await own(others))].toSorted();
}

const cache = new Map<Uint8Array, string[]>();

/** As another program reads them, with the table before each. */
async function rowsIn(key: string, bytes: Uint8Array | undefined): Promise<string[]> {
  if (!bytes) throw new Error(`${key} is gone`);
  const known = cache.get(bytes);
  if (known) return known;
  const table = /scores|controls|changes/.exec(key)?.[0];
  const file = new Uint8Array(bytes).buffer;
  const rows = await parquetReadObjects({
    file: { byteLength: file.byteLength, slice: (start, end) => file.slice(start, end) },
  });
  const texts = rows.map((row) => `${table} ${JSON.stringify(row)}`);
  cache.set(bytes, texts);
  return texts;
}

/** Sees every object that is written, and every moment: `onWrite` after each write, `before` before each call. */
export function tracked(
  store: MemoryStore,
  { onWrite, before }: { onWrite?: () => void; before?: (call: number) => Promise<void> | void },
): ObjectStore & { calls: number } {
  const target = {
    location: store.location,
    calls: 0,
    async step<T>(work: () => Promise<T>, isWrite: boolean): Promise<T> {
      target.calls += 1;
      await before?.(target.calls);
      const result = await work();
      if (isWrite) onWrite?.();
      return result;
    },
    get: (key: string) => target.step(() => store.get(key), false),
    list: (prefix: string, after?: string) => target.step(() => store.list(prefix, after), false),
    create: (key: string, bytes: Uint8Array) => target.step(() => store.create(key, bytes), true),
    replace: (key: string, bytes: Uint8Array, expected: string | null) =>
      target.step(() => store.replace(key, bytes, expected), true),
  };
  return target;
}

export const isClosed = (store: MemoryStore, month: string) =>
  parseClosedMonth(store.objects.get(layout.closedMonth(month)) ?? new Uint8Array(), month)?.closed === true;
