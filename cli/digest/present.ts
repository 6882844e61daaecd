import { styleText } from 'node:util';
import type { DigestResult } from '../../lambda/digest/digest.ts';
import { digestDocument } from '../../lambda/report/digest.ts';
import type { DigestReport } from '../../lambda/report/digest-model.ts';
import { count, score } from '../../lambda/report/format.ts';
import type { Failure } from '../shared/failure.ts';

/** What `digest --json` prints: the data of the digest, where there was anything to report, and what became of it. */
export type DigestOutcome =
  (Partial<Omit<DigestReport, 'report'>> & DigestResult) | { digest: string; error: Failure };

/** What a digest came to, for a person at a terminal. */
export function describeDigest(outcome: Partial<DigestReport> & DigestResult): string {
  const { digest, fleet, mails, deliveries } = outcome;
  const lines = fleet
    ? [
        `${styleText('bold', digest)}  ${count(fleet.tenants, 'tenant')}${fleet.after === null ? '' : `, ${score({ date: '', points: 0, maximum: 0, percentage: fleet.after })} on average`}`,
        `  ${digestDocument(outcome as DigestReport).title}`,
      ]
    : [`${styleText('bold', digest)}  ${styleText('dim', 'nothing new, or sent already for this period')}`];
  for (const { subject, to } of mails) lines.push(`  ✉ ${subject} ${styleText('dim', `→ ${to.join(', ')}`)}`);
  for (const delivery of deliveries) {
    const { channel, destination } = delivery;
    if ('dropped' in delivery)
      lines.push(`  ${styleText('red', '✗ given up')}  ${destination}: ${delivery.dropped}`);
    else if ('pending' in delivery)
      lines.push(
        `  ${styleText('yellow', '… waits')}  ${destination}${delivery.problem ? `: ${delivery.problem}` : ''}`,
      );
    else if (channel !== 'mail') lines.push(`  » ${destination} (${channel})`);
  }
  return lines.join('\n');
}

export function describeFailedDigest({ digest, error }: { digest: string; error: Failure }): string {
  return `${styleText('bold', digest)}  ${styleText('red', '✗ failed')}  ${error.message}\n  → ${error.advice}`;
}
