import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dateOf } from '../lambda/dates.ts';
import type { RunResult } from '../lambda/run/run.ts';
import { createCertificate } from '../simulator/certificates.ts';
import { throttled, type Fault } from '../simulator/faults.ts';
import { generatedTenant } from '../simulator/generated-tenant.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import type { Measurement } from './measure.ts';

const CLIENT_ID = '6f1d3a52-97b1-4c0b-8a3e-2f5d1c7e9b40';

/** One of this number of requests is throttled, in addition to Graph's own limits. */
const THROTTLED = { token: 7, graph: 23 };
/** Seconds. */
const RETRY_AFTER = 1;

/** One way to have every tenant run. */
export interface Fleet {
  morning: () => Promise<{ results: RunResult[]; processes: Measurement[] }>;
  /** The number of snapshots in the archive. */
  stored: () => Promise<number>;
  /** The number of mails that were sent. */
  sent: () => Promise<number>;
  stop: () => Promise<void>;
}

export interface FleetWorld {
  simulator: Simulator;
  /** The path of a config with a tenants file beside it. */
  config: string;
  pem: string;
  ca: string;
  tenantIds: string[];
  /**
   * The number of 429 answers so far: those injected at the token endpoint and at Graph, and those of Graph's own
   * limits.
   */
  throttles: () => { token: number; graph: number; limits: number };
  /** The number of requests that came before a Retry-After had passed. */
  impatient: () => number;
}

/**
 * A provider with many customers: one app and one certificate, a row a tenant, and a Microsoft that throttles.
 * @param folder for config, tenants file and certificate
 * @param size `days` is the number of days that Graph has of each tenant
 */
export async function fleetWorld(
  folder: string,
  size: { tenants: number; controls: number; days: number },
): Promise<FleetWorld> {
  const today = dateOf(new Date());
  const tenants = Array.from({ length: size.tenants }, (_, index) =>
    generatedTenant(index, { today, day: size.days, controls: size.controls }),
  );
  const simulator = await startSimulator({ tenants });
  const { certificate, privateKey } = await createCertificate({ commonName: 'fleet', days: 30 });
  const { registration } = simulator.registerApp({
    tenantId: tenants[0]!.tenantId,
    clientId: CLIENT_ID,
    certificates: [certificate],
  });
  for (const { tenantId } of tenants) {
    simulator.registerApp({ tenantId, clientId: CLIENT_ID, certificates: [certificate], registration });
  }

  const counts = { token: 0, graph: 0 };
  const asked = { token: 0, graph: 0 };
  const until = new Map<string, number>();
  let impatient = 0;
  const limiter =
    (at: 'token' | 'graph'): Fault =>
    (good, incoming) => {
      // Both throttle by tenant: Entra's is in the address, Graph's in the token.
      const whom = `${at} ${at === 'token' ? incoming.url.pathname : incoming.headers.authorization}`;
      if (incoming.at.getTime() < (until.get(whom) ?? 0)) impatient += 1;
      asked[at] += 1;
      if (good.status !== 200 || asked[at] % THROTTLED[at] !== 0) return good;
      counts[at] += 1;
      until.set(whom, incoming.at.getTime() + RETRY_AFTER * 1000);
      return throttled(RETRY_AFTER)(good, incoming);
    };
  simulator.fault({ at: 'token', times: Infinity, with: limiter('token') });
  for (const at of ['secureScores', 'profiles'] as const) {
    simulator.fault({ at, times: Infinity, with: limiter('graph') });
  }

  mkdirSync(folder, { recursive: true });
  const cloud = `${simulator.authorityHost} ${simulator.graphEndpoint}`;
  const rows = tenants.map(({ tenantId }, index) => `Customer ${index},${tenantId},${cloud},gold`);
  writeFileSync(
    join(folder, 'tenants.csv'),
    `name,tenantId,cloud,tags,recipients\n${rows.map((row) => `${row},soc@msp.example`).join('\n')}\n`,
  );
  const files = {
    config: join(folder, 'config.json'),
    pem: join(folder, 'app.pem'),
    ca: join(folder, 'ca.pem'),
  };
  const config = {
    tenants: { from: 'tenants.csv' },
    app: { clientId: CLIENT_ID },
    operations: ['oncall@msp.example'],
    mail: { from: 'secure-score@msp.example' },
  };
  writeFileSync(files.config, JSON.stringify(config));
  writeFileSync(files.pem, certificate + privateKey);
  writeFileSync(files.ca, simulator.ca);
  return {
    simulator,
    ...files,
    tenantIds: tenants.map(({ tenantId }) => tenantId),
    throttles: () => ({
      ...counts,
      limits: simulator.requests.filter(({ status }) => status === 429).length - counts.token - counts.graph,
    }),
    impatient: () => impatient,
  };
}
