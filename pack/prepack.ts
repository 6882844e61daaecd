import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { bundleScript } from '../history/page/script.ts';
import { besideSources, writeBundle } from '../lib/bundle.ts';
import { restoreManifest, usePackageManifest } from './manifest.ts';

/**
 * Builds dist/ before npm packs: the compiled command line and constructs, and the bundles of the function and the
 * page.
 */
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
  const files = besideSources(room).filter((file) => basename(file) !== 'tsconfig.json');
  for (const file of files) cpSync(file, join(dist, relative(root, file)));
}
writeBundle(join(dist, 'function'));
writeFileSync(join(dist, 'history/page/page.js'), bundleScript());
usePackageManifest();
