import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import type * as Esbuild from 'esbuild';
import { bundleOptions } from './bundle-options.ts';

export interface BundledFile {
  name: string;
  contents: Uint8Array;
}

const ROOT = join(import.meta.dirname, '..');

let built: { files: BundledFile[]; inputs: string[] } | undefined;

/**
 * The function: minified ES modules with their source maps, and the files that they read from their own folder. What the
 * code imports on demand lies in modules of its own, named by their content: it is neither read nor compiled before it
 * is needed. Equal sources give equal bytes wherever the project lies, because the bundle does not contain the path.
 */
export function bundleFunction(): BundledFile[] {
  return build().files;
}

/** A package of which the function's bundle holds code, and the folder where it is installed. */
export interface BundledPackage {
  name: string;
  version: string;
  folder: string;
}

/** The packages in the bundle, ascending by name and version. */
export function bundledPackages(): BundledPackage[] {
  const folders = new Set(
    build().inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []),
  );
  return [...folders]
    .map((folder) => {
      const path = join(ROOT, folder);
      const { name, version } = JSON.parse(
        readFileSync(join(path, 'package.json'), 'utf8'),
      ) as BundledPackage;
      return { name, version, folder: path };
    })
    .toSorted((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

function build(): NonNullable<typeof built> {
  if (built) return built;
  const require = createRequire(import.meta.url);
  // esbuild is no dependency of the package, which ships the bundle.
  const { buildSync } = require('esbuild') as typeof Esbuild;
  const { outputFiles, metafile } = buildSync({
    ...bundleOptions,
    entryPoints: { index: 'lambda/handler.ts' },
    absWorkingDir: ROOT,
    // Nothing is written there. Sources in the source map are relative to it: /var/task/lambda/… in stack traces.
    outdir: '.',
    outExtension: { '.js': '.mjs' },
    write: false,
    metafile: true,
    sourcemap: true,
    // Stack traces need only files and lines. With the sources the map is several times as large as the code.
    sourcesContent: false,
  });
  const files = [
    ...outputFiles.map(({ path, contents }) => ({ name: basename(path), contents })),
    ...assetsOf(metafile).map((path) => ({ name: basename(path), contents: readFileSync(path) })),
  ];
  const names = files.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Two files of the function are named ${twice}: rename one.`);
  built = { files, inputs: Object.keys(metafile.inputs) };
  return built;
}

/** Paths of the files that bundled code reads from its own folder: fonts, and what draws charts, if it draws any. */
export function assetsOf({ inputs }: Esbuild.Metafile): string[] {
  const drawsCharts = Object.keys(inputs).some((input) => input.includes('/@resvg/resvg-wasm/'));
  const require = createRequire(import.meta.url);
  return [
    ...besideSources(join(ROOT, 'lambda')),
    ...(drawsCharts ? [require.resolve('@resvg/resvg-wasm/index_bg.wasm')] : []),
  ];
}

/** @param folder is created */
export function writeBundle(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const { name, contents } of bundleFunction()) writeFileSync(join(folder, name), contents);
}

/** Files among the sources that are not code, such as fonts: the code reads them from its own folder. */
export function besideSources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts') && !entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
