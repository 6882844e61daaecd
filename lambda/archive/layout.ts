/**
 * The keys of the archive. Hive-style partitions, so that any engine reads it in place; the design's contract.
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
  reports: (tenantId: string) => `reports/tenant=${tenantId}/`,
  /** Within a date, reports sort by when they were told. */
  report: (tenantId: string, date: string, toldAt: string, hash: string) =>
    `reports/tenant=${tenantId}/date=${date}/${toldAt.replaceAll(/[-:.]/g, '')}-${hash.slice(0, 8)}.json`,
  ledger: (tenantId: string) => `ledger/tenant=${tenantId}/`,
  /** The number alone, so that creating it is what decides between two runs at once: a ledger never forks. */
  entry: (tenantId: string, sequence: number) =>
    `ledger/tenant=${tenantId}/${String(sequence).padStart(8, '0')}.json`,
  state: (tenantId: string) => `state/tenant=${tenantId}.json`,
  /** How far the columns are written. Not in the tenant's state: whoever swaps that may cost a run its claim. */
  columnsState: (tenantId: string) => `state/columns/tenant=${tenantId}.json`,
  /** How far the renewal of a certificate is. @param secret its name, as far as a key can say it */
  rotation: (secret: string) => `state/rotation=${secret}.json`,
  /** What the daily watch has said. */
  watch: 'state/watch.json',

  /** The inverse of `snapshot`; null for a foreign key. */
  parseSnapshot(key: string): { date: string; hash: string } | null {
    const match = /\/date=(\d{4}-\d\d-\d\d)\/([0-9a-f]{64})\.json\.gz$/.exec(key);
    return match?.[1] && match[2] ? { date: match[1], hash: match[2] } : null;
  },
  /** The number in a key of `ledger`; null for a foreign key. */
  parseEntry(key: string): number | null {
    const digits = /^ledger\/tenant=[^/]+\/(\d{8})\.json$/.exec(key)?.[1];
    return digits === undefined || Number(digits) === 0 ? null : Number(digits);
  },
  /** The hash in a key of `profiles`; null for a foreign key. */
  parseProfiles: (key: string): string | null => /\/([0-9a-f]{64})\.json\.gz$/.exec(key)?.[1] ?? null,
};
