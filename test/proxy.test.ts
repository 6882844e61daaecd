import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { findDeployment } from '../cli/shared/deployment.ts';
import { functionRunner } from '../cli/run/invoke.ts';
import { openStore } from '../lambda/archive/open-store.ts';
import { secretsManagerSource } from '../lambda/certificate/secrets-manager.ts';
import { dateOf } from '../lambda/dates.ts';
import { sesMailer } from '../lambda/channels/ses-mailer.ts';
import { followProxy, proxyOf } from '../lambda/proxy.ts';
import { schedulesOf } from '../lambda/schedules.ts';
import { createCertificate, type KeyPair } from '../simulator/certificates.ts';
import { practiceTenant } from '../simulator/practice-tenant.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { CLIENT_ID, secureScore } from './cli/support.ts';
import { mailOf } from './channels/mails.ts';

/** A real proxy in between. The hosts behind it are names that only the proxy knows. */

const PASSWORD = 'pa55word';

let folder: string;
let pair: KeyPair;
let simulator: Simulator;
let aws: https.Server;
let proxy: http.Server;
/** What the proxy was asked for. */
const asked: string[] = [];
/** Whether the proxy demands a name and a password. */
let guarded = false;
let restore = () => {};

const portOf = (server: http.Server): number => (server.address() as AddressInfo).port;
const listen = async <T extends http.Server>(server: T): Promise<T> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proxy-'));
  const tls = await createCertificate({
    commonName: 'test',
    days: 10,
    altNames: { dns: ['microsoft.test', 'aws.test', 'localhost'], ip: ['127.0.0.1'] },
  });
  setDefaultCACertificates([...getCACertificates('default'), tls.certificate]);
  pair = await createCertificate({ commonName: 'app', days: 300 });
  const tenant = practiceTenant({ today: dateOf(new Date()) });
  simulator = await startSimulator({ host: 'microsoft.test', tls, tenants: [tenant] });
  const { tenantId } = tenant;
  simulator.registerApp({ tenantId, clientId: CLIENT_ID, certificates: [pair.certificate] });
  await writeFile(join(folder, 'app.pem'), pair.certificate + pair.privateKey);
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({
      tenants: [
        {
          name: 'Contoso',
          tenantId,
          clientId: CLIENT_ID,
          cloud: { authorityHost: simulator.authorityHost, graphEndpoint: simulator.graphEndpoint },
          recipients: ['secops@contoso.com'],
        },
      ],
      operations: ['oncall@contoso.com'],
      mail: { from: 'secure-score@contoso.com' },
    }),
  );
  // An AWS that refuses whatever it is asked.
  aws = await listen(
    https.createServer({ key: tls.privateKey, cert: tls.certificate }, (request, response) => {
      request.resume();
      response
        .writeHead(400, { 'content-type': 'application/json', 'x-amzn-errortype': 'Refused' })
        .end('{}');
    }),
  );
  proxy = await listen(http.createServer((_, response) => response.writeHead(500).end()));
  proxy.on('request', ({ url = '' }: http.IncomingMessage) => asked.push(url));
  proxy.on('connect', ({ url = '', headers }: http.IncomingMessage, client) => {
    asked.push(url);
    client.on('error', () => {});
    const allowed = `Basic ${Buffer.from(`me:${PASSWORD}`).toString('base64')}`;
    if (guarded && headers['proxy-authorization'] !== allowed) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const server = connect(Number(url.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    server.on('error', () => client.destroy());
  });
});

afterAll(async () => {
  await simulator.close();
  for (const server of [aws, proxy]) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'ALL_PROXY']) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toLowerCase(), undefined);
  }
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_ENDPOINT_URL', `https://aws.test:${portOf(aws)}`);
  asked.length = 0;
  guarded = false;
});
afterEach(() => {
  restore();
  restore = () => {};
  vi.unstubAllEnvs();
});

const through = (name = 'HTTPS_PROXY', credentials = '') =>
  vi.stubEnv(name, `http://${credentials}127.0.0.1:${portOf(proxy)}`);
const microsoft = () => new URL(simulator.graphEndpoint).host;
const at = (name: string) => join(folder, name);
const setup = () => ['--config', at('config.json'), '--certificate', at('app.pem')];

describe('through the proxy', () => {
  test.each(['HTTPS_PROXY', 'https_proxy'])('of %s a run reaches Entra ID and Graph', async (name) => {
    through(name);
    const out = ['--archive', at(`archive-${name}`), '--outbox', at(`mails-${name}`), '--json'];
    const { code, stderr, json } = await secureScore('run', ...setup(), ...out);
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    expect(json().archived.length).toBeGreaterThan(85);
    expect(await readdir(at(`mails-${name}`))).toHaveLength(1);
    expect(new Set(asked)).toEqual(new Set([microsoft()]));
  });

  test.each<[string, () => Promise<unknown>]>([
    ['Secrets Manager', () => secretsManagerSource({ defaultSecret: 'a' }).read({})],
    ['S3', async () => (await openStore('s3://bucket')).get('a')],
    ['SES', () => sesMailer().send(mailOf())],
    ['Scheduler', () => schedulesOf({ group: 'a' }).list()],
    ['CloudFormation', () => findDeployment('a')],
    ['Lambda', () => functionRunner('a')({} as never)],
  ])('the client of %s goes, too', async (_, call) => {
    vi.stubEnv('AWS_ENDPOINT_URL', `https://127.0.0.2:${portOf(aws)}`);
    through();
    await expect(call()).rejects.toThrow(/./);
    expect(new Set(asked)).toEqual(new Set([`127.0.0.2:${portOf(aws)}`]));
  });

  test('with a name and a password, which are never shown', async () => {
    guarded = true;
    through('HTTPS_PROXY', `me:${PASSWORD}@`);
    const shown = await secureScore('doctor', ...setup(), '--archive', at('archive'));
    expect(shown.stdout).toMatch(
      /✓ +proxy +https goes through http:\/\/127\.0\.0\.1:\d+ \(with name and password\), except\s+to\s+this\s+machine\n/,
    );
    expect(shown.stdout).toContain('Entra ID knows the app');
    expect(shown.stdout + shown.stderr).not.toContain(PASSWORD);
  });

  test('that refuses is reported as the proxy', async () => {
    guarded = true;
    through('HTTPS_PROXY', `me:wrong-${PASSWORD}@`);
    restore = followProxy();
    const shown = await secureScore('doctor', ...setup(), '--archive', at('archive'));
    expect(shown.code).toBe(1);
    expect(shown.stdout).toMatch(/sign-in[^]*407[^]*HTTPS_PROXY/);
    await expect((await openStore('s3://bucket')).get('a')).rejects.toMatchObject({
      code: 'archive-proxy-refused',
      retryable: false,
      message: expect.not.stringContaining(PASSWORD),
    });
    expect(shown.stdout + shown.stderr).not.toContain(PASSWORD);
  });
});

describe('past the proxy', () => {
  const get = (url: string): Promise<unknown> =>
    Promise.allSettled([
      fetch(url, { signal: AbortSignal.timeout(300) }),
      new Promise((resolve) => {
        const { get: getter } = url.startsWith('https:') ? https : http;
        getter(url, { timeout: 300 }, resolve).on('error', resolve).on('timeout', resolve);
      }),
    ]);

  test.each([
    'http://localhost:9',
    'https://localhost:9',
    'http://127.0.0.1:9',
    'https://[::1]:9',
    'http://169.254.169.254/',
    'http://169.254.170.2/',
  ])('goes %s, whatever NO_PROXY says', async (url) => {
    through('HTTP_PROXY');
    through('HTTPS_PROXY');
    vi.stubEnv('NO_PROXY', '.contoso.com');
    restore = followProxy();
    await get(url);
    expect(asked).toEqual([]);
    await get('https://elsewhere.test:9/');
    expect(new Set(asked)).toEqual(new Set(['elsewhere.test:9']));
  });

  test.each(['microsoft.test,.aws.test', '.test', '*'])('goes what NO_PROXY=%s excepts', async (except) => {
    through();
    vi.stubEnv('NO_PROXY', except);
    restore = followProxy();
    await get(`${simulator.graphEndpoint}/`);
    await expect((await openStore('s3://bucket')).get('a')).rejects.toMatchObject({
      code: 'archive-unreachable',
    });
    expect(asked).toEqual([]);
  });
});

describe('an environment', () => {
  test.each([
    ['socks5://me:pa55word@proxy:1080', /HTTPS_PROXY is a proxy of the kind socks5:/],
    ['me:pa55word@proxy', /HTTPS_PROXY/],
    ['proxy:3128', /HTTPS_PROXY/],
    ['http://', /HTTPS_PROXY is not the address/],
  ])('with HTTPS_PROXY=%s is wrong, and reported without its password', async (value, message) => {
    vi.stubEnv('HTTPS_PROXY', value);
    const { code, stderr } = await secureScore('doctor', ...setup());
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(stderr).toContain('→ Set HTTPS_PROXY to an address like');
    expect(stderr).not.toContain(PASSWORD);
  });

  test('without proxies is left as it is', () => {
    const { globalAgent } = https;
    restore = followProxy();
    expect([proxyOf(), https.globalAgent === globalAgent]).toEqual([null, true]);
  });

  test('with ALL_PROXY alone gets a warning', async () => {
    vi.stubEnv('ALL_PROXY', 'http://proxy:3128');
    vi.stubEnv('NODE_ENV', 'test');
    const { stdout } = await secureScore(
      'doctor',
      ...setup(),
      '--archive',
      at('archive'),
      '--tenant',
      'none',
    );
    expect(stdout).toMatch(/! +proxy[^]*→ Set HTTPS_PROXY/);
  });
});
