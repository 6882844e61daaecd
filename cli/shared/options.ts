import { DEPLOYMENT_STACK } from '../../lambda/outputs.ts';
import { UsageError } from './exit.ts';

/** Config of a command that is given none. */
export const DEFAULT_CONFIG = 'monitor.config.ts';

/** Folder of the archive, where neither a flag nor the config names one. */
export const DEFAULT_ARCHIVE = 'archive';

/** A flag that takes one value. yargs would make a list of one that is given twice, which no command expects. */
export function text(name: string) {
  return {
    type: 'string',
    requiresArg: true,
    coerce: (value: string) => {
      if (value !== '' && !Array.isArray(value)) return value;
      throw new UsageError(`--${name} must be given once, with one value.`);
    },
  } as const;
}

/** A PEM file, as an argument or with the flag that `run` and `doctor` have. */
export function certificateFile(describe: string) {
  const { type, coerce } = text('certificate');
  return { type, coerce, alias: 'file', describe } as const;
}

/**
 * Graph counts by app and tenant (150 requests a minute, 4 at a time), so that tenants take nothing from each other; but
 * this machine and its way to Microsoft have limits as well: https://learn.microsoft.com/en-us/graph/throttling-limits
 */
const MOST_AT_ONCE = 32;

/** Flags that more than one command has. */
export const OPTIONS = {
  config: { ...text('config'), default: DEFAULT_CONFIG, describe: 'Config file (.ts, .js or .json)' },
  tenant: { ...text('tenant'), describe: 'Only this tenant: its name or id' },
  stack: {
    ...text('stack'),
    describe: `Name of the deployment's main stack (default: ${DEPLOYMENT_STACK})`,
  },
  archive: {
    ...text('archive'),
    describe: `Folder or s3://bucket/prefix (default: the config's bucket, else ./${DEFAULT_ARCHIVE})`,
  },
  /** Of commands that look at a deployment. */
  deployedArchive: {
    ...text('archive'),
    describe: "Folder or s3://bucket/prefix (default: the deployment's bucket)",
  },
  certificate: {
    ...text('certificate'),
    describe: 'PEM file with certificate and private key (default: the secret)',
  },
  outbox: {
    ...text('outbox'),
    describe: "Folder for the mail as .eml (default: the config's SMTP server, else SES)",
  },
  parallel: {
    type: 'number',
    requiresArg: true,
    default: 4,
    describe: `How many tenants at the same time, 1 to ${MOST_AT_ONCE}`,
    coerce: (parallel: number) => {
      if (Number.isInteger(parallel) && parallel >= 1 && parallel <= MOST_AT_ONCE) return parallel;
      throw new UsageError(`--parallel must be a whole number from 1 to ${MOST_AT_ONCE}.`);
    },
  },
  json: { type: 'boolean', default: false, describe: 'Print the result as JSON' },
} as const;
