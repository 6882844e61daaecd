import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Esbuild from 'esbuild';

/** In the published package the script lies ready here; in the checkout it is made from browser/. */
const PREBUILT = join(import.meta.dirname, 'page.js');

let built: string | undefined;

/** The page's script: one minified file that asks for nothing. */
export function pageScript(): string {
  built ??= existsSync(PREBUILT) ? readFileSync(PREBUILT, 'utf8') : bundleScript();
  return built;
}

/** Equal sources give equal bytes, wherever the project lies. */
export function bundleScript(): string {
  // Not a dependency of the package: who installs it gets the script.
  const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof Esbuild;
  const { outputFiles } = buildSync({
    // esbuild's service is shared in a process, and goes on where it was started, even if that folder is gone.
    absWorkingDir: import.meta.dirname,
    entryPoints: ['browser/main.ts'],
    bundle: true,
    platform: 'browser',
    // Browsers that have DecompressionStream and Map.groupBy.
    target: ['chrome117', 'firefox119', 'safari17.4'],
    format: 'iife',
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.text.trim();
}
