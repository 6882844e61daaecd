import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDbHistory } from '../../history/duckdb.ts';
import { allQuestions, bind, takes } from '../../history/questions.ts';
import { rotate } from '../../lambda/rotation/rotate.ts';
import { MemoryStore, world } from '../run/fakes.ts';
import { DAY_MS, thumbprintOf, world as rotationWorld } from '../rotation/world.ts';
import { configuredBy } from '../years/fleet.ts';
import * as today from './code.ts';
import type { Code } from './former.ts';
import type { Release, Renewal } from './release.ts';

/*
 * What follows on what a release left. The release itself goes on in the same way when it is written down, so that what it
 * makes of the days is what is expected.
 */

export function storeOf(archive: Release['archive']): MemoryStore {
  const store = new MemoryStore();
  for (const [key, bytes] of Object.entries(archive)) store.objects.set(key, Buffer.from(bytes, 'base64'));
  return store;
}

/** The runs that follow, and the digests between them, by the code of today or that of a release. */
export async function goOn({ archive, later, digestsAt = [] }: Release, code: Code = today) {
  const { tenants, digests } = configuredBy(code);
  const w = world(later[0]!.at);
  for (const [key, bytes] of storeOf(archive).objects) w.store.objects.set(key, bytes);
  const ids = new Set(later.map(({ tenantId }) => tenantId));
  const schedules = tenants.filter(({ tenantId }) => ids.has(tenantId));
  const since = new Date('2026-01-01T00:00:00Z');
  const digest = async ({ name, at }: { name: string; at: string }) => {
    w.clock.set(at);
    const { sender, ports } = w.runOf();
    await code.makeDigest({
      digest: digests.find((each) => each.name === name)!,
      sender,
      ports: {
        ...ports,
        schedules: {
          list: async () =>
            schedules.map(({ tenantId }) => ({ tenantId, name: tenantId, enabled: true, since })),
        },
      },
    });
  };
  const due = [...digestsAt];
  for (const { tenantId, at, entries, profiles } of later) {
    while (due[0] && due[0].at < at) await digest(due.shift()!);
    w.clock.set(at);
    w.tenant = tenants.find((each) => each.tenantId === tenantId)!;
    const run = w.runOf();
    run.ports.graph = {
      signIn: async () => ({
        secureScores: async (days: number) => entries.slice(0, days),
        controlProfiles: async () => profiles,
      }),
    };
    await code.monitor(run);
  }
  for (const each of due) await digest(each);
  return { store: w.store, logged: w.logged };
}

const RENEWAL_DAYS = 12;

/** The days that follow on an interrupted renewal: which certificate signs in, and which keys and steps are left. */
export async function renewOn({ at, archive, secret, apps }: Renewal) {
  const w = await rotationWorld(59, 365, new Date(at));
  for (const [key, bytes] of storeOf(archive).objects) w.store.objects.set(key, bytes);
  Object.assign(w.secret, structuredClone(secret));
  for (const [clientId, keys] of Object.entries(apps))
    w.keys.apps.get(clientId)!.keys = keys.map((key) => ({
      ...key,
      notAfter: new Date(key.notAfter),
      visible: new Date(key.visible),
    }));
  for (let day = 0; day < RENEWAL_DAYS; day += 1) {
    w.clock.advance(DAY_MS);
    await w.everybodySignsIn();
    await w.runAll();
    await rotate(w.rotation());
  }
  const { pending, previous } = w.secret;
  return {
    current: thumbprintOf(w.secret.pem()),
    keys: [...w.keys.apps.values()].map(({ keys }) => keys.map(({ thumbprint }) => thumbprint)),
    pending,
    previous,
    mails: w.mailer.sent.length,
  };
}

/** What the questions of the history answer, by DuckDB. */
export async function answersOf(store: MemoryStore): Promise<Record<string, unknown[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'release-'));
  try {
    for (const [key, bytes] of store.objects) {
      if (!key.startsWith('history/')) continue;
      await mkdir(dirname(join(folder, key)), { recursive: true });
      await writeFile(join(folder, key), bytes);
    }
    const engine = await DuckDbHistory.open({
      folder,
      onSkipped: ({ path, why }) => {
        throw new Error(`${path}: ${why}`);
      },
    });
    const newest = (await engine.newest())!;
    const { rows: named } = await engine.ask('SELECT min(control) AS control FROM controls', null);
    const answers: Record<string, unknown[]> = {};
    for (const question of allQuestions()) {
      const control = takes(question, 'control') ? { control: named[0]!['control'] as string } : {};
      const { sql, scope } = bind(question, control, newest);
      answers[question.name] = (await engine.ask(sql, scope)).rows;
    }
    return answers;
  } finally {
    await rm(folder, { recursive: true });
  }
}
