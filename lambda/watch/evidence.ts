import * as z from 'zod';
import { headSchema, sha256, type Head } from '../archive/ledger.ts';
import type { Archive } from '../archive/archive.ts';
import { inParallel } from '../archive/columns/parallel.ts';
import { layout } from '../archive/layout.ts';
import { lossesOf, type Finding } from '../archive/verify.ts';
import type { ObjectStore } from '../ports.ts';

/**
 * How many entries and objects of a tenant are read a day: about what a month adds, so that the whole archive of a few
 * years is looked through within weeks. 1,000 tenants: 120,000 requests, five US cents a day
 * (https://aws.amazon.com/s3/pricing/: $0.0004 per 1,000 GET requests).
 */
const READS_A_DAY = 120;

/** What the watch remembers of a tenant's evidence. */
export const lookSchema = z.object({
  /** ISO 8601: whoever was looked at longest ago comes first. */
  at: z.string(),
  /** The entry that is looked at next, how many of its objects have been, and the hash of the one before. */
  next: z.object({ sequence: z.int().min(1), objects: z.int().min(0), previous: z.string().nullable() }),
  /** The last entry that was seen: an archive that was rolled back has it no more. */
  head: headSchema.nullable(),
  /** What was found and reported, and is so still: by key, why. */
  open: z.record(z.string(), z.string()),
});
export type Look = z.infer<typeof lookSchema>;

const BEGINNING: Look['next'] = { sequence: 1, objects: 0, previous: null };

/**
 * Looks through the next slice of a tenant's evidence: that entries of its ledger follow each other, that the last one
 * seen is there, and that every object that they name has its bytes. What is wrong, and what was, is proven again by
 * the whole ledger, so that what is acknowledged, or excused, or restored, is not reported.
 * @param through up to this entry the runs have completed the ledger; the state says so
 * @param before what the last look remembers; null: there was none
 */
export async function lookThrough(
  options: { store: ObjectStore; archive: Archive; tenantId: string; through: Head | null; now: Date },
  before: Look | null,
): Promise<Look> {
  const { store, archive, tenantId, through, now } = options;
  const last = Math.max(through?.sequence ?? 0, before?.head?.sequence ?? 0);
  const look: Look = {
    at: now.toISOString(),
    next: before?.next ?? BEGINNING,
    head: before?.head ?? null,
    open: {},
  };
  if (last === 0) return look;

  const suspects = new Set(Object.keys(before?.open ?? {}));
  if (look.head && (await archive.ledger.entry(look.head.sequence))?.hash !== look.head.hash) {
    suspects.add(layout.entry(tenantId, look.head.sequence));
  }
  let { sequence, objects, previous } = look.next.sequence > last ? BEGINNING : look.next;
  for (let reads = 0; reads < READS_A_DAY && sequence <= last;) {
    const file = await archive.ledger.entry(sequence);
    reads += 1;
    if (!file?.entry || file.entry.previous !== previous) suspects.add(layout.entry(tenantId, sequence));
    const rest = file?.entry?.added.slice(objects) ?? [];
    const slice = rest.slice(0, READS_A_DAY - reads);
    await inParallel(slice, async ({ key, hash }) => {
      const object = await store.get(key);
      if (!object || sha256(object.bytes) !== hash) suspects.add(key);
    });
    reads += slice.length;
    if (slice.length < rest.length) objects += slice.length;
    else {
      objects = 0;
      previous = file?.hash ?? null;
      sequence += 1;
    }
  }
  look.next = sequence > last ? BEGINNING : { sequence, objects, previous };
  const findings = suspects.size === 0 ? [] : await proven(options, [...suspects], before);
  look.open = Object.fromEntries(findings.map(({ key, why }) => [key, why]));
  // A head that is gone stays remembered, until somebody acknowledges its loss.
  const seen = through && (!look.head || through.sequence > look.head.sequence) ? through : look.head;
  const isHeadLost = look.head && look.open[layout.entry(tenantId, look.head.sequence)] !== undefined;
  if (!isHeadLost && seen) look.head = { sequence: seen.sequence, hash: seen.hash };
  return look;
}

/** What `archive verify` says of these keys. */
async function proven(
  { store, archive, tenantId, through }: Parameters<typeof lookThrough>[0],
  keys: string[],
  before: Look | null,
): Promise<Finding[]> {
  const files = await archive.ledger.read();
  const heads = [before?.head, through].flatMap((head) => head ?? []);
  return lossesOf({ store, tenantId, files, keys, heads });
}
