import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** SHA-256, hex, of the canonical JSON (RFC 8785): the same for the same content, whatever the order of its keys. */
export function contentHash(content: unknown): string {
  return createHash('sha256')
    .update(canonicalize(content) ?? 'null')
    .digest('hex');
}

/** Of a catalogue. The order in which Graph pages its profiles means nothing: two orders are one content. */
export function contentHashOfProfiles(profiles: unknown[]): string {
  const id = (profile: unknown) => String((profile as { id?: unknown } | null)?.id);
  return contentHash(profiles.toSorted((a, b) => (id(a) < id(b) ? -1 : id(a) > id(b) ? 1 : 0)));
}
