import { inParallel } from '../../lambda/archive/columns/parallel.ts';
import { chooseTenants, type ArchiveFlags, type Chosen } from '../shared/archive-choice.ts';
import { progressLine } from '../shared/progress-line.ts';

/** A tenant of the archive that a command works on. */
export type ChosenTenant = Chosen['tenants'][number];

export interface Each extends Pick<Chosen, 'store'> {
  tenant: ChosenTenant;
  /** How many have been chosen. */
  tenants: number;
  /** Its name, else its id. */
  shown: string;
  /** Shows what is being done, on a line that disappears. */
  progress: (done: number, total: number) => void;
}

/**
 * Does something with each tenant of the archive that the flags choose, and shows the progress.
 * @param of what is counted on the way: `days`, `objects`
 * @param atOnce the number of tenants at a time; the results keep the order of the tenants
 * @returns the archive, the result for each tenant, the keys that belong to no tenant, and the tenants that the archive lacks
 */
export async function eachTenant<Outcome>(
  flags: ArchiveFlags,
  of: string,
  act: (each: Each) => Promise<Outcome>,
  atOnce = 1,
): Promise<{ outcomes: Outcome[] } & Pick<Chosen, 'store' | 'foreign' | 'absent'>> {
  const { store, tenants, foreign, absent } = await chooseTenants(flags);
  const line = progressLine();
  const outcomes = await inParallel(
    tenants,
    (tenant) => {
      const shown = tenant.name ?? tenant.tenantId;
      const progress = (done: number, total: number) => {
        if (done < total) line.show(`${shown}: ${done} of ${total} ${of}`);
        else line.clear();
      };
      return act({ store, tenant, tenants: tenants.length, shown, progress }).finally(() => line.clear());
    },
    atOnce,
  );
  return { store, outcomes, foreign, absent };
}

/** For programs: one object for one tenant, an array for several. */
export function oneOrAll<Outcome>(outcomes: Outcome[]): Outcome | Outcome[] {
  const [only] = outcomes;
  return only !== undefined && outcomes.length === 1 ? only : outcomes;
}
