import { styleText } from 'node:util';
import Table from 'cli-table3';

/** No lines: the space between columns is enough, and rows can be copied. */
const NO_LINES = Object.fromEntries(
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle'
    .split(' ')
    .map((name) => [name, '']),
);

/**
 * A table without lines.
 * @param padding blanks beside each cell
 * @param options of cli-table3
 */
export function tableWithoutLines(
  padding: { left: number; right: number },
  options: Pick<Table.TableConstructorOptions, 'head' | 'colAligns'> = {},
): Table.Table {
  return new Table({
    ...options,
    chars: NO_LINES,
    // Without colours: cli-table3 would look its library of colours up again for the line beside each cell.
    style: { 'padding-left': padding.left, 'padding-right': padding.right, head: [], border: [] },
  });
}

/** A table of texts, each as long as it is. Cells may be styled. */
export function plainTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = tableWithoutLines(
    { left: 0, right: 2 },
    { head: headings.map((heading) => styleText('dim', heading)) },
  );
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
