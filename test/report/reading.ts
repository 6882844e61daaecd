import { Parser } from 'htmlparser2';

/** What a reader, or a mail program, meets in an HTML part. */
export interface Reading {
  elements: { name: string; attributes: Record<string, string> }[];
  /** All text, entities decoded, white space folded; without the stylesheet. */
  text: string;
  unclosed: boolean;
}

export function readHtml(html: string): Reading {
  const elements: Reading['elements'] = [];
  const open: string[] = [];
  let text = '';
  let unclosed = false;
  const parser = new Parser({
    onopentag(name, attributes) {
      elements.push({ name, attributes });
      open.push(name);
      if (!INLINE.has(name)) text += ' ';
    },
    ontext(piece) {
      if (open.at(-1) !== 'style') text += piece;
    },
    onclosetag(name, implied) {
      open.pop();
      if (implied && !VOID.has(name)) unclosed = true;
    },
  });
  parser.end(html);
  return { elements, text: text.replace(/\s+/g, ' ').trim(), unclosed };
}

const VOID = new Set(['meta', 'br', 'hr', 'img']);
const INLINE = new Set(['span', 'a', 'strong']);

const ELEMENTS = new Set(
  'html head meta title style body div table tbody tr th td h1 h2 h3 p ul li a br span img'.split(' '),
);
const ATTRIBUTES = new Set(
  'lang charset name content class style role width valign cellpadding cellspacing border align scope href rel aria-hidden src alt'.split(
    ' ',
  ),
);

/**
 * Whatever a page was made from, it has no element or attribute but ours, no script, nothing to load, links by https
 * alone, and no character that acts on its surroundings.
 * @returns what is wrong, empty if nothing
 */
export function harmsOf(html: string): string[] {
  const { elements, unclosed } = readHtml(html);
  return [
    ...elements.filter(({ name }) => !ELEMENTS.has(name)).map(({ name }) => `element ${name}`),
    ...elements.flatMap(({ attributes }) =>
      Object.entries(attributes).flatMap(([name, value]) => {
        if (!ATTRIBUTES.has(name)) return [`attribute ${name}`];
        if (name === 'href' && !/^https:\/\/[!-~]+$/.test(value)) return [`link ${value}`];
        // Nothing to load but what is attached.
        if (name === 'src' && !/^cid:[\w@-]+$/.test(value)) return [`source ${value}`];
        if (name === 'style' && /url|expression|import/i.test(value)) return [`style ${value}`];
        return [];
      }),
    ),
    ...(elements.filter(({ name }) => name === 'html' || name === 'body').length === 2
      ? []
      : ['a second page']),
    ...(unclosed ? ['an element left open'] : []),
    ...(/[\p{Cf}\p{Cs}]|[^\P{Cc}\n]/u.test(html) ? ['acting characters'] : []),
    ...(Buffer.byteLength(html) < 102_000 ? [] : ['longer than Gmail shows']),
  ];
}

/** Reads RFC 4180, as a spreadsheet does. */
export function readCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)!.push(quoted === undefined ? bare! : quoted.replaceAll('""', '"'));
    if (end === '\r\n') rows.push([]);
    if (end === '') break;
  }
  return rows.slice(0, -1);
}
