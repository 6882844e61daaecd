import { Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { Role, ServicePrincipal, type CfnPolicy, type Policy } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
  type CfnFunction,
} from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { environment as environmentNames } from '../lambda/environment.ts';
import { MonitorError } from '../lambda/errors.ts';
import { acknowledge } from './acknowledge.ts';
import { functionCode, HANDLER } from './function-code.ts';

/** The limit for all variables as JSON: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const ENVIRONMENT_BYTES = 4096;

/** Estimated length of a name or ARN that only the deployment knows. */
const UNKNOWN_BYTES = 150;

export interface MonitorFunctionProps {
  /** Describes the function for people. */
  readonly description: string;
  readonly environment: Record<string, string>;
  /** Takes the events whose run failed after all retries. */
  readonly failedRuns: IQueue;
  /** MB. @default 512 */
  readonly memorySize?: number;
  /** @default - none: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
  readonly reservedConcurrentExecutions?: number;
  /** @default RetentionDays.SIX_MONTHS */
  readonly logRetention?: RetentionDays;
}

/** @throws MonitorError `environment-too-large`, which CloudFormation would find only in the middle of a deployment. */
function checkSize(environment: Record<string, string>): void {
  const known = Object.entries(environment).map(
    ([name, value]) => [name, Token.isUnresolved(value) ? 'x'.repeat(UNKNOWN_BYTES) : value] as const,
  );
  const bytes = Buffer.byteLength(JSON.stringify(Object.fromEntries(known)));
  if (bytes <= ENVIRONMENT_BYTES) return;
  const [largest] = known.toSorted(([, a], [, b]) => Buffer.byteLength(b) - Buffer.byteLength(a));
  throw new MonitorError(
    'environment-too-large',
    `The variables of the function come to ${bytes} bytes, but Lambda accepts at most ${ENVIRONMENT_BYTES}. The largest is ${largest?.[0]} with ${Buffer.byteLength(largest?.[1] ?? '')}.`,
    largest?.[0] === environmentNames.operations
      ? 'List fewer addresses under "operations", or use a distribution list.'
      : 'Shorten the value in the config.',
  );
}

/** The function, its role and its log. */
export class MonitorFunction extends Construct {
  readonly function: LambdaFunction;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: MonitorFunctionProps) {
    super(scope, id);
    this.logGroup = new LogGroup(this, 'Log', {
      retention: props.logRetention ?? RetentionDays.SIX_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // The role that CDK would create may create log groups, and write to all of them.
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'What secure-score-monitor may do',
    });
    this.logGroup.grantWrite(role);
    const environment = { ...props.environment, NODE_OPTIONS: '--enable-source-maps' };
    checkSize(environment);
    this.function = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: functionCode(),
      handler: HANDLER,
      role,
      // 512 MB come with a third of a core and leave room for more controls than the 411 of `npm run bench`, where a
      // first run of 90 days takes 216 MB at its peak, and a daily run 123 MB.
      memorySize: props.memorySize ?? 512,
      timeout: Duration.minutes(5),
      environment,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      // Schedules invoke it asynchronously: Lambda retries after one and two minutes, and keeps throttled events.
      retryAttempts: 2,
      maxEventAge: Duration.hours(6),
      onFailure: new SqsDestination(props.failedRuns),
      reservedConcurrentExecutions: props.reservedConcurrentExecutions,
    });
    // CDK makes the function depend on the role as well, which a property already refers to (W3005 of cfn-lint).
    const policy = role.node.findChild('DefaultPolicy') as Policy;
    (this.function.node.defaultChild as CfnFunction).addOverride('DependsOn', [
      Stack.of(this).getLogicalId(policy.node.defaultChild as CfnPolicy),
    ]);
    acknowledge(role, {
      'AwsSolutions-IAM5[Resource::*]':
        'xray:PutTraceSegments and xray:PutTelemetryRecords support no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html',
    });
    acknowledge(this.function, {
      'Serverless-LambdaDLQ':
        'A destination takes the failed runs: it carries the error as well, which a dead-letter queue does not.',
    });
  }
}
