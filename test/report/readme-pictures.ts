/**
 * `node test/report/readme-pictures.ts practice/mails/<a mail>.eml`: the pictures that the README shows, of a mail that
 * `npm start` wrote: docs/mail.png on a desktop, docs/mail-phone.png on a phone in the dark.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import PostalMime from 'postal-mime';

const PICTURES = [
  { name: 'mail.png', width: 640, height: 800, theme: 'light' },
  { name: 'mail-phone.png', width: 375, height: 780, theme: 'dark' },
] as const;

const mail = await PostalMime.parse(await readFile(process.argv[2] ?? ''));
const html = mail.attachments.reduce((page, { contentId, mimeType, content }) => {
  const id = contentId?.replace(/[<>]/g, '');
  return id
    ? page.replaceAll(
        `cid:${id}`,
        `data:${mimeType};base64,${Buffer.from(content as ArrayBuffer).toString('base64')}`,
      )
    : page;
}, mail.html ?? '');

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
for (const { name, width, height, theme } of PICTURES) {
  const page = await browser.newPage({
    viewport: { width, height },
    deviceScaleFactor: 2,
    colorScheme: theme,
  });
  await page.setContent(html);
  await page.screenshot({ path: join(import.meta.dirname, '../../docs', name) });
}
await browser.close();
