/**
 * `npm run bench:page`: how long the history page of many tenants takes to be written and to be opened, and what it
 * weighs. The columns of an archive are generated (once: they stay in the folder for temporary files), the page is
 * written by the command itself and opened in Chromium. BENCH_TENANTS (100 and 1000) and BENCH_DAYS (365) set the size.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Table from 'cli-table3';
import { chromium } from 'playwright-core';
import { findChromium } from '../test/browser/chromium.ts';
import { generatedColumns } from './generated-columns.ts';

/** In ms. */
const AIMS = { written: { 100: 3000, 1000: 30_000 } as Record<number, number>, opened: 2000 };
const ROUNDS = 3;

const table = new Table({
  head: ['tenants × days', 'written', 'aim', 'weighs', 'first file', 'opened', 'aim'],
  colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
  style: { head: [], border: [] },
});
const work = mkdtempSync(join(tmpdir(), 'secure-score-bench-page-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));

const days = Number(process.env['BENCH_DAYS'] ?? 365);
for (const tenants of (process.env['BENCH_TENANTS'] ?? '100,1000').split(',').map(Number)) {
  const { folder, tenants: ids } = await generatedColumns(tenants, days);
  const config = join(work, `${tenants}.json`);
  writeFileSync(config, JSON.stringify(configOf(ids)));
  const out = join(work, `${tenants}.html`);
  console.error(`Writing the page of ${tenants} tenants …`);
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      'bin/secure-score.ts',
      'history',
      'open',
      '--archive',
      folder,
      '--config',
      config,
      '--out',
      out,
      '--no-browser',
    ],
    { cwd: join(import.meta.dirname, '..'), encoding: 'utf8' },
  );
  const written = performance.now() - started;
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  const page = await stat(out).then(
    () => out,
    () => join(work, String(tenants), 'index.html'),
  );
  const weight = /\.html {2}([\d.]+ \w+)|\/\d+ {2}([\d.]+ \w+)/.exec(stdout);
  const opened = await openedIn(page);
  const aim = AIMS.written[tenants];
  table.push([
    `${tenants} × ${days}`,
    seconds(written),
    aim === undefined ? '' : `< ${seconds(aim)} ${written < aim ? 'met' : 'MISSED'}`,
    weight?.[1] ?? weight?.[2] ?? '',
    `${Math.round((await stat(page)).size / 1000)} kB`,
    `${Math.round(opened)} ms`,
    `< ${AIMS.opened} ms ${opened < AIMS.opened ? 'met' : 'MISSED'}`,
  ]);
}
console.log(
  `Opened: from the start of navigation until the rows are drawn, the median of ${ROUNDS}, each in a new context.`,
);
console.log(table.toString());

/** The time in ms until the table of tenants is drawn. */
async function openedIn(page: string): Promise<number> {
  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const context = await browser.newContext();
    const tab = await context.newPage();
    await tab.addInitScript(`new MutationObserver(() => {
      if (document.querySelector('.fleet-table tbody tr')) window.drawn ??= performance.now();
    }).observe(document, { childList: true, subtree: true })`);
    await tab.goto(pathToFileURL(page).href);
    await tab.locator('.fleet-table tbody tr').first().waitFor();
    times.push(await tab.evaluate<number>('window.drawn'));
    await context.close();
  }
  await browser.close();
  return times.toSorted((a, b) => a - b)[ROUNDS >> 1]!;
}

function configOf(ids: string[]): object {
  const tenants = ids.map((tenantId, place) => ({
    name: `Tenant ${String(place).padStart(4, '0')}`,
    tenantId,
    clientId: '7f3c1de0-2b5a-4c8e-9d14-6a0b7c8d9e0f',
    recipients: ['secops@contoso.com'],
    tags: [place % 3 === 0 ? 'gold' : 'silver'],
  }));
  return { tenants, operations: ['oncall@contoso.com'], mail: { from: 'score@contoso.com' } };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
