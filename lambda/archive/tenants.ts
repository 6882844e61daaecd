import type { ObjectStore } from '../ports.ts';
import { layout } from './layout.ts';

/** The objects of one tenant, by kind. */
export interface TenantObjects {
  tenantId: string;
  /** By key. */
  snapshots: Map<string, { date: string; hash: string }>;
  /** Hashes. */
  catalogues: string[];
  /** Keys. */
  reports: string[];
  /** Months (yyyy-mm) for which the history has a file. */
  history: Set<string>;
  /** Keys in places where only objects of the archive belong. */
  foreign: string[];
}

const GUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const OF_TENANT = new RegExp(`^(?:snapshots|profiles|reports|ledger)/tenant=(${GUID})/`);
const COLUMNS = new RegExp(`^history/(?:scores|controls|changes)/month=(\\d{4}-\\d\\d)/(${GUID})\\.parquet$`);
const STATE = new RegExp(`^state/(?:columns/)?tenant=(${GUID})\\.json$`);
/** Keys that belong to the archive, but to no tenant. */
const OF_ALL =
  /^(?:state\/(?:watch|digest=[a-z0-9-]+|rotation=[^/]+)\.json$|reports\/digest=[a-z0-9-]+\/date=|history\/(?:_closed|closed_(?:scores|controls|changes|stretches))\/)/;
const REPORT = /\/date=\d{4}-\d\d-\d\d\/[0-9A-Z]+-[0-9a-f]{8}\.json$/;

/**
 * Everything that an archive holds, by tenant, and the keys that belong to none.
 * @param only restricts the list to this tenant
 */
export async function listTenants(
  store: ObjectStore,
  only?: string,
): Promise<{ tenants: TenantObjects[]; foreign: string[] }> {
  const tenants = new Map<string, TenantObjects>();
  const foreign: string[] = [];
  const tenantOf = (tenantId: string): TenantObjects => {
    let objects = tenants.get(tenantId);
    if (!objects) {
      objects = {
        tenantId,
        snapshots: new Map(),
        catalogues: [],
        reports: [],
        history: new Set(),
        foreign: [],
      };
      tenants.set(tenantId, objects);
    }
    return objects;
  };
  const prefixes = ['snapshots', 'profiles', 'reports', 'ledger'].map((kind) =>
    only === undefined ? `${kind}/` : `${kind}/tenant=${only}/`,
  );
  for (const prefix of [...prefixes, 'history/', 'state/']) {
    for (const key of await store.list(prefix)) {
      const columns = COLUMNS.exec(key);
      const tenantId = OF_TENANT.exec(key)?.[1] ?? columns?.[2] ?? STATE.exec(key)?.[1];
      if (tenantId === undefined) {
        if (!OF_ALL.test(key)) foreign.push(key);
      } else if (only === undefined || tenantId === only) {
        const objects = tenantOf(tenantId);
        const snapshot = layout.parseSnapshot(key);
        const catalogue = layout.parseProfiles(key);
        if (columns?.[1]) objects.history.add(columns[1]);
        else if (snapshot && key === layout.snapshot(tenantId, snapshot.date, snapshot.hash)) {
          objects.snapshots.set(key, snapshot);
        } else if (catalogue && key === layout.profiles(tenantId, catalogue))
          objects.catalogues.push(catalogue);
        else if (key.startsWith('reports/') && REPORT.test(key)) objects.reports.push(key);
        else if (!key.startsWith('state/') && layout.parseEntry(key) === null) objects.foreign.push(key);
      }
    }
  }
  return { tenants: [...tenants.values()].toSorted((a, b) => (a.tenantId < b.tenantId ? -1 : 1)), foreign };
}
