import { existsSync, mkdirSync } from 'node:fs';
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
 * Creates the folder where Node keeps what it has compiled: the user's own, unlike Node's default below /tmp, where others
 * could put what we would then run. No bucket has such a name.
 * @returns undefined where nothing is to be kept, or where it cannot be created, as where the user has no home folder
 */
export function compiledFolder(): string | undefined {
  if (process.env['NODE_DISABLE_COMPILE_CACHE']) return undefined;
  try {
    const ours = cacheFolder();
    const folder = path.join(ours, '.compiled');
    // One by one: Node's `recursive` never ends in a folder that takes none and does not say so, like /proc.
    for (const each of [path.dirname(ours), ours, folder]) {
      if (!existsSync(each)) mkdirSync(each, { mode: 0o700 });
    }
    return folder;
  } catch {
    return undefined;
  }
}
