import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { parseConfig, type Tenant } from '../../lambda/config.ts';
import { addDays } from '../../lambda/dates.ts';
import { mailChannel } from '../../lambda/channels/mail.ts';
import { MAIL } from '../../lambda/settings.ts';
import { DeliveryError } from '../../lambda/errors.ts';
import type {
  Addressee,
  Channel,
  Channels,
  Clock,
  Graph,
  Log,
  Mail,
  Mailer,
  Message,
  Metrics,
  ObjectStore,
  Ports,
} from '../../lambda/ports.ts';
import type { Report } from '../../lambda/report/model.ts';
import type { Run } from '../../lambda/run/run.ts';
import { createCertificate } from '../../simulator/certificates.ts';

export const TENANT_ID = '0b6b6ab0-3b1f-4c3a-9a51-0f4f8f3f6c11';

export const tenant: Tenant = parseConfig(
  {
    tenants: [
      {
        name: 'Contoso',
        tenantId: TENANT_ID,
        clientId: '11111111-2222-4333-8444-555555555555',
        recipients: { scores: ['scores@contoso.com'], controls: ['controls@contoso.com'] },
      },
    ],
    operations: ['oncall@contoso.com'],
    mail: { from: 'Secure Score <secure-score@contoso.com>' },
  },
  'test',
).tenants[0]!;

/** A clock that stands still until it is moved. */
export class FixedClock implements Clock {
  #now: number;
  constructor(now: string) {
    this.#now = Date.parse(now);
  }
  now(): Date {
    return new Date(this.#now);
  }
  set(now: string): void {
    this.#now = Date.parse(now);
  }
  advance(ms: number): void {
    this.#now += ms;
  }
}

/** Objects in memory, with the guarantees that the port asks for. */
export class MemoryStore implements ObjectStore {
  readonly location = 'memory:';
  readonly objects = new Map<string, Uint8Array>();

  async get(key: string) {
    const bytes = this.objects.get(key);
    return bytes && { bytes, version: versionOf(bytes) };
  }
  async create(key: string, bytes: Uint8Array) {
    if (this.objects.has(key)) return 'exists' as const;
    this.objects.set(key, bytes);
    return 'created' as const;
  }
  async replace(key: string, bytes: Uint8Array, expected: string | null) {
    const current = this.objects.get(key);
    if ((current ? versionOf(current) : null) !== expected) return;
    this.objects.set(key, bytes);
    return versionOf(bytes);
  }
  async list(prefix: string, after = '') {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted();
  }

  /** Every object as text, for comparison byte for byte. */
  dump(prefix = ''): Record<string, string> {
    const entries = [...this.objects].filter(([key]) => key.startsWith(prefix));
    return Object.fromEntries(
      entries
        .map(([key, bytes]) => [key, Buffer.from(bytes).toString('base64')] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
  }
  copy(): MemoryStore {
    const copy = new MemoryStore();
    for (const [key, bytes] of this.objects) copy.objects.set(key, bytes);
    return copy;
  }
}

function versionOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Keeps what is sent; the id says which mail it is, so that a repetition shows. */
export class MemoryMailer implements Mailer {
  readonly sent: Mail[] = [];
  async send(mail: Mail) {
    this.sent.push(mail);
    return `id-of-${mail.key}`;
  }
  subjects(): string[] {
    return this.sent.map(({ subject }) => subject);
  }
}

/** A channel that keeps what it gets; `fails` decides what becomes of a message. */
export class MemoryChannel implements Channel {
  readonly got: (Message & { report: Report })[] = [];
  fails: (message: MemoryChannel['got'][number]) => Error | null = () => null;
  async send(message: Message) {
    const failure = this.fails(message as MemoryChannel['got'][number]);
    if (failure) throw failure;
    this.got.push(message as MemoryChannel['got'][number]);
    return `id-of-${message.id}`;
  }
}

/** Mail over a mailer, and channels in memory by name, whether the tenant has them or not. */
export class MemoryChannels implements Channels {
  readonly byName = new Map<string, MemoryChannel>();
  readonly #mailer: Mailer;
  readonly #sender: Run['sender'];
  readonly #log: Log;
  constructor(mailer: Mailer, sender: Run['sender'], log: Log) {
    this.#mailer = mailer;
    this.#sender = sender;
    this.#log = log;
  }
  of(whose: Addressee, destination: string): Channel {
    if (destination === MAIL)
      return mailChannel(whose, { mailer: this.#mailer, sender: this.#sender, log: this.#log });
    if (!whose.channels.some(({ name }) => name === destination)) {
      throw new DeliveryError('channel-removed', 'gone from the config', 'Nothing.', { final: true });
    }
    return this.named(destination);
  }
  named(name: string): MemoryChannel {
    const channel = this.byName.get(name) ?? new MemoryChannel();
    this.byName.set(name, channel);
    return channel;
  }
}

/** Has one run send its mails by a mailer of its own. */
export function sendBy(run: Run, mailer: Mailer): void {
  const others = run.ports.channels;
  const channels = new MemoryChannels(mailer, run.sender, run.ports.log);
  run.ports.channels = {
    of: (whose, destination) => (destination === MAIL ? channels : others).of(whose, destination),
  };
}

/** Keeps what is published. */
export class MemoryMetrics implements Metrics {
  readonly published: Record<string, number>[] = [];
  publish(values: Record<string, number>): void {
    this.published.push(values);
  }
}

/** What Graph will answer; edit `days` to move the world on. */
export class FakeGraph implements Graph {
  /** Points by control by date; see `entry`. */
  days = new Map<string, DaySpec>();
  profiles: unknown[] = [];
  failure: Error | null = null;
  asked: number[] = [];

  async signIn() {
    if (this.failure) throw this.failure;
    return {
      secureScores: async (days: number) => {
        this.asked.push(days);
        const dates = [...this.days.keys()].toSorted().toReversed();
        return dates.slice(0, days).map((date, index) => entry(date, this.days.get(date)!, index === 0));
      },
      controlProfiles: async () => this.profiles,
    };
  }
}

export interface DaySpec {
  /** Points by control. */
  controls: Record<string, number>;
  maximum?: number;
  services?: string[];
  total?: number;
  /** Of controls that are not worth 10. */
  maxima?: Record<string, number>;
  /** Fields of controls on the newest day that are not as below. */
  newest?: Record<string, Record<string, unknown>>;
}

/** An entry of `secureScores` on the wire; one that is not the newest has lost its texts, as Graph degrades it. */
export function entry(
  date: string,
  spec: DaySpec,
  newest: boolean,
  tenantId = TENANT_ID,
): Record<string, unknown> {
  const points = Object.values(spec.controls).reduce((sum, value) => sum + value, 0);
  return {
    id: `${tenantId}_${date}`,
    azureTenantId: tenantId,
    createdDateTime: `${date}T00:00:00Z`,
    currentScore: spec.total ?? Math.round(points * 100) / 100,
    maxScore: spec.maximum ?? 100,
    activeUserCount: 40,
    licensedUserCount: 0,
    enabledServices: spec.services ?? ['HasEXOP2'],
    vendorInformation: {
      vendor: 'Microsoft',
      provider: 'SecureScore',
      providerVersion: null,
      subProvider: null,
    },
    averageComparativeScores: [],
    controlScores: Object.entries(spec.controls).map(([controlName, score]) => ({
      controlName,
      controlCategory: 'Identity',
      score,
      scoreInPercentage: Math.round((10_000 * score) / (spec.maxima?.[controlName] ?? 10)) / 100,
      ...(newest
        ? {
            description: `<p>About ${controlName}</p>`,
            implementationStatus: `You have ${10 - score} of 10 users left.`,
            lastSynced: `${date}T04:00:00Z`,
            count: String(score),
            total: '10',
            ...spec.newest?.[controlName],
          }
        : { description: null, implementationStatus: 'You have 0 of 0 users left.' }),
    })),
  };
}

/** Consecutive days, all alike. */
export function fillDays(graph: FakeGraph, from: string, count: number, spec: DaySpec): void {
  for (let index = 0; index < count; index += 1) graph.days.set(addDays(from, index), spec);
}

const bundle = await createCertificate({ commonName: 'test', days: 3650, notBefore: new Date('2025-01-01') });
export const PEM = `${bundle.certificate}\n${bundle.privateKey}`;

export interface World {
  /** Of the runs that follow. */
  tenant: Tenant;
  run: Run;
  clock: FixedClock;
  store: MemoryStore;
  graph: FakeGraph;
  mailer: MemoryMailer;
  channels: MemoryChannels;
  logged: { level: string; message: string; facts?: Record<string, unknown> }[];
  metrics: MemoryMetrics;
}

export const RUN_MS = 60_000;

/** Fakes of every port. Each `runOf` is an invocation of its own unless it is given the id of one. */
export function world(now: string): World & { runOf: (invocation?: string) => Run } {
  const clock = new FixedClock(now);
  const logged: World['logged'] = [];
  const at = (level: string) => (message: string, facts?: Record<string, unknown>) =>
    void logged.push(facts ? { level, message, facts } : { level, message });
  const log: Log = { info: at('info'), warn: at('warn'), error: at('error') };
  const store = new MemoryStore();
  const graph = new FakeGraph();
  const mailer = new MemoryMailer();
  const metrics = new MemoryMetrics();
  const sender = { from: 'Secure Score <secure-score@contoso.com>', operations: ['oncall@contoso.com'] };
  const channels = new MemoryChannels(mailer, sender, log);
  let invocations = 0;

  const runOf = (invocation = `invocation-${(invocations += 1)}`): Run => ({
    tenant: its.tenant,
    sender,
    ports: {
      clock,
      pause: async (ms) => clock.advance(ms),
      invocation: { id: invocation, deadline: new Date(clock.now().getTime() + RUN_MS) },
      certificate: { read: async () => PEM },
      graph,
      store,
      channels,
      log,
      metrics,
    },
  });
  const its = { tenant };
  return Object.assign(its, { runOf, run: runOf(), clock, store, graph, mailer, channels, logged, metrics });
}

/** The process dies: nothing after it runs. */
export class Crash extends Error {}

/**
 * The same ports, whose nth call dies: before it has any effect, or after it took effect and before the
 * caller hears of it.
 */
export function crashing(
  ports: Ports,
  nth: number,
  when: 'before' | 'after',
): { ports: Ports; calls: () => number } {
  let calls = 0;
  const watch = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name, object);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          if (calls >= nth) throw new Crash();
          calls += 1;
          if (calls === nth && when === 'before') throw new Crash();
          const answer: unknown = await Reflect.apply(value, object, args);
          if (calls === nth) throw new Crash();
          return name === 'signIn' ? watch(answer as object) : answer;
        };
      },
    });
  const { certificate, graph, store, channels } = ports;
  return {
    ports: {
      ...ports,
      certificate: watch(certificate),
      graph: watch(graph),
      store: watch(store),
      channels: { of: (whose, destination) => watch(channels.of(whose, destination)) },
      pause: (ms) => (calls >= nth ? Promise.reject(new Crash()) : ports.pause(ms)),
    },
    calls: () => calls,
  };
}

/**
 * Makes ports whose every call waits for a number of turns that the seed decides: so that two who are at work at
 * once meet in another order for each seed.
 * @param turns one more than the most that a call waits
 */
export function dawdler(seed: number, turns = 7): <T extends object>(port: T) => T {
  let number = seed;
  return (port) =>
    new Proxy(port, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          number = (number * 1103515245 + 12345) % 2147483648;
          for (let left = number % turns; left > 0; left -= 1) await setImmediate();
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
}

/** The same run, with an archive that dawdles. */
export function dawdling<R extends { ports: { store: ObjectStore } }>(run: R, seed: number): R {
  return { ...run, ports: { ...run.ports, store: dawdler(seed)(run.ports.store) } };
}
