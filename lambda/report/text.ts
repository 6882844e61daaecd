import { partsOf, safeLink, type TextPart } from './plain-text.ts';
import type { Block, Cell, Detail, Entry, MailDocument, TableBlock } from './document.ts';

/** Columns of the plain-text part: what RFC 5322 recommends for a line. */
const WIDTH = 78;

/** A first column of fewer would hold no word. */
const LEAST_WIDTH = 20;

/** Draws a document as plain text. Nothing is folded: this part lists all. */
export function drawText(document: MailDocument): string {
  const parts = [
    wrap(`${document.tenant} · Secure Score`),
    underlined(document.title, '='),
    ...(document.urgent?.length ? [wrap(`URGENT. ${document.urgent.join(' ')}`)] : []),
    ...document.blocks.map(drawBlock),
    '-'.repeat(WIDTH),
    ...document.footer.map((each) => wrap(each)),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function drawBlock(block: Block): string {
  switch (block.type) {
    case 'score':
      return [block.value, block.change?.text]
        .flatMap((each) => (each ? [wrap(each, '  ', '  ')] : []))
        .join('\n');
    case 'sum':
      return [
        wrap(block.sentence),
        ...block.lines.map(({ label, amount, note }) =>
          wrap(`${label}: ${amount}${note && `, ${note}`}`, '- ', '  '),
        ),
      ].join('\n');
    case 'chart':
      return wrap(block.alt);
    case 'heading': {
      const text = block.aside ? `${block.text}: ${block.aside}` : block.text;
      return block.level === 2 ? underlined(text, '-') : wrap(text);
    }
    case 'paragraph':
      return wrap(block.text);
    case 'facts':
      return block.items.map((item) => wrap(item)).join('\n');
    case 'list':
      return block.items.map((item) => wrap(item, '- ', '  ')).join('\n');
    case 'details':
      return block.items.map((item) => drawDetail(item, '')).join('\n\n');
    case 'entries':
      return drawEntries(block.entries);
    case 'table':
      return drawTable(block);
  }
}

function drawEntries(entries: Entry[]): string {
  const signs = entries.map((entry) => [entry.mark, entry.amount].filter((each) => each !== '').join(' '));
  const width = Math.max(0, ...signs.map((sign) => sign.length)) + 2;
  const indent = ' '.repeat(width);
  return entries
    .map((entry, index) =>
      [
        wrap(entry.title, (signs[index] ?? '').padEnd(width), indent),
        entry.id === null ? '' : indent + entry.id,
        wrap(
          [entry.figures, ...(entry.share === null ? [] : [entry.share]), ...entry.context].join(' · '),
          indent,
          indent,
        ),
        ...entry.notes.map((note) => wrap(note, indent, indent)),
        ...entry.details.map((detail) => drawDetail(detail, indent)),
        entry.link === null ? '' : indent + entry.link,
      ]
        .filter((part) => part !== '')
        .join('\n'),
    )
    .join('\n\n');
}

function drawDetail({ label, text, links }: Detail, indent: string): string {
  const lines = partsOf(text, links).map(withAddress).join('').split('\n');
  const deeper = `${indent}  `;
  // Steps stand below each other.
  const [first = '', rest] = lines.length === 1 ? [lines[0], []] : ['', lines];
  return [
    wrap(`${label}: ${first}`, indent, deeper),
    ...rest.map((each) => wrap(each, deeper, `${deeper}  `)),
  ].join('\n');
}

/** A link with its address behind it, unless its text is the address. */
function withAddress({ text, url }: TextPart): string {
  return url === null || safeLink(text) === url ? text : `${text} (${url})`;
}

/** Where the names in the first column are too long for a line, they go on below. */
function drawTable({ columns, rows }: TableBlock): string {
  const texts = [columns.map((column) => column.label), ...rows.map((row) => row.map(cellText))];
  const widths = columns.map((_, index) => Math.max(...texts.map((row) => length(row[index] ?? ''))));
  const rest = widths.slice(1).reduce((sum, width) => sum + width + 2, 0);
  widths[0] = Math.min(widths[0] ?? 0, Math.max(WIDTH - rest, LEAST_WIDTH));
  const drawn = texts.map(([name = '', ...cells]) => {
    const [first = '', ...more] = wrap(name, '', '', widths[0]).split('\n');
    const row = [first, ...cells]
      .map((text, index) => {
        const gap = ' '.repeat(Math.max(0, (widths[index] ?? 0) - length(text)));
        return columns[index]?.align === 'right' ? gap + text : text + gap;
      })
      .join('  ')
      .trimEnd();
    return [row, ...more].join('\n');
  });
  return [drawn[0], widths.map((width) => '-'.repeat(width)).join('  '), ...drawn.slice(1)].join('\n');
}

/** A bar of 20 characters. */
export function cellText(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  const filled = Math.round(20 * Math.min(1, Math.max(0, cell.bar)));
  return '█'.repeat(filled) + '░'.repeat(20 - filled);
}

function underlined(text: string, rule: string): string {
  const lines = wrap(text);
  return `${lines}\n${rule.repeat(Math.max(...lines.split('\n').map(length)))}`;
}

/** Breaks between words; a word longer than a line (an address) stays whole. */
function wrap(text: string, first = '', next = '', width = WIDTH): string {
  const lines: string[] = [];
  let current = first;
  let empty = true;
  for (const word of text.split(/\s+/).filter((each) => each !== '')) {
    if (!empty && current.length + 1 + word.length > width) {
      lines.push(current);
      current = next;
      empty = true;
    }
    current += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, current].join('\n');
}

/** In code points: near enough to columns, for the scripts that our texts are written in. */
function length(text: string): number {
  return Array.from(text).length;
}
