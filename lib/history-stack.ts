import { CfnOutput, Stack, Tags, type Duration, type Size, type StackProps } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { HISTORY_OUTPUTS } from '../lambda/outputs.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import { History } from './history.ts';
import type { SecureScoreMonitor } from './secure-score-monitor.ts';
import { commandLine } from '../lambda/command-line.ts';

export interface SecureScoreHistoryStackProps extends StackProps {
  /** The monitor whose archive is queried. */
  readonly monitor: Pick<SecureScoreMonitor, 'archive' | 'deploymentName'>;
  /** The most that one query may read. @default Size.gibibytes(10) */
  readonly bytesScannedPerQuery?: Size;
  /** How long the results of queries are kept. @default Duration.days(30) */
  readonly resultsRetention?: Duration;
}

/**
 * Athena's side of the history. It is a stack of its own, so that it can be deployed and removed without touching the
 * monitor. Name it `historyStackOf(<name of the main stack>)`, where `secure-score history --engine athena` looks.
 */
export class SecureScoreHistoryStack extends Stack {
  readonly history: History;

  constructor(scope: Construct, id: string, props: SecureScoreHistoryStackProps) {
    super(scope, id, {
      description: 'Queries the history of Microsoft Secure Score with Athena (secure-score-monitor)',
      ...props,
    });
    const { archive, deploymentName } = props.monitor;
    const history = (this.history = new History(this, 'History', {
      name: deploymentName,
      archive,
      bytesScannedPerQuery: props.bytesScannedPerQuery,
      resultsRetention: props.resultsRetention,
    }));
    Tags.of(this).add('Application', 'secure-score-monitor');
    Tags.of(this).add('Deployment', deploymentName);

    // The command looks for these outputs: see lambda/outputs.ts.
    this.output(
      HISTORY_OUTPUTS.athenaWorkgroup,
      history.workgroup.name,
      `Ask: ${commandLine('history <question> --engine athena')}`,
    );
    this.output(HISTORY_OUTPUTS.historyDatabase, history.database.databaseName, 'Holds the tables');
    this.output(HISTORY_OUTPUTS.historyBucket, archive.bucket.bucketName, 'Holds the files of the tables');
    this.output(
      HISTORY_OUTPUTS.analystPolicy,
      history.analysts.managedPolicyArn,
      'Attach it to those who may query',
    );
    this.grantFinding();
  }

  /** Analysts may also read the outputs of this stack, by which the command finds what to query. */
  private grantFinding(): void {
    const { analysts } = this.history;
    // CloudFormation appends an id to the name.
    const stack = this.formatArn({
      service: 'cloudformation',
      resource: 'stack',
      resourceName: `${this.stackName}/*`,
    });
    analysts.addStatements(
      new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [stack] }),
    );
    acknowledgeWildcard(analysts, stack, 'This stack, whose id is known only after it is deployed.');
  }

  private output(key: string, value: string, description: string): void {
    new CfnOutput(this, key, { value, description });
  }
}
