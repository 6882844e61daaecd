import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  MathExpression,
  Metric,
  SingleValueWidget,
  Stats,
  type Alarm,
  type IMetric,
  type IWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { DEPLOYMENT_METRICS, DIMENSIONS, NAMESPACE, TENANT_METRICS } from '../lambda/metric-names.ts';

export interface MonitorDashboardProps {
  /** Name of the deployment, and of the dashboard. */
  readonly name: string;
  readonly alarms: Alarm[];
  readonly function: IFunction;
}

const DAY = Duration.days(1);

/** Scores of all tenants over time, and the state of the runs. */
export class MonitorDashboard extends Construct {
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, props: MonitorDashboardProps) {
    super(scope, id);

    /**
     * One line per tenant. CloudWatch searches for them, so the dashboard does not change with the tenants. It finds at
     * most 100: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
     */
    const everyTenant = (metricName: string, statistic: string): IMetric =>
      new MathExpression({
        expression: `SEARCH('{${NAMESPACE},${DIMENSIONS.deployment},${DIMENSIONS.tenant}} MetricName="${metricName}" ${DIMENSIONS.deployment}="${props.name}"', '${statistic}', ${DAY.toSeconds()})`,
        label: `\${PROP('Dim.${DIMENSIONS.tenant}')}`,
        period: DAY,
      });
    const ofDeployment = (metricName: string, label: string, statistic: string): Metric =>
      new Metric({
        namespace: NAMESPACE,
        metricName,
        dimensionsMap: { [DIMENSIONS.deployment]: props.name },
        label,
        statistic,
        period: DAY,
      });
    const graph = (title: string, left: IMetric[], unit: string, options: { min?: number } = {}): IWidget =>
      new GraphWidget({
        title,
        left,
        leftYAxis: { label: unit, showUnits: false, ...options },
        width: 12,
        height: 7,
        period: DAY,
      });

    this.dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: props.name,
      defaultInterval: Duration.days(90),
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', alarms: props.alarms, width: 24, height: 3 })],
        [
          graph('Secure Score', [everyTenant(TENANT_METRICS.scorePercentage, Stats.AVERAGE)], '%'),
          graph('Points', [everyTenant(TENANT_METRICS.scorePoints, Stats.AVERAGE)], 'points'),
        ],
        [
          graph('Points gained', [everyTenant(TENANT_METRICS.pointsGained, Stats.MAXIMUM)], 'points', {
            min: 0,
          }),
          graph('Points lost', [everyTenant(TENANT_METRICS.pointsLost, Stats.MAXIMUM)], 'points', { min: 0 }),
        ],
        [
          new SingleValueWidget({
            title: 'Last watch',
            metrics: [
              ofDeployment(DEPLOYMENT_METRICS.tenantsOverdue, 'Tenants overdue', Stats.MAXIMUM),
              ofDeployment(DEPLOYMENT_METRICS.tenantsStale, 'Scores stale', Stats.MAXIMUM),
              ofDeployment(DEPLOYMENT_METRICS.archivesDamaged, 'Archives damaged', Stats.MAXIMUM),
              ofDeployment(
                DEPLOYMENT_METRICS.certificateDaysLeft,
                'Days left on a certificate',
                Stats.MINIMUM,
              ),
            ],
            width: 24,
            height: 3,
            period: DAY,
          }),
        ],
        [
          graph(
            'Runs',
            [
              ofDeployment(DEPLOYMENT_METRICS.runsSucceeded, 'Succeeded', Stats.SUM),
              ofDeployment(DEPLOYMENT_METRICS.runsFailed, 'Failed', Stats.SUM),
              ofDeployment(DEPLOYMENT_METRICS.mailsSent, 'Mails sent', Stats.SUM),
            ],
            'per day',
            { min: 0 },
          ),
          graph(
            'Function',
            [
              props.function.metricDuration({ label: 'Longest run', statistic: Stats.MAXIMUM, period: DAY }),
              props.function.metricDuration({
                label: 'Median run',
                statistic: Stats.p(50),
                period: DAY,
              }),
            ],
            'ms',
            { min: 0 },
          ),
        ],
      ],
    });
  }
}
