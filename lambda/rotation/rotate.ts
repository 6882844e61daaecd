import { Archive } from '../archive/archive.ts';
import { inParallel } from '../archive/columns/parallel.ts';
import type { Bundle } from '../certificate/bundle.ts';
import type { Tenant } from '../config.ts';
import { MonitorError } from '../errors.ts';
import type { Sender } from '../channels/mail.ts';
import type { SentMail } from '../run/run.ts';
import { Contended, Notebook, type Key } from './memory.ts';
import { sendNotice } from './notice.ts';
import type { RotationPorts } from './ports.ts';
import { attempt, bundleOf, removeOldKeys, type Attempt, type Obstacle, type Shared } from './renew.ts';

/** The maximum number of times another attempt may come first before this one gives up. */
const CONTENTIONS = 10;
/** The time, in ms, between two checks whether Entra knows the next certificate. */
const PAUSE_MS = 15_000;
/** The time before the deadline, in ms, from which on nothing is waited for. */
const RESERVE_MS = 45_000;

export interface Rotation {
  /** The deployment's name, or the file's. */
  deployment: string;
  /** All watched tenants. Those that sign in federated have no certificate and are left out. */
  tenants: Tenant[];
  /** Null: nobody is notified, because the caller reads the result. */
  sender: Sender | null;
  ports: RotationPorts;
  /** True: renew now, even if it is not due. */
  force?: boolean;
}

/** The outcome for one certificate. Dates are ISO 8601, thumbprints SHA-1 in hex, as the portal lists them. */
export interface Renewal {
  /** Name of the secret, or the file. */
  secret: string;
  tenants: string[];
  /**
   * fresh: nothing to do. waiting: the next certificate is made, but Entra does not know it everywhere yet; the next
   * attempt goes on. renewed: the next certificate signs in from now on. blocked: by `obstacles`.
   */
  status: 'fresh' | 'waiting' | 'blocked' | 'renewed';
  /** The certificate that signed in when this began; null if it cannot be read. */
  certificate: { thumbprint: string; notAfter: string } | null;
  next: { thumbprint: string; notAfter: string } | null;
  obstacles: Obstacle[];
  /** Old keys that were removed from their apps. */
  removed: { clientId: string; thumbprint: string }[];
  /** Old keys that only an admin can remove. They expire by themselves. */
  leftOver: { clientId: string; thumbprint: string; notAfter: string }[];
}

export interface RotationResult {
  renewals: Renewal[];
  mails: SentMail[];
}

/**
 * Renews the certificates that are due, and removes the keys of those that were replaced. A secret whose renewal fails does
 * not stop the others. Operations get one mail about the obstacles of a renewal until these change.
 * @throws MonitorError of the first renewal that failed and may work next time, after all others are done
 */
export async function rotate(rotation: Rotation): Promise<RotationResult> {
  const renewals: Renewal[] = [];
  const mails: SentMail[] = [];
  let failure: MonitorError | null = null;
  for (const shared of await sharedSecrets(rotation)) {
    try {
      const { renewal, mail } = await renewShared(rotation, shared);
      renewals.push(renewal);
      mails.push(...(mail ? [mail] : []));
    } catch (error) {
      if (!(error instanceof MonitorError)) throw error;
      rotation.ports.log.error(error.message, {
        secret: shared.name,
        code: error.code,
        advice: error.advice,
      });
      failure ??= error;
    }
  }
  if (failure) throw failure;
  return { renewals, mails };
}

/** The tenants of each secret, by its canonical name. @throws MonitorError if a secret cannot be read at all */
export async function sharedSecrets({
  tenants,
  ports,
}: Pick<Rotation, 'tenants'> & { ports: Pick<RotationPorts, 'certificates' | 'log'> }): Promise<
  (Shared & { name: string })[]
> {
  const byName = new Map<string, Shared & { name: string }>();
  const withOne = tenants.filter(({ signIn }) => signIn !== 'federated');
  for (const [secret, theirs] of Map.groupBy(withOne, ({ certificate }) => certificate)) {
    const certificates = ports.certificates(secret);
    let name: string;
    try {
      ({ name } = await certificates.look());
    } catch (error) {
      if (!(error instanceof MonitorError)) throw error;
      // The runs of its tenants fail for the same reason and report it.
      ports.log.error(error.message, { code: error.code, advice: error.advice });
      continue;
    }
    const known = byName.get(name);
    byName.set(name, { name, certificates, tenants: [...(known?.tenants ?? []), ...theirs] });
  }
  return [...byName.values()];
}

async function renewShared(
  rotation: Rotation,
  shared: Shared & { name: string },
): Promise<{ renewal: Renewal; mail: SentMail | null }> {
  const { ports, force = false } = rotation;
  const { log, clock, invocation } = ports;
  // If no tenant renews itself, the watch and the alarms look after the certificate, as before.
  if (!force && shared.tenants.every(({ rotate: on }) => on === false))
    return { renewal: idle(shared), mail: null };
  let began: string | null = null;
  let contentions = 0;
  for (;;) {
    const held = await shared.certificates.look();
    // If two renewals are asked for at once, the second one finds that the first has done its work.
    began ??= held.current.id;
    const isForced = force && held.current.id === began;
    const current = bundleOf(held, clock.now());
    const notebook = await Notebook.open(ports.store, held.name);
    const setting = { ...shared, held, current, notebook, ports };
    try {
      const came = await attempt(setting, isForced);
      const isLate = invocation.deadline.getTime() - clock.now().getTime() < PAUSE_MS + RESERVE_MS;
      if (came.status === 'waiting' && !isLate) {
        await ports.pause(PAUSE_MS);
        continue;
      }
      const after = came.status === 'renewed' ? await shared.certificates.look() : held;
      const signsIn = bundleOf(after, clock.now());
      const old = await removeOldKeys(
        { ...setting, held: after, current: signsIn },
        whoHasRun(ports, signsIn),
      );
      for (const { message, code, advice } of old.failures) log.warn(message, { code, advice });
      const renewal = resultOf(shared, came, old);
      log.info('certificate looked after', {
        ...renewal,
        obstacles: renewal.obstacles.map(({ code }) => code),
      });
      return { renewal, mail: await sendNotice(rotation, renewal, current.notAfter, notebook, old.leftOver) };
    } catch (error) {
      if (!(error instanceof Contended)) throw error;
      contentions += 1;
      if (contentions >= CONTENTIONS) {
        throw new MonitorError(
          'rotation-contended',
          `Other renewals of ${held.name} came first ${CONTENTIONS} times.`,
          'Nothing has to be done: the next attempt goes on from there.',
          { retryable: true },
        );
      }
    }
  }
}

/** True for tenants whose states show that each has had a successful run with this certificate. */
function whoHasRun({ store }: RotationPorts, current: Bundle): (tenants: Tenant[]) => Promise<boolean> {
  const until = current.notAfter.toISOString();
  return async (tenants) => {
    const have = await inParallel(tenants, async ({ tenantId }) => {
      const { state } = await new Archive(store, tenantId).state();
      return state?.lastRun?.certificateUntil === until;
    });
    return have.every(Boolean);
  };
}

const factsAbout = ({ thumbprintSha1, notAfter }: Bundle) => ({
  thumbprint: thumbprintSha1,
  notAfter: notAfter.toISOString(),
});

function resultOf(
  { name, tenants }: Shared & { name: string },
  { status, current, next, obstacles }: Attempt,
  { removed, leftOver }: { removed: Key[]; leftOver: Key[] },
): Renewal {
  return {
    secret: name,
    tenants: tenants.map((tenant) => tenant.name),
    status,
    certificate: factsAbout(current),
    next: next && factsAbout(next),
    obstacles,
    removed: removed.map(({ clientId, listedAs }) => ({ clientId, thumbprint: listedAs })),
    leftOver: leftOver.map(({ clientId, listedAs, notAfter }) => ({
      clientId,
      thumbprint: listedAs,
      notAfter,
    })),
  };
}

function idle({ name, tenants }: Shared & { name: string }): Renewal {
  return {
    secret: name,
    tenants: tenants.map((tenant) => tenant.name),
    status: 'fresh',
    certificate: null,
    next: null,
    obstacles: [],
    removed: [],
    leftOver: [],
  };
}
