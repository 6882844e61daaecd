import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { besideSources, writeBundle } from '../lib/bundle.ts';
import { restoreManifest, usePackageManifest } from './manifest.ts';

/** Builds dist/ before npm packs: the compiled command line and constructs, and the bundled function. */
const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

restoreManifest();
rmSync(dist, { recursive: true, force: true });

const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
execFileSync(process.execPath, [join(typescript, 'bin/tsc'), '--project', join(root, 'pack')], {
  cwd: root,
  stdio: 'inherit',
});
for (const room of ['cli', 'history', 'lambda'].map((name) => join(root, name))) {
  if (!existsSync(room)) continue;
  for (const file of besideSources(room)) cpSync(file, join(dist, relative(root, file)));
}
writeBundle(join(dist, 'function'));
usePackageManifest();
