import { TimeZone } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { timeZoneFault } from '../lambda/time-zone.ts';

test.each([
  'Europe/Budapest',
  'Europe/Kyiv',
  'Asia/Kolkata',
  'America/Argentina/Buenos_Aires',
  'UTC',
  'Etc/GMT+3',
])('%s is a time zone that EventBridge Scheduler takes', (name) =>
  expect(timeZoneFault(name)).toBeUndefined(),
);

test.each([
  ['+02:00', "'Europe/Berlin' or 'Europe/Athens'"],
  ['UTC+5:30', "'Asia/Kolkata'"],
  ['GMT-3', "'America/Sao_Paulo' or 'America/Halifax'"],
  ['+00:00', "'UTC'"],
  ['europe/berlin', "'Europe/Berlin'"],
  [' Europe/Berlin', "'Europe/Berlin'"],
  ['utc', "'UTC'"],
  ['PST', "'America/Los_Angeles'"],
  ['EST', "'America/New_York'"],
  ['CET', "'Europe/Berlin'"],
  ['GMT', "'Europe/London'"],
  ['US/Pacific', "'America/Los_Angeles'"],
  ['Asia/Calcutta', "'Asia/Kolkata'"],
  ['Europe/Kiev', "'Europe/Kyiv'"],
  ['Budapest', "'Europe/Budapest'"],
  ['New York, USA', "'America/New_York'"],
  ['W. Europe Standard Time', "'Europe/Berlin'"],
])('%j is no time zone, and the right one is proposed', (text, proposed) => {
  expect(timeZoneFault(text)).toMatch(/^expected a time zone .*: /);
  expect(timeZoneFault(text)?.split(': ')[1]).toBe(proposed);
  for (const name of proposed.matchAll(/'(.+?)'/g)) expect(timeZoneFault(name[1]!)).toBeUndefined();
});

test.each(['', 'Nowhere', '+99:00', 'Europe/', '🕖'])('%j is none, and gets an example', (text) => {
  expect(timeZoneFault(text)).toMatch(/, like Europe\/Budapest$/);
});

test("every place of CDK's own list, which is that of the IANA database, is one", () => {
  const names = Object.values(TimeZone)
    .filter((zone): zone is TimeZone => zone instanceof TimeZone)
    .map(({ timezoneName }) => timezoneName);
  // The database has merged these with their neighbours since.
  const merged = new Set(['America/Yellowknife', 'Asia/Choibalsan']);
  expect(names.length).toBeGreaterThan(300);
  const places = names.filter((name) => name.includes('/') && !name.startsWith('Etc/'));
  expect(places.filter((name) => !merged.has(name) && timeZoneFault(name) !== undefined)).toEqual([]);
});
