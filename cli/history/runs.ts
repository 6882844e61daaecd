import type { Answer, Row } from '../../history/answer.ts';
import { Archive } from '../../lambda/archive/archive.ts';
import { inParallel } from '../../lambda/archive/columns/parallel.ts';
import type { ObjectStore } from '../../lambda/ports.ts';

/**
 * Fills in the last successful run of each tenant (`last_run`, ISO 8601; null: none is known), which stands in the states,
 * and puts tenants first that are known but have no snapshot at all.
 * @param answer a row a tenant, with its id as `tenant`
 * @param known ids of the tenants that must be listed
 */
export async function withLastRuns(
  answer: Answer,
  known: readonly string[],
  store: ObjectStore,
): Promise<Answer> {
  const found = new Set(answer.rows.map(({ tenant }) => tenant));
  const nothing = Object.fromEntries(answer.columns.map((column) => [column, null]));
  const without = known.filter((id) => !found.has(id)).map((id): Row => ({ ...nothing, tenant: id }));
  const rows = await inParallel([...without, ...answer.rows], async (row): Promise<Row> => {
    const { tenant } = row;
    if (typeof tenant !== 'string') return row;
    // A state that cannot be read is no reason to leave a question without its answer.
    const state = await new Archive(store, tenant).state().then(
      (versioned) => versioned.state,
      () => null,
    );
    return { ...row, last_run: state?.lastRun?.at ?? null };
  });
  return { columns: answer.columns, rows };
}
