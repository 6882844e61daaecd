import type { HistoryEngine, Scope } from '../../history/answer.ts';
import { DuckDbHistory } from '../../history/duckdb.ts';
import { commandLine } from '../../lambda/command-line.ts';
import type { Config } from '../../lambda/config.ts';
import { some } from './names.ts';
import type { Names } from './present.ts';

/**
 * Whom a question about all tenants covers. The archive of a tenant that was removed from the config stays, but a
 * question about today is about the tenants that are watched: nobody can act on another one. What was true in a period
 * that is over stays true, and all tenants of that time belong to it. Where the config has none of the archive's tenants,
 * it is another archive's, and says nothing about this one. (Athena does not know whom the archive holds: it covers all.)
 * @param tenant the one that is asked for, which always counts; null: all
 * @param isOver the period ends before today
 * @returns the scope to ask with, and what the user should know about tenants that are not in the config
 */
export function covered(
  engine: HistoryEngine,
  scope: Scope,
  {
    config,
    names,
    tenant,
    isOver,
  }: { config: Config | null; names: Names; tenant: string | null; isOver: boolean },
): { scope: Scope; note: string | null } {
  if (config === null || scope.tenant !== null || !(engine instanceof DuckDbHistory))
    return { scope, note: null };
  const watched = new Set(config.tenants.map(({ tenantId }) => tenantId));
  const isOthers = engine.tenants({ fromMonth: '', toMonth: '9999' }).isDisjointFrom(watched);
  if (tenant !== null) watched.add(tenant);
  const removed = engine.tenants(scope).difference(watched);
  // Without one, all are read at once, which takes less time.
  if (removed.size === 0) return { scope, note: null };
  const listed = some([...removed].map((id) => names.get(id) ?? id));
  if (isOver || isOthers) return { scope, note: `Not in the config, but counted: ${listed}.` };
  return {
    scope: { ...scope, tenants: watched },
    note: `Not in the config, and left out: ${listed}. To ask about one: ${commandLine('history <question> --tenant <name or id>')}`,
  };
}
