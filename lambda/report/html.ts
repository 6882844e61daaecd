import { html } from 'htm/preact';
import { renderToString } from 'preact-render-to-string';
import { fold, PLANS, withoutRows, type Folded, type Plan } from './fold.ts';
import { partsOf } from './plain-text.ts';
import { STYLE, STYLESHEET, TONE, TONE_CLASS } from './style.ts';
import type {
  Block,
  Cell,
  ChartBlock,
  Detail,
  EntriesBlock,
  Entry,
  MailDocument,
  ScoreBlock,
  SumBlock,
  TableBlock,
} from './document.ts';

/** What `html` makes: nodes of preact, which escapes every value. There is no way round it in this file. */
type Drawn = ReturnType<typeof html> | string | null;

/**
 * Gmail clips a mail at about 102 kB, as people measured (nobody agrees whether before or after the transfer encoding,
 * which adds a tenth to our pages): https://github.com/hteumeuleu/email-bugs/issues/41
 */
const LONGEST = 88_000;

/** Draws a document as HTML, with fewer details where it would be too long. */
export function drawHtml(document: MailDocument): string {
  return drawFolded(document).html;
}

/** @returns whether some rows are drawn with fewer details than they have, or not at all */
export function drawFolded(document: MailDocument): { html: string; folded: boolean } {
  const rows = document.blocks.reduce(
    (sum, block) => sum + (block.type === 'entries' ? block.entries.length : 0),
    0,
  );
  for (const plan of PLANS) {
    const drawn = drawPage(document, plan);
    if (Buffer.byteLength(drawn) <= LONGEST) return { html: drawn, folded: rows > plan.full };
  }
  return {
    html: drawPage(
      withoutRows(document, `This is too much for one page: ${whereRest(document)}.`, [
        'score',
        'sum',
        'chart',
        'paragraph',
        'table',
      ]),
      { full: 0, compact: 0, items: 0 },
    ),
    folded: true,
  };
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
                    ${drawUrgent(document.urgent ?? [])}
                    ${document.blocks.map((block) => drawBlock(block, folded, plan, whereAll(document)))}
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

function drawBlock(block: Block, folded: (entries: Entry[]) => Folded, plan: Plan, rest: string): Drawn {
  switch (block.type) {
    case 'score':
      return drawScore(block);
    case 'sum':
      return drawSum(block);
    case 'chart':
      return drawChart(block);
    case 'heading': {
      const aside = block.aside
        ? html` <span class="soft" style=${STYLE.aside}>${bound(block.aside)}</span>`
        : null;
      return block.level === 2
        ? html`<h2 class="rule" style=${STYLE.h2}>${block.text} ${aside}</h2>`
        : html`<h3 style=${STYLE.h3}>${block.text} ${aside}</h3>`;
    }
    case 'paragraph':
      return html`<p style=${STYLE.paragraph}>${bound(block.text)}</p>`;
    case 'facts':
      return drawFacts(block.items);
    case 'list':
      return drawList(block.items, plan.items);
    case 'details':
      return html`${block.items.map(drawDetail)}`;
    case 'entries':
      return drawEntries(folded(block.entries), rest, block.columns);
    case 'table':
      return drawTable(block);
  }
}

/** The word is the sign; the colour comes on top. */
function drawUrgent(sentences: string[]): Drawn {
  if (sentences.length === 0) return null;
  const lines = sentences.map((each) => html`<br />${bound(each)}`);
  return html`<p class="bad urgent" style=${STYLE.urgent}>
    <span style=${STYLE.urgentWord}>Urgent</span>${lines}
  </p>`;
}

function drawScore({ value, change }: ScoreBlock): Drawn {
  return html`
    <p style=${STYLE.score}>${bound(value)}</p>
    ${
      change &&
      html`<p class=${TONE_CLASS[change.tone]} style=${`${STYLE.change};${TONE[change.tone]}`}>
        ${drawMark({ bad: '▼', good: '▲', neutral: '' }[change.tone])}${change.text}
      </p>`
    }
  `;
}

/** The sentence, and below it what else belongs to the sum: one line each. */
function drawSum({ sentence, lines }: SumBlock): Drawn {
  return html`
    <p style=${STYLE.sentence}>${sentence}</p>
    ${
      lines.length > 0 &&
      html`
        <p class="soft" style=${STYLE.also}>Also in the sum, in percentage points:</p>
        <table width="100%" cellpadding="0" cellspacing="0" border="0" style=${STYLE.table}>
          ${lines.map(
            ({ label, amount, note }) => html`
              <tr>
                <th scope="row" align="left" style=${STYLE.part}>
                  ${label}${note && html`<span class="soft" style=${STYLE.label}>, ${note}</span>`}
                </th>
                <td align="right" style=${STYLE.partAmount}>${amount}</td>
              </tr>
            `,
          )}
        </table>
      `
    }
  `;
}

function drawFacts(items: string[]): Drawn {
  const lines = items.map((each, index) => html`${index > 0 && html`<br />`}${bound(each)}`);
  return html`<p class="soft" style=${STYLE.facts}>${lines}</p>`;
}

/** A number and its sign stay on one line. */
function bound(text: string): string {
  return text.replaceAll(' %', '\u00A0%');
}

/**
 * Draws two pictures, one of which is shown: programs without dark mode show the light one. They have no height, so that
 * with images off the description takes no more room than it needs.
 */
function drawChart({ alt, width, contentId }: ChartBlock): Drawn {
  const picture = (id: string) =>
    html`<img src=${`cid:${id}`} width=${width} alt=${alt} style=${STYLE.picture} />`;
  return html`
    <div class="day" style=${STYLE.chart}>${picture(contentId.light)}</div>
    <div class="night" style=${`${STYLE.chart};${STYLE.hiddenPicture}`}>${picture(contentId.dark)}</div>
  `;
}

function whereRest({ list }: MailDocument): string {
  return list === undefined
    ? 'the plain-text part of this mail lists all of it'
    : `the attached ${list} and the plain-text part of this mail list all of it`;
}

/** The place where everything is listed for which there is no room here. */
function whereAll({ list }: MailDocument): string {
  return list === undefined ? 'in the plain-text part of this mail' : `in the attached ${list}`;
}

/** Draws decoration, which a screen reader skips: a sign or a heading repeats its meaning. */
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
    ${more > 0 && drawMore(more, 'in the plain-text part of this mail')}
  `;
}

function drawEntries(
  { full, compact, more }: Folded,
  where: string,
  columns?: EntriesBlock['columns'],
): Drawn {
  return html`
    ${full.map(drawEntry)} ${compact.length > 0 && drawCompact(compact, columns)}
    ${more > 0 && drawMore(more, where)}
  `;
}

function drawEntry(entry: Entry): Drawn {
  return html`
    <div style=${STYLE.entry}>
      <p style=${STYLE.title}>${drawTitle(entry)}</p>
      ${entry.id && html`<p class="soft" style=${STYLE.small}>${entry.id}</p>`}
      <p style=${STYLE.figures}>${drawAmount(entry)}${figures(entry)}</p>
      ${
        entry.context.length > 0 &&
        html`<p class="soft" style=${STYLE.small}>${entry.context.join(' · ')}</p>`
      }
      ${entry.notes.map((note) => html`<p style=${STYLE.detail}>${note}</p>`)}
      ${entry.details.map(drawDetail)}
    </div>
  `;
}

function drawAmount({ mark, amount, tone }: Entry): Drawn {
  return (
    amount &&
    html`<span class=${TONE_CLASS[tone]} style=${`${STYLE.amount};${TONE[tone]}`}>
        ${drawMark(mark)}${amount}</span
      >${'\u2002'}`
  );
}

/** "8 → 5 of 9 points · −0.22 percentage points". */
function figures({ figures: of, share }: Entry): string {
  return share === null ? of : `${of} · ${share}`;
}

function drawTitle({ title, link }: Entry): Drawn {
  return link === null ? title : drawLink(title, link);
}

function drawLink(text: string, url: string): Drawn {
  return html`<a class="link" href=${url} rel="noopener noreferrer" style=${STYLE.link}>${text}</a>`;
}

function drawDetail({ label, text, links }: Detail): Drawn {
  const parts = partsOf(text, links).map((part) =>
    part.url === null
      ? part.text.split('\n').map((each, index) => html`${index > 0 && html`<br />`}${each}`)
      : drawLink(part.text, part.url),
  );
  // Steps stand below each other.
  const drawn = text.includes('\n') ? html`<br />${parts}` : parts;
  return html`<p style=${STYLE.detail}><span class="soft" style=${STYLE.label}>${label}:</span> ${drawn}</p>`;
}

/** One line each, for the less important ones of many. The style stands at the table: there are hundreds of cells. */
function drawCompact(
  entries: Entry[],
  columns = { title: 'Recommendation', figures: 'Points', amount: 'Change' },
): Drawn {
  const moved = entries.some((entry) => entry.amount !== '');
  return html`
    <table width="100%" cellpadding="4" cellspacing="0" border="0" style=${STYLE.compact}>
      <tr>
        <th scope="col" align="left" class="soft rule" style=${STYLE.headCompact}>${columns.title}</th>
        <th scope="col" align="right" width="30%" class="soft rule" style=${STYLE.headCompact}>
          ${columns.figures}
        </th>
        ${moved && html`<th scope="col" align="right" class="soft rule" style=${STYLE.headCompact}>${columns.amount}</th>`}
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

function drawMore(more: number, where: string): Drawn {
  return html`<p class="soft" style=${STYLE.small}>… and ${more} more, ${where}.</p>`;
}

function drawTable({ columns, rows, sum }: TableBlock): Drawn {
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
        (row, at) => html`
          <tr>
            ${row.map((cell, index) =>
              drawCell(
                cell,
                index === 0,
                columns[index]?.align ?? 'left',
                sum === true && at === rows.length - 1,
              ),
            )}
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

function drawCell(cell: Cell, heads: boolean, align: 'left' | 'right', sums: boolean): Drawn {
  if (typeof cell !== 'string') return html`<td width="45%" style=${STYLE.barCell}>${drawBar(cell.bar)}</td>`;
  const ruled = sums ? `;${STYLE.sum}` : '';
  const className = sums ? 'rule' : undefined;
  if (heads)
    return html`<th scope="row" align="left" class=${className} style=${STYLE.first + ruled}>${cell}</th>`;
  const style = align === 'right' ? STYLE.number : STYLE.text;
  return html`<td align=${align} class=${className} style=${style + ruled}>${cell}</td>`;
}
