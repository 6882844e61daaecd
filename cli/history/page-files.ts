import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PAGE_MARK, pageDocument, type Contents } from '../../history/page/document.ts';
import { scriptOf, type Part } from '../../history/page/pack.ts';
import { DATA_FOLDER } from '../../history/page/parts.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';

/** In bytes: what is larger opens slowly, and is a folder whose data is read where somebody looks at it. */
const LARGEST_FILE = 10_000_000;

const INDEX = 'index.html';

/** Where a page of several files lies: beside where the one file would be. */
const folderOf = (out: string): string => out.replace(/\.html?$/i, '') || out;

/** Checks, before anything is read, that only a page of ours would be overwritten. */
export async function checkOut(out: string): Promise<void> {
  await checkFile(out);
  const folder = folderOf(out);
  if (folder !== out) await checkFolder(folder);
}

async function checkFile(file: string): Promise<void> {
  let start: string;
  try {
    start = (await readFile(file, 'utf8')).slice(0, 200);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    if (codeOf(error) === 'EISDIR') return checkFolder(file);
    throw unwritable(file, error);
  }
  if (!start.includes(PAGE_MARK)) throw taken(file, 'is no history page');
}

async function checkFolder(folder: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    if (codeOf(error) === 'ENOTDIR') throw taken(folder, 'is no history page');
    throw unwritable(folder, error);
  }
  if (names.length === 0) return;
  const foreign = names.filter((name) => name !== INDEX && name !== DATA_FOLDER);
  const start = await readFile(path.join(folder, INDEX), 'utf8').catch(() => '');
  if (foreign.length > 0 || !start.slice(0, 200).includes(PAGE_MARK)) {
    throw taken(folder, 'holds something else than a history page');
  }
}

export interface Written {
  /** What to open. */
  page: string;
  /** What was written: the page itself, or the folder that it lies in. */
  out: string;
  /** In bytes: of the page, and of all files. */
  bytes: { page: number; total: number };
}

/**
 * Writes a page: one file up to 10 MB, beyond that a folder of the same name. Both are readable only by their owner,
 * because they show where tenants are weak. Whoever publishes them does so on purpose.
 * @param inPage names of the parts that the page carries itself in a folder too
 */
export async function writePage(
  out: string,
  contents: Omit<Contents, 'files'>,
  inPage: readonly string[],
): Promise<Written> {
  const size = contents.parts.reduce((sum, { packed }) => sum + packed.length, 0);
  if (size + contents.script.length <= LARGEST_FILE) {
    const page = pageDocument({ ...contents, files: {} });
    await replace(out, (unfinished) => writeFile(unfinished, page, { mode: 0o600, flag: 'wx' }));
    return { page: out, out, bytes: { page: page.length, total: page.length } };
  }
  const folder = folderOf(out);
  const isInPage = ({ name }: Part) => inPage.includes(name);
  const scripts = contents.parts
    .filter((part) => !isInPage(part))
    .map((part) => ({ part, ...scriptOf(part) }));
  const files = Object.fromEntries(scripts.map(({ part, file }) => [part.name, file]));
  const page = pageDocument({ ...contents, parts: contents.parts.filter(isInPage), files });
  await replace(folder, async (unfinished) => {
    await mkdir(path.join(unfinished, DATA_FOLDER), { recursive: true, mode: 0o700 });
    for (const { file, script } of scripts) {
      await writeFile(path.join(unfinished, DATA_FOLDER, file), script, { mode: 0o600 });
    }
    await writeFile(path.join(unfinished, INDEX), page, { mode: 0o600 });
  });
  const total = scripts.reduce((sum, { script }) => sum + script.length, page.length);
  return { page: path.join(folder, INDEX), out: folder, bytes: { page: page.length, total } };
}

/** Written completely or not at all; the former page is removed when the new one is ready. */
async function replace(out: string, write: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = path.join(path.dirname(out), `.${path.basename(out)}.${process.pid}`);
  const former = `${unfinished}.former`;
  try {
    await write(unfinished);
    try {
      await rename(unfinished, out);
    } catch {
      // A folder takes the place of none that holds something, nor of a file.
      await rename(out, former);
      await rename(unfinished, out);
      await rm(former, { recursive: true, force: true });
    }
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw unwritable(out, error);
  }
}

function taken(out: string, why: string): MonitorError {
  return new MonitorError(
    'file-exists',
    `${quote(out)} already exists and ${why}, so it was left as it is.`,
    'Choose another name with --out.',
  );
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
