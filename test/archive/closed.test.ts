import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DuckDbHistory } from '../../history/duckdb.ts';
import { readCatalogue, readHistories } from '../../history/page/rows.ts';
import { allQuestions, bind } from '../../history/questions.ts';
import { parseClosedMonth } from '../../lambda/archive/columns/closed-month.ts';
import { reopenMonth } from '../../lambda/archive/columns/closed.ts';
import { verifyClosedMonths } from '../../lambda/archive/columns/verify-closed.ts';
import { concatenated, merged } from '../../lambda/archive/columns/coded.ts';
import { fromParquet, ParquetFile, toParquet } from '../../lambda/archive/columns/parquet.ts';
import { STRETCHES, TABLES, type Table } from '../../lambda/archive/columns/tables.ts';
import { readRows, writeColumns } from '../../lambda/archive/columns/write.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { pull } from '../../lambda/archive/pull.ts';
import type { S3Store } from '../../lambda/archive/s3-store.ts';
import { listTenants } from '../../lambda/archive/tenants.ts';
import { copiesIn } from '../../history/copies.ts';
import { addDays } from '../../lambda/dates.ts';
import type { ObjectStore } from '../../lambda/ports.ts';
import { entry, MemoryStore } from '../run/fakes.ts';
import { archiveAnswer } from './archive-day.ts';
import {
  archive,
  close,
  FIRST,
  isClosed,
  late,
  MONTHS,
  NOW,
  own,
  read,
  SECOND,
  SILENT,
  TENANTS,
  THIRD,
  threeTenants,
  tracked,
  type Objects,
} from './closed-months.ts';

let base: MemoryStore;
beforeAll(async () => {
  base = await threeTenants();
});

/** All moments of the store while something happens. */
async function momentsOf(
  store: MemoryStore,
  work: (store: ObjectStore) => Promise<unknown>,
): Promise<Objects[]> {
  const moments: Objects[] = [new Map(store.objects)];
  await work(tracked(store, { onWrite: () => moments.push(new Map(store.objects)) }));
  return moments;
}

/** A reader that begins at any of the moments and ends at any later one has the rows of one of them. */
async function expectEachRowOnce(moments: Objects[]): Promise<void> {
  const truths = await Promise.all(moments.map(own));
  for (const [index, before] of moments.entries()) {
    expect(await read(before, before)).toEqual(truths[index]);
    for (const [later, after] of moments.entries()) {
      if (later <= index) continue;
      const rows = JSON.stringify(await read(before, after));
      // What is written meanwhile may be seen in part, as without copies; but nothing twice, and nothing not at all.
      const candidates = truths.slice(index, later + 1).map((each) => JSON.stringify(each));
      expect(candidates).toContain(rows);
    }
  }
}

/** A copy with a row group for each of the lists of files, as it is named. */
function put(store: MemoryStore, table: Table, month: string, groups: Uint8Array[][]): string {
  const file = new ParquetFile(table);
  for (const files of groups) file.add(concatenated(files.map((bytes) => fromParquet(table, bytes))));
  const bytes = file.end();
  const key = layout.closedColumns(table.name, month, createHash('sha256').update(bytes).digest('hex'));
  store.objects.set(key, bytes);
  return key;
}

/** The month as release 0.1.0 closed it: a row group for each tenant, in copies of another place. */
function closeInFirstForm(store: MemoryStore, month: string): void {
  const keysOf = (table: Table) => {
    const files = TENANTS.map((tenant) => base.objects.get(layout.columns(table.name, month, tenant))!);
    const withRows = files.filter((bytes) => fromParquet(table, bytes).length > 0);
    const key = put(
      store,
      table,
      month,
      withRows.map((bytes) => [bytes]),
    );
    return [formerPlace(store, table, month, key)];
  };
  const copies = Object.fromEntries(TABLES.map((table) => [table.name, keysOf(table)]));
  const record = { version: 1, closed: true, closing: null, tenants: TENANTS, copies };
  store.objects.set(layout.closedMonth(month), Buffer.from(JSON.stringify(record)));
}

function asBefore(store: MemoryStore): MemoryStore {
  for (const month of ['2026-01', '2026-02']) closeInFirstForm(store, month);
  return store;
}

/** Moves a copy to where release 0.1.0 put it. @returns its key there */
function formerPlace(store: MemoryStore, { name }: Table, month: string, copy: string): string {
  const former = `history/_closed/month=${month}/${name}-${copy.slice(-24)}`;
  store.objects.set(former, store.objects.get(copy)!);
  store.objects.delete(copy);
  return former;
}

describe('months that no run changes any more', () => {
  it('are closed: few files, the same rows, nothing else touched', async () => {
    const store = base.copy();
    expect(await close(store)).toEqual(['2026-01', '2026-02']);
    const closed = parseClosedMonth(store.objects.get(layout.closedMonth('2026-02'))!, '2026-02')!;
    expect(closed.tenants).toEqual(TENANTS);
    expect(TABLES.map(({ name }) => closed.copies[name].length)).toEqual([1, 1, 1]);
    expect(await read(store.objects, store.objects)).toEqual(await own(base.objects));
    for (const [key, bytes] of base.objects) expect(store.objects.get(key)).toBe(bytes);

    const before = store.dump();
    expect(await close(store)).toEqual([]);
    expect(store.dump()).toEqual(before);
  });

  it('are those that ended 20 days ago, with at least two tenants', async () => {
    expect(await close(base.copy(), '2026-02-20T23:00:00Z')).toEqual([]);
    expect(await close(base.copy(), '2026-02-21T01:00:00Z')).toEqual(['2026-01']);
    expect(await close(base.copy(), '2026-03-20T23:00:00Z')).toEqual(['2026-01']);
    expect(await close(base.copy(), '2026-03-21T01:00:00Z')).toEqual(['2026-01', '2026-02']);
    const alone = new MemoryStore();
    await archive(alone, FIRST, '2026-02-10', 4, 7);
    const list = vi.spyOn(alone, 'list');
    expect(await close(alone)).toEqual([]);
    expect(list).toHaveBeenCalledTimes(1);
    expect([...alone.objects.keys()].filter((key) => key.startsWith(layout.closedMonths))).toEqual([]);
  });

  it('wait for a tenant whose columns are being written, but not forever', async () => {
    const store = base.copy();
    const key = layout.columnsState(SECOND);
    const state = JSON.parse(Buffer.from(store.objects.get(key)!).toString()) as object;
    store.objects.set(key, Buffer.from(JSON.stringify({ ...state, writer: 'somebody who died' })));
    expect(await close(store, '2026-03-10T08:00:00Z')).toEqual([]);
    expect(await read(store.objects, store.objects)).toEqual(await own(store.objects));
    expect(await close(store, '2026-04-25T08:00:00Z')).toEqual(['2026-01', '2026-02']);
    const closed = parseClosedMonth(store.objects.get(layout.closedMonth('2026-01'))!, '2026-01');
    expect(closed?.tenants).toEqual([FIRST, THIRD]);
    expect(await read(store.objects, store.objects)).toEqual(await own(store.objects));
  });

  it('wait for a file that is damaged', async () => {
    const store = base.copy();
    store.objects.set(layout.columns('controls', '2026-02', SECOND), Buffer.from('PAR1 damaged PAR1'));
    const warnings: string[] = [];
    const log = { ...SILENT, warn: (message: string) => warnings.push(message) };
    expect(await close(store, NOW, log)).toEqual(['2026-01']);
    expect(warnings).toEqual(['a month is not closed: a file of it is damaged or gone']);
    expect(isClosed(store, '2026-02')).toBe(false);
  });

  it('are closed even if an earlier version wrote their files', async () => {
    const store = base.copy();
    const key = layout.columns('controls', '2026-01', SECOND);
    const bytes = store.objects.get(key)!;
    const rows = readRows('controls', { month: '2026-01', tenantId: SECOND, bytes });
    const table = TABLES.find(({ name }) => name === 'controls')!;
    const earlier = { ...table, columns: table.columns.filter(({ added }) => !added) };
    store.objects.set(key, toParquet(earlier, merged(earlier, null, null, rows)));
    expect(await close(store)).toEqual(['2026-01', '2026-02']);
    expect(await verifyClosedMonths(store)).toEqual([]);
    const expected = (await own(store.objects)).map((row) =>
      row.startsWith('controls') && !row.includes('"effort"') ? row.replace('}', ',"effort":null}') : row,
    );
    expect(await read(store.objects, store.objects)).toEqual(expected.toSorted());
  });

  it('of the first form go on being read, are verified, and are closed again in the present one', async () => {
    const store = base.copy();
    closeInFirstForm(store, '2026-01');
    expect(await read(store.objects, store.objects)).toEqual(await own(base.objects));
    expect(await verifyClosedMonths(store)).toEqual([]);
    const former = parseClosedMonth(store.objects.get(layout.closedMonth('2026-01'))!, '2026-01')!;
    expect(await close(store)).toEqual(['2026-01', '2026-02']);
    const present = parseClosedMonth(store.objects.get(layout.closedMonth('2026-01'))!, '2026-01')!;
    expect(present.copies).not.toEqual(former.copies);
    expect(await read(store.objects, store.objects)).toEqual(await own(base.objects));
    expect(await verifyClosedMonths(store)).toEqual([]);
  });

  it('stay closed when a new tenant brings its past, and are closed again with it when it is one of few', async () => {
    const store = new MemoryStore();
    for (const tenantId of [FIRST, SECOND]) await archive(store, tenantId, '2026-03-05', 15, 7);
    await close(store);
    expect((await copiesIn(store)).months).toEqual(['2026-01', '2026-02']);
    await archive(store, THIRD, '2026-03-05', 15, 9);
    expect([isClosed(store, '2026-01'), isClosed(store, '2026-02')]).toEqual([true, true]);
    // Athena reads a month from its copies alone, or not from them.
    expect((await copiesIn(store)).months).toEqual([]);
    expect(await read(store.objects, store.objects)).toEqual(await own(store.objects));
    expect(await close(store)).toEqual(['2026-01', '2026-02']);
    const closed = parseClosedMonth(store.objects.get(layout.closedMonth('2026-02'))!, '2026-02')!;
    expect(closed.tenants).toEqual(TENANTS);
    expect(await close(store)).toEqual([]);
  });

  it('stay as they are while few of many tenants are not in the copies', async () => {
    const store = base.copy();
    await close(store);
    const month = layout.closedMonth('2026-02');
    const record = parseClosedMonth(store.objects.get(month)!, '2026-02')!;
    const others = Array.from({ length: 40 }, (_, n) => `bbbbbbbb-0000-4000-8000-0000000000${10 + n}`);
    for (const id of others) store.objects.set(layout.columns('scores', '2026-02', id), new Uint8Array());
    const write = (tenants: string[]) =>
      store.objects.set(month, Buffer.from(JSON.stringify({ ...record, tenants })));
    write([...TENANTS, ...others.slice(4)]);
    const before = store.objects.get(month);
    await close(store);
    expect(store.objects.get(month)).toBe(before);
    write([...TENANTS, ...others.slice(5)]);
    await close(store);
    expect(isClosed(store, '2026-02')).toBe(false);
  });

  it('belong to no tenant and do not count as foreign objects', async () => {
    const store = base.copy();
    await close(store);
    expect((await listTenants(store)).foreign).toEqual([]);
    expect(await listTenants(store)).toEqual(await listTenants(base));
  });
});

describe('a reader', () => {
  it('has each row once while months are closed', async () => {
    const moments = await momentsOf(base.copy(), close);
    expect(moments.length).toBeGreaterThan(9);
    await expectEachRowOnce(moments);
  });

  it('has each row once while a closed month is opened, written and closed again', async () => {
    const store = base.copy();
    await close(store);
    const moments = await momentsOf(store, reopenedAndRebuilt);
    expect(isClosed(store, '2026-01')).toBe(false);
    moments.push(...(await momentsOf(store, close)));
    expect(isClosed(store, '2026-01')).toBe(true);
    await expectEachRowOnce(moments);
  });

  const reopenedAndRebuilt = (store: ObjectStore) =>
    writeColumns({ store, tenantId: SECOND, log: SILENT, everything: true, now: new Date(NOW) });
});

describe('a late writer', () => {
  it('opens the month that it writes, and no other', async () => {
    const store = base.copy();
    await close(store);
    expect(await late(store)).toBe(true);
    expect([isClosed(store, '2026-01'), isClosed(store, '2026-02')]).toEqual([true, false]);
    expect(await own(store.objects)).not.toEqual(await own(base.objects));
    expect(await read(store.objects, store.objects)).toEqual(await own(store.objects));
    expect(await close(store)).toEqual(['2026-02']);
    expect(await read(store.objects, store.objects)).toEqual(await own(store.objects));
  });

  it('makes no further calls to the store if the month cannot be closed yet', async () => {
    const calls = tracked(base.copy(), {});
    await reopenMonth(calls, '2026-03', FIRST, new Date(NOW));
    expect(calls.calls).toBe(0);
  });
});

it('a rebuild undoes it all, and leaves equal rows', async () => {
  const store = base.copy();
  await close(store);
  for (const tenantId of TENANTS)
    await writeColumns({ store, tenantId, log: SILENT, everything: true, now: new Date(NOW) });
  expect(MONTHS.filter((month) => isClosed(store, month))).toEqual([]);
  expect(await own(store.objects)).toEqual(await own(base.objects));
});

describe('verifying closed months', () => {
  const closedStore = async () => {
    const store = base.copy();
    await close(store);
    const month = layout.closedMonth('2026-02');
    const record = parseClosedMonth(store.objects.get(month)!, '2026-02')!;
    return { store, month, record };
  };
  const write = (store: MemoryStore, key: string, content: object) =>
    store.objects.set(key, Buffer.from(JSON.stringify(content)));

  it('finds nothing wrong after closing, nor if nothing is closed', async () => {
    const { store } = await closedStore();
    expect(await verifyClosedMonths(store)).toEqual([]);
    expect(await verifyClosedMonths(base)).toEqual([]);
  });

  it('reads every file of a tenant and every copy once, for the stretches too', async () => {
    const { store } = await closedStore();
    const keys: string[] = [];
    const get = store.get.bind(store);
    store.get = async (key) => {
      if (key.endsWith('.parquet')) keys.push(key);
      return get(key);
    };
    expect(await verifyClosedMonths(store)).toEqual([]);
    expect(keys.toSorted()).toEqual([...new Set(keys)].toSorted());
    expect(keys.filter((key) => key.startsWith('history/controls/')).length).toBe(2 * TENANTS.length);
  });

  it.each(['its page', 'its footer'])(
    'finds a copy with %s damaged, under a name of its own',
    async (part) => {
      const { store, month, record } = await closedStore();
      const bytes = Buffer.from(store.objects.get(record.stretches![0]!)!);
      const end = bytes.length - 8;
      bytes.fill(
        0xff,
        part === 'its page' ? 4 : end - bytes.readUInt32LE(end),
        part === 'its page' ? 60 : end,
      );
      const hash = createHash('sha256').update(bytes).digest('hex');
      const damaged = layout.closedColumns(STRETCHES.name, '2026-02', hash);
      store.objects.set(damaged, bytes);
      write(store, month, { ...record, stretches: [damaged] });
      const why = 'the copies of stretches do not hold what the files of the tenants hold';
      expect(await verifyClosedMonths(store)).toEqual([{ key: month, why }]);
    },
  );

  it('finds a copy that was changed, and one that is missing', async () => {
    const { store, record } = await closedStore();
    const [changed = '', missing = ''] = [record.copies.scores[0], record.copies.changes[0]];
    store.objects.set(changed, Buffer.concat([store.objects.get(changed)!, Buffer.from('x')]));
    store.objects.delete(missing);
    expect(await verifyClosedMonths(store)).toEqual([
      { key: changed, why: 'its content does not match the hash in its name' },
      { key: missing, why: 'it is missing' },
    ]);
  });

  it('finds copies that hold other rows under a name of their own, fewer tenants, or rows twice', async () => {
    const { store, month, record } = await closedStore();
    const table = TABLES[0]!;
    const rowsOf = (tenant: string) => store.objects.get(layout.columns(table.name, '2026-02', tenant))!;
    const forged = (files: Uint8Array[]) => {
      const key = put(store, table, '2026-02', [files]);
      write(store, month, { ...record, copies: { ...record.copies, [table.name]: [key] } });
      return verifyClosedMonths(store);
    };
    const why = `the copies of ${table.name} do not hold what the files of the tenants hold`;
    const all = record.tenants.map(rowsOf);
    expect(await forged(all)).toEqual([]);
    expect(await forged(all.slice(1))).toEqual([{ key: month, why }]);
    expect(await forged([...all, all[0]!])).toEqual([{ key: month, why }]);
    expect(await forged([all[0]!, all[0]!, ...all.slice(2)])).toEqual([{ key: month, why }]);
  });

  it('finds stretches that are not those of the files', async () => {
    const { store, month, record } = await closedStore();
    const { stretches: [key = ''] = [] } = record;
    const january = parseClosedMonth(store.objects.get(layout.closedMonth('2026-01'))!, '2026-01')!;
    const foreign = store.objects.get(january.stretches![0]!)!;
    const forged = layout.closedColumns(
      STRETCHES.name,
      '2026-02',
      createHash('sha256').update(foreign).digest('hex'),
    );
    store.objects.set(forged, foreign);
    write(store, month, { ...record, stretches: [forged] });
    const why = 'the copies of stretches do not hold what the files of the tenants hold';
    expect(await verifyClosedMonths(store)).toEqual([{ key: month, why }]);
    write(store, month, { ...record, stretches: [] });
    expect(await verifyClosedMonths(store)).toEqual([{ key: month, why }]);
    write(store, month, record);
    store.objects.delete(key);
    expect(await verifyClosedMonths(store)).toEqual([{ key, why: 'it is missing' }]);
  });

  it('ignores a month that is opened meanwhile', async () => {
    const { store, month, record } = await closedStore();
    store.objects.delete(record.copies.scores[0]!);
    const get = store.get.bind(store);
    store.get = async (key) => {
      if (key.startsWith('history/closed_controls/')) await reopenMonth(store, '2026-02', null, null);
      return get(key);
    };
    expect(await verifyClosedMonths(store)).toEqual([]);
    expect(parseClosedMonth(store.objects.get(month)!, '2026-02')?.closed).toBe(false);
  });
});

describe('the copies that Athena reads', () => {
  const closed = async () => {
    const store = base.copy();
    await close(store);
    return store;
  };

  it('are those of all closed months', async () => {
    const store = await closed();
    const { months, paths } = await copiesIn(store);
    expect(months).toEqual(['2026-01', '2026-02']);
    for (const { name } of TABLES) {
      const keys = [...store.objects.keys()].filter((key) => key.startsWith(`history/closed_${name}/`));
      expect(paths[name]).toEqual(keys.map((key) => `memory:/${key}`));
    }
    expect(await copiesIn(base)).toEqual({ months: [], paths: { scores: [], controls: [], changes: [] } });
  });

  it('are not those of a month that lack a tenant, of which one is gone, that is opened, or whose record is damaged', async () => {
    const monthsOf = async (change: (store: MemoryStore) => unknown) => {
      const store = await closed();
      await change(store);
      return (await copiesIn(store)).months;
    };
    const january = layout.closedMonth('2026-01');
    expect(await monthsOf((store) => reopenMonth(store, '2026-01', null, null))).toEqual(['2026-02']);
    expect(await monthsOf((store) => store.objects.set(january, Buffer.from('{')))).toEqual(['2026-02']);
    const ofJanuary = (store: MemoryStore) =>
      parseClosedMonth(store.objects.get(january)!, '2026-01')!.copies.changes[0]!;
    expect(await monthsOf((store) => store.objects.delete(ofJanuary(store)))).toEqual(['2026-02']);

    const store = base.copy();
    const key = layout.columnsState(SECOND);
    const state = JSON.parse(Buffer.from(store.objects.get(key)!).toString()) as object;
    store.objects.set(key, Buffer.from(JSON.stringify({ ...state, writer: 'somebody who died' })));
    expect(await close(store, '2026-04-25T08:00:00Z')).toEqual(['2026-01', '2026-02']);
    expect((await copiesIn(store)).months).toEqual([]);
  });

  it('a record that names objects of other places is none', async () => {
    const store = await closed();
    const key = layout.closedMonth('2026-02');
    const record = parseClosedMonth(store.objects.get(key)!, '2026-02')!;
    for (const foreign of [
      'history/scores/month=2026-02/x.parquet',
      '../outside.parquet',
      record.copies.controls[0]!,
      record.copies.scores[0]!.replace('2026-02', '2026-01'),
    ]) {
      const copies = { ...record.copies, scores: [foreign] };
      expect(parseClosedMonth(Buffer.from(JSON.stringify({ ...record, copies })), '2026-02')).toBeNull();
    }
  });
});

it('copies where release 0.1.0 placed them are read, verified, and not missed in Athena', async () => {
  const store = asBefore(base.copy());
  expect(await verifyClosedMonths(store)).toEqual([]);
  expect((await copiesIn(store)).months).toEqual([]);
  expect(await read(store.objects, store.objects)).toEqual(await own(base.objects));
  const copy = [...store.objects.keys()].find((key) => key.includes('_closed/month=2026-02/scores-'))!;
  store.objects.set(copy, Buffer.from('x'));
  expect(await verifyClosedMonths(store)).toHaveLength(1);
});

describe('DuckDB', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'closed-'));
  });
  afterAll(() => rm(root, { recursive: true }));

  async function folderOf(name: string, store: MemoryStore): Promise<string> {
    const folder = path.join(root, name);
    for (const [key, bytes] of store.objects) {
      await mkdir(path.dirname(path.join(folder, key)), { recursive: true });
      await writeFile(path.join(folder, key), bytes);
    }
    return folder;
  }

  /** What the page of all tenants is made from. */
  async function pageOf(engine: DuckDbHistory) {
    const histories: object[] = [];
    for await (const { id, rows } of readHistories(engine, TENANTS)) {
      const standings = rows.standings.map((row) => ({ ...row, days: row.days?.toSorted((a, b) => a - b) }));
      histories.push({ ...rows, id, standings });
    }
    return [await readCatalogue(engine, TENANTS), histories];
  }

  async function answersOf(folder: string) {
    const skipped: string[] = [];
    const engine = await DuckDbHistory.open({ folder, onSkipped: ({ path: file }) => skipped.push(file) });
    const asked = allQuestions().filter(({ name }) =>
      ['categories', 'changes', 'trend', 'life'].includes(name),
    );
    const answers = [];
    for (const tenant of [null, SECOND]) {
      for (const question of asked) {
        const control = question.name === 'life' ? 'alpha' : null;
        const { sql, scope } = bind(question, { tenant, control, from: '2026-01-01' }, '2026-03-05');
        answers.push((await engine.ask(sql, scope)).rows);
      }
    }
    // Whatever the statement asks for, and whichever file it comes from, other tenants are not in a scope.
    const scope = {
      tenant: null,
      tenants: new Set([FIRST, THIRD]),
      fromMonth: '2026-01',
      toMonth: '2026-03',
    };
    const { rows } = await engine.ask(
      'SELECT tenant, count(*) AS n FROM controls GROUP BY tenant ORDER BY tenant',
      scope,
    );
    expect(rows.map(({ tenant }) => tenant)).toEqual([FIRST, THIRD]);
    answers.push(rows, ...(await pageOf(engine)));
    return { answers, skipped, lost: engine.lost(new Map(), null) };
  }

  it('answers the same from copies and files, and from the files if a copy is damaged', async () => {
    const store = base.copy();
    await close(store);
    const expected = await answersOf(await folderOf('open', base));
    expect(expected.answers.every((rows) => rows.length > 0)).toBe(true);
    expect(await answersOf(await folderOf('closed', store))).toEqual(expected);

    const copies = store.copy();
    const closed = new Set(
      TABLES.flatMap(({ name }) =>
        ['2026-01', '2026-02'].flatMap((month) => TENANTS.map((id) => layout.columns(name, month, id))),
      ),
    );
    for (const key of closed) copies.objects.delete(key);
    expect(await answersOf(await folderOf('copies alone', copies))).toEqual(expected);
    expect(await answersOf(await folderOf('of release 0.1.0', asBefore(copies.copy())))).toEqual(expected);

    const copy = [...store.objects.keys()].find((key) =>
      key.startsWith('history/closed_controls/month=2026-02/'),
    )!;
    const damaged = await folderOf('damaged', store);
    await writeFile(path.join(damaged, copy), 'PAR1 no more PAR1');
    expect(await answersOf(damaged)).toEqual({ ...expected, skipped: [path.join(damaged, copy)] });
    const lacking = await folderOf('lacking', store);
    await rm(path.join(lacking, copy));
    expect(await answersOf(lacking)).toEqual(expected);

    const stretches = [...store.objects.keys()].find((key) =>
      key.includes('closed_stretches/month=2026-02'),
    )!;
    const worn = await folderOf('damaged stretches', store);
    await writeFile(path.join(worn, stretches), 'PAR1 no more PAR1');
    expect(await answersOf(worn)).toEqual({ ...expected, skipped: [path.join(worn, stretches)] });
    await rm(path.join(worn, stretches));
    expect(await answersOf(worn)).toEqual(expected);
  });

  it('makes the same page from stretches and from days: a gap, a control that comes back, a tenant beside', async () => {
    const store = new MemoryStore();
    const daily = async (tenantId: string, factor: number) => {
      const dates = Array.from({ length: 60 }, (_, index) => addDays('2026-03-05', -index));
      const entries = dates
        .filter((_, index) => index !== 20 * factor)
        .map((date, index) => {
          const isGone = index > 30 && index % (9 * factor) < 3;
          const controls = { alpha: 5 + (Math.floor(index / 7) % 2), ...(isGone ? {} : { beta: 5 }) };
          return entry(date, { controls }, index === 0, tenantId);
        });
      await archiveAnswer(store, NOW, { tenantId, entries, profiles: [] }, SILENT);
    };
    await daily(FIRST, 1);
    await daily(SECOND, 2);
    expect(await close(store)).toEqual(['2026-01', '2026-02']);
    await daily(THIRD, 1);
    const ask = async (folder: string) => {
      const engine = await DuckDbHistory.open({ folder, onSkipped: ({ why }) => expect.fail(why) });
      const { rows } = await engine.ask('SELECT count(*) AS n FROM stretches', null);
      return { page: await pageOf(engine), stretches: Number(rows[0]!['n']) };
    };
    const closed = await ask(await folderOf('page of closed months', store));
    for (const month of MONTHS) store.objects.delete(layout.closedMonth(month));
    const open = await ask(await folderOf('page of open months', store));
    expect(closed.page).toEqual(open.page);
    expect(JSON.stringify(open.page)).toMatch(/"days":\[\d/);
    expect(closed.stretches).toBeLessThan(open.stretches - 100);
  });

  it('reads a pulled copy, for which the files of closed months are not fetched', async () => {
    const store = base.copy();
    await close(store);
    const fetched: string[] = [];
    const source: S3Store = {
      location: 's3://bucket',
      get: async (key) => {
        fetched.push(key);
        return store.get(key);
      },
      create: () => Promise.reject(new Error('read only')),
      replace: () => Promise.reject(new Error('read only')),
      list: (prefix, after) => store.list(prefix, after),
      entries: async (prefix, after) => {
        const keys = await store.list(prefix, after);
        const entries = keys.map(async (key) => {
          const { bytes, version } = (await store.get(key))!;
          return { key, size: bytes.length, version };
        });
        return Promise.all(entries);
      },
    };
    const folder = path.join(root, 'pulled');
    await pull({ source, folder, onlyHistory: true });
    expect(await answersOf(folder)).toEqual(await answersOf(await folderOf('whole', base)));
    expect(fetched.filter((key) => /month=2026-0[12]\/aaaa/.test(key))).toEqual([]);

    const one = path.join(root, 'one');
    fetched.length = 0;
    await pull({ source, folder: one, onlyHistory: true, tenantId: SECOND });
    expect(fetched.every((key) => key.endsWith(`${SECOND}.parquet`))).toBe(true);
    expect(fetched).toHaveLength(9);
  });
});
