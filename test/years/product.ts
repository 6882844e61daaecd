import { isDeepStrictEqual } from 'node:util';
import { listTenants } from '../../lambda/archive/tenants.ts';
import { readRows, writeColumns } from '../../lambda/archive/columns/write.ts';
import { verify } from '../../lambda/archive/verify.ts';
import type { Log } from '../../lambda/ports.ts';
import type { YearsStore } from './store.ts';

/*
 * What the product says of its own archive: verify, and a rebuild.
 */

const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {} };

export async function findingsOf(store: YearsStore, tenantId: string) {
  const { tenants, foreign } = await listTenants(store, tenantId);
  const findings = [];
  for (const objects of tenants) findings.push(...(await verify({ store, objects })).findings);
  return [...findings, ...foreign.map((object) => ({ kind: 'foreign', object }))];
}

/** Keys of columns that a rebuild makes otherwise, and the scores of the columns by date. */
export async function columnsOf(store: YearsStore, tenantId: string) {
  const isOurs = (key: string) => key.includes(tenantId);
  const copy = store.copy((key) => isOurs(key) && !/^(history|state)\//.test(key));
  await writeColumns({ store: copy, tenantId, log: SILENT, everything: true });
  const isHistory = (key: string) => key.startsWith('history/') && isOurs(key);
  const keys = new Set([...store.objects.keys(), ...copy.objects.keys()].filter(isHistory));
  // Rows are what a reader sees; bytes of equal rows may differ.
  const rowsOf = (of: YearsStore, key: string) => {
    const [, table, month] = /^history\/(scores|controls|changes)\/month=(\d{4}-\d\d)\//.exec(key)!;
    const bytes = of.objects.get(key)?.bytes;
    return bytes && readRows(table as 'scores', { month: month!, tenantId, bytes });
  };
  const differing = [...keys].filter((key) => {
    const [a, b] = [rowsOf(store, key), rowsOf(copy, key)];
    return !a || !b || !isDeepStrictEqual(a, b);
  });
  const scores = new Map<string, { points: number; maximum: number }>();
  for (const [key, { bytes }] of store.objects) {
    const month = /^history\/scores\/month=(\d{4}-\d\d)\//.exec(key)?.[1];
    if (month === undefined || !isOurs(key)) continue;
    for (const row of readRows('scores', { month, tenantId, bytes }))
      scores.set(row.date, { points: Number(row['points']), maximum: Number(row['maximum']) });
  }
  return { differing, scores };
}
