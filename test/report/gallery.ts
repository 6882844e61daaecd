/**
 * `npm run gallery`: every mail, card and message in every form, as Chromium draws it on a phone and on a desktop, light
 * and dark, in one page to look at. `-- scores` draws those alone whose names contain that; `-- card` all cards.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { chromium } from 'playwright-core';
import { drawBlocks } from '../../lambda/report/blocks.ts';
import { drawCard } from '../../lambda/report/card.ts';
import { documentOf } from '../../lambda/report/document-of.ts';
import { renderMail } from '../../lambda/report/render.ts';
import { blocksPage } from '../../simulator/draw-blocks.ts';
import { cardPage } from '../../simulator/draw-card.ts';
import { renderWatchMail } from '../../lambda/report/watch.ts';
import { digests } from './digests.ts';
import { reports } from './reports.ts';
import { watchReports } from './watch-reports.ts';
import type { AnyReport } from '../../lambda/report/digest-model.ts';
import type { RenderedMail } from '../../lambda/report/model.ts';
import type { MailKind } from '../../lambda/ports.ts';

const SCREENS = [
  { name: 'phone', width: 375, density: 2 },
  { name: 'narrow', width: 320, density: 1 },
  { name: 'desktop', width: 700, density: 1 },
] as const;
const THEMES = ['light', 'dark'] as const;

/** Of a longer mail the rest looks the same. */
const TALLEST = 6000;

const folder = join(import.meta.dirname, '../../gallery');
const wanted = process.argv[2] ?? '';
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const sections: string[] = [];
try {
  for (const [kind, sizes] of Object.entries({ ...reports, digest: digests })) {
    for (const [size, report] of Object.entries<AnyReport>(sizes)) {
      const name = `${kind}-${size}`;
      await drawMessages(name, report, kind as MailKind);
      if (!`mail-${name}`.includes(wanted)) continue;
      const mail = await renderMail(report, kind as MailKind);
      await drawMail(name, mail, [await withoutImages(name, mail)]);
    }
  }
  for (const [name, report] of Object.entries(watchReports)) {
    if (`mail-${name}`.includes(wanted)) await drawMail(name, renderWatchMail(report));
  }
} finally {
  await browser.close();
}
const page = join(folder, 'index.html');
await writeFile(
  page,
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Faces of reports</title>
<style>body{font:15px/1.5 system-ui;margin:32px;background:#ddd}section{margin-bottom:48px}
div{display:flex;gap:16px;overflow-x:auto;align-items:start}figure{margin:0}img{max-width:none;border:1px solid #999}</style>
${sections.join('\n')}</html>`,
);
console.log(`\n${sections.length} pieces in ./${relative(process.cwd(), page)}`);

async function drawMail(name: string, mail: RenderedMail, more: string[] = []): Promise<void> {
  await writeFile(join(folder, `${name}.html`), shown(mail));
  await writeFile(join(folder, `${name}.txt`), mail.text);
  sections.push(section(name, mail, [...(await photograph(name, shown(mail))), ...more]));
  console.log(`${name}: ${Math.round(Buffer.byteLength(mail.html) / 1000)} kB`);
}

/** The card for Teams, and the message for Slack. */
async function drawMessages(name: string, report: AnyReport, kind: MailKind): Promise<void> {
  const document = documentOf(report, kind);
  const portal = 'https://security.microsoft.com/securescore';
  const card = drawCard(document, { portal });
  const message = drawBlocks(document, { portal });
  for (const [face, content, html] of [
    ['card', card, cardPage(card)],
    ['blocks', message, blocksPage(message.blocks)],
  ] as const) {
    if (!`${face}-${name}`.includes(wanted)) continue;
    const json = JSON.stringify(content, null, 2);
    await writeFile(join(folder, `${face}-${name}.json`), json);
    await writeFile(join(folder, `${face}-${name}.html`), html);
    const pictures = await photograph(`${face}-${name}`, html);
    const size = (Buffer.byteLength(JSON.stringify(content)) / 1000).toFixed(1);
    sections.push(`<section><h2>${face}-${name}</h2><p><a href="${face}-${name}.html">HTML</a>, <a href="${face}-${name}.json">JSON</a> ${size} kB</p>
${figuresOf(pictures)}</section>`);
    console.log(`${face}-${name}: ${size} kB`);
  }
}

function figuresOf(pictures: string[]): string {
  return `<div>${pictures.map((file) => `<figure><img src="${file}" alt="${file}" loading="lazy" height="720"><figcaption>${file}</figcaption></figure>`).join('')}</div>`;
}

/** The HTML part with its pictures in it, as a mail program shows it. */
function shown({ html, attachments }: RenderedMail): string {
  return attachments.reduce(
    (page_, { contentId, contentType, content }) =>
      contentId === undefined
        ? page_
        : page_.replaceAll(
            `cid:${contentId}`,
            `data:${contentType};base64,${Buffer.from(content).toString('base64')}`,
          ),
    html,
  );
}

async function photograph(name: string, html: string): Promise<string[]> {
  const files: string[] = [];
  for (const theme of THEMES) {
    for (const { name: screen, width, density } of SCREENS) {
      const file = `${name}-${screen}-${theme}.png`;
      await picture(file, html, { width, density, theme });
      files.push(file);
    }
  }
  return files;
}

async function withoutImages(name: string, { html }: RenderedMail): Promise<string> {
  const file = `${name}-phone-without-images.png`;
  await picture(file, html, { width: 375, density: 1, theme: 'light' });
  return file;
}

async function picture(
  file: string,
  html: string,
  { width, density, theme }: { width: number; density: number; theme: (typeof THEMES)[number] },
): Promise<void> {
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    deviceScaleFactor: density,
    colorScheme: theme,
    // As in mail programs; a card is drawn by a script.
    javaScriptEnabled: html.includes('<script>'),
  });
  const tab = await context.newPage();
  await tab.setContent(html);
  const height = Math.min(TALLEST, (await tab.locator('body').boundingBox())?.height ?? 800);
  const frame = tab.locator('table, #card, .block').first();
  const wide = (await frame.boundingBox())?.width ?? 0;
  if (wide > width) console.log(`${file} is ${wide} px wide`);
  await tab.setViewportSize({ width, height: Math.ceil(height) });
  await tab.screenshot({ path: join(folder, file) });
  await context.close();
}

function section(name: string, mail: RenderedMail, pictures: string[]): string {
  const size = Math.round(Buffer.byteLength(mail.html) / 1000);
  const subject = mail.subject.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<section><h2>${name}</h2><p><b>${subject}</b><br><a href="${name}.html">HTML</a> ${size} kB, <a href="${name}.txt">text</a>, attached: ${mail.attachments.map((each) => `${each.name} ${Math.round(each.content.length / 1000)} kB`).join(', ') || 'nothing'}</p>
${figuresOf(pictures)}</section>`;
}
