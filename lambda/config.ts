import { isIP } from 'node:net';
import * as z from 'zod';
import { bucketFault } from './archive/bucket-name.ts';
import { actingCharacter } from './characters.ts';
import { describeIssues, type PlaceOf } from './describe-issues.ts';
import { MonitorError, quote } from './errors.ts';
import { findMailbox, formatForPeople, parseMailbox } from './channels/mailbox.ts';
import { isTimeZone, timeZoneFault } from './time-zone.ts';

/** The destination of deliveries that is no channel. */
export const MAIL = 'mail';

/** The maximum number of recipients of one SES mail: https://docs.aws.amazon.com/ses/latest/dg/quotas.html */
const MAXIMUM_RECIPIENTS = 50;

/** @param example an object as it must look, for the error about a value that is not an object */
function object<Shape extends z.core.$ZodLooseShape>(example: string, shape: Shape) {
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'invalid_type' ? `expected an object like ${example}` : undefined),
  });
}

/** A text without a fault. @param fault returns a clause like `expected …`, or undefined */
function textWithout(fault: (text: string) => string | undefined) {
  return z.string().superRefine((value, context) => {
    const message = fault(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PLACEHOLDER = '00000000-0000-0000-0000-000000000000';

const guid = textWithout((value) => {
  if (!GUID.test(value)) return `expected a guid like ${PLACEHOLDER}`;
  if (value !== PLACEHOLDER) return undefined;
  return 'expected the id that the overview of the app registration shows, not the placeholder of the example';
}).transform((value) => value.toLowerCase());

/** A text without line breaks, controls or bidirectional marks, because it is used in subjects, headers and metadata. */
const line = z
  .string()
  .trim()
  .min(1, 'expected at least one character')
  .max(200, 'expected at most 200 characters')
  .superRefine((value, context) => {
    const acting = actingCharacter(value);
    if (acting === undefined) return;
    context.addIssue({
      code: 'custom',
      message: `expected one line without control characters and invisible ones: it has ${acting}`,
    });
  });

/** One mailbox, in the form in which it is shown: `secops@contoso.com`, `SecOps <secops@contoso.com>`. */
const mailbox = z.string().transform((value, context) => {
  const found = findMailbox(value);
  if (typeof found !== 'string') return formatForPeople(found);
  context.addIssue({ code: 'custom', message: found });
  return z.NEVER;
});

/** An address that is listed twice gets one mail. */
const mailboxes = z
  .array(mailbox)
  .min(1, 'expected at least one e-mail address')
  .max(
    MAXIMUM_RECIPIENTS,
    `expected at most ${MAXIMUM_RECIPIENTS} addresses (the limit of one SES mail): use a distribution list`,
  )
  .transform(distinct);

/**
 * Each address once, in the form in which it was listed first. Upper and lower case make no difference to the mail systems
 * in use.
 */
export function distinct(all: readonly string[]): string[] {
  return [
    ...new Map(all.toReversed().map((each) => [parseMailbox(each).address.toLowerCase(), each])).values(),
  ].toReversed();
}

const httpsRoot = z
  .string()
  .refine((text) => {
    const url = URL.parse(text);
    return url?.protocol === 'https:' && !url.username && !url.search && !url.hash;
  }, 'expected an https address like https://graph.microsoft.us')
  .transform((text) => text.replace(/\/+$/, ''));

const cloud = z.union(
  [
    z.enum(['global', 'usgov', 'dod']),
    z.strictObject({
      authorityHost: httpsRoot.meta({
        description: 'Where the app signs in.',
        examples: ['https://login.microsoftonline.us'],
      }),
      graphEndpoint: httpsRoot.meta({
        description: 'Microsoft Graph.',
        examples: ['https://graph.microsoft.us'],
      }),
    }),
  ],
  {
    error: "expected 'global', 'usgov', 'dod' or { authorityHost: 'https://…', graphEndpoint: 'https://…' }",
  },
);

const recipients = z
  .union(
    [
      mailboxes,
      object("{ scores: ['secops@contoso.com'], controls: ['soc@contoso.com'] }", {
        scores: mailboxes.meta({ description: 'Who gets the mails about points lost and gained.' }),
        controls: mailboxes.meta({
          description:
            'Who gets the mails about new, removed and re-scored recommendations, and about decisions.',
        }),
      }),
    ],
    { error: 'expected a list of e-mail addresses, or { scores: […], controls: […] }' },
  )
  .transform((value) => (Array.isArray(value) ? { scores: value, controls: value } : value));

const at = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day like 07:00')
  .meta({ description: 'Time of day at which the score is read: hours and minutes.', examples: ['06:30'] });
const timeZone = textWithout(timeZoneFault).meta({
  description: 'Name of a time zone in the IANA database, exactly as it is written there.',
  examples: ['Europe/Budapest'],
});
const SCHEDULE = "{ at: '07:00', timeZone: 'Europe/Budapest' }";

const confirmDrops = z
  .int('expected a whole number')
  .min(0, 'expected 0 or more')
  .max(30, 'expected at most 30')
  .meta({
    description:
      'A drop is reported if it still stands this many snapshots later; one that heals before is only mentioned. 0 reports it at once.',
    examples: [2],
  });
const minimumPoints = z
  .number('expected a number of points')
  .min(0, 'expected 0 or more')
  .meta({
    description: 'Smaller changes are not mailed. They stay in the archive and in the sum of the next mail.',
    examples: [0.5],
  });
const mute = z
  .array(line)
  .max(200, 'expected at most 200 of them')
  .meta({
    description:
      'Recommendations that never mail by themselves, by their id in Graph, where * stands for any characters. They stay in the sum, in the history and on the page.',
    examples: [['scid_*', 'AdminMFAV2']],
  });
const below = z
  .number('expected a number of per cent')
  .gt(0, 'expected more than 0')
  .max(100, 'expected at most 100')
  .meta({
    description:
      'A report is urgent when the score falls below this percentage; again only after it has been back above.',
    examples: [60],
  });
const drop = z
  .number('expected a number of percentage points')
  .gt(0, 'expected more than 0')
  .max(100, 'expected at most 100')
  .meta({
    description: 'A report is urgent when this many percentage points were lost within 7 days.',
    examples: [3],
  });
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
}).meta({
  description:
    'Name of a bucket that an earlier deployment left, to take its archive up again. Without it the deployment creates one.',
  examples: ['secure-score-archive-contoso'],
});

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html */
const secret = textWithout((value) =>
  /^[\w/+=.@-]{1,512}$/.test(value) ||
  /^arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+$/.test(value)
    ? undefined
    : 'expected the name of a secret (letters, digits and / _ + = . @ -) or its ARN',
).meta({
  description:
    "Name or ARN of the secret that holds this tenant's certificate. Without it one secret serves the whole deployment.",
  examples: ['secure-score/contoso'],
});

const tags = z
  .array(
    z
      .string()
      .regex(/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,49}$/u, 'expected letters, digits, dots and hyphens, at most 50')
      .transform((tag) => tag.toLowerCase()),
  )
  .max(50, 'expected at most 50 tags');

const reportedIn = z.enum(['each', 'digest'], "expected 'each' or 'digest'");

/** The place from which a channel reads what must not be in a config. */
const place = (secretExample: string, envExample: string) =>
  z.union(
    [
      z.strictObject({
        secret: secret.meta({
          description: 'Name or ARN of a secret in AWS Secrets Manager.',
          examples: [secretExample],
        }),
      }),
      z.strictObject({
        env: z
          .string()
          .regex(/^[A-Za-z_]\w{0,127}$/, 'expected the name of a variable')
          .meta({
            description: 'Name of an environment variable, for runs on one machine.',
            examples: [envExample],
          }),
      }),
    ],
    {
      error:
        "expected { secret: 'name of a secret' } or { env: 'NAME_OF_A_VARIABLE' }, never the value itself: whoever has it can write to the channel",
    },
  );

/** The name is a part of the ids of deliveries, in which `mail` is the destination that is not a channel. */
const channelName = textWithout((name) => {
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(name)) {
    return 'expected small letters, digits and hyphens, at most 40';
  }
  return name === MAIL ? 'is what deliveries by mail are called, expected another name' : undefined;
}).meta({ description: 'Name of the channel, in messages and commands; unique.', examples: ['soc'] });

const kinds = z
  .array(z.enum(['scores', 'controls', 'operations'], "expected 'scores', 'controls' or 'operations'"))
  .min(1, 'expected at least one kind')
  .transform((all) => [...new Set(all)]);

const picks = z.union([z.literal('all'), z.array(line).min(1, 'expected at least one tenant')], {
  error: "expected 'all', or a list of tenants' names and of tags like '#gold'",
});

/** The fields that only some types of channels have. */
const CHANNEL_FIELDS = {
  teams: ['url'],
  slack: ['url'],
  webhook: ['url', 'signingKey'],
  events: [],
} as const;
const CHANNEL_TYPES = Object.keys(CHANNEL_FIELDS) as (keyof typeof CHANNEL_FIELDS)[];

const url = place('secure-score/soc', 'SOC_URL');
const signingKey = place('secure-score/siem-key', 'SIEM_KEY');
/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html */
const bus = textWithout((name) =>
  /^[/.\-_A-Za-z0-9]{1,256}$/.test(name) ||
  /^arn:[\w-]+:events:[\w-]+:\d{12}:event-bus\/[/.\-_A-Za-z0-9]{1,256}$/.test(name)
    ? undefined
    : 'expected the name of an event bus or its ARN',
);

const channelInput = object("{ name: 'soc', type: 'teams', url: { secret: 'secure-score/soc' } }", {
  name: channelName,
  type: z.enum(CHANNEL_TYPES, `expected ${CHANNEL_TYPES.map((type) => `'${type}'`).join(', ')}`).meta({
    description:
      "What takes the messages: a workflow of Microsoft 'teams', an incoming webhook of 'slack', a 'webhook' that is signed (Standard Webhooks), or Amazon EventBridge ('events'). docs/channels.md says how to make each.",
    examples: ['teams'],
  }),
  url: url.optional().meta({
    description:
      "Where the https address is read from (not for 'events'). It is never written here, because whoever has it can write to the channel.",
    examples: [{ secret: 'secure-score/soc' }],
  }),
  signingKey: signingKey.optional().meta({
    description:
      "Where the key is read from by which the messages of a 'webhook' are signed: whsec_ and base64.",
    examples: [{ secret: 'secure-score/siem-key' }],
  }),
  bus: bus.optional().meta({
    description: "Of 'events': name or ARN of the event bus. Without it the default bus of the account.",
    examples: ['security'],
  }),
  tenants: picks.default('all').meta({
    description: "The tenants it hears of: 'all', or a list of their names and of tags with a # before them.",
    examples: [['Contoso', '#gold']],
  }),
  kinds: kinds.default(['scores', 'controls', 'operations']).meta({
    description:
      "What it hears of: 'scores' (points lost and gained, and that monitoring has started), 'controls' (recommendations that are new, gone or re-scored, and decisions), 'operations' (stale scores, suspect answers, failing runs).",
    examples: [['scores', 'controls']],
  }),
}).superRefine((channel, context) => {
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
});

const channelForms = <Fields extends z.core.$ZodLooseShape>(fields: Fields) => {
  const shared = { name: channelName, kinds, ...fields };
  return z.discriminatedUnion('type', [
    z.strictObject({ ...shared, type: z.literal('teams'), url }),
    z.strictObject({ ...shared, type: z.literal('slack'), url }),
    z.strictObject({ ...shared, type: z.literal('webhook'), url, signingKey }),
    z.strictObject({ ...shared, type: z.literal('events'), bus: bus.optional() }),
  ]);
};

/** A channel in the config of a tenant's run, which delivers that tenant's reports to it. */
const channelSchema = channelForms({});
export type ChannelSettings = z.infer<typeof channelSchema>;

/** A channel with the tenants whose reports it gets. */
export const channelOfAllSchema = channelForms({ tenants: picks });

const every = z.enum(['day', 'week', 'month'], "expected 'day', 'week' or 'month'");

/** A part of the key of its state. */
const digestName = textWithout((name) =>
  /^[a-z0-9][a-z0-9-]{0,39}$/.test(name)
    ? undefined
    : 'expected small letters, digits and hyphens, at most 40',
);

const digestInput = object("{ name: 'daily', every: 'day', to: ['soc@msp.example'] }", {
  name: digestName.meta({
    description: 'Name of the digest, in messages and commands; unique.',
    examples: ['daily'],
  }),
  every: every.meta({
    description:
      "How often it goes out: every 'day' on which there is anything new, every 'week' on Monday, or every 'month' on its first day.",
    examples: ['week'],
  }),
  at: at.default('08:30').meta({
    description: 'Time of day at which it goes out, after the runs: hours and minutes.',
    examples: ['09:00'],
  }),
  timeZone: timeZone.optional().meta({
    description: "Name of a time zone in the IANA database. Without it that of the deployment's `schedule`.",
    examples: ['Europe/Budapest'],
  }),
  to: mailboxes.optional().meta({
    description: 'Who gets it by mail.',
    examples: [['soc@msp.example']],
  }),
  channels: z
    .array(z.string())
    .default([])
    .meta({
      description: 'Names of the `channels` that take it, whatever they hear of otherwise.',
      examples: [['soc']],
    }),
  tenants: picks.default('all').meta({
    description:
      "The tenants that it covers: 'all', or a list of their names and of tags with a # before them.",
    examples: [['#gold']],
  }),
});

/** A digest as the function knows it: with its channels, and the ids of its tenants. */
export const digestSchema = z.strictObject({
  name: digestName,
  every,
  at,
  timeZone: z.string().refine(isTimeZone, 'expected a time zone'),
  to: z.array(mailbox),
  channels: z.array(channelSchema),
  tenants: z.union([z.literal('all'), z.array(guid)]),
});
export type Digest = z.infer<typeof digestSchema>;
/** The place from which an address or a key is read. */
export type Place = z.infer<typeof url>;
/** The fields for signing in, and for renewing the certificate. */
const signInFields = {
  objectId: guid.optional().meta({
    description:
      'Object ID of the app registration, from its overview (not that of the enterprise application). With it the certificate renews itself.',
    examples: ['77777777-8888-9999-aaaa-bbbbbbbbbbbb'],
  }),
  homeTenantId: guid.optional().meta({
    description:
      'Tenant in which the app is registered, where that is another than the one it reads: a multi-tenant app.',
    examples: ['11111111-2222-3333-4444-555555555555'],
  }),
  signIn: z
    .enum(['certificate', 'federated'], "expected 'certificate' or 'federated'")
    .optional()
    .meta({
      description:
        "How the app signs in: with a 'certificate' (default), or 'federated': with a token of AWS for the function's role, so that there is no secret at all.",
      examples: ['federated'],
    }),
  rotate: z
    .boolean('expected true or false')
    .optional()
    .meta({
      description:
        'Whether the certificate renews itself (default: true, which takes `objectId`). Tenants that share a secret renew together, or not at all.',
      examples: [false],
    }),
};

const clientId = guid.meta({
  description: 'Application (client) ID, from the overview of the app registration.',
  examples: ['66666666-7777-8888-9999-aaaaaaaaaaaa'],
});

const smtp = object("{ host: 'smtp.contoso.com', user: 'monitor', password: { env: 'SMTP_PASSWORD' } }", {
  host: textWithout((value) =>
    /^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(value) || isIP(value) !== 0
      ? undefined
      : 'expected the name of a server, without a scheme and a port',
  ).meta({ description: 'Name of the server.', examples: ['smtp.contoso.com'] }),
  port: z
    .int('expected a whole number')
    .min(1, 'expected 1 or more')
    .max(65_535, 'expected at most 65535')
    .optional()
    .meta({ description: 'Port of the server: by default 587, with `secure` 465.', examples: [2525] }),
  secure: z
    .boolean('expected true or false')
    .default(false)
    .meta({
      description:
        'TLS from the beginning. Without it STARTTLS is required: nothing is ever sent unencrypted.',
      examples: [true],
    }),
  user: line.optional().meta({ description: 'Who signs in; nobody does without it.', examples: ['monitor'] }),
  password: object("{ env: 'SMTP_PASSWORD' }", {
    env: textWithout((value) =>
      /^[A-Za-z_][A-Za-z0-9_]*$/.test(value)
        ? undefined
        : 'expected the name of an environment variable, like SMTP_PASSWORD, not the password itself',
    ).meta({
      description: 'Name of the environment variable that holds the password.',
      examples: ['SMTP_PASSWORD'],
    }),
  })
    .optional()
    .meta({ description: 'Where the password is; it never stands in the config.' }),
})
  .refine(({ user, password }) => (user === undefined) === (password === undefined), {
    message: 'expected user and password, or neither',
  })
  .meta({
    description:
      'An SMTP server, for runs on this machine without `--outbox`. A deployment sends through SES.',
    examples: [{ host: 'smtp.contoso.com', user: 'monitor', password: { env: 'SMTP_PASSWORD' } }],
  });

const heartbeat = object("{ url: 'https://hc-ping.com/…' }", {
  url: textWithout((value) =>
    /^https?:$/.test(URL.parse(value)?.protocol ?? '')
      ? undefined
      : 'expected an address that begins with https://',
  ).meta({
    description:
      'Address of a dead-man’s switch, fetched when a run has ended well for every tenant, and no message waits.',
    examples: ['https://hc-ping.com/11111111-2222-3333-4444-555555555555'],
  }),
}).meta({
  description:
    'Lets a service outside notice that runs on this machine are missing: it raises an alarm when the address is not fetched in time. A deployment has alarms of its own.',
});

const tenantFields = {
  name: line.meta({ description: 'Shown to people; unique.', examples: ['Contoso'] }),
  tenantId: guid.meta({
    description: 'Directory (tenant) ID, from the overview of the app registration; unique.',
    examples: ['11111111-2222-3333-4444-555555555555'],
  }),
  clientId,
  ...signInFields,
  certificate: secret.optional(),
};

const tenantInput = object("{ name: 'Contoso', tenantId: '…', clientId: '…', recipients: [...] }", {
  ...tenantFields,
  clientId: clientId.optional(),
  cloud: cloud.default('global').meta({
    description:
      "Microsoft's cloud in which the tenant lives: 'global' (GCC too), 'usgov' (GCC High) or 'dod', or the addresses of another one.",
    examples: ['usgov'],
  }),
  recipients: recipients.meta({
    description:
      'Who gets the mails about this tenant: addresses, each alone or with a name. Lists for the two kinds of mail split them; both get the start mail.',
    examples: [['SecOps <secops@contoso.com>', '"Contoso, Ltd." <it@contoso.com>']],
  }),
  schedule: object(SCHEDULE, { at, timeZone })
    .partial()
    .default({})
    .meta({
      description: "Overrides fields of the deployment's `schedule` for this tenant.",
      examples: [{ at: '08:00' }],
    }),
  tags: tags.default([]).meta({
    description:
      "Words by which channels and digests pick tenants: '#gold' is every tenant with the tag 'gold'.",
    examples: [['gold']],
  }),
  report: reportedIn.default('each').meta({
    description:
      "How it is reported. 'each': by its own mails and messages. 'digest': it is reported in digests alone, except for what is urgent and for what operations need to know.",
    examples: ['digest'],
  }),
  alerts: object(ALERTS, { confirmDrops, minimumPoints, mute, below, drop })
    .partial()
    .default({})
    .meta({
      description: "Overrides fields of the deployment's `alerts` for this tenant.",
      examples: [{ confirmDrops: 2 }],
    }),
});

/** One entry of `tenants`, resolved: defaults filled in, clouds spelled out. It is the input of the function. */
export const tenantSchema = z.strictObject({
  ...tenantFields,
  cloud: z.strictObject({ authorityHost: httpsRoot, graphEndpoint: httpsRoot }),
  recipients: z.strictObject({ scores: mailboxes, controls: mailboxes }),
  // The names are checked again because the function's Node may know others than the one that deployed it.
  schedule: z.strictObject({ at, timeZone: z.string().refine(isTimeZone, 'expected a time zone') }),
  // Some fields have defaults because events of schedules that are older than the channels lack them.
  alerts: z.strictObject({
    confirmDrops,
    minimumPoints,
    mute: mute.default([]),
    below: below.optional(),
    drop: drop.optional(),
  }),
  tags: tags.default([]),
  report: reportedIn.default('each'),
  /** The channels that get this tenant's reports. */
  channels: z.array(channelSchema).default([]),
});
export type Tenant = z.infer<typeof tenantSchema>;

/** True if a tenant's certificate must renew itself. */
export function renewsItself({
  signIn,
  rotate,
  objectId,
}: Pick<Tenant, 'signIn' | 'rotate' | 'objectId'>): boolean {
  return signIn !== 'federated' && rotate !== false && objectId !== undefined;
}

/** The content of a config file. Its descriptions and examples become docs/configuration.md and the editors' JSON Schema. */
export const configSchema = object('defineConfig({ tenants: [...], operations: [...], mail: {...} })', {
  $schema: z
    .string()
    .optional()
    .meta({
      description: 'In a JSON file: where editors find the JSON Schema of the config.',
      examples: ['./node_modules/secure-score-monitor/monitor.config.schema.json'],
    }),
  tenants: z
    .array(tenantInput)
    .min(1, 'expected at least one tenant')
    .meta({ description: 'The tenants that are watched.' }),
  app: object("{ clientId: '…', objectId: '…', homeTenantId: '…' }", { clientId, ...signInFields })
    .optional()
    .meta({ description: 'The app registration of all tenants without a `clientId` of their own.' }),
  operations: mailboxes.meta({
    description:
      'Who looks after the monitor: addresses that get its alarms, and mails about stale scores, suspect answers and failing runs.',
    examples: [['oncall@contoso.com']],
  }),
  mail: object("{ from: 'Secure Score <secure-score@contoso.com>', identity: 'existing' }", {
    from: mailbox.meta({
      description: 'Sender of all mails: an address, or a name and an address.',
      examples: ['Secure Score <secure-score@contoso.com>'],
    }),
    identity: z
      .enum(['existing', 'address', 'domain'], "expected 'existing', 'address' or 'domain'")
      .default('existing')
      .meta({
        description:
          "What the deployment creates in SES: nothing, because the sender or its domain is verified already ('existing'); the sender's 'address', whose mailbox gets a mail with a link to confirm; or its 'domain', whose DKIM records the deployment prints.",
        examples: ['domain'],
      }),
    smtp: smtp.optional(),
  }).meta({ description: 'How mails are sent.' }),
  schedule: object(SCHEDULE, { at: at.default('07:00'), timeZone: timeZone.default('UTC') })
    .prefault({})
    .meta({ description: 'When the score of every tenant is read, once a day.' }),
  alerts: object(ALERTS, {
    confirmDrops: confirmDrops.default(0),
    minimumPoints: minimumPoints.default(0),
    mute: mute.default([]),
    below: below.optional(),
    drop: drop.optional(),
  })
    .prefault({})
    .meta({ description: 'What is held back, and what is urgent.' }),
  channels: z
    .array(channelInput)
    .max(50, 'expected at most 50 channels')
    .default([])
    .meta({ description: 'What takes reports beside mail: see docs/channels.md.' }),
  digests: z.array(digestInput).max(50, 'expected at most 50 digests').default([]).meta({
    description:
      'One message for many tenants, beside or (`report`) in place of their own: what needs attention, what was lost where, and what happened to many, once.',
  }),
  heartbeat: heartbeat.optional(),
  dashboard: z
    .boolean('expected true or false')
    .default(false)
    .meta({
      description:
        'Whether the deployment creates a CloudWatch dashboard of its runs. It costs $3 a month where an account has more than three.',
      examples: [true],
    }),
  archive: object("{ bucket: 'secure-score-archive-contoso' }", { bucket: bucket.optional() })
    .default({})
    .meta({ description: 'Where every day is archived.' }),
}).superRefine((config, context) => {
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
});

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
  from: z.string().meta({
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

/** Names that look alike count as one: two tenants cannot have them, and each of them finds the tenant. */
export const alike = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\u200C\u200D]/g, '');

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
