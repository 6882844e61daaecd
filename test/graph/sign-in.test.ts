import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { checkCertificate, type CheckedCertificate } from '../../lambda/certificate/bundle.ts';
import type { Tenant } from '../../lambda/config.ts';
import { graphClient } from '../../lambda/graph/client.ts';
import type { Limits } from '../../lambda/graph/patience.ts';
import { checkRoles } from '../../lambda/graph/permission.ts';
import { createCertificate, type KeyPair } from '../../simulator/certificates.ts';
import type { App } from '../../simulator/app.ts';
import {
  aadsts,
  cutJson,
  hangs,
  html,
  reset,
  status,
  throttled,
  truncated,
  type Fault,
} from '../../simulator/faults.ts';
import type { Simulator } from '../../simulator/server.ts';
import {
  CLIENT_ID,
  failureOf,
  FAST,
  inSeconds,
  practiceTenant,
  stoppedClock,
  tenantAt,
  TENANT_ID,
  trustedSimulator,
} from './support.ts';

let simulator: Simulator;
let pair: KeyPair;
let certificate: CheckedCertificate;
let skew = 0;

beforeAll(async () => {
  pair = await createCertificate({ commonName: 'monitor', days: 30, notBefore: inSeconds(-86_400) });
  certificate = checkCertificate(pair.certificate + pair.privateKey, new Date(), 'a test');
  simulator = await trustedSimulator({
    tenants: [practiceTenant()],
    now: () => new Date(Date.now() + skew),
  });
});
afterAll(() => simulator.close());
afterEach(() => {
  vi.unstubAllEnvs();
  simulator.healthy();
  simulator.requests.length = 0;
  skew = 0;
});

function signIn(change: { tenant?: Partial<Tenant>; limits?: Partial<Limits>; deadline?: Date } = {}) {
  const clock = stoppedClock();
  const { tenant, limits, deadline = new Date(clock.now().getTime() + 20_000) } = change;
  return graphClient({ clock, limits: { ...FAST, ...limits } }).signIn(
    { ...tenantAt(simulator), ...tenant },
    certificate,
    deadline,
  );
}

function register(change: Partial<App> = {}): void {
  simulator.registerApp({
    tenantId: TENANT_ID,
    clientId: CLIENT_ID,
    certificates: [pair.certificate],
    ...change,
  });
}

const fail = (fault: Fault, times = Infinity) => simulator.fault({ at: 'token', times, with: fault });
const tokenCalls = () => simulator.requests.filter(({ method }) => method === 'POST').length;

describe('signing in', () => {
  test('works with the certificate that is registered', async () => {
    register();
    const graph = await signIn();
    expect(tokenCalls()).toBe(1);
    expect(await graph.secureScores(2, null)).toHaveLength(2);
    expect(tokenCalls()).toBe(1);
  });

  test('works with a permission that is more than enough', async () => {
    register({ roles: ['SecurityEvents.ReadWrite.All'] });
    expect(await (await signIn()).secureScores(1, null)).toHaveLength(1);
  });

  test('goes to the configured authority, whatever the region in the environment', async () => {
    vi.stubEnv('MSAL_FORCE_REGION', 'westeurope');
    register();
    await signIn();
    expect(tokenCalls()).toBe(1);
  });
});

describe('what Entra refuses by itself', () => {
  test('a certificate that is not registered', async () => {
    register({ certificates: [] });
    const error = await failureOf(signIn());
    expect(error).toMatchObject({ code: 'certificate-unknown', retryable: false });
    expect(error.message).toContain(certificate.thumbprintSha256);
    // The portal lists the SHA-1 thumbprint.
    expect(error.message).toContain(new X509Certificate(pair.certificate).fingerprint.replaceAll(':', ''));
    expect(error.message).toMatch(/valid until \d{1,2} [A-Z][a-z]{2} \d{4}/);
    expect(error.message).toContain('(AADSTS700027)');
    expect(tokenCalls()).toBe(1);
  });

  test('an app that is not in the tenant', async () => {
    register({ consented: false });
    const error = await failureOf(signIn());
    expect(error.code).toBe('app-not-in-tenant');
    expect(error.message).toContain(CLIENT_ID);
    expect(error.message).toContain(TENANT_ID);
    expect(error.message).toContain(simulator.authorityHost);
  });

  test('an app that is disabled', async () => {
    register({ enabled: false });
    expect((await failureOf(signIn())).code).toBe('app-disabled');
  });

  test('a tenant that is missing', async () => {
    const tenantId = '77777777-7777-4777-8777-777777777777';
    const error = await failureOf(signIn({ tenant: { tenantId } }));
    expect(error.code).toBe('tenant-not-found');
    expect(error.message).toContain(tenantId);
  });

  test('a tenant that does not exist, as the discovery document shows', async () => {
    simulator.fault({ at: 'discovery', times: Infinity, with: aadsts(90002) });
    expect((await failureOf(signIn())).code).toBe('tenant-not-found');
  });

  test('no permission', async () => {
    register({ roles: ['User.Read.All'] });
    const error = await failureOf(signIn());
    expect(error.code).toBe('permission-missing');
    expect(error.message).toMatch(
      /lacks the application permission SecurityEvents\.Read\.All; it has "User\.Read\.All"/,
    );
    expect(error.advice).toContain('Grant admin consent');
    register({ roles: [] });
    expect((await failureOf(signIn())).message).toContain('it has none at all');
  });
});

describe('by number', () => {
  test.each<[number, string, boolean]>([
    [700027, 'certificate-unknown', false],
    [1000502, 'certificate-expired', false],
    [7000274, 'certificate-expired', false],
    [7000214, 'certificate-revoked', false],
    [7000277, 'certificate-revoked', false],
    [700016, 'app-not-in-tenant', false],
    [7000229, 'app-not-in-tenant', false],
    [7000112, 'app-disabled', false],
    [90002, 'tenant-not-found', false],
    [900023, 'tenant-not-found', false],
    [53003, 'blocked-by-conditional-access', false],
    [530032, 'blocked-by-conditional-access', false],
    [700024, 'clock-skew', true],
    [50196, 'client-loop', true],
    [500014, 'graph-disabled', false],
    [5000224, 'tenant-gone', false],
    [90038, 'other-cloud', false],
    [900382, 'other-cloud', false],
    [900439, 'other-cloud', false],
  ])('AADSTS%d is %s', async (number, code, retryable) => {
    register();
    fail(aadsts(number));
    const error = await failureOf(signIn());
    expect(error).toMatchObject({ code, retryable });
    expect(error.message).toContain(`(AADSTS${number})`);
    expect(error.message).not.toMatch(/Trace ID|Correlation ID/);
    expect(tokenCalls()).toBe(number === 700024 ? 2 : 1);
  });

  test('an unknown error keeps its number and its text, without noise', async () => {
    register();
    const words = `JWT token is invalid. ${'x'.repeat(2_000)}`;
    fail(() => ({
      status: 401,
      body: {
        error: 'invalid_client',
        error_description: `AADSTS50027: ${words} Trace ID: 1-2-3 Correlation ID: 4-5-6 Timestamp: 2026-03-31 12:00:00Z`,
        error_codes: [50027],
      },
    }));
    const error = await failureOf(signIn());
    expect(error.code).toBe('sign-in-refused');
    expect(error.message).toContain('"JWT token is invalid.');
    expect(error.message).toMatch(/\(AADSTS50027\)$/);
    expect(error.message).not.toContain('1-2-3');
    expect(error.message.length).toBeLessThan(600);
  });

  test('an error without a number keeps the text of MSAL', async () => {
    register();
    fail(() => ({ status: 400, body: { error: 'invalid_client', error_description: 'no' } }));
    const error = await failureOf(signIn());
    expect(error.code).toBe('sign-in-failed');
    expect(error.message).toContain('invalid_client');
  });

  test('a grant without a token', async () => {
    register();
    fail(() => ({ status: 200, body: { token_type: 'Bearer', expires_in: 3599 } }));
    expect((await failureOf(signIn())).code).toBe('sign-in-failed');
  });
});

describe('a clock that is off', () => {
  test('is forgiven once', async () => {
    register();
    fail(aadsts(700024), 1);
    await signIn();
    expect(tokenCalls()).toBe(2);
  });

  test('is reported, with its size', async () => {
    register();
    skew = 20 * 60_000;
    fail((good) => ({
      ...aadsts(700024)(good, {
        at: new Date(),
        method: 'POST',
        url: new URL(simulator.authorityHost),
        headers: {},
        body: '',
      }),
      headers: { date: new Date(Date.now() + skew).toUTCString() },
    }));
    const error = await failureOf(signIn());
    expect(error.code).toBe('clock-skew');
    expect(error.message).toMatch(/clock is 1(199|200|201) s behind Entra's/);
  });

  test('meets the real check', async () => {
    register();
    skew = -20 * 60_000;
    expect((await failureOf(signIn())).code).toBe('clock-skew');
  });
});

describe('outages', () => {
  test.each<[string, Fault]>([
    ['429', throttled()],
    ['429 with Retry-After', throttled(0)],
    ['500', status(500)],
    ['503', status(503)],
    ['a reset connection', reset],
    ['half an answer', truncated],
    ['a web page', html],
    ['half a JSON', cutJson],
  ])('are waited out: %s', async (_, fault) => {
    register();
    fail(fault, 2);
    await signIn();
    expect(tokenCalls()).toBe(3);
  });

  const refuses =
    (answered: number, error: string, ...numbers: number[]): Fault =>
    () => ({ status: answered, body: { error, error_description: 'not now', error_codes: numbers } });

  test.each<[string, Fault]>([
    ['90006', aadsts(90006)],
    ['90012', aadsts(90012)],
    ['90024', aadsts(90024)],
    ['90033', aadsts(90033)],
    ['90055', aadsts(90055)],
    ['90033 with 401', refuses(401, 'invalid_client', 90033)],
    ['temporarily_unavailable', refuses(400, 'temporarily_unavailable', 90099)],
    ['temporarily_unavailable without a number', refuses(400, 'temporarily_unavailable')],
  ])('that come as a refusal are waited out: %s', async (_, fault) => {
    register();
    fail(fault, 2);
    await signIn();
    expect(tokenCalls()).toBe(3);
    fail(fault);
    const error = await failureOf(signIn({ limits: { attempts: 3 } }));
    expect(error).toMatchObject({ code: 'sign-in-unavailable', retryable: true });
    expect(error.message).toMatch(/AADSTS90\d{3}\.|temporarily_unavailable\./);
    expect(tokenCalls()).toBe(6);
  });

  test('a known refusal stays final even if it calls itself temporary', async () => {
    register();
    fail(refuses(400, 'temporarily_unavailable', 7000112));
    expect(await failureOf(signIn())).toMatchObject({ code: 'app-disabled', retryable: false });
    expect(tokenCalls()).toBe(1);
  });

  test.each<[string, Fault, string]>([
    ['429', throttled(), 'sign-in-throttled'],
    ['503', status(503), 'sign-in-unavailable'],
    ['a reset connection', reset, 'sign-in-unreachable'],
    ['a web page', html, 'sign-in-malformed-answer'],
    ['no object', (good) => ({ ...good, body: 'null' }), 'sign-in-malformed-answer'],
  ])('that last are reported, and may be retried another day: %s', async (_, fault, code) => {
    register();
    fail(fault);
    const error = await failureOf(signIn({ limits: { attempts: 3 } }));
    expect(error).toMatchObject({ code, retryable: true });
    expect(tokenCalls()).toBe(3);
  });

  test('of the discovery document are reported as such', async () => {
    register();
    simulator.fault({ at: 'discovery', times: Infinity, with: status(503) });
    expect((await failureOf(signIn({ limits: { attempts: 2 } }))).code).toBe('sign-in-unavailable');
  });

  test('hang until the timeout', async () => {
    register();
    fail(hangs, 1);
    await signIn({ limits: { timeout: 200 } });
    fail(hangs);
    const error = await failureOf(signIn({ limits: { timeout: 100, attempts: 2 } }));
    expect(error).toMatchObject({ code: 'sign-in-timeout', retryable: true });
  });

  test('end with the deadline', async () => {
    register();
    fail(throttled(120));
    const error = await failureOf(signIn());
    expect(error).toMatchObject({ code: 'sign-in-throttled', retryable: true });
    expect(error.message).toContain('120 s that it asks to wait');
    expect(tokenCalls()).toBe(1);
  });

  test('a redirect is not followed', async () => {
    register();
    fail((good) => ({ ...good, status: 307, headers: { location: 'https://evil.example/' } }));
    const error = await failureOf(signIn());
    expect(error).toMatchObject({ code: 'sign-in-redirected', retryable: false });
    expect(error.message).toContain('evil.example');
  });
});

describe('the roles in a token', () => {
  const tenant = tenantAt({ authorityHost: 'https://a.example', graphEndpoint: 'https://g.example' });
  const jwt = (payload: unknown) => `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.sig`;

  test.each([
    'opaque',
    'a.b',
    'a.b.c',
    'a.b.c.d.e',
    `e30.${'!'.repeat(9)}.x`,
    jwt('text'),
    jwt(null),
    jwt({ roles: 7 }),
  ])('are left to Graph if they cannot be read: %s', (token) => {
    expect(() => checkRoles(token, tenant)).not.toThrow();
  });

  test('must hold the permission', () => {
    expect(() => checkRoles(jwt({ roles: ['SecurityEvents.Read.All'] }), tenant)).not.toThrow();
    expect(() => checkRoles(jwt({ roles: [] }), tenant)).toThrow('none at all');
    expect(() => checkRoles(jwt({ aud: 'graph' }), tenant)).toThrow('SecurityEvents.Read.All');
  });
});
