import { createHash } from 'node:crypto';
import { parseConfig, digestsOf, type Config, type Digest } from '../../lambda/config.ts';
import { makeDigest, type DigestRun } from '../../lambda/digest/digest.ts';
import { MonitorError } from '../../lambda/errors.ts';
import { monitor } from '../../lambda/monitor.ts';
import type { Graph, Schedule } from '../../lambda/ports.ts';
import { catalogue } from '../../simulator/catalogue.ts';
import * as change from '../../simulator/changes.ts';
import { baseState, TimelineTenant, type TimelineEvent } from '../../simulator/timeline.ts';
import { world } from '../run/fakes.ts';

/** Tenants of the simulator, of which a provider has many, and everything that happens to them by the number of a day. */

/** Day 0; the first run is on day `FIRST`. */
const START = '2026-03-01';
export const FIRST = 5;
/** Recommendations of each tenant, and what Microsoft adds. */
const CONTROLS = 24;
export const ENTRIES = catalogue(CONTROLS + 2);
export const ADDED = ENTRIES[CONTROLS]!;

export const idOf = (number: number): string => {
  const hex = createHash('sha256').update(`tenant ${number}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
export const nameOf = (number: number): string => `Customer ${String(number).padStart(4, '0')}`;

export interface FleetOptions {
  tenants: number;
  /** By the number of a tenant. */
  events?: Record<number, TimelineEvent[]>;
  /** To all tenants that are not named. */
  forAll?: { events: TimelineEvent[]; except: number[] };
  config?: Record<string, unknown>;
  /** Fields of a tenant in the config. */
  tenant?: (number: number) => Record<string, unknown>;
  digests?: Record<string, unknown>[];
}

export function fleet(options: FleetOptions) {
  const w = world(`${START}T05:00:00Z`);
  const numbers = Array.from({ length: options.tenants }, (_, index) => index);
  const present = new Set(ENTRIES.slice(0, CONTROLS));
  const base = baseState({
    seed: 'fleet',
    profiles: ENTRIES.length,
    applies: (entry) => present.has(entry),
    services: ['HasEXOP2'],
    users: 200,
    admins: 5,
    devices: 150,
    done: 0.6,
  });
  let day = FIRST;
  const failing = new Set<number>();
  const tenants = new Map(
    numbers.map((number) => {
      const events = [
        // So that no two stand alike.
        { day: 1, apply: change.counted('MFARegistrationV2', 20 + ((number * 37) % 170), 200) },
        ...(options.forAll && !options.forAll.except.includes(number) ? options.forAll.events : []),
        ...(options.events?.[number] ?? []),
      ];
      const made: TimelineTenant = new TimelineTenant(
        { tenantId: idOf(number), seed: `fleet ${number}`, today: START, day: 0 },
        () => ({ base, events }),
      );
      return [idOf(number), { number, made }] as const;
    }),
  );
  const config: Config = parseConfig(
    {
      tenants: numbers.map((number) => ({
        name: nameOf(number),
        tenantId: idOf(number),
        clientId: '11111111-2222-4333-8444-555555555555',
        recipients: [`it@customer${number}.example`],
        report: 'digest',
        ...options.tenant?.(number),
      })),
      operations: ['oncall@msp.example'],
      mail: { from: 'Secure Score <secure-score@msp.example>' },
      digests: options.digests ?? [{ name: 'daily', every: 'day', at: '08:00', to: ['soc@msp.example'] }],
      ...options.config,
    },
    'test',
  );
  const graph: Graph = {
    async signIn({ tenantId }) {
      const { number, made } = tenants.get(tenantId)!;
      if (failing.has(number)) {
        throw new MonitorError(
          'AADSTS7000222',
          'The client secret keys are expired.',
          'Renew the certificate.',
        );
      }
      const reading = made.read();
      return {
        secureScores: async (days) =>
          reading.dates.slice(0, days).map((date, index) => reading.secureScore(date, index === 0)),
        controlProfiles: async () => reading.profiles(),
      };
    },
  };
  /** Those that have a schedule: all, until somebody removes one. */
  const scheduled = new Set(numbers);
  const schedules = {
    list: async (): Promise<Schedule[]> =>
      [...scheduled].map((number) => ({ tenantId: idOf(number), enabled: true, since: new Date(0) })),
  };

  /** The morning of a day: 05:00, before the runs. */
  const morning = (of: number) => {
    day = of;
    w.clock.set(new Date(Date.parse(START) + of * 86_400_000 + 5 * 3_600_000).toISOString());
    for (const { made } of tenants.values()) made.advance(of - made.day);
  };
  /** Runs of some tenants. @returns how many failed */
  const run = async (which: Iterable<number> = numbers): Promise<number> => {
    let failed = 0;
    for (const number of which) {
      const tenant = config.tenants[number]!;
      const { sender, ports } = w.runOf();
      await monitor({ tenant, sender, ports: { ...ports, graph } }).catch(() => (failed += 1));
    }
    return failed;
  };
  const digestOf = (name = config.digests[0]!.name): Digest =>
    digestsOf(config).find((each) => each.name === name)!;
  const digestRun = (name?: string, invocation?: string): DigestRun => {
    const { sender, ports } = w.runOf(invocation);
    return { digest: digestOf(name), sender, ports: { ...ports, schedules } };
  };
  /** At 08:30 of the day. */
  const digest = async (name?: string) => {
    w.clock.set(new Date(Date.parse(START) + day * 86_400_000 + 8.5 * 3_600_000).toISOString());
    return makeDigest(digestRun(name));
  };
  return { ...w, config, failing, scheduled, tenants, morning, run, digest, digestRun, digestOf, schedules };
}
