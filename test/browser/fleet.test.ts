import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bundleScript } from '../../history/page/script.ts';
import { generatedRows, practiceRows } from './histories.ts';
import { check, openPage, startBrowser, writeTestPage, type PageTenant } from './pages.ts';

/** The page of a thousand tenants. */

const HOSTILE = `</script><img src=x onerror=alert(1)><b>"bold"</b> \${1} <!--`;
const DRAWN = 8;

let folder: string;
let browser: Browser;
/** One file, */
let address: string;
/** and the same as a folder. */
let asFolder: string;
const faults: string[] = [];

const idOf = (place: number) => `00000000-0000-4000-8000-${String(place).padStart(12, '0')}`;

/** Called “Tenant 0000” and so on, gold every tenth; one whose name would act if it could, one without a snapshot. */
function fleet(): PageTenant[] {
  const drawn = Array.from({ length: DRAWN - 1 }, (_, seed) =>
    generatedRows(`fleet ${seed}`, { days: 120, controls: 60 }),
  );
  drawn.push(practiceRows());
  const tenants = Array.from({ length: 998 }, (_, place): PageTenant => {
    const tags = place % 10 === 0 ? ['gold'] : ['silver'];
    return {
      id: idOf(place),
      name: `Tenant ${String(place).padStart(4, '0')}`,
      tags,
      rows: drawn[place % DRAWN]!,
    };
  });
  tenants.push({ id: idOf(998), name: HOSTILE, tags: ['<b>tag</b>'], rows: drawn[0]! });
  const nothing = { scores: [], standings: [], changes: [], catalogue: [] };
  tenants.push({ id: idOf(999), name: 'Newcomer', rows: nothing });
  return tenants;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'history-fleet-'));
  browser = await startBrowser();
  const tenants = fleet();
  const script = bundleScript();
  const isMuted = (tenant: string) => tenant === idOf(7);
  ({ address } = await writeTestPage(folder, script, 'fleet.html', tenants, { isMuted }));
  asFolder = (await writeTestPage(folder, script, 'fleet', tenants, { isMuted })).address;
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  const [first, ...more] = faults.splice(0);
  if (first) throw new Error(`${first}${more.length > 0 ? ` (and ${more.length} more)` : ''}`);
});

async function open(
  hash = '',
  { at = address, ...options }: BrowserContextOptions & { at?: string } = {},
): Promise<Page> {
  const page = await openPage(browser, faults, { at: `${at}${hash}`, ...options });
  await page.locator('table').first().waitFor();
  return page;
}

const result = async (page: Page) =>
  (await page.locator('.result').first().innerText()).split(',').slice(0, -1).join(',');
const hashOf = (page: Page) => new URL(page.url()).hash;
const rows = (page: Page) => page.locator('tbody tr');
const first = (page: Page) => rows(page).first().locator('.c-tenant').innerText();

describe('the fleet', () => {
  it('is what the page begins with, and says whose data it contains', async () => {
    const page = await open();
    expect(await page.locator('h1').innerText()).toBe('1,000 tenants');
    expect(await page.title()).toBe('1,000 tenants · Secure Score history');
    const notice = await page.getByRole('complementary').innerText();
    expect(notice).toContain('This page holds the data of 1,000 tenants: do not send it to any of them.');
    expect(notice).toContain('from the archive /archive');
    expect(notice).toContain('made with --tenant');
    expect(await result(page)).toBe('1,000 tenants');
    expect(await rows(page).count()).toBe(50);
  });

  it('is sorted by its columns', async () => {
    const page = await open();
    const losses = (await page.locator('td.c-loss .bad').allInnerTexts()).map((text) =>
      Number(text.replace('−', '-')),
    );
    expect(losses).toEqual(losses.toSorted((a, b) => a - b));
    expect(losses[0]).toBeLessThan(0);
    await page.getByRole('button', { name: 'Tenant', exact: true }).click();
    await page.getByRole('button', { name: 'Tenant', exact: true }).click();
    expect(await first(page)).toMatch(/^Tenant 0997/);
    await page.getByRole('button', { name: 'Score' }).click();
    const scores = (await page.locator('td.c-score').allInnerTexts())
      .slice(1)
      .map((text) => Number.parseFloat(text));
    expect(scores).toEqual(scores.toSorted((a, b) => a - b));
    expect(await page.getByRole('columnheader', { name: 'Score' }).getAttribute('aria-sort')).toBe(
      'ascending',
    );
    expect(hashOf(page)).toBe('#sort=score');
  });

  it('is filtered by tag and state, and searched', async () => {
    const page = await open();
    await page.getByRole('button', { name: '#gold 100' }).click();
    expect(await result(page)).toBe('100 of 1,000 tenants');
    await page.getByLabel('Search the tenants').fill('tenant 09');
    expect(await result(page)).toBe('11 of 1,000 tenants');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByLabel('State').selectOption('silent');
    expect(await result(page)).toBe('1 of 1,000 tenants');
    expect(await first(page)).toBe('Newcomer');
    expect(await rows(page).first().innerText()).toContain('none yet');
    await page.getByLabel('Search the tenants').fill('nobody');
    expect(await page.locator('.empty').innerText()).toBe('No tenant matches.');
    expect(hashOf(page)).toBe('#search=nobody&state=silent');
  });

  it('has changes by cause that add up as printed', async () => {
    const page = await open('#period=90d');
    const texts = await page.locator('td.c-change').allInnerTexts();
    const number = (text: string) => Number(text.replace('−', '-').replace('±', ''));
    let checked = 0;
    for (const text of texts) {
      const [total = '', parts = ''] = text.split('\n');
      const sum = [...parts.matchAll(/[+−]\d+\.\d/g)].reduce((all, [part]) => all + number(part), 0);
      expect(sum).toBeCloseTo(number(total), 9);
      checked += 1;
    }
    expect(checked).toBe(50);
    await page.getByRole('button', { name: '7 days' }).click();
    expect(await page.locator('.moved').innerText()).toContain('since 13 Nov 2026');
  });

  it('has each tenant behind its row; back returns to the former position', async () => {
    const page = await open('#search=0042');
    await page.getByRole('link', { name: 'Tenant 0042' }).click();
    await page.getByRole('heading', { level: 1, name: 'Tenant 0042' }).waitFor();
    expect(hashOf(page)).toBe(`#tenant=${idOf(42)}`);
    expect(await page.title()).toContain('Tenant 0042');
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: '1,000 tenants' }).waitFor();
    expect(await result(page)).toBe('1 of 1,000 tenants');
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Tenant 0042');
    await page.goForward();
    await page.getByRole('link', { name: '← All tenants' }).click();
    await expect.poll(() => result(page)).toBe('1 of 1,000 tenants');
    const direct = await open(`#tenant=${idOf(7)}&list=controls&state=muted`);
    expect(await direct.locator('h1').innerText()).toBe('Tenant 0007');
    expect(await direct.locator('td.c-what .badge').first().innerText()).toBe('muted');
  });

  it('says that a tenant is not on the page', async () => {
    const page = await openPage(browser, faults, { at: `${address}#tenant=nobody` });
    await page.locator('h1').waitFor();
    expect(await page.locator('main').innerText()).toContain('This tenant is not on this page.');
  });

  it('says once what Microsoft did to how many tenants, and who lost a recommendation', async () => {
    const page = await open('#period=90d');
    await page.getByRole('tab', { name: 'Microsoft' }).click();
    expect(await page.locator('.result').first().innerText()).toMatch(
      / added, removed or re-scored since \d/,
    );
    const most = rows(page).first();
    expect(await most.locator('.c-tenants').innerText()).toMatch(/^\d+ of 1,000$/);
    await most.getByRole('link').click();
    await page.locator('.facts').waitFor();
    expect(await page.locator('.done').innerText()).toMatch(
      /in \d+ of 1,000 tenants, .* percentage points on average/,
    );
    await page.goBack();
    await page.getByRole('tab', { name: 'Recommendations' }).click();
    await page.locator('td.c-lost .bad').first().waitFor();
    const lost = Number.parseInt((await page.locator('td.c-lost').first().innerText()).replace(',', ''), 10);
    await rows(page).first().getByRole('link').click();
    await page.locator('.facts').waitFor();
    await page.getByLabel('State').selectOption('lost');
    await expect
      .poll(async () => (await page.locator('.result').innerText()).split(' ')[0])
      .toBe(String(lost));
    await rows(page).first().getByRole('link').click();
    await page.getByText('Points over time').first().waitFor();
    await page.getByRole('link', { name: 'Who lost it, and who misses it, of all tenants' }).click();
    await page.locator('.facts').waitFor();
  });

  it('compares up to five tenants in one chart', async () => {
    const page = await open('#sort=tenant');
    for (let place = 0; place < 5; place += 1)
      await page
        .getByRole('checkbox')
        .nth(place + 1)
        .check();
    expect(await page.getByRole('region', { name: 'Comparison' }).innerText()).toContain('5 of 5 to compare');
    expect(await page.getByRole('checkbox').nth(9).isDisabled()).toBe(true);
    await page.getByRole('link', { name: 'Compare 5 tenants' }).click();
    await page.locator('.series.compared').first().waitFor();
    expect(
      new Set(
        await page
          .locator('.series.compared')
          .evaluateAll((all) => all.map((each) => each.getAttribute('class'))),
      ).size,
    ).toBe(5);
    expect(await page.locator('.side th[scope=col]').count()).toBe(5);
    await page.goBack();
    expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(5);
    await page.getByRole('button', { name: 'Choose none' }).click();
    expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(0);
  });

  it('compares five tenants on a phone: all columns fit, and equal scores cover no label', async () => {
    // All of them have one history.
    const alike = [0, 1, 2, 3, 4].map((each) => idOf(each * DRAWN)).join(',');
    const page = await open(`#compare=${alike}`, { viewport: { width: 390, height: 844 } });
    await page.locator('.series.compared').first().waitFor();
    const boxesOf = async (selector: string) =>
      page.locator(selector).evaluateAll((all) =>
        all.map((each) => {
          const { left, right, top, bottom } = each.getBoundingClientRect();
          return { left, right, top, bottom };
        }),
      );
    const cells = await boxesOf('.side th[scope=col], .side td.number');
    expect(cells.length).toBeGreaterThan(30);
    expect(Math.max(...cells.map(({ right }) => right))).toBeLessThan(390);
    const heads = await boxesOf('.side th[scope=col]');
    expect(new Set(heads.map(({ top }) => top)).size).toBe(1);
    expect(await page.evaluate('document.querySelector(".wide").scrollWidth')).toBeLessThan(390);

    const ends = await boxesOf('.label.ends');
    const labels = [...ends, ...(await boxesOf('.axes text'))].toSorted((a, b) => a.top - b.top);
    expect(ends).toHaveLength(5);
    // Lines of text touch: their boxes are higher than their letters.
    const covered = labels.filter((one, index) =>
      labels
        .slice(index + 1)
        .some((other) => other.top < one.bottom - 4 && other.left < one.right && one.left < other.right),
    );
    expect(covered).toEqual([]);
  });

  it('can be used with the keyboard alone', async () => {
    const page = await open('#sort=tenant');
    await page.keyboard.press('/');
    expect(await page.evaluate('document.activeElement.className')).toBe('search');
    await page.keyboard.type('tenant 01');
    expect(await result(page)).toBe('119 of 1,000 tenants');
    await page.getByRole('link', { name: 'Tenant 0100' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Tenant 0101');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Tenant 0101' }).waitFor();
    await page.goBack();
    await page.getByRole('tab', { name: 'Tenants' }).focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate('document.activeElement.id')).toBe('tab-microsoft');
    expect(await page.getByRole('tabpanel').getAttribute('aria-labelledby')).toBe('tab-microsoft');
  });

  it('shows hostile texts as text', async () => {
    const page = await open(`#search=${idOf(998)}`);
    expect(await page.locator('td.c-tenant a').textContent()).toBe(HOSTILE);
    expect(await page.locator('td.c-tenant .about').textContent()).toBe('#<b>tag</b>');
    await page.getByRole('checkbox').check();
    expect(await page.locator('.chosen').innerText()).toContain(HOSTILE);
    expect(await page.locator('img, b:has-text("bold"), main script').count()).toBe(0);
  });

  it('is printed with all its tenants, in light colours, without buttons', async () => {
    const page = await open('', { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    await page.evaluate('void dispatchEvent(new Event("beforeprint"))');
    await expect.poll(() => rows(page).count(), { timeout: 20_000 }).toBe(1000);
    expect(await page.locator('input:visible, select:visible, .chosen:visible, nav:visible').count()).toBe(0);
    expect(await page.evaluate(`getComputedStyle(document.documentElement).getPropertyValue('--ink')`)).toBe(
      '#1b1f24',
    );
    await page.evaluate('void dispatchEvent(new Event("afterprint"))');
    await expect.poll(() => rows(page).count()).toBe(50);
  });
});

describe('as a folder', () => {
  it('reads only what is looked at, from its own files', async () => {
    const asked: string[] = [];
    const page = await openPage(browser, faults, { at: asFolder });
    page.on('request', (request) => asked.push(request.url()));
    await page.locator('tbody tr').first().waitFor();
    expect(asked).toEqual([]);
    await page
      .getByRole('link', { name: /^Tenant \d+$/ })
      .first()
      .click();
    await page.locator('.plot svg').first().waitFor();
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/\/data\/[0-9a-f]{32}\.js$/);
    await page.goBack();
    await page.getByRole('tab', { name: 'Recommendations' }).click();
    await page.locator('td.c-lost').first().waitFor();
    expect(asked).toHaveLength(2);
  });

  it('reports a file that is missing', async () => {
    const page = await openPage(browser, [], { at: asFolder });
    await page.locator('tbody tr').first().waitFor();
    await page.route('**/data/*.js', (route) => route.abort());
    await rm(join(folder, 'fleet', 'data'), { recursive: true });
    await page
      .getByRole('link', { name: /^Tenant \d+$/ })
      .first()
      .click();
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').innerText()).toContain(
      'The page needs the folder that it was written with.',
    );
  });
});

const VIEWS = {
  'the tenants': '',
  'chosen and filtered': '#search=tenant&tag=gold&state=lost',
  'what Microsoft did': '#list=microsoft&period=90d',
  recommendations: '#list=recommendations',
  'a recommendation': '#control=AATP_PrintSpooler&period=90d',
  'a comparison': `#compare=${[0, 1, 2, 3, 4].map(idOf).join(',')}`,
  'a tenant': `#tenant=${idOf(7)}`,
  'a recommendation of a tenant': `#tenant=${idOf(7)}&control=AATP_PrintSpooler`,
};

describe.each([
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['a phone', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
] as const)('%s', (_, options) => {
  it.each(Object.entries(VIEWS))(
    '%s: the accessibility checker finds nothing, and nothing is wider than the screen',
    async (__, hash) => {
      const page = await open(hash, options);
      expect(await check(page)).toEqual([]);
      const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      expect(await page.evaluate(overflow)).toBe(0);
      expect(await page.locator('main').innerHTML()).not.toMatch(/NaN|Infinity|undefined/);
    },
  );
});
