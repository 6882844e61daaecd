import { randomUUID } from 'node:crypto';
import { dueBefore, readBundle, type Bundle } from '../certificate/bundle.ts';
import type { Tenant } from '../config.ts';
import { commandLine } from '../command-line.ts';
import { MonitorError, quote } from '../errors.ts';
import { Contended, type Key, type Notebook } from './memory.ts';
import type { App, CertificateStore, Held, RotationPorts } from './ports.ts';

const DAY_MS = 24 * 3_600_000;

/** An old key is removed this long after another certificate has begun to sign in. */
const GRACE_MS = 7 * DAY_MS;
/** An app that refuses the new key holds the others back only until this long before the end, so that they do not expire with it. */
const LAST_CALL_MS = 3 * DAY_MS;
/** An unanswered addKey is repeated only after this time, by which its key, if it was added, would be known everywhere. */
const LAG_MS = 3_600_000;
/** A new key that is not known everywhere after this time is more than lag. */
const STUCK_MS = 3 * DAY_MS;
/** Microsoft advises against certificates that live longer than a year. */
const LONGEST_DAYS = 365;
/** The clock of this machine may be ahead of Entra's. */
const HEAD_START_MS = 10 * 60_000;
/** The maximum number of sign-ins that are tried at once. */
const AT_A_TIME = 20;

/** What stands in the way of a renewal. */
export interface Obstacle {
  /** The app that it concerns; null if it concerns the certificate, whoever uses it. */
  clientId: string | null;
  /** Names of the tenants that it concerns. */
  tenants: string[];
  code: string;
  message: string;
  advice: string;
}

/** One secret, and all tenants that sign in with it. */
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
  /** Its successor, once it is made. */
  next: Bundle | null;
  obstacles: Obstacle[];
}

function isDue(certificate: Bundle, now: Date): boolean {
  return certificate.notAfter.getTime() - now.getTime() <= dueBefore(certificate);
}

/** Reads what a secret holds. */
export function bundleOf({ name, current }: Held, now: Date): Bundle {
  return readBundle(current.pem, now, quote(name));
}

/** The apps of tenants, each once, in their home tenants. Those without an object id are left out: see `obstaclesOf`. */
export function appsOf(tenants: Tenant[]): App[] {
  const apps = new Map<string, App>();
  for (const { tenantId, clientId, objectId, homeTenantId, cloud } of tenants) {
    if (objectId !== undefined)
      apps.set(clientId, { tenantId: homeTenantId ?? tenantId, clientId, objectId, cloud });
  }
  return [...apps.values()];
}

/** The obstacles that are known before anything is tried. */
export function obstaclesOf(tenants: Tenant[], current: Bundle, now: Date): Obstacle[] {
  const obstacles: Obstacle[] = [];
  const of = (some: Tenant[]) => some.map(({ name }) => name);
  if (now > current.notAfter) {
    obstacles.push({
      clientId: null,
      tenants: of(tenants),
      code: 'renewal-too-late',
      message: `The certificate ${quote(current.subject)} expired on ${current.notAfter.toISOString().slice(0, 10)}, and an expired certificate cannot sign the request for the next one.`,
      advice: `Renew it by hand once: ${commandLine('certificate create')}, upload its public part to the app registration, ${commandLine('certificate put')}. After that it renews itself again.`,
    });
  }
  const lacking = tenants.filter(({ objectId }) => objectId === undefined);
  for (const [clientId, theirs] of Map.groupBy(lacking, (tenant) => tenant.clientId)) {
    obstacles.push({
      clientId,
      tenants: of(theirs),
      code: 'renewal-without-object-id',
      message: `The config lacks the object id of the app ${clientId}, which a renewal needs.`,
      advice:
        'Add objectId beside clientId in the config ("Object ID" on the overview of the app registration, not of the enterprise application), or rotate: false to renew by hand. What is deployed takes it up when it is deployed again.',
    });
  }
  const off = tenants.filter(({ rotate }) => rotate === false);
  for (const [clientId, theirs] of Map.groupBy(off, (tenant) => tenant.clientId)) {
    obstacles.push({
      clientId,
      tenants: of(theirs),
      code: 'renewal-switched-off',
      message: `Renewal is switched off for the app ${clientId} (rotate: false), which holds back everybody who signs in with the same secret.`,
      advice: `Renew by hand (${commandLine('certificate create')}, upload, ${commandLine('certificate put')}), take "rotate: false" out of the config, or give this app a secret of its own.`,
    });
  }
  return obstacles;
}

/**
 * One attempt to advance a renewal as far as possible. Each step is recorded before it is taken, and each may be repeated:
 * a crash between any two steps, or another attempt at the same time, leads to the same end as an undisturbed renewal.
 * @param force renew although it is not due
 * @throws Contended if another attempt came first and the caller must start again; MonitorError
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
  // It is false if somebody has put another version there meanwhile, or another attempt has promoted this one.
  if (!(await setting.certificates.promote(id, from))) throw new Contended();
  await settleSwitch({ ...setting, held: await setting.certificates.look() });
  return { ...made, status: 'renewed' };
}

/**
 * Ends a renewal whose secret holds another certificate than at the beginning: its own, or one that somebody has put there
 * meanwhile. The latter stays, and the key of the renewal is removed like an old one.
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

/** Records since when keys no longer sign in, or that they do so again. */
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

/** Makes the next certificate, unless it exists, and stores it where it outlives this run. */
async function prepare({ ports, tenants, certificates, held, current, notebook }: Setting): Promise<Bundle> {
  const now = ports.clock.now();
  const at = now.toISOString();
  if (!notebook.memory.renewal) {
    // A version that waits although the state does not mention it is used, because its key may already be in Entra.
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
    // The version found now may be that of another attempt, which then counts, or it may already be current.
    const afterwards = await certificates.look();
    if (afterwards.current.id !== held.current.id) throw new Contended();
    staged = afterwards.next;
  }
  if (staged?.id !== id) {
    throw new MonitorError(
      'renewal-unstaged',
      `The next certificate was put into ${quote(held.name)} and is not there.`,
      'Nothing has to be done: the next attempt tries again. If it lasts, find out which other program changes this secret.',
      { retryable: true },
    );
  }
  return readBundle(staged.pem, now, quote(held.name));
}

/** The successor is made like the current certificate, because a policy of the tenant that allowed one allows the other. */
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
 * Adds the next certificate to an app. The request is recorded before it is made, so that only one of two attempts makes
 * it. If the answer is lost, a sign-in with the certificate shows whether the key was added.
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
    // Entra may refuse a certificate that the app already has. Then only the id of its key is unknown.
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
 * so tenant by tenant. A tenant to which neither signs in loses nothing by the switch.
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
    message: `The next certificate (in the portal's list: ${next.thumbprintSha1}) was added days ago but still does not sign in everywhere.`,
    advice: `Check whether the app registration lists it (Certificates & secrets). The current certificate is used meanwhile. ${commandLine('certificate rotate')} tries again at once.`,
  };
}

/**
 * Removes the keys of certificates that are no longer used: a week after another certificate has begun to sign in, once all
 * tenants of the app have run with it, or when they have expired. Then releases the secret's former version.
 * @returns keys that only an admin can remove and that operations have not been notified of
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
      // A key that has expired is harmless, so its removal is not tried forever.
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
