import { MonitorError, quote } from '../errors.ts';
import type { ObjectStore } from '../ports.ts';
import { bucketFault } from './bucket-name.ts';
import { folderStore } from './folder-store.ts';
import { isKey } from './key.ts';
import type { S3Store } from './s3-store.ts';

/**
 * The store at a location given on the command line. Nothing is accessed yet.
 * @param location `s3://bucket`, `s3://bucket/prefix` or the path of a folder
 * @throws MonitorError `archive-location-invalid`
 */
export async function openStore(location: string): Promise<ObjectStore> {
  if (location.trim() === '') throw invalid(location, 'it is empty');
  if (location.includes('\0')) throw invalid(location, 'it holds a NUL character');
  if (isBucket(location)) return openBucket(location);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) throw invalid(location, 'only s3:// is known');
  // Only a shell expands `~`. In a config file or in quotes it would become a folder of that name.
  if (/^~(\/|$)/.test(location))
    throw invalid(location, 'write the path of the home folder in full, because ~ is not expanded here');
  return folderStore(location);
}

/** The bucket at a location given on the command line. @throws MonitorError `archive-location-invalid` */
export async function openBucket(location: string): Promise<S3Store> {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(location) ?? [];
  const prefix = rest.replace(/\/$/, '');
  const fault = bucketFault(bucket);
  if (fault !== undefined) throw invalid(location, fault);
  if (prefix !== '' && !isKey(prefix)) {
    throw invalid(
      location,
      `the prefix ${quote(prefix)} may hold letters, digits and . _ = - between single slashes`,
    );
  }
  // The client is loaded on demand, because loading it takes longer than answering a question from a folder.
  const { s3Store } = await import('./s3-store.ts');
  return s3Store({ bucket, ...(prefix !== '' && { prefix }) });
}

function invalid(location: string, why: string): MonitorError {
  return new MonitorError(
    'archive-location-invalid',
    `${quote(location)} cannot be the location of an archive: ${why}`,
    'Give the path of a folder, or s3://bucket, or s3://bucket/prefix.',
  );
}

/** True if the location is meant as a bucket, valid or not. */
export function isBucket(location: string): boolean {
  return /^s3:/i.test(location);
}
