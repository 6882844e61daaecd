import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import PostalMime from 'postal-mime';
import { afterEach, beforeAll, beforeEach } from 'vitest';
import { addDays, dateOf } from '../../lambda/dates.ts';
import { createCertificate, createServerCertificate, type KeyPair } from '../../simulator/certificates.ts';
import { generatedTenant } from '../../simulator/generated-tenant.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import type { TimelineTenant } from '../../simulator/timeline.ts';
import { secureScore } from './support.ts';

const BIN = resolve(import.meta.dirname, '../../bin/secure-score.ts');
const CLIENT_ID = '6f1d3a52-97b1-4c0b-8a3e-2f5d1c7e9b40';
export const OTHER_TENANT = '0f0f0f0f-1111-4222-8333-444444444444';
export const DAY_90 = addDays(dateOf(new Date()), -1);

export let folder: string;
export let simulator: Simulator;
export let tenant: TimelineTenant;
export let app: KeyPair;
let tls: KeyPair;

/** Each test of the file has a tenant with days, but no particular ones: each process that reads them takes its time. */
export function simulateForEach(): void {
  beforeAll(async () => {
    [app, tls] = await Promise.all([
      createCertificate({ commonName: 'test', days: 30 }),
      createServerCertificate(),
    ]);
  });
  beforeEach(() => simulate(generatedTenant('run', { today: DAY_90, controls: 60 })));
  afterEach(end);
}

export async function simulate(simulated: TimelineTenant): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'secure-score-'));
  tenant = simulated;
  simulator = await startSimulator({ tenants: [tenant], tls });
  simulator.registerApp({ tenantId: tenant.tenantId, clientId: CLIENT_ID, certificates: [app.certificate] });
  await writeFile(join(folder, 'ca.pem'), simulator.ca);
  setDefaultCACertificates([...getCACertificates('default'), simulator.ca]);
  await writeFile(join(folder, 'app.pem'), `${app.privateKey}${app.certificate}`);
  await writeConfig('config.json', [tenantEntry('Contoso', tenant.tenantId)]);
}

export async function end(): Promise<void> {
  await simulator.close();
  await rm(folder, { recursive: true });
}

export function tenantEntry(name: string, tenantId: string) {
  const { authorityHost, graphEndpoint } = simulator;
  return {
    name,
    tenantId,
    clientId: CLIENT_ID,
    cloud: { authorityHost, graphEndpoint },
    recipients: { scores: ['scores@contoso.com'], controls: ['controls@contoso.com'] },
  };
}

export function configOf(tenants: object[]) {
  return {
    tenants,
    operations: ['oncall@contoso.com'],
    mail: { from: 'Secure Score <secure-score@contoso.com>' },
  };
}

export async function writeConfig(name: string, tenants: object[]): Promise<void> {
  await writeFile(join(folder, name), JSON.stringify(configOf(tenants)));
}

interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function start(...args: string[]) {
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

export const FLAGS = ['run', '--certificate', 'app.pem', '--archive', 'archive', '--outbox', 'mails'];

const withResult = (finished: Finished) => ({ ...finished, result: JSON.parse(finished.stdout || 'null') });

/** In a process of its own. */
export async function run(...more: string[]) {
  return withResult(await start(...FLAGS, '--config', 'config.json', '--json', ...more).finished);
}

/** In this process, which takes half the time. */
export async function runHere(...more: string[]) {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return withResult(await secureScore(...FLAGS, '--config', 'config.json', '--json', ...more));
  } finally {
    process.chdir(before);
  }
}

export async function mails() {
  const names = (await readdir(join(folder, 'mails')).catch(() => [])).filter((name) =>
    name.endsWith('.eml'),
  );
  return Promise.all(
    names.toSorted().map(async (name) => PostalMime.parse(await readFile(join(folder, 'mails', name)))),
  );
}

export async function archived(): Promise<string[]> {
  const entries = await readdir(join(folder, 'archive'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

/** Finished objects alone: temporary files and locks begin with a dot. */
export function filesIn(path: string): number {
  const place = join(folder, path);
  if (!existsSync(place)) return 0;
  return readdirSync(place, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.startsWith('.'),
  ).length;
}
