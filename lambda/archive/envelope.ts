import { hash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Canonical } from './content-hash.ts';

/*
 * The form in which snapshots and catalogues are stored: gzipped JSON whose last key has the content, as canonical JSON.
 *
 *     {"fetchedAt":"2026-03-01T07:00:00.000Z","newest":true,"secureScore":<content>}
 *
 * The content hash is that of these very bytes: an object is proven without its content being written again. 0.1.0 left
 * the keys in the order in which Graph had sent them.
 */

export type ContentKey = 'secureScore' | 'profiles';

const HEADS: Record<ContentKey, RegExp> = {
  secureScore: /^\{"fetchedAt":"[^"\\]*","newest":(?:true|false),"secureScore":/,
  profiles: /^\{"fetchedAt":"[^"\\]*",(?:"knownUntil":"[^"\\]*",)?"profiles":/,
};

/** The maximum size of a head, in bytes. */
const HEAD_BYTES = 256;

const CLOSING_BRACE = 0x7d;

/** Snapshots are packed to a fourteenth of their size, so that most are unpacked in one piece. In bytes. */
const pieceFor = ({ length }: Uint8Array): number => Math.min(Math.max(2 ** 14, 16 * length), 2 ** 19);

/** @param facts in the order of the form; one that is undefined is left out */
export function envelope(facts: Record<string, unknown>, key: ContentKey, { bytes }: Canonical): Buffer {
  const head = `${JSON.stringify(facts).slice(0, -1)},"${key}":`;
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from('}')]);
}

/** The envelope as it is stored. */
export function packed(...parts: Parameters<typeof envelope>): Buffer {
  // At once, as it is unpacked. Node's gzip writes no time into the header, so that the same content gives the same bytes.
  return gzipSync(envelope(...parts));
}

/** An envelope that has been unpacked. */
export interface Unpacked {
  /** What JSON.parse makes of it, at least of what stands beside the content. */
  facts: unknown;
  /** The bytes of the content have the expected hash; if not, the content may still have it, in another form. */
  isProven: boolean;
  /** Parses the content. @throws Error for what is not JSON */
  content: () => unknown;
}

/**
 * @param expected a content hash, in hex
 * @throws Error for what is not gzipped JSON
 */
export function unpacked(stored: Uint8Array, key: ContentKey, expected: string): Unpacked {
  // At once: handing an object of this size to a thread takes several times as long as unpacking it.
  const bytes = gunzipSync(stored, { chunkSize: pieceFor(stored) });
  const [head] = HEADS[key].exec(bytes.toString('latin1', 0, HEAD_BYTES)) ?? [];
  if (head !== undefined && bytes.at(-1) === CLOSING_BRACE) {
    const content = bytes.subarray(head.length, -1);
    if (hash('sha256', content) === expected) {
      // Each by itself, so that exactly the bytes that were hashed are read: a second key of that name is a fault.
      const facts: unknown = JSON.parse(`${head}null}`);
      return { facts, isProven: true, content: () => JSON.parse(content.toString('utf8')) as unknown };
    }
  }
  const facts = JSON.parse(bytes.toString('utf8')) as Partial<Record<ContentKey, unknown>> | null;
  return { facts, isProven: false, content: () => facts?.[key] };
}
