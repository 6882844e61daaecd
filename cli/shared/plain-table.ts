import { styleText } from 'node:util';
import Table from 'cli-table3';

/** No lines: the space between columns is enough, and rows can be copied. */
export const NO_LINES = Object.fromEntries(
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle'
    .split(' ')
    .map((name) => [name, '']),
);

/** A table of texts, each as long as it is. Cells may be styled. */
export function plainTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 2, head: [] },
    head: headings.map((heading) => styleText('dim', heading)),
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
