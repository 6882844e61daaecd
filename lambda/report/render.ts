import { pngOf } from './chart/picture.ts';
import { CHART_IDS, chartOf } from './chart/chart-of.ts';
import { drawScoreChart } from './chart/score-chart.ts';
import { changesCsv, LIST_NAME } from './csv.ts';
import { digestChangesCsv, digestTenantsCsv, TENANTS_NAME } from './digest-csv.ts';
import { isDigest, type AnyReport } from './digest-model.ts';
import { documentOf } from './document-of.ts';
import { drawFolded } from './html.ts';
import { namedReport, subjectOf } from './subject.ts';
import { drawText } from './text.ts';
import { isUrgent } from './urgency.ts';
import type { Block, MailDocument } from './document.ts';
import type { RenderedMail, Report } from './model.ts';
import type { Attachment, MailKind } from '../ports.ts';

/**
 * Renders one mail of a report: the same report gives the same mail, byte for byte. The caller decides whether there is
 * anything to report in a mail of this kind. A chart that cannot be drawn does not hold back the mail.
 * @returns a subject of one line, an HTML page under 102 kB, a plain-text part that lists everything; attached the
 *   pictures that the page shows, and the list of changes where the page has no room for them
 */
export async function renderMail(report: AnyReport, kind: MailKind): Promise<RenderedMail> {
  const named = namedReport(report);
  const document = documentOf(named, kind);
  const where =
    kind === 'operations'
      ? 'under operations'
      : isDigest(named)
        ? `as a recipient of the digest “${named.name}”`
        : `as a recipient for ${named.name}`;
  const drawn = await pictures(document, named);
  const complete: MailDocument = {
    ...document,
    blocks: drawn.problem ? document.blocks.map(withoutPicture) : document.blocks,
    footer: [
      ...document.footer,
      `You get this mail because you are listed ${where} in the monitor's config. Change it in monitor.config.ts.`,
    ],
    ...(isList(kind) && { list: LIST_NAME }),
  };
  const { html, folded } = drawFolded(complete);
  return {
    kind,
    subject: subjectOf(named, kind),
    urgent: !isDigest(named) && isUrgent(named, kind),
    html,
    text: drawText(complete),
    attachments: [...drawn.attachments, ...listsOf(named, kind, folded)],
    problem: drawn.problem,
  };
}

/** Of a digest always: which tenants something hit stands there alone. */
function listsOf(report: AnyReport, kind: MailKind, folded: boolean): Attachment[] {
  const csv = (name: string, text: string): Attachment => ({
    name,
    contentType: 'text/csv; charset=utf-8',
    content: Buffer.from(text),
  });
  if (isDigest(report)) {
    return [csv(LIST_NAME, digestChangesCsv(report)), csv(TENANTS_NAME, digestTenantsCsv(report))];
  }
  return folded && isList(kind) ? [csv(LIST_NAME, changesCsv(report))] : [];
}

function isList(kind: MailKind): boolean {
  return kind === 'scores' || kind === 'controls';
}

async function pictures(
  { blocks }: MailDocument,
  { trend }: Pick<Report, 'trend'>,
): Promise<{ attachments: Attachment[]; problem: Error | null }> {
  const chart = blocks.some(({ type }) => type === 'chart') ? chartOf(trend) : null;
  if (chart === null) return { attachments: [], problem: null };
  try {
    const attachments = await Promise.all(
      (['light', 'dark'] as const).map(async (theme) => ({
        name: theme === 'light' ? 'score.png' : 'score-dark.png',
        contentType: 'image/png',
        content: await pngOf(drawScoreChart(chart, theme)),
        contentId: CHART_IDS[theme],
      })),
    );
    return { attachments, problem: null };
  } catch (error) {
    return { attachments: [], problem: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Replaces a picture that could not be drawn by its description. */
function withoutPicture(block: Block): Block {
  return block.type === 'chart' ? { type: 'paragraph', text: block.alt } : block;
}
