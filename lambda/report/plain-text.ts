import { ACTING } from '../characters.ts';

/*
 * Texts from outside (titles, states, advice, links) made fit for people: no markup, no characters that act on
 * their surroundings, never longer than asked. What comes out is plain, not escaped.
 */

/** A link in a text: its part from `start` to `end` (in UTF-16 units) leads to `url`, as `safeLink` returns it. */
export interface TextLink {
  start: number;
  end: number;
  url: string;
}

/** Much longer than any text of the catalogue (about 5 kB); bounds the work that a hostile one can cause. */
export const LONGEST_INPUT = 32_768;

/** The parts of a text, in order, each with the address that it leads to, or null. */
export type TextPart = { text: string; url: string | null };

/**
 * Splits a text at its links.
 * @param links of `text`; any that does not fit it, or is not safe, is ignored
 * @param shown the same text, if it is shortened or on one line
 */
export function partsOf(text: string, links: readonly TextLink[] = [], shown = text): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const link of linksWithin(links, text, shown)) {
    const isWhole = [link.start, link.end].every((at) => shown.slice(0, at).isWellFormed());
    if (link.start < end || !isWhole || safeLink(link.url) !== link.url) continue;
    parts.push({ text: shown.slice(end, link.start), url: null });
    parts.push({ text: shown.slice(link.start, link.end), url: link.url });
    end = link.end;
  }
  return [...parts, { text: shown.slice(end), url: null }].filter((part) => part.text !== '');
}

/** The links of a text that remain in its shown form: the same on one line, or its beginning followed by an ellipsis. */
export function linksWithin(links: readonly TextLink[], text: string, shown: string): TextLink[] {
  const length = shown.length === text.length ? text.length : shown.length - 1;
  const onOneLine = (of: string): string => of.slice(0, length).replaceAll('\n', ' ');
  if (onOneLine(text) !== onOneLine(shown)) return [];
  return links.filter(({ start, end }) => 0 <= start && start < end && end <= length);
}

/** Plain text of several lines: white space folded, no empty lines, no acting characters, bounded. */
export function prose(text: string, maximumLength: number): string {
  return shortened(lines(text), maximumLength);
}

/** Plain text of several lines, however long. */
export function lines(text: string): string {
  return text
    .slice(0, LONGEST_INPUT)
    .split(/[\n\r\u2028\u2029]+/)
    .map(folded)
    .filter((each) => /[^\s•]/.test(each))
    .join('\n');
}

/** Words of ASCII, one blank between them: what most titles and names are, and what `folded` leaves as it is. */
const PLAIN_LINE = /^(?:[!-~]+ )*[!-~]+$/;

/** One line, for titles, subjects and headers: `prose` with line breaks as blanks. */
export function line(text: string, maximumLength: number): string {
  if (text.length <= maximumLength && PLAIN_LINE.test(text)) return text;
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
