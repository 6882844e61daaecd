import { styleText } from 'node:util';
import stringWidth from 'string-width';

/** A cell for each column, or a text across all of them. Cells may be styled, and are of one line. */
export type TableRow = readonly string[] | string;

export interface TableOptions {
  /** None: the rows are all. */
  headings?: readonly string[];
  /** Whether the cells of a column stand on the right; absent: all on the left. */
  right?: readonly boolean[];
  /** Blanks before each line. */
  indentation?: number;
}

/** A table without lines: the space between columns is enough, and rows can be copied. No text is shortened. */
export function plainTable(
  rows: readonly TableRow[],
  { headings = [], right = [], indentation = 0 }: TableOptions = {},
): string {
  const head = headings.map((heading) => styleText('dim', heading));
  const all: readonly TableRow[] = head.length > 0 ? [head, ...rows] : rows;
  const widths: number[] = [];
  const measured = all.map((row) =>
    typeof row === 'string'
      ? row
      : row.map((text, column) => {
          const width = widthOf(text);
          widths[column] = Math.max(widths[column] ?? 0, width);
          return { text, width };
        }),
  );
  const margin = ' '.repeat(indentation);
  return measured
    .map((row) => {
      if (typeof row === 'string') return `${margin}${row}`.trimEnd();
      const cells = row.map(({ text, width }, column) => {
        const blanks = ' '.repeat(widths[column]! - width);
        return right[column] ? blanks + text : text + blanks;
      });
      return `${margin}${cells.join('  ')}`.trimEnd();
    })
    .join('\n');
}

/** The columns of a terminal that a text takes. Most are ASCII, which is known at a glance. */
const widthOf = (text: string): number => (/^[ -~]*$/.test(text) ? text.length : stringWidth(text));
