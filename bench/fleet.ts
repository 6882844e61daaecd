/**
 * `npm run bench:fleet -- [tenants] [controls] [days] [--function]`: a provider's morning, with 1,000 tenants
 * by default. Every tenant runs with real ports, ten at a time as in a new account, against a Microsoft that throttles: once
 * with all the days that Graph has, and once more on the next day. It runs on one machine, or as it is deployed
 * (`--function`: the bundle, on an emulator of AWS). It prints what that took and fails if a day or a mail is lost, or if
 * a Retry-After was not waited for.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commandFleet } from './fleet-command.ts';
import { functionFleet } from './fleet-function.ts';
import { fleetWorld } from './fleet-world.ts';

const PARALLEL = 10;

const { values, positionals } = parseArgs({
  options: { function: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [tenants = 1_000, controls = 60, days = 8] = positionals.map(Number);

const folder = mkdtempSync(join(tmpdir(), 'secure-score-fleet-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const world = await fleetWorld(folder, { tenants, controls, days });
const fleet = await (values.function ? functionFleet : commandFleet)(world, folder, PARALLEL);

const lost: string[] = [];
let archived = 0;
let mails = 0;
const figures: Record<string, string>[] = [];
for (const [which, expected] of [
  ['first day', days],
  ['next day', 1],
] as const) {
  const before = world.throttles();
  const requests = world.simulator.requests.length;
  const started = performance.now();
  const { results, processes } = await fleet.morning();
  const wall = performance.now() - started;
  for (const result of results) {
    if (result.archived?.length !== expected)
      lost.push(`${result.tenant}: ${JSON.stringify(result).slice(0, 300)}`);
    archived += result.archived?.length ?? 0;
    mails += result.mails?.length ?? 0;
  }
  const { token, graph, limits } = world.throttles();
  figures.push({
    which,
    tenants: String(results.length),
    'wall s': (wall / 1000).toFixed(1),
    'CPU s': (processes.reduce((sum, { processCpu }) => sum + processCpu, 0) / 1000).toFixed(1),
    'peak MB': Math.max(...processes.map(({ memory }) => memory)).toFixed(0),
    requests: String(world.simulator.requests.length - requests),
    '429 by Entra': String(token - before.token),
    '429 by Graph': String(graph - before.graph),
    '429 by its limits': String(limits - before.limits),
  });
  world.simulator.advance();
}
console.table(figures);
const [stored, sent] = [await fleet.stored(), await fleet.sent()];
console.log(
  `${archived} days archived, ${stored} in the archive, ${tenants * (days + 1)} expected; ${mails} mails, ${sent} sent; ${world.impatient()} requests before their Retry-After`,
);
await fleet.stop();
await world.simulator.close();
if (lost.length > 0 || stored !== tenants * (days + 1) || sent !== mails || world.impatient() > 0) {
  console.error(lost.slice(0, 10).join('\n'));
  process.exitCode = 1;
}
