import { html } from 'htm/preact';
import { renderToString } from 'preact-render-to-string';
import { fold, PLANS, withoutRows, type Folded, type Plan } from './fold.ts';
import { STYLE, STYLESHEET, TONE, TONE_CLASS } from './style.ts';
import type { Block, Cell, Detail, Entry, MailDocument, ScoreBlock, TableBlock } from './document.ts';

/** What `html` makes: nodes of preact, which escapes every value. There is no way round it in this file. */
type Drawn = ReturnType<typeof html> | string | null;

/**
 * Gmail clips a mail at about 102 kB, as people measured (nobody agrees whether before or after the transfer encoding,
 * which adds a tenth to our pages): https://github.com/hteumeuleu/email-bugs/issues/41
 */
const LONGEST = 88_000;

/** Draws a document as HTML, with fewer details where it would be too long. */
export function drawHtml(document: MailDocument): string {
  for (const plan of PLANS) {
    const drawn = drawPage(document, plan);
    if (Buffer.byteLength(drawn) <= LONGEST) return drawn;
  }
  return drawPage(withoutRows(document), { full: 0, compact: 0, items: 0 });
}

function drawPage(document: MailDocument, plan: Plan): string {
  const folded = fold(document, plan);
  const page = html`
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <title>${document.tenant}: ${document.title}</title>
        <style>
          ${STYLESHEET}
        </style>
      </head>
      <body class="page" style=${STYLE.body}>
        <div style=${STYLE.hidden}>${document.preview}</div>
        <table
          role="presentation"
          class="page"
          width="100%"
          cellpadding="0"
          cellspacing="0"
          border="0"
          style=${STYLE.page}
        >
          <tr>
            <td class="outer" align="center" style=${STYLE.outer}>
              <table
                role="presentation"
                class="card"
                width="600"
                cellpadding="0"
                cellspacing="0"
                border="0"
                style=${STYLE.card}
              >
                <tr>
                  <td class="pad ink" style=${STYLE.content}>
                    <p class="soft" style=${STYLE.tenant}>${document.tenant} · Secure Score</p>
                    <h1 style=${STYLE.h1}>${document.title}</h1>
                    ${document.blocks.map((block) => drawBlock(block, folded, plan))}
                  </td>
                </tr>
                <tr>
                  <td class="pad soft" style=${STYLE.footer}>
                    ${document.footer.map((each) => html`<p style=${STYLE.footnote}>${each}</p>`)}
                  </td>
                </tr>
              </table>
            </td>
          </tr>
        </table>
      </body>
    </html>
  `;
  return `<!doctype html>\n${renderToString(page)}\n`;
}

function drawBlock(block: Block, folded: (entries: Entry[]) => Folded, plan: Plan): Drawn {
  switch (block.type) {
    case 'score':
      return drawScore(block);
    case 'heading': {
      const aside = block.aside ? html` <span class="soft" style=${STYLE.aside}>${block.aside}</span>` : null;
      return block.level === 2
        ? html`<h2 class="rule" style=${STYLE.h2}>${block.text} ${aside}</h2>`
        : html`<h3 style=${STYLE.h3}>${block.text} ${aside}</h3>`;
    }
    case 'paragraph':
      return html`<p style=${STYLE.paragraph}>${block.text}</p>`;
    case 'list':
      return drawList(block.items, plan.items);
    case 'details':
      return html`${block.items.map(drawDetail)}`;
    case 'entries':
      return drawEntries(folded(block.entries));
    case 'table':
      return drawTable(block);
  }
}

function drawScore({ value, change, detail, fraction }: ScoreBlock): Drawn {
  return html`
    <p style=${STYLE.score}>${value}</p>
    ${
      change &&
      html`<p class=${TONE_CLASS[change.tone]} style=${`${STYLE.change};${TONE[change.tone]}`}>
        ${drawMark({ bad: '▼', good: '▲', neutral: '' }[change.tone])}${change.text}
      </p>`
    }
    <p class="soft" style=${STYLE.small}>${detail}</p>
    ${fraction === null ? null : html`<div style="margin:12px 0 20px">${drawBar(fraction)}</div>`}
  `;
}

/** Decoration: what it says is said again by a sign or a heading, which is what a screen reader reads. */
function drawMark(mark: string): Drawn {
  return mark && html`<span aria-hidden="true">${mark}${' '}</span>`;
}

function drawBar(fraction: number): Drawn {
  const filled = Math.round(100 * Math.min(1, Math.max(0, fraction)));
  return html`
    <table
      role="presentation"
      aria-hidden="true"
      class="track"
      width="100%"
      cellpadding="0"
      cellspacing="0"
      border="0"
      style=${STYLE.track}
    >
      <tr>
        ${filled > 0 && html`<td class="bar" width=${`${filled}%`} style=${STYLE.filled}>${' '}</td>`}
        ${filled < 100 && html`<td style=${STYLE.rest}>${' '}</td>`}
      </tr>
    </table>
  `;
}

function drawList(items: string[], maximum: number): Drawn {
  const more = items.length - maximum;
  return html`
    <ul style=${STYLE.list}>
      ${items.slice(0, maximum).map((item) => html`<li>${item}</li>`)}
    </ul>
    ${more > 0 && drawMore(more)}
  `;
}

function drawEntries({ full, compact, more }: Folded): Drawn {
  return html`
    ${
      full.length > 0 &&
      html`
        <table
          role="presentation"
          width="100%"
          cellpadding="0"
          cellspacing="0"
          border="0"
          style=${STYLE.table}
        >
          ${full.map(drawEntry)}
        </table>
      `
    }
    ${compact.length > 0 && drawCompact(compact)} ${more > 0 && drawMore(more)}
  `;
}

function drawEntry(entry: Entry): Drawn {
  return html`
    <tr>
      <td
        class=${TONE_CLASS[entry.tone]}
        style=${`${entry.amount ? STYLE.sign : STYLE.mark};${TONE[entry.tone]}`}
      >
        ${drawMark(entry.mark)}${entry.amount}
      </td>
      <td style=${STYLE.entry}>
        <p style=${STYLE.title}>${drawTitle(entry)}</p>
        ${entry.id && html`<p class="soft" style=${STYLE.small}>${entry.id}</p>`}
        <p class="soft" style=${STYLE.small}>${[entry.figures, ...entry.context].join(' · ')}</p>
        ${entry.details.map(drawDetail)}
        ${entry.note && html`<p class="soft" style=${STYLE.small}>${entry.note}</p>`}
      </td>
    </tr>
  `;
}

function drawTitle({ title, link }: Entry): Drawn {
  return link === null ? title : html`<a class="link" href=${link} style=${STYLE.link}>${title}</a>`;
}

function drawDetail({ label, text }: Detail): Drawn {
  const lines = text.split('\n');
  // Steps stand below each other.
  const drawn = lines.length === 1 ? text : lines.map((each) => html`<br />${each}`);
  return html`<p style=${STYLE.detail}><span class="soft" style=${STYLE.label}>${label}:</span> ${drawn}</p>`;
}

/** One line each, for the less important ones of many. The style stands at the table: there are hundreds of cells. */
function drawCompact(entries: Entry[]): Drawn {
  const moved = entries.some((entry) => entry.amount !== '');
  return html`
    <table width="100%" cellpadding="4" cellspacing="0" border="0" style=${STYLE.compact}>
      <tr>
        <th scope="col" align="left" class="soft rule" style=${STYLE.headCompact}>Recommendation</th>
        <th scope="col" align="right" width="30%" class="soft rule" style=${STYLE.headCompact}>Points</th>
        ${moved && html`<th scope="col" align="right" class="soft rule" style=${STYLE.headCompact}>Change</th>`}
      </tr>
      ${entries.map(
        (entry) => html`
          <tr valign="top">
            <td>${entry.id ? `${entry.title} (${entry.id})` : entry.title}</td>
            <td align="right">${entry.figures}</td>
            ${moved && html`<td align="right">${entry.amount}</td>`}
          </tr>
        `,
      )}
    </table>
  `;
}

function drawMore(more: number): Drawn {
  return html`<p class="soft" style=${STYLE.small}>
    … and ${more} more, in the plain-text part of this mail.
  </p>`;
}

function drawTable({ columns, rows }: TableBlock): Drawn {
  return html`
    <table width="100%" cellpadding="0" cellspacing="0" border="0" style=${STYLE.table}>
      <tr>
        ${columns.map(
          ({ label, align }, index) =>
            html`<th scope="col" align=${align} class="soft rule" style=${headStyle(align, index === 0)}>
              ${label}
            </th>`,
        )}
      </tr>
      ${rows.map(
        (row) => html`
          <tr>
            ${row.map((cell, index) => drawCell(cell, index === 0, columns[index]?.align ?? 'left'))}
          </tr>
        `,
      )}
    </table>
  `;
}

function headStyle(align: 'left' | 'right', first: boolean): string {
  if (align === 'right') return STYLE.headNumber;
  return first ? STYLE.head : STYLE.headText;
}

function drawCell(cell: Cell, heads: boolean, align: 'left' | 'right'): Drawn {
  if (typeof cell !== 'string') return html`<td width="45%" style=${STYLE.barCell}>${drawBar(cell.bar)}</td>`;
  if (heads) return html`<th scope="row" align="left" style=${STYLE.first}>${cell}</th>`;
  return html`<td align=${align} style=${align === 'right' ? STYLE.number : STYLE.text}>${cell}</td>`;
}
