import { z } from 'zod';
import { s3Store } from './archive/s3-store.ts';
import { secretsManagerSource } from './certificate/secrets-manager.ts';
import { tenantSchema, type Tenant } from './config.ts';
import { describeIssues } from './describe-issues.ts';
import { environment, readEnvironment } from './environment.ts';
import { MonitorError } from './errors.ts';
import { toFunctionError } from './function-error.ts';
import { graphClient } from './graph/client.ts';
import { jsonLog } from './log.ts';
import { sesMailer } from './mail/ses-mailer.ts';
import { monitor } from './monitor.ts';
import type { Ports } from './ports.ts';
import type { RunResult, Sender } from './run.ts';

/** What of Lambda's context a run needs. */
export interface InvocationContext {
  awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

const eventSchema = z.strictObject({ tenant: tenantSchema });

/** Built once a process: connections are kept between invocations. */
let built: { sender: Sender; ports: Omit<Ports, 'invocation'> } | undefined;

/** One run for the tenant of the event. It throws what failed, so that Lambda retries and the alarms see it. */
export async function handler(event: unknown, context: InvocationContext): Promise<RunResult> {
  try {
    built ??= build();
    const { sender, ports } = built;
    const deadline = new Date(Date.now() + context.getRemainingTimeInMillis());
    return await monitor({
      tenant: parseEvent(event),
      sender,
      ports: { ...ports, invocation: { id: context.awsRequestId, deadline } },
    });
  } catch (error) {
    throw toFunctionError(error);
  }
}

function build() {
  const variables = readEnvironment(process.env);
  return {
    sender: { from: variables[environment.mailFrom], operations: variables[environment.operations] },
    ports: {
      clock: { now: () => new Date() },
      certificate: secretsManagerSource({ defaultSecret: variables[environment.certificateSecret] }),
      graph: graphClient(),
      store: s3Store({ bucket: variables[environment.bucket] }),
      mailer: sesMailer({ configurationSet: variables[environment.configurationSet] }),
      log: jsonLog((line) => console.log(line)),
    },
  };
}

function parseEvent(event: unknown): Tenant {
  const parsed = eventSchema.safeParse(event);
  if (parsed.success) return parsed.data.tenant;
  throw new MonitorError(
    'event-invalid',
    `The event is not { "tenant": <an entry of tenants, resolved> }:\n${describeIssues(parsed.error, event, 'the event')}`,
    'Deploy again: the deployment writes the event into the schedule.',
  );
}
