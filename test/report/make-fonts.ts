/**
 * Makes the fonts of the chart from the complete ones of Inter (`node test/report/make-fonts.ts`): the letters
 * that charts need, a tenth of the size. Run it after an update of @expo-google-fonts/inter; the result is committed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import subsetFont from 'subset-font';

const target = join(import.meta.dirname, '../../lambda/report/chart');
const source = dirname(createRequire(import.meta.url).resolve('@expo-google-fonts/inter/package.json'));

/** Printable ASCII, and the signs that our numbers, dates and sentences have. */
const LETTERS =
  Array.from({ length: 0x7f - 0x20 }, (_, index) => String.fromCodePoint(0x20 + index)).join('') +
  '\u00A0\u2212\u2013\u2026\u00B1\u00B7\u2019\u201C\u201D\u2192';

for (const [from, to] of [
  ['400Regular/Inter_400Regular.ttf', 'inter-regular.ttf'],
  ['600SemiBold/Inter_600SemiBold.ttf', 'inter-semibold.ttf'],
] as const) {
  const original = await readFile(join(source, from));
  const subset = await subsetFont(original, LETTERS, {
    targetFormat: 'truetype',
    // Without the typographic family and style, semibold silently turns regular.
    preserveNameIds: [16, 17],
    // Nor the other shapes of a letter, which nobody asks for.
    noLayoutClosure: true,
  });
  await writeFile(join(target, to), subset);
  console.log(`${to}: ${subset.length} bytes of ${original.length}`);
}
await writeFile(join(target, 'inter-LICENSE.txt'), await readFile(join(source, 'LICENSE_FONT')));
