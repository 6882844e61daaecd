import { SESv2Client, SendEmailCommand, type Attachment as SesAttachment } from '@aws-sdk/client-sesv2';
import { MonitorError, quote } from '../errors.ts';
import { lacksCredentials, passes } from '../passing.ts';
import { proxyAgents } from '../proxy.ts';
import { line } from '../report/plain-text.ts';
import { headersOf } from './headers.ts';
import { formatMailbox, parseMailbox } from './mailbox.ts';
import type { Attachment, Mail, Mailer } from '../ports.ts';

/** In ms: longer than any call of SES takes, but short enough for another try before the run's deadline. */
const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 20_000 };

/**
 * Sends through Amazon SES. Region, credentials and endpoint come from the environment (including AWS_ENDPOINT_URL*). The
 * SDK tries again after throttling and network faults.
 * @param options.configurationSet the set whose events (bounces, complaints) are monitored
 */
export function sesMailer(
  options: { client?: SESv2Client; configurationSet?: string | undefined } = {},
): Mailer {
  const client = options.client ?? new SESv2Client({ requestHandler: { ...TIMEOUTS, ...proxyAgents() } });
  return {
    async send(mail) {
      const command = new SendEmailCommand({
        FromEmailAddress: formatMailbox(parseMailbox(mail.from)),
        Destination: { ToAddresses: mail.to.map((to) => formatMailbox(parseMailbox(to))) },
        ConfigurationSetName: options.configurationSet,
        Content: {
          Simple: {
            // Given a charset, SES accepts the subject as it is and writes the encoded words itself:
            // https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Content.html
            Subject: { Data: line(mail.subject, 998), Charset: 'UTF-8' },
            Body: {
              Html: { Data: mail.html, Charset: 'UTF-8' },
              Text: { Data: mail.text, Charset: 'UTF-8' },
            },
            Headers: Object.entries(headersOf(mail)).map(([Name, Value]) => ({ Name, Value })),
            ...(mail.attachments && { Attachments: mail.attachments.map(sesAttachment) }),
          },
        },
      });
      try {
        const { MessageId } = await client.send(command);
        return MessageId ?? 'unknown';
      } catch (error) {
        throw explain(error, mail, options.configurationSet);
      }
    },
  };
}

/** https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Attachment.html */
function sesAttachment({ name, contentType, content, contentId }: Attachment): SesAttachment {
  return {
    FileName: line(name, 255),
    ContentType: contentType,
    RawContent: content,
    ContentTransferEncoding: 'BASE64',
    ...(contentId === undefined
      ? { ContentDisposition: 'ATTACHMENT' }
      : { ContentDisposition: 'INLINE', ContentId: contentId }),
  };
}

/** Explains to the operator each error of SES: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html */
function explain(error: unknown, mail: Mail, configurationSet: string | undefined): MonitorError {
  const { name, message } = error instanceof Error ? error : { name: 'unknown', message: String(error) };
  const detail = `SES refused the mail from ${quote(mail.from)}: ${line(message, 300) || name}`;
  const fails = (code: string, advice: string, retryable = false): MonitorError =>
    new MonitorError(code, detail, advice, { retryable, cause: error });

  if (lacksCredentials({ name, message })) {
    return fails(
      'mail-not-configured',
      'Provide AWS credentials and a region (aws sso login, AWS_PROFILE, AWS_REGION), or write the mails to a folder with --outbox.',
    );
  }
  switch (name) {
    case 'MessageRejected':
      return fails(
        'mail-rejected',
        'Verify the sender in SES, in the region of the deployment. While the account is in the SES sandbox, every recipient must be verified too: request production access.',
      );
    case 'MailFromDomainNotVerifiedException':
      return fails(
        'mail-domain-unverified',
        "Complete the DNS records of the sender's MAIL FROM domain in SES, or let it fall back to the default.",
      );
    case 'AccountSuspendedException':
      return fails('mail-suspended', 'SES has suspended this account: open a case with AWS Support.');
    case 'SendingPausedException':
      return fails(
        'mail-paused',
        'Sending is paused for the account or the configuration set: look for the reason (bounces, complaints) in the SES console, then resume it.',
      );
    case 'NotFoundException':
      return fails(
        'mail-configuration-set-missing',
        `The configuration set ${quote(configurationSet ?? 'none')} or the sender's identity does not exist in this region: deploy again.`,
      );
    case 'BadRequestException':
      // "Email address is not verified" is excluded, because somebody can correct that.
      if (
        /illegal address|missing (final )?'@domain'|(domain|local address) (contains|starts|ends)/i.test(
          message,
        )
      ) {
        return fails('mail-address-refused', 'Correct that address in the config.');
      }
      return fails('mail-refused', 'Check mail.from and the recipients in the config.');
    case 'AccessDeniedException':
      return fails(
        'mail-denied',
        'Grant ses:SendEmail on the identity and the configuration set to the identity that runs this.',
      );
    case 'TooManyRequestsException':
    case 'ThrottlingException':
    case 'LimitExceededException':
      return fails(
        'mail-throttled',
        'Nothing has to be done: the next run sends it. If it lasts, raise the sending quota of SES.',
        true,
      );
    default:
      if (!passes(error)) {
        return fails(
          'mail-refused',
          `Act on what SES says (${name}); check mail.from and the recipients in the config.`,
        );
      }
      return new MonitorError(
        'mail-failed',
        `The mail could not be handed to SES: ${name}: ${line(message, 300)}`,
        'Nothing has to be done: the next run sends it. If it lasts, check that SES can be reached from where this runs.',
        { retryable: true, cause: error },
      );
  }
}
