import { describe, expect, it } from 'vitest';
import { parseConfig, type ConfigInput } from '../lambda/config.ts';
import { tenantSchema } from '../lambda/settings.ts';

const GUID = 'ABCDEF12-1234-1234-1234-1234567890AB';
const OTHER = '00000000-1111-2222-3333-444444444444';

const minimal = (): ConfigInput => ({
  tenants: [{ name: 'Contoso', tenantId: GUID, clientId: GUID, recipients: ['secops@contoso.com'] }],
  operations: ['oncall@contoso.com'],
  mail: { from: 'Secure Score <secure-score@contoso.com>' },
});

// oxlint-disable-next-line typescript/no-explicit-any -- spoiled in ways that its type forbids
type Spoilt = any;

const range = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `a${index}@contoso.com`);

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
      alerts: { confirmDrops: 2, minimumPoints: 0, mute: [] },
      tags: [],
      report: 'each',
      channels: [],
    });
    expect(tenants[1]?.cloud.graphEndpoint).toBe('https://dod-graph.microsoft.us');
    // What the deployment hands to the function is what the function takes.
    for (const tenant of tenants) expect(tenantSchema.parse(structuredClone(tenant))).toEqual(tenant);
  });

  it.each<[string, (config: Spoilt) => void, string]>([
    [
      'a guid',
      (c) => (c.tenants[0].tenantId = 'contoso'),
      'tenants[0].tenantId: found "contoso", expected a guid',
    ],
    ['a missing field', (c) => delete c.operations, 'operations: is missing, expected a list'],
    ['no tenant', (c) => (c.tenants = []), 'tenants: found [], expected at least one tenant'],
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
      'tenants[1].name: found "Contoso", expected a name of its own',
    ],
    ['a cloud', (c) => (c.tenants[0].cloud = 'china'), `tenants[0].cloud: found "china", expected 'global'`],
    [
      'an endpoint in clear text',
      (c) => (c.tenants[0].cloud = { authorityHost: 'https://a', graphEndpoint: 'http://b' }),
      'found "http://b", expected an https address',
    ],
    [
      'an address',
      (c) => (c.tenants[0].recipients = ['secops']),
      'tenants[0].recipients[0]: found "secops", expected an e-mail address',
    ],
    ['no recipients', (c) => (c.tenants[0].recipients = []), 'expected at least one e-mail address'],
    [
      'a header smuggled into the sender',
      (c) => (c.mail.from = 'a@b.co\r\nBcc: x@y.co'),
      'mail.from: found "a@b.co Bcc: x@y.co"',
    ],
    ['a line break in a name', (c) => (c.tenants[0].name = 'Con\ntoso'), 'tenants[0].name'],
    [
      'a time of day',
      (c) => (c.schedule = { at: '7am' }),
      'schedule.at: found "7am", expected a time of day like 07:00',
    ],
    [
      'a time zone',
      (c) => (c.schedule = { timeZone: 'Budapest' }),
      'schedule.timeZone: found "Budapest", expected a time zone',
    ],
    [
      'an offset for a time zone',
      (c) => (c.tenants[0].schedule = { timeZone: '+02:00' }),
      'tenants[0].schedule.timeZone: found "+02:00", expected a time zone of the IANA database, exactly as it is written there: \'Europe/Berlin\'',
    ],
    [
      'a text for an object',
      (c) => (c.schedule = '07:00'),
      "schedule: found \"07:00\", expected an object like { at: '07:00', timeZone: 'Europe/Budapest' }",
    ],
    ['no object', (c) => (c.mail = null), "mail: found null, expected an object like { from: 'Secure Score"],
    [
      'too many recipients',
      (c) => (c.tenants[0].recipients = range(51)),
      'tenants[0].recipients: found 51, expected at most 50 addresses',
    ],
    [
      'too many recipients of one kind',
      (c) => (c.tenants[0].recipients = { scores: ['a@b.co'], controls: range(51) }),
      'tenants[0].recipients.controls: found 51, expected at most 50 addresses',
    ],
    [
      'too many recipients in sum',
      (c) => (c.tenants[0].recipients = { scores: range(30), controls: range(60).slice(29) }),
      'expected at most 50 addresses in all',
    ],
    [
      'a blank before a wrong address',
      (c) => (c.operations = [' secops']),
      'operations[0]: found " secops", expected an e-mail address',
    ],
    [
      'an address that SES cannot send to',
      (c) => (c.tenants[0].recipients = ['jörg@müller.de']),
      'expected only ASCII before the @, because Amazon SES sends to no other address',
    ],
    [
      'a placeholder',
      (c) => (c.tenants[0].clientId = '00000000-0000-0000-0000-000000000000'),
      'the placeholder of the example',
    ],
    [
      'the address of a bucket',
      (c) => (c.archive = { bucket: 's3://my-archive' }),
      'archive.bucket: found "s3://my-archive", expected the name of the bucket alone: "my-archive"',
    ],
    [
      'the address of a place in a bucket',
      (c) => (c.archive = { bucket: 's3://my-archive/scores/' }),
      'begins at the top of its bucket, not at "scores/"',
    ],
    ['no bucket', (c) => (c.archive = { bucket: 'My_Archive' }), '"My_Archive" is not a bucket name'],
    ['a bucket that CDK refuses', (c) => (c.archive = { bucket: 'a.-b' }), '"a.-b" is not a bucket name'],
    ['a secret', (c) => (c.tenants[0].certificate = 'my secret'), 'expected the name of a secret'],
    [
      'a joiner that joins nothing',
      (c) => (c.tenants[0].name = 'Con\u200Dtoso'),
      'without control characters and invisible ones: it has U+200D',
    ],
    [
      'a name that looks like another',
      (c) => c.tenants.push({ ...c.tenants[0], name: 'CONTOSO', tenantId: OTHER }),
      'expected a name of its own: tenants[0] has the same',
    ],
    ['a strange field', (c) => (c['a b'] = 1), '["a b"]: is not a field that exists here'],
    [
      'a fraction of a day',
      (c) => (c.alerts = { confirmDrops: 0.5 }),
      'alerts.confirmDrops: found 0.5, expected a whole number',
    ],
  ])('with %s wrong fails with the path, what was found and what is expected', (_, spoil, expected) => {
    expect(errorOf(spoil)).toContain(expected);
  });

  it('gives every tenant the channels that cover it', () => {
    const config = {
      ...minimal(),
      tenants: [
        { ...minimal().tenants[0]!, tags: ['Gold'] },
        { ...minimal().tenants[0]!, name: 'Fabrikam', tenantId: OTHER },
      ],
      channels: [
        { name: 'soc', type: 'teams', url: { secret: 'secure-score/soc' } },
        {
          name: 'gold',
          type: 'slack',
          url: { env: 'GOLD' },
          tenants: ['#gold'],
          kinds: ['scores', 'scores'],
        },
        {
          name: 'siem',
          type: 'webhook',
          url: { secret: 'a' },
          signingKey: { secret: 'b' },
          tenants: ['Fabrikam'],
        },
        { name: 'bus', type: 'events', bus: 'security', tenants: ['#GOLD', 'Fabrikam'] },
      ],
    } satisfies ConfigInput;
    const { tenants, channels } = parseConfig(config, 'monitor.config.ts');
    const all = ['scores', 'controls', 'operations'];
    const soc = { name: 'soc', type: 'teams', url: { secret: 'secure-score/soc' }, kinds: all };
    const bus = { name: 'bus', type: 'events', bus: 'security', kinds: all };
    expect(tenants[0]?.channels).toEqual([
      soc,
      { name: 'gold', type: 'slack', url: { env: 'GOLD' }, kinds: ['scores'] },
      bus,
    ]);
    expect(tenants[1]?.channels.map(({ name }) => name)).toEqual(['soc', 'siem', 'bus']);
    expect(channels[0]).toEqual({ ...soc, tenants: 'all' });
    for (const tenant of tenants) expect(tenantSchema.parse(structuredClone(tenant))).toEqual(tenant);
  });

  it.each<[string, Spoilt, string]>([
    ['a name', { name: 'My SOC' }, 'channels[0].name: found "My SOC", expected small letters'],
    ['a name that mails have', { name: 'mail' }, 'is what deliveries by mail are called'],
    [
      'a type',
      { type: 'fax' },
      "channels[0].type: found \"fax\", expected 'teams', 'slack', 'webhook', 'events'",
    ],
    ['no address', { url: undefined }, "channels[0].url: is missing, expected { secret: '…' }"],
    ['no key', { type: 'webhook' }, 'channels[0].signingKey: is missing'],
    [
      'an address of events',
      { type: 'events' },
      'channels[0].url: found an object (not shown), is no field of',
    ],
    [
      'a key of Teams',
      { signingKey: { env: 'KEY' } },
      'channels[0].signingKey: found an object (not shown), is',
    ],
    ['a bus of Teams', { bus: 'security' }, 'channels[0].bus: found "security", is no field of a channel of'],
    ['a bus', { type: 'events', url: undefined, bus: 'a b' }, 'expected the name of an event bus'],
    ['no kind', { kinds: [] }, 'channels[0].kinds: found [], expected at least one kind'],
    [
      'a tenant',
      { tenants: ['Contso'] },
      'channels[0].tenants[0]: found "Contso", expected the name of a tenant',
    ],
    ['a tag', { tenants: ['#gold'] }, 'channels[0].tenants[0]: found "#gold", expected the name of a tenant'],
  ])('with %s of a channel wrong says so', (_, fields, expected) => {
    const soc = { name: 'soc', type: 'teams', url: { secret: 's' } };
    expect(errorOf((c) => (c.channels = [{ ...soc, ...fields }]))).toContain(expected);
  });

  it.each([
    ['a name', { name: 'My digest' }, 'digests[0].name: found "My digest", expected small letters'],
    ['a period', { every: 'year' }, "digests[0].every: found \"year\", expected 'day', 'week' or 'month'"],
    ['a time', { at: '8:30' }, 'digests[0].at: found "8:30", expected a time of day like 07:00'],
    ['a zone', { timeZone: 'Budapest' }, 'digests[0].timeZone: found "Budapest", expected'],
    ['nobody', { to: undefined }, 'digests[0].to: is missing, expected e-mail addresses, here or a channel'],
    ['no address', { to: [] }, 'digests[0].to: found [], expected at least one e-mail address'],
    [
      'a channel',
      { channels: ['sock'] },
      'digests[0].channels[0]: found "sock", expected the name of a channel (soc)',
    ],
    [
      'a tenant',
      { tenants: ['Contso'] },
      'digests[0].tenants[0]: found "Contso", expected the name of a tenant',
    ],
    ['a tag', { tenants: ['#gold'] }, 'digests[0].tenants[0]: found "#gold", expected the name of a tenant'],
  ])('with %s of a digest wrong says so', (_, fields, expected) => {
    const soc = { name: 'soc', type: 'teams', url: { secret: 's' } };
    const daily = { name: 'daily', every: 'day', to: ['soc@msp.example'] };
    expect(
      errorOf((c) => {
        c.channels = [soc];
        c.digests = [{ ...daily, ...fields }];
      }),
    ).toContain(expected);
  });

  it('has digests of different names, and none that no tenant is in that is reported in digests alone', () => {
    const daily = { name: 'daily', every: 'day', to: ['soc@msp.example'] };
    expect(errorOf((c) => (c.digests = [daily, daily]))).toContain(
      'digests[1].name: found "daily", expected a name of its own: digests[0] has the same',
    );
    expect(errorOf((c) => (c.tenants[0]!.report = 'digest'))).toContain(
      'tenants[0].report: found "digest", expected \'each\', or a digest (under "digests") that covers this tenant',
    );
  });

  it('has channels of different names', () => {
    const soc = { name: 'soc', type: 'teams', url: { secret: 's' } };
    expect(errorOf((c) => (c.channels = [soc, soc]))).toContain(
      'channels[1].name: found "soc", expected a name of its own: channels[0] has the same',
    );
  });

  it.each<[string, (address: string, key: string) => unknown]>([
    ['in its field', (url) => [{ name: 'soc', type: 'slack', url }]],
    ['as the name of its secret', (secret) => [{ name: 'soc', type: 'slack', url: { secret } }]],
    ['as the name of its variable', (env) => [{ name: 'soc', type: 'slack', url: { env } }]],
    ['as the channel', (address) => [address]],
    ['as all channels', (address) => address],
    ['as the name of the channel', (name) => [{ name, type: 'slack', url: { env: 'A' } }]],
    ['where one channel stands for the list', (url, signingKey) => ({ url, signingKey })],
    ['as a list', (url) => [{ name: 'soc', type: 'slack', url: [url] }]],
    ['as the key', (_url, signingKey) => [{ name: 'a', type: 'webhook', url: { env: 'A' }, signingKey }]],
    ['as the bus', (bus) => [{ name: 'a', type: 'events', bus }]],
    ['as a tenant', (url) => [{ name: 'a', type: 'events', tenants: [url] }]],
  ])('never shows the address of a webhook: %s', (_, channels) => {
    const found = errorOf((c) => {
      c.channels = channels('https://u:pass@hooks.slack.com/services/T0/B0/hush?sig=hush', 'whsec_hush');
    });
    expect(found).toContain('channels');
    expect(found).not.toMatch(/hush|pass/);
  });

  it('of many tenants shows which one is wrong', () => {
    const found = errorOf((c) => {
      c.tenants = range(300).map((_, index) => ({
        ...c.tenants[0],
        name: `Tenant ${index}`,
        tenantId: `${String(index).padStart(8, '0')}-1111-2222-3333-444444444444`,
      }));
      c.tenants[217].recipients = ['x'];
      c.tenants[218].colour = 'red';
    });
    expect(found).toMatch(
      /^ {2}tenants\[217\]\.recipients\[0\]: found "x", expected .* \(in "Tenant 217"\)$/m,
    );
    expect(found).toMatch(
      /^ {2}tenants\[218\]\.colour: is not a field that exists here \(in "Tenant 218"\)$/m,
    );
    expect(found.split('\n')).toHaveLength(3);
  });

  it('accepts names as people write them, and addresses in the form in which SES sends to them', () => {
    const config = minimal();
    config.tenants[0]!.name = ' گروه می‌خواهم 👩‍💻 ';
    config.tenants[0]!.recipients = [
      '"Contoso, Ltd." <r&d#1@müller.de>',
      " o'neil@contoso.com ",
      "O'Neil <O'Neil@CONTOSO.com>",
    ];
    config.mail.from = 'Überwachung (IT) <a@contoso.com>';
    const { tenants, mail } = parseConfig(config, 'here');
    expect(tenants[0]?.name).toBe('گروه می‌خواهم 👩‍💻');
    expect(tenants[0]?.recipients.scores).toEqual([
      '"Contoso, Ltd." <r&d#1@xn--mller-kva.de>',
      "o'neil@contoso.com",
    ]);
    expect(mail.from).toBe('"Überwachung (IT)" <a@contoso.com>');
    expect(tenantSchema.parse(structuredClone(tenants[0]))).toEqual(tenants[0]);
  });

  it('that is missing altogether is reported', () => {
    expect(() => parseConfig(undefined, 'monitor.config.ts')).toThrow(
      'monitor.config.ts is not a valid config',
    );
  });
});

describe('the app that signs in', () => {
  const app = {
    clientId: OTHER,
    objectId: GUID,
    homeTenantId: OTHER,
    signIn: 'certificate',
    rotate: true,
  } as const;
  const two = (first: object, second: object): ConfigInput => ({
    ...minimal(),
    tenants: [
      { name: 'Contoso', tenantId: GUID, recipients: ['secops@contoso.com'], ...first },
      { name: 'Fabrikam', tenantId: OTHER, recipients: ['secops@contoso.com'], ...second },
    ],
  });
  const messageOf = (config: ConfigInput): string => {
    try {
      parseConfig(config, 'the config');
    } catch (error) {
      return (error as Error).message;
    }
    return 'accepted';
  };

  it('is that of `app` for tenants without one of their own, and for those with the same one', () => {
    const own = '55555555-1111-2222-3333-444444444444';
    const { tenants } = parseConfig({ ...two({}, { clientId: own }), app }, 'the config');
    expect(tenants[0]).toMatchObject({
      clientId: OTHER,
      objectId: GUID.toLowerCase(),
      homeTenantId: OTHER,
      rotate: true,
    });
    expect(tenants[1]!.clientId).toBe(own);
    expect(tenants[1]).not.toHaveProperty('objectId');
    const same = parseConfig({ ...two({ clientId: OTHER, rotate: false }, {}), app }, 'the config').tenants;
    expect(same[0]).toMatchObject({ homeTenantId: OTHER, rotate: false });
  });

  it('must be there', () => {
    expect(messageOf(two({ clientId: OTHER }, {}))).toMatch(/tenants\[1\]\.clientId.*under "app"/);
  });

  it('is registered once: one object id, one home tenant', () => {
    const having = (objectId: string) => ({ clientId: OTHER, objectId });
    expect(messageOf(two(having(GUID), having(OTHER)))).toMatch(/tenants\[1\]\.objectId.*one object id/);
    expect(messageOf(two(having(GUID), having(GUID)))).toMatch(/tenants\[1\]\.homeTenantId.*registered/);
    const home = { ...having(GUID), homeTenantId: OTHER };
    expect(messageOf(two(home, having(GUID)))).toBe('accepted');
  });

  it('is in the event of the function, which also accepts an older one with only its id', () => {
    const [tenant] = parseConfig({ ...two({}, {}), app }, 'the config').tenants;
    expect(tenantSchema.parse(JSON.parse(JSON.stringify(tenant)))).toEqual(tenant);
    const { objectId: _, homeTenantId: _home, signIn: _signIn, rotate: _rotate, ...old } = tenant!;
    expect(tenantSchema.parse(old)).toEqual(old);
  });
});
