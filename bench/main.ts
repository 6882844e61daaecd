/**
 * `npm run bench`: what the product costs beyond what it cannot do without. (a) The time to load the bundled handler
 * against a module that only imports the same clients; (b) CPU time and memory of a daily run and of a first run
 * against a script that only fetches, parses, gzips and writes the same bytes; (c) mails, and the comparison, against the
 * daily run. Ratios, since machines differ. The runs of (b) make their mails without the charts, which (c) has; the same
 * runs with their charts are measured beside them.
 */
import { mkdtemp } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { bundle } from './bundle.ts';
import { interleaved, measure } from './processes.ts';
import { startRuns } from './runs.ts';

const ROUNDS = { load: 31, daily: 21, first: 11, mail: 11 };
const AIMS = { load: 1.3, daily: 1.8, first: 2, mail: 1, compare: 0.05, megabytes: 256 };

const folder = await mkdtemp(join(tmpdir(), 'secure-score-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const programs = await bundle(folder, {
  handler: 'lambda/handler.ts',
  imports: 'bench/programs/imports.ts',
  empty: 'bench/programs/empty.ts',
  load: 'bench/programs/load.ts',
  monitor: 'bench/programs/monitor.ts',
  floor: 'bench/programs/floor.ts',
  compare: 'bench/programs/compare.ts',
});
const { monitor } = await bundle(
  join(folder, 'without-charts'),
  { monitor: 'bench/programs/monitor.ts' },
  { drawing: false },
);

console.error(`Loading, ${ROUNDS.load} rounds …`);
const loading = await interleaved(ROUNDS.load, {
  handler: () => measure(programs.load.path, programs.handler.path),
  imports: () => measure(programs.load.path, programs.imports.path),
  empty: () => measure(programs.load.path, programs.empty.path),
});

const { runOf, stop } = await startRuns(folder);

console.error(`First run, ${ROUNDS.first} rounds …`);
const first = await interleaved(ROUNDS.first, {
  ours: () => runOf(monitor.path, 'first'),
  drawn: () => runOf(programs.monitor.path, 'first'),
  floor: () => runOf(programs.floor.path, 'first'),
});
console.error(`Daily run, ${ROUNDS.daily} rounds …`);
await runOf(monitor.path, 'first', { keep: 'ninety-days' });
const daily = await interleaved(ROUNDS.daily, {
  ours: () => runOf(monitor.path, 'next', { on: 'ninety-days' }),
  drawn: () => runOf(programs.monitor.path, 'next', { on: 'ninety-days' }),
  floor: () => runOf(programs.floor.path, 'next'),
});
stop();

console.error(`Comparing, ${ROUNDS.mail} rounds …`);
const { ninety } = await interleaved(ROUNDS.mail, { ninety: () => measure(programs.compare.path, '') });

console.error(`Mails, ${ROUNDS.mail} rounds …`);
const mailProgram = join(import.meta.dirname, 'programs', 'mail.ts');
const mails = await interleaved(ROUNDS.mail, {
  nothing: () => measure(mailProgram, 'nothing'),
  typical: () => measure(mailProgram, 'typical'),
  largest: () => measure(mailProgram, 'largest'),
});

const table = new Table({
  head: ['what', 'ours', 'floor', 'ratio', 'aim', ''],
  colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
  style: { head: [], border: [] },
});

/** @param aim the greatest ratio, or the greatest figure of ours; without one, the row only informs */
function row(
  what: string,
  unit: string,
  ours: number,
  floor: number,
  aim?: { ratio: number } | { most: number },
) {
  const ratio = ours / floor;
  const figure = (value: number) => `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`;
  const aimed = !aim ? '' : 'ratio' in aim ? `≤ ${aim.ratio}` : `< ${aim.most} ${unit}`;
  const met = !aim || ('ratio' in aim ? ratio <= aim.ratio : ours < aim.most);
  table.push([
    what,
    figure(ours),
    figure(floor),
    ratio.toFixed(2),
    aimed,
    !aim ? '' : met ? 'met' : 'MISSED',
  ]);
}

const { handler, imports, empty } = loading;
const kB = 1000;
row('load: CPU, less an empty module', 'ms', handler.cpu - empty.cpu, imports.cpu - empty.cpu, {
  ratio: AIMS.load,
});
row('load: wall, less an empty module', 'ms', handler.wall - empty.wall, imports.wall - empty.wall, {
  ratio: AIMS.load,
});
row('load: CPU of the complete process', 'ms', handler.processCpu, imports.processCpu);
row('bundle', 'kB', programs.handler.size / kB, programs.imports.size / kB);
row('bundle, gzipped', 'kB', programs.handler.gzipped / kB, programs.imports.gzipped / kB);
for (const [name, { ours, drawn, floor }, ratio] of [
  ['daily run', daily, AIMS.daily],
  ['first run, 90 days', first, AIMS.first],
] as const) {
  row(`${name}: CPU`, 'ms', ours.cpu, floor.cpu, { ratio });
  row(`${name}: CPU of the complete process`, 'ms', ours.processCpu, floor.processCpu);
  row(`${name} with its chart: CPU`, 'ms', drawn.cpu, floor.cpu);
  row(`${name} with its chart: peak memory`, 'MB', drawn.memory, floor.memory, { most: AIMS.megabytes });
}
for (const [name, { cpu }, aim] of [
  ['mail with chart, against the daily run: CPU', mails.typical, { ratio: AIMS.mail }],
  ['largest mail without chart, against it: CPU', mails.largest, undefined],
] as const) {
  row(name, 'ms', cpu - mails.nothing.cpu, daily.ours.cpu, aim);
}
row('comparing and explaining one of 90 days, of the daily run: CPU', 'ms', ninety.cpu / 89, daily.ours.cpu, {
  ratio: AIMS.compare,
});
console.log(table.toString());
