import { randomUUID } from 'node:crypto';
import { openStore } from '../../lambda/archive/open-store.ts';
import { channelsOf } from '../../lambda/channels/channels.ts';
import { deadlineIn, machineClock, pause } from '../../lambda/clock.ts';
import { commandLine } from '../../lambda/command-line.ts';
import { digestsOf, type Config, type Digest } from '../../lambda/config.ts';
import { compile, makeDigest, type DigestRun } from '../../lambda/digest/digest.ts';
import { sendOnce } from '../../lambda/digest/once.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { noMetrics } from '../../lambda/no-metrics.ts';
import { locationOf } from '../shared/archive-place.ts';
import type { Command } from '../shared/command.ts';
import { dayOf } from '../shared/day.ts';
import { EXIT, UsageError } from '../shared/exit.ts';
import { failureOf } from '../shared/failure.ts';
import { loadConfig } from '../shared/load-config.ts';
import { stderrLog } from '../shared/log.ts';
import { mailerOf } from '../shared/mailer.ts';
import { OPTIONS, text } from '../shared/options.ts';
import { schedulesIn } from '../shared/schedules.ts';
import { describeDigest, describeFailedDigest, type DigestOutcome } from './present.ts';

/** A month of a thousand tenants is read within it. */
const DIGEST_MS = 15 * 60_000;

interface DigestFlags {
  name?: string;
  config: string;
  archive?: string;
  outbox?: string;
  from?: string;
  to?: string;
  json: boolean;
}

function date(name: 'from' | 'to') {
  const { coerce, ...option } = text(name);
  return { ...option, coerce: (value: string) => dayOf(name, coerce(value)) } as const;
}

/** `secure-score digest`: on one machine, what the schedules of a deployment's digests do. */
export const digest: Command<DigestFlags> = {
  flags: (yargs) =>
    yargs
      .usage(
        '$0 digest [name]\n\nSends what happened to the tenants since the last digest as one message: what needs attention, what was lost where, and what happened to many, once. Each digest of the config goes out once a period; a daily one only if there is anything new. A deployment does so by itself.',
      )
      .positional('name', {
        type: 'string',
        describe: 'Name of the digest in the config (default: all of them)',
      })
      .option('config', OPTIONS.config)
      .option('archive', OPTIONS.archive)
      .option('outbox', OPTIONS.outbox)
      .option('from', {
        ...date('from'),
        describe:
          'First day (yyyy-mm-dd, yyyy-mm or yyyy) of a digest of any period, which does not change what the next regular one covers. For a period that is over, what needs attention today is left out',
      })
      .option('to', { ...date('to'), describe: 'Last day of that period (default: the newest)' })
      .option('json', OPTIONS.json)
      .implies('to', 'from'),
  examples: [
    ['digest daily --archive archive --outbox mails', 'without any AWS'],
    ['digest --from 2026-11 --to 2026-11 --json', 'the data of a month'],
  ],
  act,
};

async function act(flags: DigestFlags): Promise<number> {
  if (flags.from !== undefined && flags.to !== undefined && flags.to < flags.from) {
    throw new UsageError(`--to (${flags.to}) is before --from (${flags.from}).`);
  }
  const config = await loadConfig(flags.config);
  const digests = chooseDigests(config, flags.name);
  const ports = await portsOf(config, flags.outbox, await locationOf(flags, config));
  const sender = { from: config.mail.from, operations: config.operations };
  const outcomes: DigestOutcome[] = [];
  for (const each of digests) {
    const invocation = { id: randomUUID(), deadline: deadlineIn(machineClock, DIGEST_MS) };
    const run: DigestRun = { digest: each, sender, ports: { ...ports, invocation } };
    const outcome = await (flags.from === undefined ? makeDigest(run) : once(run, flags.from, flags.to)).then(
      ({ result, report }): DigestOutcome => ({ ...report, ...result, report: result.report }),
      (error: unknown): DigestOutcome => {
        const failure = failureOf(error);
        ports.log.error(failure.message, { digest: each.name, code: failure.code, advice: failure.advice });
        return { digest: each.name, error: failure };
      },
    );
    outcomes.push(outcome);
    if (!flags.json)
      console.log('error' in outcome ? describeFailedDigest(outcome) : describeDigest(outcome));
  }
  if (flags.json) console.log(JSON.stringify(outcomes.length === 1 ? outcomes[0] : outcomes, null, 2));
  return outcomes.some((outcome) => 'error' in outcome) ? EXIT.failed : EXIT.done;
}

async function once(run: DigestRun, from: string, to: string | undefined) {
  const now = run.ports.clock.now();
  const report = await compile(run, null, {
    now,
    occurrence: now,
    days: { from, to: to ?? '9999-12-31' },
  });
  if (report.tenants.every(({ days }) => days === 0)) {
    throw new MonitorError(
      'nothing-in-period',
      `No tenant of the digest ${run.digest.name} has a reported snapshot from ${from}${to === undefined ? ' on' : ` to ${to}`} and an earlier one to compare it with, so that nothing was sent.`,
      `Choose another period. To see the newest snapshot of each tenant: ${commandLine('tenant list')}`,
    );
  }
  return { report, result: { digest: run.digest.name, report: null, ...(await sendOnce(run, report)) } };
}

function chooseDigests(config: Config, name: string | undefined): Digest[] {
  const digests = digestsOf(config);
  if (digests.length === 0) {
    throw new MonitorError(
      'no-digests',
      'The config has no digests.',
      `Add one, like digests: [{ name: 'daily', every: 'day', to: [${quote(config.operations[0] ?? 'soc@contoso.com')}] }]. docs/configuration.md explains its fields.`,
    );
  }
  const chosen = name === undefined ? digests : digests.filter((each) => each.name === name);
  if (chosen.length > 0) return chosen;
  throw new MonitorError(
    'digest-unknown',
    `The config has no digest ${quote(name ?? '')}.`,
    `It has: ${digests.map((each) => each.name).join(', ')}.`,
  );
}

async function portsOf(config: Config, outbox: string | undefined, location: string) {
  const mailer = mailerOf(config, outbox);
  const sender = { from: config.mail.from, operations: config.operations };
  const log = stderrLog();
  return {
    clock: machineClock,
    pause,
    store: await openStore(location),
    channels: channelsOf({ clock: machineClock, mailer, sender, log }),
    log,
    metrics: noMetrics,
    schedules: schedulesIn(config),
  };
}
