import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { bundleOptions } from '../../lib/bundle-options.ts';
import { rotate } from '../../lambda/rotation/rotate.ts';
import { crashing, world as rotationWorld } from '../rotation/world.ts';
import { Crash } from '../run/fakes.ts';
import { answerOf } from '../years/graph.ts';
import { digests, Fleet, tenants } from '../years/fleet.ts';
import { cut, historyOf, type History } from '../years/history.ts';
import { truthOf } from '../years/truth.ts';
import { answersOf, goOn, renewOn, storeOf } from './go-on.ts';
import { digestedIn, outcomeOf, packed, type Release, type Renewal } from './release.ts';

/*
 * Keeps a small archive of the release at hand, and its code, once, when it is made: npm run release:archive
 *
 * The code of today plays some weeks of two tenants, with faults; what it wrote by then is kept, with what Graph answers
 * in the days that follow and what it makes of them. Each later release goes on with it (releases.test.ts), and the years
 * (test/years) are played by its code until an update.
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
  'restate back',
]);
const whole: History = { ...cut(historyOf(SEED), DAYS + LATER + 20), tenants: [0, 1], update: null };
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

const base64 = (of: Iterable<[string, Uint8Array]>) =>
  Object.fromEntries([...of].map(([key, bytes]) => [key, Buffer.from(bytes).toString('base64')]));
const isOurs = (key: string) => !key.startsWith('state/rotation');
const release: Release = {
  archive: base64(
    [...objects].flatMap(([key, { bytes }]) => (isOurs(key) ? [[key, bytes] as [string, Uint8Array]] : [])),
  ),
  later,
  digestsAt: [...new Set(later.map(({ at }) => at.slice(0, 10)))].flatMap((date) =>
    digests
      .filter(({ every }) => every === 'day' || date.endsWith('-01'))
      .map(({ name }) => ({ name, at: `${date}T09:00:00.000Z` })),
  ),
  expected: {},
};
const { store } = await goOn(release);
for (const index of history.tenants) {
  const { tenantId } = tenants[index]!;
  release.expected[tenantId] = await outcomeOf(store, tenantId);
  // What goes on with the archive agrees with the oracle, which has seen the fleet go on.
  assert.deepEqual(release.expected[tenantId], await outcomeOf(fleet.store, tenantId));
}
release.digested = await digestedIn(store);
release.answers = await answersOf(storeOf(release.archive));

/** Dies when the first app has its new key, so that the second has none and the secret has not switched. */
const renewing = await rotationWorld();
const dying = crashing(renewing.rotation().ports, 1, 'after', ['keys']);
const died: unknown = await rotate({ ...renewing.rotation(), ports: dying.ports }).catch(
  (error: unknown) => error,
);
assert.ok(died instanceof Crash);
const { versions, current, pending, previous } = renewing.secret;
const renewal: Renewal = {
  at: renewing.clock.now().toISOString(),
  archive: base64(renewing.store.objects),
  secret: { versions, current, pending, previous },
  apps: Object.fromEntries(
    [...renewing.keys.apps].map(([clientId, { keys }]) => [
      clientId,
      keys.map((key) => ({
        ...key,
        notAfter: key.notAfter.toISOString(),
        visible: key.visible.toISOString(),
      })),
    ]),
  ),
};
release.renewal = { ...renewal, ended: await renewOn(renewal) };

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const bytes = packed(release);
const { outputFiles } = await build({
  ...bundleOptions,
  // One file, of which nothing depends on where it lies.
  splitting: false,
  entryPoints: [fileURLToPath(new URL('code.ts', import.meta.url))],
  absWorkingDir: fileURLToPath(new URL('../..', import.meta.url)),
  write: false,
});
const code = brotliCompressSync(outputFiles[0]!.contents);
const folder = new URL(`${version}/`, import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('archive.json.br', folder), bytes);
writeFileSync(new URL('code.mjs.br', folder), code);
const kB = ({ length }: Buffer) => `${(length / 1000).toFixed(0)} kB`;
console.log(`${version}: ${objects.size} objects, ${kB(bytes)}, and the code, ${kB(code)}`);
