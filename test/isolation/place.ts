/**
 * vitest's setup for each test file: a fresh folder is the current one, and the home. What a user left in the checkout
 * or in the home (config, archive, mails, ~/.aws) is then nobody's business.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const before = process.cwd();
const place = realpathSync(mkdtempSync(join(tmpdir(), 'secure-score-place-')));
process.env['HOME'] = place;
process.chdir(place);

afterAll(() => {
  process.chdir(before);
  rmSync(place, { recursive: true, force: true });
});
