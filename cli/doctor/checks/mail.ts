import {
  GetAccountCommand,
  GetConfigurationSetCommand,
  GetEmailIdentityCommand,
  SESv2Client,
  type GetAccountResponse,
} from '@aws-sdk/client-sesv2';
import { machineClock } from '../../../lambda/clock.ts';
import type { Config } from '../../../lambda/config.ts';
import { distinct } from '../../../lambda/settings.ts';
import { MonitorError, quote } from '../../../lambda/errors.ts';
import { sesMailer } from '../../../lambda/channels/ses-mailer.ts';
import { smtpMailer, type SmtpSettings } from '../../../lambda/channels/smtp-mailer.ts';
import { parseMailbox } from '../../../lambda/channels/mailbox.ts';
import { moment } from '../../../lambda/report/format.ts';
import { drawHtml } from '../../../lambda/report/html.ts';
import { drawText } from '../../../lambda/report/text.ts';
import { asked, PATIENCE } from '../../shared/aws.ts';
import { DEPLOY } from '../../shared/deployment.ts';
import { mailerOf } from '../../shared/mailer.ts';
import type { Finding, Outcome } from './examination.ts';

const ses = () => new SESv2Client(PATIENCE);

/** Checks that the server answers, encrypts, and accepts the sign-in. */
export async function smtpCheck(settings: SmtpSettings): Promise<Outcome<void>> {
  return { found: await smtpMailer(settings).check(), value: undefined };
}

/** Checks that the sender's address, or its domain, is verified. */
export async function senderCheck(config: Config): Promise<Outcome<void>> {
  const { address } = parseMailbox(config.mail.from);
  const { verified, known } = await identityOf(address);
  if (verified) return { found: `${address}: SES has verified ${verified}`, value: undefined };
  throw known
    ? new MonitorError(
        'sender-unverified',
        `SES knows ${quote(known)} but has not verified it yet: nothing can be sent from ${quote(address)}.`,
        known.includes('@')
          ? `Open the mail that AWS sent to ${known} and follow its link.`
          : `Add the three DKIM records of ${known} to its DNS (SES console → Identities), and wait for SES to see them.`,
      )
    : new MonitorError(
        'sender-unknown',
        `SES has no identity for ${quote(address)} in this region.`,
        "Let the deployment create it (mail.identity: 'address' or 'domain' in the config, then deploy), or create and verify it in the SES console.",
      );
}

/** Checks that SES may send: the account is neither paused nor suspended. */
export async function sendingCheck(): Promise<Outcome<GetAccountResponse>> {
  const answer = ses().send(new GetAccountCommand({}));
  const account = await asked('ses:GetAccount', 'the account', answer);
  const { SendingEnabled, EnforcementStatus, SendQuota } = account;
  if (!SendingEnabled || EnforcementStatus === 'SHUTDOWN') {
    throw new MonitorError(
      'sending-disabled',
      `SES does not send for this account (${EnforcementStatus ?? 'sending is disabled'}).`,
      'Look for the reason in the SES console (bounces, complaints), or open a case with AWS Support.',
    );
  }
  const { Max24HourSend = 0, SentLast24Hours = 0 } = SendQuota ?? {};
  const quota =
    Max24HourSend < 0 ? 'no limit' : `${SentLast24Hours} of ${Max24HourSend} mails sent in 24 hours`;
  return {
    found: `SES sends, ${quota}`,
    value: account,
    ...(EnforcementStatus === 'PROBATION' && {
      warning:
        'SES is reviewing the account (bounces or complaints): fix the cause, or sending will be paused.',
    }),
  };
}

/** Checks that the account is out of the sandbox, or that every recipient is verified: SES reaches no others there. */
export async function recipientsCheck(config: Config, account: GetAccountResponse): Promise<Outcome<void>> {
  const addresses = recipientsOf(config);
  if (account.ProductionAccessEnabled) {
    return {
      found: `out of the sandbox: SES sends to anybody (${addresses.length} configured)`,
      value: undefined,
    };
  }
  const unverified: string[] = [];
  for (const address of addresses) {
    if ((await identityOf(address)).verified === null) unverified.push(address);
  }
  const leave = 'ask for production access (SES console → Get set up)';
  if (unverified.length === 0) {
    return {
      found: `in the sandbox: all ${addresses.length} recipients are verified`,
      value: undefined,
      warning: `New recipients have to be verified first: ${leave}.`,
    };
  }
  throw new MonitorError(
    'recipients-unverified',
    `In the sandbox SES sends only to verified addresses, and ${unverified.length} of ${addresses.length} are not: ${unverified.slice(0, 5).join(', ')}${unverified.length > 5 ? ', …' : ''}.`,
    `Leave the sandbox: ${leave}. Or verify each of them in SES.`,
  );
}

export async function configurationSetCheck(name: string): Promise<Outcome<string>> {
  const { SendingOptions } = await asked(
    'ses:GetConfigurationSet',
    `the configuration set ${quote(name)}`,
    ses().send(new GetConfigurationSetCommand({ ConfigurationSetName: name })),
    {
      NotFoundException: () =>
        new MonitorError(
          'configuration-set-missing',
          `There is no configuration set ${quote(name)}.`,
          DEPLOY,
        ),
    },
  );
  if (SendingOptions?.SendingEnabled !== false) {
    return { found: `${name}: bounces and complaints are reported`, value: name };
  }
  throw new MonitorError(
    'sending-paused',
    `Sending is paused for the configuration set ${quote(name)}.`,
    'Look for the reason (bounces, complaints) in the SES console, then resume it.',
  );
}

/**
 * Sends a mail to the operations addresses, with the results so far as an attachment.
 * @param means.outbox a folder to write it to, instead of sending it
 * @param means.isLocal by what carries the mails of a run on this machine; else of the deployment
 */
export async function testMailCheck(
  config: Config,
  findings: readonly Finding[],
  means: { outbox: string | undefined; isLocal: boolean; configurationSet: string | undefined },
): Promise<Outcome<void>> {
  const { outbox, isLocal, configurationSet } = means;
  const now = machineClock.now();
  const document = {
    tenant: 'Secure Score monitor',
    title: 'Mail works',
    preview: 'A test by the doctor: nothing to do.',
    blocks: [
      {
        type: 'paragraph' as const,
        text: 'This is a test mail: somebody ran the doctor with --send, and it reached you. There is nothing to do.',
      },
      { type: 'paragraph' as const, text: 'The results of the other checks are attached as doctor.csv.' },
    ],
    footer: [
      "You get this mail because you are listed under operations in the monitor's config.",
      `Sent ${moment(now.toISOString())}.`,
    ],
  };
  const mailer = isLocal ? mailerOf(config, outbox) : sesMailer({ configurationSet });
  const id = await mailer.send({
    kind: 'operations',
    key: `doctor/${now.toISOString()}`,
    date: now,
    from: config.mail.from,
    to: config.operations,
    subject: 'Secure Score monitor: a test mail, nothing to do',
    html: drawHtml(document),
    text: drawText(document),
    attachments: [
      { name: 'doctor.csv', contentType: 'text/csv; charset=utf-8', content: Buffer.from(toCsv(findings)) },
    ],
  });
  return {
    found: `${outbox === undefined ? 'sent' : `written to ${outbox}`}, to ${config.operations.join(', ')} (${id})`,
    value: undefined,
    ...(outbox === undefined && { warning: 'Check that it arrives, and not in the junk folder.' }),
  };
}

/** A leading = + - @ would be a formula to a spreadsheet. */
function toCsv(findings: readonly Finding[]): string {
  const cell = (value: string | null) =>
    `"${(value ?? '').replace(/^[=+\-@\t]/, "'$&").replaceAll('"', '""')}"`;
  const rows = findings.map(({ check, tenant, status, found, advice }) => [
    check,
    tenant,
    status,
    found,
    advice,
  ]);
  return [['check', 'tenant', 'status', 'found', 'advice'], ...rows]
    .map((row) => `${row.map(cell).join(',')}\r\n`)
    .join('');
}

/** Addresses without names. */
function recipientsOf({ tenants, operations }: Config): string[] {
  return distinct([
    ...tenants.flatMap(({ recipients }) => [...recipients.scores, ...recipients.controls]),
    ...operations,
  ]).map((recipient) => parseMailbox(recipient).address);
}

/** SES verifies an address, its domain, or a domain above that. */
async function identityOf(address: string): Promise<{ verified: string | null; known: string | null }> {
  const labels = address.slice(address.indexOf('@') + 1).split('.');
  const domains = labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'));
  let known: string | null = null;
  for (const identity of [address, ...domains]) {
    const answer = await asked(
      'ses:GetEmailIdentity',
      `the identity ${quote(identity)}`,
      ses()
        .send(new GetEmailIdentityCommand({ EmailIdentity: identity }))
        .catch((error: unknown) => {
          if (error instanceof Error && error.name === 'NotFoundException') return null;
          throw error;
        }),
    );
    if (answer?.VerifiedForSendingStatus) return { verified: identity, known: identity };
    if (answer) known ??= identity;
  }
  return { verified: null, known };
}
