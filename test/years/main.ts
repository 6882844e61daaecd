import { parseArgs } from 'node:util';
import { live, type Outcome } from './fleet.ts';
import { FIVE_YEARS, historyOf, type History } from './history.ts';

/*
 * Years of a fleet in one test: npm run test:years
 *
 *     -- --seeds 200        seeds 1 to 200, five years each
 *     -- --seed 7           one seed; with --days fewer days
 *
 * Without options: what CI has time for. A seed that fails prints the shortest history found that still fails.
 */

/** Half a year each, in a quarter of the CPU time that CI has: by hand it is five years. */
const IN_CI: [seed: number, days: number][] = [1, 2, 3, 4, 5, 6].map((seed) => [seed, 200]);

/** How many histories are tried to shorten one. */
const TRIES = 60;

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, seed: { type: 'string' }, days: { type: 'string' } },
});
const days = values.days === undefined ? FIVE_YEARS : Number(values.days);
const chosen: [seed: number, days: number][] =
  values.seed === undefined
    ? values.seeds === undefined
      ? IN_CI
      : Array.from({ length: Number(values.seeds) }, (_, index) => [index + 1, days])
    : [[Number(values.seed), days]];

let failed = 0;
for (const [seed, lasting] of chosen) {
  const history = historyOf(seed, lasting);
  const before = process.cpuUsage();
  const outcome = await live(history);
  const { user, system } = process.cpuUsage(before);
  print(history, outcome, (user + system) / 1e6);
  if (outcome.violations.length === 0) continue;
  failed += 1;
  const shortest = await shortened(history);
  console.log(`The shortest history that still fails: ${shortest.days} days`);
  for (const event of shortest.events) console.log(`  ${JSON.stringify(event)}`);
  for (const text of (await live(shortest)).violations.slice(0, 3)) console.log(`  ${text}`);
}
console.log(`${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function print(
  { seed, days: lasting, tenants, events }: History,
  { violations, figures }: Outcome,
  seconds: number,
): void {
  const { mails, ...counts } = figures;
  console.log(
    `Seed ${seed}, ${lasting} days of ${tenants} tenants, ${events.length} events, ${seconds.toFixed(1)} s of CPU`,
  );
  console.log(
    `  ${Object.entries(counts)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
  );
  for (const [person, byDay] of mails) {
    const all = [...byDay.values()].reduce((sum, each) => sum + each, 0);
    const rate = ((365.25 * all) / lasting).toFixed(0);
    console.log(`  ${person}: ${all} mails, ${rate} a year, at most ${Math.max(...byDay.values())} on a day`);
  }
  for (const text of violations.slice(0, 10)) console.log(`  VIOLATED ${text}`);
  if (violations.length > 10) console.log(`  and ${violations.length - 10} more`);
}

/** Ends with the first violation, keeps its kind of tenant, and drops events by halves, quarters, and so on. */
async function shortened(history: History): Promise<History> {
  let tries = 0;
  const fails = async (candidate: History) => {
    tries += 1;
    return tries <= TRIES && (await live(candidate)).violations.length > 0;
  };
  let shortest = history;
  for (let step = shortest.days >> 1; step >= 8; step >>= 1) {
    const shorter = { ...shortest, days: shortest.days - step };
    const candidate = { ...shorter, events: shorter.events.filter(({ on }) => on < shorter.days) };
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
