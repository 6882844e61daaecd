import { s3Store } from './archive/s3-store.ts';
import { secretsManagerSource } from './certificate/secrets-manager.ts';
import { deadlineIn, machineClock, pause } from './clock.ts';
import { makeDigest, type DigestResult } from './digest/digest.ts';
import { environment, readEnvironment } from './environment.ts';
import { parseEvent } from './event.ts';
import { toFunctionError } from './function-error.ts';
import { graphClient } from './graph/client.ts';
import { functionLog, type InvocationContext } from './log.ts';
import { channelsOf } from './channels/channels.ts';
import { sesMailer } from './channels/ses-mailer.ts';
import { logMetrics } from './metrics.ts';
import { monitor } from './monitor.ts';
import { followProxy } from './proxy.ts';
import { planRotation, type Plan } from './rotation/plan.ts';
import { renewalPorts } from './rotation/real-ports.ts';
import { rotate, type RotationResult } from './rotation/rotate.ts';
import type { RunResult } from './run/run.ts';
import { scheduledTenants, schedulesOf } from './schedules.ts';
import { watch, type WatchResult } from './watch/watch.ts';

/** The part of Lambda's context that is needed. */
export interface Context extends InvocationContext {
  getRemainingTimeInMillis(): number;
}

/** Built once per process, so that connections survive between invocations. */
let built: ReturnType<typeof build> | undefined;

/**
 * One run for the tenant of the event, the daily watch over all tenants, a digest of them, or the renewal of their
 * certificates. It throws the failure, so that Lambda retries and the alarms see it.
 */
export async function handler(
  event: unknown,
  context: Context,
): Promise<RunResult | WatchResult | DigestResult | RotationResult | Plan[]> {
  try {
    built ??= build();
    const { log, ports, renewing, group, sender, deployment } = built;
    return await log.invocation(context, async () => {
      const request = parseEvent(event);
      const deadline = deadlineIn(ports.clock, context.getRemainingTimeInMillis());
      if ('watch' in request) return watch({ deployment, sender, ports, deadline });

      const invocation = { id: context.awsRequestId, deadline };
      if ('digest' in request) {
        const { digest } = request;
        log.about({ digest: digest.name });
        return (await makeDigest({ digest, sender, ports: { ...ports, invocation } })).result;
      }
      if ('rotation' in request) {
        const tenants = await scheduledTenants({ group });
        const rotation = { deployment, tenants, sender, ports: { ...ports, ...renewing, invocation } };
        return request.dryRun ? planRotation(rotation) : rotate({ ...rotation, force: request.now });
      }

      const { tenant } = request;
      log.about({ tenant: tenant.tenantId, name: tenant.name });
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
  const group = variables[environment.scheduleGroup];
  const sender = { from: variables[environment.mailFrom], operations: variables[environment.operations] };
  const mailer = sesMailer({ configurationSet: variables[environment.configurationSet] });
  return {
    deployment,
    log,
    sender,
    ports: {
      clock: machineClock,
      pause,
      certificate: secretsManagerSource({ defaultSecret: variables[environment.certificateSecret] }),
      graph: graphClient({ clock: machineClock }),
      store: s3Store({ bucket: variables[environment.bucket] }),
      mailer,
      channels: channelsOf({ clock: machineClock, mailer, sender, log }),
      schedules: schedulesOf({ group }),
      log,
      metrics: logMetrics({ deployment, log }),
    },
    group,
    renewing: renewalPorts({ clock: machineClock, defaultSecret: variables[environment.certificateSecret] }),
  };
}
