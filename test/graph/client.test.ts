import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { machineClock } from '../../lambda/clock.ts';
import { checkCertificate, type CheckedCertificate } from '../../lambda/certificate/bundle.ts';
import { graphClient } from '../../lambda/graph/client.ts';
import type { Limits } from '../../lambda/graph/patience.ts';
import type { GraphSession } from '../../lambda/ports.ts';
import { createCertificate } from '../../simulator/certificates.ts';
import {
  cutJson,
  empty,
  forbidden,
  hangs,
  html,
  malformedJson,
  onAnswer,
  partial,
  reset,
  status,
  throttled,
  truncated,
  unauthorized,
  type Fault,
} from '../../simulator/faults.ts';
import type { App } from '../../simulator/app.ts';
import type { Simulator } from '../../simulator/server.ts';
import {
  CLIENT_ID,
  datesBack,
  everythingIn,
  failureOf,
  FAST,
  inSeconds,
  stoppedClock,
  practiceTenant,
  tenantAt,
  TENANT_ID,
  trustedSimulator,
} from './support.ts';

let simulator: Simulator;
let app: App;
let certificate: CheckedCertificate;

beforeAll(async () => {
  const pair = await createCertificate({ commonName: 'monitor', days: 30 });
  certificate = checkCertificate(pair.certificate + pair.privateKey, new Date(), 'a test');
  simulator = await trustedSimulator({ tenants: [practiceTenant()], throttling: null });
  app = simulator.registerApp({ tenantId: TENANT_ID, clientId: CLIENT_ID, certificates: [pair.certificate] });
});
afterAll(() => simulator.close());
afterEach(() => {
  simulator.healthy();
  app.roles = ['SecurityEvents.Read.All'];
  simulator.addTenant(practiceTenant());
});

/** A session whose calls are counted from now on. */
async function session(limits: Partial<Limits> = {}): Promise<GraphSession> {
  const clock = stoppedClock();
  const signedIn = await graphClient({ clock, limits: { ...FAST, ...limits } }).signIn(
    tenantAt(simulator),
    certificate,
    new Date(clock.now().getTime() + 20_000),
  );
  simulator.requests.length = 0;
  return signedIn;
}

/** What was asked of Graph since then, without the host and its folder. */
function asked(): string[] {
  return simulator.requests
    .filter(({ path }) => path.startsWith('/v1.0/'))
    .map(({ path }) => path.replace('/v1.0/security/', '').replace(/skiptoken=.*/, 'skiptoken'));
}

function fail(
  fault: Fault,
  times = Infinity,
  at: 'secureScores' | 'profiles' | 'token' = 'secureScores',
): void {
  simulator.fault({ at, times, with: fault });
}

const idOf = (entry: unknown) => (entry as { id: string }).id;

describe('profiles', () => {
  test('come from all pages', async () => {
    const profiles = await (await session()).controlProfiles();
    expect(profiles.map(idOf)).toEqual(Array.from({ length: 411 }, (_, i) => `control_${i}`));
    expect(asked()).toEqual([
      'secureScoreControlProfiles',
      'secureScoreControlProfiles?$skiptoken',
      'secureScoreControlProfiles?$skiptoken',
    ]);
  });

  test('are asked for in English, as JSON, under our own name', async () => {
    await (await session()).controlProfiles();
    for (const { headers } of simulator.requests) {
      expect(headers).toMatchObject({
        'accept-language': 'en-US',
        accept: 'application/json',
        'user-agent': expect.stringMatching(/^secure-score-monitor\//),
      });
    }
  });
});

describe('scores', () => {
  /** Pages of 4 entries, whatever $top says. */
  const smallPages: Fault = (good, incoming) => {
    const from = Number(incoming.url.searchParams.get('$from') ?? 0);
    const next = `${simulator.graphEndpoint}/v1.0/security/secureScores?$from=${from + 4}`;
    const value = practiceTenant()
      .read()
      .dates.slice(from, from + 4)
      .map((date) => ({ id: `${TENANT_ID}_${date}` }));
    return { ...good, status: 200, body: { value, '@odata.nextLink': next } };
  };

  test('come as they were sent', async () => {
    const reading = practiceTenant().read();
    expect(await (await session()).secureScores(3, null)).toEqual(
      reading.dates.slice(0, 3).map((date, i) => reading.secureScore(date, i === 0)),
    );
  });

  test('are not followed once there are enough entries, although Graph offers more', async () => {
    expect(await (await session()).secureScores(8, null)).toHaveLength(8);
    expect(asked()).toEqual(['secureScores?$top=8']);
  });

  test('that are fewer and newer than the last archived are followed, until they are enough', async () => {
    fail(smallPages);
    expect(await (await session()).secureScores(10, '2025-01-01')).toHaveLength(12);
    expect(asked()).toHaveLength(3);
  });

  test('are followed only until the last archived day', async () => {
    fail(smallPages);
    const after = datesBack(90)[6] ?? '';
    expect(await (await session()).secureScores(50, after)).toHaveLength(8);
    expect(asked()).toHaveLength(2);
  });

  test('are not followed if the first page already has the last archived day', async () => {
    fail(smallPages);
    expect(await (await session()).secureScores(50, datesBack(90)[3] ?? '')).toHaveLength(4);
  });

  test('of a young tenant are all there are', async () => {
    simulator.addTenant(practiceTenant(datesBack(5)));
    expect(await (await session()).secureScores(90, null)).toHaveLength(5);
  });

  test('may be none', async () => {
    fail(empty);
    expect(await (await session()).secureScores(90, null)).toEqual([]);
  });
});

describe('a nextLink', () => {
  const nextLink = (link: unknown): Fault => onAnswer((body) => ({ ...body, '@odata.nextLink': link }));

  test.each(['https://evil.example/v1.0/x?$skiptoken=1', 'http://localhost/', '/relative', 'no address'])(
    'to another place gets no token: %s',
    async (link) => {
      fail(nextLink(link), Infinity, 'profiles');
      const error = await failureOf((await session()).controlProfiles());
      expect(error).toMatchObject({ code: 'graph-next-link', retryable: false });
      expect(error.message).not.toContain('skiptoken');
      expect(asked()).toHaveLength(1);
    },
  );

  test('with a name and a password in it is refused', async () => {
    fail(nextLink(simulator.graphEndpoint.replace('https://', 'https://u:p@')), Infinity, 'profiles');
    expect((await failureOf((await session()).controlProfiles())).code).toBe('graph-next-link');
  });

  test('to an earlier page ends', async () => {
    fail(
      nextLink(`${simulator.graphEndpoint}/v1.0/security/secureScoreControlProfiles`),
      Infinity,
      'profiles',
    );
    const error = await failureOf((await session()).controlProfiles());
    expect(error.message).toContain('or repeats itself');
    expect(asked()).toHaveLength(1);
  });

  test('to endless new pages ends', async () => {
    let n = 0;
    fail(
      (good, incoming) =>
        nextLink(`${simulator.graphEndpoint}/v1.0/security/secureScoreControlProfiles?$skip=${(n += 1)}`)(
          { ...good, status: 200, body: { value: [] } },
          incoming,
        ),
      Infinity,
      'profiles',
    );
    const error = await failureOf((await session({ pages: 7 })).controlProfiles());
    expect(error).toMatchObject({ code: 'graph-next-link', retryable: true });
    expect(asked()).toHaveLength(7);
  });
});

describe('a temporary failure', () => {
  const errorOf =
    (code: number, error: string): Fault =>
    () => ({ status: code, body: { error: { code: error, message: 'not now' } } });
  const cases: [string, Fault][] = [
    ['429 without Retry-After', throttled()],
    ['429 with seconds', throttled(0)],
    ['429 with a date', throttled(new Date(Date.now() - 1_000))],
    ['500', status(500)],
    ['502', status(502)],
    ['503', status(503)],
    ['504', status(504)],
    ['400 serviceNotAvailable', errorOf(400, 'serviceNotAvailable')],
    ['403 activityLimitReached', errorOf(403, 'activityLimitReached')],
    ['423 resourceLocked', errorOf(423, 'resourceLocked')],
    ['a reset connection', reset],
    ['half an answer', truncated],
    ['a partial answer', partial()],
    ['a web page', html],
    ['half a JSON', cutJson],
    ['no JSON', malformedJson],
    ['no list', (good) => ({ ...good, body: { error: 'none' } })],
    ['no object', (good) => ({ ...good, body: 'null' })],
  ];

  test.each(cases)('is waited out: %s', async (_, fault) => {
    const graph = await session();
    fail(fault, 2);
    expect(await graph.secureScores(8, null)).toHaveLength(8);
    expect(asked()).toHaveLength(3);
  });

  test('a hanging call is given up and made again', async () => {
    const graph = await session({ timeout: 150 });
    fail(hangs, 1);
    expect(await graph.secureScores(8, null)).toHaveLength(8);
  });

  test('a Retry-After is honoured', async () => {
    const graph = await session();
    fail(throttled(1), 1);
    const start = performance.now();
    await graph.secureScores(8, null);
    expect(performance.now() - start).toBeGreaterThanOrEqual(990);
  });
});

describe('a lasting failure', () => {
  test.each<[string, Fault, string, RegExp, number]>([
    [
      '429',
      throttled(),
      'graph-throttled',
      /429 from https:\/\/localhost:\d+\/v1.0\/security\/secureScores\)/,
      4,
    ],
    [
      '503',
      status(503),
      'graph-unavailable',
      /503 .*"ServiceUnavailable: The service could not answer\."/,
      4,
    ],
    ['a reset connection', reset, 'graph-unreachable', /cannot be reached/, 4],
    ['half an answer', truncated, 'graph-unreachable', /broke off|cannot be reached/, 4],
    [
      'a partial answer',
      partial('Microsoft/SecureScore/504/10000'),
      'graph-partial-answer',
      /only in part \(206\): "Microsoft SecureScore answered 504"/,
      3,
    ],
    [
      'a partial answer of several',
      (good, incoming) => ({
        ...partial()(good, incoming),
        headers: { warning: '199 - "Microsoft/A/504/10", 199 - "Other/B/500/9"' },
      }),
      'graph-partial-answer',
      /"Microsoft A answered 504, Other B answered 500"/,
      3,
    ],
    [
      'a partial answer without a Warning',
      (good) => ({ ...good, status: 206 }),
      'graph-partial-answer',
      /Warning header is "missing"/,
      3,
    ],
    ['a web page', html, 'graph-html-answer', /a web page: "<!DOCTYPE html>/, 3],
    [
      'a web page that says it is JSON',
      (good, incoming) => ({ ...html(good, incoming), headers: {} }),
      'graph-html-answer',
      /a web page/,
      3,
    ],
    ['half a JSON', cutJson, 'graph-malformed-answer', /not JSON, or truncated JSON: "\{"@odata/, 3],
    ['nothing', (good) => ({ ...good, body: '' }), 'graph-malformed-answer', /0 characters/, 3],
    [
      'no list',
      (good) => ({ ...good, body: { value: {} } }),
      'graph-unexpected-answer',
      /no list \("value"\)/,
      3,
    ],
  ])('is reported, and may be retried another day: %s', async (_, fault, code, message, calls) => {
    const graph = await session({ attempts: 4 });
    fail(fault);
    const error = await failureOf(graph.secureScores(8, null));
    expect(error).toMatchObject({ code, retryable: true });
    expect(error.message).toMatch(message);
    expect(error.message.length).toBeLessThan(500);
    expect(asked()).toHaveLength(calls);
  });

  test('a Retry-After beyond the deadline fails at once', async () => {
    const graph = await session();
    fail(throttled(300));
    const error = await failureOf(graph.secureScores(8, null));
    expect(error).toMatchObject({ code: 'graph-throttled', retryable: true });
    expect(error.message).toContain('300 s that it asks to wait');
    expect(asked()).toHaveLength(1);
  });

  test('the deadline ends a call under way', async () => {
    let now = inSeconds(0);
    const client = graphClient({
      // Longer than the test may take.
      limits: { ...FAST, timeout: 3_600_000, attempts: 1 },
      clock: { now: () => now },
    });
    const deadline = inSeconds(30);
    const graph = await client.signIn(tenantAt(simulator), certificate, deadline);
    fail(hangs);
    now = new Date(deadline.getTime() - 300);
    const error = await failureOf(graph.secureScores(8, null));
    expect(error).toMatchObject({ code: 'graph-timeout', retryable: true });
  });

  test('the deadline is of the clock that is given', async () => {
    const client = graphClient({ limits: FAST, clock: { now: () => new Date('2026-03-31T12:00:00Z') } });
    const tenant = tenantAt(simulator);
    await client.signIn(tenant, certificate, new Date('2026-03-31T12:00:10Z'));
    const error = await failureOf(client.signIn(tenant, certificate, new Date('2026-03-31T11:59:59Z')));
    expect(error.code).toBe('deadline-reached');
  });
});

describe('a final failure', () => {
  test.each<[string, Fault, string, RegExp]>([
    ['400', status(400, 'Bad $top.'), 'graph-refused', /400, "UnknownError: Bad \$top\."/],
    ['404', status(404, 'No such thing.'), 'graph-not-found', /404, "UnknownError: No such thing\."/],
    ['405', status(405), 'graph-refused', /405/],
    ['501', status(501), 'graph-refused', /501/],
    ['403', status(403, 'Blocked by policy.'), 'graph-forbidden', /403, "Forbidden: Blocked by policy\."/],
    ['403 for the permission', forbidden, 'permission-missing', /SecurityEvents\.Read\.All/],
    [
      'a redirect',
      (good) => ({ ...good, status: 302, headers: { location: 'https://evil.example/' } }),
      'graph-redirected',
      /redirects \(302\) to "https:\/\/evil\.example\/"/,
    ],
  ])('is reported at once: %s', async (_, fault, code, message) => {
    const graph = await session();
    fail(fault);
    const error = await failureOf(graph.secureScores(8, null));
    expect(error).toMatchObject({ code, retryable: false });
    expect(error.message).toMatch(message);
    expect(asked()).toHaveLength(1);
  });
});

describe('a token', () => {
  const tokenCalls = () => simulator.requests.filter(({ method }) => method === 'POST').length;

  test('that Graph no longer accepts is renewed', async () => {
    const graph = await session();
    fail(unauthorized, 1);
    expect(await graph.secureScores(8, null)).toHaveLength(8);
    expect(tokenCalls()).toBe(1);
    expect(await graph.controlProfiles()).toHaveLength(411);
    expect(tokenCalls()).toBe(1);
  });

  test('that has expired is renewed', async () => {
    simulator.setTokenLifetime(-1);
    const graph = await session();
    simulator.setTokenLifetime(3599);
    expect(await graph.secureScores(8, null)).toHaveLength(8);
    expect(tokenCalls()).toBe(1);
  });

  test('is renewed once, not forever', async () => {
    const graph = await session();
    fail(unauthorized);
    const error = await failureOf(graph.secureScores(8, null));
    expect(error.code).toBe('graph-unauthorized');
    expect(error.message).toContain('"InvalidAuthenticationToken: Access token validation failure."');
    expect(tokenCalls()).toBe(1);
    expect(asked()).toHaveLength(2);
  });
});

describe('no error and no output ever holds a token, an assertion or a key', () => {
  const secrets = new Set<string>();
  /** Remembers what must not come back, and sends it back. */
  const reflect =
    (code: number, headers: Record<string, string> = {}): Fault =>
    (_, incoming) => {
      const token = incoming.headers.authorization ?? '';
      const assertion = new URLSearchParams(incoming.body).get('client_assertion') ?? '';
      for (const secret of [token.replace('Bearer ', ''), assertion]) if (secret) secrets.add(secret);
      return { status: code, headers, body: `${token} client_assertion=${assertion} ${token}` };
    };
  const json =
    (code: number): Fault =>
    (good, incoming) => {
      const body = String(reflect(code)(good, incoming).body);
      return {
        status: code,
        body: { error: { code: body, message: body }, error_description: body, error_codes: [1] },
      };
    };

  const cases: [string, 'secureScores' | 'token', Fault][] = (['secureScores', 'token'] as const).flatMap(
    (at) =>
      [200, 206, 302, 400, 401, 403, 404, 429, 500, 503].flatMap((code): [string, typeof at, Fault][] => [
        [`${code} as text`, at, reflect(code)],
        [`${code} as HTML`, at, reflect(code, { 'content-type': 'text/html' })],
        [`${code} as an error`, at, json(code)],
        [
          `${code} in headers`,
          at,
          (good, incoming) => {
            const words = String(reflect(code)(good, incoming).body);
            return { status: code, headers: { warning: words, location: words }, body: '{' };
          },
        ],
      ]),
  );

  test.each(cases)('%s at %s', async (_, at, fault) => {
    const written: string[] = [];
    const spies = [process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, 'write').mockImplementation((chunk) => {
        written.push(String(chunk));
        return true;
      }),
    );
    let error: Error;
    try {
      secrets.clear();
      fail(fault, Infinity, at);
      const client = graphClient({ clock: machineClock, limits: { ...FAST, attempts: 2, answers: 2 } });
      error = await failureOf(
        client
          .signIn(tenantAt(simulator), certificate, inSeconds(20))
          .then((graph) => graph.secureScores(8, null)),
      );
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    const text = everythingIn(error) + written.join('');
    expect(secrets.size).toBeGreaterThan(0);
    const keyLines = certificate.privateKeyPem
      .split('\n')
      .filter((line) => line.length > 30 && !line.includes('--'));
    for (const secret of [...secrets].flatMap((jwt) => jwt.split('.')).concat(keyLines)) {
      expect(text).not.toContain(secret.slice(0, 30));
    }
  });
});
