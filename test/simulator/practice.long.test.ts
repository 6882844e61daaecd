import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dateAhead } from '../clock-ahead.ts';
import { practise } from '../../simulator/practice.ts';

/** `npm start`, in a process of its own whose machine says another time. @returns what it printed */
function start(folder: string, now: string, zone: string): Promise<{ code: number | null; printed: string }> {
  const program = [
    `import { practise } from ${JSON.stringify(resolve(import.meta.dirname, '../../simulator/practice.ts'))};`,
    `process.exitCode = await practise(new Date(), ${JSON.stringify(folder)});`,
  ].join('\n');
  const ahead = resolve(import.meta.dirname, '../clock-ahead.ts');
  const child = spawn(process.execPath, ['--import', ahead, '--input-type=module', '--eval', program], {
    env: {
      ...process.env,
      CLOCK_AHEAD_MS: String(Date.parse(now) - Date.now()),
      TZ: zone,
      NO_COLOR: '1',
    },
  });
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += chunk));
  child.stderr.on('data', (chunk) => (printed += chunk));
  return new Promise((done) => child.on('close', (code) => done({ code, printed })));
}

/** The same in this process, which has loaded and compiled everything. */
async function startHere(folder: string, now: string, zone: string): ReturnType<typeof start> {
  vi.stubGlobal('Date', dateAhead(Date, Date.parse(now) - Date.now()));
  vi.stubEnv('TZ', zone);
  let printed = '';
  const print = (line: unknown) => void (printed += `${stripVTControlCharacters(String(line))}\n`);
  for (const method of ['log', 'error'] as const) vi.spyOn(console, method).mockImplementation(print);
  try {
    return { code: await practise(new Date(), folder), printed };
  } finally {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    vi.unstubAllGlobals();
  }
}

/** The same whatever the day: days by their distance from it, without ports, hashes, widths and durations. */
function timeless(printed: string, today: string): string {
  const distance = (day: string) => `day ${(Date.parse(day) - Date.parse(today)) / 86_400_000}`;
  return printed
    .replace(/\d{1,2} [A-Z][a-z]{2} \d{4}/g, (day) => distance(`${day} UTC`))
    .replace(/\d{4}-\d\d-\d\d/g, distance)
    .replace(/-[0-9a-f]{8}-[0-9a-f]{8}\.eml/g, '.eml')
    .replace(/localhost:\d+/, 'localhost')
    .replace(/Done in [\d.]+ s/, 'Done in no time')
    .replace(/\S*secure-score-practice-\w+/g, 'practice')
    .replace(/[^\S\n]+/g, ' ');
}

/** Each report reached all three, in its order, and lies there as programs and as people see it. */
async function expectMessages(folder: string): Promise<void> {
  const files = (await readdir(folder)).toSorted();
  const messages = files.filter((name) => name.endsWith('.json'));
  expect(messages.length).toBeGreaterThan(20);
  // Destinations are served side by side: which of them answers first is nobody's promise.
  const parts = messages.map((name) => /^(\d+)-(teams|slack|webhook)\.json$/.exec(name)?.slice(1) ?? [name]);
  expect(parts.map(([number]) => Number(number))).toEqual(messages.map((_, index) => index + 1));
  for (const receiver of ['teams', 'slack', 'webhook']) {
    expect(parts.filter(([, name]) => name === receiver)).toHaveLength(messages.length / 3);
  }
  const pages = messages.filter((name) => !name.includes('webhook'));
  expect(files.filter((name) => name.endsWith('.html'))).toEqual(
    pages.map((name) => name.replace('.json', '.html')),
  );
  const firstPage = (receiver: string) =>
    readFile(
      join(
        folder,
        files.find((name) => name.endsWith(`-${receiver}.html`))!,
      ),
      'utf8',
    );
  expect(await firstPage('teams')).toContain('"type":"AdaptiveCard"');
  expect(await firstPage('slack')).toContain('monitoring has started');
}

describe('a practice', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'secure-score-practice-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it('ends well and says the same at every hour of every day, whatever the zone of the machine', async () => {
    // Clocks change in Los Angeles on the 8th of March and the 1st of November; Kiritimati is 14 hours ahead of UTC.
    const moments = [
      ['2028-02-29T00:05:00Z', 'Pacific/Kiritimati'],
      ['2026-03-08T06:30:00Z', 'America/Los_Angeles'],
      ['2026-11-01T23:58:00Z', 'America/Los_Angeles'],
    ] as const;
    const outputs: string[] = [];
    for (const [now, zone] of moments) {
      const { code, printed } = await (outputs.length === 0 ? start : startHere)(
        join(root, now.replaceAll(':', '')),
        now,
        zone,
      );
      expect(printed).toContain('nothing is left running');
      expect(code).toBe(0);
      const channels = join(root, now.replaceAll(':', ''), 'channels');
      await expectMessages(channels);
      expect(printed).toContain(`(${(await readdir(channels)).length} files: each message as .json`);
      outputs.push(timeless(printed.replaceAll(now.replaceAll(':', ''), ''), now.slice(0, 10)));
    }
    for (const each of outputs) expect(each).toBe(outputs[0]);
    expect(outputs[0]).toContain('day 0: day 10 of 10');
    expect(outputs[0]).toContain(' » start → ops (slack), siem (webhook), soc (teams)\n');
    expect(outputs[0]).not.toMatch(/… waits|✗ given up/);
  }, 240_000);
});
