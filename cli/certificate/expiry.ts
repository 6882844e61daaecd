import { isRenewalLate, type Validity } from '../../lambda/certificate/bundle.ts';
import { daysLeft } from '../../lambda/watch/incidents.ts';

/** With fewer days left the next certificate is due. An alarm goes off at the same time. */
const EXPIRES_SOON_DAYS = 30;

/**
 * Whether somebody has to look after a certificate now.
 * @param renews whether it is to renew itself: then only when it should have done so days ago
 */
export function needsSomebody(validity: Validity, renews: boolean, now: Date): boolean {
  if (renews) return isRenewalLate(validity, now);
  return daysLeft(validity.notAfter.toISOString(), now) < EXPIRES_SOON_DAYS;
}
