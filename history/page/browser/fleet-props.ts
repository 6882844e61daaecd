import { html } from 'htm/preact';
import { FLEET_PERIODS } from '../fleet-model.ts';
import type { Fleet, WireStandings } from '../fleet-wire.ts';
import type { Route } from '../route.ts';

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
export function Periods({ days, go }: { days: number; go: FleetProps['go'] }) {
  return html`
    <div class="periods no-print" role="group" aria-label="Period">
      ${FLEET_PERIODS.map(
        (period) => html`
          <button
            type="button"
            aria-pressed=${String(period.days === days)}
            onClick=${() => go({ period: period.name }, true)}
          >
            ${period.label}
          </button>
        `,
      )}
    </div>
  `;
}
