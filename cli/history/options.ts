import { quote } from '../../lambda/errors.ts';
import { UsageError } from '../shared/exit.ts';
import { text, OPTIONS } from '../shared/options.ts';

/** Flags of this command only: yargs would hand a flag of `history` down to `history sql`. */
const own = <Option extends object>(option: Option) => ({ ...option, global: false as const });

/** Used instead of `choices`, which yargs would list twice, for a command and for the one below it. */
function oneOf<Choice extends string>(name: string, choices: readonly Choice[]) {
  return {
    type: 'string',
    requiresArg: true,
    coerce: (value: string): Choice => {
      const chosen = choices.find((choice) => choice === value);
      if (chosen !== undefined) return chosen;
      throw new UsageError(`--${name} is ${choices.join(' or ')}, not ${quote(value)}.`);
    },
  } as const;
}

/** Flags that every way to ask the history has. */
export const HISTORY_OPTIONS = {
  config: own({ ...text('config'), describe: OPTIONS.config.describe }),
  archive: own(OPTIONS.archive),
  deployed: own({ type: 'boolean', describe: "Ask the deployment's archive" } as const),
  engine: own({
    ...oneOf('engine', ['duckdb', 'athena']),
    describe: 'duckdb: on this machine, a bucket is copied first (default). athena: in the deployment',
  }),
  stack: own(OPTIONS.stack),
  strict: own({
    type: 'boolean',
    describe: 'Exit with 1 if files that the answer needs are damaged or missing',
  } as const),
  format: own({
    ...oneOf('format', ['table', 'json', 'csv']),
    describe: 'How to print the answer: table (default), json or csv',
  }),
  json: own({ type: 'boolean', describe: 'The same as --format json' } as const),
};

/** Further flags of questions. */
export const QUESTION_OPTIONS = {
  from: own({ ...text('from'), describe: 'First day: yyyy-mm-dd, yyyy-mm or yyyy' }),
  to: own({ ...text('to'), describe: 'Last day (default: the newest)' }),
  tenant: own(OPTIONS.tenant),
  control: own({
    ...text('control'),
    describe: 'Only this recommendation: its id, as in --json, or its title',
  }),
  limit: own({
    ...text('limit'),
    describe: 'Maximum number of rows',
    coerce: (value: string) => {
      if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
      throw new UsageError(`--limit must be a number of rows, not ${quote(value)}.`);
    },
  }),
};

export interface HistoryFlags {
  config?: string;
  archive?: string;
  deployed?: boolean;
  engine?: 'duckdb' | 'athena';
  stack?: string;
  strict?: boolean;
  format?: Format;
  json?: boolean;
}

export type Format = 'table' | 'json' | 'csv';

export function formatOf({ format, json }: HistoryFlags): Format {
  return format ?? (json ? 'json' : 'table');
}
