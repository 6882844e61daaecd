import { MonitorError, quote } from '../errors.ts';

/** An address with the name that people see. */
export interface Mailbox {
  name: string;
  address: string;
}

/**
 * Parses `secure-score@contoso.com` or `Secure Score <secure-score@contoso.com>`. The config's schema has seen them;
 * this is the last door before a header, so it lets through nothing that could start a second address or line.
 * @throws MonitorError `mail-address-invalid`
 */
export function parseMailbox(text: string): Mailbox {
  const [, name, angled, bare] = /^(?:([^<>"\p{C}]*)<([^<>\s]+)>|([^<>\s]+))$/u.exec(text.trim()) ?? [];
  const address = angled ?? bare;
  // Printable ASCII, one @, and none of the characters that have a meaning in a list of addresses.
  if (address === undefined || !/^[!#-'*+\-./0-9=?A-Z^-~]+@[A-Za-z0-9.-]+$/.test(address)) {
    throw new MonitorError(
      'mail-address-invalid',
      `${quote(text)} is not an e-mail address.`,
      'Correct the address in the config: one address, or a name and an address: Secure Score <secure-score@contoso.com>.',
    );
  }
  return { name: name?.trim() ?? '', address };
}

/**
 * Writes a mailbox for a header. SES takes ASCII alone, and wants other names as encoded words (RFC 2047):
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Destination.html
 */
export function formatMailbox({ name, address }: Mailbox): string {
  if (name === '') return address;
  const ascii = /^[\x20-\x7e]*$/.test(name);
  return `${ascii ? `"${name.replace(/["\\]/g, '\\$&')}"` : encodedWords(name)} <${address}>`;
}

/** An encoded word has at most 75 characters, 12 of them around the base64, and holds whole characters. */
const BYTES_A_WORD = 45;

function encodedWords(text: string): string {
  const words: string[] = [];
  let current = '';
  for (const character of text) {
    if (Buffer.byteLength(current + character) > BYTES_A_WORD) {
      words.push(current);
      current = '';
    }
    current += character;
  }
  return [...words, current].map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join(' ');
}
