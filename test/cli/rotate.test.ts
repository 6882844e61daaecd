import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { practise, secureScore, holdsSecrets, type Practice } from './support.ts';

let practice: Practice;

beforeEach(async () => {
  practice = await practise('2026-01-09');
});
afterEach(() => practice.end());

const rotate = (...more: string[]) =>
  secureScore(
    'certificate',
    'rotate',
    '--config',
    practice.config,
    '--certificate',
    practice.pem,
    '--archive',
    join(practice.folder, 'archive'),
    ...more,
  );

it('--dry-run proves that it will work, and changes nothing', async () => {
  const before = await readFile(practice.pem, 'utf8');
  const { code, stdout } = await rotate('--dry-run');
  expect(stdout).toContain('has shown that it can roll its keys');
  expect(code).toBe(0);
  expect(await readFile(practice.pem, 'utf8')).toBe(before);
  expect(practice.app.registration.keys).toEqual([]);
});

it('--dry-run shows a wrong object id, and what to do', async () => {
  practice.app.registration.objectId = practice.tenantId;
  const { code, stdout } = await rotate('--dry-run');
  expect(code).toBe(1);
  expect(stdout).toMatch(/objectId/);
});

it('without AWS says how a file is renewed', async () => {
  vi.stubEnv('AWS_REGION', '');
  vi.stubEnv('AWS_DEFAULT_REGION', '');
  const { code, stderr } = await secureScore('certificate', 'rotate', '--dry-run');
  expect([code, stderr]).toEqual([1, expect.stringContaining('To renew a file: --certificate <file>')]);
});

it('says that it is not due, and changes nothing', async () => {
  const { code, stdout } = await rotate();
  expect([code, stdout]).toEqual([0, expect.stringContaining('not due')]);
  expect(practice.app.registration.keys).toEqual([]);
});

it('--now replaces the file by the next certificate; the former one lies beside it', async () => {
  const before = await readFile(practice.pem, 'utf8');
  const { code, stdout, stderr } = await rotate('--now');
  expect([code, stdout]).toEqual([0, expect.stringContaining('renewed')]);
  expect((await readdir(practice.folder)).filter((name) => name.startsWith('app.pem')).toSorted()).toEqual([
    'app.pem',
    'app.pem.previous',
  ]);
  expect(await readFile(`${practice.pem}.previous`, 'utf8')).toBe(before);
  expect((await stat(practice.pem)).mode & 0o777).toBe(0o600);
  expect(practice.app.registration.keys).toHaveLength(1);
  expect(holdsSecrets(stdout + stderr, await readFile(practice.pem, 'utf8'))).toBe(false);
  // It signs in, and the old one need not any more.
  practice.app.certificates.length = 0;
  const run = await secureScore(
    'run',
    '--config',
    practice.config,
    '--certificate',
    practice.pem,
    '--archive',
    join(practice.folder, 'archive'),
    '--outbox',
    join(practice.folder, 'mails'),
  );
  expect(run.code).toBe(0);
});

it('ends with 1 if a policy forbids it, and does not change the file', async () => {
  practice.app.registration.policy = 'certificates';
  const before = await readFile(practice.pem, 'utf8');
  const { code, stdout } = await rotate('--now', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    renewals: [{ status: 'blocked', obstacles: [{ code: 'renewal-forbidden' }] }],
  });
  expect(await readFile(practice.pem, 'utf8')).toBe(before);
});

it.each([[], ['--dry-run'], ['--json']])('reports a missing file, and fails %j', async (...flags) => {
  await rm(practice.pem);
  const { code, stdout, stderr } = await rotate(...flags);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^There is no certificate file ".*app\.pem"\.\n→ /);
});

it('says that nothing needs renewal if every tenant signs in federated', async () => {
  const config = JSON.parse(await readFile(practice.config, 'utf8')) as { tenants: object[] };
  const tenants = config.tenants.map((each) => ({ ...each, signIn: 'federated', objectId: undefined }));
  await writeFile(practice.config, JSON.stringify({ ...config, tenants }));
  const { code, stderr } = await rotate();
  expect([code, stderr]).toEqual([1, expect.stringContaining('There is no certificate to renew')]);
});
