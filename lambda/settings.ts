import * as z from './zod.ts';
import { actingCharacter } from './characters.ts';
import { findMailbox, formatForPeople, parseMailbox } from './channels/mailbox.ts';
import { isTimeZone } from './time-zone.ts';

/*
 * What the function gets of a config: a tenant, a channel, a digest, each resolved. The file that a user writes, with all
 * that it may leave out, is config.ts, which the function does not load.
 */

/** The destination of deliveries that is no channel. */
export const MAIL = 'mail';

/** The maximum number of recipients of one SES mail: https://docs.aws.amazon.com/ses/latest/dg/quotas.html */
export const MAXIMUM_RECIPIENTS = 50;

/** @param example an object as it must look, for the error about a value that is not an object */
export function object<Shape extends z.core.$ZodLooseShape>(example: string, shape: Shape) {
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'invalid_type' ? `expected an object like ${example}` : undefined),
  });
}

/** A text without a fault. @param fault returns a clause like `expected …`, or undefined */
export function textWithout(fault: (text: string) => string | undefined) {
  return z.string().check(
    z.superRefine((value, context) => {
      const message = fault(value);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    }),
  );
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PLACEHOLDER = '00000000-0000-0000-0000-000000000000';

const guid = z.pipe(
  textWithout((value) => {
    if (!GUID.test(value)) return `expected a guid like ${PLACEHOLDER}`;
    if (value !== PLACEHOLDER) return undefined;
    return 'expected the id that the overview of the app registration shows, not the placeholder of the example';
  }),
  z.transform((value) => value.toLowerCase()),
);

/** A text without line breaks, controls or bidirectional marks, because it is used in subjects, headers and metadata. */
export const line = z.string().check(
  z.trim(),
  z.minLength(1, 'expected at least one character'),
  z.maxLength(200, 'expected at most 200 characters'),
  z.superRefine((value, context) => {
    const acting = actingCharacter(value);
    if (acting === undefined) return;
    context.addIssue({
      code: 'custom',
      message: `expected one line without control characters and invisible ones: it has ${acting}`,
    });
  }),
);

/** One mailbox, in the form in which it is shown: `secops@contoso.com`, `SecOps <secops@contoso.com>`. */
export const mailbox = z.pipe(
  z.string(),
  z.transform((value, context) => {
    const found = findMailbox(value);
    if (typeof found !== 'string') return formatForPeople(found);
    context.issues.push({ code: 'custom', message: found, input: value });
    return z.NEVER;
  }),
);

/** An address that is listed twice gets one mail. */
export const mailboxes = z.pipe(
  z
    .array(mailbox)
    .check(
      z.minLength(1, 'expected at least one e-mail address'),
      z.maxLength(
        MAXIMUM_RECIPIENTS,
        `expected at most ${MAXIMUM_RECIPIENTS} addresses (the limit of one SES mail): use a distribution list`,
      ),
    ),
  z.transform<string[], string[]>(distinct),
);

/**
 * Each address once, in the form in which it was listed first. Upper and lower case make no difference to the mail systems
 * in use.
 */
export function distinct(all: readonly string[]): string[] {
  return [
    ...new Map(all.toReversed().map((each) => [parseMailbox(each).address.toLowerCase(), each])).values(),
  ].toReversed();
}

export const httpsRoot = z.pipe(
  z.string().check(
    z.refine((text) => {
      const url = URL.parse(text);
      return url?.protocol === 'https:' && !url.username && !url.search && !url.hash;
    }, 'expected an https address like https://graph.microsoft.us'),
  ),
  z.transform((text) => text.replace(/\/+$/, '')),
);

export const at = z
  .string()
  .check(z.regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day like 07:00'))
  .register(z.globalRegistry, {
    description: 'Time of day at which the score is read: hours and minutes.',
    examples: ['06:30'],
  });
export const confirmDrops = z
  .int('expected a whole number')
  .check(z.minimum(0, 'expected 0 or more'), z.maximum(30, 'expected at most 30'))
  .register(z.globalRegistry, {
    description:
      'A drop is reported if it still stands this many snapshots later; one that heals before is only mentioned. 0 reports it at once.',
    examples: [2],
  });
export const minimumPoints = z
  .number('expected a number of points')
  .check(z.minimum(0, 'expected 0 or more'))
  .register(z.globalRegistry, {
    description: 'Smaller changes are not mailed. They stay in the archive and in the sum of the next mail.',
    examples: [0.5],
  });
export const mute = z
  .array(line)
  .check(z.maxLength(200, 'expected at most 200 of them'))
  .register(z.globalRegistry, {
    description:
      'Recommendations that never mail by themselves, by their id in Graph, where * stands for any characters. They stay in the sum, in the history and on the page.',
    examples: [['scid_*', 'AdminMFAV2']],
  });
export const below = z
  .number('expected a number of per cent')
  .check(z.gt(0, 'expected more than 0'), z.maximum(100, 'expected at most 100'))
  .register(z.globalRegistry, {
    description:
      'A report is urgent when the score falls below this percentage; again only after it has been back above.',
    examples: [60],
  });
export const drop = z
  .number('expected a number of percentage points')
  .check(z.gt(0, 'expected more than 0'), z.maximum(100, 'expected at most 100'))
  .register(z.globalRegistry, {
    description: 'A report is urgent when this many percentage points were lost within 7 days.',
    examples: [3],
  });
/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html */
const secret = textWithout((value) =>
  /^[\w/+=.@-]{1,512}$/.test(value) ||
  /^arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+$/.test(value)
    ? undefined
    : 'expected the name of a secret (letters, digits and / _ + = . @ -) or its ARN',
).register(z.globalRegistry, {
  description:
    "Name or ARN of the secret that holds this tenant's certificate. Without it one secret serves the whole deployment.",
  examples: ['secure-score/contoso'],
});

export const tags = z
  .array(
    z.pipe(
      z
        .string()
        .check(
          z.regex(
            /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,49}$/u,
            'expected letters, digits, dots and hyphens, at most 50',
          ),
        ),
      z.transform((tag) => tag.toLowerCase()),
    ),
  )
  .check(z.maxLength(50, 'expected at most 50 tags'));

export const reportedIn = z.enum(['each', 'digest'], "expected 'each' or 'digest'");

/** The place from which a channel reads what must not be in a config. */
const place = (secretExample: string, envExample: string) =>
  z.union(
    [
      z.strictObject({
        secret: secret.clone().register(z.globalRegistry, {
          description: 'Name or ARN of a secret in AWS Secrets Manager.',
          examples: [secretExample],
        }),
      }),
      z.strictObject({
        env: z
          .string()
          .check(z.regex(/^[A-Za-z_]\w{0,127}$/, 'expected the name of a variable'))
          .register(z.globalRegistry, {
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
export const channelName = textWithout((name) => {
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(name)) {
    return 'expected small letters, digits and hyphens, at most 40';
  }
  return name === MAIL ? 'is what deliveries by mail are called, expected another name' : undefined;
}).register(z.globalRegistry, {
  description: 'Name of the channel, in messages and commands; unique.',
  examples: ['soc'],
});

export const kinds = z.pipe(
  z
    .array(z.enum(['scores', 'controls', 'operations'], "expected 'scores', 'controls' or 'operations'"))
    .check(z.minLength(1, 'expected at least one kind')),
  z.transform((all) => [...new Set(all)]),
);

export const picks = z.union(
  [z.literal('all'), z.array(line).check(z.minLength(1, 'expected at least one tenant'))],
  {
    error: "expected 'all', or a list of tenants' names and of tags like '#gold'",
  },
);

export const url = place('secure-score/soc', 'SOC_URL');
export const signingKey = place('secure-score/siem-key', 'SIEM_KEY');
/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html */
export const bus = textWithout((name) =>
  /^[/.\-_A-Za-z0-9]{1,256}$/.test(name) ||
  /^arn:[\w-]+:events:[\w-]+:\d{12}:event-bus\/[/.\-_A-Za-z0-9]{1,256}$/.test(name)
    ? undefined
    : 'expected the name of an event bus or its ARN',
);

const channelForms = <Fields extends z.core.$ZodLooseShape>(fields: Fields) => {
  const shared = { name: channelName, kinds, ...fields };
  return z.discriminatedUnion('type', [
    z.strictObject({ ...shared, type: z.literal('teams'), url }),
    z.strictObject({ ...shared, type: z.literal('slack'), url }),
    z.strictObject({ ...shared, type: z.literal('webhook'), url, signingKey }),
    z.strictObject({ ...shared, type: z.literal('events'), bus: z.optional(bus) }),
  ]);
};

/** A channel in the config of a tenant's run, which delivers that tenant's reports to it. */
export const channelSchema = channelForms({});
export type ChannelSettings = z.infer<typeof channelSchema>;

/** A channel with the tenants whose reports it gets. */
export const channelOfAllSchema = channelForms({ tenants: picks });

export const every = z.enum(['day', 'week', 'month'], "expected 'day', 'week' or 'month'");

/** A part of the key of its state. */
export const digestName = textWithout((name) =>
  /^[a-z0-9][a-z0-9-]{0,39}$/.test(name)
    ? undefined
    : 'expected small letters, digits and hyphens, at most 40',
);

/** A digest as the function knows it: with its channels, and the ids of its tenants. */
export const digestSchema = z.strictObject({
  name: digestName,
  every,
  at,
  timeZone: z.string().check(z.refine(isTimeZone, 'expected a time zone')),
  to: z.array(mailbox),
  channels: z.array(channelSchema),
  tenants: z.union([z.literal('all'), z.array(guid)]),
});
export type Digest = z.infer<typeof digestSchema>;
/** The place from which an address or a key is read. */
export type Place = z.infer<typeof url>;
/** The fields for signing in, and for renewing the certificate. */
export const signInFields = {
  objectId: z.optional(guid).register(z.globalRegistry, {
    description:
      'Object ID of the app registration, from its overview (not that of the enterprise application). With it the certificate renews itself.',
    examples: ['77777777-8888-9999-aaaa-bbbbbbbbbbbb'],
  }),
  homeTenantId: z.optional(guid).register(z.globalRegistry, {
    description:
      'Tenant in which the app is registered, where that is another than the one it reads: a multi-tenant app.',
    examples: ['11111111-2222-3333-4444-555555555555'],
  }),
  signIn: z
    .optional(z.enum(['certificate', 'federated'], "expected 'certificate' or 'federated'"))
    .register(z.globalRegistry, {
      description:
        "How the app signs in: with a 'certificate' (default), or 'federated': with a token of AWS for the function's role, so that there is no secret at all.",
      examples: ['federated'],
    }),
  rotate: z.optional(z.boolean('expected true or false')).register(z.globalRegistry, {
    description:
      'Whether the certificate renews itself (default: true, which takes `objectId`). Tenants that share a secret renew together, or not at all.',
    examples: [false],
  }),
};

export const clientId = guid.clone().register(z.globalRegistry, {
  description: 'Application (client) ID, from the overview of the app registration.',
  examples: ['66666666-7777-8888-9999-aaaaaaaaaaaa'],
});

export const tenantFields = {
  name: line
    .clone()
    .register(z.globalRegistry, { description: 'Shown to people; unique.', examples: ['Contoso'] }),
  tenantId: guid.clone().register(z.globalRegistry, {
    description: 'Directory (tenant) ID, from the overview of the app registration; unique.',
    examples: ['11111111-2222-3333-4444-555555555555'],
  }),
  clientId,
  ...signInFields,
  certificate: z.optional(secret),
};

/** One entry of `tenants`, resolved: defaults filled in, clouds spelled out. It is the input of the function. */
export const tenantSchema = z.strictObject({
  ...tenantFields,
  cloud: z.strictObject({ authorityHost: httpsRoot, graphEndpoint: httpsRoot }),
  recipients: z.strictObject({ scores: mailboxes, controls: mailboxes }),
  // The names are checked again because the function's Node may know others than the one that deployed it.
  schedule: z.strictObject({ at, timeZone: z.string().check(z.refine(isTimeZone, 'expected a time zone')) }),
  // Some fields have defaults because events of schedules that are older than the channels lack them.
  alerts: z.strictObject({
    confirmDrops,
    minimumPoints,
    mute: z.withDefault(mute, []),
    below: z.optional(below),
    drop: z.optional(drop),
  }),
  tags: z.withDefault(tags, []),
  report: z.withDefault(reportedIn, 'each'),
  /** The channels that get this tenant's reports. */
  channels: z.withDefault(z.array(channelSchema), []),
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
