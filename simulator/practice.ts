import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import tls from 'node:tls';
import { styleText } from 'node:util';
import { EXIT } from '../cli/shared/exit.ts';
import { failureOf } from '../cli/shared/failure.ts';
import { describeResult } from '../cli/run/present.ts';
import { folderStore } from '../lambda/archive/folder-store.ts';
import { pemFileSource } from '../lambda/certificate/pem-file.ts';
import { deadlineIn, pause } from '../lambda/clock.ts';
import { parseConfig } from '../lambda/config.ts';
import { addDays, dateOf } from '../lambda/dates.ts';
import { MonitorError, quote } from '../lambda/errors.ts';
import { graphClient } from '../lambda/graph/client.ts';
import { channelsOf } from '../lambda/channels/channels.ts';
import { secretsOf } from '../lambda/channels/secret-address.ts';
import { outboxMailer } from '../lambda/channels/outbox-mailer.ts';
import { monitor } from '../lambda/monitor.ts';
import { noMetrics } from '../lambda/no-metrics.ts';
import type { Clock } from '../lambda/ports.ts';
import { day } from '../lambda/report/format.ts';
import { createCertificate } from './certificates.ts';
import { practiceTenant } from './practice-tenant.ts';
import { startSimulator } from './server.ts';
import { commandLine } from '../lambda/command-line.ts';

const DAYS_TO_WATCH = 10;
const DAY_MS = 24 * 3_600_000;
const RUN_MS = 60_000;

export interface PracticeRun {
  /** 0: the first run, on 90 days of history. */
  index: number;
  /** yyyy-mm-dd in UTC, the day that Graph's newest snapshot is of. */
  date: string;
  /** The time at which it begins. */
  at: Date;
}

/** The runs of a practice that ends now: one a day, at this hour, as a schedule would start them. */
export function practiceRuns(now: Date): PracticeRun[] {
  return Array.from({ length: DAYS_TO_WATCH + 1 }, (_, index) => ({
    index,
    date: addDays(dateOf(now), index - DAYS_TO_WATCH),
    at: new Date(now.getTime() - (DAYS_TO_WATCH - index) * DAY_MS),
  }));
}

/** A clock that begins at `start` and runs, because no deadline would ever pass on one that stands still. */
export function clockFrom(start: Date): Clock {
  const began = performance.now();
  return { now: () => new Date(start.getTime() + (performance.now() - began)) };
}

/** Practises, and prints what fails as the command line does. @returns the exit code. See `practiceOf`. */
export async function practise(now: Date, root: string): Promise<number> {
  try {
    await practiceOf(now, root);
    return EXIT.done;
  } catch (error) {
    const { message, advice } = failureOf(error);
    console.error(`\n${message}\n→ ${advice}`);
    return EXIT.failed;
  }
}

const shown = (path: string) => styleText('cyan', `./${relative(process.cwd(), path)}`);
const heading = (text: string) => console.log(`\n${styleText(['bold', 'inverse'], ` ${text} `)}`);

/**
 * The complete monitor on a practice tenant. A first run sees 90 days of history; ten daily runs follow. The code and
 * the wire formats are real; only Microsoft and the calendar are simulated. Prints what happens.
 * @param now the moment of the last run. Entra is simulated by the machine's clock, since MSAL signs in by that one:
 *   the two may be some months apart, not years.
 * @param root folder for certificate, archive, mails and messages, which are made again
 * @throws MonitorError `practice-unwritable`, and those of `monitor`
 */
async function practiceOf(now: Date, root: string): Promise<void> {
  const started = performance.now();
  const paths = {
    certificate: resolve(root, 'certificate.pem'),
    archive: resolve(root, 'archive'),
    mails: resolve(root, 'mails'),
    channels: resolve(root, 'channels'),
  };
  const runs = practiceRuns(now);
  const first = runs[0]!;

  console.log(
    styleText('bold', 'Secure Score monitor: practice run') +
      '\nMicrosoft is simulated on this machine; everything else is what runs for your own tenants.\n',
  );

  // The app registration's certificate, as an administrator would make it and upload its public part to Entra ID.
  const app = await createCertificate({
    commonName: 'secure-score-practice',
    days: 365,
    notBefore: new Date(first.at.getTime() - 20 * DAY_MS),
  });
  try {
    for (const path of Object.values(paths)) await rm(path, { recursive: true, force: true });
    await mkdir(root, { recursive: true, mode: 0o700 });
    await writeFile(paths.certificate, app.certificate + app.privateKey, { mode: 0o600 });
  } catch (error) {
    throw new MonitorError(
      'practice-unwritable',
      `The folder ${quote(root)} cannot be written: ${error instanceof Error ? error.message : String(error)}.`,
      'Let the user that runs this write to it, or delete it: it holds nothing but a former practice run.',
      { cause: error },
    );
  }
  console.log(`✓ certificate made        ${shown(paths.certificate)}`);

  const tenant = practiceTenant({ today: first.date });
  let clock = clockFrom(first.at);
  // A webhook refuses messages that were signed on another day.
  const simulator = await startSimulator({ tenants: [tenant], receiversNow: () => clock.now() });
  try {
    // What NODE_EXTRA_CA_CERTS does for a process that has not started yet.
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), simulator.ca]);
    const clientId = '6f1d3a52-97b1-4c0b-8a3e-2f5d1c7e9b40';
    simulator.registerApp({ tenantId: tenant.tenantId, clientId, certificates: [app.certificate] });
    console.log(
      `✓ Entra ID and Graph      ${styleText('cyan', simulator.graphEndpoint)} (simulated, ends with this command)`,
    );
    console.log(`✓ Teams, Slack, webhook   receivers of messages, simulated there too`);

    const { authorityHost, graphEndpoint, receivers } = simulator;
    const config = parseConfig(
      {
        tenants: [
          {
            name: 'Contoso',
            tenantId: tenant.tenantId,
            clientId,
            cloud: { authorityHost, graphEndpoint },
            recipients: ['secops@contoso.example'],
          },
        ],
        operations: ['oncall@contoso.example'],
        channels: [
          { name: 'soc', type: 'teams', url: { env: 'TEAMS' }, tenants: 'all' },
          { name: 'ops', type: 'slack', url: { env: 'SLACK' }, tenants: 'all' },
          {
            name: 'siem',
            type: 'webhook',
            url: { env: 'WEBHOOK' },
            signingKey: { env: 'SIGNING_KEY' },
            tenants: 'all',
          },
        ],
        mail: { from: 'Secure Score <secure-score@contoso.example>' },
      },
      'the practice config',
    );
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const sender = { from: config.mail.from, operations: config.operations };
    const mailer = outboxMailer(paths.mails);
    const { teams, slack, webhook } = receivers.addresses;
    const secrets = secretsOf({
      env: { TEAMS: teams, SLACK: slack, WEBHOOK: webhook, SIGNING_KEY: receivers.signingKey },
    });
    const ports = {
      certificate: pemFileSource(paths.certificate),
      store: folderStore(paths.archive),
      log,
      metrics: noMetrics,
    };

    let mails = 0;
    for (const { index, date, at } of runs) {
      if (index > 0) simulator.advance();
      heading(`${day(date)}: ${index === 0 ? 'the first run' : `day ${index} of ${DAYS_TO_WATCH}`}`);
      clock = clockFrom(at);
      const result = await monitor({
        tenant: config.tenants[0]!,
        sender,
        ports: {
          ...ports,
          clock,
          pause,
          channels: channelsOf({ clock, mailer, sender, log, secrets }),
          graph: graphClient({ clock }),
          invocation: { id: `practice-${index}`, deadline: deadlineIn(clock, RUN_MS) },
        },
      });
      console.log(describeResult(result));
      mails += result.mails.length;
    }

    heading('What there is now');
    const lists = (what: string, path: string, hint: string, files: string[] = []) => {
      console.log(`${what.padEnd(13)}${shown(path)}  (${hint})`);
      for (const file of files) console.log(styleText('dim', `             ${file}`));
    };
    const written = (await readdir(paths.mails)).toSorted();
    lists(`${mails} mails`, paths.mails, 'open an .eml in any mail program', written);
    const posted = await receivers.dump(paths.channels);
    lists(
      `${receivers.messages.length} messages`,
      paths.channels,
      `${posted.length} files: each message as .json, those to Teams and Slack also as .html for a browser`,
      [...posted.slice(0, 5), `… and ${posted.length - 5} more files`],
    );
    lists('The archive', paths.archive, 'every day as Microsoft sent it, and what was reported');
    heading('What to try next');
    console.log(`Ask the archive, or look at it:

  ${commandLine('history losses --archive practice/archive')}
  ${commandLine('history open --archive practice/archive')}

Your own tenant, on this machine, without any AWS:

  cp monitor.config.example.ts monitor.config.ts      # and fill it in
  ${commandLine('run --certificate your.pem --archive archive --outbox mails')}

The README says how to register the app and make the certificate.`);
  } finally {
    await simulator.close();
  }
  console.log(
    styleText(
      'dim',
      `\nDone in ${((performance.now() - started) / 1000).toFixed(1)} s; nothing is left running.`,
    ),
  );
}
