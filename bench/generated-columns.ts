import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { merged } from '../lambda/archive/columns/coded.ts';
import { inParallel } from '../lambda/archive/columns/parallel.ts';
import { toParquet } from '../lambda/archive/columns/parquet.ts';
import { closeMonths } from '../lambda/archive/columns/closed.ts';
import { deriveRows, type ArchivedDay, type Row } from '../lambda/archive/columns/rows.ts';
import { NOTHING_WRITTEN, swapColumnsState } from '../lambda/archive/columns/state.ts';
import { TABLES } from '../lambda/archive/columns/tables.ts';
import { folderStore } from '../lambda/archive/folder-store.ts';
import { layout } from '../lambda/archive/layout.ts';
import { addDays } from '../lambda/dates.ts';
import { readProfiles, snapshotOf } from '../lambda/graph/schema.ts';
import { generatedTenant } from '../simulator/generated-tenant.ts';

/** The version of the generator: a folder that another version made is not used. */
const VERSION = 3;
/** The number of tenants that are drawn; the others are copies of them under ids of their own. */
const DRAWN = 20;
const LAST_DAY = '2026-06-30';
/** 411 is the most that was measured in a real tenant. */
const CONTROLS = 411;

export interface GeneratedColumns {
  folder: string;
  tenants: string[];
  days: number;
  /** The number of tenants that are drawn, not copied. */
  drawn: number;
}

/**
 * The history's columns of many tenants, without their snapshots: what the page is made from. They are made once, in
 * the folder for temporary files. The archive is as it stands on its last day: months that can be closed by then are.
 */
export async function generatedColumns(tenants: number, days: number): Promise<GeneratedColumns> {
  const folder = join(tmpdir(), `secure-score-bench-columns-${VERSION}-${tenants}x${days}`);
  const noteFile = join(folder, 'generated.json');
  const note = await readFile(noteFile, 'utf8').catch(() => null);
  const archive =
    note === null
      ? await generated(folder, tenants, days)
      : { ...(JSON.parse(note) as GeneratedColumns), folder };
  const store = folderStore(folder);
  // A month is closed only when nobody writes its files, which the states show.
  for (const id of archive.tenants) await swapColumnsState(store, id, NOTHING_WRITTEN, null);
  await closeMonths({ store, log: QUIET, now: new Date(`${LAST_DAY}T08:00:00Z`) });
  await writeFile(noteFile, JSON.stringify(archive));
  return archive;
}

const QUIET = { info: () => undefined, warn: console.error, error: console.error };

async function generated(folder: string, tenants: number, days: number): Promise<GeneratedColumns> {
  await rm(folder, { recursive: true, force: true });
  const ids = Array.from({ length: tenants }, (_, index) => tenantIdOf(index));
  const drawn = Math.min(tenants, DRAWN);
  for (let base = 0; base < drawn; base += 1) {
    console.error(`Generating columns, ${base} of ${drawn} tenants are drawn …`);
    const own = ids.filter((_, index) => index % DRAWN === base);
    const rows = deriveRows(ids[base]!, null, daysOf(base, days));
    for (const table of TABLES) {
      const months = Map.groupBy(rows[table.name] as Row[], ({ date }) => date.slice(0, 7));
      for (const [month, ofMonth] of months) {
        const file = Buffer.from(toParquet(table, merged(table, null, null, ofMonth)));
        await inParallel(own, (id) =>
          put(join(folder, layout.columns(table.name, month, id)), copied(file, ids[base]!, id)),
        );
      }
    }
  }
  return { folder, tenants: ids, days, drawn };
}

/** Returns the file of another tenant: all ids have the same length, and a file contains them uncompressed. */
function copied(file: Buffer, from: string, to: string): Buffer {
  const copy = Buffer.from(file);
  for (let at = copy.indexOf(from); at !== -1; at = copy.indexOf(from, at + 1)) copy.write(to, at);
  return copy;
}

async function put(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

function daysOf(seed: number, days: number): ArchivedDay[] {
  const reading = generatedTenant(seed, { today: LAST_DAY, day: days, controls: CONTROLS }).read();
  const { profiles } = readProfiles(reading.profiles());
  return Array.from({ length: days }, (_, index): ArchivedDay => {
    const date = addDays(LAST_DAY, index - days + 1);
    const versions = [snapshotOf(reading.secureScore(date, true), true)];
    return { date, versions, seenAt: `${date}T07:00:00Z`, profiles };
  });
}

function tenantIdOf(index: number): string {
  const hex = createHash('sha256').update(`tenant ${index}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
