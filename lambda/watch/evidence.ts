import * as z from '../zod.ts';
import { headSchema, sha256, type LedgerState } from '../archive/ledger.ts';
import type { Archive } from '../archive/archive.ts';
import { inParallel } from '../archive/columns/parallel.ts';
import { layout } from '../archive/layout.ts';
import { lossesOf, type Finding } from '../archive/verify.ts';
import type { ObjectStore } from '../ports.ts';

/**
 * Maximum number of entries and objects of a tenant that are read per day. This is about what a month adds, so that an
 * archive of a few years is checked within weeks. 1,000 tenants make 120,000 requests, or five US cents, per day
 * (https://aws.amazon.com/s3/pricing/: $0.0004 per 1,000 GET requests).
 */
const READS_A_DAY = 120;

/** What the watch remembers about a tenant's evidence. */
export const lookSchema = z.object({
  /** ISO 8601. The tenant that was checked least recently comes first. */
  at: z.string(),
  /** The entry to check next, the number of its objects already checked, and the hash of the entry before. */
  next: z.object({
    sequence: z.int().check(z.minimum(1)),
    objects: z.int().check(z.minimum(0)),
    previous: z.nullable(z.string()),
  }),
  /** The last entry that was seen. An archive that was rolled back no longer has it. */
  head: z.nullable(headSchema),
  /** Findings that were reported and still hold: by key, the reason. */
  open: z.record(z.string(), z.string()),
});
export type Look = z.infer<typeof lookSchema>;

const BEGINNING: Look['next'] = { sequence: 1, objects: 0, previous: null };

/**
 * Checks the next slice of a tenant's evidence: that the entries of its ledger follow each other, that the last entry
 * seen still exists, and that every object that they list has the same bytes. Suspects, old and new, are then checked
 * against the complete ledger, so that nothing is reported that was acknowledged, excused or restored.
 * @param through what the state remembers: the last entry that the runs have completed, and foreign objects that they found
 * @param before the memory of the last check; null if there was none
 */
export async function lookThrough(
  options: { store: ObjectStore; archive: Archive; tenantId: string; through: LedgerState | null; now: Date },
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

  const suspects = new Set([...Object.keys(before?.open ?? {}), ...(through?.foreign ?? [])]);
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
  // A lost head stays in the memory until somebody acknowledges its loss.
  const seen = through && (!look.head || through.sequence > look.head.sequence) ? through : look.head;
  const isHeadLost = look.head && look.open[layout.entry(tenantId, look.head.sequence)] !== undefined;
  if (!isHeadLost && seen) look.head = { sequence: seen.sequence, hash: seen.hash };
  return look;
}

/** What `archive verify` finds for these keys. */
async function proven(
  { store, archive, tenantId, through }: Parameters<typeof lookThrough>[0],
  keys: string[],
  before: Look | null,
): Promise<Finding[]> {
  const files = await archive.ledger.read();
  const heads = [before?.head, through].flatMap((head) => head ?? []);
  return lossesOf({ store, tenantId, files, keys, heads });
}
