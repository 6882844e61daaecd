import { domainToUnicode } from 'node:url';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatForPeople, formatMailbox, parseList, parseMailbox } from '../../lambda/channels/mailbox.ts';
import { HOSTILE_ADDRESSES } from './mails.ts';

test.each([
  ['secure-score@contoso.com', '', 'secure-score@contoso.com'],
  ['"Contoso, Ltd." <oncall@contoso.com>', 'Contoso, Ltd.', 'oncall@contoso.com'],
  ['"A \\"B\\" \\\\ C"<a@contoso.com>', 'A "B" \\ C', 'a@contoso.com'],
  ['SecOps (Contoso) <a@contoso.com>', 'SecOps (Contoso)', 'a@contoso.com'],
  ["\t r&d#1'x{y}@contoso.com\u00A0", '', "r&d#1'x{y}@contoso.com"],
  ['oncall@Müller.DE', '', 'oncall@xn--mller-kva.de'],
  ['Jörg Müller < jm@faß.example >', 'Jörg Müller', 'jm@xn--fa-hia.example'],
  ['a@例え。テスト', '', 'a@xn--r8jz45g.xn--zckzah'],
  ['می‌خواهم <a@contoso.com>', 'می‌خواهم', 'a@contoso.com'],
  ['👩‍💻 <a@contoso.com>', '👩‍💻', 'a@contoso.com'],
  ['<a@contoso.com>', '', 'a@contoso.com'],
  ['Secure Score <secure-score@contoso.com>', 'Secure Score', 'secure-score@contoso.com'],
  ['Sicherheit, Müller & Söhne <a+b@contoso.co.uk>', 'Sicherheit, Müller & Söhne', 'a+b@contoso.co.uk'],
  [" o'neil_1@contoso.com ", '', "o'neil_1@contoso.com"],
])('%s is a mailbox', (text, name, address) => {
  expect(parseMailbox(text)).toEqual({ name, address });
});

test.each(HOSTILE_ADDRESSES)('%j is none', (text) => {
  expect(() => parseMailbox(text)).toThrow(expect.objectContaining({ code: 'mail-address-invalid' }));
});

test.each([
  ['jörg@müller.de', /only ASCII before the @, because Amazon SES sends to no other.*"jörg" has "ö"/],
  [' nobody', /^" nobody" is not an e-mail address: expected an e-mail address, or a name and an address/],
  ['a@contoso.com, b@contoso.com', /expected one address, not 2/],
  ['a@contoso', /"contoso" is no domain/],
  ['a@192.168.1.10', /"192.168.1.10" is no domain/],
  ['a.@contoso.com', /"a." cannot stand before the @/],
  [`${'a'.repeat(65)}@contoso.com`, /at most 64 characters before the @/],
  [`${'n'.repeat(201)} <a@contoso.com>`, /a name of at most 200 characters/],
  ['Con\u200Dtoso <a@contoso.com>', /the invisible character U\+200D/],
  ['A\u202E <a@contoso.com>', /the invisible character U\+202E/],
])('%j is no mailbox, and its error says why', (text, reason) => {
  expect(() => parseMailbox(text)).toThrow(reason);
});

/** Names and addresses as people have them, and worse. */
const mailbox = fc.record({
  name: fc
    .string({ unit: fc.constantFrom(...`aZ9 ,;:@<>()[]."'\\&#=?öЖ字é`.split(''), '👩‍💻', 'ی‌'), maxLength: 40 })
    .map((name) => name.trim()),
  address: fc
    .tuple(
      fc.stringMatching(/^[a-zA-Z0-9&#'*+/=?_{|}~-]{1,20}(\.[a-z0-9&#']{1,9})?$/),
      fc.constantFrom('contoso.com', 'müller.de', 'Faß.example', '例え.テスト'),
    )
    .map(([local, domain]) => `${local}@${domain}`),
});

test('whatever is written, for people or for headers, is read back, alone and in a list', () => {
  fc.assert(
    fc.property(fc.array(mailbox, { minLength: 1, maxLength: 5 }), (all) => {
      const read = all.map(({ name, address }) => ({ name, address: parseMailbox(address).address }));
      for (const [index, each] of read.entries()) {
        expect(parseMailbox(formatForPeople(each))).toEqual(each);
        expect(parseMailbox(formatForPeople(all[index]!))).toEqual(each);
        const header = formatMailbox(each);
        expect(header).toMatch(/^[ -~]+$/);
        expect(parseMailbox(header).address).toBe(each.address);
        expect(domainToUnicode(each.address.split('@')[1]!)).toBe(
          all[index]!.address.split('@')[1]!.toLowerCase(),
        );
      }
      expect(parseList(read.map(formatForPeople).join(','))).toEqual(read);
    }),
    { numRuns: 300, seed: 9 },
  );
});

test('names are quoted, and encoded where they are not ASCII', () => {
  const written = (name: string): string => formatMailbox({ name, address: 'a@contoso.com' });
  expect(written('')).toBe('a@contoso.com');
  expect(written('Secure Score')).toBe('"Secure Score" <a@contoso.com>');
  expect(written('A, B: "C" \\ D')).toBe('"A, B: \\"C\\" \\\\ D" <a@contoso.com>');
  expect(written('Müller')).toBe('=?UTF-8?B?TcO8bGxlcg==?= <a@contoso.com>');
  const long = written('Überwachung 🔒 '.repeat(12));
  expect(long).toMatch(/^[ -~]+$/);
  for (const word of long.split(' ').slice(0, -1)) {
    expect(word.length).toBeLessThanOrEqual(75);
    // Every word has complete characters.
    expect(Buffer.from(word.slice(10, -2), 'base64').toString()).not.toContain('\uFFFD');
  }
});
