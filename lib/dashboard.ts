import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  Metric,
  SingleValueWidget,
  Stats,
  type Alarm,
  type IMetric,
  type IWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { DEPLOYMENT_METRICS, DIMENSIONS, NAMESPACE } from '../lambda/metric-names.ts';

export interface MonitorDashboardProps {
  /** Name of the deployment, and of the dashboard. */
  readonly name: string;
  readonly alarms: Alarm[];
  readonly function: IFunction;
}

const DAY = Duration.days(1);

/** The state of the runs, the deliveries and the alarms. Scores over time are on the history page, from the archive. */
export class MonitorDashboard extends Construct {
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, props: MonitorDashboardProps) {
    super(scope, id);

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
              ofDeployment(DEPLOYMENT_METRICS.deliveriesDropped, 'Deliveries dropped', Stats.SUM),
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
