/**
 * Names of the metrics that the function publishes: typed constants, for the alarms and the dashboard of the
 * deployment and for the code that publishes them.
 */
export const NAMESPACE = 'SecureScoreMonitor';

/** The dimension of every metric: CloudWatch charges by the metric, so facts about single tenants are in the archive instead. */
export const DIMENSIONS = { deployment: 'Deployment' } as const;

/** Metrics of the deployment. */
export const DEPLOYMENT_METRICS = {
  /** Count, by each run: 1 or 0. */
  runsSucceeded: 'RunsSucceeded',
  runsFailed: 'RunsFailed',
  /** Count, by each run. */
  mailsSent: 'MailsSent',
  /** Count: deliveries that were given up, because they were refused permanently or 7 days old; and mails to operations that wait until somebody acts. */
  deliveriesDropped: 'DeliveriesDropped',
  /** Count, by each run that succeeded: 1 if the columns of the history could not be written, else 0. */
  columnsFailed: 'ColumnsFailed',
  /** Count, by the daily watch: tenants without a successful run for 30 hours. */
  tenantsOverdue: 'TenantsOverdue',
  /** Count, by the daily watch: tenants whose newest snapshot is 3 days old or older. */
  tenantsStale: 'TenantsStale',
  /** Count, by the daily watch: tenants with damaged, missing or foreign evidence in what it has checked so far. */
  archivesDamaged: 'ArchivesDamaged',
  /** Days, by the daily watch: the lowest number left on any certificate; at least 60 where it renews itself in time. */
  certificateDaysLeft: 'CertificateDaysLeft',
} as const;

export type DeploymentMetric = (typeof DEPLOYMENT_METRICS)[keyof typeof DEPLOYMENT_METRICS];

/** CloudWatch has no units for days or points: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html */
export const METRIC_UNITS = {
  RunsSucceeded: 'Count',
  RunsFailed: 'Count',
  MailsSent: 'Count',
  DeliveriesDropped: 'Count',
  ColumnsFailed: 'Count',
  TenantsOverdue: 'Count',
  TenantsStale: 'Count',
  ArchivesDamaged: 'Count',
  CertificateDaysLeft: 'None',
} as const satisfies Record<DeploymentMetric, 'Count' | 'None'>;
