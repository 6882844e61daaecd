/**
 * `npm run bench:fleet [tenants] [controls] [days]`: a provider's morning, 1,000 tenants if nothing else is said. Every
 * tenant runs with real ports (sign-in and Graph over TLS, a folder as archive, mails as files), ten at a time as in a new
 * account, against a Microsoft that throttles: once with all the days that Graph has, and once more on the next day. It
 * prints what that took and fails if a day or a mail is lost, or if a Retry-After was not waited for.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RunResult } from '../lambda/run/run.ts';
import type { Measurement } from './measure.ts';
import { fleetWorld } from './fleet-world.ts';

const [tenants = 1_000, controls = 60, days = 8] = process.argv.slice(2).map(Number);

const folder = mkdtempSync(join(tmpdir(), 'secure-score-fleet-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const world = await fleetWorld(folder, { tenants, controls, days });
const archive = join(folder, 'archive');

async function morning(): Promise<{ results: RunResult[]; took: Measurement }> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      join(import.meta.dirname, 'programs/command.ts'),
      'run',
      '--config',
      world.config,
      '--certificate',
      world.pem,
      '--archive',
      archive,
      '--outbox',
      join(folder, 'mails'),
      '--parallel',
      '10',
      '--json',
    ],
    { env: { ...process.env, NODE_EXTRA_CA_CERTS: world.ca }, maxBuffer: 2 ** 30 },
  );
  const lines = stdout.trimEnd().split('\n');
  const took = JSON.parse(lines.pop()!) as Measurement;
  return { results: JSON.parse(lines.join('\n')) as RunResult[], took };
}

const lost: string[] = [];
let archived = 0;
let mails = 0;
const figures: Record<string, string>[] = [];
for (const [which, wanted] of [
  ['first day', days],
  ['next day', 1],
] as const) {
  const before = world.throttles();
  const requests = world.simulator.requests.length;
  const { results, took } = await morning();
  for (const result of results) {
    if (result.archived?.length !== wanted)
      lost.push(`${result.tenant}: ${JSON.stringify(result).slice(0, 300)}`);
    archived += result.archived?.length ?? 0;
    mails += result.mails?.length ?? 0;
  }
  const { token, graph, limits } = world.throttles();
  figures.push({
    which,
    tenants: String(results.length),
    'wall s': (took.wall / 1000).toFixed(1),
    'CPU s': (took.cpu / 1000).toFixed(1),
    'peak MB': took.memory.toFixed(0),
    requests: String(world.simulator.requests.length - requests),
    '429 by Entra': String(token - before.token),
    '429 by Graph': String(graph - before.graph),
    '429 by its limits': String(limits - before.limits),
  });
  world.simulator.advance();
}
console.table(figures);
const stored = readdirSync(join(archive, 'snapshots'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.json.gz'),
).length;
const sent = readdirSync(join(folder, 'mails'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.eml'),
).length;
console.log(
  `${archived} days archived, ${stored} in the archive, ${tenants * (days + 1)} expected; ${mails} mails, ${sent} in the outbox; ${world.impatient()} requests before their Retry-After`,
);
await world.simulator.close();
if (lost.length > 0 || stored !== tenants * (days + 1) || sent !== mails || world.impatient() > 0) {
  console.error(lost.slice(0, 10).join('\n'));
  process.exitCode = 1;
}
