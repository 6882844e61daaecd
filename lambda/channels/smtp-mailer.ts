import { createTransport } from 'nodemailer';
import type { Config } from '../config.ts';
import { MonitorError, quote } from '../errors.ts';
import { line } from '../report/plain-text.ts';
import type { Mailer } from '../ports.ts';
import { parseMailbox } from './mailbox.ts';
import { compose, messageId } from './outbox-mailer.ts';

export type SmtpSettings = NonNullable<Config['mail']['smtp']>;

/** Timeouts, in ms, after which a server counts as unreachable, and the next run tries again. */
const TIMEOUTS = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 };

export interface SmtpMailer extends Mailer {
  /** Connects, encrypts and signs in, but sends nothing. @returns the findings, for people. @throws as `send` does */
  check(): Promise<string>;
}

/**
 * Sends through an SMTP server, never unencrypted: TLS from the beginning (`secure`), or STARTTLS, without which neither
 * the password nor a mail is transmitted. The server's certificate is verified; NODE_EXTRA_CA_CERTS adds trusted ones.
 * The Message-ID comes from the mail's key, so a repetition has the same one.
 * @param variables the environment with the password, under the name in the config
 * @throws MonitorError `mail-password-missing` here; all others when sending
 */
export function smtpMailer(settings: SmtpSettings, variables: NodeJS.ProcessEnv = process.env): SmtpMailer {
  const { host, secure, user } = settings;
  const port = settings.port ?? (secure ? 465 : 587);
  const password = passwordOf(settings, variables);
  const transport = () =>
    createTransport({
      host,
      port,
      secure,
      requireTLS: !secure,
      tls: { minVersion: 'TLSv1.2' },
      ...(user === undefined ? {} : { auth: { user, pass: password } }),
      ...TIMEOUTS,
    });
  const server = `${host}:${port}`;
  const explained = async <T>(doing: string, answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      throw explain(error, `${server} ${doing}`, password);
    }
  };

  return {
    async send(mail) {
      const raw = await compose(mail);
      const envelope = {
        from: parseMailbox(mail.from).address,
        to: mail.to.map((to) => parseMailbox(to).address),
      };
      const { rejected } = await explained(
        `did not take the mail from ${quote(mail.from)}`,
        transport().sendMail({ envelope, raw }),
      );
      if (rejected.length > 0) {
        // It counts as sent, because the other recipients have it and would get it again with every repetition.
        process.emitWarning(`${server} refused the recipients ${rejected.map(String).join(', ')}`);
      }
      return messageId(mail.key);
    },

    async check() {
      await explained('cannot be used', transport().verify());
      return `${server} ${secure ? 'speaks TLS' : 'speaks STARTTLS'}${user === undefined ? '' : `, and lets ${user} in`}`;
    },
  };
}

function passwordOf({ password }: SmtpSettings, variables: NodeJS.ProcessEnv): string {
  if (password === undefined) return '';
  const found = variables[password.env];
  if (found) return found;
  throw new MonitorError(
    'mail-password-missing',
    `The environment variable ${password.env}, which mail.smtp.password names, is not set.`,
    `Set ${password.env} to the password of the SMTP server where this runs.`,
  );
}

/** Explains each failure to the operator: https://nodemailer.com/errors */
function explain(error: unknown, what: string, password: string): MonitorError {
  const { code = '', responseCode = 0, message } = error as Error & { code?: string; responseCode?: number };
  const detail = line(password === '' ? message : message.replaceAll(password, '***'), 300);
  const fails = (name: string, advice: string, retryable = false): MonitorError =>
    new MonitorError(name, `The SMTP server ${what}: ${detail}`, advice, { retryable });
  if (code === 'EAUTH' || code === 'ENOAUTH') {
    return fails(
      'mail-login-refused',
      'Check mail.smtp.user and the password; some providers ask for an app password.',
    );
  }
  if (code === 'ETLS' || /certificate|SSL routines|wrong version number/i.test(message)) {
    return fails(
      'mail-not-encrypted',
      'Mails and passwords are sent only over TLS. Check mail.smtp.host, port and secure (true: TLS from the beginning, mostly port 465; false: STARTTLS, mostly 587); a private CA goes into NODE_EXTRA_CA_CERTS.',
    );
  }
  if (responseCode >= 500) {
    return fails(
      'mail-refused',
      'Act on what the server says; check mail.from and the recipients in the config.',
    );
  }
  // Nobody listens there, which waiting within a run does not change: the mail stays in the outbox for the next one.
  if (/\b(?:ECONNREFUSED|ENOTFOUND)\b/.test(message)) {
    return fails(
      'mail-unreachable',
      'Check mail.smtp.host and port, and whether the server runs. Nothing is lost: the next run sends the mail.',
    );
  }
  return fails(
    'mail-failed',
    'Nothing has to be done: the next run sends it. If it lasts, check mail.smtp.host and port, and whether this machine reaches the server.',
    true,
  );
}
