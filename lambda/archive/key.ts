import { quote } from '../errors.ts';

/**
 * A segment of the keys that both stores accept: relative keys with `/` between segments of `[A-Za-z0-9._=-]` that do
 * not begin with a dot. Such a segment is a valid file name on every system and needs no escaping on S3. A name that
 * begins with a dot belongs to the folder store (`.tmp`) or to the system (`.DS_Store`, `.nfs…`) and is never an object.
 */
const segment = /^[A-Za-z0-9_=-][A-Za-z0-9._=-]*$/;

/** True for a key that a store would write. Anything else in a bucket or folder is not ours. */
export function isKey(key: string): boolean {
  return key.split('/').every((part) => segment.test(part));
}

/** @throws TypeError for a key that no store accepts, which is a mistake in the program that no operator can correct */
export function checkKey(key: string): void {
  if (!isKey(key)) throw new TypeError(`not a key of the archive: ${quote(key)}`);
}

/** {@link checkKey} for the beginning of a key, which may end anywhere and may be empty. */
export function checkPrefix(prefix: string): void {
  const parts = prefix.split('/');
  const last = parts.pop() ?? '';
  if (!parts.every((part) => segment.test(part)) || (last !== '' && !segment.test(last))) {
    throw new TypeError(`not the beginning of a key of the archive: ${quote(prefix)}`);
  }
}
