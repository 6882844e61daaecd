import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTypeId,
  StatementType,
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBResult,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import { MonitorError, quote } from '../lambda/errors.ts';
import {
  notReadOnly,
  rowOf,
  uniqueNames,
  type Answer,
  type HistoryEngine,
  type Row,
  type Scope,
  type Value,
} from './answer.ts';
import {
  filesLost,
  filesOf,
  listHistory,
  sourcesOfStretches,
  type HistoryFile,
  type MonthsByTenant,
} from './files.ts';
import { literal } from './placeholders.ts';
import { STRETCHES, TABLES, type Column, type Columns } from '../lambda/archive/columns/tables.ts';
import { commandLine } from '../lambda/command-line.ts';

/** A file of the history that was left out, and why. */
export interface Skipped {
  path: string;
  why: string;
  /** It is none of the history's files: no answer lacks it. */
  isForeign: boolean;
}

export interface DuckDbOptions {
  /** Of the archive. */
  folder: string;
  /** Called once for each file that is damaged or foreign, which answers leave out. */
  onSkipped: (skipped: Skipped) => void;
}

/**
 * DuckDB, in this process, on the Parquet files of a folder archive. It writes nothing and reads nothing else: no
 * statement but one SELECT is run, the file system is closed to it but for the folder's `history/`, extensions are
 * neither installed nor loaded, and the configuration is locked.
 *
 * A damaged file does not fail an answer. Files are examined only when a sound statement fails, which costs nothing while they
 * are sound; damaged files are then reported and left out.
 */
export class DuckDbHistory implements HistoryEngine {
  readonly location: string;
  readonly hasStretches = true;
  readonly #files: HistoryFile[];
  readonly #onSkipped: DuckDbOptions['onSkipped'];
  /** Paths of files that were found sound, or damaged. */
  readonly #examined = new Map<string, 'sound' | 'damaged'>();
  /** Paths of files of an earlier version, which lack columns that were added since. */
  readonly #older = new Set<string>();
  #looking: Promise<void> = Promise.resolve();
  readonly #instance: Promise<DuckDBInstance>;

  private constructor(
    location: string,
    files: HistoryFile[],
    instance: Promise<DuckDBInstance>,
    onSkipped: DuckDbOptions['onSkipped'],
  ) {
    this.location = location;
    this.#files = files;
    this.#instance = instance;
    this.#onSkipped = onSkipped;
  }

  static async open({ folder, onSkipped }: DuckDbOptions): Promise<DuckDbHistory> {
    const location = path.resolve(folder);
    checkFolder(location);
    // To start one takes longer than many an answer: it starts, in threads of its own, while the files are listed.
    const instance = instanceFor(path.join(location, 'history'));
    // It fails for whoever asks.
    instance.catch(() => undefined);
    const { files, foreign } = await listHistory(location);
    for (const file of foreign)
      onSkipped({ path: file, why: 'it is no file of the history', isForeign: true });
    return new DuckDbHistory(location, files, instance, onSkipped);
  }

  /** There is nothing to ask. */
  get empty(): boolean {
    return this.#files.length === 0;
  }

  /** The ids of the tenants that have files in the months of a scope, whichever tenants it is about. */
  tenants({ fromMonth, toMonth }: Pick<Scope, 'fromMonth' | 'toMonth'>): Set<string> {
    const inMonths = this.#files.filter(({ month }) => month >= fromMonth && month <= toMonth);
    return new Set(inMonths.flatMap(({ tenant, copied }) => (tenant === null ? [...copied!] : [tenant])));
  }

  newest(): Promise<string | null> {
    return this.#firstOf('max', null, (months) => months.toReversed());
  }

  oldest(tenant: string | null): Promise<string | null> {
    return this.#firstOf('min', tenant, (months) => months);
  }

  /** The files that answers lack, as far as a scope needs them; see `filesLost`. */
  lost(archived: MonthsByTenant, scope: Scope | null): string[] {
    const isUsable = (file: HistoryFile) =>
      file.tenant !== null || this.#examined.get(file.path) !== 'damaged';
    return filesLost(this.#files.filter(isUsable), archived, scope);
  }

  async #firstOf(
    aggregate: 'min' | 'max',
    tenant: string | null,
    inOrder: (months: string[]) => string[],
  ): Promise<string | null> {
    const months = this.#files.filter(({ table }) => table === 'scores').map(({ month }) => month);
    // The month may be damaged, or hold no row.
    for (const month of inOrder([...new Set(months)].toSorted())) {
      const { rows } = await this.ask(`SELECT ${aggregate}(date) AS day FROM scores`, {
        tenant,
        fromMonth: month,
        toMonth: month,
      });
      const day = rows[0]?.['day'];
      if (typeof day === 'string') return day;
    }
    return null;
  }

  /** @throws MonitorError `history-sql-invalid`, `history-sql-not-read-only` */
  async ask(sql: string, scope: Scope | null): Promise<Answer> {
    const isDamaged = (file: HistoryFile) => this.#examined.get(file.path) === 'damaged';
    for (;;) {
      const files = filesOf(this.#files, scope, isDamaged).filter((file) => !isDamaged(file));
      const older = this.#older.size;
      try {
        return await this.#run(sql, files, scope);
      } catch (error) {
        if (error instanceof MonitorError) throw error;
        await this.#check(sql);
        await this.#lookInto(files);
        if (this.#older.size === older && !files.some(isDamaged)) throw invalid(error);
      }
    }
  }

  /**
   * Asks empty tables, on which a statement that is wrong is wrong as well: no file need be looked into for that.
   * @throws MonitorError `history-sql-invalid`
   */
  async #check(sql: string): Promise<void> {
    try {
      await this.#run(sql, [], null);
    } catch (error) {
      // Others may come from there being no rows.
      if (/\b(?:Parser|Binder|Catalog) Error: /.test(firstLine(error))) throw invalid(error);
    }
  }

  /** One after the other: what several answers at once fail at is looked into, and reported, once. */
  #lookInto(files: readonly HistoryFile[]): Promise<void> {
    const former = this.#looking;
    const look = async () => {
      await former;
      if (!(await this.#findOlder(files))) await this.#examine(files);
    };
    const looked = look();
    this.#looking = looked.catch(() => undefined);
    return looked;
  }

  async #run(sql: string, files: readonly HistoryFile[], scope: Scope | null): Promise<Answer> {
    return this.#withConnection(async (connection) => {
      for (const table of tablesIn(sql)) await connection.run(viewOf(table, files, this.#older, scope));
      return select(connection, sql);
    });
  }

  /** What is created in a connection is temporary, so that answers at the same time do not meet. */
  async #withConnection<T>(use: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await (await this.#instance).connect();
    try {
      return await use(connection);
    } finally {
      connection.closeSync();
    }
  }

  /** @returns whether a file was found to be of an earlier version that was not known to be; a look into all footers at once */
  async #findOlder(files: readonly HistoryFile[]): Promise<boolean> {
    const known = this.#older.size;
    await this.#withConnection(async (connection) => {
      for (const { name: table, columns } of TABLES) {
        const paths = files.filter((file) => file.table === table).map(({ path: file }) => file);
        const added = columns.filter((column) => column.added);
        if (added.length === 0 || paths.length === 0) continue;
        const names = added.map(({ name }) => literal(name)).join(', ');
        const list = paths.map((file) => literal(escaped(file))).join(', ');
        try {
          const found = await connection.runAndReadAll(
            `SELECT file_name FROM parquet_schema([${list}]) WHERE name IN (${names}) GROUP BY 1 HAVING count(*) = ${added.length}`,
          );
          const newer = new Set(found.getRows().map(([file]) => String(file)));
          for (const file of paths) if (!newer.has(file)) this.#older.add(file);
        } catch {
          // A file is damaged: each is looked at on its own.
        }
      }
    });
    return this.#older.size > known;
  }

  /** Finds files that are damaged, or of an earlier version. */
  async #examine(files: readonly HistoryFile[]): Promise<void> {
    const unknown = files.filter((file) => !this.#examined.has(file.path));
    await this.#withConnection(async (connection) => {
      for (const file of unknown) {
        const why = await faultOf(connection, file, () => this.#older.add(file.path));
        this.#examined.set(file.path, why === null ? 'sound' : 'damaged');
        if (why === null) continue;
        // Instead of a copy, the files of the tenants are read; those that are missing are reported as lost.
        this.#onSkipped({ path: file.path, why, isForeign: file.tenant === null });
      }
    });
  }
}

/** A folder above that is called like a partition would be taken for one. */
function checkFolder(folder: string): void {
  const taken = new Set(['month', ...TABLES.flatMap(({ columns }) => columns.map(({ name }) => name))]);
  const partition = folder.split(path.sep).find((part) => taken.has(/^([^=]+)=/.exec(part)?.[1] ?? ''));
  if (partition === undefined) return;
  throw new MonitorError(
    'archive-location-invalid',
    `The folder ${quote(folder)} cannot hold an archive: engines read ${quote(partition)} in its path as a column.`,
    'Move the archive to a folder without it.',
  );
}

/** A DuckDB that reads what is below a folder, and nothing else. @param readable absolute */
async function instanceFor(readable: string): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // An answer reads a file once or twice: to hold them all costs half of the reading.
    enable_external_file_cache: 'false',
    // Data that does not fit into memory must not go to the current folder.
    temp_directory: path.join(tmpdir(), `secure-score-${process.pid}`),
  });
  const connection = await instance.connect();
  // As a path, and as the pattern that is asked for (see escaped).
  const allowed = [readable, escaped(readable)].map((each) => literal(`${each}${path.sep}`));
  await connection.run(`SET allowed_directories = [${allowed.join(', ')}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  connection.closeSync();
  return instance;
}

/** Those that a statement names; all, where it names none (`SHOW TABLES`). Each view costs a look into a file. */
function tablesIn(sql: string): Columns[] {
  const isNamed = ({ name }: Columns) => new RegExp(`\\b${name}\\b`, 'i').test(sql);
  const named = [...TABLES, STRETCHES].filter(isNamed);
  return named.length > 0 ? named : TABLES;
}

/** The view of a table on files. */
function viewOf(
  table: Columns,
  files: readonly HistoryFile[],
  older: ReadonlySet<string>,
  scope: Scope | null,
): string {
  const ofTable = (name: string) => files.filter((file) => file.table === name);
  let parts: string[];
  if (table === STRETCHES) {
    const { stretches, controls } = sourcesOfStretches(files);
    const isDay = (name: string) => name === 'first_date' || name === 'last_date';
    parts = [
      ...partsOf(table, stretches, older, scope),
      ...partsOf(table, controls, older, scope, (name) => (isDay(name) ? 'date' : name)),
    ];
  } else parts = partsOf(table, ofTable(table.name), older, scope);
  const empty = `${selected(
    table,
    (name) => name,
    () => false,
  )} WHERE false`;
  return `CREATE TEMP VIEW ${table.name} AS ${parts.length > 0 ? parts.join(' UNION ALL ') : empty}`;
}

/**
 * With the types that the table has, whatever the files have. Older files lack what was added, and copies hold tenants
 * that are not in the scope.
 * @param source the column of the files from which a column of the table is taken
 */
function partsOf(
  table: Columns,
  files: readonly HistoryFile[],
  older: ReadonlySet<string>,
  scope: Scope | null,
  source: (name: string) => string = (name) => name,
): string[] {
  const from = (some: HistoryFile[], isThere: (column: Column) => boolean, where = '') => {
    const paths = some.map((file) => literal(escaped(file.path))).join(', ');
    return some.length === 0
      ? []
      : `${selected(table, source, isThere)} FROM read_parquet([${paths}], hive_partitioning = true, hive_types_autocast = false)${where}`;
  };
  const isOlder = (file: HistoryFile) => older.has(file.path);
  const wanted = scope === null ? undefined : scope.tenant === null ? scope.tenants : [scope.tenant];
  const ids = wanted && [...wanted].map(literal).join(', ');
  const [copies, own] = [true, false].map((isCopy) =>
    files.filter((file) => (file.tenant === null) === isCopy),
  ) as [HistoryFile[], HistoryFile[]];
  return [
    // What all files of all tenants have in common is read at once.
    ...(ids === undefined
      ? [
          from(
            files.filter((file) => !isOlder(file)),
            () => true,
          ),
        ]
      : [
          from(copies, () => true, ` WHERE tenant IN (${ids || 'NULL'})`),
          from(
            own.filter((file) => !isOlder(file)),
            () => true,
          ),
        ]),
    from(own.filter(isOlder), ({ added }) => !added),
  ].flat();
}

const MONTH: Column = { name: 'month', type: 'VARCHAR', comment: '' };

function selected(
  { columns }: Columns,
  source: (name: string) => string,
  isThere: (column: Column) => boolean,
): string {
  const each = [...columns, MONTH].map(
    (column) =>
      `CAST(${isThere(column) ? `"${source(column.name)}"` : 'NULL'} AS ${column.type}) AS "${column.name}"`,
  );
  return `SELECT ${each.join(', ')}`;
}

/** A path is a pattern to DuckDB. */
const escaped = (file: string): string => file.replace(/[[*?]/g, '[$&]');

async function select(connection: DuckDBConnection, sql: string): Promise<Answer> {
  const statements = await connection.extractStatements(sql);
  const last = statements.count - 1;
  let index = 0;
  let statement = await statements.prepare(index);
  // DuckDB itself puts a CREATE TYPE before a PIVOT that does not list its values, one for each: they live as long as
  // the connection. No CREATE of the asker's comes without the word.
  while (index < last && statement.statementType === StatementType.CREATE && !/create/i.test(sql)) {
    await statement.run();
    index += 1;
    statement = await statements.prepare(index);
  }
  if (index < last) throw notReadOnly('more than one statement');
  if (statement.statementType !== StatementType.SELECT) {
    throw notReadOnly(StatementType[statement.statementType]);
  }
  return read(connection, await statement.run());
}

async function read(connection: DuckDBConnection, result: DuckDBResult): Promise<Answer> {
  const chunks = await result.fetchAllChunks();
  const coded = await codedTexts(connection, result.columnTypes(), chunks);
  const columns = uniqueNames(result.columnNames());
  const rows: Row[] = [];
  const dates = new Map<number, string>();
  for (const chunk of chunks) {
    const start = rows.length;
    const columnsOfChunk = columns.map((_, index) => {
      const texts = coded.get(index);
      if (texts) return (row: number): Value => texts.values[texts.codes[start + row]!] ?? null;
      const vector = chunk.getColumnVector(index);
      return (row: number): Value => toValue(vector.getItem(row), dates);
    });
    const number = chunk.rowCount;
    for (let row = 0; row < number; row += 1) {
      rows.push(rowOf(columns, (column) => columnsOfChunk[column]!(row)));
    }
  }
  return { columns, rows };
}

/** The texts of a column: each once, and of each row which; a code beyond the texts stands for null. */
interface CodedTexts {
  values: string[];
  codes: Uint32Array;
}

/** The number of rows from which on it is quicker to let DuckDB find the texts that occur. */
const MANY_ROWS = 10_000;

/** Types whose text is how SQL spells them, whatever names are in them. */
const PLAIN_TYPE = /^[A-Z0-9 ]+(?:\(\d+,\d+\))?(?:\[\])*$/;

/** The code of a row without a text: more than there are texts. */
const NO_TEXT = 2 ** 32 - 1;

/** Texts that occur less often than this on average are read one by one. */
const OFTEN = 4;

/**
 * To fetch a text from DuckDB costs thirty times as much as a number, and most texts of a large answer are ids and names
 * that repeat: DuckDB numbers them.
 * @returns by the place of the column
 */
async function codedTexts(
  connection: DuckDBConnection,
  types: readonly DuckDBType[],
  chunks: readonly DuckDBDataChunk[],
): Promise<Map<number, CodedTexts>> {
  const coded = new Map<number, CodedTexts>();
  const total = chunks.reduce((sum, { rowCount }) => sum + rowCount, 0);
  const texts = types.flatMap(({ typeId }, index) => (typeId === DuckDBTypeId.VARCHAR ? index : []));
  const isPlain = types.every((type) => PLAIN_TYPE.test(String(type)));
  if (total < MANY_ROWS || texts.length === 0 || !isPlain) return coded;
  // Names of its own keep it apart from whatever the statement was about; it ends with the connection.
  await connection.run(
    `CREATE TEMP TABLE answer (${types.map((type, index) => `c${index} ${String(type)}`).join()})`,
  );
  const appender = await connection.createAppender('answer');
  for (const chunk of chunks) appender.appendDataChunk(chunk);
  appender.closeSync();
  const numbers = await connection.runAndReadAll(
    `SELECT ${texts.map((index) => `count(DISTINCT c${index})`).join()} FROM answer`,
  );
  const often = texts.filter((_, place) => Number(numbers.getRows()[0]![place]) <= total / OFTEN);
  for (const index of often) {
    await connection.run(
      `CREATE TEMP TYPE t${index} AS ENUM (SELECT DISTINCT c${index} FROM answer WHERE c${index} IS NOT NULL)`,
    );
    const values = await connection.runAndReadAll(`SELECT unnest(enum_range(NULL::t${index}))::VARCHAR`);
    coded.set(index, {
      values: values.getRows().map(([text]) => String(text)),
      codes: new Uint32Array(total),
    });
  }
  if (often.length === 0) return coded;
  const result = await connection.run(
    `SELECT ${often.map((index) => `enum_code(c${index}::t${index})::UINTEGER`).join()} FROM answer`,
  );
  let start = 0;
  for (const chunk of await result.fetchAllChunks()) {
    const { rowCount } = chunk;
    for (const [place, index] of often.entries()) {
      const vector = chunk.getColumnVector(place);
      const { codes } = coded.get(index)!;
      for (let row = 0; row < rowCount; row += 1) codes[start + row] = Number(vector.getItem(row) ?? NO_TEXT);
    }
    start += rowCount;
  }
  return coded;
}

/** @param dates those that were spelled already, by their number */
function toValue(value: DuckDBValue, dates: Map<number, string>): Value {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof DuckDBDecimalValue) return value.toDouble();
  if (value instanceof DuckDBDateValue) {
    let date = dates.get(value.days);
    if (date === undefined) dates.set(value.days, (date = value.toString()));
    return date;
  }
  const each = (item: DuckDBValue): Value => toValue(item, dates);
  if (value instanceof DuckDBListValue) return value.items.map(each);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, item]) => [name, each(item)]));
  }
  if (value instanceof DuckDBMapValue) {
    return value.entries.map((entry) => [each(entry.key), each(entry.value)]);
  }
  return String(value);
}

/**
 * @param onOlder called if it lacks a column that was added since it was written
 * @returns why the file cannot be read as its table; null where it can
 */
async function faultOf(
  connection: DuckDBConnection,
  { path: file, table }: HistoryFile,
  onOlder: () => void,
): Promise<string | null> {
  const source = `read_parquet(${literal(escaped(file))}, hive_partitioning = false)`;
  try {
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`);
    const types = new Map(described.getRows().map(([name, type]) => [String(name), String(type)]));
    const wanted = [...TABLES, STRETCHES].find(({ name }) => name === table)?.columns ?? [];
    for (const { name, type, added } of wanted) {
      const found = types.get(name);
      if (found === undefined && added) onOlder();
      else if (found === undefined) return `it has no column ${quote(name)}`;
      else if (found !== type) return `its column ${quote(name)} is ${found}, not ${type}`;
    }
    // Reads every value: a page may be damaged where the footer is not.
    await connection.run(`SELECT bit_xor(hash(t)) FROM ${source} t`);
    return null;
  } catch (error) {
    return firstLine(error);
  }
}

function invalid(error: unknown): MonitorError {
  const tables = TABLES.map(({ name }) => name).join(', ');
  return new MonitorError(
    'history-sql-invalid',
    `DuckDB cannot answer that: ${error instanceof Error ? error.message : String(error)}`,
    `The tables are ${tables}. To list the columns of one: ${commandLine('history sql "DESCRIBE scores"')}`,
    { cause: error },
  );
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] ?? message;
}
