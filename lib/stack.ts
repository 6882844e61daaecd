import { Aws, CfnCondition, CfnOutput, Fn, Stack, Tags, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { OUTPUTS, stackFlag } from '../lambda/outputs.ts';
import { SecureScoreMonitor, type SecureScoreMonitorProps } from './secure-score-monitor.ts';
import { commandLine } from '../lambda/command-line.ts';

const COMMERCIAL_CONSOLE = 'console.aws.amazon.com';

/**
 * The others. No mapping: one without the partition at hand fails a deployment.
 * https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/console-available-regions.html
 */
const CONSOLES = {
  'aws-cn': { condition: 'InChina', domain: 'console.amazonaws.cn' },
  'aws-us-gov': { condition: 'InGovCloud', domain: 'console.amazonaws-us-gov.com' },
  'aws-eusc': { condition: 'InSovereignEurope', domain: 'console.amazonaws-eusc.eu' },
};

/** The monitor as a stack of its own, whose outputs say what comes next. */
export class SecureScoreMonitorStack extends Stack {
  readonly monitor: SecureScoreMonitor;

  constructor(scope: Construct, id: string, props: StackProps & SecureScoreMonitorProps) {
    super(scope, id, {
      description: 'Watches the Microsoft Secure Score of tenants (secure-score-monitor)',
      ...props,
    });
    const monitor = (this.monitor = new SecureScoreMonitor(this, 'Monitor', props));
    Tags.of(this).add('Application', 'secure-score-monitor');
    Tags.of(this).add('Deployment', monitor.deploymentName);

    const flag = stackFlag(this.stackName);
    // What the commands look for: see lambda/outputs.ts.
    this.output(
      OUTPUTS.functionName,
      monitor.function.functionName,
      `Invoke it now: ${commandLine(`run --deployed${flag}`)}`,
    );
    this.output(
      OUTPUTS.archiveBucket,
      monitor.archive.bucket.bucketName,
      'Keeps every day; kept on deletion',
    );
    this.output(
      OUTPUTS.certificateSecret,
      monitor.certificate.secretName,
      `Next step: ${commandLine(`certificate put <file>${flag}`)}`,
    );
    this.output(
      OUTPUTS.scheduleGroup,
      monitor.schedules.group.scheduleGroupName,
      'Holds one schedule a tenant',
    );
    this.output(
      OUTPUTS.configurationSet,
      monitor.mail.configurationSet.configurationSetName,
      'Of SES, for the mails',
    );
    this.output(
      OUTPUTS.operationsTopic,
      monitor.operations.topic.topicArn,
      'Next step: each address of "operations" confirms the mail that SNS sent to it',
    );
    // What people look for.
    this.output(
      'Dashboard',
      `https://${this.region}.${this.consoleDomain()}/cloudwatch/home?region=${this.region}#dashboards/dashboard/${monitor.deploymentName}`,
      'Scores over time, and how the runs fare',
    );
    for (const [index, { name, value }] of monitor.mail.dnsRecords.entries()) {
      this.output(
        `DkimRecord${index + 1}`,
        `${name} CNAME ${value}`,
        'Next step: add it to the DNS of the domain, then SES may send',
      );
    }
  }

  /** Where the console of the stack's partition is; which one that is may be known at the deployment only. */
  private consoleDomain(): string {
    return Object.entries(CONSOLES).reduce((others, [partition, { condition, domain }]) => {
      const here = new CfnCondition(this, condition, {
        expression: Fn.conditionEquals(Aws.PARTITION, partition),
      });
      return Fn.conditionIf(here.logicalId, domain, others).toString();
    }, COMMERCIAL_CONSOLE);
  }

  private output(key: string, value: string, description: string): void {
    new CfnOutput(this, key, { value, description });
  }
}
