import { describe, expect, it, vi } from 'vitest';
import { MonitorError } from '../../lambda/errors.ts';
import { planRotation } from '../../lambda/rotation/plan.ts';
import { rotate, type Rotation } from '../../lambda/rotation/rotate.ts';
import { Crash, dawdler } from '../run/fakes.ts';
import {
  APP_A,
  APP_B,
  bundleOf,
  crashing,
  DAY_MS,
  GUEST_A,
  interrupted,
  START,
  TENANT_B,
  tenantsOf,
  thumbprintOf,
  world,
  type World,
} from './world.ts';

// The same bundle is read at the same hour by many steps of many tests, which took two thirds of their time. What cannot be
// read is not remembered.
vi.mock('../../lambda/certificate/bundle.ts', async (original) => {
  const real = await original<typeof import('../../lambda/certificate/bundle.ts')>();
  const read = new Map<string, ReturnType<typeof real.readBundle>>();
  const readBundle: typeof real.readBundle = (...args) => {
    const key = JSON.stringify(args);
    const bundle = read.get(key) ?? real.readBundle(...args);
    read.set(key, bundle);
    return bundle;
  };
  return { ...real, readBundle };
});

const HOUR_MS = 3_600_000;

/** One day: every tenant runs, then the renewal comes. */
async function day(w: World, changes: Partial<Rotation> = {}) {
  w.clock.advance(DAY_MS);
  await w.everybodySignsIn();
  await w.runAll();
  return (await rotate(w.rotation(changes))).renewals[0]!;
}

async function days(w: World, count: number) {
  for (let index = 0; index < count; index += 1) await day(w);
}

const stateText = (w: World) =>
  [...w.store.objects]
    .filter(([key]) => key.includes('rotation='))
    .map(([, bytes]) => Buffer.from(bytes).toString())
    .join();
const keysOf = (w: World, { clientId }: { clientId: string }) => w.keys.apps.get(clientId)!.keys;
const thumbprints = (w: World, app: { clientId: string }) =>
  keysOf(w, app).map(({ thumbprint }) => thumbprint);

/** Nothing is locked out, and nothing is left over. @param lost how many keys nobody knows the id of */
async function expectDone(w: World, first: string, lost = 0) {
  await expect(w.everybodySignsIn()).resolves.toBe(true);
  expect(thumbprintOf(w.secret.pem())).not.toBe(first);
  // The first one was uploaded by hand: only who did that can remove it.
  const now = [first, thumbprintOf(w.secret.pem())];
  for (const app of [APP_A, APP_B]) {
    expect([...new Set(thumbprints(w, app))].toSorted()).toEqual(now.toSorted());
    expect(thumbprints(w, app).length).toBeLessThanOrEqual(2 + lost);
  }
  expect(w.secret.pending).toBeNull();
  expect(w.secret.previous).toBeNull();
  expect(JSON.parse(stateText(w))).toMatchObject({ renewal: null, previous: null });
}

describe('a certificate', () => {
  it('is renewed 60 days before its end, not earlier, with the same parameters', async () => {
    const w = await world(61.5);
    const first = bundleOf(w.secret.pem());
    expect((await day(w)).status).toBe('fresh');
    expect(w.keys.added).toBe(0);
    const renewal = await day(w);
    expect(renewal).toMatchObject({
      status: 'renewed',
      obstacles: [],
      tenants: ['Contoso', 'Fabrikam', 'Guest'],
    });
    const next = bundleOf(w.secret.pem());
    expect(next).toMatchObject({ subject: first.subject, bits: first.bits });
    expect((next.notAfter.getTime() - next.notBefore.getTime()) / DAY_MS).toBe(365);
    expect(renewal.next?.thumbprint).toBe(next.thumbprintSha1);
    await expect(w.everybodySignsIn()).resolves.toBe(true);
  });

  it('is renewed at half of its life, if that is shorter', async () => {
    const w = await world(16.5, 30);
    expect((await day(w)).status).toBe('fresh');
    expect((await day(w)).status).toBe('renewed');
  });

  it('is waited for until Entra knows it everywhere, if need be until tomorrow', async () => {
    const w = await world();
    w.keys.lagMs = 20 * HOUR_MS;
    const first = thumbprintOf(w.secret.pem());
    expect((await day(w)).status).toBe('waiting');
    expect(thumbprintOf(w.secret.pem())).toBe(first);
    expect((await day(w)).status).toBe('renewed');
    expect(w.keys.added).toBe(2);
    expect(w.mailer.sent).toEqual([]);
  });

  it('is removed after a week of runs with its successor; one that was uploaded by hand is reported once', async () => {
    const w = await world();
    const first = thumbprintOf(w.secret.pem());
    await day(w);
    await days(w, 6);
    expect(w.secret.previous).toBe('first');
    expect(w.mailer.sent).toEqual([]);
    const renewal = await day(w);
    expect(renewal.leftOver.map(({ clientId }) => clientId).toSorted()).toEqual([
      APP_A.clientId,
      APP_B.clientId,
    ]);
    await days(w, 3);
    expect(w.mailer.sent).toHaveLength(1);
    expect(w.mailer.sent[0]!.text).toContain('Nothing is required');
    await expectDone(w, first);
  });

  it('stays while a tenant has not run with its successor, and is removed when it ends', async () => {
    const w = await world();
    await day(w);
    await days(w, 8);
    // From now on each has an id: renew once more.
    const second = thumbprintOf(w.secret.pem());
    w.clock.advance(300 * DAY_MS);
    await w.runAll();
    expect((await rotate(w.rotation())).renewals[0]!.status).toBe('renewed');
    for (let index = 0; index < 20; index += 1) {
      w.clock.advance(DAY_MS);
      expect((await rotate(w.rotation())).renewals[0]!.removed).toEqual([]);
    }
    expect(thumbprints(w, APP_A)).toContain(second);
    w.clock.advance(60 * DAY_MS);
    expect((await rotate(w.rotation())).renewals[0]!.removed).toHaveLength(2);
    expect(thumbprints(w, APP_A)).not.toContain(second);
  });

  it('renews itself for five years without a human, and no run fails', async () => {
    const w = await world();
    const seen = new Set<string>();
    // Every fifth day: what comes daily comes then, too.
    for (let at = 0; at < 365; at += 1) {
      w.clock.advance(4 * DAY_MS);
      await day(w);
      seen.add(thumbprintOf(w.secret.pem()));
    }
    expect(seen.size).toBe(6);
    // The first ended years ago but still stands where it was uploaded; of the others two at most.
    expect(keysOf(w, APP_A).length).toBeLessThanOrEqual(3);
    // That the first one is left over is all that operations ever heard.
    expect(w.mailer.sent).toHaveLength(1);
  }, 60_000);

  it('is renewed at once if somebody asks, and once, however many ask', async () => {
    const w = await world(200);
    const asked = () => rotate(w.rotation({ force: true, sender: null }));
    const [one, other] = await Promise.all([asked(), asked()]);
    expect(one.renewals[0]!.status).toBe('renewed');
    expect(other.renewals[0]!.status).toMatch(/renewed|fresh/);
    expect(w.keys.added).toBe(2);
    await expect(w.everybodySignsIn()).resolves.toBe(true);
  });

  it('never leaves the secret: no key in the state, the log or a mail', async () => {
    const w = await world();
    w.keys.apps.get(APP_B.clientId)!.refuses = new MonitorError('renewal-forbidden', 'no', '-');
    await day(w);
    w.keys.apps.get(APP_B.clientId)!.refuses = null;
    await days(w, 9);
    const messages = [
      stateText(w),
      JSON.stringify(w.logged),
      ...w.mailer.sent.map(({ html, text }) => html + text),
    ].join();
    for (const { pem } of w.secret.versions) {
      const lines = pem
        .split('PRIVATE KEY')[1]!
        .split('\n')
        .filter((line) => line.length > 20);
      expect(lines.some((line) => messages.includes(line))).toBe(false);
    }
    expect(messages).not.toContain('PRIVATE KEY');
  });
});

describe('an obstacle', () => {
  const codes = (w: World) => w.mailer.sent.map(({ text }) => text);

  it('of one app holds back all that share the secret, and is reported when it comes, 30 and 7 days before the end', async () => {
    const w = await world();
    const first = thumbprintOf(w.secret.pem());
    w.keys.apps.get(APP_B.clientId)!.refuses = new MonitorError(
      'renewal-forbidden',
      'A policy forbids it.',
      'Ask for an exemption.',
    );
    expect(await day(w)).toMatchObject({
      status: 'blocked',
      obstacles: [{ clientId: APP_B.clientId, tenants: ['Fabrikam'], code: 'renewal-forbidden' }],
    });
    expect(codes(w)).toHaveLength(1);
    expect(codes(w)[0]).toContain('Ask for an exemption.');
    const at: number[] = [];
    for (let left = 57; left > 4; left -= 1) {
      const before = w.mailer.sent.length;
      await day(w);
      if (w.mailer.sent.length > before) at.push(left);
      expect(thumbprintOf(w.secret.pem())).toBe(first);
    }
    expect(at).toEqual([30, 7]);
    // At the very end it no longer takes the others with it.
    await days(w, 2);
    expect(thumbprintOf(w.secret.pem())).not.toBe(first);
    await w.everybodySignsIn(w.tenants.filter(({ tenantId }) => tenantId !== TENANT_B));
  });

  it('is removed: then the certificate is renewed', async () => {
    const w = await world();
    const app = w.keys.apps.get(APP_B.clientId)!;
    app.refuses = new MonitorError('renewal-forbidden', 'A policy forbids it.', '-');
    await day(w);
    app.refuses = null;
    expect((await day(w)).status).toBe('renewed');
    expect(w.keys.added).toBe(2);
  });

  it.each([
    ['renewal-without-object-id', { objectId: undefined }],
    ['renewal-switched-off', { rotate: false }],
  ])('%s of one app is found before anything is tried', async (code, changes) => {
    const w = await world();
    const tenants = w.tenants.map((tenant) =>
      tenant.tenantId === TENANT_B ? { ...tenant, ...changes } : tenant,
    );
    expect(await day(w, { tenants })).toMatchObject({
      status: 'blocked',
      obstacles: [{ code, tenants: ['Fabrikam'] }],
    });
    expect(w.keys.added).toBe(0);
    expect(w.secret.versions).toHaveLength(1);
  });

  it('is not looked for if no tenant of the secret renews, because the watch covers those', async () => {
    const w = await world();
    expect(await day(w, { tenants: tenantsOf({ rotate: false }) })).toMatchObject({
      status: 'fresh',
      obstacles: [],
    });
    expect(w.mailer.sent).toEqual([]);
  });

  it('an expired certificate cannot be renewed', async () => {
    const w = await world(0.5);
    w.clock.advance(DAY_MS);
    expect((await rotate(w.rotation())).renewals[0]).toMatchObject({
      status: 'blocked',
      obstacles: [{ code: 'renewal-too-late' }],
    });
    expect(w.mailer.sent).toHaveLength(1);
  });

  it('a tenant without any sign-in, with the old or the new one, holds back no other', async () => {
    const w = await world();
    w.keys.closed.add(GUEST_A);
    w.clock.advance(DAY_MS);
    expect((await rotate(w.rotation())).renewals[0]!.status).toBe('renewed');
  });
});

describe('a lost answer of addKey', () => {
  it.each(['refused', 'added'] as const)(
    'leaves one key, and all sign in (a second one would be %s)',
    async (duplicates) => {
      const w = await world();
      w.keys.duplicates = duplicates;
      w.keys.lose = 1;
      const first = thumbprintOf(w.secret.pem());
      expect((await day(w)).status).toBe('renewed');
      expect(w.keys.added).toBe(2);
      await days(w, 8);
      await expectDone(w, first);
    },
  );

  it('and that was never asked for is asked for again', async () => {
    const w = await world();
    const add = w.keys.add.bind(w.keys);
    let isDown = true;
    w.keys.add = async (...args) => {
      if (isDown) throw new MonitorError('renewal-unanswered', 'no answer', '-', { retryable: true });
      return add(...args);
    };
    expect((await day(w)).status).toBe('waiting');
    isDown = false;
    expect((await day(w)).status).toBe('renewed');
    expect(w.keys.added).toBe(2);
  });

  it('leaves a key that the monitor cannot remove later: it says so, once', async () => {
    const w = await world();
    w.keys.lose = 1;
    await day(w);
    await days(w, 8);
    const lost = bundleOf(w.secret.pem());
    w.clock.advance(300 * DAY_MS);
    w.mailer.sent.length = 0;
    await w.runAll();
    await rotate(w.rotation());
    await days(w, 12);
    expect(w.mailer.sent).toHaveLength(1);
    expect(w.mailer.sent[0]!.text).toContain(lost.thumbprintSha1);
    // Of the two apps, the one that answered is rid of it.
    expect([APP_A, APP_B].map((app) => thumbprints(w, app).includes(lost.thumbprintSha256))).toEqual([
      true,
      false,
    ]);
  });
});

describe('a human who acts meanwhile', () => {
  it('who puts another certificate into the secret is not overruled, and the key of the renewal goes', async () => {
    const w = await world();
    w.keys.lagMs = 20 * HOUR_MS;
    await day(w);
    const { create } = w.rotation().ports;
    const { certificate, privateKey } = await create({
      commonName: 'by-hand',
      days: 365,
      notBefore: w.clock.now(),
    });
    for (const clientId of w.keys.apps.keys()) w.keys.upload(clientId, certificate);
    w.secret.put(certificate + privateKey);
    await days(w, 10);
    expect(thumbprintOf(w.secret.pem())).toBe(thumbprintOf(certificate));
    expect(w.secret.pending).toBeNull();
    // The first one and theirs.
    expect(keysOf(w, APP_A)).toHaveLength(2);
    expect(w.keys.added).toBe(2);
  });

  it('who deletes the state loses no key that is on its way', async () => {
    const w = await world();
    w.keys.lagMs = 20 * HOUR_MS;
    await day(w);
    w.store.objects.clear();
    expect((await day(w)).status).toBe('renewed');
    expect(w.keys.added).toBe(2);
  });
});

describe('a human who puts another certificate into the secret at every call of a port', async () => {
  const meddled = async (nth: number) => {
    const w = await world();
    const { create } = w.rotation().ports;
    const byHand = await create({ commonName: 'by-hand', days: 365, notBefore: w.clock.now() });
    const put = async () => {
      for (const clientId of w.keys.apps.keys()) w.keys.upload(clientId, byHand.certificate);
      w.secret.put(byHand.certificate + byHand.privateKey);
    };
    const { ports, calls } = interrupted(w.rotation().ports, nth, put);
    const [renewal] = (await rotate({ ...w.rotation(), ports })).renewals;
    return { w, calls: calls(), renewal, byHand: thumbprintOf(byHand.certificate) };
  };
  const calls = (await meddled(Infinity)).calls;

  it.each(Array.from({ length: calls }, (_, index) => index + 1))(
    'call %i: their certificate stays, all sign in, and the key of the renewal is removed',
    async (nth) => {
      const { w, byHand, renewal } = await meddled(nth);
      // Only what has been current, before theirs, is reported as renewed.
      expect(renewal?.status).toBe(w.secret.previous === 'first' ? 'fresh' : 'renewed');
      await expect(w.everybodySignsIn()).resolves.toBe(true);
      expect(thumbprintOf(w.secret.pem())).toBe(byHand);
      const [first] = thumbprints(w, APP_A);
      await recover(w);
      await expect(w.everybodySignsIn()).resolves.toBe(true);
      expect(thumbprintOf(w.secret.pem())).toBe(byHand);
      // Both were uploaded: only who did that can remove them.
      for (const app of [APP_A, APP_B])
        expect(new Set(thumbprints(w, app))).toEqual(new Set([first, byHand]));
      expect(w.secret.pending).toBeNull();
      // Where theirs came first, nothing was begun.
      const state: unknown = JSON.parse(stateText(w) || '{"renewal":null,"previous":null}');
      expect(state).toMatchObject({ renewal: null, previous: null });
    },
  );
});

/** As a schedule would, after whatever happened: some days on. */
async function recover(w: World) {
  for (const hours of [2, 9 * 24, 9 * 24, 24]) {
    w.clock.advance(hours * HOUR_MS);
    await w.everybodySignsIn();
    await w.runAll();
    await rotate(w.rotation());
  }
}

/** The undisturbed renewal, from its first call to the last key that leaves. */
async function completeRenewal(w: World, wrap: (rotation: Rotation) => Rotation): Promise<void> {
  await rotate(wrap(w.rotation()));
  for (const later of [1, 7]) {
    w.clock.advance(later * DAY_MS);
    await w.everybodySignsIn();
    await w.runAll();
    await rotate(wrap(w.rotation()));
  }
}

describe('a crash at every call of a port', async () => {
  // One counter serves the complete renewal: the ports of each day go through it.
  const counted = await world();
  const counter = crashing(counted.rotation().ports, Infinity, 'before');
  await completeRenewal(counted, (rotation) => ({
    ...rotation,
    ports: { ...counter.ports, invocation: rotation.ports.invocation },
  }));
  const calls = counter.calls();

  it('has many places to crash at', () => {
    expect(calls).toBeGreaterThan(50);
  });

  const points = Array.from({ length: calls }, (_, index) => index + 1).flatMap((nth) => [
    [nth, 'before'] as const,
    [nth, 'after'] as const,
  ]);
  it.each(points)(
    'call %i, dying %s its effect: everybody signs in, nothing is left over',
    async (nth, when) => {
      const w = await world();
      const first = thumbprintOf(w.secret.pem());
      const { ports, calls: made } = crashing(w.rotation().ports, nth, when);
      const died = await completeRenewal(w, (rotation) => ({
        ...rotation,
        ports: { ...ports, invocation: rotation.ports.invocation },
      })).catch((error: unknown) => error);
      expect(died).toBeInstanceOf(Crash);
      expect(made()).toBe(nth);
      await expect(w.everybodySignsIn()).resolves.toBe(true);
      await recover(w);
      // Where addKey took effect and nobody heard of it, its id is lost: the key is the one in use all the same.
      await expectDone(w, first, 0);
      expect(w.keys.added).toBe(2);
    },
  );
});

/** The same ports, whose every call waits for a number of turns that the seed decides. */
function dawdling(rotation: Rotation, seed: number): Rotation {
  const wrap = dawdler(seed);
  const { ports } = rotation;
  return {
    ...rotation,
    ports: {
      ...ports,
      store: wrap(ports.store),
      keys: wrap(ports.keys),
      certificates: (secret) => wrap(ports.certificates(secret)),
    },
  };
}

describe('two renewals at once', () => {
  it.each(Array.from({ length: 100 }, (_, seed) => seed))('end as one (order %i)', async (seed) => {
    const w = await world();
    const first = thumbprintOf(w.secret.pem());
    const outcomes = await Promise.allSettled(
      [1, 2].map((which) => rotate(dawdling(w.rotation(), seed * 2 + which))),
    );
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
    await expect(w.everybodySignsIn()).resolves.toBe(true);
    expect(w.keys.added).toBe(2);
    await recover(w);
    await expectDone(w, first);
    expect(w.keys.added).toBe(2);
  });
});

describe('a plan', () => {
  it('says when, and proves that each app can renew, without a change', async () => {
    const w = await world(100);
    const before = w.store.dump();
    const { ports, tenants } = w.rotation();
    expect(await planRotation({ tenants, ports })).toMatchObject([
      {
        renewsFrom: new Date(Date.parse(START) + 40 * DAY_MS).toISOString(),
        proved: [APP_A.clientId, APP_B.clientId],
        obstacles: [],
      },
    ]);
    expect([w.keys.added, w.secret.versions.length]).toEqual([0, 1]);
    expect(w.store.dump()).toEqual(before);
  });

  it('shows the app whose proof is refused, and what the config lacks', async () => {
    const w = await world(100);
    w.keys.apps.get(APP_A.clientId)!.objectId = 'another';
    const { ports } = w.rotation();
    const tenants = w.tenants.map((one) =>
      one.tenantId === TENANT_B ? { ...one, objectId: undefined } : one,
    );
    const [plan] = await planRotation({ tenants, ports });
    expect(plan?.proved).toEqual([]);
    expect(plan?.obstacles.map(({ code, tenants: names }) => [code, names])).toEqual([
      ['renewal-without-object-id', ['Fabrikam']],
      ['renewal-proof-refused', ['Contoso', 'Guest']],
    ]);
  });
});
