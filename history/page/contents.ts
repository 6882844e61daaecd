import { encode, type Catalogue, type TenantRows } from './data.ts';
import { listed, type Contents, type Listed } from './document.ts';
import { FleetBuilder, type Member, type Origin } from './fleet-data.ts';
import { packPart, type Part } from './pack.ts';

/** What a page is made of. */
export interface Source {
  /** Whom it shows; with several it begins with all of them. */
  members: Member[];
  /** Of the members that have a history, in any order. */
  histories: AsyncIterable<{ id: string; rows: TenantRows }> | Iterable<{ id: string; rows: TenantRows }>;
  catalogue: Catalogue;
  /** The newest day of all, since 1970-01-01. */
  last: number;
  origin: Origin;
  /** Whether a tenant's recommendation is muted. */
  isMuted: (tenant: string, control: string) => boolean;
  /** Called after each history. */
  onTenant?: () => void;
}

/** A tenant on the page, and how much there is of it. */
export interface Shown extends Listed {
  days: number;
  changes: number;
}

/** What a page in a folder carries itself: with what it begins. */
export const FIRST_PARTS = ['catalogue', 'fleet'];

/** The data of a page: tenants by name, those without a day that counts in the fleet alone. */
export async function pageContents(
  source: Source,
): Promise<Omit<Contents, 'script' | 'files'> & { tenants: Shown[] }> {
  const { members, catalogue } = source;
  const memberOf = new Map(members.map((member) => [member.id, member]));
  const fleet = members.length > 1 ? new FleetBuilder(catalogue, source.last) : null;
  const missing = new Map(memberOf);
  const shown: Shown[] = [];
  const packed = new Map<string, Promise<Part>>();
  for await (const { id, rows } of source.histories) {
    const member = memberOf.get(id)!;
    const wire = encode({ ...member, isMuted: (control) => source.isMuted(id, control) }, rows, catalogue);
    fleet?.add(member, rows, wire);
    missing.delete(id);
    if (wire) {
      const [days, changes] = [wire.days.date.length, wire.changes.date.length];
      // It is compressed beside the reading of the next ones.
      packed.set(id, packPart('', wire));
      shown.push({ ...listed(wire), days, changes });
    }
    source.onTenant?.();
  }
  for (const member of missing.values()) fleet?.add(member, NO_ROWS, null);
  shown.sort((a, b) => a.name.localeCompare(b.name, 'en') || (a.id < b.id ? -1 : 1));
  const parts = [await packPart('catalogue', catalogue.texts)];
  for (const [place, { id }] of shown.entries()) {
    parts.push({ ...(await packed.get(id)!), name: `tenant-${place}` });
  }
  if (fleet && shown.length > 0) {
    const ids = shown.map(({ id }) => id);
    const { fleet: wire, standings } = fleet.build(source.origin, ids);
    parts.push(await packPart('fleet', wire), await packPart('standings', standings));
  }
  return { tenants: shown, parts };
}

const NO_ROWS: TenantRows = { scores: [], standings: [], changes: [] };
