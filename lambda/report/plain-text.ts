import { Parser } from 'htmlparser2';
import { ACTING } from '../characters.ts';

/**
 * Texts from outside (titles, states, advice, links) made fit for people: no markup, no characters that act on
 * their surroundings, never longer than asked. What comes out is plain, not escaped.
 */

/** Much longer than any text of the catalogue (about 5 kB); bounds the work that a hostile one can cause. */
const LONGEST_INPUT = 32_768;

/** Elements whose content is not for readers. */
const UNREADABLE = new Set(
  'script style title template noscript iframe object svg math textarea xmp noembed noframes head select'.split(
    ' ',
  ),
);

/** Elements that start and end on a line of their own. */
const BLOCKS = new Set(
  'p div ul ol li h1 h2 h3 h4 h5 h6 table tr blockquote pre section article header footer dl dt dd hr'.split(
    ' ',
  ),
);

/**
 * Reads HTML as Graph sends it (lists, links, entities, tabs, unquoted attributes) as plain text: blocks become
 * lines, list items start with a bullet or their number, white space is folded.
 * @param maximumLength in UTF-16 units, the ellipsis included
 * @returns null where nothing readable is left
 */
export function plainText(html: string | null, maximumLength: number): string | null {
  if (html === null) return null;
  let text = '';
  let unreadable = 0;
  const lists: { ordered: boolean; next: number }[] = [];

  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (UNREADABLE.has(name)) unreadable += 1;
        if (BLOCKS.has(name) || name === 'br') text += '\n';
        if (name === 'td' || name === 'th') text += ' ';
        if (name === 'ul' || name === 'ol') {
          lists.push({ ordered: name === 'ol', next: Number.parseInt(attributes.start ?? '', 10) || 1 });
        }
        if (name === 'li') {
          const list = lists.at(-1);
          text += list?.ordered ? `${list.next++}. ` : '• ';
        }
      },
      ontext(piece) {
        // In HTML a line break is white space like any other.
        if (!unreadable) text += piece.replace(/\s+/g, ' ');
      },
      onclosetag(name) {
        if (UNREADABLE.has(name)) unreadable -= 1;
        if (BLOCKS.has(name)) text += '\n';
        if (name === 'ul' || name === 'ol') lists.pop();
      },
    },
    { decodeEntities: true, lowerCaseTags: true },
  );
  parser.end(html.slice(0, LONGEST_INPUT));

  // An item whose text stands in a paragraph of its own would leave its bullet alone on a line.
  return prose(text.replace(/^([ \t]*(?:•|\d+\.))\s*\n\s*/gm, '$1 '), maximumLength) || null;
}

/** Plain text of several lines: white space folded, no empty lines, no acting characters, bounded. */
export function prose(text: string, maximumLength: number): string {
  const lines = text
    .slice(0, LONGEST_INPUT)
    .split(/[\n\r\u2028\u2029]+/)
    .map(folded)
    .filter((each) => /[^\s•]/.test(each));
  return shortened(lines.join('\n'), maximumLength);
}

/** One line, for titles, subjects and headers: as `prose`, and line breaks are blanks. */
export function line(text: string, maximumLength: number): string {
  return shortened(folded(text.slice(0, LONGEST_INPUT)), maximumLength);
}

/**
 * @param url as Graph sends it: it may start with a blank
 * @returns the address in its normal form (ASCII alone), or null unless it is plain https without credentials
 */
export function safeLink(url: string | null): string | null {
  const parsed = url === null ? null : URL.parse(url.trim());
  if (parsed?.protocol !== 'https:' || parsed.username || parsed.password) return null;
  // Longer than any real one; browsers and mail programs cut at about this length.
  return parsed.href.length <= 2048 ? parsed.href : null;
}

function folded(text: string): string {
  return text.replace(/\s+/g, ' ').replace(ACTING, '').replace(/ {2,}/g, ' ').trim();
}

/** Cuts at the end of a word where one is near, never inside a surrogate pair. */
function shortened(text: string, maximumLength: number): string {
  if (text.length <= maximumLength) return text;
  const room = text.slice(0, maximumLength - 1).replace(/[\uD800-\uDBFF]$/, '');
  const wordEnd = /\s/.test(text[room.length] ?? '') ? room.length : room.search(/\s\S*$/);
  const cut = wordEnd > maximumLength / 2 ? room.slice(0, wordEnd) : room;
  return `${cut.replace(/[\s,;:.\-–(]+$/, '')}…`;
}
