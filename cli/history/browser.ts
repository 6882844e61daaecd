import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The command that opens a file in the user's default program. No shell is used, so a name is never a command. */
export function openerOf(platform: NodeJS.Platform, file: string): { program: string; args: string[] } {
  const url = pathToFileURL(resolve(file)).href;
  if (platform === 'darwin') return { program: 'open', args: [url] };
  // `start` is a word of cmd, which would read & and ^ in a name.
  if (platform === 'win32') return { program: 'rundll32', args: ['url.dll,FileProtocolHandler', url] };
  return { program: 'xdg-open', args: [url] };
}

/** A machine without a screen has no browser to open. */
function hasScreen(): boolean {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return process.platform === 'darwin' || process.platform === 'win32' || Boolean(DISPLAY ?? WAYLAND_DISPLAY);
}

/** Opens a file in the browser, and does not wait for it. @returns whether something was found to open it with */
export function openInBrowser(file: string): Promise<boolean> {
  if (!hasScreen()) return Promise.resolve(false);
  const { program, args } = openerOf(process.platform, file);
  return new Promise((done) => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true });
    child.once('error', () => done(false));
    child.once('spawn', () => {
      child.unref();
      done(true);
    });
  });
}
