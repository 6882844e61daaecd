import { createHash } from 'node:crypto';
import { Annotations, Duration, NestedStack, RemovalPolicy, Stack, TimeZone } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  Schedule,
  ScheduleExpression,
  ScheduleGroup,
  ScheduleTargetInput,
  TimeWindow,
  type IScheduleTarget,
} from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Config, Digest, Tenant } from '../lambda/config.ts';
import { DIGEST_PREFIX, ROTATION_SCHEDULE, SCHEDULE_PREFIX } from '../lambda/environment.ts';
import { MonitorError } from '../lambda/errors.ts';
import { acknowledgeGrant, acknowledgeWildcard } from './acknowledge.ts';

/** Name of the watch's schedule in the group. */
const WATCH_SCHEDULE = 'watch';

/**
 * The watch runs this long after the deployment's own time of day. A run that did not happen is overdue after 30 hours:
 * with eight hours the watch reports it on the same day, even if the last run began at the end of its window or the
 * clocks went forward.
 */
const WATCH_AFTER_HOURS = 8;

/** The hours that a clock change skips in some zone: a daily schedule in such an hour does not run on that day. */
const SKIPPED_HOURS = new Set([23, 0, 1, 2, 3]);
const FIRST_SAFE_HOUR = 4;

/** With a longer window a run that did not happen would be reported a day later: see `WATCH_AFTER_HOURS`. */
const LONGEST_WINDOW = Duration.hours(1);

/**
 * Windows are made so wide that on average this many runs are under way. A new account allows 10 at a time, and starts
 * come at random: with 2 on average, 10 are under way at one start in 20,000. Lambda starts a run that it throttles again
 * within minutes.
 */
const RUNS_AT_A_TIME = 2;

/** The duration of a daily run in seconds; bench/cost.ts explains how it is measured. */
export const RUN_SECONDS = 6;

/**
 * The windows below the longest, in minutes. They are steps, so that a further tenant almost never changes the
 * schedules of all others.
 */
const WINDOWS = [15, 30];

/**
 * Resources in one stack, leaving some for what CDK adds:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
const STACK_LIMIT = 490;

/** Bytes in one template, from the same page; a tenth is left for what is not a schedule. */
const TEMPLATE_LIMIT = 900_000;
/** What a schedule adds to its template besides the tenant. */
const SCHEDULE_BYTES = 1_500;

export interface SchedulesProps {
  readonly tenants: Tenant[];
  /** All channels of the deployment, for the watch; a tenant's event carries its own. */
  readonly channels: Config['channels'];
  /** Each digest gets a schedule. */
  readonly digests: Digest[];
  /** The deployment's own time of day, which the time of the watch follows from. */
  readonly schedule: Config['schedule'];
  /** The longest delay of a run. Each tenant has its own delay, so that not all runs begin at once. */
  readonly window: Duration;
}

export interface ScheduleTargetProps {
  readonly function: IFunction;
  /** Renews certificates, where any renews itself. */
  readonly rotation?: IFunction;
  /** Takes the events that could not be delivered to the function. */
  readonly undelivered: IQueue;
}

/**
 * The window over which the runs of a deployment are spread, so that the concurrency of a new account is enough for
 * them. It depends on the number of tenants that share the most common time of day.
 */
export function windowOf(tenants: readonly Pick<Tenant, 'schedule'>[]): Duration {
  const together = Map.groupBy(tenants, ({ schedule: { at, timeZone } }) => `${at} ${timeZone}`);
  const most = Math.max(0, ...[...together.values()].map(({ length }) => length));
  const needed = (most * RUN_SECONDS) / RUNS_AT_A_TIME / 60;
  const minutes = WINDOWS.find((each) => each >= needed);
  return minutes === undefined ? LONGEST_WINDOW : Duration.minutes(minutes);
}

/** One schedule per tenant and digest, and one for the watch, in a group of their own. */
export class Schedules extends Construct {
  readonly group: ScheduleGroup;
  private readonly props: SchedulesProps;

  constructor(scope: Construct, id: string, props: SchedulesProps) {
    super(scope, id);
    if (props.window.toMinutes() > LONGEST_WINDOW.toMinutes()) {
      throw new Error(
        `The window of the schedules is ${props.window.toHumanString()}, but must be at most ${LONGEST_WINDOW.toHumanString()}.`,
      );
    }
    this.props = props;
    this.group = new ScheduleGroup(this, 'Group', { removalPolicy: RemovalPolicy.DESTROY });
  }

  /** Lets the grantee list the schedules of the account: names and states, no inputs. */
  grantList(grantee: IGrantable): void {
    // IAM has no resource for one group here: whichever group is listed, it asks for schedule/*/*.
    const all = Stack.of(this).formatArn({ service: 'scheduler', resource: 'schedule', resourceName: '*/*' });
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['scheduler:ListSchedules'], resources: [all] }),
    );
    acknowledgeGrant(grantee, {
      'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule/*/*]':
        'scheduler:ListSchedules cannot be granted for one group: IAM asks for schedule/*/* whichever group is listed. It returns names and states, no inputs.',
    });
  }

  /** Lets the grantee read the schedules of the tenants with their inputs. */
  grantRead(grantee: IGrantable): void {
    const ofGroup = Stack.of(this).formatArn({
      service: 'scheduler',
      resource: 'schedule',
      resourceName: `${this.group.scheduleGroupName}/${SCHEDULE_PREFIX}*`,
    });
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['scheduler:GetSchedule'], resources: [ofGroup] }),
    );
    acknowledgeWildcard(
      grantee,
      ofGroup,
      'The schedules of the tenants in the group of this deployment, and no others: their names are made of ids.',
    );
  }

  /** Creates the schedules. It is separate from the constructor because the function's environment has the group. */
  invoke({ function: handler, rotation, undelivered }: ScheduleTargetProps): void {
    const role = new Role(this, 'Role', {
      description: 'Lets the schedules of secure-score-monitor invoke its function',
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: {
            'aws:SourceAccount': Stack.of(this).account,
            'aws:SourceArn': this.group.scheduleGroupArn,
          },
        },
      }),
    });
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [handler, rotation].flatMap((each) => each?.functionArn ?? []),
      }),
    );
    role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [undelivered.queueArn] }),
    );
    // LambdaInvoke of aws-scheduler-targets is avoided: it also grants every version of the function, once per schedule.
    const target = (input: unknown, invoked = handler): IScheduleTarget => ({
      bind: () => ({
        arn: invoked.functionArn,
        role,
        input: ScheduleTargetInput.fromObject(input),
        // These retries deliver the event. A run that fails is retried by Lambda.
        retryPolicy: {
          maximumEventAgeInSeconds: Duration.hours(12).toSeconds(),
          maximumRetryAttempts: 185,
        },
        deadLetterConfig: { arn: undelivered.queueArn },
      }),
    });

    const { channels } = this.props;
    const watch = new Schedule(this, 'Watch', {
      scheduleName: WATCH_SCHEDULE,
      scheduleGroup: this.group,
      description: 'Checks whether any tenant is overdue or stale, and whether a certificate expires',
      schedule: daily(watchTime(this.props.schedule)),
      target: target({ watch: true, ...(channels.length > 0 && { channels }) }),
    });
    // CDK writes the group's name, not a reference to it, so CloudFormation would not know that the group comes first.
    watch.node.addDependency(this.group);
    if (rotation) {
      const renewal = new Schedule(this, 'Rotation', {
        scheduleName: ROTATION_SCHEDULE,
        scheduleGroup: this.group,
        description: 'Renews the certificates that are due',
        schedule: daily(watchTime(this.props.schedule)),
        target: target({ rotation: true }, rotation),
      });
      renewal.node.addDependency(this.group);
    }
    for (const digest of this.props.digests) {
      const schedule = new Schedule(this, `Digest-${digest.name}`, {
        scheduleName: `${DIGEST_PREFIX}${digest.name}`,
        scheduleGroup: this.group,
        description: `Sends the digest ${digest.name}`,
        schedule: every(digest),
        target: target({ digest }),
      });
      schedule.node.addDependency(this.group);
    }
    for (const [shard, tenants] of shards(this.props.tenants)) {
      const stack = new NestedStack(this, `Tenants-${shard}`, {
        description: 'Schedules of secure-score-monitor, one per tenant',
      });
      stack.node.addDependency(this.group);
      if (tenants.length > STACK_LIMIT) {
        Annotations.of(stack).addError(
          `${tenants.length} tenants fall into one stack, which holds at most ${STACK_LIMIT}: divide them among several deployments.`,
        );
      }
      // The input is JSON in a string of the template's JSON.
      const bytes = tenants.reduce(
        (sum, tenant) => sum + SCHEDULE_BYTES + Buffer.byteLength(JSON.stringify(JSON.stringify({ tenant }))),
        0,
      );
      if (bytes > TEMPLATE_LIMIT) {
        throw new MonitorError(
          'template-too-large',
          `${tenants.length} tenants with their recipients come to ${bytes} bytes of one template, which holds at most ${TEMPLATE_LIMIT}.`,
          'Use distribution lists instead of long lists of recipients, or divide the tenants among several deployments.',
        );
      }
      for (const tenant of tenants) {
        new Schedule(stack, tenant.tenantId, {
          scheduleName: `${SCHEDULE_PREFIX}${tenant.tenantId}`,
          scheduleGroup: this.group,
          description: tenant.name,
          schedule: daily(tenant.schedule),
          timeWindow: TimeWindow.flexible(this.props.window),
          target: target({ tenant }),
        });
      }
    }
  }
}

/** Eight hours after the runs, or later if a clock change could skip that hour. */
export function watchTime({ at, timeZone }: Config['schedule']): Config['schedule'] {
  const [hour = 0, minute = 0] = at.split(':').map(Number);
  const later = (hour + WATCH_AFTER_HOURS) % 24;
  const safe = SKIPPED_HOURS.has(later) ? FIRST_SAFE_HOUR : later;
  return { at: [safe, minute].map((part) => String(part).padStart(2, '0')).join(':'), timeZone };
}

/** Weekly digests run on Mondays and monthly ones on the first, as `lastOccurrence` calculates. */
const DAYS = { day: {}, week: { weekDay: 'MON' }, month: { day: '1' } };

/** @param schedule at: hh:mm */
function every({
  at,
  timeZone,
  every: period,
}: Pick<Digest, 'at' | 'timeZone' | 'every'>): ScheduleExpression {
  const [hour = 0, minute = 0] = at.split(':').map(Number);
  return ScheduleExpression.cron({
    minute: String(minute),
    hour: String(hour),
    ...DAYS[period],
    timeZone: TimeZone.of(timeZone),
  });
}

function daily(schedule: Config['schedule']): ScheduleExpression {
  return every({ ...schedule, every: 'day' });
}

/**
 * Divides the tenants among up to sixteen stacks by the first digit of a hash of their id. No tenant ever moves to
 * another stack, however many are added and removed: a schedule that moved would be deleted and created, and
 * CloudFormation may do that in an order that collides.
 */
function shards(tenants: Tenant[]): [shard: string, tenants: Tenant[]][] {
  const byShard = Map.groupBy(tenants, ({ tenantId }) =>
    createHash('sha256').update(tenantId).digest('hex').slice(0, 1),
  );
  return [...byShard].toSorted(([a], [b]) => a.localeCompare(b, 'en'));
}
