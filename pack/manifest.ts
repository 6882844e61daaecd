import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const MANIFEST = join(ROOT, 'package.json');
/** The checkout's own package.json, while the package's stands in its place. */
const PUT_ASIDE = join(ROOT, '.package.json.packing');

interface Manifest {
  bin: Record<string, string>;
  exports: Record<string, string>;
  [field: string]: unknown;
}

const compiled = (path: string): string => path.replace(/^(?:\.\/)?(.*)\.ts$/, './dist/$1.js');
const declared = (path: string): string => path.replace(/^(?:\.\/)?(.*)\.ts$/, './dist/$1.d.ts');

/**
 * Replaces package.json by one that refers to the compiled files, because Node runs TypeScript as it is in a checkout,
 * but not below node_modules. npm has no field for that, so package.json is another one while npm packs.
 */
export function usePackageManifest(): void {
  restoreManifest();
  const text = readFileSync(MANIFEST, 'utf8');
  const { scripts: _, devDependencies: __, allowScripts: ___, ...manifest } = JSON.parse(text) as Manifest;
  const packed: Manifest = {
    ...manifest,
    // The checkout brings its own Node; who installs the package brings theirs.
    engines: { node: '>=24' },
    bin: Object.fromEntries(Object.entries(manifest.bin).map(([name, path]) => [name, compiled(path)])),
    exports: Object.fromEntries(
      Object.entries(manifest.exports).map(([name, path]) => [
        name,
        { types: declared(path), default: compiled(path) } as never,
      ]),
    ),
  };
  writeFileSync(PUT_ASIDE, text);
  writeFileSync(MANIFEST, `${JSON.stringify(packed, null, 2)}\n`);
}

/** Restores the checkout's package.json, also after a pack that was interrupted. */
export function restoreManifest(): void {
  if (existsSync(PUT_ASIDE)) renameSync(PUT_ASIDE, MANIFEST);
}
