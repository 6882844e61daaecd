const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** "1.4 MB". */
export function bytes(number: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(number, 1)) / 3), UNITS.length - 1);
  return `${(number / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power] ?? ''}`;
}
