import { s3Store } from './archive/s3-store.ts';
import { secretsManagerSource } from './certificate/secrets-manager.ts';
import { deadlineIn, machineClock, pause } from './clock.ts';
import { unoptimised } from './cold-run.ts';
import type { DigestResult } from './digest/digest.ts';
import { environment, readEnvironment } from './environment.ts';
import { parseEvent } from './event.ts';
import { toFunctionError } from './function-error.ts';
import { graphClient } from './graph/client.ts';
import { functionLog, type InvocationContext } from './log.ts';
import { channelsOf } from './channels/channels.ts';
import { logMetrics } from './metrics.ts';
import { monitor } from './monitor.ts';
import type { Mailer } from './ports.ts';
import { followProxy } from './proxy.ts';
import type { Plan } from './rotation/plan.ts';
import type { RotationResult } from './rotation/rotate.ts';
import type { RunResult } from './run/run.ts';
import type { WatchResult } from './watch/watch.ts';

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
    const isCold = !built;
    built ??= build();
    const { log, ports, group, defaultSecret, sender, deployment } = built;
    return await log.invocation(context, async () => {
      const request = parseEvent(event);
      const deadline = deadlineIn(ports.clock, context.getRemainingTimeInMillis());
      // Only the daily run is loaded with this module. The rest is loaded on demand, because a cold start pays for it.
      if ('watch' in request) {
        const { watch, schedulesOf } = await import('./other-recipes.ts');
        return watch({
          deployment,
          sender,
          ports: { ...ports, schedules: schedulesOf({ group }) },
          deadline,
        });
      }

      const invocation = { id: context.awsRequestId, deadline };
      if ('digest' in request) {
        const { makeDigest, schedulesOf } = await import('./other-recipes.ts');
        const { digest } = request;
        log.about({ digest: digest.name });
        const schedules = schedulesOf({ group });
        return (await makeDigest({ digest, sender, ports: { ...ports, schedules, invocation } })).result;
      }
      if ('rotation' in request) {
        const { planRotation, renewalPorts, rotate, scheduledTenants } = await import('./other-recipes.ts');
        const tenants = await scheduledTenants({ group });
        const renewing = renewalPorts({ clock: machineClock, defaultSecret });
        const rotation = { deployment, tenants, sender, ports: { ...ports, ...renewing, invocation } };
        return request.dryRun ? planRotation(rotation) : rotate({ ...rotation, force: request.now });
      }

      const { tenant } = request;
      log.about({ tenant: tenant.tenantId, name: tenant.name });
      const run = () => monitor({ tenant, sender, ports: { ...ports, invocation } });
      return isCold ? unoptimised(run) : run();
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
  const defaultSecret = variables[environment.certificateSecret];
  const mailer = mailerOnDemand(variables[environment.configurationSet]);
  return {
    deployment,
    log,
    sender,
    ports: {
      clock: machineClock,
      pause,
      certificate: secretsManagerSource({ defaultSecret }),
      graph: graphClient({ clock: machineClock }),
      store: s3Store({ bucket: variables[environment.bucket] }),
      mailer,
      channels: channelsOf({ clock: machineClock, mailer, sender, log }),
      log,
      metrics: logMetrics({ deployment, log }),
    },
    group,
    defaultSecret,
  };
}

/** The mailer of SES. Most runs send no mail, so that it is loaded with the first one. */
function mailerOnDemand(configurationSet: string | undefined): Mailer {
  let made: Mailer | undefined;
  return {
    async send(mail) {
      const { sesMailer } = await import('./channels/ses-mailer.ts');
      made ??= sesMailer({ configurationSet });
      return made.send(mail);
    },
  };
}
