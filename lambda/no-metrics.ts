import type { Metrics } from './ports.ts';

/** For runs outside of a deployment: nobody draws their metrics, and no alarm waits for them. */
export const noMetrics: Metrics = { publish: () => {} };
