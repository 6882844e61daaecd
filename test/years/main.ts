import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { live, type Outcome } from './fleet.ts';
import { cut, FIVE_YEARS, historyOf, type History } from './history.ts';

/*
 * Years of a fleet in one test: npm run test:years
 *
 *     -- --seeds 200        seeds 1 to 200, five years each; with --from 101 they begin there
 *     -- --seed 7           one seed; with --days fewer days
 *     -- --history <file>   one that was written down when it failed
 *
 * Without options: what CI has time for, which is five years of one seed, and the first 300 days of others. Seeds are
 * played side by side, one a core. When all are done, the first that failed is shortened: printed is the shortest history
 * found that still fails in the same way.
 */

/** The longest goes first, so that the others share the second core meanwhile. */
const IN_CI: [seed: number, days: number][] = [
  [1, FIVE_YEARS],
  ...[2, 3, 4, 5, 6, 7, 8, 9, 10].map((seed): [number, number] => [seed, 300]),
];

/** How many histories are tried to shorten one, and for how long, in s: in CI, and by hand. */
const TRIES = 150;
const SHORTENING_IN_CI = 90;
const SHORTENING = 600;

interface Played {
  history: History;
  outcome: Outcome;
  /** CPU of its thread. */
  seconds: number;
}

if (isMainThread) await main();
else await play(workerData as History);

async function play(history: History): Promise<void> {
  const before = process.threadCpuUsage();
  const outcome = await live(history);
  const { user, system } = process.threadCpuUsage(before);
  parentPort!.postMessage({ history, outcome, seconds: (user + system) / 1e6 } satisfies Played);
}

/** In a thread of its own, whose memory goes with it. */
function played(history: History): Promise<Played> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: history });
    worker.once('message', resolve).once('error', reject);
    worker.once('exit', () => reject(new Error(`seed ${history.seed} ended without an outcome`)));
  });
}

async function main(): Promise<void> {
  const failed: Played[] = [];
  const histories = chosen();
  let next = 0;
  const others = async () => {
    for (let history; (history = histories[next]);) {
      next += 1;
      const one = await played(history);
      print(one);
      if (one.outcome.violations.length > 0) failed.push(one);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, others));
  const { user, system } = process.cpuUsage();
  console.log(`${((user + system) / 1e6).toFixed(0)} s of CPU, ${process.uptime().toFixed(0)} s`);
  console.log(`${histories.length - failed.length} passed, ${failed.length} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
  if (failed[0]) await shorten(failed[0], process.argv.length > 2 ? SHORTENING : SHORTENING_IN_CI);
}

function chosen(): History[] {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      days: { type: 'string' },
      history: { type: 'string' },
    },
  });
  const days = values.days === undefined ? FIVE_YEARS : Number(values.days);
  if (values.history !== undefined) return [JSON.parse(readFileSync(values.history, 'utf8')) as History];
  if (values.seed !== undefined) return [historyOf(Number(values.seed), days)];
  if (values.seeds === undefined) return IN_CI.map(([seed, lasting]) => historyOf(seed, lasting));
  const [from, to] = [Number(values.from), Number(values.seeds)];
  return Array.from({ length: to - from + 1 }, (_, index) => historyOf(from + index, days));
}

function print({ history: { seed, days, tenants, events }, outcome, seconds }: Played): void {
  const { violations, figures } = outcome;
  const { mails, ...counts } = figures;
  console.log(
    `Seed ${seed}, ${days} days of ${tenants.length} tenants, ${events.length} events, ${seconds.toFixed(1)} s of CPU`,
  );
  console.log(
    `  ${Object.entries(counts)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
  );
  for (const [person, abouts] of mails) {
    const total = new Map<number, number>();
    const parts = [...abouts].map(([about, byDay]) => {
      for (const [day, number] of byDay) total.set(day, (total.get(day) ?? 0) + number);
      return `${about} ${aYear(byDay, days)}`;
    });
    const worst = Math.max(...total.values());
    console.log(
      `  ${person}: ${aYear(total, days)} mails a year (${parts.join(', ')}), at most ${worst} on a day`,
    );
  }
  const { met, deaths } = outcome.faults;
  console.log(`  met: ${listed(met)}`);
  console.log(`  crashes and failures: ${listed(deaths)}`);
  for (const text of violations.slice(0, 10)) console.log(`  VIOLATED ${text}`);
  if (violations.length > 10) console.log(`  and ${violations.length - 10} more`);
}

function listed(counts: Map<string, number>): string {
  return [...counts]
    .map(([name, count]) => `${name} ${count}`)
    .toSorted()
    .join(', ');
}

function aYear(byDay: Map<number, number>, days: number): string {
  return ((365.25 * [...byDay.values()].reduce((sum, each) => sum + each, 0)) / days).toFixed(0);
}

/** What is violated, whenever and on whatever. */
function kindOf(violation: string): string {
  return violation.replaceAll(/[{[].*|\d[\d-]*/g, '');
}

async function shorten({ history, outcome }: Played, seconds: number): Promise<void> {
  console.log(`Seed ${history.seed} is shortened, for ${seconds} s at most.`);
  const until = process.uptime() + seconds;
  const shortest = await shortened(history, outcome.violations[0]!, () => process.uptime() > until);
  console.log(`The shortest history of seed ${history.seed} that still fails: ${shortest.days} days`);
  for (const event of shortest.events) console.log(`  ${JSON.stringify(event)}`);
  const file = join(tmpdir(), `years-${history.seed}.json`);
  writeFileSync(file, JSON.stringify(shortest));
  console.log(`Again: npm run test:years -- --history ${file}`);
}

/**
 * Leaves out the days after the one on which it failed, then other tenants, then days, then events by halves, quarters,
 * and so on, as long as the same is violated.
 */
async function shortened(history: History, violation: string, isLate: () => boolean): Promise<History> {
  const kind = kindOf(violation);
  let tries = 0;
  const isKind = (each: string) => kindOf(each) === kind;
  const fails = async (candidate: History) => {
    tries += 1;
    if (tries > TRIES || isLate()) return false;
    const outcome = await live(candidate, (violations) => violations.some(isKind) || isLate());
    return outcome.violations.some(isKind);
  };
  let shortest = history;
  const day = Number(/^day (\d+)/.exec(violation)?.[1] ?? history.days);
  for (const further of [1, 15, 100]) {
    const candidate = cut(history, Math.min(history.days, day + further));
    if (shortest === history && (await fails(candidate))) shortest = candidate;
  }
  for (const tenant of history.tenants) {
    const events = shortest.events.filter((event) => event.tenant === tenant);
    const candidate = { ...shortest, tenants: [tenant], events };
    if (shortest.tenants.length > 1 && (await fails(candidate))) shortest = candidate;
  }
  for (let step = shortest.days >> 1; step >= 4; step >>= 1) {
    const candidate = cut(shortest, shortest.days - step);
    if (candidate.days > 0 && (await fails(candidate))) shortest = candidate;
  }
  for (let size = shortest.events.length >> 1; size >= 1; size >>= 1) {
    for (let start = 0; start < shortest.events.length;) {
      const candidate = { ...shortest, events: shortest.events.toSpliced(start, size) };
      if (await fails(candidate)) shortest = candidate;
      else start += size;
    }
  }
  return shortest;
}
