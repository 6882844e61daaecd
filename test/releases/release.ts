import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { TABLES } from '../../lambda/archive/columns/tables.ts';
import { readRows } from '../../lambda/archive/columns/write.ts';
import { isDigest, type AnyReport } from '../../lambda/report/digest-model.ts';
import type { Report } from '../../lambda/report/model.ts';
import type { ObjectStore } from '../../lambda/ports.ts';

/** What a release left: an archive as that release wrote it, what Graph answered later, and what became of it. */
export interface Release {
  /** Objects and states by key, in base64. */
  archive: Record<string, string>;
  /** The runs that follow: by tenant, at that time (ISO 8601). */
  later: { tenantId: string; at: string; entries: unknown[]; profiles: unknown[] }[];
  /** The digests that are made between them, in order. The first release has none. */
  digestsAt?: { name: string; at: string }[];
  /** By tenant, after these runs by the release itself. */
  expected: Record<string, Outcome>;
  /** Rows of these digests. */
  digested?: string[];
  /** What each question answered of the archive, before the runs that follow. */
  answers?: Record<string, unknown[]>;
  /** A renewal that was interrupted, and how the release ended it. */
  renewal?: Renewal & { ended: unknown };
}

/** A renewal that died on its way, at that time (ISO 8601). */
export interface Renewal {
  at: string;
  /** Objects and states by key, in base64. */
  archive: Record<string, string>;
  secret: {
    versions: { id: string; pem: string }[];
    current: string;
    pending: string | null;
    previous: string | null;
  };
  /** The keys of each app; dates in ISO 8601. */
  apps: Record<string, { keyId: string; thumbprint: string; notAfter: string; visible: string }[]>;
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

/** What the digests of an archive said: of which tenants, from which score to which, by what, and which changes. */
export async function digestedIn(store: ObjectStore): Promise<string[]> {
  const rows: string[] = [];
  for (const key of await store.list('reports/digest=')) {
    const { report } = JSON.parse(Buffer.from((await store.get(key))!.bytes).toString()) as {
      report: AnyReport;
    };
    if (!isDigest(report)) continue;
    for (const { tenantId, before, after, account, changes } of report.tenants) {
      const name = `${report.name} ${report.toldAt} ${tenantId}`;
      const parts = account && [account.earned, account.rescored, account.decided, account.unexplained];
      rows.push(
        `${name} ${before?.date} ${after?.date} ${after?.percentage?.toFixed(6)} ${parts?.map((part) => Number(part.toFixed(6)) + 0).join(' ')}`,
        ...changes.map(({ kind, control }) => `${name} ${kind} ${control}`),
      );
    }
  }
  return rows.toSorted();
}
