import { contentHash } from '../archive/archive.ts';
import { distinct, type Tenant } from '../config.ts';
import { DeliveryError, MonitorError } from '../errors.ts';
import type { Channel, Log, Mailer, MailKind } from '../ports.ts';

/** Who sends the mails, and who gets those about operations. */
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
      // Most days have nothing to mail: what draws mails is loaded when there is.
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
          // Today's: an address that made a mail fail may have been corrected since.
          to: recipientsOf(recipients, sender, kind),
        });
      } catch (error) {
        throw asDelivery(error);
      }
    },
  };
}

/** Who gets the mail of a kind. */
export function recipientsOf(
  { scores, controls }: Tenant['recipients'],
  { operations }: Pick<Sender, 'operations'>,
  kind: MailKind,
): string[] {
  switch (kind) {
    case 'start':
      return distinct([...scores, ...controls]);
    case 'scores':
      return scores;
    case 'controls':
      return controls;
    case 'operations':
      return operations;
  }
}

/** Of an address that is none: no correction of anything else makes it one. */
const FOR_GOOD = new Set(['mail-address-invalid', 'mail-address-refused']);

/** A sandbox, a pause, a missing permission: a human mends them, and the mail waits. */
function asDelivery(error: unknown): unknown {
  if (!(error instanceof MonitorError)) return error;
  const { code, message, advice, retryable } = error;
  return new DeliveryError(code, message, advice, { retryable, final: FOR_GOOD.has(code) });
}
