/**
 * The keys of the archive, in Hive-style partitions, so that any query engine reads it in place. Other programs rely
 * on them: change one only with a migration.
 * Tenants are guids in lower case, dates yyyy-mm-dd, hashes SHA-256 in hex.
 */
export const layout = {
  snapshots: (tenantId: string) => `snapshots/tenant=${tenantId}/`,
  snapshot: (tenantId: string, date: string, hash: string) =>
    `snapshots/tenant=${tenantId}/date=${date}/${hash}.json.gz`,
  catalogue: (tenantId: string) => `profiles/tenant=${tenantId}/`,
  profiles: (tenantId: string, hash: string) => `profiles/tenant=${tenantId}/${hash}.json.gz`,
  /** Partitioned by month (yyyy-mm) alone; the tenant is a column. */
  columns: (table: string, month: string, tenantId: string) =>
    `history/${table}/month=${month}/${tenantId}.parquet`,
  /**
   * Months that no run changes any more are copied, with all tenants of a table together: see
   * docs/decisions/closed-months-are-copied.md. Records lie below a name that engines ignore.
   */
  closedMonths: 'history/_closed/',
  /** The record whether a month (yyyy-mm) is closed, and which copies are valid. */
  closedMonth: (month: string) => `history/_closed/${month}.json`,
  /** Copies lie as a table's files do, so that an engine reads them as a table of its own. */
  closedTable: (table: string) => `history/closed_${table}/`,
  /** @param hash of its content: a copy is never overwritten */
  closedColumns: (table: string, month: string, hash: string) =>
    `history/closed_${table}/month=${month}/${hash.slice(0, 16)}.parquet`,
  reports: (tenantId: string) => `reports/tenant=${tenantId}/`,
  /** The key of a report. Within a date, reports sort by the time at which they were made. */
  report: (tenantId: string, date: string, toldAt: string, hash: string) =>
    `reports/tenant=${tenantId}/date=${date}/${toldAt.replaceAll(/[-:.]/g, '')}-${hash.slice(0, 8)}.json`,
  /** The report of a digest, which belongs to no tenant and no ledger, because its facts are in the reports of its tenants. */
  digestReport: (name: string, date: string, toldAt: string, hash: string) =>
    `reports/digest=${name}/date=${date}/${toldAt.replaceAll(/[-:.]/g, '')}-${hash.slice(0, 8)}.json`,
  ledger: (tenantId: string) => `ledger/tenant=${tenantId}/`,
  /** The key has only the number, so that only one of two concurrent runs can create the next entry, and no ledger forks. */
  entry: (tenantId: string, sequence: number) =>
    `ledger/tenant=${tenantId}/${String(sequence).padStart(8, '0')}.json`,
  state: (tenantId: string) => `state/tenant=${tenantId}.json`,
  columnsStates: 'state/columns/',
  /** The progress of the columns. It is not in the tenant's state, because swapping that may cost a run its claim. */
  columnsState: (tenantId: string) => `state/columns/tenant=${tenantId}.json`,
  digests: 'state/digest=',
  digest: (name: string) => `state/digest=${name}.json`,
  /** The progress of the renewal of a certificate. @param secret its name, reduced to the characters of a key */
  rotation: (secret: string) => `state/rotation=${secret}.json`,
  /** The memory of the daily watch, of what it has reported. */
  watch: 'state/watch.json',

  /** The inverse of `snapshot`; null for a foreign key. */
  parseSnapshot(key: string): { date: string; hash: string } | null {
    const match = /\/date=(\d{4}-\d\d-\d\d)\/([0-9a-f]{64})\.json\.gz$/.exec(key);
    return match?.[1] && match[2] ? { date: match[1], hash: match[2] } : null;
  },
  /** The first 16 digits of the hash in a key of `closedColumns`, or where release 0.1.0 put it; null for any other key. */
  parseClosedColumns(table: string, month: string, key: string): string | null {
    const match =
      /^history\/(?:closed_(\w+)\/month=([\d-]+)\/|_closed\/month=([\d-]+)\/(\w+)-)([0-9a-f]{16})\.parquet$/.exec(
        key,
      );
    const isTheirs = match && (match[1] ?? match[4]) === table && (match[2] ?? match[3]) === month;
    return isTheirs ? match[5]! : null;
  },
  /** The number in a key of `ledger`; null for a foreign key. */
  parseEntry(key: string): number | null {
    const digits = /^ledger\/tenant=[^/]+\/(\d{8})\.json$/.exec(key)?.[1];
    return digits === undefined || Number(digits) === 0 ? null : Number(digits);
  },
  /** The hash in a key of `profiles`; null for a foreign key. */
  parseProfiles: (key: string): string | null => /\/([0-9a-f]{64})\.json\.gz$/.exec(key)?.[1] ?? null,
};
