import * as z from 'zod';
import { addDays } from '../../dates.ts';
import type { ObjectStore } from '../../ports.ts';
import { layout } from '../layout.ts';

/** Of so many days it is known of which versions their rows are made: more than Graph keeps, and than a run lists. */
const REMEMBERED_DAYS = 100;

const schema = z.object({
  version: z.literal(1),
  /** The rows of all days up to this one are written; '' for none. */
  through: z.string(),
  /** Of the last days up to `through`: the hashes, shortened, of the versions that their rows are made of. */
  versions: z.record(z.string(), z.string()),
  /** The catalogues that may be in force for these days, oldest first; and how many more the archive holds. */
  catalogues: z.object({
    recent: z.array(z.object({ hash: z.string(), fetchedAt: z.string() })),
    others: z.number(),
  }),
  /** When the youngest snapshot that rows are made of was fetched; '' for none. */
  fetchedAt: z.string(),
  /** Who is writing: a writer that finds another's name here has been overtaken. */
  writer: z.string().nullable(),
});

/**
 * How far the columns of a tenant are written. It is swapped before the first file is touched, without the days whose
 * rows are about to be rewritten, and again after the last: what a crash leaves half done is done again.
 */
export type ColumnsState = z.infer<typeof schema>;

export const NOTHING_WRITTEN: ColumnsState = {
  version: 1,
  through: '',
  versions: {},
  catalogues: { recent: [], others: 0 },
  fetchedAt: '',
  writer: null,
};

export interface VersionedColumnsState {
  /** Null where there is none, or none that can be read: then nothing counts as written. */
  state: ColumnsState | null;
  version: string | null;
}

export async function readColumnsState(store: ObjectStore, tenantId: string): Promise<VersionedColumnsState> {
  const object = await store.get(layout.columnsState(tenantId));
  if (!object) return { state: null, version: null };
  let state: ColumnsState | null = null;
  try {
    state = schema.parse(JSON.parse(Buffer.from(object.bytes).toString('utf8')));
  } catch {
    // Derived like the columns themselves: it is made again with them.
  }
  return { state, version: object.version };
}

/** @returns the new version, or undefined where another writer came first */
export function swapColumnsState(
  store: ObjectStore,
  tenantId: string,
  state: ColumnsState,
  expected: string | null,
): Promise<string | undefined> {
  const bytes = Buffer.from(`${JSON.stringify(state, null, 2)}\n`);
  return store.replace(layout.columnsState(tenantId), bytes, expected);
}

/** From this day on, `versions` knows all days up to `through`. */
export function remembersFrom(through: string): string {
  return through === '' ? '' : addDays(through, -REMEMBERED_DAYS);
}

/** The versions of a day, in short. */
export function fingerprint(hashes: string[]): string {
  return hashes
    .map((hash) => hash.slice(0, 12))
    .toSorted()
    .join(' ');
}
