import { isIP } from 'node:net';
import * as z from './zod.ts';
import { bucketFault } from './archive/bucket-name.ts';
import { alike } from './characters.ts';
import { describeIssues, type PlaceOf } from './describe-issues.ts';
import { MonitorError, quote } from './errors.ts';
import {
  MAXIMUM_RECIPIENTS,
  at,
  below,
  bus,
  channelName,
  clientId,
  confirmDrops,
  digestName,
  drop,
  every,
  httpsRoot,
  kinds,
  line,
  mailbox,
  mailboxes,
  minimumPoints,
  mute,
  object,
  picks,
  reportedIn,
  signingKey,
  tags,
  textWithout,
  url,
  channelOfAllSchema,
  channelSchema,
  distinct,
  signInFields,
  tenantFields,
  type ChannelSettings,
  type Digest,
  type Tenant,
} from './settings.ts';
import { timeZoneFault } from './time-zone.ts';

export type { ChannelSettings, Digest, Place, Tenant } from './settings.ts';

const cloud = z.union(
  [
    z.enum(['global', 'usgov', 'dod']),
    z.strictObject({
      authorityHost: httpsRoot.clone().register(z.globalRegistry, {
        description: 'Where the app signs in.',
        examples: ['https://login.microsoftonline.us'],
      }),
      graphEndpoint: httpsRoot.clone().register(z.globalRegistry, {
        description: 'Microsoft Graph.',
        examples: ['https://graph.microsoft.us'],
      }),
    }),
  ],
  {
    error: "expected 'global', 'usgov', 'dod' or { authorityHost: 'https://…', graphEndpoint: 'https://…' }",
  },
);

const recipients = z.pipe(
  z.union(
    [
      mailboxes,
      object("{ scores: ['secops@contoso.com'], controls: ['soc@contoso.com'] }", {
        scores: mailboxes
          .clone()
          .register(z.globalRegistry, { description: 'Who gets the mails about points lost and gained.' }),
        controls: mailboxes.clone().register(z.globalRegistry, {
          description:
            'Who gets the mails about new, removed and re-scored recommendations, and about decisions.',
        }),
      }),
    ],
    { error: 'expected a list of e-mail addresses, or { scores: […], controls: […] }' },
  ),
  z.transform((value) => (Array.isArray(value) ? { scores: value, controls: value } : value)),
);

const timeZone = textWithout(timeZoneFault).register(z.globalRegistry, {
  description: 'Name of a time zone in the IANA database, exactly as it is written there.',
  examples: ['Europe/Budapest'],
});
const SCHEDULE = "{ at: '07:00', timeZone: 'Europe/Budapest' }";

const ALERTS = '{ confirmDrops: 2, minimumPoints: 0.5 }';

const bucket = textWithout((value) => {
  const fault = bucketFault(value);
  if (fault === undefined) return undefined;
  const [, name = '', prefix] = /^s3:\/\/([^/]*)(?:\/(.*))?$/i.exec(value) ?? [];
  if (bucketFault(name) !== undefined) return `expected the name of a bucket: ${fault}`;
  const wanted = `expected the name of the bucket alone: ${quote(name)}`;
  return prefix
    ? `${wanted}. A deployment's archive begins at the top of its bucket, not at ${quote(prefix)}`
    : wanted;
}).register(z.globalRegistry, {
  description:
    'Name of a bucket that an earlier deployment left, to take its archive up again. Without it the deployment creates one.',
  examples: ['secure-score-archive-contoso'],
});

/** The fields that only some types of channels have. */
const CHANNEL_FIELDS = {
  teams: ['url'],
  slack: ['url'],
  webhook: ['url', 'signingKey'],
  events: [],
} as const;
const CHANNEL_TYPES = Object.keys(CHANNEL_FIELDS) as (keyof typeof CHANNEL_FIELDS)[];

const channelInput = object("{ name: 'soc', type: 'teams', url: { secret: 'secure-score/soc' } }", {
  name: channelName,
  type: z
    .enum(CHANNEL_TYPES, `expected ${CHANNEL_TYPES.map((type) => `'${type}'`).join(', ')}`)
    .register(z.globalRegistry, {
      description:
        "What takes the messages: a workflow of Microsoft 'teams', an incoming webhook of 'slack', a 'webhook' that is signed (Standard Webhooks), or Amazon EventBridge ('events'). docs/channels.md says how to make each.",
      examples: ['teams'],
    }),
  url: z.optional(url).register(z.globalRegistry, {
    description:
      "Where the https address is read from (not for 'events'). It is never written here, because whoever has it can write to the channel.",
    examples: [{ secret: 'secure-score/soc' }],
  }),
  signingKey: z.optional(signingKey).register(z.globalRegistry, {
    description:
      "Where the key is read from by which the messages of a 'webhook' are signed: whsec_ and base64.",
    examples: [{ secret: 'secure-score/siem-key' }],
  }),
  bus: z.optional(bus).register(z.globalRegistry, {
    description: "Of 'events': name or ARN of the event bus. Without it the default bus of the account.",
    examples: ['security'],
  }),
  tenants: z.withDefault(picks, 'all').register(z.globalRegistry, {
    description: "The tenants it hears of: 'all', or a list of their names and of tags with a # before them.",
    examples: [['Contoso', '#gold']],
  }),
  kinds: z.withDefault(kinds, ['scores', 'controls', 'operations']).register(z.globalRegistry, {
    description:
      "What it hears of: 'scores' (points lost and gained, and that monitoring has started), 'controls' (recommendations that are new, gone or re-scored, and decisions), 'operations' (stale scores, suspect answers, failing runs).",
    examples: [['scores', 'controls']],
  }),
}).check(
  z.superRefine((channel, context) => {
    const needed: readonly string[] = CHANNEL_FIELDS[channel.type] ?? [];
    for (const field of ['url', 'signingKey', 'bus'] as const) {
      const issue = (message: string) => context.addIssue({ code: 'custom', path: [field], message });
      if (needed.includes(field) && channel[field] === undefined) {
        issue(`expected { secret: '…' } or { env: '…' }, for a channel of type '${channel.type}' needs it`);
      }
      const isUsed = needed.includes(field) || (field === 'bus' && channel.type === 'events');
      if (!isUsed && channel[field] !== undefined) {
        issue(`is no field of a channel of type '${channel.type}'`);
      }
    }
  }),
);

const digestInput = object("{ name: 'daily', every: 'day', to: ['soc@msp.example'] }", {
  name: digestName.clone().register(z.globalRegistry, {
    description: 'Name of the digest, in messages and commands; unique.',
    examples: ['daily'],
  }),
  every: every.clone().register(z.globalRegistry, {
    description:
      "How often it goes out: every 'day' on which there is anything new, every 'week' on Monday, or every 'month' on its first day.",
    examples: ['week'],
  }),
  at: z.withDefault(at, '08:30').register(z.globalRegistry, {
    description: 'Time of day at which it goes out, after the runs: hours and minutes.',
    examples: ['09:00'],
  }),
  timeZone: z.optional(timeZone).register(z.globalRegistry, {
    description: "Name of a time zone in the IANA database. Without it that of the deployment's `schedule`.",
    examples: ['Europe/Budapest'],
  }),
  to: z.optional(mailboxes).register(z.globalRegistry, {
    description: 'Who gets it by mail.',
    examples: [['soc@msp.example']],
  }),
  channels: z.withDefault(z.array(z.string()), []).register(z.globalRegistry, {
    description: 'Names of the `channels` that take it, whatever they hear of otherwise.',
    examples: [['soc']],
  }),
  tenants: z.withDefault(picks, 'all').register(z.globalRegistry, {
    description:
      "The tenants that it covers: 'all', or a list of their names and of tags with a # before them.",
    examples: [['#gold']],
  }),
});

const smtp = object("{ host: 'smtp.contoso.com', user: 'monitor', password: { env: 'SMTP_PASSWORD' } }", {
  host: textWithout((value) =>
    /^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(value) || isIP(value) !== 0
      ? undefined
      : 'expected the name of a server, without a scheme and a port',
  ).register(z.globalRegistry, { description: 'Name of the server.', examples: ['smtp.contoso.com'] }),
  port: z
    .optional(
      z
        .int('expected a whole number')
        .check(z.minimum(1, 'expected 1 or more'), z.maximum(65_535, 'expected at most 65535')),
    )
    .register(z.globalRegistry, {
      description: 'Port of the server: by default 587, with `secure` 465.',
      examples: [2525],
    }),
  secure: z.withDefault(z.boolean('expected true or false'), false).register(z.globalRegistry, {
    description: 'TLS from the beginning. Without it STARTTLS is required: nothing is ever sent unencrypted.',
    examples: [true],
  }),
  user: z.optional(line).register(z.globalRegistry, {
    description: 'Who signs in; nobody does without it.',
    examples: ['monitor'],
  }),
  password: z
    .optional(
      object("{ env: 'SMTP_PASSWORD' }", {
        env: textWithout((value) =>
          /^[A-Za-z_][A-Za-z0-9_]*$/.test(value)
            ? undefined
            : 'expected the name of an environment variable, like SMTP_PASSWORD, not the password itself',
        ).register(z.globalRegistry, {
          description: 'Name of the environment variable that holds the password.',
          examples: ['SMTP_PASSWORD'],
        }),
      }),
    )
    .register(z.globalRegistry, { description: 'Where the password is; it never stands in the config.' }),
})
  .check(
    z.refine(({ user, password }) => (user === undefined) === (password === undefined), {
      message: 'expected user and password, or neither',
    }),
  )
  .register(z.globalRegistry, {
    description:
      'An SMTP server, for runs on this machine without `--outbox`. A deployment sends through SES.',
    examples: [{ host: 'smtp.contoso.com', user: 'monitor', password: { env: 'SMTP_PASSWORD' } }],
  });

const heartbeat = object("{ url: 'https://hc-ping.com/…' }", {
  url: textWithout((value) =>
    /^https?:$/.test(URL.parse(value)?.protocol ?? '')
      ? undefined
      : 'expected an address that begins with https://',
  ).register(z.globalRegistry, {
    description:
      'Address of a dead-man’s switch, fetched when a run has ended well for every tenant, and no message waits.',
    examples: ['https://hc-ping.com/11111111-2222-3333-4444-555555555555'],
  }),
}).register(z.globalRegistry, {
  description:
    'Lets a service outside notice that runs on this machine are missing: it raises an alarm when the address is not fetched in time. A deployment has alarms of its own.',
});

const tenantInput = object("{ name: 'Contoso', tenantId: '…', clientId: '…', recipients: [...] }", {
  ...tenantFields,
  clientId: z.optional(clientId),
  cloud: z.withDefault(cloud, 'global').register(z.globalRegistry, {
    description:
      "Microsoft's cloud in which the tenant lives: 'global' (GCC too), 'usgov' (GCC High) or 'dod', or the addresses of another one.",
    examples: ['usgov'],
  }),
  recipients: recipients.clone().register(z.globalRegistry, {
    description:
      'Who gets the mails about this tenant: addresses, each alone or with a name. Lists for the two kinds of mail split them; both get the start mail.',
    examples: [['SecOps <secops@contoso.com>', '"Contoso, Ltd." <it@contoso.com>']],
  }),
  schedule: z.withDefault(z.partial(object(SCHEDULE, { at, timeZone })), {}).register(z.globalRegistry, {
    description: "Overrides fields of the deployment's `schedule` for this tenant.",
    examples: [{ at: '08:00' }],
  }),
  tags: z.withDefault(tags, []).register(z.globalRegistry, {
    description:
      "Words by which channels and digests pick tenants: '#gold' is every tenant with the tag 'gold'.",
    examples: [['gold']],
  }),
  report: z.withDefault(reportedIn, 'each').register(z.globalRegistry, {
    description:
      "How it is reported. 'each': by its own mails and messages. 'digest': it is reported in digests alone, except for what is urgent and for what operations need to know.",
    examples: ['digest'],
  }),
  alerts: z
    .withDefault(z.partial(object(ALERTS, { confirmDrops, minimumPoints, mute, below, drop })), {})
    .register(z.globalRegistry, {
      description: "Overrides fields of the deployment's `alerts` for this tenant.",
      examples: [{ confirmDrops: 2 }],
    }),
});

/** The content of a config file. Its descriptions and examples become docs/configuration.md and the editors' JSON Schema. */
export const configSchema = object('defineConfig({ tenants: [...], operations: [...], mail: {...} })', {
  $schema: z.optional(z.string()).register(z.globalRegistry, {
    description: 'In a JSON file: where editors find the JSON Schema of the config.',
    examples: ['./node_modules/secure-score-monitor/monitor.config.schema.json'],
  }),
  tenants: z
    .array(tenantInput)
    .check(z.minLength(1, 'expected at least one tenant'))
    .register(z.globalRegistry, { description: 'The tenants that are watched.' }),
  app: z
    .optional(object("{ clientId: '…', objectId: '…', homeTenantId: '…' }", { clientId, ...signInFields }))
    .register(z.globalRegistry, {
      description: 'The app registration of all tenants without a `clientId` of their own.',
    }),
  operations: mailboxes.clone().register(z.globalRegistry, {
    description:
      'Who looks after the monitor: addresses that get its alarms, and mails about stale scores, suspect answers and failing runs.',
    examples: [['oncall@contoso.com']],
  }),
  mail: object("{ from: 'Secure Score <secure-score@contoso.com>', identity: 'existing' }", {
    from: mailbox.clone().register(z.globalRegistry, {
      description: 'Sender of all mails: an address, or a name and an address.',
      examples: ['Secure Score <secure-score@contoso.com>'],
    }),
    identity: z
      .withDefault(
        z.enum(['existing', 'address', 'domain'], "expected 'existing', 'address' or 'domain'"),
        'existing',
      )
      .register(z.globalRegistry, {
        description:
          "What the deployment creates in SES: nothing, because the sender or its domain is verified already ('existing'); the sender's 'address', whose mailbox gets a mail with a link to confirm; or its 'domain', whose DKIM records the deployment prints.",
        examples: ['domain'],
      }),
    smtp: z.optional(smtp),
  }).register(z.globalRegistry, { description: 'How mails are sent.' }),
  schedule: z
    .prefault(
      object(SCHEDULE, { at: z.withDefault(at, '07:00'), timeZone: z.withDefault(timeZone, 'UTC') }),
      {},
    )
    .register(z.globalRegistry, { description: 'When the score of every tenant is read, once a day.' }),
  alerts: z
    .prefault(
      object(ALERTS, {
        confirmDrops: z.withDefault(confirmDrops, 0),
        minimumPoints: z.withDefault(minimumPoints, 0),
        mute: z.withDefault(mute, []),
        below: z.optional(below),
        drop: z.optional(drop),
      }),
      {},
    )
    .register(z.globalRegistry, { description: 'What is held back, and what is urgent.' }),
  channels: z
    .withDefault(z.array(channelInput).check(z.maxLength(50, 'expected at most 50 channels')), [])
    .register(z.globalRegistry, { description: 'What takes reports beside mail: see docs/channels.md.' }),
  digests: z
    .withDefault(z.array(digestInput).check(z.maxLength(50, 'expected at most 50 digests')), [])
    .register(z.globalRegistry, {
      description:
        'One message for many tenants, beside or (`report`) in place of their own: what needs attention, what was lost where, and what happened to many, once.',
    }),
  heartbeat: z.optional(heartbeat),
  dashboard: z.withDefault(z.boolean('expected true or false'), false).register(z.globalRegistry, {
    description:
      'Whether the deployment creates a CloudWatch dashboard of its runs. It costs $3 a month where an account has more than three.',
    examples: [true],
  }),
  archive: z
    .withDefault(object("{ bucket: 'secure-score-archive-contoso' }", { bucket: z.optional(bucket) }), {})
    .register(z.globalRegistry, { description: 'Where every day is archived.' }),
}).check(
  z.superRefine((config, context) => {
    for (const [index, { recipients: all }] of config.tenants.entries()) {
      // A wrong list already has an issue of its own, and may be of any type.
      if (!(Array.isArray(all?.scores) && Array.isArray(all.controls))) continue;
      if (distinct([...all.scores, ...all.controls]).length <= MAXIMUM_RECIPIENTS) continue;
      context.addIssue({
        code: 'custom',
        path: ['tenants', index, 'recipients'],
        message: `expected at most ${MAXIMUM_RECIPIENTS} addresses in all, for both get the start mail: use a distribution list`,
      });
    }
    const distinctive = (list: 'tenants' | 'channels' | 'digests', field: string, values: string[]) => {
      const seen = new Map<string, number>();
      for (const [index, text] of values.entries()) {
        const value = alike(text);
        const first = seen.get(value);
        if (first === undefined) seen.set(value, index);
        else {
          context.addIssue({
            code: 'custom',
            path: [list, index, field],
            message: `expected a ${field} of its own: ${list}[${first}] has the same`,
          });
        }
      }
    };
    checkApps(config, (path, message) => context.addIssue({ code: 'custom', path, message }));
    for (const field of ['tenantId', 'name'] as const) {
      distinctive(
        'tenants',
        field,
        config.tenants.map((tenant) => tenant[field]),
      );
    }
    distinctive(
      'channels',
      'name',
      config.channels.map(({ name }) => name),
    );
    distinctive(
      'digests',
      'name',
      config.digests.map(({ name }) => name),
    );
    for (const list of ['channels', 'digests'] as const) {
      for (const [index, { tenants }] of config[list].entries()) {
        if (tenants === 'all') continue;
        for (const [entry, wanted] of tenants.entries()) {
          if (config.tenants.some((tenant) => isPicked(tenant, [wanted]))) continue;
          context.addIssue({
            code: 'custom',
            path: [list, index, 'tenants', entry],
            message: `expected the name of a tenant, or a # and a tag that a tenant has`,
          });
        }
      }
    }
    checkDigests(config, (path, message) => context.addIssue({ code: 'custom', path, message }));
  }),
);

/** Checks that every digest has a destination, and that every tenant that is reported only in digests is in one. */
function checkDigests(
  {
    digests,
    channels,
    tenants,
  }: {
    digests: z.output<typeof digestInput>[];
    channels: { name: string }[];
    tenants: { name: string; tags: string[]; report: string }[];
  },
  issue: (path: (string | number)[], message: string) => void,
): void {
  for (const [index, digest] of digests.entries()) {
    for (const [entry, name] of digest.channels.entries()) {
      if (channels.some((channel) => channel.name === name)) continue;
      const known = channels.map((channel) => channel.name).join(', ');
      issue(
        ['digests', index, 'channels', entry],
        `expected the name of a channel${known ? ` (${known})` : ', and there is none under "channels"'}`,
      );
    }
    if (digest.to === undefined && digest.channels.length === 0) {
      issue(
        ['digests', index, 'to'],
        'expected e-mail addresses, here or a channel under "channels", or both',
      );
    }
  }
  for (const [index, tenant] of tenants.entries()) {
    if (tenant.report !== 'digest') continue;
    if (digests.some((digest) => isPicked(tenant, digest.tenants))) continue;
    issue(
      ['tenants', index, 'report'],
      'expected \'each\', or a digest (under "digests") that covers this tenant: nobody would hear of it',
    );
  }
}

/** The digests of a config in the form that the function gets. */
export function digestsOf({ digests, channels, tenants, schedule }: Config): Digest[] {
  return digests.map(({ to = [], timeZone: zone = schedule.timeZone, ...digest }) => ({
    ...digest,
    timeZone: zone,
    to,
    channels: digest.channels.flatMap((name) => {
      const channel = channels.find((each) => each.name === name);
      if (!channel) return [];
      const { tenants: _, ...settings } = channel;
      return [channelSchema.parse(settings)];
    }),
    tenants:
      digest.tenants === 'all'
        ? 'all'
        : tenants.filter((tenant) => isPicked(tenant, digest.tenants)).map(({ tenantId }) => tenantId),
  }));
}

/** @param wanted 'all', or names of tenants and tags with a # before them */
function isPicked(tenant: { name: string; tags: string[] }, wanted: z.infer<typeof picks>): boolean {
  return (
    wanted === 'all' ||
    wanted.some((pick) => pick === tenant.name || tenant.tags.some((tag) => pick.toLowerCase() === `#${tag}`))
  );
}

interface AppFields {
  clientId?: string;
  objectId?: string;
  homeTenantId?: string;
}

/** Checks that every tenant has an app, and every app one registration in one tenant. */
function checkApps(
  { app, tenants }: { app?: AppFields; tenants: (AppFields & { tenantId: string })[] },
  report: (path: (string | number)[], message: string) => void,
): void {
  const first = new Map<string, number>();
  for (const [index, tenant] of tenants.entries()) {
    const resolved = withApp(tenant, app);
    if (resolved.clientId === undefined) {
      report(
        ['tenants', index, 'clientId'],
        'expected the id of an app, here or under "app" for all tenants',
      );
      continue;
    }
    const before = first.get(resolved.clientId);
    if (before === undefined) {
      first.set(resolved.clientId, index);
      continue;
    }
    const other = withApp(tenants[before]!, app);
    if (resolved.objectId !== other.objectId) {
      report(
        ['tenants', index, 'objectId'],
        `expected that of tenants[${before}], which has the same app: an app registration has one object id`,
      );
    } else if (
      resolved.objectId !== undefined &&
      (resolved.homeTenantId ?? tenant.tenantId) !== (other.homeTenantId ?? tenants[before]!.tenantId)
    ) {
      report(
        ['tenants', index, 'homeTenantId'],
        `expected the tenant in which the app is registered, and the same one as in tenants[${before}], which has the same app`,
      );
    }
  }
}

/** A tenant, with the fields of `app` if its app is that one. */
function withApp<T extends AppFields>(tenant: T, app: AppFields | undefined): T & AppFields {
  return app && (tenant.clientId ?? app.clientId) === app.clientId ? { ...app, ...tenant } : tenant;
}

/** The file with the tenants, in place of a list. */
export const tenantsFromSchema = z.strictObject({
  from: z.string().register(z.globalRegistry, {
    description:
      'A file of tenants, one a row, .csv or .json: `tenantsFrom(…)` in TypeScript. Its path is relative to the config; docs/onboarding.md explains the columns.',
    examples: ['tenants.csv'],
  }),
});
type TenantsFrom = z.infer<typeof tenantsFromSchema>;

/** The content of monitor.config.ts as a user writes it. */
export type ConfigInput = z.input<typeof configSchema>;

/** The same with its tenants in a file. */
export type ConfigWithFile = Omit<ConfigInput, 'tenants'> & { tenants: TenantsFrom };

/**
 * The config, checked and resolved: guids in lower case, every tenant with its cloud, recipients, schedule, alerts and
 * channels.
 */
export interface Config extends Omit<z.output<typeof configSchema>, 'tenants' | 'channels' | '$schema'> {
  tenants: Tenant[];
  channels: (ChannelSettings & { tenants: z.infer<typeof picks> })[];
}

/** Endpoints of the national clouds: https://learn.microsoft.com/en-us/graph/deployments */
export const CLOUDS = {
  global: {
    authorityHost: 'https://login.microsoftonline.com',
    graphEndpoint: 'https://graph.microsoft.com',
  },
  usgov: { authorityHost: 'https://login.microsoftonline.us', graphEndpoint: 'https://graph.microsoft.us' },
  dod: { authorityHost: 'https://login.microsoftonline.us', graphEndpoint: 'https://dod-graph.microsoft.us' },
} as const;

/** Gives monitor.config.ts its types. It checks nothing, because the loader of the file does. A plain object works as well. */
export function defineConfig(config: ConfigInput): ConfigInput;
export function defineConfig(config: ConfigWithFile): ConfigWithFile;
export function defineConfig(config: ConfigInput | ConfigWithFile): ConfigInput | ConfigWithFile {
  return config;
}

/**
 * Tenants from a file instead of a list: one per row, for hundreds of them. The file is read by the loader of the config,
 * not here.
 * @param path a .csv or .json file, relative to the config (in an app of your own: to the current folder)
 */
export function tenantsFrom(path: string): TenantsFrom {
  return { from: path };
}

/**
 * Checks a config and fills in what it leaves out.
 * @param input the default export of a config file, unknown
 * @param source its path, for the error
 * @param placeOf finds the place of a field for the error, if the tenants are in another file
 * @throws MonitorError `config-invalid` that lists each wrong field: its path, what was found, and what was expected
 */
export function parseConfig(input: unknown, source: string, placeOf?: PlaceOf): Config {
  const parsed = configSchema.safeParse(input);
  if (!parsed.success) {
    throw new MonitorError(
      'config-invalid',
      `${source} is not a valid config:\n${describeIssues(parsed.error, input, 'the config', placeOf)}`,
      'Correct the fields named above: docs/configuration.md explains each, monitor.config.example.ts shows a complete config.',
    );
  }
  const { tenants, channels, $schema: _, ...rest } = parsed.data;
  return {
    ...rest,
    channels: channels.map((channel) => channelOfAllSchema.parse(channel)),
    tenants: tenants.map((tenant) => ({
      ...withApp(tenant, rest.app),
      // checkApps guarantees that one of the two exists.
      clientId: (tenant.clientId ?? rest.app?.clientId)!,
      cloud: typeof tenant.cloud === 'string' ? CLOUDS[tenant.cloud] : tenant.cloud,
      schedule: { ...rest.schedule, ...tenant.schedule },
      alerts: { ...rest.alerts, ...tenant.alerts },
      channels: channels
        .filter((channel) => isPicked(tenant, channel.tenants))
        .map(({ tenants: _tenants, ...channel }) => channelSchema.parse(channel)),
    })),
  };
}
