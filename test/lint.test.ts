import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** The lint rule of our own, run as `npm run lint` runs it, on a small tree of its own. */

const ROOT = resolve(import.meta.dirname, '..');
const OXLINT = join(ROOT, 'node_modules/oxlint/bin/oxlint');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secure-score-'));
  for (const name of ['.oxlint', '.oxlintrc.json']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

/** How often the rule spoke, by file. */
function complaints(): Record<string, number> {
  const { stdout } = spawnSync(process.execPath, [OXLINT, '--format=json', '.'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] };
  const counts: Record<string, number> = {};
  for (const { code, filename } of diagnostics) {
    if (code !== 'clock(one-clock)') continue;
    counts[filename] = (counts[filename] ?? 0) + 1;
  }
  return counts;
}

describe('one clock', () => {
  const READING = 'export const all = [new Date(), Date(), Date.now(), Date.now];\n';

  it('is read only in the listed places', () => {
    for (const room of ['lambda/run', 'cli', 'history', 'simulator']) write(`${room}/reads.ts`, READING);
    write('lambda/clock.ts', READING);
    write('test/reads.ts', READING);
    expect(complaints()).toEqual({
      'lambda/run/reads.ts': 4,
      'cli/reads.ts': 4,
      'history/reads.ts': 4,
      'simulator/reads.ts': 4,
    });
  });

  it('is taken where ports are built, not in the middle of a run', () => {
    const taking = (path: string) => `import { machineClock } from '${path}';\nexport { machineClock };\n`;
    write('lambda/run/takes.ts', taking('../clock.ts'));
    write('lambda/handler.ts', taking('./clock.ts'));
    write('cli/run.ts', taking('../lambda/clock.ts'));
    expect(complaints()).toEqual({ 'lambda/run/takes.ts': 1 });
  });

  it('leaves conversions and durations alone', () => {
    write(
      'lambda/dates.ts',
      'export const all = [new Date(0), new Date("2026-11-27"), Date.parse("2026-11-27"), Date.UTC(2026), performance.now()];\n',
    );
    expect(complaints()).toEqual({});
  });

  it('lists only places that need it', async () => {
    const { PLACES } = (await import(join(ROOT, '.oxlint/one-clock.js'))) as { PLACES: Map<string, string> };
    expect(PLACES.size).toBeGreaterThan(0);
    for (const place of PLACES.keys()) {
      // Beside its place the same text is not excepted.
      write(place.replace(/\.ts$/, '-copy.ts'), '');
      cpSync(join(ROOT, place), join(folder, place.replace(/\.ts$/, '-copy.ts')));
    }
    expect(Object.keys(complaints()).toSorted()).toEqual(
      [...PLACES.keys()].map((place) => place.replace(/\.ts$/, '-copy.ts')).toSorted(),
    );
    for (const reason of PLACES.values()) expect(reason).toMatch(/^[A-Z].*\.$/);
  });
});
