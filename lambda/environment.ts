import * as z from './zod.ts';
import { describeIssues } from './describe-issues.ts';
import { MonitorError } from './errors.ts';
import { formatForPeople, parseList } from './channels/mailbox.ts';
import { DEFAULT_CERTIFICATE_SECRET } from './outputs.ts';

/** Names of the function's environment variables: set by the deployment, read by the handler. */
export const environment = {
  bucket: 'ARCHIVE_BUCKET',
  /** Name or ARN of the secret that serves every tenant without one of its own. */
  certificateSecret: 'CERTIFICATE_SECRET',
  mailFrom: 'MAIL_FROM',
  /** Addresses of the operations mail, separated by commas. */
  operations: 'OPERATIONS',
  configurationSet: 'CONFIGURATION_SET',
  /** Name of the deployment: a dimension of its metrics. */
  deployment: 'DEPLOYMENT',
  /** The group of EventBridge Scheduler that holds one schedule a tenant. */
  scheduleGroup: 'SCHEDULE_GROUP',
} as const;

/** Name of a tenant's schedule in its group: the watch reads from it which tenants should have run. */
export const SCHEDULE_PREFIX = 'tenant-';

/** The schedules of digests in that group are named by it and their names. */
export const DIGEST_PREFIX = 'digest-';

/** Name of the schedule in that group that starts the renewal of certificates, beside the watch. */
export const ROTATION_SCHEDULE = 'rotation';

const schema = z.object({
  [environment.bucket]: z.string().check(z.minLength(1)),
  [environment.certificateSecret]: z.withDefault(
    z.string().check(z.minLength(1)),
    DEFAULT_CERTIFICATE_SECRET,
  ),
  [environment.mailFrom]: z.string().check(z.minLength(1)),
  [environment.operations]: z.pipe(
    z.string(),
    z.transform((list) => parseList(list).map(formatForPeople)),
  ),
  [environment.configurationSet]: z.optional(z.string().check(z.minLength(1))),
  [environment.deployment]: z.withDefault(z.string().check(z.minLength(1)), 'secure-score-monitor'),
  [environment.scheduleGroup]: z.optional(z.string().check(z.minLength(1))),
});

/** @throws MonitorError `environment-invalid` that lists each wrong variable */
export function readEnvironment(variables: NodeJS.ProcessEnv) {
  const parsed = schema.safeParse(variables);
  if (!parsed.success) {
    throw new MonitorError(
      'environment-invalid',
      `The function's environment is not valid:\n${describeIssues(parsed.error, variables, 'the environment')}`,
      'Deploy again: the deployment sets these variables.',
    );
  }
  return parsed.data;
}
