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
 * The document of a report for the recipients of a kind, from which all faces (mail, card, blocks, JSON) are drawn. The
 * caller decides whether there is anything to report.
 */
export function documentOf(report: Report, kind: MailKind): MailDocument {
  const named = namedReport(report);
  const document = byKind(named, kind);
  return {
    ...document,
    ...(isUrgent(named, kind) && { urgent: urgentSentences(named) }),
    footer: [
      ...document.footer,
      `Tenant ${line(named.tenantId, 80)}, reported ${moment(named.toldAt, named.timeZone)}.${named.ledger ? ` Ledger ${named.ledger.hash.slice(0, 12)}.` : ''}`,
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
