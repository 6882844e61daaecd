/**
 * vitest's setup for each test file: an empty folder is the current one, and the home. What a user left in the checkout
 * or in the home (config, archive, mails, ~/.aws) is then nobody's business. Most files share their process with others
 * (vitest.config.ts): what one changed of its environment and of its modules is undone at its end.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, vi } from 'vitest';

const before = process.cwd();
const environment = { ...process.env };
const [exitCode, umask] = [process.exitCode, process.umask()];

/** One for all files of the process: modules that stay loaded may remember the folder that was current at their import. */
const shared = globalThis as { placeOfTests?: string };
const place = (shared.placeOfTests ??= realpathSync(mkdtempSync(join(tmpdir(), 'secure-score-place-'))));
mkdirSync(place, { recursive: true });
process.env['HOME'] = place;
process.chdir(place);

afterAll(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
  process.exitCode = exitCode;
  process.umask(umask);
  process.chdir(before);
  rmSync(place, { recursive: true, force: true });
});
