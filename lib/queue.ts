import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

/** A queue for what failed. Only people read it, so it retains messages for as long as SQS can. */
export function failureQueue(scope: Construct, id: string): Queue {
  const queue = new Queue(scope, id, {
    retentionPeriod: Duration.days(14),
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
  });
  const end = 'Failures end here: people read this queue, and an alarm notifies them.';
  acknowledge(queue, { 'AwsSolutions-SQS3': end, 'Serverless-SQSRedrivePolicy': end });
  return queue;
}
