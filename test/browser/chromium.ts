import { existsSync } from 'node:fs';

const PLACES = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** @throws Error that says where to get it */
export function findChromium(): string {
  const found = PLACES.find((place) => place !== undefined && existsSync(place));
  if (found) return found;
  throw new Error(
    'The history page is tested in Chromium, and there is none. On Debian and Ubuntu: apt-get install chromium. Elsewhere: name one in the environment variable CHROMIUM.',
  );
}
