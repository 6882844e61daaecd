import { Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import { DIMENSIONS, METRIC_UNITS, NAMESPACE } from './metric-names.ts';
import type { Log, Metrics } from './ports.ts';

/**
 * Metrics as lines of the log, in the embedded metric format, from which CloudWatch makes them:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function logMetrics({ deployment, log }: { deployment: string; log: Log }): Metrics {
  const metrics = new Powertools({ namespace: NAMESPACE });
  // Powertools adds a dimension of its own, `service`. An alarm finds a metric only by exactly its dimensions.
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions({ [DIMENSIONS.deployment]: deployment });

  return {
    publish(values) {
      try {
        for (const [name, unit] of Object.entries(METRIC_UNITS)) {
          const value = values[name as keyof typeof METRIC_UNITS];
          if (value !== undefined) metrics.addMetric(name, unit, value);
        }
        metrics.publishStoredMetrics();
      } catch (error) {
        metrics.clearMetrics();
        log.warn('metrics could not be published', { error: String(error) });
      }
    },
  };
}
