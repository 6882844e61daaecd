import { Readable } from 'node:stream';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { DescribeEventBusCommand, EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { dateOf } from '../../lambda/dates.ts';
import { gone, type Receiver } from '../../simulator/receivers.ts';
import { CLIENT_ID, practise, secureScore, type Practice } from './support.ts';

/** The receivers are simulated, Secrets Manager and EventBridge are mocked. */

const manager = mockClient(SecretsManagerClient);
const bridge = mockClient(EventBridgeClient);
afterAll(() => {
  manager.restore();
  bridge.restore();
});
const stdin = Object.getOwnPropertyDescriptor(process, 'stdin')!;

let practice: Practice;
/** By the name of the secret. */
let kept: Record<string, string>;

const CHANNELS = [
  { name: 'soc', type: 'teams', url: { secret: 'secure-score/soc' } },
  { name: 'ops', type: 'slack', url: { env: 'OPS_ADDRESS' } },
  {
    name: 'siem',
    type: 'webhook',
    url: { secret: 'secure-score/siem' },
    signingKey: { secret: 'secure-score/siem-key' },
  },
  { name: 'aws', type: 'events', bus: 'security' },
].map((fields) => ({ tenants: 'all', ...fields }));
const RECEIVERS: Record<string, Receiver> = { soc: 'teams', ops: 'slack', siem: 'webhook' };

const missing = () => new ResourceNotFoundException({ message: 'not there', $metadata: {} });
const named = (name: string, message = 'no') => Object.assign(new Error(message), { name });

beforeAll(async () => {
  practice = await practise(dateOf(new Date()));
});
afterAll(() => practice.end());
beforeEach(async () => {
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  const { addresses, signingKey } = practice.simulator.receivers;
  vi.stubEnv('OPS_ADDRESS', addresses.slack);
  kept = {
    'secure-score/soc': addresses.teams,
    'secure-score/siem': addresses.webhook,
    'secure-score/siem-key': signingKey,
  };
  manager.reset();
  manager.on(GetSecretValueCommand).callsFake(async ({ SecretId }: { SecretId: string }) => {
    if (kept[SecretId] === undefined) throw missing();
    return { SecretString: kept[SecretId] };
  });
  bridge.reset();
  bridge.on(DescribeEventBusCommand).resolves({ Name: 'security' });
  bridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'event-1' }] });
  await practice.writeConfig({ channels: CHANNELS });
  practice.simulator.healthy();
  practice.simulator.receivers.calm();
  practice.simulator.receivers.messages.length = 0;
});
afterEach(() => {
  vi.unstubAllEnvs();
  Object.defineProperty(process, 'stdin', stdin);
});

/** No part of an address or a key is in it. */
function expectNoSecret(printed: string): void {
  const { addresses, signingKey } = practice.simulator.receivers;
  for (const secret of [
    ...Object.values(addresses).map((url) => new URL(url).pathname),
    signingKey.slice(6),
  ]) {
    expect(printed).not.toContain(secret);
  }
}

async function channel(...args: string[]) {
  const ended = await secureScore('channel', ...args, '--config', practice.config);
  expectNoSecret(ended.stdout + ended.stderr);
  return ended;
}

function put(value: string, ...args: string[]) {
  Object.defineProperty(process, 'stdin', { ...stdin, get: () => Readable.from([value]) });
  return channel('put', ...args);
}

describe('channel put', () => {
  const ADDRESS = 'https://receiver.example/hooks/very-secret';

  it('gives the existing secret a new value, and says what comes next', async () => {
    manager.on(PutSecretValueCommand).resolves({});
    const { code, stdout } = await put(`${ADDRESS}\r\n`, 'soc');
    expect(code).toBe(0);
    expect(stdout).toBe(
      '✓ The secret secure-score/soc holds the address of soc.\n  Next: ./secure-score channel test soc\n',
    );
    expect(manager.commandCalls(PutSecretValueCommand).map(({ args }) => args[0].input)).toEqual([
      { SecretId: 'secure-score/soc', SecretString: ADDRESS },
    ]);
    expect(manager.commandCalls(CreateSecretCommand)).toEqual([]);
  });

  it('creates a secret that is missing', async () => {
    manager.on(PutSecretValueCommand).rejects(missing());
    manager.on(CreateSecretCommand).resolves({});
    const { code, json } = await put(ADDRESS, 'soc', '--json');
    expect(code).toBe(0);
    expect(json()).toEqual({ channel: 'soc', secret: 'secure-score/soc', made: true });
    expect(manager.commandCalls(CreateSecretCommand)[0]?.args[0].input).toMatchObject({
      Name: 'secure-score/soc',
      SecretString: ADDRESS,
    });
  });

  it('puts the signing key into its own secret', async () => {
    manager.on(PutSecretValueCommand).resolves({});
    const key = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    expect((await put(key, 'siem', '--signing-key')).code).toBe(0);
    expect(manager.commandCalls(PutSecretValueCommand)[0]?.args[0].input).toEqual({
      SecretId: 'secure-score/siem-key',
      SecretString: key,
    });
  });

  it.each([
    ['', ['soc'], 'Nothing came from standard input.'],
    ['http://receiver.example/very-secret', ['soc'], 'is not an address: it does not begin with https://'],
    ['https://a:b@receiver.example/very-secret', ['soc'], 'has a name or a password before its host'],
    ['very secret', ['soc'], 'is more than one word'],
    ['whsec_very-secret', ['siem', '--signing-key'], 'is not a signing key'],
    [ADDRESS, ['ops'], 'from the variable OPS_ADDRESS.'],
    [ADDRESS, ['aws'], 'of type events, which has no address.'],
    [ADDRESS, ['soc', '--signing-key'], 'of type teams, which has no signing key.'],
    [ADDRESS, ['sock'], '"sock".\n→ It has: soc, ops, siem, aws.'],
  ])('refuses %j for %j, and quotes no value', async (value, args, message) => {
    const { code, stderr } = await put(value, ...args);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/very.secret/);
    expect(manager.calls()).toEqual([]);
  });

  it('says which permission is missing', async () => {
    manager.on(PutSecretValueCommand).rejects(named('AccessDeniedException'));
    const { code, stderr } = await put(ADDRESS, 'soc');
    expect(code).toBe(1);
    expect(stderr).toContain('secretsmanager:PutSecretValue on the secret "secure-score/soc" is not allowed');
    expect(stderr).not.toContain('very-secret');
  });
});

describe('channel test', () => {
  it.each(Object.entries(RECEIVERS))('reaches %s', async (name, receiver) => {
    const { code, json } = await channel('test', name, '--json');
    expect(code).toBe(0);
    const [message, ...more] = practice.simulator.receivers.messages;
    expect(more).toEqual([]);
    expect(message!.receiver).toBe(receiver);
    expect(JSON.stringify(message!.body)).toContain(`the channel ${name} has reached you`);
    expect(json()).toMatchObject({ channel: name });
  });

  it('uses only a tenant that the channel covers', async () => {
    const contoso = { tenantId: practice.tenantId, clientId: CLIENT_ID, recipients: ['a@contoso.com'] };
    const fabrikam = { ...contoso, tenantId: '0b6b6ab0-3b1f-4c3a-9a51-0f4f8f3f6c11', name: 'Fabrikam' };
    const channels = [{ ...CHANNELS[0], tenants: ['Fabrikam'] }];
    await practice.writeConfig({ tenants: [{ ...contoso, name: 'Contoso' }, fabrikam], channels });
    expect((await channel('test', 'soc')).code).toBe(0);
    const body = JSON.stringify(practice.simulator.receivers.messages[0]!.body);
    expect(body).toContain('Fabrikam');
    expect(body).not.toContain('Contoso');
  });

  it('says what is wrong if the receiver no longer exists', async () => {
    practice.simulator.fault({ at: 'slack', with: gone.slack });
    const { code, stderr } = await channel('test', 'ops');
    expect(code).toBe(1);
    expect(stderr).toMatch(/The channel "ops" was not reached: localhost:\d+ answers 404 \(no_service\)/);
  });
});

describe('channel list', () => {
  it('shows where addresses are read from, and what each channel gets', async () => {
    const { code, stdout } = await channel('list');
    expect(code).toBe(0);
    expect(stdout).toContain(
      'soc  teams, address in the secret secure-score/soc\n  scores, controls, operations of all tenants\n',
    );
    expect(stdout).toContain('ops  slack, address in the variable OPS_ADDRESS\n');
    expect(stdout).toContain('signed with the secret secure-score/siem-key\n');
    expect(stdout).toContain('aws  events, security\n');
    expect(manager.calls()).toEqual([]);
  });

  it('says that there are none', async () => {
    await practice.writeConfig();
    expect((await channel('list')).stdout).toBe(
      'The config has no channels: reports go out by mail alone.\n',
    );
  });
});

describe('doctor checks channels', () => {
  const TESTED = new Set(['channel', 'test message']);

  async function doctor(...more: string[]) {
    const { folder, config, pem } = practice;
    const flags = ['--config', config, '--certificate', pem];
    const folders = ['--archive', `${folder}/archive`, '--outbox', `${folder}/mails`];
    const { code, json, stdout } = await secureScore('doctor', ...flags, ...folders, '--json', ...more);
    expectNoSecret(stdout);
    const { checks } = json() as { checks: { check: string; status: string; found: string; code: string }[] };
    return { code, checks: checks.filter(({ check }) => TESTED.has(check)) };
  }

  it('finds that each can be reached, and sends nothing', async () => {
    const { code, checks } = await doctor();
    expect(code).toBe(0);
    const host = new URL(practice.simulator.graphEndpoint).host;
    expect(checks.map(({ check, status, found }) => [check, status, found])).toEqual([
      ['channel', 'ok', `soc: teams at ${host}`],
      ['channel', 'ok', `ops: slack at ${host}`],
      ['channel', 'ok', `siem: webhook at ${host}, with a key to sign`],
      ['channel', 'ok', 'aws: the event bus "security"'],
    ]);
    expect(practice.simulator.receivers.messages).toEqual([]);
    expect(bridge.commandCalls(PutEventsCommand)).toEqual([]);
  });

  it('sends a real message to each with --send, except where its check failed', async () => {
    vi.stubEnv('OPS_ADDRESS', '');
    const { code, checks } = await doctor('--send');
    expect(code).toBe(1);
    expect(checks.slice(4).map(({ status, found }) => [status, found])).toEqual([
      ['warning', expect.stringMatching(/^soc took it \(/)],
      ['skipped', 'skipped, because channel failed'],
      ['warning', expect.stringMatching(/^siem took it \(test-/)],
      ['warning', 'aws took it (event-1)'],
    ]);
    const { messages } = practice.simulator.receivers;
    expect(messages.map(({ receiver }) => receiver)).toEqual(['teams', 'webhook']);
  });

  it('fails if the receiver refuses the test message', async () => {
    practice.simulator.fault({ at: 'teams', with: gone.teams });
    const { code, checks } = await doctor('--send');
    expect(code).toBe(1);
    expect(checks[4]).toMatchObject({ status: 'failed', code: 'channel-gone' });
  });

  it.each<[string, () => unknown, number, string]>([
    ['an absent secret', () => delete kept['secure-score/soc'], 0, 'channel-secret-missing'],
    [
      'an http address',
      () => (kept['secure-score/soc'] = 'http://localhost/x'),
      0,
      'channel-address-invalid',
    ],
    ['an unset variable', () => vi.stubEnv('OPS_ADDRESS', ' '), 1, 'channel-secret-missing'],
    ['an unknown host', () => vi.stubEnv('OPS_ADDRESS', 'https://gone.invalid/x'), 1, 'channel-host-unknown'],
    ['a key that is none', () => (kept['secure-score/siem-key'] = 'abc'), 2, 'channel-key-invalid'],
    [
      'no bus',
      () => bridge.on(DescribeEventBusCommand).rejects(named('ResourceNotFoundException')),
      3,
      'channel-bus-missing',
    ],
  ])('finds %s', async (_, spoil, index, code) => {
    spoil();
    const { code: exit, checks } = await doctor();
    expect(exit).toBe(1);
    expect(checks.map(({ status }) => status)).toEqual(
      CHANNELS.map((__, at) => (at === index ? 'failed' : 'ok')),
    );
    expect(checks[index]!.code).toBe(code);
  });

  it('warns if the bus may not be read, because events may still be allowed', async () => {
    bridge.on(DescribeEventBusCommand).rejects(named('AccessDeniedException'));
    const { code, checks } = await doctor();
    expect(code).toBe(0);
    expect(checks[3]).toMatchObject({ status: 'warning' });
  });
});
