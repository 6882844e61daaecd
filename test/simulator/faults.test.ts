import { createServer } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCertificate, createServerCertificate, type KeyPair } from '../../simulator/certificates.ts';
import * as faults from '../../simulator/faults.ts';
import { handmadeTenant } from '../../simulator/handmade-tenant.ts';
import type { Simulator } from '../../simulator/server.ts';
import { ask, CLIENT, profiles, scores, signIn, TENANT, trusted } from './support.ts';

const OTHER = '7e57ab1e-0001-4000-8000-00000000c0de';
const days = ['2026-01-01', '2026-01-02', '2026-01-03'].map((date) => ({
  date,
  controls: { a: 5, b: 2.5, c: 0, d: 10, e: 1 },
}));

let keys: KeyPair;
let serverKeys: KeyPair;
let simulator: Simulator;
let token: string;

beforeAll(async () => {
  keys = await createCertificate({ commonName: 'registered', days: 30 });
  serverKeys = await createServerCertificate();
});
beforeEach(async () => {
  const tenants = [TENANT, OTHER].map((tenantId) => handmadeTenant({ tenantId, days }));
  simulator = await trusted({ tenants, throttling: null, tls: serverKeys });
  for (const tenantId of [TENANT, OTHER]) {
    simulator.registerApp({ tenantId, clientId: CLIENT, certificates: [keys.certificate] });
  }
  token = (await signIn(simulator, keys)).accessToken;
});
afterEach(() => simulator.close());

const get = (): Promise<Response> => ask(simulator, 'secureScores', token);

describe('on the way', () => {
  test.each([
    ['seconds', faults.throttled(7), '7'],
    ['a date', faults.throttled(new Date('2026-01-03T10:00:00Z')), 'Sat, 03 Jan 2026 10:00:00 GMT'],
    ['nothing', faults.throttled(), null],
  ])('429 with Retry-After: %s', async (_what, fault, header) => {
    simulator.fault({ at: 'secureScores', with: fault });
    const response = await get();
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe(header);
    expect((await get()).status).toBe(200);
  });

  test.each([500, 502, 503, 504])('%i', async (code) => {
    simulator.fault({ at: 'secureScores', with: faults.status(code) });
    expect((await get()).status).toBe(code);
  });

  test('401 and 403 of Graph’s own accord', async () => {
    simulator.fault({ at: 'secureScores', with: faults.unauthorized });
    simulator.fault({ at: 'secureScores', with: faults.forbidden });
    expect([(await get()).status, (await get()).status, (await get()).status]).toEqual([401, 403, 200]);
  });

  test('206 with a warning about the provider, and half of the controls', async () => {
    simulator.fault({ at: 'secureScores', with: faults.partial('Microsoft/IPC/504/9000') });
    const response = await get();
    expect(response.status).toBe(206);
    expect(response.headers.get('warning')).toBe('199 - "Microsoft/IPC/504/9000"');
    const body = (await response.json()) as { value: { controlScores: unknown[] }[] };
    expect(body.value.map(({ controlScores }) => controlScores.length)).toEqual([3, 3, 3]);
  });

  test.each([
    ['a page of HTML', faults.html],
    ['JSON that is cut', faults.cutJson],
    ['no JSON', faults.malformedJson],
  ])('%s with 200', async (_what, fault) => {
    simulator.fault({ at: 'secureScores', with: fault });
    const response = await get();
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(Number(response.headers.get('content-length'))).toBe(Buffer.byteLength(text));
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  });

  test('a body that ends before its announced length', async () => {
    simulator.fault({ at: 'secureScores', with: faults.truncated });
    const response = await get();
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  test('a connection that is reset', async () => {
    simulator.fault({ at: 'secureScores', with: faults.reset });
    await expect(get()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
  });

  test('no answer, until the client gives up', async () => {
    simulator.fault({ at: 'secureScores', with: faults.hangs });
    const signal = AbortSignal.timeout(100);
    await expect(ask(simulator, 'secureScores', token, { signal })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});

describe('in the answer', () => {
  const faulty = async (fault: faults.Fault): Promise<Record<string, unknown>[]> => {
    simulator.fault({ at: 'secureScores', with: fault });
    return (await scores(simulator, '', token)).value as unknown as Record<string, unknown>[];
  };

  test('a placeholder in the place of the newest, a foreign older entry, entries that lack a key', async () => {
    const [placeholder, second] = await faulty(faults.placeholder());
    expect(placeholder).toMatchObject({ id: 'NA_2026-01-03', azureTenantId: 'NA' });
    expect(second).toMatchObject({ id: `${TENANT}_2026-01-02` });
    expect((await faulty(faults.foreign(1, OTHER)))[1]).toMatchObject({
      id: `${OTHER}_2026-01-02`,
      azureTenantId: OTHER,
    });
    expect((await faulty(faults.incomplete(0, 'currentScore')))[0]).not.toHaveProperty('currentScore');
    expect((await faulty(faults.incomplete(2, 'controlScores')))[2]).not.toHaveProperty('controlScores');
  });

  test('nothing, strings, the wrong order, controls that are gone, a sum that is off, no averages', async () => {
    expect(await faulty(faults.empty)).toEqual([]);
    expect((await faulty(faults.scoresAsStrings))[0]).toMatchObject({
      currentScore: '18.5',
      controlScores: [{ score: '5' }, {}, {}, {}, {}],
    });
    expect((await faulty(faults.oldestFirst)).map(({ id }) => String(id).slice(-2))).toEqual([
      '01',
      '02',
      '03',
    ]);
    expect((await faulty(faults.controlsGone()))[0]).toMatchObject({
      currentScore: 7.5,
      controlScores: [{}, {}],
    });
    expect((await faulty(faults.sumOff(-1.25)))[0]).toMatchObject({ currentScore: 17.25 });
    expect((await faulty(faults.noComparison))[0]).toMatchObject({ averageComparativeScores: [] });
    expect((await faulty(faults.comparisonMinusOne))[0]).toMatchObject({
      averageComparativeScores: [{ averageScore: -1 }],
    });
    // None of it was anything but a fault of one answer.
    expect((await scores(simulator, '', token)).value[0]).toMatchObject({ currentScore: 18.5 });
  });

  test('texts of one control and one profile', async () => {
    const [newest] = await faulty(
      faults.control(0, 'a', (one) => ({ ...one, implementationStatus: '<script>' })),
    );
    expect(newest).toMatchObject({ controlScores: [{ implementationStatus: '<script>' }, {}, {}, {}, {}] });
    simulator.fault({
      at: 'profiles',
      with: faults.profile('b', (one) => ({ ...one, title: 'x\r\nBcc: y' })),
    });
    expect((await profiles(simulator, '', token)).value.map(({ title }) => title).slice(0, 2)).toEqual([
      'Title of a',
      'x\r\nBcc: y',
    ]);
  });
});

test('a rule waits for its endpoint, its tenant and its turn, and can be taken back', async () => {
  const other = (await signIn(simulator, keys, { tenant: OTHER })).accessToken;
  simulator.fault({ at: 'secureScores', tenant: OTHER, after: 1, times: 2, with: faults.status(503) });
  const statuses = async (bearer: string): Promise<number[]> => {
    const list: number[] = [];
    for (let index = 0; index < 4; index += 1)
      list.push((await ask(simulator, 'secureScores', bearer)).status);
    return list;
  };
  expect(await statuses(token)).toEqual([200, 200, 200, 200]);
  expect((await profiles(simulator, '', other)).value).toHaveLength(5);
  expect(await statuses(other)).toEqual([200, 503, 503, 200]);
  const takeBack = simulator.fault({ at: 'secureScores', times: Infinity, with: faults.status(500) });
  expect(await statuses(token)).toEqual([500, 500, 500, 500]);
  takeBack();
  expect(await statuses(token)).toEqual([200, 200, 200, 200]);
});

test('the log has method, path, tenant and status, and no token', async () => {
  await scores(simulator, '?$top=2', token);
  expect(
    simulator.requests.map(({ method, path, tenant, status }) => [
      method,
      path.replace(/\?client.*/, ''),
      tenant,
      status,
    ]),
  ).toEqual([
    ['GET', `/${TENANT}/v2.0/.well-known/openid-configuration`, TENANT, 200],
    ['POST', `/${TENANT}/oauth2/v2.0/token`, TENANT, 200],
    ['GET', '/v1.0/security/secureScores?$top=2', TENANT, 200],
  ]);
  expect(JSON.stringify(simulator.requests)).not.toContain(token);
});

test('closing ends a request that hangs and frees the port', async () => {
  simulator.fault({ at: 'secureScores', with: faults.hangs });
  const hanging = get();
  await expect.poll(() => simulator.requests.at(-1)?.status).toBe(null);
  await simulator.close();
  await expect(hanging).rejects.toThrow('fetch failed');
  const { port } = simulator;
  await new Promise<void>((resolve, reject) => {
    const next = createServer().once('error', reject);
    next.listen(port, '127.0.0.1', () => next.close(() => resolve()));
  });
  simulator = await trusted({});
});
