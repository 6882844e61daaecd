import { DEPLOYMENT_METRICS } from '../metric-names.ts';
import { MAIL } from '../settings.ts';
import type { Channels } from '../ports.ts';
import { ClaimedError, type Run, type RunResult } from './run.ts';

/** The outcome of the steps of a run. */
export interface Outcome {
  result: RunResult;
  /** Number of deliveries that were given up or wait for somebody. */
  deliveriesFailed: number;
  /** True if the columns of the history could not be written. The next run catches up. */
  columnsFailed: boolean;
}

/** Runs the steps, publishes their outcome as metrics, and returns or throws what they do. */
export async function published(run: Run, steps: (run: Run) => Promise<Outcome>): Promise<RunResult> {
  const { channels, count } = counted(run.ports.channels);
  const publishRun = (
    succeeded: 0 | 1,
    failed: 0 | 1,
    more: { ColumnsFailed?: number; DeliveriesDropped?: number } = {},
  ) =>
    run.ports.metrics.publish({
      // Zeros are published as well, because a silent metric leaves gaps in alarms and graphs.
      [DEPLOYMENT_METRICS.runsSucceeded]: succeeded,
      [DEPLOYMENT_METRICS.runsFailed]: failed,
      [DEPLOYMENT_METRICS.mailsSent]: count(),
      ...more,
    });
  try {
    const { result, deliveriesFailed, columnsFailed } = await steps({
      ...run,
      ports: { ...run.ports, channels },
    });
    publishRun(1, 0, {
      [DEPLOYMENT_METRICS.columnsFailed]: columnsFailed ? 1 : 0,
      [DEPLOYMENT_METRICS.deliveriesDropped]: deliveriesFailed,
    });
    return result;
  } catch (error) {
    // The run that holds the claim counts itself. If it dies, the tenant is overdue, which the watch reports.
    publishRun(0, error instanceof ClaimedError ? 0 : 1);
    throw error;
  }
}

/** Counts mails, even if the run fails afterwards or because of them. */
function counted(channels: Channels): { channels: Channels; count: () => number } {
  let sent = 0;
  return {
    channels: {
      of(tenant, destination) {
        const channel = channels.of(tenant, destination);
        return {
          async send(message) {
            const id = await channel.send(message);
            if (destination === MAIL) sent += 1;
            return id;
          },
        };
      },
    },
    count: () => sent,
  };
}
