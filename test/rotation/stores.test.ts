import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileCertificate } from '../../lambda/rotation/file-certificate.ts';
import type { CertificateStore } from '../../lambda/rotation/ports.ts';
import { secretCertificate } from '../../lambda/rotation/secret-certificate.ts';

const ID = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';

interface Place {
  certificates: CertificateStore;
  /** As a human writes it. */
  put(pem: string): Promise<void>;
  end(): Promise<void>;
}

async function inFile(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'secure-score-rotation-'));
  const path = join(folder, 'app.pem');
  const put = (pem: string) => writeFile(path, pem, { mode: 0o600 });
  await put('first');
  return { certificates: fileCertificate(path), put, end: () => rm(folder, { recursive: true }) };
}

/** Secrets Manager, as its documentation has it. */
async function inSecret(): Promise<Place> {
  const versions = new Map<string, { text: string; stages: Set<string> }>();
  const move = (stage: string, to: string) => {
    for (const { stages } of versions.values()) stages.delete(stage);
    versions.get(to)!.stages.add(stage);
  };
  const become = (to: string) => {
    const before = [...versions].find(([, { stages }]) => stages.has('AWSCURRENT'))?.[0];
    move('AWSCURRENT', to);
    if (before && before !== to) move('AWSPREVIOUS', before);
  };
  const fail = (name: string) =>
    Promise.reject(Object.assign(new Error(name), { name, $metadata: { httpStatusCode: 400 } }));
  const mock = mockClient(SecretsManagerClient);
  mock.on(DescribeSecretCommand).callsFake(() => ({
    Name: 'secure-score/certificate',
    VersionIdsToStages: Object.fromEntries(
      [...versions].filter(([, { stages }]) => stages.size > 0).map(([id, { stages }]) => [id, [...stages]]),
    ),
  }));
  mock
    .on(GetSecretValueCommand)
    .callsFake(({ VersionId }) => ({ SecretString: versions.get(VersionId)?.text }));
  mock
    .on(PutSecretValueCommand)
    .callsFake(({ ClientRequestToken: id, SecretString: text, VersionStages }) => {
      const there = versions.get(id);
      if (there && there.text !== text) return fail('ResourceExistsException');
      if (!there) versions.set(id, { text, stages: new Set() });
      for (const stage of VersionStages) move(stage, id);
      return {};
    });
  mock
    .on(UpdateSecretVersionStageCommand)
    .callsFake(({ VersionStage: stage, MoveToVersionId: to, RemoveFromVersionId: from }) => {
      if (from !== undefined && !versions.get(from)?.stages.has(stage))
        return fail('InvalidParameterException');
      if (to === undefined) versions.get(from)!.stages.delete(stage);
      else if (stage === 'AWSCURRENT') become(to);
      else move(stage, to);
      return {};
    });
  let puts = 0;
  const put = async (text: string) => {
    const id = `put-${(puts += 1)}`;
    versions.set(id, { text, stages: new Set() });
    become(id);
  };
  await put('first');
  return {
    certificates: secretCertificate(
      'secure-score/certificate',
      new SecretsManagerClient({ region: 'eu-central-1' }),
    ),
    put,
    end: async () => mock.restore(),
  };
}

describe.each([
  ['a file', inFile],
  ['a secret', inSecret],
])('%s', (_, build) => {
  let place: Place;
  let certificates: CertificateStore;
  beforeEach(async () => {
    place = await build();
    ({ certificates } = place);
  });
  afterEach(() => place.end());

  it('lets the next certificate sign in, keeps the former one until it is removed, and ends with one', async () => {
    const before = await certificates.look();
    expect(before).toMatchObject({ current: { pem: 'first' }, next: null });
    await certificates.stage(ID, 'second\n');
    expect(await certificates.look()).toMatchObject({ current: { pem: 'first' }, next: { id: ID } });
    expect(await certificates.promote(ID, before.current.id)).toBe(true);
    await certificates.unstage(ID);
    const after = await certificates.look();
    expect(after).toMatchObject({ current: { id: ID }, next: null, previous: before.current.id });
    expect(after.current.pem).toContain('second');
    await certificates.forget(before.current.id);
    expect(await certificates.look()).toMatchObject({ current: { id: ID }, previous: null });
  });

  it('repeats any of it without harm', async () => {
    const { current } = await certificates.look();
    for (let time = 0; time < 2; time += 1) await certificates.stage(ID, `made in attempt ${time}\n`);
    expect((await certificates.look()).next?.pem).toContain('attempt 0');
    await certificates.promote(ID, current.id);
    expect(await certificates.promote(ID, current.id)).toBe(false);
    await certificates.stage(ID, 'made by a slow attempt\n');
    expect(await certificates.look()).toMatchObject({ current: { id: ID }, next: null });
    for (let time = 0; time < 2; time += 1) await certificates.unstage(ID);
    for (let time = 0; time < 2; time += 1) await certificates.forget(current.id);
    await certificates.forget(OTHER);
    await certificates.unstage(OTHER);
    expect((await certificates.look()).current.pem).toContain('attempt 0');
  });

  it('does not overrule a human who has put another one there', async () => {
    const { current } = await certificates.look();
    await certificates.stage(ID, 'second\n');
    await place.put('by hand');
    expect(await certificates.promote(ID, current.id)).toBe(false);
    await certificates.unstage(ID);
    expect(await certificates.look()).toMatchObject({ current: { pem: 'by hand' }, next: null });
  });

  it('replaces a renewal that was given up by the next one', async () => {
    await certificates.stage(ID, 'second\n');
    await certificates.stage(OTHER, 'third\n');
    expect(await certificates.look()).toMatchObject({ current: { pem: 'first' }, next: { id: OTHER } });
  });
});

it('files are readable by their owner alone, and nothing else lies beside them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'secure-score-rotation-'));
  const path = join(folder, 'app.pem');
  await writeFile(path, 'first', { mode: 0o600 });
  const certificates = fileCertificate(path);
  const { current } = await certificates.look();
  await certificates.stage(ID, 'second\n');
  await certificates.promote(ID, current.id);
  expect((await readdir(folder)).toSorted()).toEqual(['app.pem', 'app.pem.previous']);
  for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  expect(await readFile(`${path}.previous`, 'utf8')).toBe('first');
  await rm(folder, { recursive: true });
});
