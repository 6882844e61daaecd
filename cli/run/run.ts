import { randomUUID } from 'node:crypto';
import { inParallel } from '../../lambda/archive/columns/parallel.ts';
import { openStore } from '../../lambda/archive/open-store.ts';
import { pemFileSource } from '../../lambda/certificate/pem-file.ts';
import { secretsManagerSource } from '../../lambda/certificate/secrets-manager.ts';
import { deadlineIn, machineClock, pause } from '../../lambda/clock.ts';
import type { Config, Tenant } from '../../lambda/config.ts';
import { graphClient } from '../../lambda/graph/client.ts';
import { channelsOf } from '../../lambda/channels/channels.ts';
import { monitor } from '../../lambda/monitor.ts';
import { noMetrics } from '../../lambda/no-metrics.ts';
import { DEFAULT_CERTIFICATE_SECRET, DEPLOYMENT_STACK } from '../../lambda/outputs.ts';
import type { Log } from '../../lambda/ports.ts';
import { ClaimedError, type RunResult } from '../../lambda/run/run.ts';
import { findDeployment, outputOf } from '../shared/deployment.ts';
import type { Command } from '../shared/command.ts';
import { EXIT } from '../shared/exit.ts';
import { failureOf } from '../shared/failure.ts';
import { functionRunner } from './invoke.ts';
import { loadConfig, selectTenants } from '../shared/load-config.ts';
import { stderrLog } from '../shared/log.ts';
import { mailerOf } from '../shared/mailer.ts';
import { DEFAULT_ARCHIVE, OPTIONS, text } from '../shared/options.ts';
import { progressLine } from '../shared/progress-line.ts';
import { beat } from './heartbeat.ts';
import { describeFailure, describeResult, type RunFailure } from './present.ts';

/** The time that a run has; a claim that a killed run leaves behind ends 10 s later. */
const RUN_MS = 3 * 60_000;

export interface RunFlags {
  config: string;
  tenant?: string;
  archive?: string;
  certificate?: string;
  outbox?: string;
  deployed?: boolean;
  stack?: string;
  parallel: number;
  json: boolean;
}

/** `secure-score run`: runs the tenants, a few at a time; one that fails does not stop the others. */
export const run: Command<RunFlags> = {
  flags: (yargs) =>
    yargs
      .option('config', OPTIONS.config)
      .option('tenant', OPTIONS.tenant)
      .option('archive', OPTIONS.archive)
      .option('certificate', {
        ...text('certificate'),
        describe: 'PEM file with certificate and private key (default: the secret in Secrets Manager)',
      })
      .option('outbox', {
        ...text('outbox'),
        describe: "Folder for the mails as .eml (default: the config's SMTP server, else SES)",
      })
      .option('deployed', {
        type: 'boolean',
        describe: 'Run the deployed function now instead of running on this machine',
      })
      .option('stack', OPTIONS.stack)
      .option('parallel', OPTIONS.parallel)
      .option('json', OPTIONS.json)
      .conflicts('deployed', ['archive', 'certificate', 'outbox'])
      .implies('stack', 'deployed'),
  examples: [
    ['run --certificate contoso.pem --archive archive --outbox mails', 'without any AWS'],
    ['run --deployed --tenant Contoso', 'without waiting for the schedule'],
  ],
  act: act,
};

async function act(flags: RunFlags): Promise<number> {
  const config = await loadConfig(flags.config);
  const tenants = selectTenants(config, flags.tenant);
  const log = stderrLog();
  const runTenant = flags.deployed ? await runThere(flags) : await runHere(flags, config, log);

  const line = progressLine();
  let done = 0;
  const progress = () => {
    if (tenants.length > 1) line.show(`${done} of ${tenants.length} tenants`);
  };
  progress();
  const outcomes = await inParallel(
    tenants,
    async (tenant): Promise<RunResult | RunFailure> => {
      const outcome = await runTenant(tenant).catch((error: unknown) => failed(tenant, error, log));
      done += 1;
      line.clear();
      if (!flags.json) console.log('error' in outcome ? describeFailure(outcome) : describeResult(outcome));
      if (done < tenants.length) progress();
      return outcome;
    },
    flags.parallel,
  );
  if (flags.json) console.log(JSON.stringify(outcomes.length === 1 ? outcomes[0] : outcomes, null, 2));
  if (outcomes.some((outcome) => 'error' in outcome)) return EXIT.failed;
  // Of a part of the tenants, or of what runs elsewhere, it would feign life.
  if (config.heartbeat && flags.tenant === undefined && !flags.deployed) {
    // Whoever waits for it is then the only one to hear that the mails reach nobody.
    if (outcomes.some(hasUndelivered))
      log.warn('There is no heartbeat, because deliveries did not get through.');
    else await beat(config.heartbeat).catch((error: unknown) => warn(error, log));
  }
  return EXIT.done;
}

const hasUndelivered = ({ deliveries = [] }: Partial<RunResult>): boolean =>
  deliveries.some((delivery) => !('id' in delivery));

type RunTenant = (tenant: Tenant) => Promise<RunResult>;

async function runThere({ stack = DEPLOYMENT_STACK }: RunFlags): Promise<RunTenant> {
  return functionRunner(outputOf(await findDeployment(stack), 'functionName'));
}

/** Runs with the real ports that the flags choose; only the invocation differs between tenants. */
async function runHere(flags: RunFlags, config: Config, log: Log): Promise<RunTenant> {
  const { bucket } = config.archive;
  const mailer = mailerOf(config, flags.outbox);
  const sender = { from: config.mail.from, operations: config.operations };
  const ports = {
    clock: machineClock,
    pause,
    certificate: flags.certificate
      ? pemFileSource(flags.certificate)
      : secretsManagerSource({ defaultSecret: DEFAULT_CERTIFICATE_SECRET }),
    graph: graphClient({ clock: machineClock }),
    store: await openStore(flags.archive ?? (bucket ? `s3://${bucket}` : DEFAULT_ARCHIVE)),
    channels: channelsOf({ clock: machineClock, mailer, sender, log }),
    log,
    metrics: noMetrics,
  };
  return (tenant) =>
    monitor({
      tenant,
      sender,
      ports: { ...ports, invocation: { id: randomUUID(), deadline: deadlineIn(ports.clock, RUN_MS) } },
    });
}

/** It changes nothing of what the run did. */
function warn(error: unknown, log: Log): void {
  const { message, code, advice } = failureOf(error);
  log.warn(message, { code, advice });
}

function failed({ tenantId, name }: Tenant, error: unknown, log: Log): RunFailure {
  const { code, message, advice } = failureOf(error);
  log.error(message, { tenant: tenantId, code, advice });
  return {
    ...(error instanceof ClaimedError ? error.result : null),
    tenant: tenantId,
    name,
    error: { code, message, advice },
  };
}
