import { openStore } from '../../lambda/archive/open-store.ts';
import { listTenants, type TenantObjects } from '../../lambda/archive/tenants.ts';
import { Archive } from '../../lambda/archive/archive.ts';
import { alike } from '../../lambda/characters.ts';
import type { Config } from '../../lambda/config.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import type { ObjectStore } from '../../lambda/ports.ts';
import { configOf, locationOf, type PlaceFlags } from './archive-place.ts';
import { OPTIONS, text } from './options.ts';
import { idIn } from './tenant-id.ts';
import { commandLine } from '../../lambda/command-line.ts';

/** Flags that choose the archive and the tenants, for the commands that maintain one. */
export const ARCHIVE_OPTIONS = {
  archive: OPTIONS.archive,
  deployed: { type: 'boolean', describe: "The deployment's archive" },
  stack: OPTIONS.stack,
  tenant: OPTIONS.tenant,
  config: { ...text('config'), describe: OPTIONS.config.describe },
} as const;

export interface ArchiveFlags extends PlaceFlags {
  tenant?: string;
}

export interface Chosen {
  store: ObjectStore;
  tenants: (TenantObjects & { name: string | null })[];
  /** Keys that belong to no tenant and should not be there. */
  foreign: string[];
  /** Tenants of the config that the archive has nothing of; empty if a single tenant was chosen. */
  absent: { name: string; tenantId: string }[];
}

/**
 * The tenants of the archive that the flags choose. No config is needed: if there is one, it has the bucket and the
 * names of the tenants; otherwise tenants are listed by the name of their last run.
 * @throws MonitorError `archive-empty`, `tenant-unknown`
 */
export async function chooseTenants(flags: ArchiveFlags): Promise<Chosen> {
  const config = await configOf(flags);
  const store = await openStore(await locationOf(flags, config));
  const { tenant } = flags;
  const id = tenant === undefined ? undefined : (idIn(tenant) ?? configuredId(config, tenant));
  const { tenants, foreign } = await listTenants(store, id);
  const named = await Promise.all(
    tenants.map(async (objects) => ({ ...objects, name: await nameOf(store, config, objects.tenantId) })),
  );
  if (tenants.length === 0 && tenant === undefined) {
    throw new MonitorError(
      'archive-empty',
      `There is no archive in ${store.location}.`,
      `Choose another one with --archive. The first run of a tenant creates it: ${commandLine('run')}`,
    );
  }
  const chosen =
    tenant === undefined || id !== undefined
      ? named
      : named.filter(({ name }) => name !== null && alike(name) === alike(tenant));
  if (chosen.length > 0 && tenant !== undefined) return { store, tenants: chosen, foreign: [], absent: [] };
  if (chosen.length > 0) {
    const absent = (config?.tenants ?? [])
      .filter(({ tenantId: configured }) => tenants.every(({ tenantId }) => tenantId !== configured))
      .map(({ name, tenantId }) => ({ name, tenantId }));
    return { store, tenants: chosen, foreign, absent };
  }
  throw new MonitorError(
    'tenant-unknown',
    `The archive ${store.location} has no tenant ${quote(tenant)}.`,
    named.length > 0
      ? `It has: ${named.map(({ name, tenantId }) => name ?? tenantId).join(', ')}.`
      : 'Check --archive and --tenant.',
  );
}

/**
 * The id of one tenant, given by name or id. An id is accepted as it is; a name that is not in the config is looked up
 * in the archive.
 * @throws MonitorError `tenant-unknown`, `tenant-ambiguous`
 */
export async function tenantIdOf(flags: ArchiveFlags & { tenant: string }): Promise<string> {
  const { tenant } = flags;
  const id = idIn(tenant) ?? configuredId(await configOf(flags), tenant);
  if (id !== undefined) return id;
  const { store, tenants } = await chooseTenants(flags);
  if (tenants.length === 1) return tenants[0]!.tenantId;
  throw new MonitorError(
    'tenant-ambiguous',
    `The archive ${store.location} has ${tenants.length} tenants with the name ${quote(tenant)}.`,
    `Choose one by its id: ${tenants.map(({ tenantId }) => tenantId).join(', ')}.`,
  );
}

function configuredId(config: Config | null, wanted: string): string | undefined {
  return config?.tenants.find(({ name }) => alike(name) === alike(wanted))?.tenantId;
}

async function nameOf(store: ObjectStore, config: Config | null, tenantId: string): Promise<string | null> {
  const configured = config?.tenants.find((tenant) => tenant.tenantId === tenantId);
  if (configured) return configured.name;
  try {
    return (await new Archive(store, tenantId).state()).state?.name ?? null;
  } catch (error) {
    // `verify` reports a damaged state.
    if (error instanceof MonitorError && error.code === 'state-damaged') return null;
    throw error;
  }
}
