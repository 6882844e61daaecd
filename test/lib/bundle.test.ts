import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';
import { bundleOptions } from '../../lib/bundle-options.ts';

it('what is imported on demand is an ES module: of a CommonJS one the bundle has the default export alone', () => {
  const { metafile } = buildSync({
    ...bundleOptions,
    entryPoints: { index: 'lambda/handler.ts' },
    absWorkingDir: join(import.meta.dirname, '../..'),
    outdir: '.',
    write: false,
    metafile: true,
  });
  const onDemand = Object.entries(metafile.inputs).flatMap(([file, { imports }]) =>
    file.startsWith('lambda/')
      ? imports.flatMap(({ kind, path }) => (kind === 'dynamic-import' ? path : []))
      : [],
  );
  expect(onDemand).toContain('lambda/report/json.ts');
  expect(onDemand.filter((path) => metafile.inputs[path]?.format !== 'esm')).toEqual([]);
});
