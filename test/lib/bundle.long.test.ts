import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { bundleOptions } from '../../lib/bundle-options.ts';
import { besideSources, bundleFunction } from '../../lib/bundle.ts';
import { temporaryFolder } from './deployment.ts';

const ROOT = join(import.meta.dirname, '../..');

test('the bundle is the same from another folder', async () => {
  const folder = join(temporaryFolder(), 'elsewhere');
  const { metafile } = await build({
    ...bundleOptions,
    entryPoints: { index: 'lambda/handler.ts' },
    absWorkingDir: ROOT,
    outdir: 'function',
    write: false,
    metafile: true,
  });
  const sources = Object.keys(metafile.inputs);
  const beside = besideSources(join(ROOT, 'lambda')).map((file) => relative(ROOT, file));
  const wasm = 'node_modules/@resvg/resvg-wasm/index_bg.wasm';
  if (sources.some((source) => source.startsWith(dirname(wasm)))) beside.push(wasm);
  expect(sources.length).toBeGreaterThan(100);
  // Whoever deploys reads files of tenants; the function never does.
  expect(sources.filter((source) => /csv-parse|tenants-file/.test(source))).toEqual([]);
  const manifests = sources.flatMap((source) => {
    const parts = dirname(source).split('/');
    return parts.map((_, index) => join(...parts.slice(0, index + 1), 'package.json'));
  });
  const copy = (file: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file));
  };
  for (const file of [
    'package.json',
    'tsconfig.json',
    'lib/bundle.ts',
    'lib/bundle-options.ts',
    ...sources,
    ...beside,
  ])
    copy(file);
  // Packages bring source maps of their own, which become part of ours.
  const maps = sources.flatMap((source) => {
    const [, name] = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(readFileSync(join(ROOT, source), 'utf8')) ?? [];
    return name ? [join(dirname(source), name)] : [];
  });
  for (const file of new Set([...manifests, ...maps])) {
    if (existsSync(join(ROOT, file))) copy(file);
  }
  symlinkSync(join(ROOT, 'node_modules/esbuild'), join(folder, 'node_modules/esbuild'));

  const script = "const { writeBundle } = await import('./lib/bundle.ts'); writeBundle('out');";
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: folder,
    stdio: 'inherit',
  });
  expect(await once(child, 'close')).toEqual([0, null]);

  const files = bundleFunction();
  expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(['index.mjs', 'index.mjs.map']));
  for (const { name, contents } of files) {
    const bytes = Buffer.from(contents);
    const same = bytes.equals(readFileSync(join(folder, 'out', name)));
    expect({ name, same, names: bytes.includes(ROOT) }).toEqual({ name, same: true, names: false });
  }
});
