import { describe, expect, test } from 'vitest';
import { synthesize, text } from './deployment.ts';
import { allows, ofFunction, statements } from './policies.ts';
import { parseEvent } from '../../lambda/event.ts';

const channels = [
  { name: 'soc', type: 'teams' as const, url: { secret: 'secure-score/soc' } },
  {
    name: 'siem',
    type: 'webhook' as const,
    url: { secret: 'secure-score/siem' },
    signingKey: { secret: 'secure-score/siem-key' },
  },
  {
    name: 'own',
    type: 'slack' as const,
    url: { secret: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:own-AbC123' },
  },
  { name: 'aws', type: 'events' as const, tenants: ['Tenant 1'] },
  { name: 'security', type: 'events' as const, bus: 'security', kinds: ['operations' as const] },
  { name: 'other', type: 'events' as const, bus: 'arn:aws:events:eu-west-1:111122223333:event-bus/other' },
];
const deployment = synthesize({ channels });
const role = ofFunction(deployment);
const without = ofFunction(synthesize());

describe('the function', () => {
  test('reads the secrets of its channels and no other', () => {
    const read = (secret: string, region = 'eu-central-1') =>
      allows(
        role,
        'secretsmanager:GetSecretValue',
        `arn:aws:secretsmanager:${region}:111122223333:secret:${secret}`,
      );
    for (const name of ['soc', 'siem', 'siem-key']) expect(read(`secure-score/${name}-AbC123`)).toBe(true);
    expect(read('own-AbC123', 'eu-west-1')).toBe(true);
    for (const name of ['soc-other-AbC123', 'other-AbC123', 'soc'])
      expect(read(`secure-score/${name}`)).toBe(false);
    expect(
      allows(
        role,
        'secretsmanager:PutSecretValue',
        'arn:aws:secretsmanager:eu-central-1:111122223333:secret:secure-score/soc-AbC123',
      ),
    ).toBe(false);
  });

  test('puts events on the buses of its channels and no other', () => {
    const put = (bus: string, region = 'eu-central-1') =>
      allows(role, 'events:PutEvents', `arn:aws:events:${region}:111122223333:event-bus/${bus}`);
    expect(put('default')).toBe(true);
    expect(put('security')).toBe(true);
    expect(put('other', 'eu-west-1')).toBe(true);
    expect(put('else')).toBe(false);
    const events = statements(deployment).filter(({ actions }) =>
      actions.some((action) => action.startsWith('events:')),
    );
    expect(events.map(({ actions, resources }) => [actions, resources.length])).toEqual([
      [['events:PutEvents'], 3],
    ]);
  });

  test('gets no permission if no channel is configured', () => {
    expect(
      without.flatMap(({ actions }) => actions).filter((action) => action.startsWith('events:')),
    ).toEqual([]);
    const secrets = (all: typeof role) =>
      all
        .filter(({ actions }) => actions.includes('secretsmanager:GetSecretValue'))
        .flatMap(({ resources }) => resources);
    expect(secrets(role)).toHaveLength(secrets(without).length + 4);
  });
});

test('each tenant has its channels, and the watch all of them, without an address in the template', () => {
  const inputs = deployment.resources
    .filter(([, { Type }]) => Type === 'AWS::Scheduler::Schedule')
    .map(([, { Properties }]) =>
      parseEvent(JSON.parse(text((Properties!['Target'] as { Input: string }).Input))),
    );
  const names = inputs.map((event) =>
    ('tenant' in event ? event.tenant.channels : 'watch' in event ? event.channels : []).map(
      ({ name }) => name,
    ),
  );
  const all = channels.map(({ name }) => name);
  expect(names.toSorted((a, b) => b.length - a.length)).toEqual([
    all,
    all,
    all.filter((name) => name !== 'aws'),
  ]);
});

test('a channel that reads a variable is refused: a template would show the address', () => {
  const local = { ...channels[0]!, url: { env: 'SOC_URL' } };
  expect(() => synthesize({ channels: [local] })).toThrow(/variable SOC_URL/);
});
