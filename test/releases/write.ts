import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { answerOf } from '../years/graph.ts';
import { Fleet, tenants } from '../years/fleet.ts';
import { cut, historyOf, type History } from '../years/history.ts';
import { truthOf } from '../years/truth.ts';
import { outcomeOf, packed, type Release } from './release.ts';

/*
 * Keeps a small archive of the release at hand, once, when it is made: npm run release:archive
 *
 * The code of today plays some weeks of two tenants, with faults; what it wrote by then is kept, with what Graph answers
 * in the days that follow and what it makes of them. Each later release goes on with it (releases.test.ts).
 */

const SEED = 5;
const DAYS = 40;
const LATER = 12;
/** As many entries as a run asks for, and some. */
const ENTRIES = 12;

/** No fault reaches into the days that follow. */
const TRUE = new Set([
  'move',
  'drift',
  're-score',
  'add',
  'retire',
  'rename',
  'services',
  'decide',
  'restate',
]);
const whole: History = { ...cut(historyOf(SEED), DAYS + LATER + 20), tenants: [0, 1] };
const isLeft = ({ on, kind }: History['events'][number]) => TRUE.has(kind) || on < DAYS - 12;
const history: History = { ...whole, events: whole.events.filter(isLeft) };

const fleet = new Fleet(history);
for (let day = 0; day < DAYS; day += 1) await fleet.day(day);
const objects = fleet.store.copy().objects;

const later: Release['later'] = [];
for (let day = DAYS; day < DAYS + LATER; day += 1) {
  for (const index of history.tenants) {
    const { tenantId } = tenants[index]!;
    const truth = truthOf(history, index, tenantId);
    const at = new Date(`${truth.days[day]!.date}T08:00:00Z`);
    const answer = answerOf(truth, day, at, []);
    later.push({
      tenantId,
      at: at.toISOString(),
      entries: answer.entries(ENTRIES),
      profiles: answer.profiles(),
    });
  }
  await fleet.day(day);
}
const { violations } = fleet.oracle;
if (violations.length > 0) throw new Error(violations.join('\n'));

const ids = history.tenants.map((index) => tenants[index]!.tenantId);
const expected = await Promise.all(ids.map(async (id) => [id, await outcomeOf(fleet.store, id)] as const));
const isOurs = (key: string) => !key.startsWith('state/rotation') && !key.includes('digest=');
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const bytes = packed({
  archive: Object.fromEntries(
    [...objects]
      .filter(([key]) => isOurs(key))
      .map(([key, object]) => [key, Buffer.from(object.bytes).toString('base64')]),
  ),
  later,
  expected: Object.fromEntries(expected),
});
const folder = new URL(`${version}/`, import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('archive.json.br', folder), bytes);
console.log(`${version}: ${objects.size} objects, ${(bytes.length / 1000).toFixed(0)} kB`);
