import type { Metrics } from './ports.ts';

/** Metrics for runs outside of a deployment, which no dashboard or alarm uses. */
export const noMetrics: Metrics = { publish: () => {} };
