import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Archive } from '../../lambda/archive/archive.ts';
import { EMPTY_STATE } from '../../lambda/archive/state.ts';
import { machineClock } from '../../lambda/clock.ts';
import type { Tenant } from '../../lambda/config.ts';
import { graphClient } from '../../lambda/graph/client.ts';
import { graphKeys } from '../../lambda/rotation/app-keys.ts';
import { rotate, type Renewal, type Rotation } from '../../lambda/rotation/rotate.ts';
import type { App, Registration } from '../../simulator/app.ts';
import { reset, status } from '../../simulator/faults.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import type { Simulator } from '../../simulator/server.ts';
import { Crash } from '../run/fakes.ts';
import { trusted } from '../simulator/support.ts';
import {
  APP_A,
  APP_B,
  bundleOf,
  crashing,
  DAY_MS,
  GUEST_A,
  HOME_A,
  TENANT_B,
  tenantsOf,
  thumbprintOf,
  world,
  type World,
} from './world.ts';

/*
 * The recipe against the simulated Entra ID and Graph, over TLS: real proofs, real sign-ins, real refusals. A
 * multi-tenant app in two tenants and an app of one tenant share a secret.
 */

let simulator: Simulator;
let w: World;
let tenants: Tenant[];
let a: Registration;
let b: Registration;
let apps: App[];
let first: string;

beforeAll(async () => {
  const today = machineClock.now().toISOString().slice(0, 10);
  simulator = await trusted({
    tenants: [HOME_A, TENANT_B, GUEST_A].map((tenantId) => practiceTenant({ tenantId, today })),
  });
});
afterAll(() => simulator.close());

beforeEach(async () => {
  simulator.healthy();
  simulator.requests.length = 0;
  w = await world(59, 365, machineClock.now());
  const { authorityHost, graphEndpoint } = simulator;
  tenants = tenantsOf({ cloud: { authorityHost, graphEndpoint } });
  const { certificatePem } = bundleOf(w.secret.pem());
  first = thumbprintOf(w.secret.pem());
  const register = (tenantId: string, clientId: string, registration: Partial<Registration>) =>
    simulator.registerApp({ tenantId, clientId, certificates: [certificatePem], registration });
  const shared: Partial<Registration> = { objectId: APP_A.objectId, homeTenantId: HOME_A };
  apps = [
    register(HOME_A, APP_A.clientId, shared),
    register(GUEST_A, APP_A.clientId, shared),
    register(TENANT_B, APP_B.clientId, { objectId: APP_B.objectId }),
  ];
  [a, b] = [apps[0]!.registration, apps[2]!.registration];
});

/** Its clocks are those of the machine, as Entra's are; waiting is short. */
function rotation(changes: Partial<Rotation> = {}): Rotation {
  const base = w.rotation({ tenants });
  const deadline = new Date(Date.now() + 120_000);
  return {
    ...base,
    ports: {
      ...base.ports,
      clock: machineClock,
      invocation: { ...base.ports.invocation, deadline },
      keys: graphKeys({ clock: machineClock, limits: { backoff: 1, attempts: 2 } }),
      pause: () => sleep(20),
    },
    ...changes,
  };
}
const renewal = async (changes: Partial<Rotation> = {}): Promise<Renewal> =>
  (await rotate(rotation(changes))).renewals[0]!;

/** As a run of each tenant does it. */
async function everybodyIsRead(): Promise<void> {
  const now = bundleOf(w.secret.pem());
  for (const tenant of tenants) {
    const graph = graphClient({ clock: machineClock, limits: { backoff: 1, attempts: 2 } });
    const session = await graph.signIn(tenant, now, new Date(Date.now() + 30_000));
    expect(await session.secureScores(1, null)).toHaveLength(1);
  }
}

/** A week later, when all have run: the clock of the recipe is ahead, Entra's is not. */
async function aWeekLater(): Promise<Renewal> {
  const later = { ...machineClock, now: () => new Date(Date.now() + 8 * DAY_MS) };
  for (const { tenantId } of tenants) {
    const certificateUntil = bundleOf(w.secret.pem()).notAfter.toISOString();
    const archive = new Archive(w.store, tenantId);
    const { state, version } = await archive.state();
    const lastRun = { at: later.now().toISOString(), newest: '2026-01-01', certificateUntil };
    await archive.swapState({ ...(state ?? EMPTY_STATE), lastRun }, version);
  }
  const base = rotation();
  return renewal({ ports: { ...base.ports, clock: later } });
}

const asked = (action: string) => simulator.requests.filter(({ path }) => path.endsWith(`/${action}`)).length;
const refusedSignIns = () =>
  simulator.requests.filter(({ path, status: code }) => path.includes('/oauth2/v2.0/token') && code === 401)
    .length;
const withoutTheFirst = () => {
  for (const app of apps) app.certificates.length = 0;
};

describe('a renewal over TLS', () => {
  it('waits while Entra ID answers 700027, then lets the new certificate sign in everywhere', async () => {
    for (const registration of [a, b]) registration.replication = 3_600_000;
    let pauses = 0;
    const pause = async () => {
      expect(thumbprintOf(w.secret.pem())).toBe(first);
      await everybodyIsRead();
      pauses += 1;
      // First one app knows it, then the other one.
      for (const key of [a, b][pauses - 1]!.keys) key.visibleFrom = new Date(0);
    };
    const { ports } = rotation();
    expect(await renewal({ ports: { ...ports, pause } })).toMatchObject({ status: 'renewed', obstacles: [] });
    expect(pauses).toBe(2);
    expect(refusedSignIns()).toBeGreaterThanOrEqual(2);
    expect(asked('addKey')).toBe(2);
    withoutTheFirst();
    await everybodyIsRead();
  });

  it('that takes longer than one attempt continues in the next one', async () => {
    a.replication = 60_000;
    const soon = () => ({ id: 'one', deadline: new Date(Date.now() + 61_000) });
    const { ports } = rotation();
    expect(await renewal({ ports: { ...ports, invocation: soon(), pause: () => sleep(300) } })).toMatchObject(
      {
        status: 'waiting',
      },
    );
    expect(thumbprintOf(w.secret.pem())).toBe(first);
    await everybodyIsRead();
    for (const key of a.keys) key.visibleFrom = new Date(0);
    expect(await renewal()).toMatchObject({ status: 'renewed' });
    expect(asked('addKey')).toBe(2);
  });

  it.each(['refused', 'added'] as const)(
    'finds the key of an answer that got lost, where a second one would be %s',
    async (duplicates) => {
      a.duplicates = duplicates;
      simulator.fault({ at: 'addKey', tenant: HOME_A, with: reset });
      expect(await renewal()).toMatchObject({ status: 'renewed', obstacles: [] });
      expect(a.keys).toHaveLength(1);
      withoutTheFirst();
      await everybodyIsRead();
    },
  );

  it('survives failures of Graph: a key that was not added is requested again', async () => {
    simulator.fault({ at: 'addKey', tenant: HOME_A, with: status(503) });
    expect(await renewal()).toMatchObject({ status: 'renewed' });
    expect(a.keys).toHaveLength(1);
  });

  it.each(['certificates', 'lifetime'] as const)(
    'that a policy about %s forbids for one app holds back all, and goes on when it is lifted',
    async (policy) => {
      b.policy = policy;
      expect(await renewal()).toMatchObject({
        status: 'blocked',
        obstacles: [{ code: 'renewal-forbidden', tenants: ['Fabrikam'] }],
      });
      expect(thumbprintOf(w.secret.pem())).toBe(first);
      expect(w.mailer.sent).toHaveLength(1);
      await everybodyIsRead();
      b.policy = null;
      expect(await renewal()).toMatchObject({ status: 'renewed' });
      expect([a.keys.length, b.keys.length]).toEqual([1, 1]);
    },
  );

  it('removes the old key a week later, with a proof signed by the new one', async () => {
    await renewal();
    const second = thumbprintOf(w.secret.pem());
    await aWeekLater();
    expect(w.secret.previous).toBeNull();
    // The first one has no id. Renewed once more, the second has.
    expect(await renewal({ force: true })).toMatchObject({ status: 'renewed' });
    withoutTheFirst();
    const done = await aWeekLater();
    expect(done.removed.map(({ clientId }) => clientId).toSorted()).toEqual([APP_A.clientId, APP_B.clientId]);
    for (const registration of [a, b]) {
      expect(registration.keys.map(({ certificate }) => thumbprintOf(certificate))).toEqual([
        thumbprintOf(w.secret.pem()),
      ]);
    }
    expect(thumbprintOf(w.secret.pem())).not.toBe(second);
    await everybodyIsRead();
  });
});

describe('a crash at a call to Entra ID or Graph', () => {
  // Two addKey and three sign-ins; calls to the other ports are proven on fakes.
  const points = [1, 2, 3, 4, 5].flatMap((nth) => [[nth, 'before'] as const, [nth, 'after'] as const]);
  it.each(points)(
    'call %i, dying %s its effect: all tenants are read, with one new key an app',
    async (nth, when) => {
      const { ports } = crashing(rotation().ports, nth, when, ['keys']);
      await expect(rotate(rotation({ ports }))).rejects.toBeInstanceOf(Crash);
      await everybodyIsRead();
      // A key that was asked for and never came is asked for again after an hour.
      const later = { ...machineClock, now: () => new Date(Date.now() + 2 * 3_600_000) };
      expect(await renewal({ ports: { ...rotation().ports, clock: later } })).toMatchObject({
        status: 'renewed',
      });
      expect(thumbprintOf(w.secret.pem())).not.toBe(first);
      expect([a.keys.length, b.keys.length]).toEqual([1, 1]);
      withoutTheFirst();
      await everybodyIsRead();
    },
  );
});

it('two at once end as one', async () => {
  const both = await Promise.all([renewal(), renewal()]);
  expect(both.map(({ status: of }) => of)).toContain('renewed');
  expect([a.keys.length, b.keys.length]).toEqual([1, 1]);
  withoutTheFirst();
  await everybodyIsRead();
});
