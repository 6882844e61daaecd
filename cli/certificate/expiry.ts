/** With fewer days left the next certificate is due. An alarm goes off at the same time. */
export const EXPIRES_SOON_DAYS = 30;
