import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { inParallel } from '../lambda/archive/columns/parallel.ts';
import { canonical, canonicalProfiles } from '../lambda/archive/content-hash.ts';
import { envelope } from '../lambda/archive/envelope.ts';
import { layout } from '../lambda/archive/layout.ts';
import { generatedTenant } from '../simulator/generated-tenant.ts';
import { addDays, DAYS_KEPT } from '../simulator/tenant.ts';

const compress = promisify(gzip);

/** The version of the generator: a folder that another version made is not used. */
const VERSION = 4;
/** The number of tenants that are drawn; the others are copies of them under ids of their own. */
const DRAWN = 10;
/** The maximum number of tenants whose snapshots are written; the others have only columns. */
export const WITH_SNAPSHOTS = 100;
export const LAST_DAY = '2026-06-30';
/** The interval in days at which the generated tenants get a recommendation, and so a new catalogue. */
const CATALOGUE_EVERY = 30;

export interface GeneratedArchive {
  folder: string;
  tenants: string[];
  days: number;
  /** The number of tenants that are drawn, not copied. */
  drawn: number;
  /** The size of the snapshots, as JSON and gzipped. */
  bytes: { json: number; gzipped: number };
}

/**
 * The snapshots and catalogues of many tenants as their daily runs leave them: on the first day the 90 that Graph
 * keeps, with few texts, then a complete one a day. The archive is made once, in the folder for temporary files.
 */
export async function generatedArchive(tenants: number, days: number): Promise<GeneratedArchive> {
  const folder = join(tmpdir(), `secure-score-bench-history-${VERSION}-${tenants}x${days}`);
  const noteFile = join(folder, 'generated.json');
  const note = await readFile(noteFile, 'utf8').catch(() => null);
  if (note !== null) return { ...(JSON.parse(note) as GeneratedArchive), folder };

  await rm(folder, { recursive: true, force: true });
  const ids = Array.from({ length: tenants }, (_, index) => tenantIdOf(index));
  const drawn = Math.min(tenants, DRAWN);
  const bytes = { json: 0, gzipped: 0 };
  for (let base = 0; base < drawn; base += 1) {
    console.error(`Generating tenants, ${base} of ${drawn} are drawn …`);
    const tenantId = ids[base]!;
    const copies = ids.filter((_, index) => index < WITH_SNAPSHOTS && index % DRAWN === base);
    const today = (day: number) => addDays(LAST_DAY, day - days);
    for (const { date, text, hash } of snapshotsOf(base, tenantId, days, today)) {
      // The ids are before and after the controls, which are compressed once, as the second of three members of each file.
      const [start, end] = [text.indexOf('"controlScores"'), text.indexOf('"createdDateTime"')];
      const controls = await compress(text.slice(start, end));
      bytes.json += Buffer.byteLength(text) * copies.length;
      await inParallel(copies, async (id) => {
        const [head, tail] = await Promise.all(
          [text.slice(0, start), text.slice(end)].map((part) => compress(part.replaceAll(tenantId, id))),
        );
        const file = Buffer.concat([head!, controls, tail!]);
        bytes.gzipped += file.length;
        await put(join(folder, layout.snapshot(id, date, hash)), file);
      });
    }
    for (let day = Math.min(days, DAYS_KEPT); day <= days; day += CATALOGUE_EVERY) {
      const profiles = generatedTenant(base, { today: today(day), day, tenantId })
        .read()
        .profiles();
      const content = canonicalProfiles(profiles);
      const file = await compress(envelope({ fetchedAt: fetchedOn(today(day)) }, 'profiles', content));
      await inParallel(copies, (id) => put(join(folder, layout.profiles(id, content.hash)), file));
    }
  }
  const archive: GeneratedArchive = { folder, tenants: ids, days, drawn, bytes };
  await writeFile(noteFile, JSON.stringify(archive));
  return archive;
}

async function put(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

/**
 * Yields the snapshots as the archive has them. The copies have the hashes of their originals, because nothing here
 * checks those.
 */
function* snapshotsOf(seed: number, tenantId: string, days: number, today: (day: number) => string) {
  const reading = generatedTenant(seed, { today: LAST_DAY, day: days, tenantId }).read();
  const first = Math.min(days, DAYS_KEPT);
  for (let day = 1; day <= days; day += 1) {
    const date = today(day);
    const newest = day >= first;
    const fetchedAt = fetchedOn(today(Math.max(day, first)));
    const secureScore = canonical(reading.secureScore(date, newest));
    yield {
      date,
      text: envelope({ fetchedAt, newest }, 'secureScore', secureScore).toString(),
      hash: secureScore.hash,
    };
  }
}

const fetchedOn = (date: string): string => `${date}T06:00:00.000Z`;

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

function tenantIdOf(index: number): string {
  const hex = hashOf(`tenant ${index}`);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
