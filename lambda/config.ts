import * as z from 'zod';
import { describeIssues } from './describe-issues.ts';
import { MonitorError } from './errors.ts';

/** How many recipients one SES mail may have: https://docs.aws.amazon.com/ses/latest/dg/quotas.html */
const MAXIMUM_RECIPIENTS = 50;

const guid = z
  .string()
  .regex(
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    'wants a guid like 00000000-0000-0000-0000-000000000000',
  )
  .transform((text) => text.toLowerCase());

/** No line breaks, controls or bidirectional marks: it stands in subjects, headers and object keys' metadata. */
const line = z
  .string()
  .trim()
  .min(1, 'wants at least one character')
  .max(200, 'wants at most 200 characters')
  .regex(/^\P{C}*$/u, 'wants one line without control characters');

const address = z.email('wants an e-mail address');
const addresses = z
  .array(address)
  .min(1, 'wants at least one e-mail address')
  .max(
    MAXIMUM_RECIPIENTS,
    `wants at most ${MAXIMUM_RECIPIENTS} addresses (the limit of one SES mail): use a distribution list`,
  );

/** `secure-score@contoso.com` or `Secure Score <secure-score@contoso.com>`. */
const mailbox = line.refine((text) => {
  const angled = /^([^<>"]*)<([^<>\s]+)>$/.exec(text);
  return address.safeParse(angled ? angled[2] : text).success;
}, 'wants an address, or a name and an address: Secure Score <secure-score@contoso.com>');

const httpsRoot = z
  .string()
  .refine((text) => {
    const url = URL.parse(text);
    return url?.protocol === 'https:' && !url.username && !url.search && !url.hash;
  }, 'wants an https address like https://graph.microsoft.us')
  .transform((text) => text.replace(/\/+$/, ''));

const cloud = z.union(
  [
    z.enum(['global', 'usgov', 'dod']),
    z.strictObject({ authorityHost: httpsRoot, graphEndpoint: httpsRoot }),
  ],
  { error: "wants 'global', 'usgov', 'dod' or { authorityHost: 'https://…', graphEndpoint: 'https://…' }" },
);

const recipients = z
  .union([addresses, z.strictObject({ scores: addresses, controls: addresses })], {
    error: 'wants a list of e-mail addresses, or { scores: […], controls: […] }',
  })
  .transform((value) => (Array.isArray(value) ? { scores: value, controls: value } : value));

const timeZone = z.string().refine((name) => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}, 'wants a time zone of the IANA database like Europe/Budapest');

const schedule = z.strictObject({
  at: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'wants a time of day like 07:00'),
  timeZone,
});

const alerts = z.strictObject({
  confirmDrops: z.int('wants a whole number').min(0, 'wants 0 or more').max(30, 'wants at most 30'),
  minimumPoints: z.number('wants a number of points').min(0, 'wants 0 or more'),
});

const tenantFields = {
  name: line,
  tenantId: guid,
  clientId: guid,
  certificate: line.optional(),
};

const tenantInput = z.strictObject({
  ...tenantFields,
  cloud: cloud.default('global'),
  recipients,
  schedule: schedule.partial().default({}),
  alerts: alerts.partial().default({}),
});

/** One entry of `tenants`, resolved: defaults filled in, clouds spelled out. It is the input of the function. */
export const tenantSchema = z.strictObject({
  ...tenantFields,
  cloud: z.strictObject({ authorityHost: httpsRoot, graphEndpoint: httpsRoot }),
  recipients: z.strictObject({ scores: addresses, controls: addresses }),
  schedule,
  alerts,
});
export type Tenant = z.infer<typeof tenantSchema>;

const configSchema = z
  .strictObject({
    tenants: z.array(tenantInput).min(1, 'wants at least one tenant'),
    operations: addresses,
    mail: z.strictObject({
      from: mailbox,
      identity: z
        .enum(['existing', 'address', 'domain'], "wants 'existing', 'address' or 'domain'")
        .default('existing'),
    }),
    schedule: z
      .strictObject({ at: schedule.shape.at.default('07:00'), timeZone: timeZone.default('UTC') })
      .prefault({}),
    alerts: z
      .strictObject({
        confirmDrops: alerts.shape.confirmDrops.default(0),
        minimumPoints: alerts.shape.minimumPoints.default(0),
      })
      .prefault({}),
    archive: z.strictObject({ bucket: line.optional() }).default({}),
  })
  .superRefine((config, context) => {
    for (const [index, { recipients: all }] of config.tenants.entries()) {
      // A list that is wrong already has an issue of its own, and may be anything.
      if (!(Array.isArray(all?.scores) && Array.isArray(all.controls))) continue;
      if (new Set([...all.scores, ...all.controls]).size <= MAXIMUM_RECIPIENTS) continue;
      context.addIssue({
        code: 'custom',
        path: ['tenants', index, 'recipients'],
        message: `wants at most ${MAXIMUM_RECIPIENTS} addresses in all, for both get the start mail: use a distribution list`,
      });
    }
    for (const field of ['tenantId', 'name'] as const) {
      const seen = new Map<string, number>();
      for (const [index, tenant] of config.tenants.entries()) {
        const first = seen.get(tenant[field]);
        if (first === undefined) seen.set(tenant[field], index);
        else {
          context.addIssue({
            code: 'custom',
            path: ['tenants', index, field],
            message: `wants a ${field} of its own: tenants[${first}] has the same`,
          });
        }
      }
    }
  });

/** What a user writes into monitor.config.ts. */
export type ConfigInput = z.input<typeof configSchema>;

/** The config, checked and resolved: guids in lower case, every tenant with its cloud, recipients, schedule and alerts. */
export interface Config extends Omit<z.output<typeof configSchema>, 'tenants'> {
  tenants: Tenant[];
}

/** Endpoints of the national clouds: https://learn.microsoft.com/en-us/graph/deployments */
const CLOUDS = {
  global: {
    authorityHost: 'https://login.microsoftonline.com',
    graphEndpoint: 'https://graph.microsoft.com',
  },
  usgov: { authorityHost: 'https://login.microsoftonline.us', graphEndpoint: 'https://graph.microsoft.us' },
  dod: { authorityHost: 'https://login.microsoftonline.us', graphEndpoint: 'https://dod-graph.microsoft.us' },
} as const;

/** Gives monitor.config.ts its types; the check is made by whoever loads the file. A plain object is as good. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}

/**
 * Checks a config and fills in what it leaves out.
 * @param input the default export of a config file, unknown
 * @param source its path, for the error
 * @throws MonitorError `config-invalid` that lists each wrong field: its path, what was found, what is wanted
 */
export function parseConfig(input: unknown, source: string): Config {
  const parsed = configSchema.safeParse(input);
  if (!parsed.success) {
    throw new MonitorError(
      'config-invalid',
      `${source} is not a valid config:\n${describeIssues(parsed.error, input, 'the config')}`,
      'Correct the fields named above; monitor.config.example.ts shows a whole config.',
    );
  }
  const { tenants, ...rest } = parsed.data;
  return {
    ...rest,
    tenants: tenants.map((tenant) => ({
      ...tenant,
      cloud: typeof tenant.cloud === 'string' ? CLOUDS[tenant.cloud] : tenant.cloud,
      schedule: { ...rest.schedule, ...tenant.schedule },
      alerts: { ...rest.alerts, ...tenant.alerts },
    })),
  };
}
