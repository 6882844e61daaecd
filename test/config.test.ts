import { describe, expect, it } from 'vitest';
import { parseConfig, tenantSchema, type ConfigInput } from '../lambda/config.ts';

const GUID = 'ABCDEF12-1234-1234-1234-1234567890AB';
const OTHER = '00000000-1111-2222-3333-444444444444';

const minimal = (): ConfigInput => ({
  tenants: [{ name: 'Contoso', tenantId: GUID, clientId: GUID, recipients: ['secops@contoso.com'] }],
  operations: ['oncall@contoso.com'],
  mail: { from: 'Secure Score <secure-score@contoso.com>' },
});

// oxlint-disable-next-line typescript/no-explicit-any -- spoiled in ways that its type forbids
type Spoilt = any;

/** A config with one thing wrong, put there by `spoil`. */
function errorOf(spoil: (config: Spoilt) => void): string {
  const config = minimal();
  spoil(config);
  try {
    parseConfig(config, 'monitor.config.ts');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the config was accepted');
}

describe('a config', () => {
  it('is resolved: guids in lower case, the cloud spelled out, every tenant with its schedule and alerts', () => {
    const { tenants } = parseConfig(
      {
        ...minimal(),
        schedule: { at: '06:30', timeZone: 'Europe/Budapest' },
        tenants: [
          { ...minimal().tenants[0], schedule: { at: '08:00' }, alerts: { confirmDrops: 2 } },
          {
            name: 'Fabrikam',
            tenantId: OTHER,
            clientId: OTHER,
            cloud: 'dod',
            recipients: { scores: ['a@b.co'], controls: ['c@d.co'] },
          },
        ],
      },
      'monitor.config.ts',
    );
    expect(tenants[0]).toEqual({
      name: 'Contoso',
      tenantId: GUID.toLowerCase(),
      clientId: GUID.toLowerCase(),
      cloud: {
        authorityHost: 'https://login.microsoftonline.com',
        graphEndpoint: 'https://graph.microsoft.com',
      },
      recipients: { scores: ['secops@contoso.com'], controls: ['secops@contoso.com'] },
      schedule: { at: '08:00', timeZone: 'Europe/Budapest' },
      alerts: { confirmDrops: 2, minimumPoints: 0 },
    });
    expect(tenants[1]?.cloud.graphEndpoint).toBe('https://dod-graph.microsoft.us');
    // What the deployment hands to the function is what the function takes.
    for (const tenant of tenants) expect(tenantSchema.parse(structuredClone(tenant))).toEqual(tenant);
  });

  it.each<[string, (config: Spoilt) => void, string]>([
    [
      'a guid',
      (c) => (c.tenants[0].tenantId = 'contoso'),
      'tenants[0].tenantId: found "contoso", wants a guid',
    ],
    ['a missing field', (c) => delete c.operations, 'operations: is missing, wants a list'],
    ['no tenant', (c) => (c.tenants = []), 'tenants: found [], wants at least one tenant'],
    [
      'an unknown field',
      (c) => (c.tenants[0].recipient = 1),
      'tenants[0].recipient: is not a field that exists here',
    ],
    [
      'a tenant twice',
      (c) => c.tenants.push({ ...c.tenants[0], name: 'B', tenantId: GUID.toLowerCase() }),
      'tenants[1].tenantId',
    ],
    [
      'a name twice',
      (c) => c.tenants.push({ ...c.tenants[0], tenantId: OTHER }),
      'tenants[1].name: found "Contoso", wants a name of its own',
    ],
    ['a cloud', (c) => (c.tenants[0].cloud = 'china'), `tenants[0].cloud: found "china", wants 'global'`],
    [
      'an endpoint in clear text',
      (c) => (c.tenants[0].cloud = { authorityHost: 'https://a', graphEndpoint: 'http://b' }),
      'found "http://b", wants an https address',
    ],
    [
      'an address',
      (c) => (c.tenants[0].recipients = ['secops']),
      'tenants[0].recipients[0]: found "secops", wants an e-mail address',
    ],
    ['no recipients', (c) => (c.tenants[0].recipients = []), 'wants at least one e-mail address'],
    [
      'a header smuggled into the sender',
      (c) => (c.mail.from = 'a@b.co\r\nBcc: x@y.co'),
      'mail.from: found "a@b.co Bcc: x@y.co"',
    ],
    ['a line break in a name', (c) => (c.tenants[0].name = 'Con\ntoso'), 'tenants[0].name'],
    [
      'a time of day',
      (c) => (c.schedule = { at: '7am' }),
      'schedule.at: found "7am", wants a time of day like 07:00',
    ],
    [
      'a time zone',
      (c) => (c.schedule = { timeZone: 'Budapest' }),
      'schedule.timeZone: found "Budapest", wants a time zone',
    ],
    [
      'a fraction of a day',
      (c) => (c.alerts = { confirmDrops: 0.5 }),
      'alerts.confirmDrops: found 0.5, wants a whole number',
    ],
  ])('with %s wrong fails with the path, what was found and what is wanted', (_, spoil, expected) => {
    expect(errorOf(spoil)).toContain(expected);
  });

  it('that is not there at all is said so', () => {
    expect(() => parseConfig(undefined, 'monitor.config.ts')).toThrow(
      'monitor.config.ts is not a valid config',
    );
  });
});
