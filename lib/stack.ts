import { Aws, CfnCondition, CfnOutput, Fn, Stack, Tags, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { OUTPUTS, stackFlag } from '../lambda/outputs.ts';
import { SecureScoreMonitor, type SecureScoreMonitorProps } from './secure-score-monitor.ts';
import { commandLine } from '../lambda/command-line.ts';

const COMMERCIAL_CONSOLE = 'console.aws.amazon.com';

/**
 * The consoles of the other partitions. Conditions are used because a mapping that lacks the partition fails a
 * deployment.
 * https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/console-available-regions.html
 */
const CONSOLES = {
  'aws-cn': { condition: 'InChina', domain: 'console.amazonaws.cn' },
  'aws-us-gov': { condition: 'InGovCloud', domain: 'console.amazonaws-us-gov.com' },
  'aws-eusc': { condition: 'InSovereignEurope', domain: 'console.amazonaws-eusc.eu' },
};

/** The monitor as a stack of its own. Its outputs say what to do next. */
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
    // The commands look for these outputs: see lambda/outputs.ts.
    this.output(
      OUTPUTS.functionName,
      monitor.function.functionName,
      `Run it now: ${commandLine(`run --deployed${flag}`)}`,
    );
    if (monitor.rotation) {
      this.output(OUTPUTS.rotationFunctionName, monitor.rotation.functionName, 'Renews certificates, daily');
    }
    if (monitor.federatedSubject) {
      this.output(
        OUTPUTS.federatedSubject,
        monitor.federatedSubject,
        `Next step: a federated credential of the app in Entra ID with this subject: ${commandLine(`doctor${flag}`)}`,
      );
    }
    this.output(
      OUTPUTS.archiveBucket,
      monitor.archive.bucket.bucketName,
      'Archives every day; stays when the stack is deleted',
    );
    if (monitor.certificate.signsIn) {
      this.output(
        OUTPUTS.certificateSecret,
        monitor.certificate.secretName,
        `Next step: ${commandLine(`certificate put <file>${flag}`)}`,
      );
    }
    this.output(
      OUTPUTS.scheduleGroup,
      monitor.schedules.group.scheduleGroupName,
      'Holds one schedule per tenant',
    );
    this.output(
      OUTPUTS.configurationSet,
      monitor.mail.configurationSet.configurationSetName,
      'SES configuration set of the mails',
    );
    this.output(
      OUTPUTS.operationsTopic,
      monitor.operations.topic.topicArn,
      'Next step: each address in "operations" must confirm the mail from SNS',
    );
    // cdk prints keys and values alone, in the order of the keys: the steps that are left to do are outputs as well,
    // named so that they come last.
    const steps = [
      'Each address of "operations" confirms the mail that SNS sent to it',
      ...(monitor.certificate.signsIn ? [commandLine(`certificate put${flag} secure-score.pem`)] : []),
      commandLine(`doctor${flag}`),
      ...(monitor.federatedSubject
        ? ['An admin of Entra ID creates the federated credential that the doctor prints']
        : []),
      commandLine(`run --deployed${flag}`),
    ];
    for (const [index, step] of steps.entries()) this.output(`ThenStep${index + 1}`, step, 'What comes next');
    // People look for the outputs that follow.
    if (monitor.dashboard)
      this.output(
        'Dashboard',
        `https://${this.region}.${this.consoleDomain()}/cloudwatch/home?region=${this.region}#dashboards/dashboard/${monitor.deploymentName}`,
        'The state of the runs and the alarms',
      );
    for (const [index, { name, value }] of monitor.mail.dnsRecords.entries()) {
      this.output(
        `DkimRecord${index + 1}`,
        `${name} CNAME ${value}`,
        'Next step: add it to the DNS of the domain, so that SES may send',
      );
    }
  }

  /** Domain of the console in the stack's partition, which may be known only when it is deployed. */
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
