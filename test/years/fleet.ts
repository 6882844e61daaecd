import { dateOf } from '../../lambda/dates.ts';
import { setImmediate } from 'node:timers/promises';
import type { Digest, Tenant } from '../../lambda/config.ts';
import { MAIL } from '../../lambda/settings.ts';
import { DeliveryError, MonitorError } from '../../lambda/errors.ts';
import type {
  Channel,
  Clock,
  Log,
  Mail,
  Message,
  ObjectStore,
  Ports,
  Schedules,
} from '../../lambda/ports.ts';
import type { AppKeys } from '../../lambda/rotation/ports.ts';
import { createCertificate } from '../../simulator/certificates.ts';
import { randomOf } from '../../simulator/random.ts';
import * as today from '../releases/code.ts';
import { codeOf, type Code } from '../releases/former.ts';
import { Crash, FixedClock } from '../run/fakes.ts';
import { bundleOf, FakeKeys, MemorySecret } from '../rotation/world.ts';
import { answerOf } from './graph.ts';
import { dateAt, truthOf, type Truth } from './truth.ts';
import { QUIET_DAYS, type Event, type History } from './history.ts';
import type { Death, Fault, Faults, Recipe } from './faults.ts';
import { Oracle, type Invoked } from './oracle.ts';
import { YearsStore } from './store.ts';

/*
 * The fleet over the days of a history: the real recipes, on ports that fail as the history says.
 */

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const RUN_MS = 5 * MINUTE_MS;
/** Lambda tries an invocation that failed twice again. */
const RETRIES_MS = [MINUTE_MS, 2 * MINUTE_MS];

const SENDER = { from: 'Secure Score <secure-score@contoso.com>', operations: ['oncall@contoso.com'] };
const ZONE = 'Europe/Budapest';
const IDS = ['10000000', '20000000', '30000000'].map((first) => `${first}-0000-4000-8000-000000000000`);
const APPS = ['a', 'b'].map((letter) => ({
  clientId: `${letter.repeat(8)}-0000-4000-8000-000000000001`,
  objectId: `${letter.repeat(8)}-0000-4000-8000-000000000002`,
}));

/**
 * Three tenants: as it comes; one that holds back; one that mutes, and has lines. Two share an app. Their schedules' clocks
 * change on other days each: at an hour beside, within the skipped one, and by half an hour in the south.
 */
const CONFIG = {
  tenants: [
    {
      name: 'Contoso',
      tenantId: IDS[0],
      ...APPS[0],
      homeTenantId: IDS[0],
      recipients: { scores: ['scores@contoso.com'], controls: ['controls@contoso.com'] },
      schedule: { at: '07:00', timeZone: ZONE },
    },
    {
      name: 'Fabrikam',
      tenantId: IDS[1],
      ...APPS[1],
      recipients: ['all@fabrikam.com'],
      schedule: { at: '02:30', timeZone: 'America/New_York' },
      alerts: { confirmDrops: 2, minimumPoints: 0.3 },
    },
    {
      name: 'Northwind',
      tenantId: IDS[2],
      ...APPS[0],
      homeTenantId: IDS[0],
      recipients: ['all@northwind.com'],
      schedule: { at: '18:15', timeZone: 'Australia/Lord_Howe' },
      alerts: { mute: ['*mdo_*'], below: 50, drop: 5 },
    },
  ],
  channels: [
    { name: 'soc', type: 'teams', url: { secret: 'soc' }, tenants: ['Contoso', 'Northwind'] },
    {
      name: 'hook',
      type: 'webhook',
      url: { secret: 'hook' },
      signingKey: { secret: 'hook-key' },
      tenants: ['Fabrikam'],
    },
  ],
  digests: [
    {
      name: 'daily',
      every: 'day',
      at: '08:30',
      timeZone: ZONE,
      to: ['soc@msp.example'],
      channels: ['soc'],
    },
    { name: 'monthly', every: 'month', at: '09:00', timeZone: ZONE, to: ['soc@msp.example'] },
  ],
  operations: ['oncall@contoso.com'],
  mail: { from: SENDER.from },
};

interface Configured {
  tenants: Tenant[];
  digests: Digest[];
}

/** The config as a version reads it. */
export function configuredBy({ parseConfig, digestsOf }: Code): Configured {
  const config = parseConfig(CONFIG, 'the years');
  return { tenants: config.tenants, digests: digestsOf(config) };
}
export const { tenants, digests } = configuredBy(today);

const bundle = await createCertificate({ commonName: 'years', days: 365, notBefore: new Date('2025-12-01') });
/** Keys are made once a process: the nth of each life is the nth of all. */
const made: ReturnType<typeof createCertificate>[] = [];

export interface Outcome {
  violations: string[];
  figures: Oracle['figures'];
  faults: Pick<Faults, 'met' | 'deaths'>;
}

/** @param isEnough is asked after each day, of the violations so far: true ends the life there */
export async function live(
  history: History,
  isEnough: (violations: string[]) => boolean = () => false,
): Promise<Outcome> {
  const fleet = new Fleet(history, history.update && (await codeOf(history.update.release)));
  const { oracle } = fleet;
  const { violations, figures } = oracle;
  const { met, deaths } = oracle.faults;
  const outcome: Outcome = { violations, figures, faults: { met, deaths } };
  for (let day = 0; day < history.days; day += 1) {
    await fleet.day(day);
    if (isEnough(violations)) return outcome;
  }
  await oracle.finish(fleet.store, fleet.removableKeys(), history);
  return outcome;
}

export class Fleet {
  readonly store = new YearsStore();
  readonly clock: FixedClock;
  readonly keys: FakeKeys;
  readonly secret = new MemorySecret(bundle.certificate + bundle.privateKey);
  readonly oracle: Oracle;
  readonly #history: History;
  readonly #truths: Truth[];
  /** By tenant and day. */
  readonly #events: Event[][][];
  /** Deaths that wait for their call. */
  readonly #deaths: Dying[];
  #invocations = 0;
  #made = 0;
  /** Ids of keys that renewals have noted; those of others are unknown, whether the answer was lost or died with its process. */
  readonly #noted = new Set<string>();
  readonly #former: (Configured & { code: Code }) | null;

  /** @param former the code that runs until the update */
  constructor(history: History, former: Code | null = null) {
    this.#history = history;
    this.#former = former && { code: former, ...configuredBy(former) };
    this.clock = new FixedClock(`${dateAt(0)}T00:00:00Z`);
    this.keys = new FakeKeys(this.clock);
    for (const [index, { clientId, objectId }] of APPS.entries()) {
      this.keys.apps.set(clientId, { homeTenantId: IDS[index]!, objectId, keys: [], refuses: null });
      this.keys.upload(clientId, bundle.certificate);
    }
    this.#truths = tenants.map(({ tenantId }, index) => truthOf(history, index, tenantId));
    this.oracle = new Oracle(tenants, this.#truths, history.update?.on ?? -1);
    this.#events = tenants.map(() => Array.from({ length: history.days }, () => []));
    this.#deaths = history.events.filter((event) => event.kind === 'death');
    for (const event of history.events) {
      if (event.kind === 'death') continue;
      const until = 'days' in event ? event.on + event.days : event.on + 1;
      for (let on = event.on; on < Math.min(until, history.days); on += 1)
        this.#events[event.tenant]?.[on]?.push(event);
    }
  }

  async day(day: number): Promise<void> {
    if (day === this.#history.update?.on) this.oracle.updated();
    const fires = this.#history.tenants
      .map((index) => ({ index, at: fireOf(tenants[index]!.schedule, dateAt(day)) }))
      .toSorted((a, b) => a.at - b.at);
    for (const { index, at } of fires) {
      this.oracle.fires(index, at);
      const random = randomOf(`fire ${this.#history.seed} ${day} ${index}`);
      this.#until(at + random.integer(0, 10) * MINUTE_MS);
      const events = this.#events[index]![day]!;
      this.oracle.dayBegins(index, day, events);
      if (events.some(({ kind }) => kind === 'off')) this.oracle.faults.meet('not fired');
      else {
        const together = events.find((event) => event.kind === 'at once');
        if (together?.kind === 'at once') {
          this.oracle.faults.meet('two at once');
          const jitter = randomOf(`jitter ${together.seed}`);
          await Promise.all([this.#fire(index, day, events, jitter), this.#fire(index, day, events, jitter)]);
        } else await this.#fire(index, day, events);
        if (events.some(({ kind }) => kind === 'twice')) {
          this.oracle.faults.meet('fired twice');
          this.clock.advance(random.integer(1, 20) * MINUTE_MS);
          await this.#fire(index, day, []);
        }
      }
    }
    for (const digest of digests) {
      const isDue = digest.every === 'day' || dateAt(day).endsWith('-01');
      this.#until(fireOf(digest, dateAt(day)));
      if (isDue) await this.#digest(digest, day);
    }
    const noon = Date.parse(`${dateAt(day)}T14:00:00Z`);
    this.#until(noon);
    if (this.#events[0]![day]!.some(({ kind }) => kind === 'watch off'))
      this.oracle.faults.meet('watch not fired');
    else await this.#watch(day);
    await this.#renew(day);
    for (const index of this.#history.tenants) this.oracle.dayEnds(index, day);
  }

  /**
   * What runs on a day. An update comes between the first attempt of an invocation and the second, and before the watch.
   */
  #runs(day: number, attempt = 1): Configured & { code: Code } {
    const { update } = this.#history;
    const isFormer = update !== null && (day < update.on || (day === update.on && attempt === 0));
    return isFormer && this.#former ? this.#former : { code: today, tenants, digests };
  }

  /** A death is an event of the day on which it comes, and of that day alone. */
  #due(day: number, tenant: number) {
    return (recipe: Recipe, port: string, nth: number): Dying | undefined => {
      if (day >= this.#history.days - QUIET_DAYS) return undefined;
      const index = this.#deaths.findIndex(
        (each) =>
          each.on <= day &&
          each.tenant === tenant &&
          each.recipe === recipe &&
          each.port === port &&
          each.nth === nth,
      );
      if (index < 0) return undefined;
      const [dying] = this.#deaths.splice(index, 1);
      this.#events[tenant]![day]!.push(dying!);
      return dying;
    };
  }

  #until(at: number): void {
    this.clock.set(new Date(Math.max(at, this.clock.now().getTime())).toISOString());
  }

  /** One event of the schedule, with the retries of its invocation. */
  async #fire(
    index: number,
    day: number,
    events: Event[],
    jitter?: ReturnType<typeof randomOf>,
  ): Promise<void> {
    const id = `invocation-${(this.#invocations += 1)}`;
    const crash = events.find((event) => event.kind === 'crash');
    const again = crash?.kind === 'crash' ? crash.again : RETRIES_MS.length;
    for (let attempt = 0; ; attempt += 1) {
      const failed = await this.#run(
        { index, day, id, attempt, events, jitter },
        attempt === 0 ? crash : undefined,
      );
      if (!failed || attempt >= again) return;
      this.clock.advance(RETRIES_MS[attempt]!);
    }
  }

  /** @returns true where it failed */
  async #run(
    { index, day, id, attempt, events, jitter }: Attempt,
    crash: Event | undefined,
  ): Promise<boolean> {
    const runs = this.#runs(day, attempt);
    const tenant = runs.tenants[index]!;
    const truth = this.#truths[index]!;
    const wrong = events.find((event) => event.kind === 'clock');
    const hours = wrong?.kind === 'clock' ? wrong.hours : 0;
    const clock: Clock = { now: () => new Date(this.clock.now().getTime() + hours * HOUR_MS) };
    const { faults } = this.oracle;
    const meet = (fault: Fault) => faults.meet(fault);
    const answer = answerOf(truth, day, this.clock.now(), events, meet);
    const invoked: Invoked = {
      tenant: index,
      day,
      at: this.clock.now().getTime(),
      today: dateOf(clock.now()),
      served: answer.served,
      unmarked: new Set(),
    };
    const { oracle } = this;
    oracle.begins(invoked, attempt > 0);
    if (day === this.#history.update?.on && attempt === 1) meet('retried by the newer version');
    if (wrong) meet('clock wrong');
    const guard = guardOf({
      code: runs.code,
      recipe: 'run',
      faults,
      crash,
      due: this.#due(day, index),
      jitter,
      onFailure: () => oracle.ended(invoked),
    });
    const has = (kind: Event['kind']) => events.some((event) => event.kind === kind);
    const ports: Ports = {
      ...this.#ports(invoked, clock, id, events, guard),
      certificate: { read: guard('certificate.read', async () => this.secret.pem()) },
      graph: {
        signIn: guard(
          'graph.signIn',
          async (who: Tenant, certificate: ReturnType<typeof bundleOf> | null) => {
            for (const event of events) if (event.kind === 'outage') meetOutage(event, day, meet);
            if (has('outage'))
              throw new MonitorError('unreachable', 'Entra ID does not answer.', 'Run again.', {
                retryable: true,
              });
            await this.keys.signIn(who, certificate!);
            return {
              secureScores: guard('graph.secureScores', async (days: number) => answer.entries(days)),
              controlProfiles: guard('graph.controlProfiles', async () => answer.profiles()),
            };
          },
        ),
      },
    };
    try {
      const result = await runs.code.monitor({ tenant, sender: SENDER, ports });
      this.oracle.runEnded(invoked, { result });
      return false;
    } catch (error) {
      this.oracle.runEnded(invoked, { error, excused: error instanceof Crash || crash !== undefined });
      return true;
    }
  }

  #ports(
    invoked: Invoked,
    clock: Clock,
    id: string,
    events: Event[],
    guard: Guard,
  ): Omit<Ports, 'certificate' | 'graph'> {
    const { store, oracle } = this;
    const watched: ObjectStore = {
      location: store.location,
      get: guard('store.get', (key: string) => store.get(key)),
      list: guard('store.list', (prefix: string, after?: string) => store.list(prefix, after)),
      create: guard('store.create', async (key: string, bytes: Uint8Array) => {
        const done = await store.create(key, bytes);
        if (done === 'created') oracle.created(invoked, key, bytes);
        return done;
      }),
      replace: guard('store.replace', async (key: string, bytes: Uint8Array, expected: string | null) => {
        const version = await store.replace(key, bytes, expected);
        if (version !== undefined) oracle.replaced(invoked, key, bytes);
        return version;
      }),
    };
    const channel = (tenant: number, destination: string): Channel => ({
      send: guard('channel.send', async (message: Message) => {
        // The watch delivers for every tenant.
        const met = invoked.tenant < 0 ? this.#events[Math.max(tenant, 0)]![invoked.day]! : events;
        const found = problemOf(destination === MAIL, met);
        if (found) {
          const { event, error } = found;
          if (event.kind !== 'webhook down') oracle.faults.meet(event.kind);
          else if (invoked.day > event.on) oracle.faults.meet('webhook down for days');
          throw error;
        }
        oracle.sent(invoked, tenant, destination, message);
        return `id-of-${message.id}`;
      }),
    });
    const log: Log = {
      info: () => {},
      warn: () => {},
      error: (message, facts) => oracle.logged(invoked, message, facts),
    };
    return {
      clock,
      pause: guard('pause', async (ms: number) => this.clock.advance(ms)),
      invocation: { id, deadline: new Date(clock.now().getTime() + RUN_MS) },
      store: watched,
      channels: {
        of: ({ tenantId }, destination) =>
          channel(
            IDS.findIndex((each) => each === tenantId),
            destination,
          ),
      },
      log,
      metrics: { publish: () => {} },
    };
  }

  #ofNoTenant(day: number): Invoked {
    return {
      tenant: -1,
      day,
      at: this.clock.now().getTime(),
      today: dateAt(day),
      served: null,
      unmarked: new Set(),
    };
  }

  #schedules(guard: Guard): Schedules {
    const since = new Date(`${dateAt(0)}T00:00:00Z`);
    return {
      list: guard('schedules.list', async () =>
        this.#history.tenants.map((index) => {
          const { tenantId, name } = tenants[index]!;
          return { tenantId, name, enabled: true, since };
        }),
      ),
      digests: guard('schedules.digests', async () =>
        digests.map(({ name }) => ({ name, enabled: true, since })),
      ),
    };
  }

  /** An event of a digest's schedule, with the retries of its invocation; or two events at once. */
  async #digest(digest: Digest, day: number): Promise<void> {
    const events = this.#events[0]![day]!;
    const has = (kind: Event['kind']) => events.find((event) => event.kind === kind);
    if (has('digest off')) return this.oracle.faults.meet('digest not fired');
    const crash = has('digest crash');
    const together = has('digest at once');
    if (together) this.oracle.faults.meet('two digests at once');
    const jitter = together?.kind === 'digest at once' ? randomOf(`digest ${together.seed}`) : undefined;
    const fire = async () => {
      const id = `invocation-${(this.#invocations += 1)}`;
      const again = crash?.kind === 'digest crash' ? crash.again : RETRIES_MS.length;
      for (let attempt = 0; ; attempt += 1) {
        const invoked = this.#ofNoTenant(day);
        const { code, digests: known } = this.#runs(day, attempt);
        const guard = guardOf({
          code,
          recipe: 'digest',
          faults: this.oracle.faults,
          crash: attempt === 0 ? crash : undefined,
          due: this.#due(day, 0),
          jitter,
          onFailure: () => this.oracle.ended(invoked),
        });
        const ports = {
          ...this.#ports(invoked, this.clock, id, events, guard),
          schedules: this.#schedules(guard),
        };
        let error: Error | null = null;
        try {
          await code.makeDigest({
            digest: known.find(({ name }) => name === digest.name)!,
            sender: SENDER,
            ports,
          });
        } catch (thrown) {
          error = thrown as Error;
        }
        this.oracle.ended(invoked);
        const isExpected =
          crash !== undefined ||
          error instanceof Crash ||
          (jitter !== undefined && error !== null && 'retryable' in error);
        if (error !== null && !isExpected)
          this.oracle.violate(`day ${day}: the digest ${digest.name} failed: ${error.message}`);
        if (error === null || attempt >= again) return;
        this.clock.advance(RETRIES_MS[attempt]!);
      }
    };
    await Promise.all(jitter ? [fire(), fire()] : [fire()]);
  }

  async #watch(day: number): Promise<void> {
    const crash = this.#events[0]![day]!.find(({ kind }) => kind === 'watch crash');
    const again = crash?.kind === 'watch crash' ? crash.again : 0;
    for (let attempt = 0; ; attempt += 1) {
      if (await this.#watchOnce(day, attempt === 0 ? crash : undefined)) return;
      if (attempt >= again) return;
      this.clock.advance(RETRIES_MS[attempt]!);
    }
  }

  /** @returns false where it died */
  async #watchOnce(day: number, crash: Event | undefined): Promise<boolean> {
    const invoked = this.#ofNoTenant(day);
    const { code } = this.#runs(day);
    const guard = guardOf({
      code,
      recipe: 'watch',
      faults: this.oracle.faults,
      crash,
      due: this.#due(day, 0),
    });
    let isDone = true;
    try {
      const result = await code.watch({
        deployment: 'years',
        sender: SENDER,
        deadline: new Date(this.clock.now().getTime() + RUN_MS),
        ports: {
          ...this.#ports(invoked, this.clock, 'watch', [], guard),
          mailer: {
            send: guard('mailer.send', async ({ subject }: Mail) => {
              this.oracle.watchSent(day, subject);
              return 'id';
            }),
          },
          schedules: this.#schedules(guard),
        },
      });
      this.oracle.watched(day, this.clock.now().getTime(), result);
    } catch (error) {
      isDone = false;
      if (!crash && !(error instanceof Crash))
        this.oracle.violate(`day ${day}: the watch failed: ${String(error)}`);
    }
    this.oracle.ended(invoked);
    return isDone;
  }

  /** By app, how many of its keys a renewal could remove, because it knows their ids: the one in use is among them. */
  removableKeys(): Map<string, number> {
    return new Map(
      [...this.keys.apps].map(([clientId, { keys }]) => [
        clientId,
        keys.filter(({ keyId }) => this.#noted.has(keyId)).length,
      ]),
    );
  }

  /** Reads which ids of keys the renewals know. */
  async #note(): Promise<void> {
    for (const object of await this.store.list('state/rotation=')) {
      const { bytes } = (await this.store.get(object))!;
      const { keys } = JSON.parse(Buffer.from(bytes).toString()) as { keys: { keyId: string | null }[] };
      for (const { keyId } of keys) if (keyId !== null) this.#noted.add(keyId);
    }
  }

  async #renew(day: number): Promise<void> {
    const crash = this.#events[0]![day]!.find((event) => event.kind === 'renewal crash');
    const { code, tenants: known } = this.#runs(day);
    const guard = guardOf({
      code,
      recipe: 'renewal',
      faults: this.oracle.faults,
      crash,
      due: this.#due(day, 0),
    });
    const wrap = <T extends object>(port: string, target: T): T =>
      new Proxy(target, {
        get(object, name) {
          const value: unknown = Reflect.get(object, name, object);
          return typeof value === 'function'
            ? guard(`${port}.${String(name)}`, value.bind(object) as never)
            : value;
        },
      });
    const before = this.secret.current;
    try {
      const { renewals } = await code.rotate({
        deployment: 'years',
        tenants: this.#history.tenants.map((index) => known[index]!),
        sender: SENDER,
        ports: {
          clock: this.clock,
          invocation: {
            id: `renewal ${day}`,
            deadline: new Date(this.clock.now().getTime() + 10 * MINUTE_MS),
          },
          certificates: () => wrap('secret', this.secret),
          keys: wrap('keys', this.keys as AppKeys),
          create: guard('create', (options: Parameters<typeof createCertificate>[0]) => {
            const index = (this.#made += 1);
            return (made[index] ??= createCertificate(options));
          }),
          store: wrap('store', this.store as ObjectStore),
          mailer: {
            send: async () => {
              this.oracle.renewalSent(day);
              return 'id';
            },
          },
          log: { info: () => {}, warn: () => {}, error: () => {} },
          pause: async (ms) => this.clock.advance(ms),
        },
      });
      await this.#note();
      const untold = this.keys.apps.size + this.keys.added - this.#noted.size;
      for (const renewal of renewals) this.oracle.renewed(day, renewal, untold);
    } catch (error) {
      await this.#note();
      if (!(error instanceof Crash)) this.oracle.violate(`day ${day}: the renewal failed: ${String(error)}`);
      else if (this.secret.pending !== null) {
        this.oracle.figures.interrupted += 1;
        this.oracle.faults.meet('renewal interrupted');
      }
    }
    if (this.secret.current !== before) this.oracle.figures.renewals += 1;
  }
}

/** An attempt of an invocation for a tenant. */
interface Attempt {
  index: number;
  day: number;
  id: string;
  attempt: number;
  events: Event[];
  jitter: ReturnType<typeof randomOf> | undefined;
}

/** Stands before a port's call, under the port's name. */
type Guard = <Args extends unknown[], Result>(
  port: string,
  call: (...args: Args) => Promise<Result>,
) => (...args: Args) => Promise<Result>;

type Dying = Extract<Event, { kind: 'death' }>;

interface Guarded {
  /** Whose errors are thrown. */
  code: Code;
  recipe: Recipe;
  faults: Faults;
  crash: Event | undefined;
  /** A death that has come due at this call of a port. */
  due: (recipe: Recipe, port: string, nth: number) => { when: Death } | undefined;
  jitter?: ReturnType<typeof randomOf> | undefined;
  onFailure?: () => void;
}

/** Counts the calls of an attempt, one of which dies or fails; after a death none does anything. */
function guardOf({ code, recipe, faults, crash, due, jitter, onFailure }: Guarded): Guard {
  let calls = 0;
  const callsOf = new Map<string, number>();
  let isDead = false;
  const plan = crash && 'nth' in crash ? crash : null;
  return (port, call) =>
    async (...args) => {
      if (isDead) throw new Crash();
      calls += 1;
      const nth = (callsOf.get(port) ?? 0) + 1;
      callsOf.set(port, nth);
      faults.call(recipe, port);
      const dying = calls === plan?.nth ? plan : due(recipe, port, nth);
      if (dying) faults.die(recipe, port, dying.when);
      if (dying?.when === 'error') {
        onFailure?.();
        throw new code.MonitorError('unavailable', 'It does not answer.', 'Run again.', { retryable: true });
      }
      if (dying?.when === 'before') {
        isDead = true;
        throw new Crash();
      }
      for (let turns = jitter?.integer(0, 4) ?? 0; turns > 0; turns -= 1) await setImmediate();
      const answer = await call(...args).catch((error: unknown) => {
        throw asOf(code, error);
      });
      if (dying) isDead = true;
      if (isDead) throw new Crash();
      return answer;
    };
}

/** An error of today's classes, as one of those that a version knows. */
function asOf(code: Code, error: unknown): unknown {
  if (error instanceof DeliveryError) Object.setPrototypeOf(error, code.DeliveryError.prototype);
  else if (error instanceof MonitorError) Object.setPrototypeOf(error, code.MonitorError.prototype);
  return error;
}

type Problem = 'refused' | 'paused' | 'throttled' | 'webhook deleted' | 'webhook down';

const MAIL_PROBLEMS: Problem[] = ['refused', 'paused', 'throttled'];
const WEBHOOK_PROBLEMS: Problem[] = ['webhook deleted', 'webhook down'];
const ERRORS: Record<Problem, () => DeliveryError> = {
  refused: () =>
    new DeliveryError('mail-address-refused', 'The address is refused.', 'Correct it.', { final: true }),
  paused: () => new DeliveryError('mail-paused', 'Sending is paused.', 'Ask AWS.'),
  throttled: () =>
    new DeliveryError('mail-throttled', 'Too many mails.', 'Wait.', { retryable: true, retryAfter: 4_000 }),
  'webhook deleted': () =>
    new DeliveryError('channel-gone', 'It is gone.', 'Make another one.', { final: true }),
  'webhook down': () =>
    new DeliveryError('channel-down', 'It does not answer.', 'Wait.', { retryable: true }),
};

/** What keeps a delivery from its destination, the gravest first. */
function problemOf(isMail: boolean, events: Event[]) {
  for (const kind of isMail ? MAIL_PROBLEMS : WEBHOOK_PROBLEMS) {
    const event = events.find((each): each is Event & { kind: Problem } => each.kind === kind);
    if (event) return { event, error: ERRORS[kind]() };
  }
  return null;
}

const LONG_OUTAGE_DAYS = 80;

function meetOutage(
  { on, days }: { on: number; days: number },
  day: number,
  meet: (fault: Fault) => void,
): void {
  if (days === 1) meet('outage of a day');
  if (day - on >= LONG_OUTAGE_DAYS - 3) meet('outage of 80 days');
}

/** The moment of a tenant's schedule on a date, ms; a time that the clock skips that day is taken an hour later. */
function fireOf({ at, timeZone }: Tenant['schedule'], date: string): number {
  const asUtc = Date.parse(`${date}T${at}:00Z`);
  return asUtc - offsetOf(timeZone, asUtc);
}

const formats = new Map<string, Intl.DateTimeFormat>();
function offsetOf(timeZone: string, at: number): number {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
  formats.set(timeZone, format);
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return (
    Date.parse(`${part['year']}-${part['month']}-${part['day']}T${part['hour']}:${part['minute']}:00Z`) -
    Math.floor(at / MINUTE_MS) * MINUTE_MS
  );
}
