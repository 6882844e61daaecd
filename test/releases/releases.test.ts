import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { writeColumns } from '../../lambda/archive/columns/write.ts';
import { listTenants } from '../../lambda/archive/tenants.ts';
import { verify } from '../../lambda/archive/verify.ts';
import type { ObjectStore } from '../../lambda/ports.ts';
import { codeOf, releases } from './former.ts';
import { answersOf, goOn, renewOn, storeOf } from './go-on.ts';
import { digestedIn, outcomeOf, unpacked } from './release.ts';

/*
 * The code of today goes on with what each release left (write.ts), in the middle of a tenant's life.
 */

const readRelease = (version: string) =>
  unpacked(readFileSync(new URL(`${version}/archive.json.br`, import.meta.url)));

async function findingsIn(store: ObjectStore) {
  const { tenants: all, foreign } = await listTenants(store);
  const found = await Promise.all(all.map((objects) => verify({ store, objects })));
  return [...found.flatMap(({ findings }) => findings), ...foreign];
}

/** The days that follow, by the code of today. */
const goneOn = async (version: string) => {
  const release = readRelease(version);
  return { ...release, ...(await goOn(release)) };
};

it('there is an archive of a release', () => {
  expect(releases).not.toEqual([]);
});

describe.each(releases)('an archive that release %s wrote', (version) => {
  it('proves itself', async () => {
    expect(await findingsIn(storeOf(readRelease(version).archive))).toEqual([]);
  });

  it('is gone on with: nothing is missed or repeated, in runs and digests, and all of it proves itself', async () => {
    const { store, logged, expected, digested } = await goneOn(version);
    for (const [tenantId, outcome] of Object.entries(expected))
      expect(await outcomeOf(store, tenantId)).toEqual(outcome);
    expect(await digestedIn(store)).toEqual(digested ?? []);
    expect(await findingsIn(store)).toEqual([]);
    expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('is gone on with by its own code as it was then, so that the years are played by that release', async () => {
    const release = readRelease(version);
    const { store } = await goOn(release, await codeOf(version));
    for (const [tenantId, outcome] of Object.entries(release.expected))
      expect(await outcomeOf(store, tenantId)).toEqual(outcome);
    expect(await digestedIn(store)).toEqual(release.digested ?? []);
  });

  it('answers all questions as that release answered them', async () => {
    const { archive, answers = {} } = readRelease(version);
    // A later release may answer more.
    expect(await answersOf(storeOf(archive))).toMatchObject(answers);
  });

  it('has an interrupted renewal, which ends as that release ended it', async () => {
    const { renewal } = readRelease(version);
    expect(renewal && (await renewOn(renewal))).toEqual(renewal?.ended);
  });

  it('makes the same history from scratch', async () => {
    const { store, logged, expected } = await goneOn(version);
    const log = {
      info: () => {},
      warn: () => {},
      error: (message: string) => logged.push({ level: 'error', message }),
    };
    const copy = store.copy();
    for (const key of copy.objects.keys()) if (/^(history|state)\//.test(key)) copy.objects.delete(key);
    for (const tenantId of Object.keys(expected))
      await writeColumns({ store: copy, tenantId, log, everything: true });
    expect(Object.keys(copy.dump('history/'))).toEqual(Object.keys(store.dump('history/')));
    for (const [tenantId, { changes, scores }] of Object.entries(expected))
      expect(await outcomeOf(copy, tenantId)).toMatchObject({ changes, scores });
    expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
