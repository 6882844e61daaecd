import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { parseMailbox } from '../lambda/mail/mailbox.ts';
import { acknowledge } from './acknowledge.ts';

export interface OperationsProps {
  /** Who is told, each once, maybe with a name. Each has to confirm the mail that SNS sends. */
  readonly addresses: string[];
}

/**
 * The topic that alarms, bounces and complaints go to. A topic that is encrypted or has a policy is silent unless
 * both the key and the topic let the services in:
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
    const key = new Key(this, 'Key', {
      description: 'Encrypts what secure-score-monitor tells its operators',
      enableKeyRotation: true,
      // Nothing is kept under it.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AllowServicesToTell',
        principals: [cloudWatch, ses],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        // In the policy of a key: this key.
        resources: ['*'],
        conditions: fromHere,
      }),
    );
    this.topic = new Topic(this, 'Topic', {
      displayName: 'Secure Score monitor',
      masterKey: key,
      enforceSSL: true,
    });
    // The configuration set lets SES in itself.
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
        'Serverless-SNSRedrivePolicy': 'SNS keeps no failed mails: redrive policies do not apply to e-mail.',
      });
    }
  }
}
