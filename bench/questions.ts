/**
 * `npm run bench:questions`: how long each question to a fleet takes as a whole process, as a person waits for it. The
 * columns of an archive are generated (once: they stay in the folder for temporary files), as they stand on their last
 * day. BENCH_TENANTS (1000) and BENCH_DAYS (365) set the size, BENCH_QUESTIONS the questions, BENCH_ROUNDS (3) how often
 * each is asked. BENCH_FLOOR=1 compares large answers with the same statement on a file of DuckDB's own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { readdir, readFile, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { allQuestions, bind } from '../history/questions.ts';
import { TABLES } from '../lambda/archive/columns/tables.ts';
import { generatedColumns } from './generated-columns.ts';

const AIM = { seconds: 2, timesNative: 2 };
/** An answer from this size on, in bytes, is large. */
const LARGE = 5e6;

const table = new Table({
  head: ['question', 'wall', 'CPU', 'answer', "DuckDB's own file", 'ratio', 'aim'],
  colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left'],
  style: { head: [], border: [] },
});
const work = mkdtempSync(join(tmpdir(), 'secure-score-bench-questions-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const { folder } = await generatedColumns(
  Number(process.env['BENCH_TENANTS'] ?? 1000),
  Number(process.env['BENCH_DAYS'] ?? 365),
);
const chosen = process.env['BENCH_QUESTIONS']?.split(',');
let connection: DuckDBConnection | null = null;
const [{ control }] = JSON.parse(
  (
    await asked([
      'sql',
      `SELECT control FROM changes WHERE kind = 'lost' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1`,
    ])
  ).answer,
) as [{ control: string }];

for (const question of allQuestions()) {
  const { name, parameters } = question;
  if (chosen && !chosen.includes(name)) continue;
  console.error(`${name} …`);
  const required = parameters.some((each) => each.default === 'required');
  const samples = [];
  for (let round = 0; round < rounds; round += 1)
    samples.push(await asked([name, ...(required ? ['--control', control] : [])]));
  const wall = Math.min(...samples.map((each) => each.wall));
  const size = samples[0]!.size;
  let native: number | null = null;
  if (size >= LARGE && process.env['BENCH_FLOOR'] === '1') {
    connection ??= await nativeTables();
    const { sql } = bind(question, required ? { control } : {}, '2026-06-30');
    const started = performance.now();
    (await connection.runAndReadAll(sql)).getRows();
    native = (performance.now() - started) / 1000;
  }
  const isMet = wall < AIM.seconds || (native !== null && wall < AIM.timesNative * native);
  table.push([
    name,
    `${wall.toFixed(2)} s`,
    `${Math.min(...samples.map((each) => each.cpu)).toFixed(2)} s`,
    size < 1e6 ? `${Math.ceil(size / 1e3)} kB` : `${(size / 1e6).toFixed(1)} MB`,
    native === null ? '' : `${native.toFixed(2)} s`,
    native === null ? '' : (wall / native).toFixed(1),
    isMet ? 'met' : 'MISSED',
  ]);
}
console.log(
  `Each the least of ${rounds}. The aim: ${AIM.seconds} s, or ${AIM.timesNative} times DuckDB's own file.`,
);
console.log(table.toString());

/** Asks as a person does, with the answer in a file. */
async function asked(args: string[]): Promise<{ wall: number; cpu: number; size: number; answer: string }> {
  const out = join(work, 'answer');
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [
      '--import',
      './bench/programs/cpu.ts',
      'bin/secure-score.ts',
      'history',
      ...args,
      '--archive',
      folder,
      '--json',
    ],
    { cwd: join(import.meta.dirname, '..'), stdio: ['ignore', openSync(out, 'w'), 'inherit', 'pipe'] },
  );
  let cpu = '';
  child.stdio[3]?.on('data', (text: Buffer) => (cpu += text.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  const wall = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`history ${args[0]} failed with ${status}`);
  const { size } = statSync(out);
  return { wall, cpu: Number(cpu) / 1000, size, answer: size < LARGE ? await readFile(out, 'utf8') : '' };
}

/** The same rows as tables in DuckDB's own file, which is made once. */
async function nativeTables(): Promise<DuckDBConnection> {
  const file = join(folder, 'native.duckdb');
  if (!existsSync(file)) {
    console.error("Tables in DuckDB's own format …");
    const made = await (await DuckDBInstance.create(`${file}.part`, { memory_limit: '2GB' })).connect();
    for (const { name, columns, sortedBy } of TABLES) {
      const typed = [...columns, { name: 'month', type: 'VARCHAR' }].map(
        (each) => `${each.name} ${each.type}`,
      );
      await made.run(`CREATE TABLE ${name} (${typed.join(', ')})`);
      const root = join(folder, 'history', name);
      // A month at a time, because a year does not fit into memory.
      for (const month of (await readdir(root)).toSorted()) {
        const source = `read_parquet('${join(root, month)}/*.parquet', hive_partitioning = true, hive_types_autocast = false)`;
        await made.run(`INSERT INTO ${name} SELECT * FROM ${source} ORDER BY tenant, ${sortedBy.join(', ')}`);
      }
    }
    await made.run('CHECKPOINT');
    made.closeSync();
    await rename(`${file}.part`, file);
  }
  return (await DuckDBInstance.create(file, { memory_limit: '4GB' })).connect();
}
