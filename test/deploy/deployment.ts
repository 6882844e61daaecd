import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, PutMetricDataCommand, type StandardUnit } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import {
  GetFunctionConfigurationCommand,
  GetFunctionEventInvokeConfigCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import {
  ListObjectVersionsCommand,
  S3Client,
  type ListObjectVersionsCommandInput,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { GetScheduleCommand, SchedulerClient, UpdateScheduleCommand } from '@aws-sdk/client-scheduler';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';

/** What a deployment looks like from outside, by the AWS SDK alone. */

/** @returns the values of a stack's outputs by their keys */
export async function outputsOf(stack: string): Promise<Record<string, string>> {
  const { Stacks } = await new CloudFormationClient().send(new DescribeStacksCommand({ StackName: stack }));
  const outputs = Stacks?.[0]?.Outputs ?? [];
  return Object.fromEntries(
    outputs.map(({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue ?? '']),
  );
}

/** @returns key, version and content of everything that a bucket holds or held, a line each */
export async function versionsIn(bucket: string): Promise<string[]> {
  const s3 = new S3Client();
  const found: string[] = [];
  let from: Pick<ListObjectVersionsCommandInput, 'KeyMarker' | 'VersionIdMarker'> | null = {};
  while (from) {
    const page: ListObjectVersionsCommandOutput = await s3.send(
      new ListObjectVersionsCommand({ Bucket: bucket, ...from }),
    );
    for (const { Key, VersionId, ETag } of page.Versions ?? []) found.push(`${Key} ${VersionId} ${ETag}`);
    for (const { Key, VersionId } of page.DeleteMarkers ?? []) found.push(`${Key} ${VersionId} deleted`);
    const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page;
    from = page.IsTruncated ? { KeyMarker, VersionIdMarker } : null;
  }
  return found;
}

export interface Mail {
  To: string[];
  Subject: string;
  BodyText: string;
  BodyHtml: string;
}

/** @returns the mails that SES took for one address, the first one first. The emulator's own: SES keeps none. */
export async function mailsTo(address: string): Promise<Mail[]> {
  const answer = await fetch(`${process.env['AWS_ENDPOINT_URL']}/_ministack/ses/messages`);
  const { messages } = (await answer.json()) as { messages: Record<string, Mail[]> };
  return Object.values(messages)
    .flat()
    .filter(({ To }) => To.some((to) => to === address || to.endsWith(`<${address}>`)));
}

export async function scheduleOf(group: string, name: string) {
  return new SchedulerClient().send(new GetScheduleCommand({ GroupName: group, Name: name }));
}

/** Moves a schedule to another time of day of its zone, and changes nothing else. @param at hh:mm */
export async function moveSchedule(group: string, name: string, at: string): Promise<void> {
  const { ScheduleExpressionTimezone, FlexibleTimeWindow, Target, State, Description } = await scheduleOf(
    group,
    name,
  );
  await new SchedulerClient().send(
    new UpdateScheduleCommand({
      GroupName: group,
      Name: name,
      ScheduleExpression: cron(at),
      ScheduleExpressionTimezone,
      FlexibleTimeWindow,
      Target,
      State,
      Description,
    }),
  );
}

/** @param at hh:mm */
export function cron(at: string): string {
  const [hour, minute] = at.split(':').map(Number);
  return `cron(${minute} ${hour} * * ? *)`;
}

/** What the function wrote to its log in one invocation: the lines that are JSON. */
export type Invocation = Record<string, unknown>[];

/** @returns the invocations so far, the first one first */
export async function invocationsOf(functionName: string): Promise<Invocation[]> {
  const { LoggingConfig } = await new LambdaClient().send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName }),
  );
  const client = new CloudWatchLogsClient();
  const streams = new Map<string, Invocation>();
  const query = { logGroupName: LoggingConfig?.LogGroup ?? '' };
  for await (const { events } of paginateFilterLogEvents({ client }, query)) {
    for (const { logStreamName = '', message = '' } of events ?? []) {
      // The emulator opens a stream for each invocation, and adds Lambda's own lines as text.
      const lines = streams.get(logStreamName) ?? [];
      if (message.startsWith('{')) lines.push(JSON.parse(message) as Record<string, unknown>);
      streams.set(logStreamName, lines);
    }
  }
  return [...streams.values()];
}

/** A value of a metric, as CloudWatch makes it from a line of the log. */
export interface Datum {
  namespace: string;
  name: string;
  unit: string;
  value: number;
  dimensions: Record<string, string>;
}

interface EmbeddedMetrics {
  CloudWatchMetrics: {
    Namespace: string;
    Dimensions: string[][];
    Metrics: { Name: string; Unit: string }[];
  }[];
}

/** Reads the embedded metric format, for CloudWatch does and the emulator does not. */
export function metricsIn(invocation: Invocation): Datum[] {
  return invocation.flatMap((line) => {
    const embedded = line['_aws'] as EmbeddedMetrics | undefined;
    return (embedded?.CloudWatchMetrics ?? []).flatMap(({ Namespace, Dimensions, Metrics }) =>
      Dimensions.flatMap((names) =>
        Metrics.map(({ Name, Unit }) => ({
          namespace: Namespace,
          name: Name,
          unit: Unit,
          value: line[Name] as number,
          dimensions: Object.fromEntries(names.map((name) => [name, line[name] as string])),
        })),
      ),
    );
  });
}

/** Does what CloudWatch does with the lines of the log: makes metrics of them, which alarms look at. */
export async function putMetrics(metrics: Datum[]): Promise<void> {
  const client = new CloudWatchClient();
  for (const { namespace, name, unit, value, dimensions } of metrics) {
    await client.send(
      new PutMetricDataCommand({
        Namespace: namespace,
        MetricData: [
          {
            MetricName: name,
            Unit: unit as StandardUnit,
            Value: value,
            Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
          },
        ],
      }),
    );
  }
}

/** Invokes the function and waits. @returns its result, or what it threw */
export async function invoke(functionName: string, event: object): Promise<unknown> {
  const { Payload } = await new LambdaClient().send(
    new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) }),
  );
  return JSON.parse(Payload?.transformToString() ?? 'null');
}

/** Hands an event to the function as a schedule does: asynchronously, so that Lambda retries. @param event JSON */
export async function handOver(functionName: string, event: string): Promise<void> {
  await new LambdaClient().send(
    new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload: event }),
  );
}

/** @returns the variables of the function's environment */
export async function environmentOf(functionName: string): Promise<Record<string, string>> {
  const { Environment } = await new LambdaClient().send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName }),
  );
  return Environment?.Variables ?? {};
}

/** Replaces the function's environment; its processes start again. */
export async function setEnvironment(functionName: string, Variables: Record<string, string>): Promise<void> {
  await new LambdaClient().send(
    new UpdateFunctionConfigurationCommand({ FunctionName: functionName, Environment: { Variables } }),
  );
}

/** @returns the ARN of the queue that takes the events whose run failed after all retries */
export async function failureQueueOf(functionName: string): Promise<string> {
  const { DestinationConfig } = await new LambdaClient().send(
    new GetFunctionEventInvokeConfigCommand({ FunctionName: functionName, Qualifier: '$LATEST' }),
  );
  return DestinationConfig?.OnFailure?.Destination ?? '';
}

/** @returns the bodies of the messages that wait in a queue */
export async function messagesIn(queueArn: string): Promise<string[]> {
  const client = new SQSClient();
  const QueueName = queueArn.split(':').at(-1);
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName }));
  const { Messages } = await client.send(
    // So that whoever looks next sees them too.
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
  );
  return (Messages ?? []).map(({ Body }) => Body ?? '');
}

/**
 * Makes a queue, and a rule of the default event bus that sends to it what matches.
 * @param pattern JSON. @returns the ARN of the queue
 */
export async function queueOfRule(name: string, pattern: string): Promise<string> {
  const sqs = new SQSClient();
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const arn = Attributes?.QueueArn ?? '';
  const events = new EventBridgeClient();
  await events.send(new PutRuleCommand({ Name: name, EventPattern: pattern }));
  const put = new PutTargetsCommand({ Rule: name, Targets: [{ Id: name, Arn: arn }] });
  const { FailedEntryCount } = await events.send(put);
  if (FailedEntryCount !== 0) throw new Error(`The rule ${name} takes no target.`);
  return arn;
}
