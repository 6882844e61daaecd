/**
 * `npm run bench:history`: what the history costs and what it is worth. An archive as a fleet's daily runs leave it is
 * generated (once: it stays in the folder for temporary files), its columns are made by `archive
 * rebuild`, and each question is asked through the product's engine; some of them also of the raw snapshots. Takes
 * minutes, and about 10 kB of disk a tenant and day: BENCH_TENANTS (100) and BENCH_DAYS (365) set the size.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { build } from 'esbuild';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { Rebuilders } from '../cli/archive/rebuilders.ts';
import { DuckDbHistory } from '../history/duckdb.ts';
import { allQuestions, bind, takes, type Wanted } from '../history/questions.ts';
import { TABLES } from '../lambda/archive/columns/tables.ts';
import { closeMonths } from '../lambda/archive/columns/closed.ts';
import { NOTHING_WRITTEN, swapColumnsState } from '../lambda/archive/columns/state.ts';
import { columnOf } from '../lambda/archive/columns/coded.ts';
import { fromParquet, toParquet } from '../lambda/archive/columns/parquet.ts';
import { inParallel } from '../lambda/archive/columns/parallel.ts';
import { folderStore } from '../lambda/archive/folder-store.ts';
import { bundleOptions } from '../lib/bundle-options.ts';
import { generatedArchive, LAST_DAY, WITH_SNAPSHOTS } from './generated-archive.ts';
import { interleaved } from './processes.ts';
import { RAW_QUESTIONS, RawSnapshots } from './raw-snapshots.ts';
import { startRuns } from './runs.ts';

const AIMS = { trendMs: 100, fleetMs: 2000, timesNative: 2, timesFaster: 50, size: 0.1, rebuild: 1000 };
const ROUNDS = { question: 3, daily: 11 };

const table = new Table({
  head: ['what', 'ours', 'against', 'ratio', 'aim', ''],
  colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
  style: { head: [], border: [] },
});

interface Line {
  ours: string;
  against?: string;
  ratio?: string;
  aim?: string;
  met?: boolean;
}

function row(what: string, { ours, against = '', ratio = '', aim = '', met }: Line): void {
  table.push([what, ours, against, ratio, aim, met === undefined ? '' : met ? 'met' : 'MISSED']);
}

const ms = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const archive = await generatedArchive(sizeOf('BENCH_TENANTS', 100), sizeOf('BENCH_DAYS', 365));
const { folder, tenants, days, drawn, bytes } = archive;

await rm(join(folder, 'history'), { recursive: true, force: true });
await rm(join(folder, 'state'), { recursive: true, force: true });
const rebuild = await rebuilt();
const closing = performance.now();
const months = await closeMonths({
  store: folderStore(folder),
  log: quiet(),
  now: new Date(`${LAST_DAY}T08:00:00Z`),
});
row('closing a month', { ours: `${((performance.now() - closing) / 1000 / months.length).toFixed(1)} s` });
const engine = await DuckDbHistory.open({
  folder,
  onSkipped: ({ path, why }) => {
    throw new Error(`${path} is damaged: ${why}`);
  },
});
const native = await nativeTables();
const newest = (await engine.newest())!;
const [tenant] = tenants as [string];
const control = await valueOf(
  `SELECT control FROM changes WHERE kind = 'lost' GROUP BY 1 ORDER BY count(*) DESC, 1`,
);
const controlDays = Number(await valueOf('SELECT count(*) FROM controls'));

// The question is about the tenants whose snapshots exist.
const columns = (await bytesUnder(join(folder, 'history'))) * Math.min(1, WITH_SNAPSHOTS / tenants.length);
row('raw snapshots, gzipped / as JSON', {
  ours: megabytes(bytes.gzipped),
  against: megabytes(bytes.json),
  ratio: (bytes.gzipped / bytes.json).toFixed(3),
});
row('columns / raw snapshots as JSON', {
  ours: megabytes(columns),
  against: megabytes(bytes.json),
  ratio: (columns / bytes.json).toFixed(4),
  aim: `≤ ${AIMS.size}`,
  met: columns <= AIMS.size * bytes.json,
});
row('columns / raw snapshots, gzipped', {
  ours: megabytes(columns),
  against: megabytes(bytes.gzipped),
  ratio: (columns / bytes.gzipped).toFixed(4),
});
row('rebuild, all cores', {
  ours: `${((drawn * days) / rebuild.wall).toFixed(0)} days/s`,
  aim: `≥ ${AIMS.rebuild} days/s`,
  met: (drawn * days) / rebuild.wall >= AIMS.rebuild,
});
row('rebuild, of one core', { ours: `${((drawn * days) / rebuild.cpu).toFixed(0)} days a second of CPU` });
row('pull', { ours: 'not measured' });
await questions();
try {
  await writingOfADay();
} catch (error) {
  // The other figures are still worth printing.
  console.error(error);
  process.exitCode = 1;
}

console.log(
  [
    `${tenants.length} tenants × ${days} days, ${controlDays.toLocaleString('en')} rows of controls.`,
    `${drawn} tenants are drawn, the others are copies under ids of their own.`,
    `Times are wall, warm, the median of ${ROUNDS.question}; raw ones the median of those that fit into 20 s.`,
  ].join('\n'),
);
console.log(table.toString());

/**
 * Makes the columns. Those of the drawn tenants are made as `archive rebuild` does, with a thread a core; the encoder
 * repeats them under the ids of the copies, which gives the same rows in a tenth of the time.
 * @returns seconds that the rebuild took, and its CPU
 */
async function rebuilt(): Promise<{ wall: number; cpu: number }> {
  console.error(`Columns of ${drawn} drawn tenants …`);
  const threads = new Rebuilders();
  const started = performance.now();
  const before = process.cpuUsage();
  const made = await inParallel(
    tenants.slice(0, drawn),
    async (tenantId) => {
      const request = { location: folder, tenantId, everything: true };
      const { files } = await threads.rebuild(request, { log: quiet(), onProgress: () => undefined });
      return { tenantId, files };
    },
    availableParallelism(),
  );
  const { user, system } = process.cpuUsage(before);
  const took = { wall: (performance.now() - started) / 1000, cpu: (user + system) / 1e6 };
  await threads.close();
  const store = folderStore(folder);
  for (const [index, { tenantId, files }] of made.entries()) {
    const copies = tenants.filter((_, other) => other !== index && other % drawn === index);
    for (const key of files) await copyColumns(key, tenantId, copies);
    for (const copy of copies) await swapColumnsState(store, copy, NOTHING_WRITTEN, null);
  }
  return took;
}

async function copyColumns(key: string, tenantId: string, copies: string[]): Promise<void> {
  const columnTable = TABLES.find(({ name }) => key.startsWith(`history/${name}/`))!;
  const coded = fromParquet(columnTable, await readFile(join(folder, key)));
  for (const copy of copies) {
    coded.columns[columnOf(columnTable, 'tenant')]!.values = coded.length > 0 ? [copy] : [];
    await writeFile(join(folder, key.replace(tenantId, copy)), toParquet(columnTable, coded));
  }
}

function quiet() {
  const warn = (message: string) => {
    throw new Error(message);
  };
  return { debug: () => undefined, info: () => undefined, warn, error: warn };
}

/** The same rows as tables in DuckDB's own file, made from the copies or files that the engine reads. */
async function nativeTables(): Promise<DuckDBConnection> {
  console.error("Tables in DuckDB's own format …");
  const file = join(folder, 'native.duckdb');
  await rm(file, { force: true });
  const connection = await (await DuckDBInstance.create(file)).connect();
  for (const { name, sortedBy } of TABLES) {
    const source = `read_parquet('${join(folder, 'history', name)}/*/*.parquet', hive_partitioning = true, hive_types_autocast = false)`;
    await connection.run(
      `CREATE TABLE ${name} AS SELECT * FROM ${source} ORDER BY month, tenant, ${sortedBy.join(', ')}`,
    );
  }
  return connection;
}

/** Measures the daily run of `npm run bench`, and the same without the step that writes columns. */
async function writingOfADay(): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'secure-score-bench-'));
  process.once('exit', () => rmSync(work, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const options = {
    ...bundleOptions,
    entryPoints: [join(import.meta.dirname, 'programs', 'monitor.ts')],
    outExtension: { '.js': '.mjs' },
    absWorkingDir: join(import.meta.dirname, '..'),
  };
  const folderOf = (name: string) => join(work, `${name}-columns`);
  await build({ ...options, outdir: folderOf('with') });
  await build({
    ...options,
    outdir: folderOf('without'),
    plugins: [
      {
        name: 'without columns',
        setup: (plugin) => {
          plugin.onLoad({ filter: /run\/columns\.ts$/ }, () => ({
            contents: 'export const bringColumnsUpToDate = async () => true;',
          }));
        },
      },
    ],
  });
  const [ours, without] = ['with', 'without'].map((name) => join(folderOf(name), 'monitor.mjs')) as [
    string,
    string,
  ];
  console.error(`Daily run with and without columns, ${ROUNDS.daily} rounds …`);
  const { runOf, stop } = await startRuns(work);
  await runOf(ours, 'first', { keep: 'ninety-days' });
  const daily = await interleaved(ROUNDS.daily, {
    ours: () => runOf(ours, 'next', { on: 'ninety-days' }),
    without: () => runOf(without, 'next', { on: 'ninety-days' }),
  });
  stop();
  for (const [name, key] of [
    ['CPU', 'cpu'],
    ['wall', 'wall'],
  ] as const) {
    const [with_, bare] = [daily.ours[key], daily.without[key]];
    row(`daily run with columns / without: ${name}`, {
      ours: ms(with_),
      against: ms(bare),
      ratio: (with_ / bare).toFixed(2),
    });
  }
}

async function questions(): Promise<void> {
  const raw = new RawSnapshots(folder, tenants);
  for (const question of allQuestions()) {
    const required = question.parameters.some((each) => each.default === 'required');
    const asked: [string, Wanted][] = [['all tenants', {}]];
    if (takes(question, 'tenant')) asked.push(['one tenant', { tenant }]);
    for (const [of, wanted] of asked) {
      const name = `${question.name}, ${of}`;
      console.error(`${name} …`);
      const { sql, scope, from, to } = bind(question, required ? { ...wanted, control } : wanted, newest);
      let found = 0;
      const time = await timed(ROUNDS.question, Infinity, async () => {
        found = (await engine.ask(sql, scope)).rows.length;
      });
      const nativeTime = await timed(ROUNDS.question, Infinity, async () =>
        (await native.runAndReadAll(sql)).getRows(),
      );
      const limit = name === 'trend, one tenant' ? AIMS.trendMs : AIMS.fleetMs;
      row(`${name}: ${found.toLocaleString('en')} rows; against DuckDB's own file`, {
        ours: ms(time),
        against: ms(nativeTime),
        ratio: (time / nativeTime).toFixed(2),
        aim: `< ${limit} ms or ${AIMS.timesNative} ×`,
        met: time < limit || time < AIMS.timesNative * nativeTime,
      });
      const statement = RAW_QUESTIONS[name];
      if (!statement || tenants.length > WITH_SNAPSHOTS) continue;
      const period = { tenant: wanted.tenant ?? null, control, from, to };
      const rawTime = await timed(ROUNDS.question, 20_000, () => raw.ask(statement, period));
      row(`  … against DuckDB on the raw snapshots`, {
        ours: ms(time),
        against: ms(rawTime),
        ratio: `${(rawTime / time).toFixed(0)} ×`,
        aim: `≥ ${AIMS.timesFaster} ×`,
        met: rawTime / time >= AIMS.timesFaster,
      });
    }
  }
}

/** @returns the median in ms, after a first time that does not count unless `most` ms are over */
async function timed(rounds: number, most: number, work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  const samples: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const started = performance.now();
    await work();
    const now = performance.now();
    const isOver = now - begun > most;
    if (round > 0 || isOver) samples.push(now - started);
    if (isOver) break;
  }
  return samples.toSorted((a, b) => a - b)[samples.length >> 1]!;
}

async function valueOf(sql: string): Promise<string> {
  const { rows } = await engine.ask(sql, null);
  const value = Object.values(rows[0] ?? {})[0];
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new Error('The history has no rows.');
}

async function bytesUnder(path: string): Promise<number> {
  const files = await readdir(path, { recursive: true, withFileTypes: true });
  const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}

function sizeOf(variable: string, usual: number): number {
  const size = Number(process.env[variable] ?? usual);
  if (!Number.isInteger(size) || size < 2)
    throw new Error(`${variable} is "${process.env[variable]}", but must be a whole number of at least 2.`);
  return size;
}
