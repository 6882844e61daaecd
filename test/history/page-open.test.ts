import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openerOf } from '../../cli/history/browser.ts';
import { secureScore } from '../cli/support.ts';
import { CONTOSO, FABRIKAM, writeHistory } from './sample.ts';

const folder = await mkdtemp(join(tmpdir(), 'history-open-'));
const archive = join(folder, 'archive');
const config = join(folder, 'config.json');
const out = join(folder, 'page.html');

beforeAll(async () => {
  await writeHistory(archive);
  const tenant = (name: string, tenantId: string) => {
    return { name, tenantId, clientId: CONTOSO, recipients: ['a@contoso.com'] };
  };
  await writeFile(
    config,
    JSON.stringify({
      tenants: [tenant('Zeta', CONTOSO), tenant('Alpha', FABRIKAM)],
      operations: ['b@contoso.com'],
      mail: { from: 'c@contoso.com' },
    }),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const open = (...args: string[]) =>
  secureScore('history', 'open', '--archive', archive, '--config', config, ...args);
const directory = async () => {
  const page = await readFile(out, 'utf8');
  return JSON.parse(/id="tenants">(.*?)<\/script>/.exec(page)![1]!) as { id: string; name: string }[];
};

describe('secure-score history open', () => {
  it('writes a page of all tenants, by name, for its owner alone, and says where', async () => {
    const { code, stdout, stderr } = await open('--out', out);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('✓ Zeta  7 days, 6 changes to 6 Feb 2026');
    expect(stdout).toContain(out);
    expect(await directory()).toEqual([
      { id: FABRIKAM, name: 'Alpha' },
      { id: CONTOSO, name: 'Zeta' },
    ]);
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('writes over a page of its own, here of one tenant', async () => {
    expect((await open('--out', out, '--tenant', 'Alpha', '--no-browser')).code).toBe(0);
    expect(await directory()).toEqual([{ id: FABRIKAM, name: 'Alpha' }]);
  });

  it('writes over nothing else, and says so before it reads the archive', async () => {
    const mine = join(folder, 'mine.html');
    await writeFile(mine, '<!doctype html><p>mine');
    const { code, stderr } = await open('--out', mine, '--archive', join(folder, 'none'));
    expect(code).toBe(2);
    expect(stderr).toContain('--archive must be given once, with one value.');
    const refused = await secureScore('history', 'open', '--archive', join(folder, 'none'), '--out', mine);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('is no history page');
    expect(await readFile(mine, 'utf8')).toBe('<!doctype html><p>mine');
  });

  it('says what to do where it cannot write, or has nothing to show', async () => {
    const nowhere = await open('--out', join(folder, 'none', 'page.html'));
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toContain('cannot be written (ENOENT)');
    const other = await open('--out', out, '--tenant', 'cccccccc-0000-4000-8000-000000000003');
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('has no days of "cccccccc-0000-4000-8000-000000000003"');
  });
});

describe('a page is opened', () => {
  it('without a shell, as a file, whatever its name is', () => {
    const file = '/tmp/a b&calc^$(id);"x".html';
    const url = 'file:///tmp/a%20b&calc%5E$(id);%22x%22.html';
    expect(openerOf('linux', file)).toEqual({ program: 'xdg-open', args: [url] });
    expect(openerOf('darwin', file)).toEqual({ program: 'open', args: [url] });
    expect(openerOf('win32', file)).toEqual({
      program: 'rundll32',
      args: ['url.dll,FileProtocolHandler', url],
    });
    // A name that begins with a dash is no flag.
    expect(openerOf('linux', '-x.html').args[0]).toMatch(/^file:\/\/\/.*\/-x\.html$/);
  });
});
