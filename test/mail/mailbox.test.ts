import { expect, test } from 'vitest';
import { formatMailbox, parseMailbox } from '../../lambda/mail/mailbox.ts';
import { HOSTILE_ADDRESSES } from './mails.ts';

test.each([
  ['secure-score@contoso.com', '', 'secure-score@contoso.com'],
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
    // Whole characters in every word.
    expect(Buffer.from(word.slice(10, -2), 'base64').toString()).not.toContain('\uFFFD');
  }
});
