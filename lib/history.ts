import { ArnFormat, Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { CfnNamedQuery, CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import {
  Database,
  DataFormat,
  DateIntervalUnit,
  PartitionProjectionConfiguration,
  S3Table,
  S3TableStorage,
  Schema,
  type Type,
} from 'aws-cdk-lib/aws-glue';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  BucketPolicy,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { allQuestions, asNamedQuery } from '../history/questions.ts';
import { TABLES, type ColumnType, type Table } from '../lambda/archive/columns/tables.ts';
import { layout } from '../lambda/archive/layout.ts';
import { acknowledge, acknowledgeWildcard } from './acknowledge.ts';
import type { Archive } from './archive.ts';

/** The first month that Athena looks for. No archive is older. */
const FIRST_MONTH = '2020-01';

const TYPES: Record<ColumnType, Type> = {
  VARCHAR: Schema.STRING,
  DATE: Schema.DATE,
  DOUBLE: Schema.DOUBLE,
  INTEGER: Schema.INTEGER,
  BOOLEAN: Schema.BOOLEAN,
};

export interface HistoryProps {
  /** Name of the deployment and of the workgroup; in snake case also of the database. */
  readonly name: string;
  /** The archive whose columns are queried. */
  readonly archive: Archive;
  /**
   * The most that one query may read, at least 10 MB; Athena cancels a query that reads more.
   * @default Size.gibibytes(10)
   */
  readonly bytesScannedPerQuery?: Size;
  /** How long the results of queries are kept. @default Duration.days(30) */
  readonly resultsRetention?: Duration;
}

/**
 * Athena on the columns of the archive: tables, a workgroup, the questions as saved queries, and a policy for analysts.
 * Only the results hold data, and nothing runs or costs anything while nobody runs a query.
 */
export class History extends Construct {
  readonly database: Database;
  readonly workgroup: CfnWorkGroup;
  /** The results of queries, which expire. */
  readonly results: Bucket;
  /** The policy for people who may query, and do nothing else. */
  readonly analysts: ManagedPolicy;

  constructor(scope: Construct, id: string, props: HistoryProps) {
    super(scope, id);
    const { archive, name } = props;
    this.database = new Database(this, 'Database', {
      databaseName: snakeCase(name),
      description: `Microsoft Secure Score over time: the history of the deployment ${name}`,
      // The database only describes where the data is.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    for (const table of TABLES) {
      this.createTable(archive, `history/${table.name}/`, table);
      this.createTable(archive, layout.closedTable(table.name), {
        name: `closed_${table.name}`,
        // Of a month that was opened again the former copies stay, and hold its rows a second time.
        comment: `copies of closed months of ${table.name}, read by secure-score history, which knows the valid ones: ask ${table.name}`,
        columns: table.columns,
      });
    }
    this.results = this.createResults(archive, props.resultsRetention ?? Duration.days(30));
    this.workgroup = this.createWorkgroup(name, archive, props.bytesScannedPerQuery ?? Size.gibibytes(10));
    for (const question of allQuestions()) {
      const { name: title, description, sql } = asNamedQuery(question);
      const query = new CfnNamedQuery(this, `Question-${question.name}`, {
        name: title,
        description,
        queryString: sql,
        database: this.database.databaseName,
        workGroup: this.workgroup.name,
      });
      query.addResourceDependency(this.workgroup);
    }
    this.analysts = this.createPolicy(name, archive);
  }

  /**
   * Athena works out the months itself: no crawler, no partition to add.
   * https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
   */
  private createTable(
    archive: Archive,
    prefix: string,
    { name, comment, columns }: Pick<Table, 'comment' | 'columns'> & { name: string },
  ): void {
    new S3Table(this, `Table-${name}`, {
      database: this.database,
      tableName: name,
      description: comment,
      columns: columns.map((column) => ({ ...column, type: TYPES[column.type] })),
      partitionKeys: [{ name: 'month', type: Schema.STRING, comment: 'month of the date, yyyy-mm' }],
      partitionProjection: {
        month: PartitionProjectionConfiguration.date({
          min: FIRST_MONTH,
          max: 'NOW',
          format: 'yyyy-MM',
          step: { interval: 1, intervalUnit: DateIntervalUnit.MONTHS },
        }),
      },
      parameters: {
        'storage.location.template': `s3://${archive.bucket.bucketName}/${prefix}month=\${month}/`,
      },
      dataFormat: DataFormat.PARQUET,
      storage: S3TableStorage.fromBucket(archive.bucket),
      s3Prefix: prefix,
      // The property means encryption by the client. S3 itself decrypts what it encrypted.
      hasEncryptedData: false,
    });
  }

  private createResults({ key }: Archive, keptFor: Duration): Bucket {
    const bucket = new Bucket(this, 'Results', {
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      // Results are encrypted like the archive that they come from.
      encryption: key ? BucketEncryption.KMS : BucketEncryption.S3_MANAGED,
      encryptionKey: key,
      bucketKeyEnabled: key ? true : undefined,
      // CloudFormation fails to delete a bucket that holds objects. This bucket empties itself and is then deleted by hand.
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        { id: 'results', expiration: keptFor },
        { id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    (bucket.policy ?? new BucketPolicy(this, 'Policy', { bucket })).applyRemovalPolicy(RemovalPolicy.RETAIN);
    acknowledge(bucket, {
      'AwsSolutions-S1':
        'It holds copies of data from the archive for some days; Athena keeps who ran which query for 45 days, and CloudTrail logs it. A second bucket for access logs would be one more to maintain.',
    });
    return bucket;
  }

  private createWorkgroup(name: string, { key }: Archive, limit: Size): CfnWorkGroup {
    return new CfnWorkGroup(this, 'Workgroup', {
      name,
      description: `Queries the history of Microsoft Secure Score of the deployment ${name}`,
      // The saved queries and the query history are deleted with the workgroup.
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        // A client cannot choose another place or encryption for the results.
        enforceWorkGroupConfiguration: true,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        bytesScannedCutoffPerQuery: limit.toBytes(),
        publishCloudWatchMetricsEnabled: true,
        requesterPaysEnabled: false,
        resultConfiguration: {
          outputLocation: `s3://${this.results.bucketName}/`,
          expectedBucketOwner: Stack.of(this).account,
          encryptionConfiguration: key
            ? { encryptionOption: 'SSE_KMS', kmsKey: key.keyArn }
            : { encryptionOption: 'SSE_S3' },
        },
      },
    });
  }

  private createPolicy(name: string, archive: Archive): ManagedPolicy {
    const policy = new ManagedPolicy(this, 'Analysts', {
      description: `May query the history of the deployment ${name} with Athena, and nothing else`,
    });
    const stack = Stack.of(this);
    const arn = (service: string, resource: string, resourceName?: string): string =>
      stack.formatArn({
        service,
        resource,
        ...(resourceName === undefined ? { arnFormat: ArnFormat.NO_RESOURCE_NAME } : { resourceName }),
      });
    const allow = (actions: string[], ...resources: string[]): void =>
      policy.addStatements(new PolicyStatement({ actions, resources }));

    const tables = arn('glue', 'table', `${this.database.databaseName}/*`);
    const results = this.results.arnForObjects('*');

    // The actions of https://docs.aws.amazon.com/athena/latest/ug/example-policies-workgroup.html that change nothing.
    allow(
      [
        'athena:StartQueryExecution',
        'athena:StopQueryExecution',
        'athena:GetQueryExecution',
        'athena:BatchGetQueryExecution',
        'athena:ListQueryExecutions',
        'athena:GetQueryResults',
        'athena:GetQueryResultsStream',
        'athena:GetQueryRuntimeStatistics',
        'athena:GetNamedQuery',
        'athena:BatchGetNamedQuery',
        'athena:ListNamedQueries',
        'athena:GetWorkGroup',
      ],
      arn('athena', 'workgroup', this.workgroup.name),
    );
    // The console's editor shows the catalogue; Glue decides which part of it they see.
    allow(
      [
        'athena:GetDataCatalog',
        'athena:ListDatabases',
        'athena:GetDatabase',
        'athena:ListTableMetadata',
        'athena:GetTableMetadata',
      ],
      arn('athena', 'datacatalog', 'AwsDataCatalog'),
    );
    allow(['athena:ListWorkGroups', 'athena:ListDataCatalogs'], '*');
    // Athena must also be able to see the default database, of which it returns only the name:
    // https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
    allow(
      ['glue:GetDatabase', 'glue:GetDatabases'],
      arn('glue', 'catalog'),
      this.database.databaseArn,
      arn('glue', 'database', 'default'),
    );
    allow(
      ['glue:GetTable', 'glue:GetTables', 'glue:GetPartition', 'glue:GetPartitions'],
      arn('glue', 'catalog'),
      this.database.databaseArn,
      tables,
    );
    archive.grantReadHistory(policy);
    // Athena writes the results with the permissions of whoever runs the query:
    // https://docs.aws.amazon.com/athena/latest/ug/security-iam-awsmanpol.html
    allow(['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], this.results.bucketArn);
    allow(
      ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      results,
    );
    if (archive.key) allow(['kms:Decrypt', 'kms:GenerateDataKey'], archive.key.keyArn);
    acknowledgeWildcard(
      policy,
      '*',
      'athena:ListWorkGroups and athena:ListDataCatalogs support no resources; they return names, so that the console can offer them.',
    );
    acknowledgeWildcard(policy, tables, 'All tables of this database, which has only those of the history.');
    acknowledgeWildcard(policy, results, 'The results of queries: Athena makes up their names.');
    return policy;
  }
}

/** Athena accepts lower-case letters, digits and underscores: `SecureScoreMonitor` becomes secure_score_monitor. */
function snakeCase(name: string): string {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z\d]+/g, '_')
    .toLowerCase();
}
