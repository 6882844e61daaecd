import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { TABLES } from '../../lambda/archive/columns/tables.ts';
import { readRows } from '../../lambda/archive/columns/write.ts';
import type { Report } from '../../lambda/report/model.ts';
import type { ObjectStore } from '../../lambda/ports.ts';

/** What is kept of a release: an archive as that release wrote it, what Graph answered later, and what became of it. */
export interface Release {
  /** Objects and states by key, in base64. */
  archive: Record<string, string>;
  /** The runs that follow: by tenant, at that time (ISO 8601). */
  later: { tenantId: string; at: string; entries: unknown[]; profiles: unknown[] }[];
  /** By tenant, after these runs by the release itself. */
  expected: Record<string, Outcome>;
}

export interface Outcome {
  /** Rows of all reports: day, kind, recommendation. */
  reported: string[];
  /** Rows of the history: day, kind, recommendation, percentage points; and day, points, maximum, whether it counts. */
  changes: string[];
  scores: string[];
}

export function packed(release: Release): Buffer {
  return brotliCompressSync(JSON.stringify(release));
}

export function unpacked(bytes: Uint8Array): Release {
  return JSON.parse(brotliDecompressSync(bytes).toString('utf8')) as Release;
}

/** What was reported of a tenant, and what its history answers, in words that no release changes. */
export async function outcomeOf(store: ObjectStore, tenantId: string): Promise<Outcome> {
  const reported: string[] = [];
  for (const key of await store.list(`reports/tenant=${tenantId}/`)) {
    const { report } = JSON.parse(Buffer.from((await store.get(key))!.bytes).toString()) as {
      report: Report;
    };
    for (const { date, changes } of report.days)
      for (const { kind, control } of changes) reported.push(`${date} ${kind} ${control}`);
  }
  const rows: Record<string, string[]> = { changes: [], scores: [] };
  for (const { name } of TABLES.filter((table) => table.name in rows)) {
    for (const key of await store.list(`history/${name}/`)) {
      const [, month, whose] = /month=([\d-]+)\/(.+)\.parquet$/.exec(key) ?? [];
      if (whose !== tenantId || month === undefined) continue;
      for (const row of readRows(name, { month, tenantId, bytes: (await store.get(key))!.bytes }))
        rows[name]!.push(
          name === 'scores'
            ? `${row.date} ${Number(row['points']).toFixed(2)} ${Number(row['maximum']).toFixed(2)} ${row['counted']}`
            : `${row.date} ${row['kind']} ${row['control']} ${Number(row['percentage_points']).toFixed(6)}`,
        );
    }
  }
  return {
    reported: reported.toSorted(),
    changes: rows['changes']!.toSorted(),
    scores: rows['scores']!.toSorted(),
  };
}
