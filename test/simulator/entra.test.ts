import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createCertificate, type KeyPair } from '../../simulator/certificates.ts';
import type { App } from '../../simulator/app.ts';
import { aadsts } from '../../simulator/faults.ts';
import { handmadeTenant } from '../../simulator/handmade-tenant.ts';
import type { Simulator } from '../../simulator/server.ts';
import { ask, CLIENT, goodAssertion, post, signIn, TENANT, trusted, type Assertion } from './support.ts';

const tenant = handmadeTenant({ tenantId: TENANT, days: [{ date: '2026-01-02', controls: { a: 5 } }] });
let simulator: Simulator;
let keys: KeyPair;
let stranger: KeyPair;
let app: App;

beforeAll(async () => {
  [keys, stranger] = await Promise.all([
    createCertificate({ commonName: 'registered', days: 30 }),
    createCertificate({ commonName: 'never registered', days: 30 }),
  ]);
  simulator = await trusted({ tenants: [tenant] });
});
afterAll(() => simulator.close());
afterEach(() => simulator.healthy());

function register(changes: Partial<App> = {}): void {
  app = simulator.registerApp({
    tenantId: TENANT,
    clientId: CLIENT,
    certificates: [keys.certificate],
    ...changes,
  });
}

test('msal-node signs in with the certificate, and Graph takes the token', async () => {
  register();
  const { accessToken, expiresOn } = await signIn(simulator, keys);
  const minutes = ((expiresOn?.getTime() ?? 0) - Date.now()) / 60_000;
  expect(minutes).toBeGreaterThan(58);
  expect(minutes).toBeLessThan(60);
  expect((await ask(simulator, 'secureScores', accessToken)).status).toBe(200);
});

describe('what the token endpoint refuses', () => {
  const now = (): number => Math.floor(Date.now() / 1000);
  const claims = (changes: Record<string, unknown>) => (good: Assertion) => ({
    ...good,
    claims: { ...good.claims, ...changes },
  });
  const header = (changes: Record<string, unknown>) => (good: Assertion) => ({
    ...good,
    header: { ...good.header, ...changes },
  });

  const cases: [
    what: string,
    code: number,
    spoil: (good: Assertion) => Assertion,
    form?: Record<string, string>,
  ][] = [
    ['a signature by another key', 700027, (good) => ({ ...good, key: stranger.privateKey })],
    [
      'the thumbprint of a certificate that is not registered',
      700027,
      header({ 'x5t#S256': Buffer.alloc(32, 7).toString('base64url') }),
    ],
    ['RS256', 50027, header({ alg: 'RS256' })],
    [
      'a SHA-1 thumbprint',
      50027,
      header({ 'x5t#S256': undefined, x5t: Buffer.alloc(20, 7).toString('base64url') }),
    ],
    [
      'an audience that is not the token endpoint',
      700023,
      claims({ aud: 'https://login.microsoftonline.com/common' }),
    ],
    [
      'an assertion that has expired',
      700024,
      (good) => claims({ nbf: now() - 1200, exp: now() - 400 })(good),
    ],
    [
      'an assertion that is not valid yet',
      700024,
      (good) => claims({ nbf: now() + 400, exp: now() + 1000 })(good),
    ],
    ['an issuer that is not the app', 700021, claims({ iss: TENANT, sub: TENANT })],
    ['a subject that is not the issuer', 50048, claims({ sub: TENANT })],
    ['an assertion without an id', 50027, claims({ jti: undefined })],
    ['another scope', 70011, (good) => good, { scope: 'https://graph.microsoft.com/.default' }],
    ['another grant', 70003, (good) => good, { grant_type: 'password' }],
    ['no assertion', 7000216, (good) => good, { client_assertion: '' }],
    ['something that is no JWT', 50027, (good) => good, { client_assertion: 'a.b.c' }],
  ];
  test.each(cases)('%s: AADSTS%i', async (_what, code, spoil, form = {}) => {
    register();
    const { status, body } = await post(simulator, spoil(goodAssertion(simulator, keys)), form);
    expect(body['error_codes']).toEqual([code]);
    expect([400, 401]).toContain(status);
  });

  test('but not clocks that differ by less than five minutes', async () => {
    register();
    for (const apart of [-200, 200]) {
      const good = goodAssertion(simulator, keys);
      const { status } = await post(simulator, claims({ nbf: now() + apart, exp: now() + apart + 60 })(good));
      expect(status).toBe(200);
    }
  });

  test('the error has the body of today’s Entra', async () => {
    register({ certificates: [] });
    const { status, body } = await post(simulator, goodAssertion(simulator, keys));
    expect(status).toBe(401);
    expect(body).toEqual({
      error: 'invalid_client',
      error_description: expect.stringMatching(
        /^AADSTS700027: .* Trace ID: [-0-9a-f]{36} Correlation ID: [-0-9a-f]{36} Timestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/,
      ) as string,
      error_codes: [700027],
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/) as string,
      trace_id: expect.any(String) as string,
      correlation_id: expect.any(String) as string,
      error_uri: 'https://login.microsoftonline.com/error?code=700027',
    });
  });
});

describe('what msal-node reports', () => {
  test.each([
    ['a certificate that was never uploaded', 700027, { certificates: [] }, {}],
    ['an app that the tenant does not know', 700016, { consented: false }, {}],
    ['an enterprise application that is disabled', 7000112, { enabled: false }, {}],
    ['a tenant that does not exist', 90002, {}, { tenant: '7e57ab1e-dead-4000-8000-00000000c0de' }],
    ['a tenant id that is none', 900023, {}, { tenant: 'contoso' }],
  ])('%s: errorNo %i', async (_what, code, registration, where) => {
    register(registration);
    await expect(signIn(simulator, keys, where)).rejects.toMatchObject({ errorNo: code });
  });

  test('a registered certificate outside its validity: errorNo 1000502', async () => {
    const old = await createCertificate({ commonName: 'old', days: 1, notBefore: new Date('2020-01-01') });
    register({ certificates: [old.certificate] });
    await expect(signIn(simulator, old)).rejects.toMatchObject({ errorNo: 1000502 });
  });

  const TABLE = [
    700027, 1000502, 7000274, 7000214, 7000277, 700024, 700016, 7000112, 90002, 900023, 53003, 530032,
  ];
  test.each(TABLE)('AADSTS%i by a fault, once', async (code) => {
    register();
    simulator.fault({ at: 'token', with: aadsts(code) });
    await expect(signIn(simulator, keys)).rejects.toMatchObject({ errorNo: code });
    await expect(signIn(simulator, keys)).resolves.toBeDefined();
  });
});

describe('how Graph answers tokens', () => {
  const errorOf = async (response: Response): Promise<unknown> => [
    response.status,
    ((await response.json()) as { error: { code: string; message: string } }).error,
  ];

  test('none, one of another simulator, one that has expired: 401', async () => {
    register();
    const elsewhere = await trusted({ tenants: [tenant] });
    elsewhere.registerApp({ tenantId: TENANT, clientId: CLIENT, certificates: [keys.certificate] });
    const foreign = (await signIn(elsewhere, keys)).accessToken;
    await elsewhere.close();
    simulator.setTokenLifetime(0);
    const expired = (await signIn(simulator, keys)).accessToken;
    simulator.setTokenLifetime(3599);
    for (const [token, text] of [
      ['', 'empty'],
      ['abc', 'not well formed'],
      [foreign, 'signature'],
      [expired, 'expired'],
    ] as const) {
      const response = await ask(simulator, 'secureScores', token);
      expect(await errorOf(response)).toEqual([
        401,
        expect.objectContaining({
          code: 'InvalidAuthenticationToken',
          message: expect.stringContaining(text) as string,
        }),
      ]);
    }
  });

  test('one without the role: 403, until an administrator consents', async () => {
    register({ roles: ['User.Read.All'] });
    const { accessToken } = await signIn(simulator, keys);
    expect(await errorOf(await ask(simulator, 'secureScores', accessToken))).toEqual([
      403,
      {
        code: 'Forbidden',
        message: 'Auth token does not contain valid permissions or user does not have valid roles.',
        innerError: {
          date: expect.any(String) as string,
          'request-id': expect.any(String) as string,
          'client-request-id': expect.any(String) as string,
        },
      },
    ]);
    app.roles = ['SecurityEvents.Read.All'];
    const renewed = (await signIn(simulator, keys)).accessToken;
    expect((await ask(simulator, 'secureScores', renewed)).status).toBe(200);
  });
});
