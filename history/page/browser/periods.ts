import { html } from 'htm/preact';
import type { Route } from '../route.ts';

interface PeriodsProps {
  periods: readonly { name: string; label: string }[];
  /** Name of the one that is shown. */
  shown: string;
  go: (change: Partial<Route>, step?: boolean) => void;
  children?: unknown;
}

/** The period that is shown. */
export function Periods({ periods, shown, go, children }: PeriodsProps) {
  return html`
    <div class="periods no-print" role="group" aria-label="Period">
      ${periods.map(
        ({ name, label }) => html`
          <button
            type="button"
            aria-pressed=${String(shown === name)}
            onClick=${() => go({ period: name }, true)}
          >
            ${label}
          </button>
        `,
      )}
      ${children}
    </div>
  `;
}
