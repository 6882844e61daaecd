import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Metric,
  Stats,
  TreatMissingData,
  type IMetric,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DEPLOYMENT_METRICS, DIMENSIONS, NAMESPACE } from '../lambda/metric-names.ts';
import { stackFlag } from '../lambda/outputs.ts';
import type { Mail } from './mail.ts';
import { commandLine } from '../lambda/command-line.ts';

/** The document with a section for each alarm, unless the deployment is given another address. */
export const RUNBOOK = 'docs/runbook.md';

export interface AlarmsProps {
  /** Name of the deployment. */
  readonly name: string;
  readonly topic: ITopic;
  readonly function: IFunction;
  readonly failedRuns: IQueue;
  readonly undelivered: IQueue;
  readonly mail: Mail;
  /** Address of the runbook. @default RUNBOOK */
  readonly runbook?: string;
}

interface Setting {
  /** Also the section of the runbook. */
  readonly id: string;
  /** What it means and what to do, for whoever gets the mail. */
  readonly description: string;
  readonly metric: IMetric;
  readonly when: ComparisonOperator;
  readonly threshold: number;
  /** @default 1 */
  readonly periods?: number;
  readonly missing: TreatMissingData;
  /** Goes off as well when the metric stops. */
  readonly whenSilent?: boolean;
}

/**
 * Everything that somebody has to act on has one alarm for the deployment, whatever the number of tenants. No mail is
 * sent when an alarm ends: in a fresh deployment every alarm turns "OK" for the first time, and each would send one.
 */
export class Alarms extends Construct {
  readonly alarms: Alarm[];

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const runbook = props.runbook ?? RUNBOOK;
    const action = new SnsAction(props.topic);
    this.alarms = settings(props, stackFlag(Stack.of(this).stackName)).map((setting) => {
      const alarm = new Alarm(this, setting.id, {
        alarmName: `${props.name}-${setting.id}`,
        alarmDescription: `${setting.description} See ${runbook}#${setting.id}`,
        metric: setting.metric,
        comparisonOperator: setting.when,
        threshold: setting.threshold,
        evaluationPeriods: setting.periods ?? 1,
        treatMissingData: setting.missing,
      });
      alarm.addAlarmAction(action);
      if (setting.whenSilent) alarm.addInsufficientDataAction(action);
      return alarm;
    });
  }
}

/** @param flag the flag that the commands in the texts need for this deployment */
function settings(props: AlarmsProps, flag: string): Setting[] {
  const { GREATER_THAN_OR_EQUAL_TO_THRESHOLD: atLeast, LESS_THAN_THRESHOLD: below } = ComparisonOperator;
  const { IGNORE, MISSING, NOT_BREACHING } = TreatMissingData;

  /**
   * The metrics are published once a day: between two watches the alarm stays as the last one left it (IGNORE), and it
   * is silent before the first.
   */
  const watched = (metricName: string, statistic: string, period = Duration.minutes(5)): Metric =>
    new Metric({
      namespace: NAMESPACE,
      metricName,
      dimensionsMap: { [DIMENSIONS.deployment]: props.name },
      statistic,
      period,
    });

  return [
    {
      id: 'tenants-overdue',
      description: `At least one tenant has had no successful run for 30 hours, or a digest has not been made. The operations mail lists them: look for the last error in the log, fix it, then run the tenant ("${commandLine(`run --deployed${flag}`)}").`,
      metric: watched(DEPLOYMENT_METRICS.tenantsOverdue, Stats.MAXIMUM),
      when: atLeast,
      threshold: 1,
      missing: IGNORE,
    },
    {
      id: 'watch-silent',
      description:
        'The daily watch, which finds overdue tenants, has itself not run for a day or more. Check that its schedule exists and is enabled, and read the log of the function.',
      metric: watched(DEPLOYMENT_METRICS.tenantsOverdue, Stats.SAMPLE_COUNT, Duration.days(1)),
      when: below,
      threshold: 1,
      // A metric that never existed is no change of state: a fresh deployment is silent, a metric that stops is not.
      missing: MISSING,
      whenSilent: true,
    },
    {
      id: 'scores-stale',
      description:
        "Microsoft has published no new score for at least one tenant for 3 days. The operations mail lists the tenants. This usually passes; check the tenant's service health.",
      metric: watched(DEPLOYMENT_METRICS.tenantsStale, Stats.MAXIMUM),
      when: atLeast,
      threshold: 1,
      missing: IGNORE,
    },
    {
      id: 'archive-damaged',
      description: `Evidence in the archive of at least one tenant is damaged, missing or foreign, or its ledger was changed. The operations mail lists the objects: check the archive with "${commandLine('archive verify --deployed')}", restore them from an earlier version in the bucket, or acknowledge the loss with "${commandLine('archive acknowledge')}".`,
      metric: watched(DEPLOYMENT_METRICS.archivesDamaged, Stats.MAXIMUM),
      when: atLeast,
      threshold: 1,
      missing: IGNORE,
    },
    ...[30, 7].map((days) => ({
      id: `certificate-${days}-days`,
      description: `A certificate expires in less than ${days} days; then its tenants can no longer be read. One that renews itself should have done so by now. "${commandLine(`certificate status${flag}`)}" lists the certificates, "${commandLine(`certificate rotate --dry-run${flag}`)}" what stands in the way of a renewal. By hand: create a new one (${commandLine('certificate create')}), upload its public part to the app registration, store it (${commandLine(`certificate put${flag}`)}).`,
      metric: watched(DEPLOYMENT_METRICS.certificateDaysLeft, Stats.MINIMUM),
      when: below,
      threshold: days,
      missing: IGNORE,
    })),
    {
      id: 'run-errors',
      description:
        'Three or more invocations failed within 15 minutes: one run with both of its retries, or several tenants at once. Read the errors in the log; each says what to do.',
      metric: props.function.metricErrors({ statistic: Stats.SUM, period: Duration.minutes(15) }),
      when: atLeast,
      threshold: 3,
      missing: NOT_BREACHING,
    },
    {
      id: 'runs-failed',
      description: `A run failed, and so did its retries. The queue of failed runs holds its event and its error. Fix the cause, run the tenant ("${commandLine(`run --deployed${flag}`)}"), then purge the queue.`,
      metric: deadLetters(props.failedRuns),
      when: atLeast,
      threshold: 1,
      missing: IGNORE,
    },
    {
      id: 'events-undelivered',
      description:
        'EventBridge Scheduler could not invoke the function for 12 hours. The queue of undelivered events holds the event and the reason. Check that the function and the role of the schedules exist, then purge the queue.',
      metric: deadLetters(props.undelivered),
      when: atLeast,
      threshold: 1,
      missing: IGNORE,
    },
    {
      id: 'runs-throttled',
      description:
        "Lambda has throttled runs for 45 minutes. Check what else uses the account's concurrency, raise it, or widen the window of the schedules.",
      metric: props.function.metricThrottles({ statistic: Stats.SUM, period: Duration.minutes(15) }),
      when: atLeast,
      threshold: 1,
      periods: 3,
      missing: NOT_BREACHING,
    },
    {
      id: 'deliveries-dropped',
      description: `A report did not reach a channel or a mailbox and was given up: refused permanently, or tried for 7 days. The operations mail lists what was lost, to whom and why; the report itself is in the archive. Fix the channel: "${commandLine('channel test <name>')}" sends to it.`,
      metric: watched(DEPLOYMENT_METRICS.deliveriesDropped, Stats.SUM, Duration.hours(1)),
      when: atLeast,
      threshold: 1,
      missing: NOT_BREACHING,
    },
    {
      id: 'mails-bounced',
      description:
        'A mail could not be delivered. The notification from SES has the address: correct it in the config, or remove it from the suppression list of SES.',
      metric: props.mail.metricBounces({ period: Duration.hours(1) }),
      when: atLeast,
      threshold: 1,
      missing: NOT_BREACHING,
    },
  ];
}

/** SQS publishes nothing about a queue that was idle for six hours, whatever it holds: the alarm then stays (IGNORE). */
function deadLetters(queue: IQueue): Metric {
  return queue.metricApproximateNumberOfMessagesVisible({
    statistic: Stats.MAXIMUM,
    period: Duration.minutes(5),
  });
}
