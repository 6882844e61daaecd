import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fleetWorld, type FleetWorld } from '../../bench/fleet-world.ts';
import type { RunResult } from '../../lambda/run/run.ts';
import { secureScore } from '../cli/support.ts';

/** `npm run bench:fleet` in small: its 1,000 tenants take minutes. */
const SIZE = { tenants: 30, controls: 10, days: 3 };

const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
let world: FleetWorld;
beforeAll(async () => {
  world = await fleetWorld(folder, SIZE);
  setDefaultCACertificates([...getCACertificates('default'), world.simulator.ca]);
});
afterAll(async () => {
  await world.simulator.close();
  rmSync(folder, { recursive: true });
});

const filesIn = (path: string, ending: string): number =>
  existsSync(join(folder, path))
    ? readdirSync(join(folder, path), { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith(ending),
      ).length
    : 0;

async function morning(): Promise<RunResult[]> {
  const where = ['--archive', join(folder, 'archive'), '--outbox', join(folder, 'mails')];
  const how = ['--config', world.config, '--certificate', world.pem, '--parallel', '10', '--json'];
  const { code, json } = await secureScore('run', ...where, ...how);
  expect(code).toBe(0);
  return json() as RunResult[];
}

test('a fleet on one app and one certificate loses no day and no mail where Entra and Graph throttle', async () => {
  const first = await morning();
  expect(first.map(({ tenant }) => tenant)).toEqual(world.tenantIds);
  expect(first.map(({ archived }) => archived.length)).toEqual(first.map(() => SIZE.days));
  expect(first.map(({ mails }) => mails.map(({ kind }) => kind))).toEqual(first.map(() => ['start']));

  world.simulator.advance();
  const next = await morning();
  expect(next.map(({ archived }) => archived.length)).toEqual(next.map(() => 1));
  expect(filesIn('archive/snapshots', '.json.gz')).toBe(SIZE.tenants * (SIZE.days + 1));
  expect(filesIn('mails', '.eml')).toBe([...first, ...next].flatMap(({ mails }) => mails).length);

  const { token, graph, limits } = world.throttles();
  expect(token).toBeGreaterThan(5);
  expect(graph).toBeGreaterThan(2);
  // Graph's own: 150 requests a minute and 4 at a time, per app and tenant.
  expect(limits).toBe(0);
  expect(world.impatient()).toBe(0);
}, 60_000);
