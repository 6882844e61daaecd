import { homedir } from 'node:os';
import path from 'node:path';
import { MonitorError } from '../lambda/errors.ts';

/** Where the copy of a bucket lies: the user's cache folder, which may be emptied at any time. */
export function cacheOf(location: string, environment: NodeJS.ProcessEnv = process.env): string {
  const parts = location.replace(/^s3:\/\//i, '').split('/');
  return path.join(cacheFolder(environment), 'secure-score', ...parts.filter((part) => part !== ''));
}

/** https://specifications.freedesktop.org/basedir-spec/latest/, and what macOS and Windows have for it. */
function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = environment;
  if (xdg && path.isAbsolute(xdg)) return xdg;
  if (process.platform === 'win32' && local) return local;
  return path.join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache');
}

/**
 * Brings the copy of a bucket's history up to date: only what is new is fetched.
 * @returns the folder of the copy
 */
export async function pullHistory(location: string): Promise<string> {
  throw new MonitorError('not-yet', `${location} → ${cacheOf(location)}`, 'archive pull is not there yet.');
}
