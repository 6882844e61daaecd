import path from 'node:path';
import { openBucket } from '../../lambda/archive/open-store.ts';
import { pull } from '../../lambda/archive/pull.ts';
import { bytes } from '../shared/bytes.ts';
import { cacheFolder } from '../shared/cache-folder.ts';
import { progressLine } from '../shared/progress-line.ts';

/**
 * Where the copy of a bucket's history lies: the user's cache folder, which may be emptied at any time.
 * @param location `s3://bucket/prefix`
 */
export function cacheOf(location: string, environment: NodeJS.ProcessEnv = process.env): string {
  const name = location.replace(/^s3:\/\//i, '').replace(/\/+$/, '');
  // A prefix of a bucket is another archive: beside the bucket's own copy, not in it. (`+` is in no name of either.)
  return path.join(cacheFolder(environment), name.replaceAll('/', '+'));
}

/**
 * Brings the copy of a bucket's history up to date: only what is new or changed is fetched.
 * @param tenantId only this tenant's; null: all
 * @returns the folder of the copy
 * @throws MonitorError those of `openBucket`, of `pull` and of the store
 */
export async function pullHistory(location: string, tenantId: string | null): Promise<string> {
  const folder = cacheOf(location);
  const progress = progressLine();
  try {
    await pull({
      source: await openBucket(location),
      folder,
      onlyHistory: true,
      ...(tenantId === null ? {} : { tenantId }),
      onProgress: ({ done, total, bytes: fetched }) =>
        progress.show(`Fetching the history: ${done} of ${total} files, ${bytes(fetched)}`),
    });
  } finally {
    progress.clear();
  }
  return folder;
}
