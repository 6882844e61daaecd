import { subjectOfMail } from '../report/subject.ts';
import type { DigestReport } from '../report/digest-model.ts';
import { deliveriesOf } from '../run/outbox.ts';
import type { Delivered } from '../run/run.ts';
import type { DigestRun } from './digest.ts';
import { addresseeOf } from './origin.ts';
import { MAIL } from '../settings.ts';

/**
 * Sends a digest of any period on request: at once, without state, archive or retries.
 * @throws DeliveryError of the first destination that does not accept it
 */
export async function sendOnce(
  { digest, sender, ports }: DigestRun,
  report: DigestReport,
): Promise<Omit<Delivered, 'failed'>> {
  const addressee = addresseeOf(digest);
  const delivered: Omit<Delivered, 'failed'> = { mails: [], pending: [], deliveries: [] };
  for (const { id, kind, destination, to } of deliveriesOf(sender, addressee, report, ['digest'])) {
    const message = { id, kind, report, reportKey: '', urgent: false, deadline: ports.invocation.deadline };
    const received = await ports.channels.of(addressee, destination).send(message);
    const type = addressee.channels.find(({ name }) => name === destination)?.type ?? MAIL;
    delivered.deliveries.push({ channel: type, kind, destination, id: received });
    if (destination === MAIL) {
      delivered.mails.push({ kind, subject: subjectOfMail(report, kind), to, id: received });
    }
  }
  return delivered;
}
