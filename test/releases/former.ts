import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import type * as today from './code.ts';

/** The versions of which there are an archive and the code, oldest first. */
export const releases = readdirSync(import.meta.dirname, { withFileTypes: true })
  .flatMap((each) => (each.isDirectory() ? [each.name] : []))
  .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));

export type Code = typeof today;

/** The code of a release, as it was bundled when it was made. It knows the errors of its own classes alone. */
export async function codeOf(release: string): Promise<Code> {
  const folder = await mkdtemp(join(tmpdir(), 'release-'));
  try {
    const file = join(folder, `${release}.mjs`);
    const bytes = readFileSync(new URL(`${release}/code.mjs.br`, import.meta.url));
    await writeFile(file, brotliDecompressSync(bytes));
    return (await import(pathToFileURL(file).href)) as Code;
  } finally {
    await rm(folder, { recursive: true });
  }
}
