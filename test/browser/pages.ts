import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { FIRST_PARTS, pageContents, type Source } from '../../history/page/contents.ts';
import { Catalogue } from '../../history/page/data.ts';
import { pageDocument } from '../../history/page/document.ts';
import { scriptOf } from '../../history/page/pack.ts';
import { DATA_FOLDER } from '../../history/page/parts.ts';
import type { PageRows } from '../history/page-rows.ts';
import { findChromium } from './chromium.ts';

/** A tenant to look at. */
export interface PageTenant {
  id: string;
  name: string;
  tags?: string[];
  rows: PageRows;
}

export function startBrowser(): Promise<Browser> {
  // Continuous integration runs as root.
  return chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
}

/** Writes a page as `history open` does: one file, or where its name has no ending a folder. */
export async function writeTestPage(
  folder: string,
  script: string,
  name: string,
  tenants: PageTenant[],
  change: Partial<Source> = {},
): Promise<{ address: string; bytes: number }> {
  const rows = new Map(tenants.flatMap((tenant) => tenant.rows.catalogue).map((row) => [row.control, row]));
  const contents = await pageContents({
    members: tenants.map(({ id, name: called, tags = [] }) => ({ id, name: called, tags })),
    histories: tenants,
    catalogue: new Catalogue([...rows.values()]),
    last: Math.max(...tenants.flatMap((tenant) => tenant.rows.scores.map(({ day }) => day))),
    origin: { made: '2026-11-21', archive: '/archive', leftOut: 0 },
    isMuted: () => false,
    ...change,
  });
  const files: Record<string, string> = {};
  let file = join(folder, name);
  if (!name.includes('.')) {
    await mkdir(join(folder, name, DATA_FOLDER), { recursive: true });
    file = join(folder, name, 'index.html');
    for (const part of contents.parts.filter((each) => !FIRST_PARTS.includes(each.name))) {
      const made = scriptOf(part);
      files[part.name] = made.file;
      await writeFile(join(folder, name, DATA_FOLDER, made.file), made.script);
    }
  }
  const parts = contents.parts.filter((part) => !Object.hasOwn(files, part.name));
  const page = pageDocument({ ...contents, parts, files, script });
  await writeFile(file, page);
  return { address: pathToFileURL(file).href, bytes: page.length };
}

/**
 * Opens a page, in a context of its own.
 * @param faults whatever goes wrong in it, or leaves it, is entered there
 */
export async function openPage(
  browser: Browser,
  faults: string[],
  { at, ...options }: BrowserContextOptions & { at: string },
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => faults.push(`console: ${message.text()}`));
  page.on('dialog', (dialog) => faults.push(`dialog: ${dialog.message()}`));
  const [own = ''] = at.split('#');
  const data = new URL(`${DATA_FOLDER}/`, own).href;
  page.on('request', (request) => {
    const isOwn = request.url().split('#')[0] === own || request.url().startsWith(data);
    if (!isOwn) faults.push(`request: ${request.url()}`);
  });
  await page.addInitScript(`new MutationObserver(() => {
    if (!document.querySelector('.plot svg')) return;
    window.drawn ??= performance.now();
  }).observe(document, { childList: true, subtree: true })`);
  await page.goto(at);
  return page;
}

/** @returns what the accessibility checker finds, in short */
export async function check(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
