import { DEPLOYMENT_METRICS } from '../lambda/metric-names.ts';

/**
 * What a deployment costs a month, for the table of the README: `node bench/cost.ts`. Prices are the public ones of
 * eu-central-1 or us-east-1, whichever is higher, in November 2026; each has the address of its page.
 */
const PRICES = {
  /** arm64. https://aws.amazon.com/lambda/pricing/ */
  lambdaGbSecond: 0.0000133334,
  lambdaRequest: 0.2 / 1e6,
  /** Standard. https://aws.amazon.com/s3/pricing/ */
  s3GbMonth: 0.0245,
  s3Put: 0.0054 / 1000,
  s3Get: 0.00043 / 1000,
  /** https://aws.amazon.com/ses/pricing/ */
  mail: 0.1 / 1000,
  mailGb: 0.12,
  /** https://aws.amazon.com/secrets-manager/pricing/ */
  secretMonth: 0.4,
  secretCall: 0.05 / 10_000,
  /**
   * The price of a custom metric that is sent in every hour; see `METRIC_HOURS`.
   * https://aws.amazon.com/cloudwatch/pricing/
   */
  metricMonth: 0.3,
  alarmMonth: 0.1,
  logGb: 0.63,
  /** https://aws.amazon.com/eventbridge/pricing/ */
  schedule: 1 / 1e6,
  /** https://aws.amazon.com/xray/pricing/ */
  trace: 5 / 1e6,
};

/**
 * What one tenant with 411 controls and one recipient uses. The figures were measured with `npm run bench`, `npm run
 * test:deploy` and a generated archive, rounded up.
 */
export const USE = {
  memoryGb: 0.5,
  /** Billed seconds: CPU of a daily run, at the third of a core that 512 MB have, and Graph's answers. */
  secondsPerRun: 6,
  runsPerMonth: 30,
  putsPerRun: 9,
  getsPerRun: 16,
  /** A snapshot, its share of profiles and reports, and the columns. */
  kbPerDay: 75,
  mailsPerMonth: 8,
  kbPerMail: 90,
  logKbPerRun: 6,
  metricsOfDeployment: Object.keys(DEPLOYMENT_METRICS).length,
  alarms: 12,
  years: 1,
};

/**
 * The part of the month in which a metric is sent. "All custom metrics charges are prorated by the hour and metered only
 * when you send metrics": runs and watch each send theirs in one hour of the day.
 */
const METRIC_HOURS = 1 / 24;

/** Amounts a month of the things of which AWS gives some to every account, without end. */
type Use = Record<
  'alarms' | 'metrics' | 'lambdaGbSeconds' | 'lambdaRequests' | 'traces' | 'schedules' | 'logGb',
  number
>;

const NOTHING_FREE: Use = {
  alarms: 0,
  metrics: 0,
  lambdaGbSeconds: 0,
  lambdaRequests: 0,
  traces: 0,
  schedules: 0,
  logGb: 0,
};

/** The always-free tier, from the pages above. It excludes what is free for a year or for a trial. */
export const ALWAYS_FREE: Use = {
  alarms: 10,
  metrics: 10,
  lambdaGbSeconds: 400_000,
  lambdaRequests: 1e6,
  traces: 100_000,
  schedules: 14e6,
  logGb: 5,
};

const beyond = (used: number, free: number) => Math.max(used - free, 0);

/**
 * @param free the amounts that an account with nothing else in it does not pay for
 * @returns US dollars a month, by purpose
 */
export function monthly(tenants: number, free: Use = NOTHING_FREE) {
  const runs = tenants * USE.runsPerMonth;
  const gbSeconds = runs * USE.secondsPerRun * USE.memoryGb;
  const logGb = (runs * USE.logKbPerRun) / 1e6;
  return {
    fixed:
      PRICES.secretMonth +
      beyond(USE.alarms, free.alarms) * PRICES.alarmMonth +
      beyond(USE.metricsOfDeployment, free.metrics) * PRICES.metricMonth * METRIC_HOURS,
    function:
      beyond(gbSeconds, free.lambdaGbSeconds) * PRICES.lambdaGbSecond +
      beyond(runs, free.lambdaRequests) * PRICES.lambdaRequest +
      beyond(runs, free.traces) * PRICES.trace +
      beyond(runs, free.schedules) * PRICES.schedule,
    archive:
      runs * (USE.putsPerRun * PRICES.s3Put + USE.getsPerRun * PRICES.s3Get) +
      ((tenants * USE.kbPerDay * 365 * USE.years) / 1e6) * PRICES.s3GbMonth,
    mail: tenants * USE.mailsPerMonth * (PRICES.mail + (USE.kbPerMail / 1e6) * PRICES.mailGb),
    watching: beyond(logGb, free.logGb) * PRICES.logGb + runs * PRICES.secretCall,
  };
}

const dollars = (amount: number) => `$${amount < 10 ? amount.toFixed(2) : amount.toFixed(0)}`;

/** The table of the README, in Markdown. */
export function table(): string {
  const sum = (parts: Record<string, number>) => Object.values(parts).reduce((all, part) => all + part, 0);
  const rows = [1, 10, 100, 1000].map((tenants) => {
    const parts = monthly(tenants);
    const cells = [
      tenants.toLocaleString('en'),
      ...Object.values(parts).map(dollars),
      `**${dollars(sum(parts))}**`,
      `**${dollars(sum(monthly(tenants, ALWAYS_FREE)))}**`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| tenants | fixed | function | archive | mail | logs | a month | with the always-free tier |',
    '|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...rows,
  ].join('\n');
}

if (import.meta.main) console.log(table());
