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
  return place
    ? `${place[1]} (line ${place[2]}, column ${place[3]})`
    : `${what} (line ${text.split('\n').length})`;
}
