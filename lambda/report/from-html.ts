import { Parser } from 'htmlparser2';
import { lines, linksWithin, LONGEST_INPUT, prose, safeLink, type TextLink } from './plain-text.ts';

/** Private characters that mark links while a text is read. Those of the text itself are removed before. */
const [OPEN, CLOSE] = ['\uE000', '\uE001'];
const MARKS = /[\uE000\uE001]/g;

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
 * @returns null if nothing readable is left
 */
export function plainText(html: string | null, maximumLength: number): string | null {
  return linkedText(html, maximumLength)?.text ?? null;
}

/**
 * Reads HTML as `plainText` does, and finds its links. Only safe links count, and none whose text is the address of
 * another host.
 * @returns null if nothing readable is left; otherwise the links are in order and do not overlap or span lines
 */
export function linkedText(
  html: string | null,
  maximumLength: number,
): { text: string; links: TextLink[] } | null {
  const marked = html === null ? null : readMarked(html);
  if (!marked) return null;
  const { text: whole, links } = withoutMarks(lines(marked.text), marked.urls);
  const text = prose(marked.text.replace(MARKS, ''), maximumLength);
  if (text === '') return null;
  const isFaithful = prose(whole, maximumLength) === text;
  return { text, links: isFaithful ? linksWithin(links, whole, text) : [] };
}

/** Takes the marks out of a text. @param urls of the links, in order */
function withoutMarks(marked: string, urls: string[]): { text: string; links: TextLink[] } {
  let text = '';
  let start = 0;
  const links: TextLink[] = [];
  for (const [index, piece] of marked.split(/([\uE000\uE001])/).entries()) {
    if (index % 2 === 0) text += piece;
    else if (piece === OPEN) start = text.length;
    else {
      const url = urls[links.length] ?? '';
      links.push({ start, end: text.length, url });
    }
  }
  return { text, links: links.filter((link) => !isElsewhere(text.slice(link.start, link.end), link.url)) };
}

/** True for a text that shows the address of another host than the one it leads to. */
function isElsewhere(text: string, url: string): boolean {
  const [, host] = /^\s*(?:[a-z][a-z0-9+.-]*:\/\/|(?=www\.))([^\s/?#]*)/i.exec(text) ?? [];
  return host !== undefined && host.toLowerCase() !== URL.parse(url)?.host;
}

/** Reads HTML as text with its safe links between marks, a pair for each line that a link has text on. */
function readMarked(html: string): { text: string; urls: string[] } {
  let text = '';
  let unreadable = 0;
  const lists: { ordered: boolean; next: number }[] = [];
  const urls: string[] = [];
  let url: string | null = null;
  let isOpen = false;
  const close = (): void => {
    if (!isOpen) return;
    // White space at the end of a link is put after it, where it can be folded.
    const end = text.trimEnd().length;
    text = `${text.slice(0, end)}${CLOSE}${text.slice(end)}`;
    isOpen = false;
  };

  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (UNREADABLE.has(name)) unreadable += 1;
        if (BLOCKS.has(name) || ['br', 'td', 'th', 'a'].includes(name)) close();
        if (name === 'a') url = safeLink(attributes.href ?? null);
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
        if (unreadable) return;
        // In HTML a line break is white space like any other.
        const content = piece.replace(MARKS, '').replace(/\s+/g, ' ');
        const begin = content.search(/\S/);
        if (url === null || isOpen || begin === -1) text += content;
        else {
          text += `${content.slice(0, begin)}${OPEN}${content.slice(begin)}`;
          urls.push(url);
          isOpen = true;
        }
      },
      onclosetag(name) {
        if (UNREADABLE.has(name)) unreadable -= 1;
        if (BLOCKS.has(name) || name === 'a') close();
        if (name === 'a') url = null;
        if (BLOCKS.has(name)) text += '\n';
        if (name === 'ul' || name === 'ol') lists.pop();
      },
    },
    { decodeEntities: true, lowerCaseTags: true },
  );
  parser.end(html.slice(0, LONGEST_INPUT));
  close();

  // An item whose text stands in a paragraph of its own would leave its bullet alone on a line.
  return { text: text.replace(/^([ \t]*(?:•|\d+\.))\s*\n\s*/gm, '$1 '), urls };
}
