import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';
import { bundleOptions } from '../../lib/bundle-options.ts';

const { metafile } = buildSync({
  ...bundleOptions,
  entryPoints: { index: 'lambda/handler.ts' },
  absWorkingDir: join(import.meta.dirname, '../..'),
  outdir: '.',
  write: false,
  metafile: true,
});

it('what is imported on demand is an ES module: of a CommonJS one the bundle has the default export alone', () => {
  const onDemand = Object.entries(metafile.inputs).flatMap(([file, { imports }]) =>
    file.startsWith('lambda/')
      ? imports.flatMap(({ kind, path }) => (kind === 'dynamic-import' ? path : []))
      : [],
  );
  expect(onDemand).toContain('lambda/report/json.ts');
  expect(onDemand.filter((path) => metafile.inputs[path]?.format !== 'esm')).toEqual([]);
});

it('the function loads neither the form of the config file, nor what reports and delivers, before it needs it', () => {
  const sources = (path: string) => Object.keys(metafile.outputs[path]!.inputs);
  const before = new Set(['index.js']);
  for (const path of before) {
    for (const { path: next, kind, external } of metafile.outputs[path]!.imports) {
      if (kind === 'import-statement' && !external) before.add(next);
    }
  }
  // Each costs a cold start 0.3 ms. Half of them are the SDK's own.
  expect(before.size).toBeLessThanOrEqual(22);
  const loaded = [...before].flatMap(sources);
  expect(loaded).toContain('lambda/settings.ts');
  expect(loaded).toContain('node_modules/@aws-sdk/client-s3/dist-es/S3Client.js');
  const unneeded =
    /^lambda\/(config|channels\/(ses-mailer|teams|webhook|post)|report\/(render|digest|entry|from-html))\.ts$|\/(client-sesv2|htmlparser2|entities|standardwebhooks)\//;
  expect(loaded.filter((source) => unneeded.test(source))).toEqual([]);
  expect(Object.keys(metafile.inputs).filter((source) => unneeded.test(source)).length).toBeGreaterThan(3);
});

it('of zod the function has what it uses: no methods of schemas, and one language', () => {
  const held = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? path : [])),
  );
  expect(held).toContain('node_modules/zod/v4/mini/schemas.js');
  expect(held.filter((path) => path.includes('/zod/v4/classic/'))).toEqual([]);
  expect(held.filter((path) => path.includes('/zod/v4/locales/'))).toEqual([
    'node_modules/zod/v4/locales/en.js',
  ]);
});
