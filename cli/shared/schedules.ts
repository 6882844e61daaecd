import { digestsOf, type Config } from '../../lambda/config.ts';
import type { Schedules } from '../../lambda/ports.ts';

/** A config does not show since when it lists a tenant or a digest: one that never ran is missing from the beginning. */
const ALWAYS = { enabled: true, since: new Date(0) };

/** On one machine all that the config lists is expected to run. */
export function schedulesIn(config: Config): Schedules {
  return {
    list: async () => config.tenants.map(({ tenantId, name }) => ({ tenantId, name, ...ALWAYS })),
    digests: async () => digestsOf(config).map(({ name }) => ({ name, ...ALWAYS })),
  };
}
