import { columnOf, NULL, type CodedColumn, type CodedTable } from './coded.ts';
import { STRETCHES, TABLES } from './tables.ts';

const CONTROLS = TABLES.find(({ name }) => name === 'controls')!;
const SAME = STRETCHES.columns.filter(({ name }) => name !== 'first_date' && name !== 'last_date');
const DAY_MS = 86_400_000;

/** The stretches (STRETCHES) of rows of controls. @param controls by tenant, control and date, as files and copies have them */
export function stretchesOf({ length, columns }: CodedTable): CodedTable {
  const column = (name: string) => columns[columnOf(CONTROLS, name)]!;
  const same = SAME.map(({ name }) => column(name));
  const date = column('date');
  const days = date.values.map((value) => Date.parse(String(value)) / DAY_MS);
  const dayOf = (row: number) => days[date.codes[row]!]!;
  const firsts = new Int32Array(length);
  const lasts = new Int32Array(length);
  let count = 0;
  for (let row = 0; row < length; row += 1) {
    const goesOn =
      row > 0 &&
      dayOf(row) === dayOf(row - 1) + 1 &&
      same.every(({ codes }) => codes[row] === codes[row - 1]);
    if (!goesOn) firsts[count++] = row;
    lasts[count - 1] = row;
  }
  const at = (of: CodedColumn, rows: Int32Array) => chosen(of, rows.subarray(0, count));
  return {
    length: count,
    columns: [...same.map((each) => at(each, firsts)), at(date, firsts), at(date, lasts)],
  };
}

/** The rows of a column in another order, its values in the order of their first row. */
function chosen({ values, codes }: CodedColumn, rows: Int32Array): CodedColumn {
  const newCodes = new Int32Array(values.length).fill(NULL);
  const used: CodedColumn['values'] = [];
  let nulls = 0;
  const result = new Int32Array(rows.length);
  for (const [index, row] of rows.entries()) {
    const code = codes[row]!;
    if (code === NULL) nulls += 1;
    else if (newCodes[code] === NULL) newCodes[code] = used.push(values[code]!) - 1;
    result[index] = code === NULL ? NULL : newCodes[code]!;
  }
  return { values: used, codes: result, nulls };
}
