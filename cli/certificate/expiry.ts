import type { Bundle } from '../../lambda/certificate/bundle.ts';
import { dueBefore } from '../../lambda/rotation/renew.ts';
import { daysLeft } from '../../lambda/watch/incidents.ts';

/** With fewer days left the next certificate is due. An alarm goes off at the same time. */
const EXPIRES_SOON_DAYS = 30;
/** A renewal that is due takes minutes; one that is due for as many days does not happen. */
const LATE_DAYS = 7;
const DAY_MS = 24 * 3_600_000;

/**
 * Whether somebody has to look after a certificate now.
 * @param renews whether it is to renew itself: then only when it should have done so days ago
 */
export function needsSomebody(
  bundle: Pick<Bundle, 'notBefore' | 'notAfter'>,
  renews: boolean,
  now: Date,
): boolean {
  const left = daysLeft(bundle.notAfter.toISOString(), now);
  return renews ? left < dueBefore(bundle) / DAY_MS - LATE_DAYS : left < EXPIRES_SOON_DAYS;
}
