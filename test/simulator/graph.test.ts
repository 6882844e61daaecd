import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCertificate, type KeyPair } from '../../simulator/certificates.ts';
import { handmadeTenant } from '../../simulator/handmade-tenant.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import type { Simulator } from '../../simulator/server.ts';
import { addDays } from '../../simulator/tenant.ts';
import type { WireControlScore, WireSecureScore } from '../../simulator/wire.ts';
import { hangs } from '../../simulator/faults.ts';
import { ask, CLIENT, profiles, scores, signIn, TENANT, trusted } from './support.ts';

const TODAY = '2026-03-31';
let simulator: Simulator;
let keys: KeyPair;
let token: string;
let now = new Date();

beforeAll(async () => {
  // The simulator's clock stands still from before the certificate is made.
  keys = await createCertificate({ commonName: 'registered', days: 30, notBefore: now });
  const tenant = practiceTenant({ tenantId: TENANT, today: TODAY, day: 100 });
  simulator = await trusted({ tenants: [tenant], now: () => now });
  simulator.registerApp({ tenantId: TENANT, clientId: CLIENT, certificates: [keys.certificate] });
  token = (await signIn(simulator, keys)).accessToken;
});
afterAll(() => simulator.close());

const dateOf = (entry: WireSecureScore): string => entry.id.slice(-10);

describe('secureScores', () => {
  test('without $top: all days of the last 90 in one answer, newest first', async () => {
    const page = await scores(simulator, '', token);
    expect(page['@odata.nextLink']).toBeUndefined();
    expect(page['@odata.context']).toBe(`${simulator.graphEndpoint}/v1.0/$metadata#security/secureScores`);
    const dates = page.value.map(dateOf);
    expect(dates[0]).toBe(TODAY);
    expect(dates).toEqual(dates.toSorted().toReversed());
    expect(dates.at(-1)).toBe(addDays(TODAY, -89));
    // Of the 90 days, two were never published.
    expect(dates).toHaveLength(88);
    for (const entry of page.value) {
      expect(entry).toMatchObject({
        id: `${TENANT}_${dateOf(entry)}`,
        createdDateTime: `${dateOf(entry)}T00:00:00Z`,
      });
    }
  });

  test('$top=1 answers a nextLink, and following it walks all days', async () => {
    let page = await scores(simulator, '?$top=1', token);
    const dates: string[] = [];
    for (;;) {
      expect(page.value).toHaveLength(1);
      dates.push(...page.value.map(dateOf));
      const next = page['@odata.nextLink'];
      if (!next) break;
      now = new Date(now.getTime() + 1000);
      page = (await (await ask(simulator, next, token)).json()) as typeof page;
    }
    expect(dates).toEqual((await scores(simulator, '', token)).value.map(dateOf));
  });

  test('$skip leaves out the newest, and $top beyond the end answers what is there', async () => {
    const all = (await scores(simulator, '', token)).value.map(dateOf);
    const page = await scores(simulator, '?$skip=80&$top=100', token);
    expect(page.value.map(dateOf)).toEqual(all.slice(80));
    expect(page['@odata.nextLink']).toBeUndefined();
    expect((await scores(simulator, '?$top=0', token)).value).toEqual([]);
  });

  test('only the newest entry is complete, whichever way one asks', async () => {
    const complete = (control: WireControlScore): boolean =>
      typeof control.description === 'string' &&
      'lastSynced' in control &&
      ('on' in control || 'count' in control);
    const degraded = (control: WireControlScore): boolean =>
      control.description === null &&
      ['lastSynced', 'on', 'count', 'total', 'state'].every((key) => !(key in control)) &&
      !/[1-9]\d* (of|out of|users)|status: ./.test(control.implementationStatus);
    for (const query of ['', '?$top=3']) {
      const [newest, ...older] = (await scores(simulator, query, token)).value;
      expect(newest?.controlScores.filter((control) => !complete(control))).toEqual([]);
      expect(older.length).toBeGreaterThan(1);
      expect(older.flatMap((entry) => entry.controlScores.filter((control) => !degraded(control)))).toEqual(
        [],
      );
    }
    const [second] = (await scores(simulator, '?$skip=1&$top=1', token)).value;
    expect(second?.controlScores.every(degraded)).toBe(true);
  });

  test('an older entry keeps its scores and its texts without the numbers', async () => {
    const tenant = handmadeTenant({
      tenantId: '7e57ab1e-0002-4000-8000-00000000c0de',
      days: ['2026-01-01', '2026-01-02'].map((date) => ({
        date,
        controls: {
          mfa: { points: 3, maximum: 8, count: 3, total: 8, status: 'You have {count} of {total} users.' },
          zap: { points: 10, on: true, status: 'Microsoft 365: current status: {state}' },
        },
      })),
    });
    simulator.addTenant(tenant);
    const [newest, older] = tenant
      .read()
      .dates.map((date, index) => tenant.read().secureScore(date, index === 0));
    expect(newest?.controlScores).toEqual([
      expect.objectContaining({
        implementationStatus: 'You have 3 of 8 users.',
        count: '3',
        total: '8',
        scoreInPercentage: 37.5,
      }),
      expect.objectContaining({ implementationStatus: 'Microsoft 365: current status: On', on: 'true' }),
    ]);
    expect(older?.controlScores).toEqual([
      {
        controlCategory: 'Apps',
        controlName: 'mfa',
        description: null,
        score: 3,
        implementationStatus: 'You have 0 of 0 users.',
        scoreInPercentage: 37.5,
      },
      {
        controlCategory: 'Apps',
        controlName: 'zap',
        description: null,
        score: 10,
        implementationStatus: 'Microsoft 365: current status: ',
        scoreInPercentage: 100,
      },
    ]);
  });
});

test('profiles come 200 to a page', async () => {
  const sizes: number[] = [];
  const ids = new Set<string>();
  for (let next: string | undefined = ''; next !== undefined;) {
    const page: Awaited<ReturnType<typeof profiles>> =
      next === ''
        ? await profiles(simulator, '', token)
        : ((await (await ask(simulator, next, token)).json()) as Awaited<ReturnType<typeof profiles>>);
    sizes.push(page.value.length);
    for (const { id } of page.value) ids.add(id);
    next = page['@odata.nextLink'];
  }
  expect(sizes).toEqual([200, 200, 10]);
  expect(ids.size).toBe(410);
});

test.each([
  ['secureScores?$top=all', 400],
  ['secureScores?$top=-1', 400],
  ['secureScores?$filter=currentScore gt 1', 400],
  ['secureScores?$skiptoken=00000000-0000-0000-0000-000000000001', 400],
  ['secureScore', 400],
  ['/v1.0/users', 400],
  ['/v1.0/', 400],
])('%s is refused with %i', async (path, status) => {
  const response = await ask(simulator, path, token);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code: 'BadRequest' } });
});

test('only GET is allowed', async () => {
  expect((await ask(simulator, 'secureScores', token, { method: 'DELETE' })).status).toBe(405);
});

describe('throttling, per app and tenant', () => {
  test('the 151st request of a minute waits for the first to be a minute old', async () => {
    now = new Date(now.getTime() + 120_000);
    const responses: Response[] = [];
    for (let index = 0; index < 151; index += 1) {
      const response = await ask(simulator, 'secureScores?$top=0', token);
      await response.arrayBuffer();
      responses.push(response);
    }
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(150);
    expect(responses.at(-1)?.status).toBe(429);
    expect(responses.at(-1)?.headers.get('retry-after')).toBe('60');
    now = new Date(now.getTime() + 60_000);
    expect((await ask(simulator, 'secureScores?$top=0', token)).status).toBe(200);
  });

  test('the fifth at a time has to wait', async () => {
    simulator.fault({ at: 'profiles', with: hangs, times: 4 });
    const gone = new AbortController();
    const waiting = [1, 2, 3, 4].map(() =>
      ask(simulator, 'secureScoreControlProfiles', token, { signal: gone.signal }),
    );
    const seen = simulator.requests.length;
    await expect
      .poll(() => simulator.requests.slice(seen).filter(({ status }) => status === null).length)
      .toBe(4);
    expect((await ask(simulator, 'secureScores?$top=0', token)).status).toBe(429);
    gone.abort();
    await Promise.allSettled(waiting);
    await expect.poll(async () => (await ask(simulator, 'secureScores?$top=0', token)).status).toBe(200);
  });
});
