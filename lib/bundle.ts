import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import type * as Esbuild from 'esbuild';
import { bundleOptions } from './bundle-options.ts';

export interface BundledFile {
  name: string;
  contents: Uint8Array;
}

let built: BundledFile[] | undefined;

/**
 * The function as one minified ES module with its source map. Equal sources give equal bytes, in whatever folder the
 * project lies: nothing in them names it.
 */
export function bundleFunction(): BundledFile[] {
  // Not a dependency of the package: who installs it gets the bundle.
  const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof Esbuild;
  built ??= buildSync({
    ...bundleOptions,
    entryPoints: { index: 'lambda/handler.ts' },
    absWorkingDir: join(import.meta.dirname, '..'),
    // Never written: the paths in the source map are relative to it.
    outdir: 'function',
    outExtension: { '.js': '.mjs' },
    write: false,
    sourcemap: true,
    // Stack traces need files and lines alone. With the sources the map is several times as large as the code.
    sourcesContent: false,
  }).outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }));
  return built;
}

/** @param folder is created */
export function writeBundle(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const { name, contents } of bundleFunction()) writeFileSync(join(folder, name), contents);
}
