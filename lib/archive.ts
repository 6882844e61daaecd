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

/** The prefixes of evidence, which is written once and never changed. */
export const APPENDED = ['snapshots', 'profiles', 'reports', 'ledger'] as const;
/** The prefixes of what can be rebuilt (history), and of what the monitor has done so far (state). */
const REWRITTEN = ['history', 'state'] as const;
const ALL = [...APPENDED, ...REWRITTEN];

/** The time for which objects that were overwritten under history/ and state/ can be restored. */
const OLD_VERSIONS = Duration.days(30);

export interface ArchiveProps {
  /** Name of a bucket that an earlier deployment left, which is used as it is. @default - a new bucket */
  readonly bucketName?: string;
  /**
   * The KMS key to encrypt with, or `'own'` for one that the deployment creates and retains. For an existing bucket it
   * must be the key that the bucket has.
   * @default - S3's own keys (SSE-S3)
   */
  readonly encryption?: IKey | 'own';
}

/** The bucket that holds every day of every tenant, and the grants on it. */
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
          'An existing archive keeps its encryption: pass its key (Key.fromKeyArn), not "own".',
        );
      }
      this.key = props.encryption;
      this.bucket = Bucket.fromBucketAttributes(this, 'Bucket', {
        bucketName: props.bucketName,
        encryptionKey: props.encryption,
      });
      Annotations.of(this).addInfo(
        `The archive is the existing bucket ${props.bucketName}. Its policy, versioning, lifecycle and encryption stay as they are: ` +
          '"Moving or taking up an archive" in docs/runbook.md says what they must be.',
      );
    }
  }

  /** Lets the grantee read and list everything in the archive. */
  grantRead(grantee: IGrantable): void {
    this.grantReadOf(grantee, ALL);
  }

  /** Lets the grantee read and list the columns of the history, but not the evidence that they are derived from. */
  grantReadHistory(grantee: IGrantable): void {
    this.grantReadOf(grantee, ['history']);
  }

  /** Lets the grantee read and write the state of the monitor, but neither evidence nor history. */
  grantState(grantee: IGrantable): void {
    this.grantReadOf(grantee, ['state']);
    this.grantPut(grantee, ['state']);
  }

  private grantReadOf(grantee: IGrantable, prefixes: readonly string[]): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['s3:GetObject'], resources: this.objects(prefixes) }),
    );
    // ListBucket also makes S3 answer 404, not 403, for an object that does not exist: S3 then takes the key as
    // s3:prefix (https://github.com/ceph/ceph/pull/68577, which copies it).
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
        'The objects below this prefix of the archive, and nothing else: their keys consist of tenants, dates and hashes.',
      );
    }
  }

  /**
   * Lets the grantee add snapshots, profiles, reports and entries of the ledger, none of which the bucket's policy lets
   * it overwrite.
   */
  grantAppend(grantee: IGrantable): void {
    this.grantPut(grantee, APPENDED);
  }

  /** Lets the grantee write, and overwrite, history and state. */
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
      // The key is retained because the bucket that it encrypts is retained.
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
    // The policy is retained with the bucket, so that the bucket stays append-only after its stack is gone.
    (bucket.policy ?? new BucketPolicy(this, 'Policy', { bucket })).applyRemovalPolicy(RemovalPolicy.RETAIN);
    acknowledge(bucket, {
      'AwsSolutions-S1':
        'One role writes here, the bucket is append-only and versioned, and CloudTrail logs who reads it where data events are switched on: a second bucket for access logs would be one more to maintain.',
    });
    return bucket;
  }

  /**
   * Denies everyone, administrators included, to overwrite or delete evidence.
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
