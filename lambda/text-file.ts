import { readFile } from 'node:fs/promises';

/** Byte order marks, with which editors and shells on Windows begin files. */
const MARKS: [encoding: string, bytes: number[]][] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/**
 * Reads a text file that somebody wrote: UTF-8, or UTF-16 with a byte order mark, as written by PowerShell's `>` and
 * Notepad. The text does not include the mark.
 * @throws the error of the file system, as it is
 */
export async function readTextFile(path: string): Promise<string> {
  return decodeText(await readFile(path));
}

/** The text of a file's bytes: see `readTextFile`. Invalid bytes become U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes) ?? 'utf-8').decode(bytes);
}

/** The encoding of the byte order mark; undefined if there is none. */
export function encodingOf(bytes: Uint8Array): string | undefined {
  return MARKS.find(([, mark]) => mark.every((byte, index) => bytes[index] === byte))?.[0];
}

/** The fault of a text that is not JSON, with its position: `Unexpected token (line 3, column 7)`. @param error of JSON.parse */
export function jsonFault({ message }: Error, text: string): string {
  // Node quotes the beginning of the text, line breaks and all.
  const what = message.replaceAll(/\s+/g, ' ');
  const place = /^(.*?)(?: in JSON)? at position \d+ \(line (\d+) column (\d+)\)$/.exec(what);
  if (place) return `${place[1]} (line ${place[2]}, column ${place[3]})`;
  const lines = text.slice(0, tokenFault(text)).split('\n');
  const [token] = UNEXPECTED.exec(what) ?? [];
  return token === undefined
    ? `${what} (line ${lines.length})`
    : `${token} (line ${lines.length}, column ${lines.at(-1)!.length + 1})`;
}

/** What Node says of a token without its position, before it quotes the text. */
const UNEXPECTED = /^Unexpected token '.+?'(?=, )/;

/**
 * The index of the token that Node did not expect, or the length of a text that only ends too early: a beginning of the
 * text has that fault if, and only if, it reaches the token.
 */
function tokenFault(text: string): number {
  const hasFault = (length: number): boolean => {
    try {
      JSON.parse(text.slice(0, length));
      return false;
    } catch (error) {
      return UNEXPECTED.test((error as Error).message);
    }
  };
  let [low, high] = [0, text.length + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (hasFault(middle)) high = middle;
    else low = middle + 1;
  }
  return low > text.length ? text.length : low - 1;
}
