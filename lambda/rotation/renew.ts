import { randomUUID } from 'node:crypto';
import { readBundle, type Bundle } from '../certificate/bundle.ts';
import type { Tenant } from '../config.ts';
import { commandLine } from '../command-line.ts';
import { MonitorError, quote } from '../errors.ts';
import { Contended, type Key, type Notebook } from './memory.ts';
import type { App, CertificateStore, Held, RotationPorts } from './ports.ts';

const DAY_MS = 24 * 3_600_000;

/** A certificate is renewed when it has this long to live, or half of its life, if that is shorter. */
const RENEW_BEFORE_MS = 60 * DAY_MS;
/** An old key stays this long after another certificate has begun to sign in. */
const GRACE_MS = 7 * DAY_MS;
/** An app that does not take the new key holds the others back, but not to the very end: then it would take them with it. */
const LAST_CALL_MS = 3 * DAY_MS;
/** An addKey that was not answered is called again only when its key, had it been added, would have got around. */
const LAG_MS = 3_600_000;
/** A new key that is not known everywhere after so long is more than lag. */
const STUCK_MS = 3 * DAY_MS;
/** Microsoft advises against certificates that live longer than a year. */
const LONGEST_DAYS = 365;
/** The clock of this machine may be ahead of Entra's. */
const HEAD_START_MS = 10 * 60_000;
/** How many sign-ins are tried at a time. */
const AT_A_TIME = 20;

/** What stands in the way of a renewal. */
export interface Obstacle {
  /** Of an app; null: of the certificate, whoever uses it. */
  clientId: string | null;
  /** Names of the tenants that it is about. */
  tenants: string[];
  code: string;
  message: string;
  advice: string;
}

/** One secret, and everybody who signs in with it. */
export interface Shared {
  certificates: CertificateStore;
  tenants: Tenant[];
}

/** What is known at the beginning of an attempt. */
export interface Setting extends Shared {
  held: Held;
  current: Bundle;
  notebook: Notebook;
  ports: RotationPorts;
}

export interface Attempt {
  status: 'fresh' | 'waiting' | 'blocked' | 'renewed';
  current: Bundle;
  /** The one that takes its place, where it is made. */
  next: Bundle | null;
  obstacles: Obstacle[];
}

/** ms before its end at which a certificate is to be renewed. */
export function dueBefore({ notBefore, notAfter }: Pick<Bundle, 'notBefore' | 'notAfter'>): number {
  return Math.min(RENEW_BEFORE_MS, (notAfter.getTime() - notBefore.getTime()) / 2);
}

function isDue(certificate: Bundle, now: Date): boolean {
  return certificate.notAfter.getTime() - now.getTime() <= dueBefore(certificate);
}

/** Reads what a secret holds. */
export function bundleOf({ name, current }: Held, now: Date): Bundle {
  return readBundle(current.pem, now, quote(name));
}

/** The apps of tenants, each once, at home. Those without an object id are left out: see `obstaclesOf`. */
export function appsOf(tenants: Tenant[]): App[] {
  const apps = new Map<string, App>();
  for (const { tenantId, clientId, objectId, homeTenantId, cloud } of tenants) {
    if (objectId !== undefined)
      apps.set(clientId, { tenantId: homeTenantId ?? tenantId, clientId, objectId, cloud });
  }
  return [...apps.values()];
}

/** What is known to stand in the way before anything is tried. */
export function obstaclesOf(tenants: Tenant[], current: Bundle, now: Date): Obstacle[] {
  const obstacles: Obstacle[] = [];
  const of = (some: Tenant[]) => some.map(({ name }) => name);
  if (now > current.notAfter) {
    obstacles.push({
      clientId: null,
      tenants: of(tenants),
      code: 'renewal-too-late',
      message: `The certificate ${quote(current.subject)} has expired on ${current.notAfter.toISOString().slice(0, 10)}, and an expired one cannot sign the request for the next.`,
      advice: `Renew it by hand once: ${commandLine('certificate create')}, upload its public part to the app registration, ${commandLine('certificate put')}. After that it renews itself again.`,
    });
  }
  const lacking = tenants.filter(({ objectId }) => objectId === undefined);
  for (const [clientId, theirs] of Map.groupBy(lacking, (tenant) => tenant.clientId)) {
    obstacles.push({
      clientId,
      tenants: of(theirs),
      code: 'renewal-without-object-id',
      message: `The config does not say the object id of the app ${clientId}, by which a renewal is asked for.`,
      advice:
        'Add objectId beside clientId ("Object ID" on the overview of the app registration, not of the enterprise application), then deploy again.',
    });
  }
  const off = tenants.filter(({ rotate }) => rotate === false);
  for (const [clientId, theirs] of Map.groupBy(off, (tenant) => tenant.clientId)) {
    obstacles.push({
      clientId,
      tenants: of(theirs),
      code: 'renewal-switched-off',
      message: `Renewal is switched off for the app ${clientId} (rotate: false), and holds back everybody who signs in with the same secret.`,
      advice: `Renew by hand (${commandLine('certificate create')}, upload, ${commandLine('certificate put')}), take "rotate: false" out of the config, or give this app a secret of its own.`,
    });
  }
  return obstacles;
}

/**
 * One attempt to bring a renewal on, as far as it gets now. Each step is remembered before it is taken, and each may be
 * repeated: a crash between any two of them, and another attempt at the same time, end as one that nothing disturbed.
 * @param force renew although it is not due
 * @throws Contended where another attempt came first: begin again; MonitorError
 */
export async function attempt(setting: Setting, force: boolean): Promise<Attempt> {
  const { ports, tenants, current, notebook, held } = setting;
  const now = ports.clock.now();
  const fresh: Attempt = { status: 'fresh', current, next: null, obstacles: [] };

  if (notebook.memory.renewal && notebook.memory.renewal.from !== held.current.id) {
    return (await settleSwitch(setting)) ? { ...fresh, status: 'renewed' } : fresh;
  }
  await noteSuperseded(setting, null);
  if (!notebook.memory.renewal && !force && !isDue(current, now)) return fresh;

  const known = obstaclesOf(tenants, current, now);
  if (known.length > 0) return { ...fresh, status: 'blocked', obstacles: known };

  const next = await prepare(setting);
  const refused: Obstacle[] = [];
  let isWaiting = false;
  for (const app of appsOf(tenants)) {
    const outcome = await offer(setting, app, next);
    if (outcome === 'waiting') isWaiting = true;
    else if (outcome !== 'there') {
      const theirs = tenants.filter(({ clientId }) => clientId === app.clientId).map(({ name }) => name);
      refused.push({ clientId: app.clientId, tenants: theirs, ...factsOf(outcome) });
    }
  }
  const isLastCall = current.notAfter.getTime() - now.getTime() <= LAST_CALL_MS;
  const without = new Set(refused.map(({ clientId }) => clientId));
  const takers = tenants.filter(({ clientId }) => !without.has(clientId));
  const made = { current, next, obstacles: refused };
  if (refused.length > 0 && (!isLastCall || takers.length === 0)) return { ...made, status: 'blocked' };
  if (isWaiting || !(await isKnown(setting, takers, next))) {
    const since = Date.parse(notebook.memory.renewal?.since ?? now.toISOString());
    const obstacles = now.getTime() - since > STUCK_MS ? [...refused, stuck(takers, next)] : refused;
    return { ...made, status: 'waiting', obstacles };
  }
  const { id, from } = notebook.memory.renewal!;
  // False: somebody has put another one there meanwhile, or another attempt this very one.
  if (!(await setting.certificates.promote(id, from))) throw new Contended();
  await settleSwitch({ ...setting, held: await setting.certificates.look() });
  return { ...made, status: 'renewed' };
}

/**
 * Ends a renewal whose secret holds another certificate than it began with: its own, or one that somebody has put there
 * meanwhile, which then stands: the key of the renewal goes the way of an old one.
 * @returns whether it is the renewal's own
 */
async function settleSwitch({ ports, certificates, held, notebook }: Setting): Promise<boolean> {
  const { id, from } = notebook.memory.renewal!;
  await certificates.unstage(id);
  const isOwn = held.current.id === id;
  await noteSuperseded(
    { ports, held, notebook },
    { renewal: null, previous: isOwn ? from : notebook.memory.previous },
  );
  return isOwn;
}

/** Notes since when keys are not those that sign in any more, or that they are again. */
async function noteSuperseded(
  { ports, held, notebook }: Pick<Setting, 'ports' | 'held' | 'notebook'>,
  changes: Partial<Notebook['memory']> | null,
): Promise<void> {
  const now = ports.clock.now();
  const inUse = bundleOf(held, now).thumbprintSha256;
  const isNext = (key: Key) =>
    (changes ?? notebook.memory).renewal !== null &&
    held.next !== null &&
    thumbprintOf(held.next.pem, now) === key.thumbprint;
  const keys = notebook.memory.keys.map((key): Key => {
    if (key.thumbprint === inUse || isNext(key)) return { ...key, superseded: null };
    return { ...key, superseded: key.superseded ?? now.toISOString() };
  });
  const hasChanged = JSON.stringify(keys) !== JSON.stringify(notebook.memory.keys);
  if (changes || hasChanged) await notebook.save({ ...changes, keys });
}

function thumbprintOf(pem: string, now: Date): string | null {
  try {
    return readBundle(pem, now, 'what is to sign in next').thumbprintSha256;
  } catch {
    return null;
  }
}

function isSuccessor(pem: string, current: Bundle, now: Date): boolean {
  return thumbprintOf(pem, now) !== null && readBundle(pem, now, 'it').notAfter > current.notAfter;
}

/** Makes the next certificate, unless it is made, and puts it where it outlives this run. */
async function prepare({ ports, tenants, certificates, held, current, notebook }: Setting): Promise<Bundle> {
  const now = ports.clock.now();
  const at = now.toISOString();
  if (!notebook.memory.renewal) {
    // A version that waits although nobody remembers it: the state was lost. Its key may be in Entra already.
    const found = held.next && isSuccessor(held.next.pem, current, now) ? held.next : null;
    const lost = found && readBundle(found.pem, now, quote(held.name));
    await notebook.save({
      renewal: { id: found?.id ?? randomUUID(), from: held.current.id, since: at },
      keys: appsOf(tenants).reduce((keys, { clientId }) => {
        const has = (bundle: Bundle) => notebook.keyOf(clientId, bundle.thumbprintSha256) !== undefined;
        return [
          ...keys,
          ...(has(current) ? [] : [keyOf(clientId, current, at)]),
          ...(lost && !has(lost) ? [{ ...keyOf(clientId, lost, at), there: false }] : []),
        ];
      }, notebook.memory.keys),
    });
  }
  const { id } = notebook.memory.renewal!;
  let staged = held.next?.id === id ? held.next : null;
  if (!staged) {
    const { certificate, privateKey } = await ports.create(successorOf(current, now));
    await certificates.stage(id, certificate + privateKey);
    // What is there now may be another attempt's, and the first one counts; or it signs in already.
    const afterwards = await certificates.look();
    if (afterwards.current.id !== held.current.id) throw new Contended();
    staged = afterwards.next;
  }
  if (staged?.id !== id) {
    throw new MonitorError(
      'renewal-unstaged',
      `The next certificate was put into ${quote(held.name)} and is not there.`,
      'Nothing: it is tried again. If it lasts, look which other program changes this secret.',
      { retryable: true },
    );
  }
  return readBundle(staged.pem, now, quote(held.name));
}

/** As the current one was made: what a policy of the tenant allowed once, it allows again. */
function successorOf({ subject, bits, notBefore, notAfter }: Bundle, now: Date) {
  const days = Math.round((notAfter.getTime() - notBefore.getTime()) / DAY_MS);
  return {
    commonName: /(?:^|, )CN=([\p{L}\p{N} ._-]{1,64})(?:,|$)/u.exec(subject)?.[1] ?? 'secure-score-monitor',
    bits: Math.min(Math.max(bits, 2048), 4096),
    days: Math.min(Math.max(days, 1), LONGEST_DAYS),
    notBefore: new Date(now.getTime() - HEAD_START_MS),
  };
}

function keyOf(clientId: string, bundle: Bundle, at: string): Key {
  return {
    clientId,
    thumbprint: bundle.thumbprintSha256,
    listedAs: bundle.thumbprintSha1,
    notAfter: bundle.notAfter.toISOString(),
    keyId: null,
    there: true,
    since: at,
    superseded: null,
    reported: false,
  };
}

/**
 * Adds the next certificate to an app. That it is asked for is remembered before it is: of two attempts one asks, and
 * an answer that gets lost is told from a key that was never added by signing in with it.
 */
async function offer(setting: Setting, app: App, next: Bundle): Promise<'there' | 'waiting' | MonitorError> {
  const { ports, current, notebook } = setting;
  const now = ports.clock.now();
  const before = notebook.keyOf(app.clientId, next.thumbprintSha256);
  if (before?.there) return 'there';
  if (before) {
    if (await signsIn(setting, app, next)) {
      await notebook.saveKey({ ...before, there: true });
      return 'there';
    }
    if (now.getTime() - Date.parse(before.since) < LAG_MS) return 'waiting';
  }
  const asked = { ...keyOf(app.clientId, next, now.toISOString()), there: false };
  await notebook.saveKey(asked);
  try {
    const keyId = await ports.keys.add(app, current, next.certificatePem, ports.invocation.deadline);
    await notebook.saveKey({ ...asked, keyId, there: true });
    return 'there';
  } catch (error) {
    if (!(error instanceof MonitorError)) throw error;
    if (error.code === 'renewal-unanswered') return 'waiting';
    // Entra may refuse to take a certificate twice: then it is there, and only its id is not known.
    if (await signsIn(setting, app, next)) {
      await notebook.saveKey({ ...asked, there: true });
      return 'there';
    }
    if (before) await notebook.saveKey(before);
    else await notebook.dropKey(asked);
    return error.retryable ? 'waiting' : error;
  }
}

async function signsIn({ ports }: Setting, app: App, certificate: Bundle): Promise<boolean> {
  try {
    await ports.keys.signIn(app, certificate, ports.invocation.deadline);
    return true;
  } catch (error) {
    if (error instanceof MonitorError) return false;
    throw error;
  }
}

/**
 * Whether the next certificate signs in wherever the current one does. Entra takes minutes to spread a key, and does
 * so tenant by tenant. A tenant that neither signs in to has lost nothing by the switch.
 */
async function isKnown(setting: Setting, takers: Tenant[], next: Bundle): Promise<boolean> {
  const { ports, current } = setting;
  const places = new Map(
    [...appsOf(takers), ...takers].map(({ tenantId, clientId, cloud }) => [
      `${tenantId}/${clientId}`,
      { tenantId, clientId, cloud },
    ]),
  );
  const all = [...places.values()];
  for (let start = 0; start < all.length; start += AT_A_TIME) {
    const known = await Promise.all(
      all.slice(start, start + AT_A_TIME).map(async (place) => {
        const failure = await failureOf(() => ports.keys.signIn(place, next, ports.invocation.deadline));
        if (!failure) return true;
        if (failure.retryable) return false;
        const before = await failureOf(() => ports.keys.signIn(place, current, ports.invocation.deadline));
        return before !== null && !before.retryable;
      }),
    );
    if (!known.every(Boolean)) return false;
  }
  return true;
}

async function failureOf(call: () => Promise<void>): Promise<MonitorError | null> {
  try {
    await call();
    return null;
  } catch (error) {
    if (error instanceof MonitorError) return error;
    throw error;
  }
}

export function factsOf({
  code,
  message,
  advice,
}: MonitorError): Pick<Obstacle, 'code' | 'message' | 'advice'> {
  return { code, message, advice };
}

function stuck(tenants: Tenant[], next: Bundle): Obstacle {
  return {
    clientId: null,
    tenants: tenants.map(({ name }) => name),
    code: 'renewal-stuck',
    message: `The next certificate (in the portal's list: ${next.thumbprintSha1}) was added days ago, and still does not sign in everywhere.`,
    advice: `Look whether the app registration lists it (Certificates & secrets). The current certificate goes on meanwhile. ${commandLine('certificate rotate')} tries again at once.`,
  };
}

/**
 * Removes keys that no certificate in use belongs to, a week after another has begun to sign in and when all tenants of
 * the app have run with that one; or when they have ended anyway. Then lets go of the secret's former version.
 * @returns keys that nobody but an admin can remove, of which operations have not been notified
 */
export async function removeOldKeys(
  { ports, tenants, certificates, held, current, notebook }: Setting,
  haveRun: (tenants: Tenant[]) => Promise<boolean>,
): Promise<{ removed: Key[]; leftOver: Key[]; failures: MonitorError[] }> {
  const now = ports.clock.now();
  const apps = appsOf(tenants);
  const result = { removed: [] as Key[], leftOver: [] as Key[], failures: [] as MonitorError[] };
  for (const key of notebook.memory.keys) {
    if (key.superseded === null) continue;
    const hasEnded = Date.parse(key.notAfter) < now.getTime();
    const isOld = now.getTime() - Date.parse(key.superseded) >= GRACE_MS;
    const app = apps.find(({ clientId }) => clientId === key.clientId);
    const theirs = tenants.filter(({ clientId }) => clientId === key.clientId);
    if (!hasEnded && !(isOld && (await haveRun(theirs)))) continue;
    if (app && key.keyId !== null) {
      const { keyId } = key;
      const failure = await failureOf(() =>
        ports.keys.remove(app, current, keyId, ports.invocation.deadline),
      );
      if (failure) result.failures.push(failure);
      // One that has ended is nobody's danger: it is not tried for ever.
      if (failure && (!hasEnded || failure.retryable)) continue;
      await notebook.dropKey(key);
      if (!failure) result.removed.push(key);
    } else if (hasEnded) await notebook.dropKey(key);
    else if (!key.reported) result.leftOver.push(key);
  }
  const { previous, keys } = notebook.memory;
  const isGone = (key: Key) =>
    key.superseded === null ||
    key.reported ||
    result.leftOver.some((one) => one.thumbprint === key.thumbprint);
  if (previous !== null && keys.every(isGone)) {
    if (held.previous === previous) await certificates.forget(previous);
    await notebook.save({ previous: null });
  }
  return result;
}
