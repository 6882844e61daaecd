/*
 * What a deployed version runs, and what its ports must know of it. It is bundled for each release (write.ts), so that the
 * years begin with the code of a release and go on with that of today, as after an update.
 */

export { digestsOf, parseConfig } from '../../lambda/config.ts';
export { makeDigest } from '../../lambda/digest/digest.ts';
export { DeliveryError, MonitorError } from '../../lambda/errors.ts';
export { monitor } from '../../lambda/monitor.ts';
export { rotate } from '../../lambda/rotation/rotate.ts';
export { watch } from '../../lambda/watch/watch.ts';
