import { s3Store } from './archive/s3-store.ts';
import { secretsManagerSource } from './certificate/secrets-manager.ts';
import { deadlineIn, machineClock } from './clock.ts';
import { environment, readEnvironment } from './environment.ts';
import { parseEvent } from './event.ts';
import { toFunctionError } from './function-error.ts';
import { graphClient } from './graph/client.ts';
import { functionLog, type InvocationContext } from './log.ts';
import { sesMailer } from './channels/ses-mailer.ts';
import { logMetrics } from './metrics.ts';
import { monitor } from './monitor.ts';
import { followProxy } from './proxy.ts';
import type { RunResult } from './run/run.ts';
import { schedulesOf } from './schedules.ts';
import { watch, type WatchResult } from './watch/watch.ts';

/** What of Lambda's context is needed. */
export interface Context extends InvocationContext {
  getRemainingTimeInMillis(): number;
}

/** Built once a process: connections are kept between invocations. */
let built: ReturnType<typeof build> | undefined;

/**
 * One run for the tenant of the event, or the daily watch over all tenants. It throws what failed, so that Lambda
 * retries and the alarms see it.
 */
export async function handler(event: unknown, context: Context): Promise<RunResult | WatchResult> {
  try {
    built ??= build();
    const { log, ports, sender, deployment } = built;
    return await log.invocation(context, async () => {
      const request = parseEvent(event);
      const deadline = deadlineIn(ports.clock, context.getRemainingTimeInMillis());
      if ('watch' in request) return watch({ deployment, sender, ports, deadline });

      const { tenant } = request;
      log.about({ tenant: tenant.tenantId, name: tenant.name });
      const invocation = { id: context.awsRequestId, deadline };
      return monitor({ tenant, sender, ports: { ...ports, invocation } });
    });
  } catch (error) {
    throw toFunctionError(error);
  }
}

function build() {
  followProxy();
  const variables = readEnvironment(process.env);
  const deployment = variables[environment.deployment];
  const log = functionLog(deployment);
  return {
    deployment,
    log,
    sender: { from: variables[environment.mailFrom], operations: variables[environment.operations] },
    ports: {
      clock: machineClock,
      certificate: secretsManagerSource({ defaultSecret: variables[environment.certificateSecret] }),
      graph: graphClient({ clock: machineClock }),
      store: s3Store({ bucket: variables[environment.bucket] }),
      mailer: sesMailer({ configurationSet: variables[environment.configurationSet] }),
      schedules: schedulesOf({ group: variables[environment.scheduleGroup] }),
      log,
      metrics: logMetrics({ deployment, log }),
    },
  };
}
