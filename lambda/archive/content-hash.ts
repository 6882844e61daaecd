import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** A content as it is archived. */
export interface Canonical {
  /** Its canonical JSON (RFC 8785) in UTF-8, so that the order of keys does not matter. */
  bytes: Buffer;
  /** The content hash: the SHA-256 of the bytes, in hex. */
  hash: string;
}

/** @throws Error as the library for RFC 8785, for what is no JSON */
export function canonical(content: unknown): Canonical {
  const bytes = Buffer.from(ordinary(content) ?? canonicalize(content) ?? 'null');
  return { bytes, hash: hash('sha256', bytes) };
}

/** A catalogue sorted by the ids of its profiles, because Graph pages them in any order. */
export function canonicalProfiles(profiles: readonly unknown[]): Canonical {
  const id = (profile: unknown) => String((profile as { id?: unknown } | null)?.id);
  return canonical(profiles.toSorted((a, b) => (id(a) < id(b) ? -1 : id(a) > id(b) ? 1 : 0)));
}

/** The content hash of `canonical`. */
export function contentHash(content: unknown): string {
  return canonical(content).hash;
}

/** The content hash of `canonicalProfiles`. */
export function contentHashOfProfiles(profiles: readonly unknown[]): string {
  return canonicalProfiles(profiles).hash;
}

/** The deepest nesting of ordinary content; Graph's has a fifth of it. */
const DEEPEST = 32;

/**
 * The canonical JSON of what Graph sends on any ordinary day, in a good half of the time that the library takes:
 * JSON.stringify writes numbers and texts as RFC 8785 does, and the keys of a sorted copy in their order.
 * @returns null for what it might write otherwise, and for what the library refuses: keys that JavaScript moves or
 *   that have a meaning to it, texts that are no Unicode, numbers that are not finite, deep nesting, and other objects
 */
function ordinary(content: unknown): string | null {
  let isOrdinary = true;
  // The objects of a list have the same keys, one like the other: those that were sorted last, by depth.
  const lastSorted: { keys: string[]; sorted: string[] }[] = [];
  const sortedKeys = (value: object, depth: number): string[] => {
    const keys = Object.keys(value);
    const last = lastSorted[depth];
    if (last?.keys.length === keys.length && last.keys.every((key, index) => key === keys[index])) {
      return last.sorted;
    }
    const sorted = keys.toSorted();
    // A key of digits alone may be an index, and those come first in every object.
    isOrdinary &&= !sorted.some(
      (key) => (key >= '0' && key < ':' && /^\d+$/.test(key)) || key === '__proto__',
    );
    lastSorted[depth] = { keys, sorted };
    return sorted;
  };
  const sorted = (value: unknown, depth: number): unknown => {
    if (typeof value === 'number') isOrdinary &&= Number.isFinite(value);
    else if (typeof value === 'function') isOrdinary = false;
    if (typeof value !== 'object' || value === null) return value;
    const isList = Array.isArray(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    isOrdinary &&=
      depth < DEEPEST && prototype === (isList ? Array.prototype : Object.prototype) && !('toJSON' in value);
    // What is not ordinary may be endless.
    if (!isOrdinary) return null;
    if (isList) return value.map((each) => sorted(each, depth + 1));
    const copy: Record<string, unknown> = {};
    for (const key of sortedKeys(value, depth)) {
      copy[key] = sorted((value as Record<string, unknown>)[key], depth + 1);
    }
    return copy;
  };
  const copied = sorted(content, 0);
  if (!isOrdinary) return null;
  const text = JSON.stringify(copied) as string | undefined;
  // A lone surrogate is escaped; so is a backslash before "ud", about which the library decides as well.
  return text === undefined || text.includes('\\ud') ? null : text;
}
