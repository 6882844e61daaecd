import { randomUUID } from 'node:crypto';
import type { CommandModule } from 'yargs';
import { openStore } from '../lambda/archive/open-store.ts';
import { pemFileSource } from '../lambda/certificate/pem-file.ts';
import { secretsManagerSource } from '../lambda/certificate/secrets-manager.ts';
import type { Config, Tenant } from '../lambda/config.ts';
import { DEFAULT_CERTIFICATE_SECRET } from '../lambda/environment.ts';
import { MonitorError } from '../lambda/errors.ts';
import { graphClient } from '../lambda/graph/client.ts';
import { outboxMailer } from '../lambda/mail/outbox-mailer.ts';
import { sesMailer } from '../lambda/mail/ses-mailer.ts';
import { monitor } from '../lambda/monitor.ts';
import type { Ports } from '../lambda/ports.ts';
import { ClaimedError, type RunResult } from '../lambda/run.ts';
import { EXIT, UsageError } from './exit.ts';
import { DEFAULT_CONFIG, loadConfig, selectTenants } from './load-config.ts';
import { stderrLog } from './log.ts';
import { describeFailure, describeResult } from './present.ts';

/** A run has so long; a claim that it leaves behind when it is killed ends 10 s later. */
const RUN_MS = 3 * 60_000;

const DEFAULT_ARCHIVE = 'archive';

export interface RunFlags {
  config: string;
  tenant?: string;
  archive?: string;
  certificate?: string;
  outbox?: string;
  json: boolean;
}

/** `{tenant, name, error}`: what `run --json` prints for a tenant whose run failed. */
export interface RunFailure extends Partial<RunResult> {
  tenant: string;
  name: string;
  error: { code: string; message: string; advice: string };
}

/** `secure-score run`: the tenants in turn; one that fails does not stop the others. */
export function runCommand(exit: (code: number) => void): CommandModule<object, RunFlags> {
  return {
    command: 'run',
    describe: 'Fetch the score of every tenant, archive it, and mail what changed',
    builder: (yargs) =>
      yargs
        .option('config', {
          ...text('config'),
          default: DEFAULT_CONFIG,
          describe: 'Config file (.ts, .js or .json)',
        })
        .option('tenant', { ...text('tenant'), describe: 'Only this tenant: its name or id' })
        .option('archive', {
          ...text('archive'),
          describe: `Folder or s3://bucket/prefix (default: the config's bucket, else ./${DEFAULT_ARCHIVE})`,
        })
        .option('certificate', {
          ...text('certificate'),
          describe: 'PEM file with certificate and private key (default: the secret in Secrets Manager)',
        })
        .option('outbox', {
          ...text('outbox'),
          describe: 'Folder for the mails as .eml (default: send through SES)',
        })
        .option('json', { type: 'boolean', default: false, describe: 'Print the result as JSON' })
        .example('$0 run --certificate contoso.pem --archive archive --outbox mails', 'without any AWS'),
    handler: async (flags) => exit(await run(flags)),
  };
}

/** A flag that wants one value. Given twice it would be a list, which no command knows what to do with. */
function text(name: string) {
  return {
    type: 'string',
    requiresArg: true,
    coerce: (value: string) => {
      if (value !== '' && !Array.isArray(value)) return value;
      throw new UsageError(`--${name} wants one value.`);
    },
  } as const;
}

async function run(flags: RunFlags): Promise<number> {
  const config = await loadConfig(flags.config);
  const tenants = selectTenants(config, flags.tenant);
  const ports = buildPorts(flags, config);

  const outcomes: (RunResult | RunFailure)[] = [];
  for (const tenant of tenants) {
    const outcome = await runTenant(tenant, config, ports);
    outcomes.push(outcome);
    if (!flags.json) console.log('error' in outcome ? describeFailure(outcome) : describeResult(outcome));
  }
  if (flags.json) console.log(JSON.stringify(outcomes.length === 1 ? outcomes[0] : outcomes, null, 2));
  return outcomes.some((outcome) => 'error' in outcome) ? EXIT.failed : EXIT.done;
}

/** The real ports that the flags ask for; only the invocation is each tenant's own. */
function buildPorts(flags: RunFlags, config: Config): Omit<Ports, 'invocation'> {
  const { bucket } = config.archive;
  return {
    clock: { now: () => new Date() },
    certificate: flags.certificate
      ? pemFileSource(flags.certificate)
      : secretsManagerSource({ defaultSecret: DEFAULT_CERTIFICATE_SECRET }),
    graph: graphClient(),
    store: openStore(flags.archive ?? (bucket ? `s3://${bucket}` : DEFAULT_ARCHIVE)),
    mailer: flags.outbox ? outboxMailer(flags.outbox) : sesMailer({}),
    log: stderrLog(),
  };
}

async function runTenant(
  tenant: Tenant,
  config: Config,
  ports: Omit<Ports, 'invocation'>,
): Promise<RunResult | RunFailure> {
  try {
    return await monitor({
      tenant,
      sender: { from: config.mail.from, operations: config.operations },
      ports: { ...ports, invocation: { id: randomUUID(), deadline: new Date(Date.now() + RUN_MS) } },
    });
  } catch (error) {
    const { code, message, advice } = asMonitorError(error);
    ports.log.error(message, { tenant: tenant.tenantId, code, advice });
    return {
      ...(error instanceof ClaimedError ? error.result : null),
      tenant: tenant.tenantId,
      name: tenant.name,
      error: { code, message, advice },
    };
  }
}

function asMonitorError(error: unknown): MonitorError {
  if (error instanceof MonitorError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new MonitorError(
    'unexpected',
    message,
    'This is a defect of secure-score-monitor: please report it.',
    {
      cause: error,
    },
  );
}
