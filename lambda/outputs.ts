import { commandLine } from './command-line.ts';

/**
 * The names by which the command line finds a deployment: its main stack and the outputs of that stack. They are typed
 * constants, for the stack that writes them and for the commands that read them.
 */

/** Default name of the main stack. Commands take another one with `--stack`, the CDK app with `-c stack=`. */
export const DEPLOYMENT_STACK = 'SecureScoreMonitor';

/** The flag by which commands find a main stack of another name, with a leading space; empty for the default name. */
export const stackFlag = (stack: string): string => (stack === DEPLOYMENT_STACK ? '' : ` --stack ${stack}`);

const FIRST_SECRET = 'secure-score/certificate';

/**
 * Name of the secret that serves every tenant without one of its own. It contains the deployment's name, except for
 * the default name, whose secret is older than second deployments.
 */
export const certificateSecretOf = (deployment: string): string =>
  deployment === DEPLOYMENT_STACK ? FIRST_SECRET : `secure-score/${deployment}/certificate`;

/** The secret that is read if neither the config nor a deployment has another. */
export const DEFAULT_CERTIFICATE_SECRET = certificateSecretOf(DEPLOYMENT_STACK);

/** The command that fills a secret. @param secret name or ARN */
export const putCommand = (secret: string): string =>
  commandLine(`certificate put <file>${secret === DEFAULT_CERTIFICATE_SECRET ? '' : ` --secret ${secret}`}`);

/** Keys of the main stack's outputs. */
export const OUTPUTS = {
  /** Name of the function. */
  functionName: 'FunctionName',
  /** Name of the function that renews certificates, if any renews itself. */
  rotationFunctionName: 'RotationFunctionName',
  /** ARN of the role that Entra ID must trust, if a tenant signs in federated. */
  federatedSubject: 'FederatedSubject',
  /** Name of the archive's bucket. */
  archiveBucket: 'ArchiveBucket',
  /** Name or ARN of the secret that serves every tenant without one of its own. */
  certificateSecret: 'CertificateSecret',
  /** Name of the group of EventBridge Scheduler that holds one schedule a tenant (`SCHEDULE_PREFIX` + tenant id). */
  scheduleGroup: 'ScheduleGroup',
  /** Name of SES's configuration set. */
  configurationSet: 'ConfigurationSet',
  /** ARN of the topic that alarms, bounces and complaints go to. */
  operationsTopic: 'OperationsTopic',
} as const;

/** The stack beside a main stack that contains Athena's part of the history. */
export const historyStackOf = (stack: string): string => `${stack}-History`;

/** Keys of the history stack's outputs. */
export const HISTORY_OUTPUTS = {
  /** Name of Athena's workgroup. */
  athenaWorkgroup: 'AthenaWorkgroup',
  /** Name of the database in the Glue catalogue. */
  historyDatabase: 'HistoryDatabase',
  /** Name of the archive's bucket, in which the records of closed months are looked up. */
  historyBucket: 'HistoryBucket',
  /** ARN of the managed policy that lets people query. */
  analystPolicy: 'AnalystPolicy',
} as const;
