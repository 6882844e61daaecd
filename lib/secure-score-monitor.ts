import { Stack, type Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import {
  digestsOf,
  parseConfig,
  type Config,
  type ConfigInput,
  type ConfigWithFile,
} from '../lambda/config.ts';
import { environment } from '../lambda/environment.ts';
import { withTenants } from '../lambda/tenants-file.ts';
import { Alarms } from './alarms.ts';
import { Archive } from './archive.ts';
import { Certificate } from './certificate.ts';
import { Channels } from './channels.ts';
import { MonitorDashboard } from './dashboard.ts';
import { MonitorFunction, type MonitorFunctionProps } from './function.ts';
import { Mail } from './mail.ts';
import { Operations } from './operations.ts';
import { failureQueue } from './queue.ts';
import { Schedules, windowOf } from './schedules.ts';
import { grantWebIdentity } from './web-identity.ts';

export interface SecureScoreMonitorProps {
  /**
   * Who is watched and who is notified: what a monitor.config.ts exports. The construct validates it, and reads the file
   * of `tenantsFrom`, whose path is relative to the current folder here.
   */
  readonly config: ConfigInput | ConfigWithFile;
  /**
   * Name of this deployment: a part of the name of its secret, the name of its dashboard, the prefix of its alarms, a dimension of
   * its metrics. Two deployments in one account need two names, even in two regions, because dashboards belong to the
   * account.
   * @default - the name of the stack
   */
  readonly deploymentName?: string;
  /**
   * The KMS key to encrypt the archive with, or `'own'` for one that the deployment creates and retains. With
   * `archive.bucket` it must be the key that the bucket has.
   * @default - S3's own keys (SSE-S3)
   */
  readonly archiveEncryption?: IKey | 'own';
  /**
   * The KMS key to encrypt notifications to `operations` with while SNS holds them, or `'own'` for one that the deployment
   * creates. It costs $1 a month, and the mails that the notifications become are not encrypted with it.
   * @default - none
   */
  readonly operationsEncryption?: IKey | 'own';
  /** Memory of the function, MB. @default 512 */
  readonly memorySize?: number;
  /**
   * The maximum number of concurrent runs, reserved from the account's concurrency. In a new account, limited to 10, any
   * reservation makes the deployment fail: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
   * @default - none reserved
   */
  readonly reservedConcurrentExecutions?: number;
  /** How long the function's log is kept. @default RetentionDays.SIX_MONTHS */
  readonly logRetention?: RetentionDays;
  /**
   * The longest delay of a tenant's run after its time of day, so that not all begin at once: 1 minute to 1 hour.
   * @default - 15 minutes for up to 300 tenants, 30 for 600, else an hour: the 10 concurrent runs of a new account suffice
   */
  readonly scheduleWindow?: Duration;
  /** Address of docs/runbook.md, for the alarms. @default - its path in the repository */
  readonly runbook?: string;
}

/** Everything that watches the Microsoft Secure Score of the tenants in a config. */
export class SecureScoreMonitor extends Construct {
  /** The config, checked and resolved. */
  readonly config: Config;
  readonly deploymentName: string;
  readonly archive: Archive;
  readonly certificate: Certificate;
  readonly operations: Operations;
  readonly mail: Mail;
  readonly schedules: Schedules;
  /** Further variables, like HTTPS_PROXY, can be added to its environment. */
  readonly function: LambdaFunction;
  /**
   * Renews certificates, where any renews itself. It is the only function that may write secrets, and reads no answers
   * from outside except Entra's.
   */
  readonly rotation?: LambdaFunction;
  /** ARN of the role that Entra ID is to trust, where a tenant signs in federated. */
  readonly federatedSubject?: string;
  readonly alarms: Alarms;
  /** Where the config has `dashboard: true`. */
  readonly dashboard?: MonitorDashboard;

  /** @throws MonitorError `config-invalid` that lists each wrong field, and those of `withTenants` */
  constructor(scope: Construct, id: string, props: SecureScoreMonitorProps) {
    super(scope, id);
    const { input, place } = withTenants(props.config, process.cwd());
    const config = (this.config = parseConfig(input, 'The config of SecureScoreMonitor', place));
    const name = (this.deploymentName = props.deploymentName ?? Stack.of(this).stackName);

    this.archive = new Archive(this, 'Archive', {
      bucketName: config.archive.bucket,
      encryption: props.archiveEncryption,
    });
    this.certificate = new Certificate(this, 'Certificate', { name, tenants: config.tenants });
    this.operations = new Operations(this, 'Operations', {
      addresses: config.operations,
      encryption: props.operationsEncryption,
    });
    this.mail = new Mail(this, 'Mail', { mail: config.mail, operations: this.operations.topic });
    const channels = new Channels(this, 'Channels', { channels: config.channels });
    this.schedules = new Schedules(this, 'Schedules', {
      tenants: config.tenants,
      channels: config.channels,
      digests: digestsOf(config),
      schedule: config.schedule,
      window: props.scheduleWindow ?? windowOf(config.tenants),
    });

    const failedRuns = failureQueue(this, 'FailedRuns');
    const undelivered = failureQueue(this, 'Undelivered');
    const shared = {
      environment: {
        [environment.bucket]: this.archive.bucket.bucketName,
        [environment.certificateSecret]: this.certificate.secret?.secretArn ?? this.certificate.secretName,
        [environment.mailFrom]: config.mail.from,
        [environment.operations]: config.operations.join(','),
        [environment.configurationSet]: this.mail.configurationSet.configurationSetName,
        [environment.deployment]: name,
        [environment.scheduleGroup]: this.schedules.group.scheduleGroupName,
      },
      failedRuns,
      memorySize: props.memorySize,
      logRetention: props.logRetention,
    };
    const monitor = new MonitorFunction(this, 'Run', {
      ...shared,
      description: 'Reads the Microsoft Secure Score of one tenant, archives it, and mails what changed',
      reservedConcurrentExecutions: props.reservedConcurrentExecutions,
    });
    this.function = monitor.function;
    this.archive.grantRead(this.function);
    this.archive.grantAppend(this.function);
    this.archive.grantRewrite(this.function);
    this.certificate.grantRead(this.function);
    this.mail.grantSend(this.function);
    channels.grantSend(this.function);
    this.schedules.grantList(this.function);
    if (grantWebIdentity(this.function, config.tenants))
      this.federatedSubject = monitor.function.role?.roleArn;
    if (this.certificate.renews) this.rotation = this.createRotation(shared);
    this.schedules.invoke({ function: this.function, rotation: this.rotation, undelivered });

    this.alarms = new Alarms(this, 'Alarms', {
      name,
      topic: this.operations.topic,
      function: this.function,
      failedRuns,
      undelivered,
      mail: this.mail,
      runbook: props.runbook,
    });
    if (config.dashboard) {
      this.dashboard = new MonitorDashboard(this, 'Dashboard', {
        name,
        alarms: this.alarms.alarms,
        function: this.function,
      });
    }
  }
  private createRotation(
    shared: Pick<MonitorFunctionProps, 'environment' | 'failedRuns' | 'logRetention' | 'memorySize'>,
  ): LambdaFunction {
    const { function: rotation } = new MonitorFunction(this, 'Rotation', {
      ...shared,
      description: 'Renews the certificates that sign in to Entra ID',
    });
    this.archive.grantState(rotation);
    this.certificate.grantRenew(rotation);
    this.mail.grantSend(rotation);
    this.schedules.grantList(rotation);
    this.schedules.grantRead(rotation);
    return rotation;
  }
}
