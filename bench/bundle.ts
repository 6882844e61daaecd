import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build } from 'esbuild';
import { bundleOptions } from '../lib/bundle-options.ts';

const compress = promisify(gzip);

export interface Bundle {
  path: string;
  /** In bytes, as it is and gzipped. */
  size: number;
  gzipped: number;
}

/**
 * Bundles programs as the function is bundled: TypeScript that Node strips at run time would count as the program's
 * own time.
 * @param entries source file by name of the program
 */
export async function bundle<Name extends string>(
  folder: string,
  entries: Record<Name, string>,
): Promise<Record<Name, Bundle>> {
  await build({
    ...bundleOptions,
    entryPoints: entries,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: join(import.meta.dirname, '..'),
  });
  const bundles = Object.keys(entries).map(async (name) => {
    const path = join(folder, `${name}.mjs`);
    const code = await readFile(path);
    return [name, { path, size: code.length, gzipped: (await compress(code)).length }] as const;
  });
  return Object.fromEntries(await Promise.all(bundles)) as Record<Name, Bundle>;
}
