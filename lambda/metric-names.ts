/**
 * Names of the metrics that the function publishes: typed constants, for the alarms and the dashboard of the
 * deployment and for the code that publishes them.
 */
export const NAMESPACE = 'SecureScoreMonitor';

/** Dimensions. Every metric has `deployment`; those of one tenant have `tenant` (its name) as well. */
export const DIMENSIONS = { deployment: 'Deployment', tenant: 'Tenant' } as const;

/** Of the deployment. */
export const DEPLOYMENT_METRICS = {
  /** Count, by each run: 1 or 0. */
  runsSucceeded: 'RunsSucceeded',
  runsFailed: 'RunsFailed',
  /** Count, by each run. */
  mailsSent: 'MailsSent',
  /** Count, by the daily watch: tenants without a successful run for 30 hours. */
  tenantsOverdue: 'TenantsOverdue',
  /** Count, by the daily watch: tenants whose newest snapshot is 3 days old or older. */
  tenantsStale: 'TenantsStale',
  /** Days, by the daily watch: the fewest that are left on a certificate. */
  certificateDaysLeft: 'CertificateDaysLeft',
} as const;

/** Of one tenant, by each run that succeeded. */
export const TENANT_METRICS = {
  /** Per cent. */
  scorePercentage: 'ScorePercentage',
  /** Points. */
  scorePoints: 'ScorePoints',
  scoreMaximum: 'ScoreMaximum',
  pointsGained: 'PointsGained',
  pointsLost: 'PointsLost',
} as const;
