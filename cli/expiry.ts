/** From so few days on an alarm says that the next certificate is due. */
export const EXPIRES_SOON_DAYS = 30;

/** Whole days until the certificate ends; negative once it has. */
export function daysLeft({ notAfter }: { notAfter: Date }, now: Date): number {
  return Math.floor((notAfter.getTime() - now.getTime()) / 86_400_000);
}
