import { randomUUID } from 'node:crypto';
import { addDays, dateOf } from '../../dates.ts';
import type { Log, ObjectStore } from '../../ports.ts';
import { layout } from '../layout.ts';
import { sha256 } from '../ledger.ts';
import { inParallel } from './parallel.ts';
import { monthsWithRecord, OPEN, readClosedMonth, type ClosedMonth } from './closed-month.ts';
import { concatenated, type CodedTable } from './coded.ts';
import { fromParquet, ParquetFile } from './parquet.ts';
import { readColumnsState } from './state.ts';
import { stretchesOf } from './stretches.ts';
import { STRETCHES, TABLES, type Columns, type Table } from './tables.ts';

/*
 * Closed months: the files of all tenants, copied into a few large ones.
 *
 * The files of the tenants stay where they are and remain the history: every engine that reads them finds each row exactly
 * once, at any time. The copies are optional and lie beside the files, as tables of their own. A copy is never
 * overwritten, because its name is the hash of its content. One small object a month, changed by compare-and-swap, records
 * whether the month is closed and which copies are valid, so that a reader has either all the copies or all the files.
 *
 * Closing and a late writer of columns meet at two objects. The writer puts its name into the columns state
 * of its tenant (W1), opens the month (W2), writes its files (W3), opens the month once more (W4) and removes its name
 * (W5). Closing marks the month as being closed (C1), looks for writers (C2), reads the files (C3), writes the copies (C4)
 * and swaps its mark for the closed month (C5). A writer that C2 did not see had either finished before, so that C3
 * reads what it wrote, or begins later, so that its W2 removes the mark of C1 and C5 fails.
 */

/** The first month that is checked. No archive is older. */
const FIRST_MONTH = '2020-01';

/**
 * The number of days after the end of a month until it is closed. Few tenants get one of its days later, after an outage,
 * and each of them opens the month until the next watch.
 */
const CLOSED_AFTER_DAYS = 20;

/**
 * A month cannot be closed until this number of days after its 28th, even if the clock of the closing process is wrong.
 */
const OPEN_FOR_DAYS = 10;

/** After this number of further days a month is closed without the tenants that prevent it. */
const PATIENCE_DAYS = 30;

/** A closed month is closed again if more than this part of its tenants are not in the copies. */
const BESIDE = 0.1;

/** The form of the copies that this version makes. Copies of another form are read as well, and made again. */
const FORM = 3;

/** The minimum number of tenants for which copies are useful. */
const FEWEST_TENANTS = 2;

/** The number of rows from which on the next row group of a copy begins: as many as DuckDB works on at once. */
const GROUP_ROWS = 122_880;

/** The size, in bytes, at which the next copy is begun, because a function of 512 MB holds a copy in memory twice. */
const COPY_BYTES = 32 * 2 ** 20;

/** The maximum number of files that are read at once. */
const READ_AT_ONCE = 16;

function swap(
  store: ObjectStore,
  month: string,
  content: ClosedMonth,
  expected: string | null,
): Promise<string | undefined> {
  return store.replace(layout.closedMonth(month), Buffer.from(`${JSON.stringify(content)}\n`), expected);
}

/**
 * Makes the copies of a month invalid, or records that they do not hold the tenant. Every writer of a month's files calls this
 * before and after writing. It costs nothing for a month that cannot be closed yet.
 * @param tenantId whose file is written; null: the copies become invalid, whoever is in them
 * @param now null: the month may be closed, whatever the time
 */
export async function reopenMonth(
  store: ObjectStore,
  month: string,
  tenantId: string | null,
  now: Date | null,
): Promise<void> {
  if (now && addDays(`${month}-28`, OPEN_FOR_DAYS) > dateOf(now)) return;
  for (;;) {
    const { month: found, version } = await readClosedMonth(store, month);
    if (version === null || (!found.closed && found.closing === null)) return;
    const isBeside = found.closed && tenantId !== null && !found.tenants.includes(tenantId);
    if (isBeside && found.complete !== true) return;
    const content = isBeside ? { ...found, complete: false } : OPEN;
    if ((await swap(store, month, content, version)) !== undefined) return;
  }
}

export interface ClosingOptions {
  store: ObjectStore;
  log: Log;
  now: Date;
  /** True if no further month may be begun. */
  timeIsUp?: () => boolean;
}

/**
 * Closes the months that no run changes any more and that are not closed yet, the oldest first.
 * @returns the months (yyyy-mm) that it closed
 */
export async function closeMonths(options: ClosingOptions): Promise<string[]> {
  const { store, now, timeIsUp } = options;
  // A deployment of one tenant thus makes one request a day instead of one for each month.
  if ((await store.list(layout.columnsStates)).length < FEWEST_TENANTS) return [];
  const known = new Set(await monthsWithRecord(store));
  const due = monthsUntil(addDays(dateOf(now), -CLOSED_AFTER_DAYS));
  const isOpen = await inParallel(due, async (month) => {
    const tenants = await tenantsOf(store, 'scores', month);
    if (!known.has(month)) return tenants.length >= FEWEST_TENANTS;
    const { month: found } = await readClosedMonth(store, month);
    const copied = new Set(found.tenants);
    const beside = tenants.filter((tenant) => !copied.has(tenant)).length;
    return !found.closed || found.form !== FORM || beside > BESIDE * tenants.length;
  });
  const closed: string[] = [];
  for (const month of due.filter((_, index) => isOpen[index])) {
    if (timeIsUp?.()) break;
    if (await closeMonth(options, month)) closed.push(month);
  }
  return closed;
}

/** Months that have ended by a day (yyyy-mm-dd), ascending. */
function monthsUntil(day: string): string[] {
  const months: string[] = [];
  for (let month = FIRST_MONTH; ;) {
    const next = addDays(`${month}-28`, 5).slice(0, 7);
    if (`${next}-01` > day) return months;
    months.push(month);
    month = next;
  }
}

async function tenantsOf(store: ObjectStore, table: string, month: string): Promise<string[]> {
  const prefix = layout.columns(table, month, '').replace(/\.parquet$/, '');
  const keys = await store.list(prefix);
  return keys.flatMap((key) => /^([0-9a-f-]{36})\.parquet$/.exec(key.slice(prefix.length))?.[1] ?? []);
}

/** @returns whether it is closed */
async function closeMonth({ store, log, now }: ClosingOptions, month: string): Promise<boolean> {
  const { version } = await readClosedMonth(store, month);
  const mark = await swap(store, month, { ...OPEN, closing: randomUUID() }, version);
  if (mark === undefined) return false;

  const lists = await Promise.all(TABLES.map(({ name }) => tenantsOf(store, name, month)));
  const all = [...new Set(lists.flat())].toSorted();
  const states = await inParallel(all, async (tenant) => readColumnsState(store, tenant));
  const idle = all.filter(
    (tenant, index) =>
      states[index]?.state?.writer === null && lists.every((tenants) => tenants.includes(tenant)),
  );
  const waits = addDays(`${month}-28`, CLOSED_AFTER_DAYS + PATIENCE_DAYS) > dateOf(now);
  if (idle.length < FEWEST_TENANTS || (idle.length < all.length && waits)) return false;

  const copies: ClosedMonth['copies'] = { scores: [], controls: [], changes: [] };
  const stretches = new Copies(store, STRETCHES, month);
  for (const table of TABLES) {
    const made = new Copies(store, table, month);
    for await (const { of, group } of groupsOf(store, table, month, idle, { form: FORM })) {
      if (!group) {
        log.warn('a month is not closed: a file of it is damaged or gone', { month, table: table.name });
        return false;
      }
      await (of === STRETCHES ? stretches : made).add(group);
    }
    copies[table.name] = await made.end();
  }
  const content: ClosedMonth = {
    version: 1,
    form: FORM,
    closed: true,
    closing: null,
    tenants: idle,
    complete: idle.length === all.length,
    copies,
    stretches: await stretches.end(),
  };
  if ((await swap(store, month, content, mark)) === undefined) return false;
  log.info('a month of the history is closed', { month, tenants: idle.length });
  return true;
}

/** Writes the copies of a table: a file is stored as soon as it is large. */
class Copies {
  readonly #keys: string[] = [];
  readonly #store: ObjectStore;
  readonly #table: Columns;
  readonly #month: string;
  #file: ParquetFile;

  constructor(store: ObjectStore, table: Columns, month: string) {
    this.#store = store;
    this.#table = table;
    this.#month = month;
    this.#file = this.#begin();
  }

  #begin(): ParquetFile {
    return new ParquetFile(this.#table, ['tenant', ...this.#table.sortedBy], 'ZSTD');
  }

  async add(group: CodedTable): Promise<void> {
    this.#file.add(group);
    if (this.#file.size >= COPY_BYTES) await this.#flush();
  }

  /** @returns the keys of all */
  async end(): Promise<string[]> {
    if (!this.#file.isEmpty) await this.#flush();
    return this.#keys;
  }

  async #flush(): Promise<void> {
    const bytes = this.#file.end();
    this.#file = this.#begin();
    const key = layout.closedColumns(this.#table.name, this.#month, sha256(bytes));
    await this.#store.create(key, bytes);
    this.#keys.push(key);
  }
}

/** Gathers rows into row groups. */
class Groups {
  readonly #rows: number;
  #parts: CodedTable[] = [];
  #size = 0;

  /** @param rows the size from which on a row group is complete */
  constructor(rows: number) {
    this.#rows = rows;
  }

  /** @returns a row group if it is complete */
  add(part: CodedTable): CodedTable | null {
    this.#parts.push(part);
    this.#size += part.length;
    return this.#size < this.#rows ? null : this.rest();
  }

  /** @returns what is left; null if that is no row */
  rest(): CodedTable | null {
    const group = this.#size > 0 ? concatenated(this.#parts) : null;
    this.#parts = [];
    this.#size = 0;
    return group;
  }
}

/**
 * The row groups that the copies of a table hold, and for controls those of the stretches among them: every file is read
 * and decoded once for both.
 * @returns each with its table; null as the last one of each table if a file cannot be used
 */
export async function* groupsOf(
  store: ObjectStore,
  table: Table,
  month: string,
  tenants: readonly string[],
  record: Pick<ClosedMonth, 'form'>,
): AsyncGenerator<{ of: Columns; group: CodedTable | null }> {
  const stretches = new Groups(GROUP_ROWS);
  for await (const group of rowsOf(store, table, month, tenants, record)) {
    yield { of: table, group };
    if (table.name !== 'controls') continue;
    const complete = group && stretches.add(stretchesOf(group));
    if (complete || !group) yield { of: STRETCHES, group: complete };
  }
  const rest = stretches.rest();
  if (rest) yield { of: STRETCHES, group: rest };
}

/**
 * The rows of tenants as the copies of a month have them: in row groups of complete tenants, ascending.
 * @returns null at the end if a file cannot be used
 */
async function* rowsOf(
  store: ObjectStore,
  table: Table,
  month: string,
  tenants: readonly string[],
  { form }: Pick<ClosedMonth, 'form'>,
): AsyncGenerator<CodedTable | null> {
  const groups = new Groups(form === undefined ? 1 : GROUP_ROWS);
  for (let start = 0; start < tenants.length; start += READ_AT_ONCE) {
    const files = await inParallel(
      tenants.slice(start, start + READ_AT_ONCE),
      (tenant) => fileOf(store, table, month, tenant),
      READ_AT_ONCE,
    );
    for (const file of files) {
      const group = file && groups.add(file);
      if (group || !file) yield group;
      if (!file) return;
    }
  }
  const rest = groups.rest();
  if (rest) yield rest;
}

/** @returns the file of a tenant; null if it cannot be used */
async function fileOf(
  store: ObjectStore,
  table: Table,
  month: string,
  tenant: string,
): Promise<CodedTable | null> {
  const object = await store.get(layout.columns(table.name, month, tenant));
  if (!object) return null;
  try {
    const coded = fromParquet(table, object.bytes);
    const values = (name: string) =>
      coded.columns[table.columns.findIndex((column) => column.name === name)]!.values;
    const isSound =
      values('tenant').every((value) => value === tenant) &&
      values('date').every((value) => String(value).startsWith(month));
    return isSound ? coded : null;
  } catch {
    return null;
  }
}
