import {
  adviceOf,
  drawFitting,
  firstRows,
  fold,
  limited,
  WHERE_ALL,
  type Folded,
  type MessagePlan,
} from './fold.ts';
import { line, partsOf } from './plain-text.ts';
import { cellText } from './text.ts';
import type { Block, Detail, Entry, MailDocument, SumBlock, TableBlock } from './document.ts';

/**
 * A report as a message of Slack's Block Kit: https://docs.slack.dev/reference/block-kit. What comes from outside stands
 * in rich text and plain text, which Slack shows as they are; in mrkdwn it would read mentions, links and formatting.
 */
export interface SlackMessage {
  /** For notifications, and where blocks cannot be shown: mrkdwn, with the three characters escaped that act in it. */
  text: string;
  blocks: SlackBlock[];
}

export type SlackBlock =
  | { type: 'header'; text: PlainText }
  | { type: 'context'; elements: PlainText[] }
  | { type: 'divider' }
  | { type: 'rich_text'; elements: RichElement[] };

interface PlainText {
  type: 'plain_text';
  text: string;
  /** Whether `:smile:` is one. */
  emoji: false;
}

export type RichElement =
  | { type: 'rich_text_section'; elements: Inline[] }
  | {
      type: 'rich_text_list';
      style: 'bullet';
      elements: { type: 'rich_text_section'; elements: Inline[] }[];
    };

type Inline =
  | { type: 'text'; text: string; style?: { bold: true } }
  | { type: 'link'; url: string; text: string; style?: { bold: true } }
  | { type: 'emoji'; name: string };

/** https://docs.slack.dev/reference/block-kit/blocks/header-block */
const LONGEST_HEADER = 150;

/** Of a notification one sees a few lines. */
const LONGEST_FALLBACK = 400;

/** 50 blocks are the documented limit; of all characters, about 13,000 were seen. With what stands around them they are fewer. */
const MOST_BLOCKS = 50;
const LARGEST = 12_000;

/**
 * Draws a document as blocks, with fewer details where it would be too large.
 * @param options.portal address of the link below: Secure Score of the tenant
 * @returns at most 50 blocks, each of less than 3,000 characters, together less than 12,000 of JSON
 */
export function drawBlocks(document: MailDocument, { portal }: { portal: string }): SlackMessage {
  return {
    text: fallback(document),
    blocks: drawFitting(
      document,
      (of, plan) => blocksOf(of, plan, portal),
      (blocks) => blocks.length <= MOST_BLOCKS && JSON.stringify(blocks).length <= LARGEST,
    ),
  };
}

function fallback({ tenant, title, blocks, urgent = [] }: MailDocument): string {
  const score = blocks.find(({ type }) => type === 'score');
  const now = score?.type === 'score' ? [score.value, score.change?.text].filter(Boolean).join(', ') : '';
  const essence = `${urgent.length > 0 ? 'Urgent: ' : ''}${tenant}: ${now ? `${now}. ` : ''}${title}`;
  return line(essence, LONGEST_FALLBACK)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

function blocksOf(document: MailDocument, plan: MessagePlan, portal: string): SlackBlock[] {
  const folded = fold(document, plan);
  return [
    { type: 'context', elements: [plain(`${document.tenant} · Secure Score`, 300)] },
    ...drawUrgent(document.urgent ?? []),
    // Else the score stands there, and the title below it.
    ...(document.blocks.some(({ type }) => type === 'score') ? [] : [header(document.title)]),
    ...document.blocks.flatMap((block) => drawBlock(block, document, plan, folded)),
    rich(section([{ type: 'link', url: portal, text: 'Open Secure Score', style: { bold: true } }])),
    ...(document.footer.length > 0
      ? [{ type: 'context' as const, elements: [plain(document.footer.join('\n'), 1500)] }]
      : []),
  ];
}

function drawUrgent(sentences: string[]): SlackBlock[] {
  if (sentences.length === 0) return [];
  return [
    rich(
      section([
        { type: 'emoji', name: 'rotating_light' },
        bold(' Urgent '),
        text(sentences.slice(0, 4).join(' ')),
      ]),
    ),
  ];
}

function drawBlock(
  block: Block,
  document: MailDocument,
  plan: MessagePlan,
  folded: (entries: Entry[]) => Folded,
): SlackBlock[] {
  switch (block.type) {
    case 'score':
      return drawScore(block, document);
    case 'chart':
      // Its line stands below the score.
      return [];
    case 'sum':
      return [drawSum(block)];
    case 'heading':
      return [
        ...(block.level === 2 ? [{ type: 'divider' as const }] : []),
        rich(section([bold(block.text), ...(block.aside ? [text(`  ${block.aside}`)] : [])])),
      ];
    case 'paragraph':
      return [rich(section([text(line(block.text, plan.text))]))];
    case 'facts':
      return [{ type: 'context', elements: [plain(limited(block.items, plan.items).join('\n'), 1500)] }];
    case 'list':
      return [rich(list(limited(block.items, plan.items).map((each) => [text(line(each, 250))])))];
    case 'details':
      return block.items.map((each) => rich(section(drawDetail(each, 2 * plan.text))));
    case 'entries':
      return drawEntries(folded(block.entries), plan);
    case 'table':
      return drawTable(block, plan);
  }
}

/** Large, the number and the change; what happened; the line of the last days. */
function drawScore(
  { value, change }: Block & { type: 'score' },
  { title, blocks }: MailDocument,
): SlackBlock[] {
  const chart = blocks.find((block) => block.type === 'chart');
  const mark = change ? { bad: '▼ ', good: '▲ ', neutral: '' }[change.tone] : '';
  return [
    header(change ? `${value}  ${mark}${change.text}` : value),
    rich(
      section([
        bold(line(title, 300)),
        ...(chart ? [text(`\n${chart.line.bars}  ${chart.line.from} – ${chart.line.to}`)] : []),
      ]),
    ),
  ];
}

function drawSum({ sentence, lines }: SumBlock): SlackBlock {
  return rich(
    section([text(sentence)]),
    ...(lines.length > 0
      ? [
          section([text('Also in the sum, in percentage points:')]),
          list(
            lines.map(({ label, amount, note }) => [
              bold(amount),
              text(`  ${note ? `${label}, ${note}` : label}`),
            ]),
          ),
        ]
      : []),
  );
}

function drawDetail({ label, text: of, links }: Detail, maximumLength: number): Inline[] {
  const parts = partsOf(of, links, line(of, maximumLength));
  return [
    bold(`${label}: `),
    ...parts.map((part): Inline =>
      part.url === null ? text(part.text) : { type: 'link', url: part.url, text: part.text },
    ),
  ];
}

function drawEntries({ full, compact, more }: Folded, plan: MessagePlan): SlackBlock[] {
  return [
    ...full.map((entry) => drawEntry(entry, plan)),
    ...(compact.length > 0
      ? [rich(list(compact.map((entry) => [...drawTitle(entry, false), text(`  ${entry.figures}`)])))]
      : []),
    ...(more > 0
      ? [{ type: 'context' as const, elements: [plain(`… and ${more} more, ${WHERE_ALL}.`, 300)] }]
      : []),
  ];
}

function drawEntry(entry: Entry, plan: MessagePlan): SlackBlock {
  const { share, figures, context, notes } = entry;
  const facts = [figures, ...(share === null ? [] : [share]), ...context].join(' · ');
  const notesBelow = notes.map((each) => text(`\n${line(each, plan.text)}`));
  const advice = adviceOf(entry).flatMap((each) => [text('\n'), ...drawDetail(each, plan.text)]);
  return rich(section([...drawTitle(entry, true), text(`\n${facts}`), ...notesBelow, ...advice]));
}

function drawTitle({ mark, amount, title, id, link }: Entry, isBold: boolean): Inline[] {
  const sign = [mark, amount].filter((each) => each !== '').join(' ');
  const shown = line(title, isBold ? 200 : 100);
  const style = isBold ? { style: { bold: true as const } } : {};
  return [
    ...(sign ? [bold(`${sign}  `)] : []),
    link === null
      ? { type: 'text', text: shown, ...style }
      : { type: 'link', url: link, text: shown, ...style },
    ...(id === null ? [] : [text(`  ${id}`)]),
  ];
}

/** A row an item: a phone has no room for columns. */
function drawTable({ columns, rows, sum = false }: TableBlock, plan: MessagePlan): SlackBlock[] {
  const items = firstRows(rows, sum, plan.items).map(([first = '', ...cells]) => {
    const figures = cells
      .map(cellText)
      .flatMap((cell, index) => (cell ? [`${columns[index + 1]?.label ?? ''} ${cell}`] : []));
    return [bold(cellText(first)), text(`  ${figures.join(' · ')}`)];
  });
  const more = rows.length - items.length;
  return [
    rich(list(items)),
    ...(more > 0
      ? [{ type: 'context' as const, elements: [plain(`… and ${more} more rows, ${WHERE_ALL}.`, 300)] }]
      : []),
  ];
}

function header(of: string): SlackBlock {
  return { type: 'header', text: plain(of, LONGEST_HEADER) };
}

function rich(...elements: RichElement[]): SlackBlock {
  return { type: 'rich_text', elements };
}

function section(elements: Inline[]): RichElement & { type: 'rich_text_section' } {
  return { type: 'rich_text_section', elements };
}

function list(items: Inline[][]): RichElement {
  return { type: 'rich_text_list', style: 'bullet', elements: items.map(section) };
}

/** Slack refuses a text without characters. */
function text(of: string): Inline {
  return { type: 'text', text: of || ' ' };
}

function bold(of: string): Inline {
  return { type: 'text', text: of || ' ', style: { bold: true } };
}

/** @param maximumLength the lines of it are kept */
function plain(of: string, maximumLength: number): PlainText {
  const bounded = of.length > maximumLength ? line(of, maximumLength) : of;
  return { type: 'plain_text', text: bounded || ' ', emoji: false };
}
