import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addDays, dateOf } from '../../lambda/dates.ts';
import { clockFrom, practiceRuns, practise } from '../../simulator/practice.ts';

/** Hours at which `npm start` was found broken, and days on which a calendar can go wrong. */
const HOURS = ['00:05', '06:30', '12:00', '23:58'];
const DAYS = {
  'an ordinary day': '2026-11-27',
  '29 February': '2028-02-29',
  'clocks go forward (Los Angeles)': '2026-03-08',
  'clocks go back (Los Angeles)': '2026-11-01',
  'clocks go forward (Europe)': '2026-03-29',
  'clocks go back (Europe)': '2026-10-25',
};
const ZONES = ['UTC', 'Pacific/Kiritimati', 'America/Los_Angeles'];

describe('the runs of a practice', () => {
  afterAll(() => vi.unstubAllEnvs());

  it.each(ZONES)('are one a day at the hour of now, the last one now, in %s', (zone) => {
    vi.stubEnv('TZ', zone);
    expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(zone);
    for (const day of Object.values(DAYS)) {
      for (const hour of HOURS) {
        const now = new Date(`${day}T${hour}:00Z`);
        const runs = practiceRuns(now);
        expect(runs).toHaveLength(11);
        expect(runs.at(-1)).toEqual({ index: 10, date: day, at: now });
        for (const { index, date, at } of runs) {
          expect(date).toBe(addDays(day, index - 10));
          expect(at.toISOString()).toBe(`${date}T${hour}:00.000Z`);
        }
      }
    }
  });

  it('have a clock that goes on', async () => {
    const clock = clockFrom(new Date('2028-02-29T23:58:00Z'));
    const before = clock.now();
    expect(dateOf(before)).toBe('2028-02-29');
    await vi.waitFor(() => expect(clock.now().getTime()).toBeGreaterThan(before.getTime()));
  });
});

describe('a practice', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'secure-score-practice-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it('that fails says what failed and what to do, without a stack', async () => {
    const file = join(root, 'a file');
    await writeFile(file, '');
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const outputs = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(await practise(new Date(), join(file, 'practice'))).toBe(1);
    const printed = outputs.mock.calls.join('\n');
    vi.restoreAllMocks();
    expect(printed).toMatch(
      /^\nThe folder ".*a file\/practice" cannot be written: .*ENOTDIR.*\.\n→ Let the user/,
    );
    expect(printed).not.toMatch(/^\s+at /m);
  });
});
