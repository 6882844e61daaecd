import { copyFile, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import { assetsOf } from '../lib/bundle.ts';
import { bundleOptions } from '../lib/bundle-options.ts';

const compress = promisify(gzip);

export interface Bundle {
  path: string;
  /** Of all modules that are loaded with it, in bytes, as they are and gzipped. */
  size: number;
  gzipped: number;
}

/**
 * Bundles programs as the function is bundled: TypeScript that Node strips at run time would count as the program's
 * own time.
 * @param entries source file by name of the program
 * @param drawing false: without the fonts and the WebAssembly beside it, so that mails are made without their charts
 */
export async function bundle<Name extends string>(
  folder: string,
  entries: Record<Name, string>,
  { drawing = true } = {},
): Promise<Record<Name, Bundle>> {
  const bundles = Object.entries<string>(entries).map(async ([name, source]) => {
    // Each in a build of its own: programs of one build would share modules, and load more of them.
    const { metafile } = await build({
      ...bundleOptions,
      metafile: true,
      entryPoints: { [name]: source },
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      absWorkingDir: join(import.meta.dirname, '..'),
    });
    const assets = drawing ? assetsOf(metafile) : [];
    await Promise.all(assets.map((asset) => copyFile(asset, join(folder, basename(asset)))));
    const path = join(folder, `${name}.mjs`);
    const code = await Promise.all(
      loadedWith(metafile, `${name}.mjs`).map((file) => readFile(join(folder, file))),
    );
    const gzipped = await Promise.all(code.map((module) => compress(module)));
    return [name, { path, size: sizeOf(code), gzipped: sizeOf(gzipped) }] as const;
  });
  return Object.fromEntries(await Promise.all(bundles)) as Record<Name, Bundle>;
}

/** The names of a module's file and of those that it imports before its first line runs. */
function loadedWith({ outputs }: Metafile, entry: string): string[] {
  const byName = new Map(Object.entries(outputs).map(([path, output]) => [basename(path), output]));
  const loaded = new Set([entry]);
  for (const name of loaded) {
    for (const { path, kind, external } of byName.get(name)?.imports ?? []) {
      if (kind === 'import-statement' && !external) loaded.add(basename(path));
    }
  }
  return [...loaded];
}

const sizeOf = (files: Uint8Array[]): number => files.reduce((sum, { length }) => sum + length, 0);
