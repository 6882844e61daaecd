import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** SHA-256, in hex, of the canonical JSON (RFC 8785), so that the order of keys does not matter. */
export function contentHash(content: unknown): string {
  return createHash('sha256')
    .update(canonicalize(content) ?? 'null')
    .digest('hex');
}

/** The content hash of a catalogue. It ignores the order of the profiles, because Graph pages them in any order. */
export function contentHashOfProfiles(profiles: unknown[]): string {
  const id = (profile: unknown) => String((profile as { id?: unknown } | null)?.id);
  return contentHash(profiles.toSorted((a, b) => (id(a) < id(b) ? -1 : id(a) > id(b) ? 1 : 0)));
}
