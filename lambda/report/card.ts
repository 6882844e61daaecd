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
import type { Block, Cell, Detail, Entry, MailDocument, SumBlock, TableBlock, Tone } from './document.ts';

/**
 * A report as an Adaptive Card for Teams: https://adaptivecards.io/explorer. All text stands in TextRuns, which Teams
 * shows as it is; a TextBlock would read Markdown in it. There is no other element with text in this file.
 */
export interface AdaptiveCard {
  type: 'AdaptiveCard';
  $schema: string;
  version: '1.5';
  /** Where Teams shows cards as wide as the conversation. */
  msteams: { width: 'Full' };
  /** What a notification says, and what is too old for the card shows in its place. */
  fallbackText: string;
  body: Element[];
  actions: OpenUrl[];
}

type Element = RichText | Container | Table;

interface Placing {
  spacing?: 'None' | 'Small' | 'Medium' | 'Large';
  separator?: true;
}

interface RichText extends Placing {
  type: 'RichTextBlock';
  inlines: TextRun[];
}

interface TextRun extends Letters {
  type: 'TextRun';
  text: string;
  selectAction?: OpenUrl;
}

interface Letters {
  size?: 'Small' | 'Medium' | 'Large' | 'ExtraLarge';
  weight?: 'Bolder';
  color?: 'Attention' | 'Good' | 'Accent';
  isSubtle?: true;
}

interface Container extends Placing {
  type: 'Container';
  items: Element[];
  style?: 'attention';
  bleed?: true;
}

interface Table extends Placing {
  type: 'Table';
  columns: { width: number; horizontalCellContentAlignment: 'Left' | 'Right' }[];
  rows: { type: 'TableRow'; cells: { type: 'TableCell'; items: Element[] }[] }[];
  firstRowAsHeader: true;
  showGridLines: false;
}

interface OpenUrl {
  type: 'Action.OpenUrl';
  title?: string;
  url: string;
}

/**
 * Teams says 28 kB for a message, and people saw about 21: https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams
 * The envelope around the card takes less than the rest.
 */
const LARGEST = 20_000;

/**
 * Draws a document as a card, with fewer details where it would be too large.
 * @param options.portal address of the button: Secure Score of the tenant
 * @returns the card, less than 20 kB of JSON
 */
export function drawCard(document: MailDocument, { portal }: { portal: string }): AdaptiveCard {
  return drawFitting(
    document,
    (of, plan) => cardOf(of, plan, portal),
    (card) => Buffer.byteLength(JSON.stringify(card)) < LARGEST,
  );
}

function cardOf(document: MailDocument, plan: MessagePlan, portal: string): AdaptiveCard {
  const folded = fold(document, plan);
  const urgent = document.urgent ?? [];
  const essence = `${urgent.length > 0 ? 'Urgent: ' : ''}${document.tenant}: ${document.title}`;
  return {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.5',
    msteams: { width: 'Full' },
    fallbackText: literal(line(essence, 400)),
    body: [
      ...(urgent.length > 0 ? [drawUrgent(urgent)] : []),
      rich([run(`${document.tenant} · Secure Score`, { size: 'Small', isSubtle: true })]),
      rich([run(document.title, { size: 'Large', weight: 'Bolder' })], { spacing: 'Small' }),
      ...document.blocks.flatMap((block) => drawBlock(block, document, plan, folded)),
      ...document.footer.map((each, index) =>
        rich([run(each, SMALL)], index === 0 ? { spacing: 'Large', separator: true } : { spacing: 'Small' }),
      ),
    ],
    actions: [{ type: 'Action.OpenUrl', title: 'Open Secure Score', url: portal }],
  };
}

const SMALL: Letters = { size: 'Small', isSubtle: true };

const COLOUR: Record<Tone, Letters> = {
  bad: { color: 'Attention' },
  good: { color: 'Good' },
  neutral: { isSubtle: true },
};

/** On a ground of its own, across the whole card. */
function drawUrgent(sentences: string[]): Element {
  return {
    type: 'Container',
    style: 'attention',
    bleed: true,
    items: [
      rich([run('Urgent', { weight: 'Bolder', color: 'Attention' })]),
      ...sentences.slice(0, 4).map((each) => rich([run(each)], { spacing: 'None' })),
    ],
  };
}

function drawBlock(
  block: Block,
  document: MailDocument,
  plan: MessagePlan,
  folded: (entries: Entry[]) => Folded,
): Element[] {
  switch (block.type) {
    case 'score':
      return drawScore(block, document);
    case 'chart':
      // Its line stands beside the score.
      return [];
    case 'sum':
      return drawSum(block);
    case 'heading':
      return [
        rich(
          [
            run(block.text, { weight: 'Bolder', ...(block.level === 2 && { size: 'Medium' }) }),
            ...(block.aside ? [run(`  ${block.aside}`, { isSubtle: true })] : []),
          ],
          block.level === 2 ? { spacing: 'Large', separator: true } : { spacing: 'Medium' },
        ),
      ];
    case 'paragraph':
      return [rich([run(line(block.text, plan.text))])];
    case 'facts':
      return limited(block.items, plan.items).map((each) => rich([run(each, SMALL)], { spacing: 'Small' }));
    case 'list':
      return limited(block.items, plan.items).map((each) =>
        rich([run(`•  ${line(each, plan.text)}`)], { spacing: 'Small' }),
      );
    case 'details':
      return block.items.map((each) => drawDetail(each, plan));
    case 'entries':
      return drawEntries(folded(block.entries), plan);
    case 'table':
      return drawTable(block, plan);
  }
}

/** The number and the change; below them the line of the last days. */
function drawScore({ value, change }: Block & { type: 'score' }, { blocks }: MailDocument): Element[] {
  const chart = blocks.find((block) => block.type === 'chart');
  const mark = change ? { bad: '▼ ', good: '▲ ', neutral: '' }[change.tone] : '';
  return [
    rich([run(value, { size: 'ExtraLarge', weight: 'Bolder' })]),
    ...(change
      ? [rich([run(mark + change.text, { weight: 'Bolder', ...COLOUR[change.tone] })], { spacing: 'None' })]
      : []),
    ...(chart
      ? [
          rich([
            run(chart.line.bars, { size: 'Medium', color: 'Accent' }),
            run(`  ${chart.line.from} – ${chart.line.to}`, SMALL),
          ]),
        ]
      : []),
  ];
}

function drawSum({ sentence, lines }: SumBlock): Element[] {
  return [
    rich([run(sentence)]),
    ...(lines.length > 0
      ? [rich([run('Also in the sum, in percentage points:', SMALL)], { spacing: 'Small' })]
      : []),
    ...lines.map(({ label, amount, note }) =>
      rich(
        [
          run(`${amount}  `, { size: 'Small', weight: 'Bolder' }),
          run(note ? `${label}, ${note}` : label, SMALL),
        ],
        { spacing: 'None' },
      ),
    ),
  ];
}

function drawDetail(detail: Detail, plan: MessagePlan): Element {
  return rich([run(`${detail.label}: `, { isSubtle: true }), ...drawLinked(detail, 2 * plan.text)], {
    spacing: 'Small',
  });
}

function drawLinked({ text, links }: Detail, maximumLength: number, letters: Letters = {}): TextRun[] {
  return partsOf(text, links, line(text, maximumLength)).map((part) =>
    link(run(part.text, letters), part.url),
  );
}

function link(of: TextRun, url: string | null): TextRun {
  return url === null ? of : { ...of, selectAction: { type: 'Action.OpenUrl', url } };
}

function drawEntries({ full, compact, more }: Folded, plan: MessagePlan): Element[] {
  return [
    ...full.map((entry) => drawEntry(entry, plan)),
    ...compact.map((entry) =>
      rich([...drawTitle(entry, {}), run(`  ${entry.figures}`, SMALL)], { spacing: 'Small' }),
    ),
    ...(more > 0 ? [rich([run(`… and ${more} more, ${WHERE_ALL}.`, SMALL)], { spacing: 'Small' })] : []),
  ];
}

function drawEntry(entry: Entry, plan: MessagePlan): Element {
  const { share, figures, context, notes } = entry;
  return {
    type: 'Container',
    spacing: 'Medium',
    items: [
      rich(drawTitle(entry, { weight: 'Bolder' })),
      rich(
        [
          run(share === null ? figures : `${figures} · ${share}`, { size: 'Small' }),
          ...(context.length > 0 ? [run(` · ${context.join(' · ')}`, SMALL)] : []),
        ],
        { spacing: 'None' },
      ),
      ...notes.map((each) => rich([run(line(each, plan.text), { size: 'Small' })], { spacing: 'None' })),
      ...adviceOf(entry).map((each) =>
        rich([run(`${each.label}: `, SMALL), ...drawLinked(each, plan.text, { size: 'Small' })], {
          spacing: 'Small',
        }),
      ),
    ],
  };
}

function drawTitle({ mark, amount, tone, title, id, link: url }: Entry, letters: Letters): TextRun[] {
  const sign = [mark, amount].filter((each) => each !== '').join(' ');
  return [
    ...(sign ? [run(`${sign}  `, { weight: 'Bolder', ...COLOUR[tone] })] : []),
    link(run(title, letters), url),
    ...(id === null ? [] : [run(`  ${id}`, SMALL)]),
  ];
}

/** In characters. */
const LONGEST_WORD = 16;
const SPACE = 3;

function drawTable({ columns, rows, sum = false }: TableBlock, plan: MessagePlan): Element[] {
  const shown = firstRows(rows, sum, plan.items);
  const more = rows.length - shown.length;
  const row = (texts: Cell[], letters: (index: number) => Letters): Table['rows'][number] => ({
    type: 'TableRow',
    cells: texts.map((cell, index) => ({
      type: 'TableCell',
      items: [rich([run(cellText(cell), letters(index))])],
    })),
  });
  return [
    {
      type: 'Table',
      firstRowAsHeader: true,
      showGridLines: false,
      columns: columns.map(({ label, align }, index) => ({
        width: widthOf([label, ...shown.map((cells) => cellText(cells[index]!))]),
        horizontalCellContentAlignment: align === 'right' ? 'Right' : 'Left',
      })),
      rows: [
        row(
          columns.map(({ label }) => label),
          () => SMALL,
        ),
        ...shown.map((texts, index) =>
          row(texts, () => ({
            size: 'Small',
            ...(sum && index === shown.length - 1 && { weight: 'Bolder' }),
          })),
        ),
      ],
    },
    ...(more > 0 ? [rich([run(`… and ${more} more rows, ${WHERE_ALL}.`, SMALL)], { spacing: 'Small' })] : []),
  ];
}

/**
 * Room for the words of a column, so that none is broken on a phone, and for the space between columns; a word that is
 * too long for any column is broken.
 */
function widthOf(texts: string[]): number {
  const words = texts.flatMap((text) => text.replaceAll(' %', '_%').split(/[ \n]+/));
  return Math.min(Math.max(...words.map(({ length }) => length)), LONGEST_WORD) + SPACE;
}

function rich(inlines: TextRun[], placing: Placing = {}): RichText {
  return { type: 'RichTextBlock', inlines, ...placing };
}

function run(text: string, letters: Letters = {}): TextRun {
  return { type: 'TextRun', text: literal(text) || '\u00A0', ...letters };
}

/** Two opening braces begin a function of the card's own (`{{DATE(…)}}`), which works in any text. */
function literal(text: string): string {
  return text.replace(/\{(?=\{)/g, '{ ');
}
