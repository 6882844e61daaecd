import { Annotations, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Effect, PolicyStatement, StarPrincipal, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Key, type IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  BucketPolicy,
  ObjectOwnership,
  type IBucket,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcard } from './acknowledge.ts';

/** Evidence: written once, by whoever, and then kept as it is. */
export const APPENDED = ['snapshots', 'profiles', 'reports', 'ledger'] as const;
/** Can be made again (history) or says where the monitor stands (state). */
const REWRITTEN = ['history', 'state'] as const;
const ALL = [...APPENDED, ...REWRITTEN];

/** How long what was overwritten under history/ and state/ can be had back. */
const OLD_VERSIONS = Duration.days(30);

export interface ArchiveProps {
  /** Name of a bucket that an earlier deployment left: it is used as it is. @default - a new bucket */
  readonly bucketName?: string;
  /**
   * Encrypt with a KMS key: one's own, or `'own'` for one that the deployment creates and keeps.
   * Of a bucket taken up again: the key that it has.
   * @default - S3's own keys (SSE-S3)
   */
  readonly encryption?: IKey | 'own';
}

/** The bucket that keeps every day of every tenant, and who may do what in it. */
export class Archive extends Construct {
  readonly bucket: IBucket;
  readonly key?: IKey;

  constructor(scope: Construct, id: string, props: ArchiveProps = {}) {
    super(scope, id);
    if (props.bucketName === undefined) {
      this.key = props.encryption === 'own' ? this.createKey() : props.encryption;
      this.bucket = this.createBucket();
    } else {
      if (props.encryption === 'own') {
        throw new Error(
          'An archive that is taken up again keeps its encryption: pass its key, not "own" (Key.fromKeyArn).',
        );
      }
      this.key = props.encryption;
      this.bucket = Bucket.fromBucketAttributes(this, 'Bucket', {
        bucketName: props.bucketName,
        encryptionKey: props.encryption,
      });
      Annotations.of(this).addInfo(
        `The archive is the existing bucket ${props.bucketName}. Its policy, versioning, lifecycle and encryption stay as they are: ` +
          'see "Moving or taking up an archive" in docs/runbook.md for what they have to be.',
      );
    }
  }

  /** May read whatever the archive holds, and list it. */
  grantRead(grantee: IGrantable): void {
    this.grantReadOf(grantee, ALL);
  }

  /** May read the columns of the history, and list them; nothing of the evidence they were made from. */
  grantReadHistory(grantee: IGrantable): void {
    this.grantReadOf(grantee, ['history']);
  }

  private grantReadOf(grantee: IGrantable, prefixes: readonly string[]): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['s3:GetObject'], resources: this.objects(prefixes) }),
    );
    // Also what makes S3 answer 404, not 403, for an object that does not exist: S3 then takes the key for s3:prefix
    // (https://github.com/ceph/ceph/pull/68577, which copies it).
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['s3:ListBucket'],
        resources: [this.bucket.bucketArn],
        conditions: { StringLike: { 's3:prefix': prefixes.map((prefix) => `${prefix}/*`) } },
      }),
    );
    this.grantKey(grantee, 'kms:Decrypt');
    for (const resource of this.objects(prefixes)) {
      acknowledgeWildcard(
        grantee,
        resource,
        'The objects below this prefix of the archive, and nothing else: their keys are made of tenants, dates and hashes.',
      );
    }
  }

  /** May add snapshots, profiles, reports and entries of the ledger; the policy of the bucket sees to it that none is overwritten. */
  grantAppend(grantee: IGrantable): void {
    this.grantPut(grantee, APPENDED);
  }

  /** May write, and overwrite, history and state. */
  grantRewrite(grantee: IGrantable): void {
    this.grantPut(grantee, REWRITTEN);
  }

  private grantPut(grantee: IGrantable, prefixes: readonly string[]): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['s3:PutObject'], resources: this.objects(prefixes) }),
    );
    this.grantKey(grantee, 'kms:GenerateDataKey');
  }

  private grantKey(grantee: IGrantable, action: string): void {
    if (!this.key) return;
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: [action], resources: [this.key.keyArn] }),
    );
  }

  private objects(prefixes: readonly string[]): string[] {
    return prefixes.map((prefix) => this.bucket.arnForObjects(`${prefix}/*`));
  }

  private createKey(): Key {
    return new Key(this, 'Key', {
      description: 'Encrypts the archive of Microsoft Secure Score',
      enableKeyRotation: true,
      // What it encrypts is kept, so it is kept as well.
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  private createBucket(): Bucket {
    const bucket = new Bucket(this, 'Bucket', {
      versioned: true,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: this.key ? BucketEncryption.KMS : BucketEncryption.S3_MANAGED,
      encryptionKey: this.key,
      bucketKeyEnabled: this.key ? true : undefined,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        ...REWRITTEN.map((prefix) => ({
          id: `old-versions-of-${prefix}`,
          prefix: `${prefix}/`,
          noncurrentVersionExpiration: OLD_VERSIONS,
        })),
        { id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
      ],
    });
    for (const statement of this.appendOnly(bucket)) bucket.addToResourcePolicy(statement);
    // Kept together with the bucket: a bucket that nothing deploys any more stays append-only.
    (bucket.policy ?? new BucketPolicy(this, 'Policy', { bucket })).applyRemovalPolicy(RemovalPolicy.RETAIN);
    acknowledge(bucket, {
      'AwsSolutions-S1':
        'One role writes here, the bucket is append-only and versioned, and who reads it is logged by CloudTrail where data events are switched on: a second bucket for access logs would be one more to look after.',
    });
    return bucket;
  }

  /**
   * For everyone, administrators too: what is evidence is neither overwritten nor deleted.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
   */
  private appendOnly(bucket: IBucket): PolicyStatement[] {
    const resources = APPENDED.map((prefix) => bucket.arnForObjects(`${prefix}/*`));
    return [
      new PolicyStatement({
        sid: 'DenyOverwritingEvidence',
        effect: Effect.DENY,
        principals: [new StarPrincipal()],
        actions: ['s3:PutObject'],
        resources,
        conditions: {
          Null: { 's3:if-none-match': 'true' },
          // The parts of a multipart upload cannot carry the header; completing it does create the object.
          Bool: { 's3:ObjectCreationOperation': 'true' },
        },
      }),
      new PolicyStatement({
        sid: 'DenyDeletingEvidence',
        effect: Effect.DENY,
        principals: [new StarPrincipal()],
        actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
        resources,
      }),
    ];
  }
}
