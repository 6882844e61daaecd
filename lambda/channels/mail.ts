import { contentHash } from '../archive/archive.ts';
import type { Tenant } from '../config.ts';
import { distinct } from '../settings.ts';
import { DeliveryError, MonitorError } from '../errors.ts';
import type { Channel, Log, Mailer, MailKind } from '../ports.ts';

/** The sender of the mails, and the recipients of those about operations. */
export interface Sender {
  from: string;
  operations: string[];
}

/** Mails to the recipients of a kind, by SES, by SMTP, or into a folder. */
export function mailChannel(
  { recipients }: Pick<Tenant, 'recipients'>,
  { mailer, sender, log }: { mailer: Mailer; sender: Sender; log: Log },
): Channel {
  return {
    async send({ kind, report }) {
      // The renderer is loaded on demand, because most days have nothing to mail.
      const { renderMail } = await import('../report/render.ts');
      const { problem, ...mail } = await renderMail(report, kind);
      if (problem) {
        log.warn('The chart of a mail could not be drawn.', { kind, problem: problem.message });
      }
      try {
        return await mailer.send({
          ...mail,
          key: `${report.toldAt.slice(0, 10)}/${report.name}/${kind}-${contentHash(report).slice(0, 8)}`,
          date: new Date(report.toldAt),
          from: sender.from,
          // The recipients are today's, because an address that made a mail fail may have been corrected since.
          to: recipientsOf(recipients, sender, kind),
        });
      } catch (error) {
        throw asDelivery(error);
      }
    },
  };
}

/** The recipients of a kind of mail. */
export function recipientsOf(
  { scores, controls }: Tenant['recipients'],
  { operations }: Pick<Sender, 'operations'>,
  kind: MailKind,
): string[] {
  switch (kind) {
    case 'start':
      return distinct([...scores, ...controls]);
    case 'scores':
    case 'digest':
      return scores;
    case 'controls':
      return controls;
    case 'operations':
      return operations;
  }
}

/** Errors that are final, because only a change of the address itself can help. */
const PERMANENT = new Set(['mail-address-invalid', 'mail-address-refused']);

/** Turns an error into that of a delivery. Problems that somebody can solve (sandbox, pause, permission) let it wait. */
function asDelivery(error: unknown): unknown {
  if (!(error instanceof MonitorError)) return error;
  const { code, message, advice, retryable } = error;
  return new DeliveryError(code, message, advice, { retryable, final: PERMANENT.has(code) });
}
