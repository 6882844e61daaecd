import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, type IGrantable } from 'aws-cdk-lib/aws-iam';
import {
  CloudWatchDimensionSource,
  ConfigurationSet,
  ConfigurationSetEventDestination,
  EmailIdentity,
  EmailSendingEvent,
  EventDestination,
  Identity,
} from 'aws-cdk-lib/aws-ses';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Config } from '../lambda/config.ts';
import { parseMailbox } from '../lambda/channels/mailbox.ts';
import { acknowledgeGrant } from './acknowledge.ts';

/** SES itself puts this tag on every mail; it is a dimension of its metrics. */
const SET_DIMENSION = 'ses:configuration-set';

const TROUBLE = [
  EmailSendingEvent.BOUNCE,
  EmailSendingEvent.COMPLAINT,
  EmailSendingEvent.REJECT,
  EmailSendingEvent.RENDERING_FAILURE,
];

export interface MailProps {
  readonly mail: Config['mail'];
  /** The topic that bounces and complaints are published to. */
  readonly operations: ITopic;
}

/** What SES needs to send the mails, and to report one that did not arrive. */
export class Mail extends Construct {
  readonly configurationSet: ConfigurationSet;
  /** DNS records that prove the domain to SES; none unless the deployment creates an identity for a domain. */
  readonly dnsRecords: { name: string; value: string }[] = [];
  private readonly address: string;

  constructor(scope: Construct, id: string, props: MailProps) {
    super(scope, id);
    this.address = parseMailbox(props.mail.from).address;
    this.configurationSet = new ConfigurationSet(this, 'ConfigurationSet', { reputationMetrics: true });
    new ConfigurationSetEventDestination(this, 'ToOperations', {
      configurationSet: this.configurationSet,
      events: TROUBLE,
      destination: EventDestination.snsTopic(props.operations),
    });
    new ConfigurationSetEventDestination(this, 'ToMetrics', {
      configurationSet: this.configurationSet,
      events: TROUBLE,
      destination: EventDestination.cloudWatchDimensions([
        { name: SET_DIMENSION, source: CloudWatchDimensionSource.MESSAGE_TAG, defaultValue: 'none' },
      ]),
    });
    if (props.mail.identity !== 'existing') this.createIdentity(props.mail.identity);
  }

  /**
   * Lets the grantee send from this address to anybody, through this configuration set. Any identity is allowed,
   * because SES in the sandbox also authorises the recipient's:
   * https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html
   */
  grantSend(grantee: IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['ses:SendEmail'],
        resources: [
          Stack.of(this).formatArn({ service: 'ses', resource: 'identity', resourceName: '*' }),
          Stack.of(this).formatArn({
            service: 'ses',
            resource: 'configuration-set',
            resourceName: this.configurationSet.configurationSetName,
          }),
        ],
        conditions: { StringEquals: { 'ses:FromAddress': this.address } },
      }),
    );
    acknowledgeGrant(grantee, {
      'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:identity/*]':
        "SES in the sandbox authorises the recipient's identity as well; the condition on the sender's address is what restricts it.",
    });
  }

  /** Mails that could not be delivered. */
  metricBounces(options?: MetricOptions): Metric {
    return new Metric({
      namespace: 'AWS/SES',
      metricName: 'Bounce',
      dimensionsMap: { [SET_DIMENSION]: this.configurationSet.configurationSetName },
      statistic: 'Sum',
      ...options,
    });
  }

  private createIdentity(kind: 'address' | 'domain'): void {
    const domain = this.address.slice(this.address.lastIndexOf('@') + 1);
    const identity = new EmailIdentity(this, 'Identity', {
      identity: kind === 'address' ? Identity.email(this.address) : Identity.domain(domain),
      configurationSet: this.configurationSet,
      // Bounces come as events of the configuration set.
      feedbackForwarding: false,
    });
    if (kind === 'domain') this.dnsRecords.push(...identity.dkimRecords);
  }
}
