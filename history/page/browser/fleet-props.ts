import { html } from 'htm/preact';
import { FLEET_PERIODS } from '../fleet-model.ts';
import type { Fleet, WireStandings } from '../fleet-wire.ts';
import type { Route } from '../route.ts';
import { Periods } from './periods.ts';

/** What the views of all tenants are given. */
export interface FleetProps {
  fleet: Fleet;
  standings: () => Promise<WireStandings>;
  route: Route;
  go: (change: Partial<Route>, step?: boolean) => void;
  /** Ids of the tenants chosen to be compared. */
  chosen: string[];
  onChoose: (ids: string[]) => void;
  /** Id of the tenant that one comes back from. */
  left: string | null;
}

/** The period that changes are shown of. */
export function FleetPeriods({ days, go }: { days: number; go: FleetProps['go'] }) {
  const shown = FLEET_PERIODS.find((period) => period.days === days)?.name;
  return html`<${Periods} periods=${FLEET_PERIODS} shown=${shown} go=${go} />`;
}
