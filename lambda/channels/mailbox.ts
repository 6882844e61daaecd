import { domainToASCII } from 'node:url';
import parseAddressList from 'nodemailer/lib/addressparser';
import { actingCharacter } from '../characters.ts';
import { MonitorError, quote } from '../errors.ts';

/** An address with the name that people see. */
export interface Mailbox {
  /** Empty if there is none. */
  name: string;
  /** ASCII only: the domain is in the form of the DNS (punycode). */
  address: string;
}

/** Maximum lengths of a local part, an address and a domain's label: https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1 */
const LONGEST = { local: 64, address: 254, label: 63, name: 200 };

const FORMS = 'an e-mail address, or a name and an address: Secure Score <secure-score@contoso.com>';

/** Atoms of RFC 5322, separated by dots. */
const LOCAL = /^[\w!#$%&'*+\-/=?^`{|}~]+(\.[\w!#$%&'*+\-/=?^`{|}~]+)*$/;

/**
 * Parses `secure-score@contoso.com`, `Secure Score <secure-score@contoso.com>` or `"Contoso, Ltd." <…>`. It is the only
 * reader of addresses, for the config and for every sender. A name without quotation marks may contain commas and
 * brackets, because one text is one mailbox. It is the last check before a header, so it accepts nothing that could start
 * a second address or line.
 * @throws MonitorError `mail-address-invalid` with the rule that the text breaks
 */
export function parseMailbox(text: string): Readonly<Mailbox> {
  const found = findMailbox(text);
  if (typeof found !== 'string') return found;
  throw new MonitorError(
    'mail-address-invalid',
    `${quote(text)} is not an e-mail address: ${found}.`,
    `Correct the address in the config: ${FORMS}.`,
  );
}

/** What texts were found to be: a config lists the same people for many tenants. */
const known = new Map<string, Readonly<Mailbox> | string>();
const MOST_KNOWN = 10_000;

/** @returns the mailbox, or the reason why the text is none, as a clause like `expected one address …` */
export function findMailbox(text: string): Readonly<Mailbox> | string {
  let found = known.get(text);
  if (found === undefined) {
    found = read(text);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, found);
  }
  return found;
}

function read(text: string): Mailbox | string {
  const trimmed = text.trim();
  const acting = actingCharacter(trimmed);
  if (acting !== undefined) return `expected one line without the invisible character ${acting}`;
  const [, name, angled] = /^((?:"(?:[^"\\]|\\.)*"|[^<>"])*)<([^<>]*)>$/u.exec(trimmed) ?? [];
  const bare = angled?.trim() ?? trimmed;
  // Names are quoted, because the parser would read parts of an unquoted one as addresses and comments.
  const written = name === undefined || name.includes('"') ? trimmed : `${quoted(name.trim())} <${bare}>`;
  const [mailbox, ...others] = parseAddressList(written);
  if (others.length > 0)
    return `expected one address, not ${others.length + 1}: write each as a text of its own`;
  // The result is compared with the text, because the lenient parser skips blanks, comments and text after an address.
  if (mailbox?.address !== bare || (name === undefined && mailbox.name !== '')) return `expected ${FORMS}`;
  if (mailbox.name.length > LONGEST.name) return `expected a name of at most ${LONGEST.name} characters`;
  return checkAddress(bare, mailbox.name.trim());
}

function checkAddress(bare: string, name: string): Mailbox | string {
  const at = bare.lastIndexOf('@');
  const [local, written] = [bare.slice(0, at), bare.slice(at + 1)];
  if (at < 1) return `expected ${FORMS}`;
  if (/\P{ASCII}/u.test(local)) {
    // https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Destination.html
    return `expected only ASCII before the @, because Amazon SES sends to no other address: ${quote(local)} has ${quote(local.match(/\P{ASCII}/u)?.[0])}. Use another address (an alias) of the same mailbox`;
  }
  if (!LOCAL.test(local)) return `expected an e-mail address: ${quote(local)} cannot stand before the @`;
  // Checked first, because domainToASCII decodes per cent signs and stops at a slash.
  const domain = /^(?:[\p{L}\p{N}\p{M}.\u3002-]|\u200C|\u200D)+$/u.test(written)
    ? domainToASCII(written)
    : '';
  const labels = domain.split('.');
  const isDomain =
    labels.length > 1 &&
    labels.every((label) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label) && label.length <= LONGEST.label) &&
    !/^\d+$/.test(labels.at(-1) ?? '');
  if (!isDomain) return `expected an e-mail address: ${quote(written)} is no domain`;
  const address = `${local}@${domain}`;
  if (local.length > LONGEST.local || address.length > LONGEST.address) {
    return `expected at most ${LONGEST.local} characters before the @ and ${LONGEST.address} in all`;
  }
  return { name, address };
}

/** Parses mailboxes in the form of `formatForPeople`, separated by commas. @throws MonitorError `mail-address-invalid` */
export function parseList(text: string): Mailbox[] {
  return parseAddressList(text).map(({ name, address = '' }) =>
    parseMailbox(formatForPeople({ name, address })),
  );
}

/** Writes a mailbox as people do: a name is quoted only if necessary. `parseMailbox` reads it back. */
export function formatForPeople({ name, address }: Mailbox): string {
  if (name === '') return address;
  return `${/^[\p{L}\p{N}\p{M} -]+$/u.test(name) ? name : quoted(name)} <${address}>`;
}

/**
 * Writes a mailbox for a header. SES accepts only ASCII, and expects other names as encoded words (RFC 2047):
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Destination.html
 */
export function formatMailbox({ name, address }: Mailbox): string {
  if (name === '') return address;
  return `${/^\p{ASCII}*$/u.test(name) ? quoted(name) : encodedWords(name)} <${address}>`;
}

function quoted(name: string): string {
  return `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/** Maximum bytes of an encoded word: it has at most 75 characters, 12 of them around the base64, and splits none. */
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
