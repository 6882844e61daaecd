import type { Config } from '../../lambda/config.ts';
import { outboxMailer } from '../../lambda/channels/outbox-mailer.ts';
import { sesMailer } from '../../lambda/channels/ses-mailer.ts';
import { smtpMailer } from '../../lambda/channels/smtp-mailer.ts';
import type { Mailer } from '../../lambda/ports.ts';

/**
 * What carries the mails of a command that runs here: a folder that it was given, else the config's SMTP server, else SES.
 * @throws MonitorError `mail-password-missing`
 */
export function mailerOf({ mail }: Pick<Config, 'mail'>, outbox: string | undefined): Mailer {
  if (outbox !== undefined) return outboxMailer(outbox);
  return mail.smtp ? smtpMailer(mail.smtp) : sesMailer();
}
