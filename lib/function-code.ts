import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type * as Esbuild from 'esbuild';
import { bundleOptions } from './bundle-options.ts';

const ROOT = join(import.meta.dirname, '..');

/** The module of the bundle, as Lambda names it. */
export const HANDLER = 'index.handler';

/** In the published package the bundle lies ready beside lib/; in the checkout it is made from the sources. */
const PREBUILT = join(ROOT, 'function');

interface File {
  name: string;
  contents: Uint8Array;
}

let built: File[] | undefined;

/**
 * The function as one minified ES module with its source map. Equal sources give equal bytes, in whatever folder the
 * project lies: nothing in them names it.
 */
export function bundleFunction(): File[] {
  // Not a dependency of the package: who installs it gets the bundle.
  const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof Esbuild;
  built ??= buildSync({
    ...bundleOptions,
    entryPoints: { index: 'lambda/handler.ts' },
    absWorkingDir: ROOT,
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

export function functionCode(): Code {
  if (existsSync(PREBUILT)) return Code.fromAsset(PREBUILT);
  return Code.fromAsset(join(ROOT, 'lambda'), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Asked for by the type; nothing is ever run in it.
      image: DockerImage.fromRegistry('none'),
      local: {
        tryBundle(folder) {
          writeBundle(folder);
          return true;
        },
      },
    },
  });
}
