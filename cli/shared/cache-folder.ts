import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/**
 * Where what can be made again lies: a folder of ours in the user's cache folder, which may be emptied at any time.
 * https://specifications.freedesktop.org/basedir-spec/latest/, and what macOS and Windows have for it.
 * @throws where the user has no home folder
 */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = environment;
  const folder = () => {
    if (xdg && path.isAbsolute(xdg)) return xdg;
    if (process.platform === 'win32' && local) return local;
    return path.join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache');
  };
  return path.join(folder(), 'secure-score');
}

/**
 * Where Node keeps what it has compiled: the user's own, unlike Node's default below /tmp, where others could put what
 * we would then run. No bucket has such a name.
 * @returns undefined where there is no such folder to create it in
 */
export function compiledFolder(): string | undefined {
  try {
    const folder = cacheFolder();
    return existsSync(homedir()) ? path.join(folder, '.compiled') : undefined;
  } catch {
    return undefined;
  }
}
