import https from 'node:https';
import { PassThrough } from 'node:stream';
import tls from 'node:tls';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { channelsOf, hears } from '../../lambda/channels/channels.ts';
import { secretsOf } from '../../lambda/channels/secret-address.ts';
import { machineClock } from '../../lambda/clock.ts';
import { DeliveryError, MonitorError } from '../../lambda/errors.ts';
import { createCertificate } from '../../simulator/certificates.ts';
import { html, hangs, reset } from '../../simulator/faults.ts';
import { echoes, gone, slow, switchedOff, type Receiver } from '../../simulator/receivers.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { everythingIn, failureOf, inSeconds, tenantAt } from '../graph/support.ts';
import { reports } from '../report/reports.ts';
import { trusted } from '../simulator/support.ts';
import type { ChannelSettings, Tenant } from '../../lambda/config.ts';
import type { Mail, Message } from '../../lambda/ports.ts';
import type { Reply } from '../../simulator/http.ts';

let simulator: Simulator;
let tenant: Tenant;
let env: Record<string, string>;
const certificates = tls.getCACertificates('default');
const bridge = mockClient(EventBridgeClient);
afterAll(() => bridge.restore());
const mails: Mail[] = [];
let mailError: Error | undefined;
const logged: unknown[] = [];
const write = (...facts: unknown[]) => void logged.push(facts);
const log = { info: write, warn: write, error: write };

const KINDS: ChannelSettings['kinds'] = ['scores', 'controls', 'operations'];
const channels: ChannelSettings[] = [
  { name: 'soc', type: 'teams', url: { env: 'TEAMS' }, kinds: KINDS },
  { name: 'ops', type: 'slack', url: { env: 'SLACK' }, kinds: KINDS },
  { name: 'siem', type: 'webhook', url: { env: 'WEBHOOK' }, signingKey: { env: 'KEY' }, kinds: KINDS },
  { name: 'aws', type: 'events', kinds: KINDS },
];
const NAMES: Record<Receiver, string> = { teams: 'soc', slack: 'ops', webhook: 'siem' };

beforeAll(async () => {
  simulator = await trusted({});
  tenant = { ...tenantAt(simulator), channels };
});
afterAll(async () => {
  await simulator.close();
  tls.setDefaultCACertificates(certificates);
});
beforeEach(() => {
  const { addresses, signingKey } = simulator.receivers;
  env = { TEAMS: addresses.teams, SLACK: addresses.slack, WEBHOOK: addresses.webhook, KEY: signingKey };
  bridge.reset();
  simulator.receivers.calm();
});
afterEach(() => {
  simulator.healthy();
  simulator.receivers.messages.length = 0;
  simulator.requests.length = 0;
  mails.length = 0;
  mailError = undefined;
  vi.restoreAllMocks();
});

const opened = (secrets = secretsOf({ env })) =>
  channelsOf({
    clock: machineClock,
    log,
    secrets,
    events: new EventBridgeClient({ region: 'eu-central-1', maxAttempts: 1 }),
    sender: { from: 'a@b.example', operations: ['oncall@b.example'] },
    mailer: {
      send(mail) {
        if (mailError) return Promise.reject(mailError);
        mails.push(mail);
        return Promise.resolve('mail-1');
      },
    },
  });

const messageTo = (destination: string, fields: Partial<Message> = {}): Message => ({
  id: `0123456789abcdef-scores-${destination}`,
  kind: 'scores',
  report: reports.scores.typical,
  reportKey: 'reports/tenant=x/date=2026-01-10/y.json',
  urgent: false,
  deadline: inSeconds(60),
  ...fields,
});

const send = (destination: string, fields: Partial<Message> = {}) =>
  opened().of(tenant, destination).send(messageTo(destination, fields));

/** The DeliveryError that sending ends with: nothing of the addresses and the key is in it, or in the log. */
async function refusalOf(destination: string, fields: Partial<Message> = {}): Promise<DeliveryError> {
  const error = await failureOf(send(destination, fields));
  expect(error).toBeInstanceOf(DeliveryError);
  expect(error.advice).not.toBe('');
  const all = everythingIn(error) + JSON.stringify(logged);
  expect(secretsIn(env).length).toBeGreaterThan(3);
  for (const secret of secretsIn(env)) expect(all).not.toContain(secret);
  return error as DeliveryError;
}

/** Every part of the addresses and keys that may not be seen. */
function secretsIn(values: Record<string, string>): string[] {
  return Object.values(values)
    .flatMap((value) => value.split(/[/?&=]|whsec_/))
    .filter(
      (part) =>
        part.length > 7 &&
        !/^(https:|localhost|workflows|triggers|services)/.test(part) &&
        !part.startsWith('%2F'),
    );
}

describe('a message arrives', () => {
  it.each(['start', 'scores', 'controls', 'operations'] as const)(
    'of the kind %s, in all channels',
    async (kind) => {
      bridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'event-1' }] });
      const message = { kind, report: reports[kind].typical };
      const id = await send('soc', message);
      expect(await send('ops', message)).toBe('0123456789abcdef-scores-ops');
      expect(await send('siem', message)).toBe('0123456789abcdef-scores-siem');
      expect(await send('aws', message)).toBe('event-1');
      const { messages } = simulator.receivers;
      expect(messages.map(({ receiver }) => receiver)).toEqual(['teams', 'slack', 'webhook']);
      // Power Automate lists the run under it.
      expect(id).toBe(messages[0]!.id);
      expect(messages[2]!.id).toBe('0123456789abcdef-scores-siem');
      const [event] = bridge.commandCalls(PutEventsCommand).map((call) => call.args[0].input.Entries?.[0]);
      expect(event).toMatchObject({
        Source: 'secure-score-monitor',
        DetailType: kind === 'operations' ? 'Secure Score Operations' : 'Secure Score Changed',
        Time: new Date(message.report.toldAt),
      });
      expect(event).not.toHaveProperty('EventBusName');
      // The event and the webhook say the same.
      const { id: _, ...detail } = JSON.parse(event!.Detail!) as Record<string, unknown>;
      expect(messages[2]!.body).toMatchObject({ data: detail });
    },
  );

  it.each(['scores', 'controls', 'start', 'operations'] as const)('however large it is: %s', async (kind) => {
    for (const [receiver, name] of Object.entries(NAMES)) {
      await send(name, { kind, report: reports[kind].monstrous });
      expect(simulator.receivers.messages.at(-1)?.receiver).toBe(receiver);
    }
  });

  it('on the bus of the config', async () => {
    bridge.on(PutEventsCommand).resolves({ Entries: [{ EventId: 'e' }] });
    const security: Tenant = {
      ...tenant,
      channels: [{ name: 'aws', type: 'events', bus: 'security', kinds: KINDS }],
    };
    await opened().of(security, 'aws').send(messageTo('aws'));
    expect(bridge.commandCalls(PutEventsCommand)[0]!.args[0].input.Entries![0]).toMatchObject({
      EventBusName: 'security',
    });
  });

  it('a second time under the same id, where the answer to the first came too late', async () => {
    simulator.fault({ at: 'webhook', with: slow(2_000) });
    const error = await refusalOf('siem', { deadline: inSeconds(0.5) });
    expect(error).toMatchObject({ code: 'channel-timeout', retryable: true, final: false });
    await send('siem');
    expect(simulator.receivers.messages.map(({ id, repeated }) => [id, repeated])).toEqual([
      ['0123456789abcdef-scores-siem', false],
      ['0123456789abcdef-scores-siem', true],
    ]);
  });

  it('although the answer breaks off after its status', async () => {
    simulator.fault({
      at: 'webhook',
      with: (good) => ({ ...good, status: 200, body: 'thank you', broken: 'cut' }),
    });
    await expect(send('siem')).resolves.toBe('0123456789abcdef-scores-siem');
  });
});

const answers =
  (status: number, body: unknown = '', headers = {}) =>
  (): Reply => ({ status, body, headers });

describe('a message that does not get through', () => {
  const waits = { retryable: false, final: false };
  const passes = { retryable: true, final: false };
  const dropped = { retryable: false, final: true };
  it.each<[Receiver, string, (good: Reply, incoming: never) => Reply, object]>([
    ['teams', 'a flow that is deleted', gone.teams, { ...dropped, code: 'channel-gone' }],
    ['teams', '410', answers(410), dropped],
    ['teams', '413', answers(413), dropped],
    ['teams', 'a flow that is switched off', switchedOff, { ...waits, code: 'channel-refused' }],
    ['teams', 'a wrong signature', answers(401), waits],
    [
      'teams',
      'too many',
      answers(429, '', { 'retry-after': '7' }),
      { ...passes, code: 'channel-throttled', retryAfter: 7000 },
    ],
    ['teams', 'a failure', answers(502), { ...passes, code: 'channel-failing', retryAfter: null }],
    ['teams', 'a redirect', answers(302, '', { location: 'https://localhost/elsewhere' }), waits],
    ['slack', 'a webhook that is deleted', gone.slack, dropped],
    ...[
      'no_team',
      'invalid_token',
      'channel_is_archived',
      'channel_not_found',
      'invalid_payload',
      'invalid_blocks',
    ].map((code): [Receiver, string, () => Reply, object] => [
      'slack',
      code,
      answers(403, code),
      { ...dropped, message: expect.stringContaining(`(${code})`) as string },
    ]),
    ['slack', 'a rule of the workspace', answers(403, 'action_prohibited'), waits],
    ['slack', 'a page of a proxy', html, passes],
    ['slack', 'a failure', answers(500, 'rollup_error'), passes],
    [
      'slack',
      'too many',
      answers(429, 'rate_limited', { 'retry-after': '1' }),
      { ...passes, retryAfter: 1000 },
    ],
    ['webhook', 'gone', gone.webhook, dropped],
    ['webhook', '404', answers(404), waits],
    ['webhook', '401', answers(401), waits],
    ['webhook', '501', answers(501), waits],
    [
      'webhook',
      '503 until a date',
      answers(503, '', {
        'retry-after': 'Fri, 28 Nov 2036 00:00:10 GMT',
        date: 'Fri, 28 Nov 2036 00:00:00 GMT',
      }),
      { ...passes, retryAfter: 10_000 },
    ],
    ['webhook', 'a connection that is reset', reset, { ...passes, code: 'channel-unreachable' }],
    ['teams', 'a page that repeats the address', echoes(404), dropped],
    ['slack', 'a page that repeats the address', echoes(400), waits],
    ['webhook', 'a page that repeats the address', echoes(500), passes],
    [
      'webhook',
      'an answer that is the secret',
      (_good, { url }: { url: URL }) => ({
        status: 400,
        body: { code: url.pathname.split('/').at(-1)!.replace(/\d/g, '') },
      }),
      waits,
    ],
  ])('%s: %s', async (receiver, _, fault, expected) => {
    simulator.fault({ at: receiver, with: fault as () => Reply });
    const error = await refusalOf(NAMES[receiver]);
    expect(error).toMatchObject(expected);
    expect(error.message).toContain(`"${NAMES[receiver]}"`);
    // No redirect was followed, and nothing tried again here: that is the outbox's.
    expect(simulator.requests).toHaveLength(1);
    expect(simulator.receivers.messages).toEqual([]);
  });

  it('waits for an answer only until its deadline, and is not sent after it', async () => {
    simulator.fault({ at: 'teams', with: hangs });
    expect(await refusalOf('soc', { deadline: inSeconds(0.3) })).toMatchObject({
      code: 'channel-timeout',
      ...passes,
    });
    simulator.requests.length = 0;
    expect(await refusalOf('soc', { deadline: inSeconds(-1) })).toMatchObject({
      code: 'channel-out-of-time',
      ...passes,
    });
    expect(simulator.requests).toEqual([]);
  });

  it('is never sent to a server that does not prove its identity', async () => {
    const stranger = await startSimulator();
    const other = await startSimulator({
      tls: await createCertificate({
        commonName: 'other',
        days: 9,
        notBefore: inSeconds(-60),
        altNames: { dns: ['other.example'], ip: [] },
      }),
    });
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), other.ca]);
    try {
      for (const server of [stranger, other]) {
        env['TEAMS'] = server.receivers.addresses.teams;
        expect(await refusalOf('soc')).toMatchObject({ code: 'channel-not-trusted', ...waits });
        expect(server.receivers.messages).toEqual([]);
      }
    } finally {
      await Promise.all([stranger.close(), other.close()]);
    }
  });

  it.each([
    ['ENOTFOUND', { code: 'channel-host-unknown', ...waits }],
    ['EAI_AGAIN', { code: 'channel-unreachable', ...passes }],
    ['ECONNREFUSED', { code: 'channel-unreachable', ...passes }],
  ])('without a connection (%s)', async (code, expected) => {
    const cause = Object.assign(new Error(`failed: ${env['TEAMS']}`), { code });
    vi.spyOn(https, 'request').mockImplementation(() => new PassThrough().destroy(cause) as never);
    expect(await refusalOf('soc')).toMatchObject(expected);
  });

  it.each<[string, Record<string, string>, string]>([
    ['no address', { TEAMS: '' }, 'channel-secret-missing'],
    ['no address but a text', { TEAMS: 'secret-hush-hush' }, 'channel-address-invalid'],
    [
      'an address that is not secure',
      { TEAMS: 'http://localhost/workflows/secret-hush-hush' },
      'channel-address-invalid',
    ],
    [
      'an address with a password',
      { TEAMS: 'https://me:secret-hush-hush@localhost/' },
      'channel-address-invalid',
    ],
    [
      'two addresses',
      { TEAMS: 'https://a.example/secret-hush-hush https://b.example/secret-hush-hush' },
      'channel-address-invalid',
    ],
  ])('with %s', async (_, fields, code) => {
    Object.assign(env, fields);
    expect(await refusalOf('soc')).toMatchObject({ code, ...waits });
  });

  it.each(['whsec_', 'whsec_c2hvcnQ=', 'bm8gcHJlZml4LCBhbmQgbG9uZyBlbm91Z2g=', 'whsec_!!!!'])(
    'with the key %s',
    async (key) => {
      env['KEY'] = key;
      expect(await failureOf(send('siem'))).toMatchObject({ code: 'channel-key-invalid', ...waits });
      expect(simulator.requests).toEqual([]);
    },
  );

  it.each<[string, () => void, object]>([
    [
      'throttled',
      () =>
        bridge.on(PutEventsCommand).resolves({
          FailedEntryCount: 1,
          Entries: [{ ErrorCode: 'ThrottlingException', ErrorMessage: 'Rate exceeded' }],
        }),
      passes,
    ],
    [
      'an entry that fails inside',
      () =>
        bridge
          .on(PutEventsCommand)
          .resolves({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'InternalFailure' }] }),
      passes,
    ],
    [
      'a detail that is malformed',
      () =>
        bridge
          .on(PutEventsCommand)
          .resolves({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'MalformedDetail' }] }),
      dropped,
    ],
    [
      'a request that is invalid',
      () =>
        bridge.on(PutEventsCommand).rejects(
          Object.assign(new Error('x'), {
            name: 'ValidationException',
            $metadata: { httpStatusCode: 400 },
          }),
        ),
      dropped,
    ],
    [
      'no permission',
      () =>
        bridge.on(PutEventsCommand).rejects(
          Object.assign(new Error('x'), {
            name: 'AccessDeniedException',
            $metadata: { httpStatusCode: 400 },
          }),
        ),
      waits,
    ],
    [
      'no bus',
      () =>
        bridge.on(PutEventsCommand).rejects(
          Object.assign(new Error('x'), {
            name: 'ResourceNotFoundException',
            $metadata: { httpStatusCode: 400 },
          }),
        ),
      waits,
    ],
    [
      'no credentials',
      () =>
        bridge
          .on(PutEventsCommand)
          .rejects(Object.assign(new Error('x'), { name: 'CredentialsProviderError' })),
      waits,
    ],
    [
      'no network',
      () => bridge.on(PutEventsCommand).rejects(Object.assign(new Error('x'), { name: 'TimeoutError' })),
      passes,
    ],
  ])('to EventBridge: %s', async (_, arrange, expected) => {
    arrange();
    expect(await refusalOf('aws')).toMatchObject(expected);
  });

  it('to a channel that the config no longer has is refused permanently', async () => {
    expect(await refusalOf('gone')).toMatchObject({ code: 'channel-removed', ...dropped });
  });
});

describe('mail', () => {
  it('goes to the recipients of its kind, under a stable key', async () => {
    const split: Tenant = {
      ...tenant,
      recipients: { scores: ['s@x.example'], controls: ['c@x.example', 'S@x.example'] },
    };
    for (const kind of ['start', 'scores', 'controls', 'operations'] as const) {
      const message = messageTo('mail', { kind, report: reports[kind].typical });
      expect(await opened().of(split, 'mail').send(message)).toBe('mail-1');
    }
    expect(mails.map(({ to }) => to)).toEqual([
      ['c@x.example', 's@x.example'],
      ['s@x.example'],
      ['c@x.example', 'S@x.example'],
      ['oncall@b.example'],
    ]);
    expect(mails[1]!.key).toMatch(/^2026-01-10\/Contoso\/scores-[0-9a-f]{8}$/);
    expect(mails[1]!.date).toEqual(new Date(reports.scores.typical.toldAt));
  });

  it.each([
    ['mail-throttled', true, { retryable: true, final: false }],
    ['mail-rejected', false, { retryable: false, final: false }],
    ['mail-address-refused', false, { retryable: false, final: true }],
    ['mail-address-invalid', false, { retryable: false, final: true }],
  ])('that fails with %s is sent again, waits, or is dropped', async (code, retryable, expected) => {
    mailError = new MonitorError(code, 'm', 'a', { retryable });
    expect(await refusalOf('mail')).toMatchObject({ code, message: 'm', advice: 'a', ...expected });
  });
});

it('a channel gets its kinds, and the start with the scores', () => {
  expect(hears({ kinds: ['scores'] }, 'start')).toBe(true);
  expect(hears({ kinds: ['controls', 'operations'] }, 'start')).toBe(false);
  expect(hears({ kinds: ['operations'] }, 'operations')).toBe(true);
  expect(hears({ kinds: ['operations'] }, 'controls')).toBe(false);
});
