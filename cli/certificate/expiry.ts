/** From so few days on, the next certificate is due: there is an alarm, too. */
export const EXPIRES_SOON_DAYS = 30;
