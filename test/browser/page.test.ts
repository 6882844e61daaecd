import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Source } from '../../history/page/contents.ts';
import { bundleScript } from '../../history/page/script.ts';
import { dayNumber } from '../../history/page/wire.ts';
import { sampleRows, type PageRows } from '../history/page-rows.ts';
import { CONTOSO } from '../history/sample.ts';
import { generatedRows, practiceRows } from './histories.ts';
import { check, openPage, startBrowser, writeTestPage, type PageTenant } from './pages.ts';

const PRACTICE = '5ec0e5c0-4e00-4b1d-9a7e-0c0ffee00d01';
const HOSTILE = `</script><img src=x onerror=alert(1)><b>"bold"</b> \${1} <!--`;

let folder: string;
let browser: Browser;
/** Of the page of one tenant, */
let single: string;
/** and of that with two. */
let address: string;
let large: { address: string; bytes: number };
let odd: string;

/** Whatever goes wrong in a page, or leaves it. */
const faults: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'history-browser-'));
  browser = await startBrowser();
  const script = bundleScript();
  const write = async (...page: [name: string, tenants: PageTenant[], change?: Partial<Source>]) =>
    writeTestPage(folder, script, ...page);
  const practice = { id: PRACTICE, name: 'Contoso', rows: practiceRows() };
  single = (await write('one.html', [practice], { isMuted: (_, control) => control === 'AATP_PrintSpooler' }))
    .address;
  ({ address } = await write('two.html', [practice, { id: CONTOSO, name: HOSTILE, rows: hostileRows() }]));
  const odds = Object.entries(oddRows()).map(([name, rows]) => ({ id: name, name, rows }));
  odd = (await write('odd.html', odds)).address;
  const rows = generatedRows('large', { days: 1000, controls: 411 });
  large = await write('large.html', [{ id: CONTOSO, name: 'Large', rows }]);
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  const [first, ...more] = faults.splice(0);
  if (first) throw new Error(`${first}${more.length > 0 ? ` (and ${more.length} more)` : ''}`);
});

/** Histories that have hardly begun, or have no percentage. */
function oddRows(): Record<string, PageRows> {
  const sample = sampleRows(CONTOSO);
  const [first, second] = sample.scores;
  const nothing: PageRows = { scores: [], standings: [], catalogue: [], changes: [] };
  return {
    'one day': { ...nothing, scores: [first!] },
    'two days': { ...sample, scores: [first!, second!], changes: sample.changes.slice(0, 1) },
    'no maximum': {
      ...sample,
      scores: sample.scores.map((row) => ({ ...row, maximum: 0, peers_all: null })),
    },
    'long ago and now': { ...nothing, scores: [{ ...first!, day: dayNumber('2020-02-29') }, second!] },
  };
}

/** Texts that would act if they could. */
function hostileRows(): PageRows {
  const rows = sampleRows(CONTOSO);
  return {
    ...rows,
    catalogue: rows.catalogue.map((row) => ({ ...row, title: HOSTILE, category: HOSTILE, service: HOSTILE })),
    standings: rows.standings.map((row) => (row.state ? { ...row, state: HOSTILE, state_by: HOSTILE } : row)),
    changes: rows.changes.map((row) => ({ ...row, title: HOSTILE, decided_by: HOSTILE, category: HOSTILE })),
  };
}

async function open({ hash = '', at = single, wait = true, ...options }: Opened = {}): Promise<Page> {
  const page = await openPage(browser, faults, { at: `${at}${hash}`, ...options });
  if (wait && options.javaScriptEnabled !== false) await page.locator('.plot svg').first().waitFor();
  return page;
}

interface Opened extends BrowserContextOptions {
  hash?: string;
  at?: string;
  /** For the chart. */
  wait?: boolean;
}

const result = (page: Page) => page.locator('.result').first();
const rows = (page: Page) => page.getByRole('table').last().getByRole('row');
const hashOf = (page: Page) => new URL(page.url()).hash;
const chart = (page: Page) => page.getByRole('slider', { name: 'Secure Score, day by day' });

describe('the page', () => {
  it('opens from a file, asks for nothing, and shows where the tenant stands and why', async () => {
    const page = await open();
    await expect(page.getByRole('heading', { level: 1 }).textContent()).resolves.toBe('Contoso');
    expect(await page.title()).toBe('Contoso: 63.3 % · Secure Score history');
    const summary = page.getByRole('region', { name: 'Summary' });
    const text = (await summary.innerText()).replaceAll('\u00A0', ' ');
    expect(text).toContain('63.3 %');
    expect(text).toContain('+4.1 percentage points since 13 Aug 2026, from 59.2 %');
    // As printed, it adds up.
    const amounts = [...text.matchAll(/([+−])(\d+\.\d) (?:earned|lost|by|re-scored|not)/g)];
    const sum = amounts.reduce((all, [, sign, amount]) => all + (sign === '−' ? -1 : 1) * Number(amount), 0);
    expect(sum).toBeCloseTo(4.1, 9);
    expect(await result(page).innerText()).toBe('121 changes');
    expect(await page.locator('svg .label').allTextContents()).toEqual(
      expect.arrayContaining(['20 new and 1 more −2.7']),
    );
  });

  it('says what it can if scripts are off', async () => {
    const page = await open({ javaScriptEnabled: false });
    expect(await page.locator('noscript').innerText()).toContain('Contoso: 63.3 % on 20 Nov 2026');
  });

  it('shows a period; the address contains it, and back returns to the former one', async () => {
    const page = await open();
    await page.getByRole('button', { name: '30 days' }).click();
    expect(hashOf(page)).toBe('#period=30d');
    expect(await page.locator('.moved').innerText()).toContain('since 21 Oct 2026');
    expect(await result(page).innerText()).not.toBe('121 changes');
    await page.goBack();
    expect(await result(page).innerText()).toBe('121 changes');
    await page.goForward();
    await page.reload();
    expect(await page.getByRole('button', { name: '30 days' }).getAttribute('aria-pressed')).toBe('true');
  });

  it('zooms to what is drawn with the mouse', async () => {
    const page = await open();
    const box = (await chart(page).boundingBox())!;
    await page.mouse.move(box.x + 200, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + 400, box.y + 120, { steps: 4 });
    await page.mouse.up();
    expect(hashOf(page)).toMatch(/^#period=2026-\d\d-\d\d\.\.2026-\d\d-\d\d$/);
    expect(await page.locator('.day-panel').count()).toBe(0);
    await page.getByRole('button', { name: 'All', exact: true }).click();
    expect(await result(page).innerText()).toBe('121 changes');
  });

  it('describes the day under the pointer, and its changes when it is clicked', async () => {
    const page = await open();
    const box = (await chart(page).boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 150);
    const tip = await page.locator('.tip').innerText();
    expect(tip).toMatch(/^\d+ Oct 2026\n/);
    expect(tip).toMatch(/6\d\.\d %/);
    await page.mouse.click(box.x + box.width / 2, box.y + 150);
    const day = tip.split('\n')[0]!;
    expect(await page.locator('.day-panel h2').innerText()).toContain(day);
    await page.mouse.move(2, 2);
    expect(await page.locator('.tip').count()).toBe(0);
    await page.getByRole('button', { name: 'Next change →' }).click();
    expect(await page.locator('.day-panel h2').innerText()).not.toContain(day);
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await page.locator('.day-panel').count()).toBe(0);
  });

  it('puts lines of categories and peers into the chart', async () => {
    const page = await open();
    expect(await page.locator('svg .series').count()).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Similar size' }).click();
    expect(await page.locator('svg .series').count()).toBe(0);
    await page.getByRole('button', { name: /^Identity/ }).click();
    expect(await page.locator('svg .series').count()).toBeGreaterThan(0);
    expect(await page.locator('svg .label.small').allTextContents()).toEqual(['Identity']);
    await chart(page).focus();
    expect(await chart(page).getAttribute('aria-valuetext')).toContain('Identity 66.4');
  });
});

describe('the list of changes', () => {
  it('is filtered by kind, cause and category, and searched', async () => {
    const page = await open();
    await page.getByRole('button', { name: /lost/ }).click();
    expect(await result(page).innerText()).toBe('16 of 121 changes');
    await page.getByRole('button', { name: /gained/ }).click();
    expect(await result(page).innerText()).toBe('55 of 121 changes');
    await page.getByLabel('Cause').selectOption('decided');
    expect(await result(page).innerText()).toBe('2 of 121 changes');
    expect(await rows(page).count()).toBe(3);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByLabel('Category').selectOption('Data');
    await page.getByLabel('Search the changes').fill('policy');
    expect(await result(page).innerText()).toMatch(/^\d+ of 121 changes$/);
    await page.getByLabel('Search the changes').fill('no such words');
    expect(await page.locator('.empty').innerText()).toBe('No change matches.');
    expect(hashOf(page)).toContain('search=no+such+words');
  });

  it('is sorted by its columns, and grows', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Share' }).click();
    const share = async () =>
      Number((await page.locator('td.c-share').first().innerText()).replace('−', '-').replace('+', ''));
    const largest = await share();
    await page.getByRole('button', { name: 'Share' }).click();
    expect(await share()).toBeLessThan(0);
    expect(largest).toBeGreaterThan(0);
    expect(await page.getByRole('columnheader', { name: 'Share' }).getAttribute('aria-sort')).toBe(
      'ascending',
    );
    expect(await rows(page).count()).toBe(51);
    await page.getByRole('button', { name: 'Show 71 more' }).click();
    expect(await rows(page).count()).toBe(122);
  });
});

describe('a recommendation', () => {
  it('has a page with its history; back returns to the former position', async () => {
    const page = await open({ hash: '#search=print+spooler' });
    await page.getByRole('link', { name: 'Disable Print spooler' }).first().click();
    await page.getByText('Points over time').first().waitFor();
    expect(hashOf(page)).toBe('#control=AATP_PrintSpooler');
    const text = await page.locator('.control-page').innerText();
    expect(text).toContain('decided twice, gained once, lost once');
    expect(text).toContain('third party by ada.admin@contoso.example');
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1');
    expect(await page.locator('.band').count()).toBeGreaterThan(0);
    await page.getByRole('slider', { name: 'Points, day by day' }).focus();
    await page.keyboard.press('PageDown');
    const value = await page.getByRole('slider').getAttribute('aria-valuetext');
    expect(value).toBe('20 Oct 2026: 0 of 5 points');
    await page.goBack();
    await page.locator('.lists').waitFor();
    expect(await page.evaluate('document.activeElement.dataset.control')).toBe('AATP_PrintSpooler');
    expect(await page.getByLabel('Search the changes').inputValue()).toBe('print spooler');
  });

  it('is found among all, whether it ever changed or not', async () => {
    const page = await open();
    await page.getByRole('tab', { name: 'Recommendations' }).click();
    expect(await result(page).innerText()).toBe('233 recommendations, as of 20 Nov 2026');
    await page.getByLabel('State').selectOption('untouched');
    expect(await result(page).innerText()).toMatch(/^\d+ of 233 recommendations/);
    expect(await page.locator('td.c-changed').allInnerTexts()).toEqual(
      expect.not.arrayContaining([expect.stringMatching(/\d/)]),
    );
  });

  it('that does not exist is reported as none', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${single}#control=%3Cnone%3E`);
    expect(await page.locator('.control-page').innerText()).toContain('There is no recommendation');
  });
});

describe('with the keyboard alone', () => {
  it('one reads the chart, opens a day, and comes back to the chart', async () => {
    const page = await open();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    const isChart = () => page.evaluate(`document.activeElement.classList.contains('plot')`);
    for (let presses = 0; presses < 12 && !(await isChart()); presses += 1) await page.keyboard.press('Tab');
    expect(await isChart()).toBe(true);
    const value = () => chart(page).getAttribute('aria-valuetext');
    expect(await value()).toMatch(
      /^20 Nov 2026: 63\.3 %, −1\.\d percentage points, 14 changes, Similar size/,
    );
    await page.keyboard.press('ArrowLeft');
    expect(await value()).toMatch(/^19 Nov 2026/);
    expect(await page.locator('.tip').innerText()).toContain('19 Nov 2026');
    await page.keyboard.press('Home');
    expect(await value()).toMatch(/^13 Aug 2026: 59\.2 %, no changes/);
    await page.keyboard.press('PageUp');
    expect(await value()).toMatch(/^14 Aug 2026.*[1-9]\d* change/);
    await page.keyboard.press('Enter');
    await page.locator('.day-panel').waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('day-heading');
    expect(hashOf(page)).toBe('#day=2026-08-14');
    await page.keyboard.press('Escape');
    expect(await page.locator('.day-panel').count()).toBe(0);
    expect(await isChart()).toBe(true);
  });

  it('one moves the period, and goes through the lists', async () => {
    const page = await open();
    const first = page.getByRole('slider', { name: 'First day shown' });
    await first.focus();
    await page.keyboard.press('PageUp');
    await page.keyboard.press('ArrowRight');
    expect(await first.getAttribute('aria-valuetext')).toBe('13 Sept 2026');
    expect(hashOf(page)).toBe('#period=2026-09-13..2026-11-20');
    await page.keyboard.press('End');
    expect(await first.getAttribute('aria-valuetext')).toBe('19 Nov 2026');
    await page.keyboard.press('Home');
    await page.getByRole('tab', { name: 'Changes' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate('document.activeElement.id')).toBe('tab-days');
    expect(await rows(page).count()).toBe(51);
    expect(await rows(page).nth(1).innerText()).toContain('20 Nov 2026');
    expect(await result(page).innerText()).toContain('15 Nov 2026');
  });

  it('whatever has the focus shows it, and nothing invisible has it', async () => {
    const page = await open();
    const seen = new Set<string>();
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press('Tab');
      const [name, visible] = (await page.evaluate(`(() => {
        const of = document.activeElement;
        const box = of.getBoundingClientRect();
        const { outlineStyle, outlineWidth } = getComputedStyle(of);
        const shown = box.width > 4 && box.height > 4 && outlineStyle !== 'none' && outlineWidth !== '0px';
        return [of.tagName + of.className + of.textContent.slice(0, 20), shown];
      })()`)) as [string, boolean];
      expect([name, visible]).toEqual([name, true]);
      seen.add(name);
    }
    expect(seen.size).toBeGreaterThan(30);
  });
});

describe('hostile texts', () => {
  it('do not', async () => {
    const page = await open({ at: address, hash: `#tenant=${CONTOSO}` });
    await page.getByRole('heading', { level: 1, name: HOSTILE }).waitFor();
    expect(await page.locator('td.c-what a').first().textContent()).toBe(HOSTILE);
    expect(await page.locator('.category .name').first().textContent()).toBe(HOSTILE);
    expect(await page.locator('img, b:has-text("bold"), main script').count()).toBe(0);
    await page.locator('td.c-what a').first().click();
    await page.getByRole('heading', { level: 1, name: HOSTILE }).waitFor();
    const targets = await page
      .locator('a')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    for (const target of targets) expect(target).toMatch(/^#/);
  });
});

describe('a very short history', () => {
  it.each(Object.keys(oddRows()))('%s: is shown as far as it goes', async (name) => {
    for (const rest of [
      '',
      '&list=controls',
      '&list=days',
      '&control=mfa',
      '&day=2026-01-30',
      '&period=30d',
    ]) {
      const page = await open({ at: odd, hash: `#tenant=${encodeURIComponent(name)}${rest}`, wait: false });
      await page.getByRole('heading', { level: 1 }).filter({ hasNotText: 'Secure Score history' }).waitFor();
      expect(await page.locator('main').innerHTML()).not.toMatch(/NaN|Infinity|undefined/);
      const plot = page.locator('.plot');
      if ((await plot.count()) > 0) {
        await plot.focus();
        for (const key of ['ArrowLeft', 'PageUp', 'End', 'Enter']) await page.keyboard.press(key);
      }
      expect(await page.locator('main').innerHTML()).not.toMatch(/NaN|Infinity|undefined/);
      await page.context().close();
    }
  });
});

const VIEWS = {
  'the overview': '',
  'a day': '#day=2026-11-18',
  recommendations: '#list=controls',
  days: '#list=days',
  'nothing found': '#search=zzz&kinds=lost',
  'a recommendation': '#control=AATP_PrintSpooler',
};

describe.each([
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['a phone', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
] as const)('%s', (_, options) => {
  it.each(Object.entries(VIEWS))('%s: the accessibility checker finds nothing', async (__, hash) => {
    const page = await open({ hash, ...options });
    expect(await check(page)).toEqual([]);
  });

  it.each(Object.entries(VIEWS))('%s: nothing is wider than the screen', async (__, hash) => {
    const page = await open({ hash, ...options });
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await page.evaluate(overflow)).toBe(0);
  });
});

describe('colours', () => {
  const ground = (page: Page) => page.evaluate('getComputedStyle(document.body).backgroundColor');

  it('are those of the system, until somebody chooses', async () => {
    const page = await open({ colorScheme: 'dark' });
    expect(await ground(page)).toBe('rgb(15, 18, 22)');
    await page.getByRole('button', { name: 'Dark' }).click();
    expect(await ground(page)).toBe('rgb(243, 244, 246)');
    await page.getByRole('button', { name: 'Dark' }).click();
    expect(await ground(page)).toBe('rgb(15, 18, 22)');
  });
});

describe('on paper', () => {
  it('is light, has no buttons, and shows all that fits', async () => {
    const page = await open({ colorScheme: 'dark' });
    await page.getByRole('button', { name: 'Dark' }).click();
    await page.getByRole('button', { name: 'Dark' }).click();
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate(`getComputedStyle(document.documentElement).getPropertyValue('--ink')`)).toBe(
      '#1b1f24',
    );
    const visible = await page.locator('button:visible, input:visible, select:visible').allInnerTexts();
    // Cards of categories and heads of columns are buttons that say something.
    expect(visible.filter((text) => !/\s%|^(Day|Kind|Recommendation|Share|Cause)/.test(text))).toEqual([]);
    await page.evaluate('void dispatchEvent(new Event("beforeprint"))');
    await expect.poll(() => rows(page).count()).toBe(122);
    await page.evaluate('void dispatchEvent(new Event("afterprint"))');
    await expect.poll(() => rows(page).count()).toBe(51);
    await page.emulateMedia({ media: null });
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    // With all its rows: one page of them would be no more than two.
    const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g) ?? [];
    expect(pages.length).toBeGreaterThan(3);
  });
});

describe('1,000 days of 411 recommendations', () => {
  it('are small, and drawn at once', async () => {
    expect(large.bytes).toBeLessThan(400_000);
    const page = await open({ at: large.address, hash: '#period=all' });
    const times = (await page.evaluate(`({
      paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      drawn: window.drawn,
    })`)) as { paint: number; drawn: number };
    const hover = (await page.evaluate(`(async () => {
      const plot = document.querySelector('.plot');
      const box = plot.getBoundingClientRect();
      const start = performance.now();
      for (let step = 0; step < 60; step += 1) {
        plot.dispatchEvent(new PointerEvent('pointermove', { clientX: box.x + step * 15, clientY: box.y + 50 }));
        await new Promise(requestAnimationFrame);
      }
      return (performance.now() - start) / 60;
    })()`)) as number;
    console.log(
      `1,000 days × 411: ${Math.round(large.bytes / 1000)} kB, first paint ${Math.round(times.paint)} ms, drawn at ${Math.round(times.drawn)} ms, ${hover.toFixed(1)} ms a move of the pointer`,
    );
    // Generous: continuous integration shares its processors.
    expect(times.paint).toBeLessThan(3000);
    expect(times.drawn).toBeLessThan(5000);
    expect(hover).toBeLessThan(100);
    expect(await result(page).innerText()).toMatch(/^[\d,]{3,} changes$/);
  });
});
