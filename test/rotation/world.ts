import { randomUUID, X509Certificate } from 'node:crypto';
import { Archive } from '../../lambda/archive/archive.ts';
import { EMPTY_STATE } from '../../lambda/archive/state.ts';
import { readBundle, type Bundle } from '../../lambda/certificate/bundle.ts';
import type { CertificateOptions, KeyPair } from '../../lambda/certificate/self-signed.ts';
import { parseConfig, type Tenant } from '../../lambda/config.ts';
import { MonitorError } from '../../lambda/errors.ts';
import type {
  App,
  AppKeys,
  CertificateStore,
  Held,
  RotationPorts,
  Version,
} from '../../lambda/rotation/ports.ts';
import type { Rotation } from '../../lambda/rotation/rotate.ts';
import { createCertificate } from '../../simulator/certificates.ts';
import { Crash, FixedClock, MemoryMailer, MemoryStore } from '../run/fakes.ts';

export const DAY_MS = 24 * 3_600_000;
export const START = '2026-01-01T15:00:00.000Z';

const APPS = ['a', 'b'].map((letter) => ({
  clientId: `${letter.repeat(8)}-0000-4000-8000-000000000001`,
  objectId: `${letter.repeat(8)}-0000-4000-8000-000000000002`,
}));
export const [APP_A, APP_B] = APPS as [(typeof APPS)[0], (typeof APPS)[0]];
export const HOME_A = '10000000-0000-4000-8000-000000000000';
export const TENANT_B = '20000000-0000-4000-8000-000000000000';
export const GUEST_A = '30000000-0000-4000-8000-000000000000';

/** A multi-tenant app, at home and in another tenant, and an app of one tenant: all with one secret. */
export function tenantsOf(changes: object = {}): Tenant[] {
  const one = (name: string, tenantId: string, app: object) => ({
    name,
    tenantId,
    recipients: ['secops@contoso.com'],
    ...app,
    ...changes,
  });
  return parseConfig(
    {
      tenants: [
        one('Contoso', HOME_A, { ...APP_A, homeTenantId: HOME_A }),
        one('Fabrikam', TENANT_B, APP_B),
        one('Guest', GUEST_A, { ...APP_A, homeTenantId: HOME_A }),
      ],
      operations: ['oncall@contoso.com'],
      mail: { from: 'secure-score@contoso.com' },
    },
    'the test',
  ).tenants;
}

interface FakeKey {
  keyId: string;
  thumbprint: string;
  notAfter: Date;
  /** By then every tenant knows it. */
  visible: Date;
}

export interface FakeApp {
  homeTenantId: string;
  objectId: string;
  keys: FakeKey[];
  refuses: MonitorError | null;
}

/** Entra ID, as far as keys go. */
export class FakeKeys implements AppKeys {
  /** By client id. */
  readonly apps = new Map<string, FakeApp>();
  lagMs = 4 * 60_000;
  duplicates: 'refused' | 'added' = 'refused';
  /** Answers of addKey that get lost, from now on. */
  lose = 0;
  /** Tenants that nobody signs in to, with whatever. */
  readonly closed = new Set<string>();
  added = 0;
  readonly #clock: FixedClock;

  constructor(clock: FixedClock) {
    this.#clock = clock;
  }

  async signIn(
    { tenantId, clientId }: Pick<Tenant, 'tenantId' | 'clientId'>,
    certificate: Bundle,
  ): Promise<void> {
    if (this.closed.has(tenantId)) throw new MonitorError('app-not-in-tenant', 'there is no such app', '-');
    const key = this.#appOf(clientId).keys.find(
      ({ thumbprint }) => thumbprint === certificate.thumbprintSha256,
    );
    const now = this.#clock.now();
    if (!key || key.visible > now || key.notAfter < now)
      throw new MonitorError('certificate-unknown', 'unknown', '-');
  }

  async add(app: App, current: Bundle, pem: string): Promise<string> {
    await this.#prove(app, current);
    const known = this.#appOf(app.clientId);
    if (known.refuses) throw known.refuses;
    const thumbprint = thumbprintOf(pem);
    if (this.duplicates === 'refused' && known.keys.some((key) => key.thumbprint === thumbprint))
      throw new MonitorError('renewal-refused', 'a conflicting object is present', '-');
    const keyId = randomUUID();
    const visible = new Date(this.#clock.now().getTime() + this.lagMs);
    known.keys.push({ keyId, thumbprint, notAfter: notAfterOf(pem), visible });
    this.added += 1;
    if (this.lose > 0) {
      this.lose -= 1;
      throw new MonitorError('renewal-unanswered', 'no answer', '-', { retryable: true });
    }
    return keyId;
  }

  async remove(app: App, current: Bundle, keyId: string): Promise<void> {
    await this.#prove(app, current);
    const known = this.#appOf(app.clientId);
    known.keys = known.keys.filter((key) => key.keyId !== keyId);
  }

  async prove(app: App, current: Bundle): Promise<void> {
    await this.#prove(app, current);
  }

  upload(clientId: string, pem: string): void {
    const key = {
      keyId: randomUUID(),
      thumbprint: thumbprintOf(pem),
      notAfter: notAfterOf(pem),
      visible: new Date(0),
    };
    this.#appOf(clientId).keys.push(key);
  }

  async #prove(app: App, current: Bundle): Promise<void> {
    const known = this.#appOf(app.clientId);
    if (known.homeTenantId !== app.tenantId || known.objectId !== app.objectId)
      throw new MonitorError('renewal-proof-refused', 'wrong app', '-');
    await this.signIn(app, current);
  }

  #appOf(clientId: string): FakeApp {
    const app = this.apps.get(clientId);
    if (!app) throw new Error(`there is no app ${clientId}`);
    return app;
  }
}

/** A secret in memory, with the promises of Secrets Manager. */
export class MemorySecret implements CertificateStore {
  versions: Version[];
  current: string;
  pending: string | null = null;
  previous: string | null = null;

  constructor(pem: string) {
    this.versions = [{ id: 'first', pem }];
    this.current = 'first';
  }
  async look(): Promise<Held> {
    const version = (id: string | null) => this.versions.find((one) => one.id === id) ?? null;
    return {
      name: 'the-secret',
      current: version(this.current)!,
      next: this.pending === this.current ? null : version(this.pending),
      previous: this.previous,
    };
  }
  async stage(id: string, pem: string) {
    if (this.versions.some((one) => one.id === id)) return;
    this.versions.push({ id, pem });
    this.pending = id;
  }
  async promote(id: string, from: string) {
    if (this.current !== from) return false;
    this.previous = from;
    this.current = id;
    return true;
  }
  async unstage(id: string) {
    if (this.pending === id) this.pending = null;
  }
  async forget(id: string) {
    if (this.previous === id) this.previous = null;
  }
  /** As a human does it, with `certificate put`. */
  put(pem: string): void {
    const id = randomUUID();
    this.versions.push({ id, pem });
    this.previous = this.current;
    this.current = id;
  }
  pem(): string {
    return this.versions.find(({ id }) => id === this.current)!.pem;
  }
}

export const bundleOf = (pem: string): Bundle => readBundle(pem, new Date(START), 'the test');
export const thumbprintOf = (pem: string): string => {
  const certificate = pem.includes('PRIVATE KEY') ? bundleOf(pem).certificatePem : pem;
  return new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
};
const notAfterOf = (pem: string): Date => new X509Certificate(pem).validToDate;

const made = new Map<string, Promise<KeyPair>[]>();
/** The n-th certificate of its kind is the same in every test of a file, so that each key is made once. */
function maker(): (options: CertificateOptions) => Promise<KeyPair> {
  const turns = new Map<string, number>();
  return (options) => {
    const kind = JSON.stringify(options);
    const turn = turns.get(kind) ?? 0;
    turns.set(kind, turn + 1);
    const all = made.get(kind) ?? [];
    made.set(kind, all);
    return (all[turn] ??= createCertificate(options));
  };
}

export interface World {
  clock: FixedClock;
  keys: FakeKeys;
  secret: MemorySecret;
  store: MemoryStore;
  mailer: MemoryMailer;
  logged: { message: string; facts?: Record<string, unknown> }[];
  tenants: Tenant[];
  rotation(changes?: Partial<Rotation>): Rotation;
  /** What each tenant's daily run leaves in its state. */
  runAll(): Promise<void>;
  /** Every tenant of these signs in with what the secret holds. */
  everybodySignsIn(tenants?: Tenant[]): Promise<boolean>;
}

/** @param lifeDays of the certificate that signs in, of which `leftDays` are left at `start` */
export async function world(leftDays = 59, lifeDays = 365, start = new Date(START)): Promise<World> {
  const clock = new FixedClock(start.toISOString());
  const create = maker();
  const { certificate, privateKey } = await create({
    commonName: 'contoso-score',
    days: lifeDays,
    notBefore: new Date(start.getTime() - (lifeDays - leftDays) * DAY_MS),
  });
  const keys = new FakeKeys(clock);
  keys.apps.set(APP_A.clientId, { homeTenantId: HOME_A, objectId: APP_A.objectId, keys: [], refuses: null });
  keys.apps.set(APP_B.clientId, {
    homeTenantId: TENANT_B,
    objectId: APP_B.objectId,
    keys: [],
    refuses: null,
  });
  for (const clientId of keys.apps.keys()) keys.upload(clientId, certificate);
  const secret = new MemorySecret(certificate + privateKey);
  const store = new MemoryStore();
  const mailer = new MemoryMailer();
  const logged: World['logged'] = [];
  const log = (message: string, facts?: Record<string, unknown>) =>
    void logged.push(facts ? { message, facts } : { message });
  const tenants = tenantsOf();

  const ports = (): RotationPorts => ({
    clock,
    invocation: { id: randomUUID(), deadline: new Date(clock.now().getTime() + 10 * 60_000) },
    certificates: () => secret,
    keys,
    create,
    store,
    mailer,
    log: { info: log, warn: log, error: log },
    pause: async (ms) => clock.advance(ms),
  });
  return {
    clock,
    keys,
    secret,
    store,
    mailer,
    logged,
    tenants,
    rotation: (changes = {}) => ({
      deployment: 'test',
      tenants,
      sender: { from: 'secure-score@contoso.com', operations: ['oncall@contoso.com'] },
      ports: ports(),
      ...changes,
    }),
    async runAll() {
      for (const { tenantId } of tenants) {
        const { notAfter } = bundleOf(secret.pem());
        const archive = new Archive(store, tenantId);
        const { state, version } = await archive.state();
        const lastRun = {
          at: clock.now().toISOString(),
          newest: '2026-01-01',
          certificateUntil: notAfter.toISOString(),
        };
        await archive.swapState({ ...(state ?? EMPTY_STATE), lastRun }, version);
      }
    },
    async everybodySignsIn(some = tenants) {
      const inUse = bundleOf(secret.pem());
      for (const tenant of some) await keys.signIn(tenant, inUse);
      return true;
    },
  };
}

/**
 * The same ports, whose nth call dies: before it has any effect, or after it took effect.
 * @param only the ports whose calls count; all where absent
 */
export function crashing(
  ports: RotationPorts,
  nth: number,
  when: 'before' | 'after',
  only?: (keyof RotationPorts)[],
): { ports: RotationPorts; calls: () => number } {
  let calls = 0;
  const around = async (call: () => Promise<unknown>) => {
    if (calls >= nth) throw new Crash();
    calls += 1;
    if (calls === nth && when === 'before') throw new Crash();
    const answer = await call();
    if (calls === nth) throw new Crash();
    return answer;
  };
  return { ports: wrapped(ports, around, only), calls: () => calls };
}

/** The same ports, with something that happens before their nth call. */
export function interrupted(
  ports: RotationPorts,
  nth: number,
  happens: () => Promise<void>,
): { ports: RotationPorts; calls: () => number } {
  let calls = 0;
  const around = async (call: () => Promise<unknown>) => {
    calls += 1;
    if (calls === nth) await happens();
    return call();
  };
  return { ports: wrapped(ports, around), calls: () => calls };
}

function wrapped(
  ports: RotationPorts,
  around: (call: () => Promise<unknown>) => Promise<unknown>,
  only?: (keyof RotationPorts)[],
): RotationPorts {
  const wrap = <F extends (...args: never[]) => Promise<unknown>>(call: F): F =>
    ((...args: never[]) => around(() => call(...args))) as F;
  const watch = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name, object);
        return typeof value === 'function' ? wrap(value.bind(object) as never) : value;
      },
    });
  const watched: Partial<RotationPorts> = {
    certificates: (secret) => watch(ports.certificates(secret)),
    keys: watch(ports.keys),
    store: watch(ports.store),
    mailer: watch(ports.mailer),
    create: wrap(ports.create),
    pause: wrap(ports.pause),
  };
  const counted = Object.entries(watched).filter(
    ([name]) => only?.includes(name as keyof RotationPorts) ?? true,
  );
  return { ...ports, ...Object.fromEntries(counted) };
}
