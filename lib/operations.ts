import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key, type IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { parseMailbox } from '../lambda/channels/mailbox.ts';
import { acknowledge } from './acknowledge.ts';

export interface OperationsProps {
  /** Mailboxes to notify, each listed once. Each must confirm the mail that SNS sends. */
  readonly addresses: string[];
  /** Key of the topic, or `'own'` for one that is created. @default - none: see docs/decisions/cost.md */
  readonly encryption?: IKey | 'own' | undefined;
}

/**
 * The topic that alarms, bounces and complaints go to. A topic that is encrypted or has a policy stays silent unless
 * both the key and the topic allow the services:
 * https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
 */
export class Operations extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const fromHere = { StringEquals: { 'aws:SourceAccount': stack.account } };
    const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com');
    const ses = new ServicePrincipal('ses.amazonaws.com');
    const key = props.encryption === 'own' ? this.createKey() : props.encryption;
    key?.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AllowServicesToNotify',
        principals: [cloudWatch, ses],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        // In the policy of a key, * means this key.
        resources: ['*'],
        conditions: fromHere,
      }),
    );
    this.topic = new Topic(this, 'Topic', {
      displayName: 'Secure Score monitor',
      masterKey: key,
      enforceSSL: true,
    });
    // The configuration set itself allows SES.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AllowAlarms',
        principals: [cloudWatch],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: {
          ...fromHere,
          ArnLike: {
            'aws:SourceArn': stack.formatArn({
              service: 'cloudwatch',
              resource: 'alarm',
              resourceName: '*',
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          },
        },
      }),
    );
    for (const address of props.addresses) {
      this.topic.addSubscription(new EmailSubscription(parseMailbox(address).address));
    }
    for (const child of this.topic.node.children) {
      acknowledge(child, {
        'Serverless-SNSRedrivePolicy': 'Redrive policies do not apply to e-mail: SNS keeps no failed mails.',
      });
    }
  }
  private createKey(): Key {
    return new Key(this, 'Key', {
      description: 'Encrypts the notifications of secure-score-monitor to its operators',
      enableKeyRotation: true,
      // Nothing is stored under this key.
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}
