import { MonitorError } from '../errors.ts';
import { snapshotOf } from '../graph/schema.ts';
import { isFromTheFuture } from '../score/plausibility.ts';
import type { Snapshot } from '../score/snapshot.ts';
import { contentHash, contentHashOfProfiles } from './content-hash.ts';
import { unpacked, type ContentKey, type Unpacked } from './envelope.ts';
import { sha256 } from './ledger.ts';

/*
 * An archived object proves itself: its name is the hash of its content, and the content states its day and tenant.
 * All evidence is read through this file, so that nothing is derived from an object that is not proven.
 */

/** A proven snapshot of the archive. */
export interface ArchivedSnapshot {
  /** ISO 8601. */
  fetchedAt: string;
  /** True if it was the newest day of Graph's answer, the only one that has texts. */
  newest: boolean;
  /** As Graph sent it. */
  secureScore: unknown;
}

/** A proven catalogue of the archive. */
export interface ArchivedProfiles {
  /** ISO 8601: when they were first seen. */
  fetchedAt: string;
  /**
   * The day (yyyy-mm-dd) until which the catalogue before is known, if only a part of it came since: decisions made
   * meanwhile are new in this one. Objects of 0.1.0 have none.
   */
  knownUntil?: string;
  /** As Graph sent them. */
  profiles: unknown[];
}

/**
 * The bytes are not what their key says. `foreign`: they are intact, but of another day or tenant. `implausible`: they
 * are what Graph sent, but cannot be true; an earlier version archived them, and they are ignored.
 */
export class Unproven extends Error {
  readonly kind: 'damaged' | 'foreign' | 'implausible';
  constructor(kind: Unproven['kind'], why: string, cause?: unknown) {
    super(why, { cause });
    this.name = 'Unproven';
    this.kind = kind;
  }
}

/**
 * Reads a snapshot and proves that it is the one in its key.
 * @param expected what the key says: the tenant (guid in lower case), the day (yyyy-mm-dd), the content hash (hex)
 * @throws Unproven
 */
export function provenSnapshot(
  bytes: Uint8Array,
  expected: { tenantId: string; date: string; hash: string },
): ArchivedSnapshot & { snapshot: Snapshot } {
  const { facts, isProven, content } = opened(bytes, 'secureScore', expected.hash);
  const { fetchedAt, newest } = facts;
  const secureScore = content();
  if (typeof fetchedAt !== 'string' || typeof secureScore !== 'object' || secureScore === null) {
    throw new Unproven('damaged', 'it is not { fetchedAt, newest, secureScore }');
  }
  if (!isProven && remembered(bytes, 'secureScore', () => contentHash(secureScore)) !== expected.hash) {
    throw new Unproven('damaged', 'its content does not match the hash in its name');
  }
  if (isFromTheFuture(expected.date, fetchedAt)) {
    throw new Unproven('implausible', `it was fetched on ${fetchedAt.slice(0, 10)}, before its day could be`);
  }
  const snapshot = readAgain(secureScore, newest === true);
  if (snapshot.date !== expected.date) {
    throw new Unproven('foreign', `it belongs to another day, ${snapshot.date}`);
  }
  const owner = String((secureScore as { azureTenantId?: unknown }).azureTenantId).toLowerCase();
  if (owner !== expected.tenantId) {
    throw new Unproven('foreign', `it belongs to another tenant, ${owner.slice(0, 40)}`);
  }
  return { fetchedAt, newest: newest === true, secureScore, snapshot };
}

function readAgain(secureScore: unknown, newest: boolean): Snapshot {
  try {
    return snapshotOf(secureScore, newest);
  } catch (error) {
    if (error instanceof MonitorError) {
      const kind = error.code === 'archive-implausible' ? 'implausible' : 'damaged';
      throw new Unproven(kind, error.message, error);
    }
    throw error;
  }
}

/**
 * Reads a catalogue and proves that it has that content hash.
 * @returns `profiles` parses them, as Graph sent them
 * @throws Unproven, and so does `profiles`
 */
export function provenProfiles(
  bytes: Uint8Array,
  expected: string,
): Omit<ArchivedProfiles, 'profiles'> & { profiles: () => unknown[] } {
  const { facts, isProven, content } = opened(bytes, 'profiles', expected);
  const { fetchedAt, knownUntil } = facts;
  const misshapen = () => new Unproven('damaged', 'it is not { fetchedAt, profiles }');
  if (typeof fetchedAt !== 'string') throw misshapen();
  const profiles = () => {
    const found = content();
    if (!Array.isArray(found)) throw misshapen();
    return found as unknown[];
  };
  if (!isProven && remembered(bytes, 'profiles', () => contentHashOfProfiles(profiles())) !== expected) {
    throw new Unproven('damaged', 'its content does not match the hash in its name');
  }
  return { fetchedAt, ...(typeof knownUntil === 'string' ? { knownUntil } : {}), profiles };
}

function opened(
  bytes: Uint8Array,
  key: ContentKey,
  expected: string,
): Unpacked & { facts: Record<string, unknown> } {
  const found = parsed(() => unpacked(bytes, key, expected));
  const { facts } = found;
  if (typeof facts !== 'object' || facts === null) throw new Unproven('damaged', 'it is not an object');
  return { ...found, facts: facts as Record<string, unknown>, content: () => parsed(found.content) };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Unproven('damaged', 'it is not gzipped JSON', error);
  }
}

/** The maximum number of content hashes that are remembered, of some 200 bytes each. */
const REMEMBERED = 4096;

const contentHashes = new Map<string, string>();

/**
 * The content hash of an object with these bytes, in the form of 0.1.0. Who verifies an archive, or makes its columns
 * again, reads an object more than once, and the hash of its bytes takes a hundredth of the time of the hash of its content.
 */
function remembered(bytes: Uint8Array, key: ContentKey, contentHashOf: () => string): string {
  const name = `${key} ${sha256(bytes)}`;
  const found = contentHashes.get(name);
  if (found !== undefined) return found;
  const made = contentHashOf();
  if (contentHashes.size === REMEMBERED) contentHashes.clear();
  contentHashes.set(name, made);
  return made;
}
