/*
 * What a schedule starts beside the run of a tenant. The handler loads it on demand, as one: were each part a file of its
 * own in the bundle, so would be all that each set of them shares with the run, and a cold start of the run would read a
 * dozen files more (0.3 ms each).
 */
export { makeDigest } from './digest/digest.ts';
export { planRotation } from './rotation/plan.ts';
export { renewalPorts } from './rotation/real-ports.ts';
export { rotate } from './rotation/rotate.ts';
export { scheduledTenants, schedulesOf } from './schedules.ts';
export { watch } from './watch/watch.ts';
