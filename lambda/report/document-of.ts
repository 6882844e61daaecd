import { changesDocument } from './changes.ts';
import { moment } from './format.ts';
import { operationsDocument } from './operations.ts';
import { line } from './plain-text.ts';
import { startDocument } from './start.ts';
import { namedReport } from './subject.ts';
import { isUrgent, urgentSentences } from './urgency.ts';
import type { MailDocument } from './document.ts';
import type { Report } from './model.ts';
import type { MailKind } from '../ports.ts';

/**
 * What a report says to the recipients of a kind: all its faces (mail, card, blocks, JSON) are drawn from this. Whether
 * there is anything to say is the caller's to know.
 */
export function documentOf(report: Report, kind: MailKind): MailDocument {
  const named = namedReport(report);
  const document = byKind(named, kind);
  return {
    ...document,
    ...(isUrgent(named, kind) && { urgent: urgentSentences(named) }),
    footer: [
      ...document.footer,
      `Tenant ${line(named.tenantId, 80)}, told ${moment(named.toldAt, named.timeZone)}.${named.ledger ? ` Ledger ${named.ledger.hash.slice(0, 12)}.` : ''}`,
    ],
  };
}

function byKind(report: Report, kind: MailKind): MailDocument {
  switch (kind) {
    case 'scores':
    case 'controls':
      return changesDocument(report, kind);
    case 'start':
      return startDocument(report);
    case 'operations':
      return operationsDocument(report);
  }
}
