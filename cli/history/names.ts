import { layout } from '../../lambda/archive/layout.ts';
import { openStore } from '../../lambda/archive/open-store.ts';
import { alike } from '../../lambda/characters.ts';
import type { Config } from '../../lambda/config.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { inParallel } from '../../lambda/archive/columns/parallel.ts';
import { locationOf } from '../shared/archive-place.ts';
import { idIn } from '../shared/tenant-id.ts';
import type { ObjectStore } from '../../lambda/ports.ts';
import type { HistoryFlags } from './options.ts';
import type { Names } from './present.ts';

const STATE = /^state\/tenant=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json$/;

/**
 * Names of tenants, by id: the config's, and of others that of their last run, as the state in the archive has it.
 * Athena's analysts may read no state: there a tenant without a config goes by its id.
 * @param only the id of the only tenant that is asked about; null: all
 */
export async function namesOf(
  flags: HistoryFlags,
  config: Config | null,
  only: string | null = null,
): Promise<Names> {
  const names = new Map(config?.tenants.map(({ tenantId, name }) => [tenantId, name]));
  if (flags.engine === 'athena') return names;
  const store = await openStore(await locationOf(flags, config));
  const keys = only === null ? await store.list('state/').catch(() => []) : [layout.state(only)];
  const unnamed = keys.flatMap((key) => STATE.exec(key)?.[1] ?? []).filter((id) => !names.has(id));
  await inParallel(unnamed, async (id) => {
    const name = await nameIn(store, id);
    if (name) names.set(id, name);
  });
  return names;
}

/**
 * The name in a tenant's state, of which nothing else is checked: the schema of the whole takes longer to load than a
 * question to answer. A state that cannot be read is no reason to leave a question without its answer.
 */
async function nameIn(store: ObjectStore, id: string): Promise<string | null> {
  try {
    const object = await store.get(layout.state(id));
    const state = JSON.parse(Buffer.from(object?.bytes ?? []).toString('utf8')) as { name?: unknown } | null;
    return typeof state?.name === 'string' ? state.name : null;
  } catch {
    return null;
  }
}

/** Not more names than can be read. */
export function some(names: string[]): string {
  const first = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${first} and ${names.length - 5} more` : first;
}

/** @param wanted a name, in upper or lower case, or an id, which is taken as it is. @throws MonitorError `tenant-unknown`, `tenant-ambiguous` */
export function tenantOf(wanted: string, names: Names): string {
  const id = idIn(wanted);
  if (id !== null) return id;
  const [found, ...more] = [...names].filter(([, name]) => alike(name) === alike(wanted));
  if (found && more.length === 0) return found[0];
  if (found) {
    throw new MonitorError(
      'tenant-ambiguous',
      `There are ${more.length + 1} tenants of the name ${quote(wanted)}.`,
      `Name one by its id: ${[found, ...more].map(([each]) => each).join(', ')}.`,
    );
  }
  throw new MonitorError(
    'tenant-unknown',
    `Neither the config nor the archive has a tenant of the name ${quote(wanted)}.`,
    names.size > 0
      ? `They have: ${some([...names.values()])}. An id is taken as it is.`
      : 'Give the id of the tenant, or name the config with --config.',
  );
}
