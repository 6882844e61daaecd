import { hostname } from 'node:os';
import { styleText } from 'node:util';
import { openStore } from '../../lambda/archive/open-store.ts';
import { channelsOf } from '../../lambda/channels/channels.ts';
import { deadlineIn, machineClock, pause } from '../../lambda/clock.ts';
import { noMetrics } from '../../lambda/no-metrics.ts';
import { count, listing } from '../../lambda/report/format.ts';
import { watch as lookAround, type WatchResult } from '../../lambda/watch/watch.ts';
import { locationOf } from '../shared/archive-place.ts';
import type { Command } from '../shared/command.ts';
import { EXIT } from '../shared/exit.ts';
import { loadConfig } from '../shared/load-config.ts';
import { stderrLog } from '../shared/log.ts';
import { mailerOf } from '../shared/mailer.ts';
import { OPTIONS } from '../shared/options.ts';
import { schedulesIn } from '../shared/schedules.ts';

/** Looks longer than the function may. */
const WATCH_MS = 15 * 60_000;

interface WatchFlags {
  config: string;
  archive?: string;
  outbox?: string;
  json: boolean;
}

/** `secure-score watch`: on one machine, what the deployment's daily watch does. */
export const watch: Command<WatchFlags> = {
  flags: (yargs) =>
    yargs
      .usage(
        '$0 watch\n\nLooks for what no run can report: that it is missing. Mails operations, once, of tenants of the config without a successful run for 30 hours, of certificates that come close to their end, and of damaged evidence. A deployment does so by itself.',
      )
      .option('config', OPTIONS.config)
      .option('archive', OPTIONS.archive)
      .option('outbox', OPTIONS.outbox)
      .option('json', OPTIONS.json),
  examples: [['watch --archive archive', '']],
  act,
};

async function act(flags: WatchFlags): Promise<number> {
  const config = await loadConfig(flags.config);
  const mailer = mailerOf(config, flags.outbox);
  const sender = { from: config.mail.from, operations: config.operations };
  const log = stderrLog();
  const result = await lookAround({
    deployment: `Secure Score monitor on ${hostname()}`,
    sender,
    ports: {
      clock: machineClock,
      store: await openStore(await locationOf(flags, config)),
      pause,
      mailer,
      channels: channelsOf({ clock: machineClock, mailer, sender, log }),
      log,
      metrics: noMetrics,
      schedules: schedulesIn(config),
    },
    deadline: deadlineIn(machineClock, WATCH_MS),
  });
  console.log(flags.json ? JSON.stringify(result, null, 2) : describe(result));
  return EXIT.done;
}

function describe({
  watched,
  overdue,
  overdueDigests,
  stale,
  damaged,
  certificateDaysLeft,
  mails,
}: WatchResult): string {
  const lineOf = (words: string, found: { name: string }[]) =>
    found.length === 0
      ? `  ${styleText('green', '✓')} none ${words}`
      : `  ${styleText('red', '✗')} ${words}: ${listing(found.map(({ name }) => name))}`;
  return [
    styleText('bold', `${count(watched, 'tenant')} watched`),
    lineOf('without a successful run for 30 hours', overdue),
    ...(overdueDigests.length > 0
      ? [`  ${styleText('red', '✗')} digests overdue: ${listing(overdueDigests.map(({ name }) => name))}`]
      : []),
    lineOf('without a new snapshot for 3 days', stale),
    lineOf('with damaged evidence', damaged),
    ...(certificateDaysLeft === null
      ? []
      : [`  The next certificate expires in ${count(certificateDaysLeft, 'day')}.`]),
    ...mails.map(({ subject, to }) => `  ✉ ${subject} ${styleText('dim', `→ ${to.join(', ')}`)}`),
  ].join('\n');
}
