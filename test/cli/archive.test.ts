import { copyFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tenantIdOf } from '../../cli/shared/archive-choice.ts';
import { Archive } from '../../lambda/archive/archive.ts';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { EMPTY_STATE } from '../../lambda/archive/state.ts';
import { generatedTenant } from '../../simulator/generated-tenant.ts';
import { archiveTenant, practiceArchive } from '../archive/archive-day.ts';
import { secureScore } from './support.ts';

const root = await mkdtemp(path.join(tmpdir(), 'archive-'));

/** Of the practice tenant and another one, as they are: each command that reads it takes its time. */
const complete = path.join(root, 'complete');
const config = path.join(root, 'config.json');
let tenantIds: string[];

/** Of two tenants with few recommendations: for what commands say about any archive. */
const few = path.join(root, 'few');
const configOfFew = path.join(root, 'few.json');
let fewIds: string[];

beforeAll(async () => {
  ({ tenantIds } = await practiceArchive(folderStore(complete), { others: 1 }));
  await writeConfig(config, tenantIds);
  const tenants = ['one', 'another'].map((name) =>
    generatedTenant(name, { today: '2026-03-31', controls: 24 }),
  );
  for (const tenant of tenants) await archiveTenant(folderStore(few), tenant);
  fewIds = tenants.map(({ tenantId }) => tenantId);
  await writeConfig(configOfFew, fewIds);
}, 120_000);
afterAll(() => rm(root, { recursive: true }));

/** The first tenant is Contoso; of the other, no config knows the name. */
async function writeConfig(file: string, [tenantId]: string[]): Promise<void> {
  const recipients = ['a@contoso.com'];
  await writeFile(
    file,
    JSON.stringify({
      tenants: [{ name: 'Contoso', tenantId, clientId: tenantId, recipients }],
      operations: recipients,
      mail: { from: 'c@contoso.com' },
    }),
  );
}

let copies = 0;
async function damagedCopy() {
  const folder = path.join(root, `damaged-${(copies += 1)}`);
  await cp(few, folder, { recursive: true });
  const columns = path.join(folder, `history/controls/month=2026-02/${fewIds[0]}.parquet`);
  await writeFile(columns, (await readFile(columns)).subarray(0, 1000));
  return { folder, columns };
}

describe('archive verify', () => {
  it('reports of each tenant that it is complete, what it holds, and which days Microsoft never published', async () => {
    const { code, stdout } = await secureScore(
      'archive',
      'verify',
      '--archive',
      complete,
      '--config',
      config,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Contoso {2}✓ complete\n {2}99 snapshots of 98 days, 22 Dec 2025 to 31 Mar 2026/);
    expect(stdout).toContain(
      `no snapshot of 2 Feb 2026 to 3 Feb 2026 (2 days): Microsoft had none when asked on`,
    );
    // The other one has no name: no config knows it, and no run has said it.
    expect(stdout).toContain(`\n${tenantIds[1]}  ✓ complete`);
  });

  it('lists what is wrong, says what to do, and ends with 1; as JSON too', async () => {
    const { folder } = await damagedCopy();
    const flags = ['archive', 'verify', '--archive', folder, '--config', configOfFew];
    const { code, stdout } = await secureScore(...flags);
    expect(code).toBe(1);
    expect(stdout).toContain('Contoso  ✗ 1 finding');
    expect(stdout).toContain(`✗ columns  history/controls/month=2026-02/${fewIds[0]}.parquet`);
    expect(stdout).toContain('secure-score archive rebuild');

    const one = await secureScore(...flags, '--tenant', 'Contoso', '--json');
    expect(one.code).toBe(1);
    expect(one.json()).toMatchObject({
      tenant: fewIds[0],
      name: 'Contoso',
      findings: [{ kind: 'columns', consequence: 'Answers of the history may be wrong.' }],
    });
    const sound = await secureScore(...flags, '--tenant', fewIds[1]!.toUpperCase(), '--json');
    expect(sound.code).toBe(0);
    expect(sound.json()).toMatchObject({ tenant: fewIds[1], name: null, findings: [] });

    await writeFile(path.join(folder, 'snapshots/readme.txt'), '?');
    const all = await secureScore(...flags, '--json');
    expect(all.json()).toMatchObject({
      tenants: [{ tenant: fewIds[0] }, { tenant: fewIds[1] }],
      findings: [{ kind: 'foreign', key: 'snapshots/readme.txt' }],
      absent: [],
    });
    expect((await secureScore(...flags)).stdout).toContain(
      'Outside any tenant\n  ✗ foreign  snapshots/readme.txt',
    );
  });
});

describe('archive acknowledge', () => {
  it('removes a loss from the findings, says that it is not signed, and verify lists it with its reason', async () => {
    const folder = path.join(root, 'acknowledged');
    await cp(few, folder, { recursive: true });
    const days = `snapshots/tenant=${fewIds[0]}/`;
    for (const date of ['2026-02-20', '2026-03-05'])
      await rm(path.join(folder, days, `date=${date}`), { recursive: true });
    const flags = ['--archive', folder, '--config', configOfFew];
    const verify = () => secureScore('archive', 'verify', ...flags, '--tenant', 'Contoso', '--json');
    const acknowledge = (key: string) =>
      secureScore('archive', 'acknowledge', key, '--reason', 'Disk failed, ticket 4711', ...flags);
    expect((await verify()).json().findings).toHaveLength(2);

    const first = await acknowledge(`${days}date=2026-02-20/`);
    expect([first.code, first.stdout]).toEqual([
      0,
      expect.stringContaining('Acknowledged 1 finding by entry'),
    ]);
    expect(first.stdout).toContain('not signed');
    const partial = await verify();
    expect([partial.code, partial.json()]).toMatchObject([
      1,
      {
        findings: [{ key: expect.stringContaining('2026-03-05'), kind: 'missing' }],
        acknowledged: [{ key: expect.stringContaining('2026-02-20'), reason: 'Disk failed, ticket 4711' }],
      },
    ]);
    // The beginning of a key stands for the findings that there are, and for none that come later.
    expect((await acknowledge(days)).code).toBe(0);
    expect((await verify()).code).toBe(0);
    const { stdout } = await secureScore('archive', 'verify', ...flags);
    expect(stdout).toMatch(/· acknowledged .*2026-02-20.*\(by an entry that is not signed\): Disk failed/);
    await rm(path.join(folder, days, 'date=2026-03-06'), { recursive: true });
    expect((await verify()).json().findings).toMatchObject([{ key: expect.stringContaining('2026-03-06') }]);

    const again = await acknowledge(`${days}date=2026-02-20/`);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('finds nothing wrong with')]);
    const wrong = await acknowledge('readme.txt');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('"readme.txt"')]);
  });
});

describe('archive verify for auditors', () => {
  it('finds the head that a mail printed, of one tenant, and a tenant of the config that the archive lacks', async () => {
    const flags = ['archive', 'verify', '--archive', few, '--config', configOfFew];
    const one = (await secureScore(...flags, '--tenant', 'Contoso', '--json')).json();
    expect(one.ledger).toMatchObject({ head: { hash: expect.stringMatching(/^[0-9a-f]{64}$/) } });
    const head = one.ledger.head.hash.slice(0, 12);
    expect((await secureScore(...flags, '--tenant', 'Contoso', '--head', head)).code).toBe(0);
    const other = await secureScore(...flags, '--tenant', 'Contoso', '--head', '0123456789ab', '--json');
    expect([other.code, other.json().findings]).toMatchObject([1, [{ kind: 'missing' }]]);
    expect((await secureScore(...flags, '--head', head)).stderr).toContain('name the tenant with --tenant');
    expect((await secureScore(...flags, '--head', 'xyz')).stderr).toContain('not "xyz"');
    expect((await secureScore(...flags, '--certificate', configOfFew)).stderr).toContain(
      'has no certificate in it',
    );

    const lonely = path.join(root, 'lonely');
    await cp(few, lonely, { recursive: true });
    for (const kind of ['snapshots', 'profiles', 'ledger']) {
      await rm(path.join(lonely, kind, `tenant=${fewIds[0]}`), { recursive: true });
    }
    await rm(path.join(lonely, 'history'), { recursive: true });
    await rm(path.join(lonely, 'state'), { recursive: true });
    const lacking = await secureScore('archive', 'verify', '--archive', lonely, '--config', configOfFew);
    expect([lacking.code, lacking.stdout]).toEqual([
      1,
      expect.stringContaining('Contoso  ✗ nothing is archived'),
    ]);
  });
});

describe('archive rebuild', () => {
  it('repairs the columns, byte for byte, and does not touch what is intact', async () => {
    const { folder, columns } = await damagedCopy();
    const { code, stdout } = await secureScore(
      'archive',
      'rebuild',
      '--archive',
      folder,
      '--config',
      configOfFew,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Contoso {2}90 days, 1 file written/m);
    expect(stdout).toMatch(/90 days, every file was already right/);
    expect(await readFile(columns)).toEqual(await readFile(columns.replace(folder, few)));
  });

  it('keeps the rows of a day whose snapshot was changed or is missing, lists it, and ends with 1', async () => {
    const folder = path.join(root, 'unproven');
    await cp(few, folder, { recursive: true });
    const days = path.join(folder, `snapshots/tenant=${fewIds[0]}`);
    await rm(path.join(days, 'date=2026-03-05'), { recursive: true });
    const day = path.join(days, 'date=2026-02-20');
    const [file = ''] = await readdir(day);
    const content = JSON.parse(gunzipSync(await readFile(path.join(day, file))).toString()) as {
      secureScore: { currentScore: number };
    };
    content.secureScore.currentScore = 1;
    await writeFile(path.join(day, file), gzipSync(JSON.stringify(content)));
    const flags = ['archive', 'rebuild', '--archive', folder, '--config', configOfFew];
    const { code, stdout } = await secureScore(...flags);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /✗ 2026-02-20 {2}its rows stay as they were .*does not match the hash in its name/,
    );
    expect(stdout).toMatch(/✗ 2026-03-05 {2}its rows stay as they were .*it has no snapshot/);
    const one = await secureScore(...flags, '--tenant', 'Contoso', '--json');
    expect([one.code, one.json()]).toMatchObject([
      1,
      { files: [], unproven: [{ date: '2026-02-20', rows: 'kept' }, { date: '2026-03-05' }] },
    ]);
    const bytes = (of: string) =>
      readFile(path.join(of, `history/scores/month=2026-02/${fewIds[0]}.parquet`));
    expect(await bytes(folder)).toEqual(await bytes(few));
  });

  it('makes all columns if there are none, and prints JSON', async () => {
    const folder = path.join(root, 'bare');
    for (const kind of ['snapshots', 'profiles']) {
      await cp(path.join(complete, kind), path.join(folder, kind), { recursive: true });
    }
    const { code, json } = await secureScore('archive', 'rebuild', '--archive', folder, '--json');
    expect(code).toBe(0);
    expect(json()).toMatchObject([
      { tenant: tenantIds[0], name: null, days: 98, files: { length: 12 } },
      { tenant: tenantIds[1], days: 90 },
    ]);
    const filesOf = async (of: string) =>
      (await readdir(path.join(of, 'history'), { recursive: true })).toSorted();
    expect(await filesOf(folder)).toEqual(await filesOf(complete));
    expect(await secureScore('archive', 'verify', '--archive', folder)).toMatchObject({ code: 0 });
  });
});

describe('archive', () => {
  it('accepts a tenant by its id or name, from the config or its last run', async () => {
    const [tenantId = '', other = ''] = tenantIds;
    expect(await tenantIdOf({ archive: complete, config, tenant: 'Contoso' })).toBe(tenantId);
    expect(await tenantIdOf({ archive: 's3://never-asked', tenant: other.toUpperCase() })).toBe(other);
    await expect(tenantIdOf({ archive: complete, config, tenant: 'Fabrikam' })).rejects.toThrow(
      'has no tenant',
    );
    const twins = path.join(root, 'twins');
    for (const id of tenantIds) {
      await new Archive(folderStore(twins), id).swapState({ ...EMPTY_STATE, name: 'Twin' }, null);
    }
    await expect(tenantIdOf({ archive: twins, tenant: 'Twin' })).rejects.toThrow(
      'has 2 tenants with the name "Twin"',
    );
    await rm(path.join(twins, `state/tenant=${other}.json`));
    expect(await tenantIdOf({ archive: twins, tenant: 'Twin' })).toBe(tenantId);
  });

  it.each([
    ['archive', 'verify'],
    ['archive', 'rebuild'],
    [
      'archive',
      'acknowledge',
      `reports/tenant=${'0'.repeat(8)}-0000-0000-0000-000000000001/`,
      '--reason',
      'Lost',
    ],
    ['history', 'losses'],
    ['history', 'sql', 'SELECT 1'],
    ['history', 'open', '--out', 'score.html'],
  ])('%s %s needs no config for a given archive: one that is not filled in is left out', async (...args) => {
    const absent = [...args, '--archive', 'absent'];
    const without = await secureScore(...absent);
    await copyFile(path.join(import.meta.dirname, '../../monitor.config.example.ts'), 'monitor.config.ts');
    try {
      const given = await secureScore(...absent);
      const note =
        'monitor.config.ts is not a valid config. The command does not need it and goes on without it.';
      expect(given).toMatchObject({ code: without.code, stderr: `! ${note}\n${without.stderr}` });
      // Otherwise the config decides where the archive is.
      const { stderr } = await secureScore(...args);
      expect(stderr).toMatch(
        /^monitor\.config\.ts is not a valid config:\n.*, expected the id that .* shows, not the/,
      );
    } finally {
      await rm('monitor.config.ts');
    }
  });

  const empty = path.join(root, 'empty');
  it.each([
    [['archive'], 2, 'Choose a command: archive rebuild, verify, acknowledge or pull.'],
    [['archive', 'pull', 's3://bucket'], 2, 'argument is missing'],
    [['archive', 'pull', '--deployed'], 2, 'An argument is missing: pull --deployed needs <folder>.'],
    [['archive', 'pull', '--deployed', 's3://bucket', 'copy'], 2, 'not the source "s3://bucket"'],
    [['archive', 'pull', 'folder', 'copy'], 2, 'The source is a bucket, s3://bucket/prefix, not "folder".'],
    [['archive', 'verify', '--nope'], 2, 'Unknown argument: nope'],
    [['archive', 'verify', '--archive', ''], 2, '--archive must be given once, with one value'],
    [['archive', 'verify', '--archive', empty], 1, 'There is no archive in'],
    [['archive', 'rebuild', '--archive', complete, '--tenant', 'Fabrikam'], 1, 'has no tenant "Fabrikam"'],
    [['archive', 'rebuild', '--archive', complete, '--config', 'absent.ts'], 1, 'no config at "absent.ts"'],
    [['archive', 'pull', 's3://X', 'copy'], 1, '"X" is not a bucket name'],
  ])('%j ends with %i and says what to do', async (args, code, message) => {
    const answer = await secureScore(...args);
    expect([answer.code, answer.stderr]).toEqual([code, expect.stringContaining(message)]);
  });

  it.each(['rebuild', 'verify', 'pull'])('%s has help', async (command) => {
    const { code, stdout } = await secureScore('archive', command, '--help');
    expect([code, stdout]).toEqual([0, expect.stringContaining('Examples:')]);
  });
});
