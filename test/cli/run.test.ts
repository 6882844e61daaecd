import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import PostalMime from 'postal-mime';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addDays, dateOf } from '../../lambda/dates.ts';
import { createCertificate, createServerCertificate, type KeyPair } from '../../simulator/certificates.ts';
import { generatedTenant } from '../../simulator/generated-tenant.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import { forbidden } from '../../simulator/faults.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import type { TimelineTenant } from '../../simulator/timeline.ts';
import { secureScore } from './support.ts';

/**
 * The real command against the simulator over TLS: no fakes. It has a process of its own where the process is what is
 * tested (its start, its death, two at once), and is called in this one where its result is.
 */

const BIN = resolve(import.meta.dirname, '../../bin/secure-score.ts');
const CLIENT_ID = '6f1d3a52-97b1-4c0b-8a3e-2f5d1c7e9b40';
const OTHER_TENANT = '0f0f0f0f-1111-4222-8333-444444444444';
const DAY_90 = addDays(dateOf(new Date()), -1);

let folder: string;
let simulator: Simulator;
let tenant: TimelineTenant;
let app: KeyPair;
let tls: KeyPair;

beforeAll(async () => {
  [app, tls] = await Promise.all([
    createCertificate({ commonName: 'test', days: 30 }),
    createServerCertificate(),
  ]);
});

/** Most tests need days, but no particular ones: each process that reads them takes its time. */
beforeEach(() => simulate(generatedTenant('run', { today: DAY_90, controls: 60 })));
afterEach(end);

async function simulate(simulated: TimelineTenant): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'secure-score-'));
  tenant = simulated;
  simulator = await startSimulator({ tenants: [tenant], tls });
  simulator.registerApp({ tenantId: tenant.tenantId, clientId: CLIENT_ID, certificates: [app.certificate] });
  await writeFile(join(folder, 'ca.pem'), simulator.ca);
  setDefaultCACertificates([...getCACertificates('default'), simulator.ca]);
  await writeFile(join(folder, 'app.pem'), `${app.privateKey}${app.certificate}`);
  await writeConfig('config.json', [tenantEntry('Contoso', tenant.tenantId)]);
}

async function end(): Promise<void> {
  await simulator.close();
  await rm(folder, { recursive: true });
}

function tenantEntry(name: string, tenantId: string) {
  const { authorityHost, graphEndpoint } = simulator;
  return {
    name,
    tenantId,
    clientId: CLIENT_ID,
    cloud: { authorityHost, graphEndpoint },
    recipients: { scores: ['scores@contoso.com'], controls: ['controls@contoso.com'] },
  };
}

function configOf(tenants: object[]) {
  return {
    tenants,
    operations: ['oncall@contoso.com'],
    mail: { from: 'Secure Score <secure-score@contoso.com>' },
  };
}

async function writeConfig(name: string, tenants: object[]): Promise<void> {
  await writeFile(join(folder, name), JSON.stringify(configOf(tenants)));
}

interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(...args: string[]) {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: folder,
    env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'), NO_COLOR: '1' },
  });
  const finished = new Promise<Finished>((done) => {
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
  return { child, finished };
}

const FLAGS = ['run', '--certificate', 'app.pem', '--archive', 'archive', '--outbox', 'mails'];

const withResult = (finished: Finished) => ({ ...finished, result: JSON.parse(finished.stdout || 'null') });

/** In a process of its own. */
async function run(...more: string[]) {
  return withResult(await start(...FLAGS, '--config', 'config.json', '--json', ...more).finished);
}

/** In this process, which takes half the time. */
async function runHere(...more: string[]) {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return withResult(await secureScore(...FLAGS, '--config', 'config.json', '--json', ...more));
  } finally {
    process.chdir(before);
  }
}

async function mails() {
  const names = (await readdir(join(folder, 'mails')).catch(() => [])).filter((name) =>
    name.endsWith('.eml'),
  );
  return Promise.all(
    names.toSorted().map(async (name) => PostalMime.parse(await readFile(join(folder, 'mails', name)))),
  );
}

async function archived(): Promise<string[]> {
  const entries = await readdir(join(folder, 'archive'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

describe('secure-score run', () => {
  it('archives, compares and mails, day after day, and prints exactly the result of the contract', async () => {
    await end();
    const practice = practiceTenant({ today: DAY_90 });
    await simulate(practice);
    const first = await run();
    expect(first.code).toBe(0);
    expect(Object.keys(first.result)).toEqual([
      'tenant',
      'name',
      'archived',
      'score',
      'changes',
      'explanation',
      'mails',
      'pending',
      'deliveries',
    ]);
    expect(first.result).toMatchObject({
      tenant: tenant.tenantId,
      name: 'Contoso',
      changes: [],
      pending: [],
    });
    expect(first.result.archived.at(-1)).toBe(DAY_90);
    expect(Object.keys(first.result.score)).toEqual(['date', 'points', 'maximum', 'percentage']);
    const { points, maximum, percentage } = first.result.score;
    expect(percentage).toBe((100 * points) / maximum);
    expect(first.result.mails).toMatchObject([
      { kind: 'start', to: ['scores@contoso.com', 'controls@contoso.com'] },
    ]);

    const again = await runHere();
    expect(again.code).toBe(0);
    expect(again.result).toMatchObject({ archived: [], changes: [], mails: [], pending: [] });

    simulator.advance();
    const second = await runHere();
    expect(second.code).toBe(0);
    expect(second.result.archived).toEqual([addDays(DAY_90, 1)]);
    const lost = practice.events
      .filter(({ day, kind }) => day === 91 && kind === 'lost')
      .map(({ control }) => control);
    expect(lost.length).toBeGreaterThan(0);
    for (const control of lost) {
      const change = second.result.changes.find((row: { control: string }) => row.control === control);
      expect(Object.keys(change)).toEqual([
        'kind',
        'control',
        'title',
        'category',
        'date',
        'previousDate',
        'points',
        'maximum',
        'percentagePoints',
        'cause',
      ]);
      expect(change).toMatchObject({ kind: 'lost', date: addDays(DAY_90, 1), previousDate: DAY_90 });
      expect(change.points.after).toBeLessThan(change.points.before);
    }

    const sent = await mails();
    const listed = [...first.result.mails, ...second.result.mails] as { subject: string; id: string }[];
    expect(new Set(sent.map(({ subject }) => subject))).toEqual(
      new Set(listed.map(({ subject }) => subject)),
    );
    expect(new Set(sent.map(({ messageId }) => messageId))).toEqual(new Set(listed.map(({ id }) => id)));
  }, 30_000);

  it('runs the tenants in turn: one that fails does not stop the others, and the exit code shows it', async () => {
    await writeConfig('config.json', [
      tenantEntry('Nobody', OTHER_TENANT),
      tenantEntry('Contoso', tenant.tenantId),
    ]);
    const { code, result, stderr } = await run();
    expect(code).toBe(1);
    expect(result).toMatchObject([
      { tenant: OTHER_TENANT, name: 'Nobody', error: { code: 'tenant-not-found' } },
      { tenant: tenant.tenantId, mails: [{ kind: 'start' }] },
    ]);
    expect(Object.keys(result[0])).toEqual(['tenant', 'name', 'error']);
    expect(Object.keys(result[0].error)).toEqual(['code', 'message', 'advice']);
    const logged = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(logged).toContainEqual(expect.objectContaining({ level: 'error', code: 'tenant-not-found' }));

    const one = await runHere('--tenant', 'contoso'.replace('c', 'C'));
    expect(one.code).toBe(0);
    expect(one.result).toMatchObject({ name: 'Contoso', mails: [] });
  }, 30_000);

  it('reveals nothing secret, whatever fails', async () => {
    simulator.fault({ at: 'secureScores', times: Infinity, with: forbidden });
    const { code, stdout, stderr } = await run();
    expect(code).toBe(1);
    const bodyOfKey = app.privateKey.split('\n').slice(1, 4);
    const sent = (await mails()).map((mail) => `${mail.text}${mail.html}`).join('\n');
    const stored = (await Promise.all((await archived()).map((file) => readFile(file, 'latin1')))).join('\n');
    for (const text of [stdout, stderr, sent, stored]) {
      for (const line of bodyOfKey) expect(text).not.toContain(line);
      expect(text).not.toMatch(/eyJ[\w-]{20,}/);
    }
  }, 30_000);

  it('accepts a config in TypeScript with defineConfig, or a plain object, from any path', async () => {
    const plain = `export default ${JSON.stringify(configOf([tenantEntry('Contoso', tenant.tenantId)]))}`;
    await writeFile(join(folder, 'plain.ts'), `${plain} satisfies object;`);
    await writeFile(join(folder, 'plain.mjs'), plain);
    for (const path of ['plain.ts', join(folder, 'plain.mjs')]) {
      const { code, stdout } = await start(...FLAGS, '--config', path, '--json').finished;
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ name: 'Contoso' });
    }
  }, 30_000);

  it('ends in one archive and one of each mail if two run at once', async () => {
    await runHere();
    simulator.advance(4);
    const both = await Promise.all([run(), run()]);
    const errors = both.flatMap(({ code, result }) => (code === 0 ? [] : [result.error.code]));
    expect(new Set(errors).difference(new Set(['claimed-by-another-run']))).toEqual(new Set());
    const sent = both.flatMap(({ result }) => result.mails ?? []);
    expect(new Set(sent.map(({ id }: { id: string }) => id)).size).toBe(sent.length);
    expect((await mails()).length).toBe(1 + sent.length);
    const reference = new Set((await archived()).map((file) => /date=[\d-]+/.exec(file)?.[0]));
    expect(reference.size).toBeGreaterThan(85);
  }, 30_000);

  it.each([
    ['the first day was archived', () => filesIn('archive/snapshots') >= 1],
    ['half of the days were archived', () => filesIn('archive/snapshots') >= 44],
    ['the mail was claimed', () => filesIn('archive/state') >= 1],
    ['the mail was sent', () => filesIn('mails') >= 1],
    ['the report was archived', () => filesIn('archive/reports') >= 1],
  ])(
    'killed when %s, leaves an archive that the next run completes',
    async (_, reached) => {
      const { child, finished } = start(...FLAGS, '--config', 'config.json');
      const watching = setInterval(() => reached() && child.kill('SIGKILL'), 1);
      await finished;
      clearInterval(watching);

      const next = await runHere();
      // Killed while it held its claim, it is waited for; what it had to report is in the claim.
      expect(next.code === 0 ? null : next.result.error.code).toBeOneOf([null, 'claimed-by-another-run']);
      const subjects = [...(next.result.pending ?? []), ...(await mails())].map(({ subject }) => subject);
      expect(new Set(subjects).size).toBe(1);
      expect(filesIn('archive/snapshots')).toBe(90);
    },
    30_000,
  );

  /** Finished objects alone: temporary files and locks begin with a dot. */
  function filesIn(path: string): number {
    const place = join(folder, path);
    if (!existsSync(place)) return 0;
    return readdirSync(place, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.name.startsWith('.'),
    ).length;
  }
});
