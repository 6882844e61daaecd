import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { styleText } from 'node:util';
import { encode } from '../../history/page/data.ts';
import { PAGE_MARK, pageDocument } from '../../history/page/document.ts';
import { readTenant, readTenants } from '../../history/page/rows.ts';
import { pageScript } from '../../history/page/script.ts';
import type { WireTenant } from '../../history/page/wire.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { count, day } from '../../lambda/report/format.ts';
import { openInBrowser } from './browser.ts';
import type { Command } from '../shared/command.ts';
import { namesOf, tenantOf } from './names.ts';
import { configOf, engineOf } from './engine.ts';
import { HISTORY_OPTIONS, QUESTION_OPTIONS, type HistoryFlags } from './options.ts';
import { text } from '../shared/options.ts';
import { commandLine } from '../../lambda/command-line.ts';

/**
 * The default file is in the current folder, because browsers in a sandbox (snap, flatpak) can read neither /tmp nor
 * hidden folders.
 */
const DEFAULT_OUT = 'secure-score-history.html';

interface OpenFlags extends HistoryFlags {
  tenant?: string;
  out: string;
  browser: boolean;
}

const { format: _, json: __, ...WHERE } = HISTORY_OPTIONS;

/** `secure-score history open`: the history as a page. */
export const open: Command<OpenFlags> = {
  flags: (yargs) =>
    yargs
      .usage(
        '$0 history open\n\nWrites the history as a page: one self-contained HTML file that can be published.',
      )
      .options({ tenant: QUESTION_OPTIONS.tenant, ...WHERE })
      .option('out', { ...text('out'), default: DEFAULT_OUT, describe: 'File to write' })
      .option('browser', {
        type: 'boolean',
        default: true,
        describe: 'Open it if this is a terminal; --no-browser only writes it',
      })
      .conflicts('archive', ['deployed', 'stack'])
      // Of `history`: yargs shows it here as well.
      .hide('format')
      .example('$0 history open --tenant Contoso', '')
      .example('$0 history open --deployed --out score.html --no-browser', 'for others to read'),
  act,
};

async function act(flags: OpenFlags): Promise<number> {
  const config = await configOf(flags);
  const names = await namesOf(flags, config);
  const wanted = flags.tenant === undefined ? null : tenantOf(flags.tenant, names);
  await checkOut(flags.out);
  const { engine, conclude } = await engineOf(flags, config, wanted);
  const tenants: WireTenant[] = [];
  for (const id of wanted === null ? await readTenants(engine) : [wanted]) {
    const tenant = encode({ id, name: names.get(id) ?? id }, await readTenant(engine, id));
    if (tenant) tenants.push(tenant);
  }
  if (tenants.length === 0) throw nothing(flags.tenant, engine.location);
  const page = pageDocument(
    tenants.toSorted((a, b) => a.name.localeCompare(b.name, 'en')),
    pageScript(),
  );
  await writePage(flags.out, page);

  const opened = flags.browser && process.stdout.isTTY && (await openInBrowser(flags.out));
  console.log(describe(tenants, flags.out, page.length));
  if (!opened) console.log(styleText('dim', 'Open it in any browser; it needs no network.'));
  return conclude(wanted === null ? null : { tenant: wanted, fromMonth: '', toMonth: '9999-99' });
}

function describe(tenants: WireTenant[], out: string, bytes: number): string {
  const lines = tenants.map(({ name, days, changes }) => {
    const numbers = `${count(days.date.length, 'day')}, ${count(changes.date.length, 'change')}`;
    return `${styleText('green', '✓')} ${styleText('bold', name)}  ${numbers} to ${day(lastDay(days.date))}`;
  });
  return [...lines, `${styleText('cyan', out)}  ${Math.ceil(bytes / 1000)} kB`].join('\n');
}

/** @param distances as the page carries days */
function lastDay(distances: number[]): string {
  return new Date(86_400_000 * distances.reduce((sum, distance) => sum + distance, 0)).toISOString();
}

function nothing(tenant: string | undefined, location: string): MonitorError {
  return new MonitorError(
    'history-empty',
    tenant === undefined
      ? `The history of ${location} has no days yet.`
      : `The history of ${location} has no days of ${quote(tenant)}.`,
    `To list its tenants: ${commandLine('history sql "SELECT DISTINCT tenant FROM scores"')}`,
  );
}

/** Checks, before anything is read, that only a page of ours would be overwritten. */
async function checkOut(out: string): Promise<void> {
  let start: string;
  try {
    start = (await readFile(out, 'utf8')).slice(0, 200);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw unwritable(out, error);
  }
  if (start.includes(PAGE_MARK)) return;
  throw new MonitorError(
    'file-exists',
    `The file ${quote(out)} already exists and is no history page, so it was left as it is.`,
    'Choose another name with --out.',
  );
}

/** Readable only by its owner, because it shows where a tenant is weak. Whoever publishes it does so on purpose. */
async function writePage(out: string, page: string): Promise<void> {
  const unfinished = path.join(path.dirname(out), `.${path.basename(out)}.${process.pid}`);
  try {
    await writeFile(unfinished, page, { mode: 0o600, flag: 'wx' });
    await rename(unfinished, out);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw unwritable(out, error);
  }
}

function unwritable(out: string, error: unknown): MonitorError {
  return new MonitorError(
    'file-unwritable',
    `The file ${quote(out)} cannot be written (${codeOf(error)}).`,
    'Choose another place with --out: a folder that exists and that you may write to.',
    { cause: error },
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
