import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import PostalMime from 'postal-mime';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { anyCharacter } from '../any-character.ts';
import { compose, fileName, outboxMailer } from '../../lambda/channels/outbox-mailer.ts';
import { ATTACHMENTS, HOSTILE_ADDRESSES, mailOf } from './mails.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'outbox-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

test('writes a mail that any program reads as it was meant', async () => {
  const mail = mailOf();
  const folder = join(root, 'a', 'new', 'outbox');
  const id = await outboxMailer(folder).send(mail);
  const [name, ...others] = await readdir(folder);
  expect([name, others]).toEqual([fileName(mail.key), []]);

  const parsed = await PostalMime.parse(await readFile(join(folder, fileName(mail.key))));
  expect(parsed).toMatchObject({
    from: { name: 'Secure Score', address: 'secure-score@contoso.com' },
    to: [{ address: 'secops@contoso.com' }, { address: 'ciso@contoso.com' }],
    subject: mail.subject,
    messageId: id,
    date: '2026-01-10T06:00:12.000Z',
    attachments: [],
  });
  expect(parsed.html?.trimEnd()).toBe(mail.html.trimEnd());
  expect(parsed.text?.trimEnd()).toBe(mail.text.trimEnd());
  expect(parsed.cc ?? []).toEqual([]);
  expect(parsed.bcc ?? []).toEqual([]);
  expect(Object.fromEntries(parsed.headers.map((each) => [each.key, each.value]))).toMatchObject({
    'auto-submitted': 'auto-generated',
    'mime-version': '1.0',
    'content-type': expect.stringMatching(/^multipart\/alternative; boundary="[^"]+"$/),
  });
});

test('attaches files, and pictures that the HTML shows; the same mail still gives the same bytes', async () => {
  const mail = mailOf({ attachments: ATTACHMENTS });
  const bytes = await compose(mail);
  expect(await compose(mail)).toEqual(bytes);
  const { attachments, html } = await PostalMime.parse(bytes);
  expect(html?.trimEnd()).toBe(mail.html.trimEnd());
  expect(attachments).toMatchObject([
    { filename: 'score.png', mimeType: 'image/png', disposition: 'inline', related: true },
    { filename: 'Änderungen.csv', mimeType: 'text/csv', disposition: 'attachment' },
  ]);
  expect(attachments[0]?.contentId).toBe('<score@secure-score-monitor>');
  for (const [index, { content }] of attachments.entries()) {
    expect(Buffer.from(content as ArrayBuffer)).toEqual(Buffer.from(ATTACHMENTS[index]!.content));
  }
});

test('the message is ASCII with short lines, whatever the mail holds', async () => {
  const raw = (await compose(mailOf({ from: 'Müller & Söhne <a@contoso.com>' }))).toString('latin1');
  expect(raw).toMatch(/^[\t\r\n\x20-\x7e]*$/);
  expect(raw.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(Math.max(...raw.split('\r\n').map((each) => each.length))).toBeLessThanOrEqual(998);
  expect(raw.match(/charset=utf-8/gi)).toHaveLength(2);
});

test('the same mail gives the same bytes; if it is sent twice, the first file stays', async () => {
  expect(await compose(mailOf())).toEqual(await compose(mailOf()));
  const mailer = outboxMailer(root);
  const first = await mailer.send(mailOf());
  const bytes = await readFile(join(root, fileName(mailOf().key)));
  // A run that took over a claim sends with another date: still the same mail.
  const second = await mailer.send(mailOf({ date: new Date('2026-01-10T07:00:00Z') }));
  expect(second).toBe(first);
  expect(await readdir(root)).toEqual([fileName(mailOf().key)]);
  expect(await readFile(join(root, fileName(mailOf().key)))).toEqual(bytes);
});

test('one of many that send it at once writes it, and none leaves anything behind', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, () => outboxMailer(root).send(mailOf())));
  expect(new Set(ids).size).toBe(1);
  expect(await readdir(root)).toEqual([fileName(mailOf().key)]);
});

test('a partial file that a kill left is no mail, and blocks nothing', async () => {
  await writeFile(join(root, `.${fileName(mailOf().key)}.0000.tmp`), 'half a ma');
  await outboxMailer(root).send(mailOf());
  const mails = (await readdir(root)).filter((name) => name.endsWith('.eml'));
  expect(mails).toEqual([fileName(mailOf().key)]);
  expect(await readFile(join(root, fileName(mailOf().key)))).toEqual(await compose(mailOf()));
});

test('an outbox that cannot be written is reported', async () => {
  await writeFile(join(root, 'file'), '');
  await expect(outboxMailer(join(root, 'file', 'outbox')).send(mailOf())).rejects.toMatchObject({
    code: 'outbox-unwritable',
    message: expect.stringContaining(join(root, 'file', 'outbox')),
  });
});

test('names of files sort by time, describe the mails, and stay in the folder', () => {
  expect(fileName('2026-01-10/contoso/scores-1a2b3c4d')).toBe('2026-01-10_contoso_scores-1a2b3c4d.eml');
  expect(fileName('2026-01-10/Müller & Söhne/start')).toMatch(
    /^2026-01-10_muller-sohne_start-[0-9a-f]{8}\.eml$/,
  );
  expect(fileName('../../etc/passwd')).toMatch(/^etc_passwd-[0-9a-f]{8}\.eml$/);
  expect(fileName('a b')).not.toBe(fileName('a-b'));
  const key = fc.oneof(
    fc.string({ unit: anyCharacter, maxLength: 300 }),
    fc.string({ unit: fc.constantFrom('a', 'A', 'ä', '/', '-', '_', '.'), maxLength: 8 }),
  );
  fc.assert(
    fc.property(key, key, (one, other) => {
      expect(fileName(one)).toMatch(/^[a-z0-9][a-z0-9_-]{0,140}\.eml$/);
      if (one === other) return;
      expect(fileName(one)).not.toBe(fileName(other));
    }),
  );
});

test('no header can be injected through a subject', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: anyCharacter, maxLength: 400 }),
        fc.string().map((text) => `${text}\r\nBcc: x@evil.example\r\n\r\n<b>`),
      ),
      async (subject) => {
        const parsed = await PostalMime.parse(await compose(mailOf({ subject: `S ${subject}` })));
        const keys = 'auto-submitted content-type date from message-id mime-version subject to'.split(' ');
        expect(parsed.headers.map((each) => each.key).toSorted()).toEqual(keys);
        expect(parsed.html?.trimEnd()).toBe(mailOf().html.trimEnd());
        expect(parsed.subject).not.toMatch(/[\r\n]/);
      },
    ),
    { numRuns: 50 },
  );
});

test.each(HOSTILE_ADDRESSES)('nothing is written from or to %j', async (address) => {
  const mailer = outboxMailer(root);
  await expect(mailer.send(mailOf({ from: address }))).rejects.toMatchObject({
    code: 'mail-address-invalid',
  });
  await expect(mailer.send(mailOf({ to: [address] }))).rejects.toMatchObject({
    code: 'mail-address-invalid',
  });
  expect(await readdir(root)).toEqual([]);
});
