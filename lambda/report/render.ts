import { changesDocument } from './changes.ts';
import { moment } from './format.ts';
import { drawHtml } from './html.ts';
import { operationsDocument } from './operations.ts';
import { line } from './plain-text.ts';
import { startDocument } from './start.ts';
import { subjectOf } from './subject.ts';
import { drawText } from './text.ts';
import type { MailDocument } from './document.ts';
import type { RenderedMail, Report } from './model.ts';
import type { MailKind } from '../ports.ts';

/**
 * Renders one mail of a report. Pure: the same report gives the same mail, byte for byte. Whether the report has
 * anything to tell in a mail of this kind is the caller's to know.
 * @returns a subject of one line, an HTML page under 102 kB, and a plain-text part that lists everything
 */
export function renderMail(report: Report, kind: MailKind): RenderedMail {
  const named: Report = { ...report, name: line(report.name, 200) };
  const document = documentOf(named, kind);
  const complete = { ...document, footer: [...document.footer, ...footer(named, kind)] };
  return { kind, subject: subjectOf(named, kind), html: drawHtml(complete), text: drawText(complete) };
}

function documentOf(report: Report, kind: MailKind): MailDocument {
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

function footer(report: Report, kind: MailKind): string[] {
  const where = kind === 'operations' ? 'under operations' : `as a recipient for ${report.name}`;
  return [
    `You get this mail because you are listed ${where} in the monitor's config.`,
    `Tenant ${line(report.tenantId, 80)}, told ${moment(report.toldAt)}.`,
  ];
}
