import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TABLES, type ColumnType } from '../../lambda/archive/columns/tables.ts';
import { readRows } from '../../lambda/archive/columns/write.ts';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { practiceArchive } from '../archive/archive-day.ts';
import { pythonEnvironment } from '../python.ts';

/** The files as pyarrow reads them: Python is at hand in this suite alone. */

const run = promisify(execFile);
const ARROW: Record<ColumnType, string> = {
  VARCHAR: 'string',
  DATE: 'date32[day]',
  DOUBLE: 'double',
  INTEGER: 'int32',
  BOOLEAN: 'bool',
};
const PROGRAM = `
import json, sys
import pyarrow.parquet as parquet
for path in sys.argv[1:]:
    file = parquet.ParquetFile(path)
    group = file.metadata.row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    print(json.dumps({
        'types': {field.name: str(field.type) for field in file.schema_arrow},
        'statistics': all(column.is_stats_set for column in columns),
        'dictionaries': sum('RLE_DICTIONARY' in column.encodings for column in columns),
        'sorted': [columns[each.column_index].path_in_schema for each in group.sorting_columns],
        'rows': file.read().to_pylist(),
    }, default=str))
`;

const root = await mkdtemp(path.join(tmpdir(), 'pyarrow-'));
let programs: string;
let tenantId: string;
beforeAll(async () => {
  programs = await pythonEnvironment('arrow', path.join(import.meta.dirname, '../arrow-requirements.txt'));
  tenantId = (await practiceArchive(folderStore(root))).tenantIds[0]!;
}, 300_000);
afterAll(() => rm(root, { recursive: true }));

describe.each(TABLES)('the table $name', (table) => {
  it('has its types, statistics, dictionaries and order, and our rows', async () => {
    const store = folderStore(root);
    const keys = await store.list(`history/${table.name}/`);
    expect(keys).toHaveLength(4);
    const { stdout } = await run(
      path.join(programs, 'python'),
      ['-c', PROGRAM, ...keys.map((key) => path.join(root, key))],
      { maxBuffer: 2 ** 28 },
    );
    for (const [index, line] of stdout.trim().split('\n').entries()) {
      const found = JSON.parse(line) as Record<string, unknown>;
      const month = /month=([\d-]+)/.exec(keys[index]!)![1]!;
      const { bytes } = (await store.get(keys[index]!))!;
      expect(found).toEqual({
        types: Object.fromEntries(table.columns.map(({ name, type }) => [name, ARROW[type]])),
        statistics: true,
        dictionaries: table.columns.filter(({ type }) => type !== 'BOOLEAN').length,
        sorted: table.sortedBy,
        rows: readRows(table.name, { month, tenantId, bytes }),
      });
    }
  });
});
