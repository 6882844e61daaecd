import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readBundle, type Bundle } from '../../lambda/certificate/bundle.ts';
import { machineClock } from '../../lambda/clock.ts';
import { graphKeys, proofOf } from '../../lambda/rotation/app-keys.ts';
import type { App as Home } from '../../lambda/rotation/ports.ts';
import { createCertificate } from '../../simulator/certificates.ts';
import type { App } from '../../simulator/app.ts';
import { reset } from '../../simulator/faults.ts';
import { uploadedKeyId } from '../../simulator/keys.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import type { Simulator } from '../../simulator/server.ts';
import { CLIENT, TENANT, trusted } from './support.ts';

const OBJECT = '0b1ec700-2222-4222-8222-0000000000aa';

let simulator: Simulator;
let current: Bundle;
let next: Bundle;
let app: App;
let home: Home;

const bundle = async (commonName: string): Promise<Bundle> => {
  const pair = await createCertificate({ commonName, days: 30 });
  return readBundle(pair.certificate + pair.privateKey, new Date(), 'the test');
};
const deadline = () => new Date(Date.now() + 60_000);
const keys = graphKeys({ clock: machineClock, limits: { backoff: 1, attempts: 2 } });

beforeAll(async () => {
  simulator = await trusted({ tenants: [practiceTenant({ today: '2026-01-09', tenantId: TENANT })] });
  [current, next] = await Promise.all([bundle('current'), bundle('next')]);
});
afterAll(() => simulator.close());
beforeEach(() => {
  simulator.healthy();
  app = simulator.registerApp({
    tenantId: TENANT,
    clientId: CLIENT,
    certificates: [current.certificatePem],
    // An app without any permission may roll its own keys.
    roles: [],
    registration: { objectId: OBJECT },
  });
  const { authorityHost, graphEndpoint } = simulator;
  home = { tenantId: TENANT, clientId: CLIENT, objectId: OBJECT, cloud: { authorityHost, graphEndpoint } };
});

const add = (to: Home = home) => keys.add(to, current, next.certificatePem, deadline());

describe('addKey', () => {
  it('adds a key that signs in, and answers with its id; removeKey takes it away, and minds not that it is gone', async () => {
    await expect(keys.signIn(home, next, deadline())).rejects.toMatchObject({ code: 'certificate-unknown' });
    const keyId = await add();
    expect(app.registration.keys.map((key) => key.keyId)).toEqual([keyId]);
    await expect(keys.signIn(home, next, deadline())).resolves.toBeUndefined();
    for (const absent of [404, 400] as const) {
      app.registration.absent = absent;
      await keys.remove(home, current, keyId, deadline());
    }
    expect(app.registration.keys).toEqual([]);
  });

  it('lets the new key remove the one that was uploaded', async () => {
    await add();
    await keys.remove(home, next, uploadedKeyId(current.certificatePem), deadline());
    await expect(keys.signIn(home, current, deadline())).rejects.toMatchObject({
      code: 'certificate-unknown',
    });
  });

  it('adds a key with which a sign-in gets 700027 until it is known everywhere', async () => {
    app.registration.replication = 60_000;
    await add();
    await expect(keys.signIn(home, next, deadline())).rejects.toMatchObject({ code: 'certificate-unknown' });
  });

  it('whose answer is lost has still taken effect', async () => {
    simulator.fault({ at: 'addKey', with: reset });
    await expect(add()).rejects.toMatchObject({ code: 'renewal-unanswered', retryable: true });
    await expect(keys.signIn(home, next, deadline())).resolves.toBeUndefined();
    expect(simulator.requests.findLast(({ path }) => path.endsWith('/addKey'))?.status).toBeNull();
  });

  it('accepts a certificate a second time, or refuses it', async () => {
    await add();
    await expect(add()).rejects.toMatchObject({ code: 'renewal-refused', retryable: false });
    app.registration.duplicates = 'added';
    await add();
    expect(app.registration.keys).toHaveLength(2);
  });

  it.each(['certificates', 'lifetime'] as const)('is forbidden by a policy about %s', async (policy) => {
    app.registration.policy = policy;
    await expect(add()).rejects.toMatchObject({ code: 'renewal-forbidden', retryable: false });
    expect(app.registration.keys).toEqual([]);
  });

  it('is refused to an app that is not at home, or whose object id is another', async () => {
    await expect(add({ ...home, objectId: TENANT })).rejects.toMatchObject({ code: 'renewal-forbidden' });
    app.registration.homeTenantId = CLIENT;
    await expect(add()).rejects.toMatchObject({ code: 'renewal-app-missing' });
  });
});

describe('a proof', () => {
  const post = async (proof: string, path = `applications/${OBJECT}`) => {
    const { accessToken } = await import('./support.ts').then(({ signIn }) =>
      signIn(simulator, { certificate: current.certificatePem, privateKey: current.privateKeyPem }),
    );
    const response = await fetch(`${simulator.graphEndpoint}/v1.0/${path}/addKey`, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        keyCredential: {
          type: 'AsymmetricX509Cert',
          usage: 'Verify',
          key: next.certificatePem.replace(/-----[^-]+-----|\s/g, ''),
        },
        passwordCredential: null,
        proof,
      }),
    });
    return {
      status: response.status,
      code: ((await response.json()) as { error?: { code: string } }).error?.code,
    };
  };
  const refused = { status: 401, code: 'Authentication_MissingOrMalformed' };

  it('of ours is taken, also at the address by app id', async () => {
    expect(await post(proofOf(OBJECT, current, new Date()))).toEqual({ status: 200, code: undefined });
    app.registration.duplicates = 'added';
    expect((await post(proofOf(OBJECT, current, new Date()), `applications(appId='${CLIENT}')`)).status).toBe(
      200,
    );
  });

  it.each([
    ['by a key that the app does not have', () => proofOf(OBJECT, next, new Date())],
    ["by the app's client id", () => proofOf(CLIENT, current, new Date())],
    ['of yesterday', () => proofOf(OBJECT, current, new Date(Date.now() - 24 * 3_600_000))],
    ['with padding', () => `${proofOf(OBJECT, current, new Date())}==`],
    ['cut short', () => proofOf(OBJECT, current, new Date()).slice(0, -10)],
    ['with another text', () => proofOf(OBJECT, current, new Date()).replace(/\.[^.]+\./, '.e30.')],
  ])('%s is refused', async (_, proof) => {
    expect(await post(proof())).toEqual(refused);
  });
});
