import { quote } from '../errors.ts';

/**
 * The keys that both stores take: relative, `/` between segments, each segment of `[A-Za-z0-9._=-]` and not
 * beginning with a dot. That is a file name everywhere and a key that needs no escaping on S3. What begins with a
 * dot belongs to the folder store (`.tmp`) or to somebody else (`.DS_Store`, `.nfs…`) and is never an object.
 */
const segment = /^[A-Za-z0-9_=-][A-Za-z0-9._=-]*$/;

/** True for a key that a store would write; anything else that lies in a bucket or folder is not ours. */
export function isKey(key: string): boolean {
  return key.split('/').every((part) => segment.test(part));
}

/** @throws TypeError for a key that no store takes: a mistake in the program, nothing an operator can mend. */
export function checkKey(key: string): void {
  if (!isKey(key)) throw new TypeError(`not a key of the archive: ${quote(key)}`);
}

/** As {@link checkKey}, for the beginning of a key, which may end anywhere, and may be empty. */
export function checkPrefix(prefix: string): void {
  const parts = prefix.split('/');
  const last = parts.pop() ?? '';
  if (!parts.every((part) => segment.test(part)) || (last !== '' && !segment.test(last))) {
    throw new TypeError(`not the beginning of a key of the archive: ${quote(prefix)}`);
  }
}
