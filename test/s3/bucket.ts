import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';

/** Makes a bucket of its own for a test. @returns its name */
export async function newBucket(): Promise<string> {
  const bucket = `test-${randomUUID()}`;
  await new S3Client({}).send(
    new CreateBucketCommand({
      Bucket: bucket,
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
    }),
  );
  return bucket;
}
