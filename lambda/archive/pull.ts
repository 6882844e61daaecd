import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import * as z from '../zod.ts';
import { MonitorError, quote } from '../errors.ts';
import type { ObjectStore } from '../ports.ts';
import { parseClosedMonth } from './columns/closed-month.ts';
import { inParallel } from './columns/parallel.ts';
import { TABLES } from './columns/tables.ts';
import { writeTemporary } from './folder-lock.ts';
import { folderStore, makeFolder } from './folder-store.ts';
import { layout } from './layout.ts';
import type { Entry, S3Store } from './s3-store.ts';

/** Evidence is copied first, then what is derived, then the state, so that an interrupted copy never claims too much. */
const PREFIXES = ['snapshots/', 'profiles/', 'reports/', 'ledger/', 'history/', 'state/'] as const;
/** Objects that are rewritten in place. All others never change, so that a key that exists needs no second look. */
const REWRITTEN = /^(history|state)\//;

/** The maximum number of objects fetched at once: they are small, and far away. */
const AT_ONCE = 24;
/** The interval, in ms, at which the progress is saved. */
const NOTE_EVERY_MS = 2_000;

/** A file beside the objects, whose name is no valid key. */
const NOTES = '.pulled.json';

const notesSchema = z.object({
  source: z.string(),
  /** Versions, by the source, of objects that may change there. */
  versions: z.record(z.string(), z.string()),
});
type Notes = z.infer<typeof notesSchema>;

export interface PullOptions {
  source: S3Store;
  /** Created if it does not exist. */
  folder: string;
  /** Copies only the columns of the history. */
  onlyHistory?: boolean;
  /** Only this tenant. */
  tenantId?: string;
  onProgress?: (progress: PullProgress) => void;
}

export interface PullProgress {
  /** Number of objects fetched so far, and of all that are new or changed. */
  done: number;
  total: number;
  /** Size of the fetched objects. */
  bytes: number;
}

export interface Pulled {
  /** Objects at the source. */
  objects: number;
  fetched: number;
  bytes: number;
}

/**
 * Updates the copy of a bucket in a folder: fetches only what is new or changed. It can be interrupted at any moment and
 * resumes the next time; every object in the folder is complete at any time. What is deleted at the source stays.
 * @throws MonitorError `pull-folder-taken` if the folder is an archive of its own, or the copy of another one
 */
export async function pull(options: PullOptions): Promise<Pulled> {
  const { source, tenantId, onProgress } = options;
  const folder = path.resolve(options.folder);
  const copy = folderStore(folder);
  const notes = await readNotes(folder, source.location, copy);
  await writeNotes(folder, notes);

  const prefixes = options.onlyHistory ? (['history/'] as const) : PREFIXES;
  const isWanted = ({ key }: Entry) => tenantId === undefined || tenantOf(key) === tenantId;
  const listed = (await Promise.all(prefixes.map((prefix) => source.entries(prefix)))).flat();
  const isCopied =
    options.onlyHistory && tenantId === undefined ? await copiedIn(source, listed) : () => false;
  const entries = listed.filter((entry) => isWanted(entry) && !isCopied(entry));
  const here = new Set((await Promise.all(prefixes.map((prefix) => copy.list(prefix)))).flat());
  const wanted = entries.filter(
    ({ key, version }) => !here.has(key) || (REWRITTEN.test(key) && notes.versions[key] !== version),
  );

  const progress: PullProgress = { done: 0, total: wanted.length, bytes: 0 };
  let noted = performance.now();
  onProgress?.(progress);
  const fetch = async ({ key }: Entry) => {
    const object = await source.get(key);
    // The object was deleted after it was listed.
    if (!object) return;
    if (REWRITTEN.test(key)) {
      await overwrite(copy, key, object.bytes);
      notes.versions[key] = object.version;
    } else await copy.create(key, object.bytes);
    progress.done += 1;
    progress.bytes += object.bytes.length;
    onProgress?.(progress);
    if (performance.now() - noted > NOTE_EVERY_MS) {
      noted = performance.now();
      await writeNotes(folder, notes);
    }
  };
  try {
    for (const prefix of prefixes) {
      await inParallel(
        wanted.filter(({ key }) => key.startsWith(prefix)),
        fetch,
        AT_ONCE,
      );
    }
  } finally {
    await writeNotes(folder, notes);
  }
  return { objects: entries.length, fetched: progress.done, bytes: progress.bytes };
}

/** Finds the files that are also in copies of a closed month, which are fewer, and enough for a reader of all tenants. */
async function copiedIn(source: S3Store, entries: readonly Entry[]): Promise<(entry: Entry) => boolean> {
  const months = entries.filter(({ key }) => key.startsWith(layout.closedMonths) && key.endsWith('.json'));
  const keys = await inParallel(months, async ({ key }) => {
    const object = await source.get(key);
    const month = key.slice(layout.closedMonths.length, -'.json'.length);
    const closed = object && parseClosedMonth(object.bytes, month);
    if (!closed?.closed) return [];
    return TABLES.flatMap(({ name }) => closed.tenants.map((tenant) => layout.columns(name, month, tenant)));
  });
  const copied = new Set(keys.flat());
  return ({ key }) => copied.has(key);
}

/** The tenant that a key is about. */
function tenantOf(key: string): string | undefined {
  return /\/tenant=([^/.]+)/.exec(key)?.[1] ?? /\/([^/]+)\.parquet$/.exec(key)?.[1];
}

/** Replaces whatever is there, because this is a copy. */
async function overwrite(copy: ObjectStore, key: string, bytes: Uint8Array): Promise<void> {
  for (;;) {
    const version = (await copy.get(key))?.version ?? null;
    if ((await copy.replace(key, bytes, version)) !== undefined) return;
  }
}

async function readNotes(folder: string, source: string, copy: ObjectStore): Promise<Notes> {
  const taken = (why: string) =>
    new MonitorError(
      'pull-folder-taken',
      `The folder ${quote(folder, 300)} ${why}.`,
      `Choose another folder, which will then be the copy of ${source}.`,
    );
  let text: string;
  try {
    text = await readFile(path.join(folder, NOTES), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') throw taken('is no folder');
      throw error;
    }
    const own = (await Promise.all(PREFIXES.map((prefix) => copy.list(prefix)))).flat();
    if (own.length > 0) throw taken('holds an archive of its own, which a copy would spoil');
    return { source, versions: {} };
  }
  let notes: Notes;
  try {
    notes = notesSchema.parse(JSON.parse(text));
  } catch {
    // The folder is a copy whose progress is not known, so everything that may change is fetched again.
    return { source, versions: {} };
  }
  if (notes.source !== source) throw taken(`is the copy of ${quote(notes.source, 300)}`);
  return notes;
}

async function writeNotes(folder: string, notes: Notes): Promise<void> {
  const temporary = path.join(folder, '.tmp');
  // The folder is only for its owner, like the archive itself.
  await makeFolder(temporary);
  const file = await writeTemporary(temporary, Buffer.from(`${JSON.stringify(notes)}\n`));
  await rename(file, path.join(folder, NOTES));
}
