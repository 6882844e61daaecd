import { addDays } from '../../dates.ts';
import type { ObjectStore } from '../../ports.ts';
import type { Returned } from '../ledger.ts';
import { layout } from '../layout.ts';

/** The number of days whose versions are recorded: more than Graph has, and more than a run lists. */
const REMEMBERED_DAYS = 100;

/**
 * The progress of writing the columns of a tenant. The state is swapped before the first file is touched, without the days
 * whose rows are about to be rewritten, and again after the last one, so that work cut short by a crash is repeated.
 */
export interface ColumnsState {
  /**
   * Earlier versions count as nothing written: version 1 did not date maxima that moved in a gap, in version 2 controls
   * had no effort, and in version 3 a mark that was taken back, or older than 14 days at the end of a gap, caused no gain.
   */
  version: 4;
  /** The rows of all days up to this one are written; '' for none. */
  through: string;
  /** The shortened hashes of the versions from which the rows of the last days up to `through` are made. */
  versions: Record<string, string>;
  /** The catalogues that may be in force for these days, oldest first, and the number of others in the archive. */
  catalogues: { recent: { hash: string; fetchedAt: string; knownUntil?: string }[]; others: number };
  /** The latest time at which a snapshot with rows was fetched; '' for none. */
  fetchedAt: string;
  /** The present writer. A writer that finds another's name here has been overtaken. */
  writer: string | null;
}

export const NOTHING_WRITTEN: ColumnsState = {
  version: 4,
  through: '',
  versions: {},
  catalogues: { recent: [], others: 0 },
  fetchedAt: '',
  writer: null,
};

export interface VersionedColumnsState {
  /** Null if there is none, or none that can be read. Nothing then counts as written. */
  state: ColumnsState | null;
  version: string | null;
}

export async function readColumnsState(store: ObjectStore, tenantId: string): Promise<VersionedColumnsState> {
  const object = await store.get(layout.columnsState(tenantId));
  if (!object) return { state: null, version: null };
  let state: ColumnsState | null = null;
  try {
    const content: unknown = JSON.parse(Buffer.from(object.bytes).toString('utf8'));
    if (isColumnsState(content)) state = content;
  } catch {
    // A damaged state is ignored, because it is derived like the columns and is made again with them.
  }
  return { state, version: object.version };
}

/** Checked by hand, because a schema's first use takes a cold process longer than all the reading of this step. */
function isColumnsState(content: unknown): content is ColumnsState {
  if (!isRecord(content)) return false;
  const { version, through, versions, catalogues, fetchedAt, writer } = content;
  return (
    version === 4 &&
    typeof through === 'string' &&
    isRecord(versions) &&
    Object.values(versions).every((each) => typeof each === 'string') &&
    isRecord(catalogues) &&
    typeof catalogues['others'] === 'number' &&
    Array.isArray(catalogues['recent']) &&
    catalogues['recent'].every(
      (each) => isRecord(each) && typeof each['hash'] === 'string' && typeof each['fetchedAt'] === 'string',
    ) &&
    typeof fetchedAt === 'string' &&
    (writer === null || typeof writer === 'string')
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns the new version, or undefined if another writer came first */
export function swapColumnsState(
  store: ObjectStore,
  tenantId: string,
  state: ColumnsState,
  expected: string | null,
): Promise<string | undefined> {
  const bytes = Buffer.from(`${JSON.stringify(state, null, 2)}\n`);
  return store.replace(layout.columnsState(tenantId), bytes, expected);
}

/** The first day from which `versions` covers all days up to `through`. */
export function remembersFrom(through: string): string {
  return through === '' ? '' : addDays(through, -REMEMBERED_DAYS);
}

/** A short fingerprint of the versions of a day, and of the last time at which each came into force again. */
export function fingerprint(hashes: string[], returned: Returned): string {
  return hashes
    .map((hash) => [hash.slice(0, 12), ...(returned.get(hash)?.slice(-1) ?? [])].join('@'))
    .toSorted()
    .join(' ');
}
