import { styleText } from 'node:util';
import Table from 'cli-table3';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { plainTable } from '../../cli/shared/plain-table.ts';

const NO_LINES = Object.fromEntries(
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle'
    .split(' ')
    .map((name) => [name, '']),
);

/** As people read it in a terminal: wide and combining characters, signs, colours, nothing at all. */
const text = fc
  .array(fc.constantFrom('a', 'Z', '7', ' ', '−', '→', 'é', 'e\u0301', '日本', '😀', '⋮', '…'), {
    maxLength: 6,
  })
  .map((parts) => parts.join(''));
const cell = fc.oneof(
  text,
  text.map((plain) => styleText('red', plain, { validateStream: false })),
);

it('lines its columns up as a terminal shows them, like a library of tables does', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }).chain((columns) =>
        fc.record({
          rows: fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), {
            minLength: 1,
            maxLength: 5,
          }),
          headings: fc.array(fc.constantFrom('tenant', '日', ''), { minLength: columns, maxLength: columns }),
          right: fc.array(fc.boolean(), { minLength: columns, maxLength: columns }),
          indentation: fc.constantFrom(0, 2),
        }),
      ),
      ({ rows, headings, right, indentation }) => {
        const table = new Table({
          chars: NO_LINES,
          head: headings.map((heading) => styleText('dim', heading)),
          colAligns: right.map((each) => (each ? 'right' : 'left')),
          style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
        });
        table.push(...rows.map((row) => [...row]));
        const margin = ' '.repeat(indentation);
        const lines = table.toString().split('\n');
        expect(plainTable(rows, { headings, right, indentation })).toBe(
          lines.map((line) => `${margin}${line}`.trimEnd()).join('\n'),
        );
      },
    ),
  );
});

it('shows a text across all columns, and rows without headings', () => {
  expect(
    plainTable([['2026-01-01', '7'], '⋮ 300 days alike', ['2026-10-28', '12']], { right: [false, true] }),
  ).toBe('2026-01-01   7\n⋮ 300 days alike\n2026-10-28  12');
});
