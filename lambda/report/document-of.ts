import { changesDocument } from './changes.ts';
import { moment } from './format.ts';
import { operationsDocument } from './operations.ts';
import { line } from './plain-text.ts';
import { startDocument } from './start.ts';
import { namedReport } from './subject.ts';
import { isUrgent, urgentSentences } from './urgency.ts';
import type { MailDocument } from './document.ts';
import { digestDocument } from './digest.ts';
import { isDigest, type AnyReport } from './digest-model.ts';
import type { Report } from './model.ts';
import type { MailKind } from '../ports.ts';

/**
 * The document of a report for the recipients of a kind, from which all faces (mail, card, blocks, JSON) are drawn. The
 * caller decides whether there is anything to report.
 */
export function documentOf(report: AnyReport, kind: MailKind): MailDocument {
  if (isDigest(report)) return digestDocument(namedReport(report));
  const named = namedReport(report);
  const document = byKind(named, kind);
  return {
    ...document,
    ...(isUrgent(named, kind) && { urgent: urgentSentences(named) }),
    footer: [
      ...document.footer,
      `${named.digest === undefined ? `Tenant ${line(named.tenantId, 80)}` : `Digest “${named.digest}”`}, reported ${moment(named.toldAt, named.timeZone)}.${named.ledger ? ` Ledger ${named.ledger.hash.slice(0, 12)}.` : ''}`,
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
    case 'digest':
      return operationsDocument(report);
  }
}
