import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openerOf } from '../../cli/history/browser.ts';
import { checkOut, writePage } from '../../cli/history/page-files.ts';
import { decodeFleet, type WireFleet } from '../../history/page/fleet-wire.ts';
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
      tenants: [
        tenant('Zeta', CONTOSO),
        { ...tenant('Alpha', FABRIKAM), tags: ['gold'], alerts: { mute: ['*dlp'] } },
        tenant('Newcomer', 'cccccccc-0000-4000-8000-00000000000c'),
      ],
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
  it('writes a page of all tenants, by name, readable by its owner alone, and says where', async () => {
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

  it('overwrites a page of its own, here of one tenant', async () => {
    expect((await open('--out', out, '--tenant', 'Alpha', '--no-browser')).code).toBe(0);
    expect(await directory()).toEqual([{ id: FABRIKAM, name: 'Alpha' }]);
  });

  it('of one tenant holds nothing of another: no id, no name, no data', async () => {
    await open('--out', out, '--tenant', 'Alpha', '--no-browser');
    const page = await readFile(out, 'utf8');
    const parts = [...page.matchAll(/<script type="text\/plain" id="([^"]+)">([^<]*)</g)];
    expect(parts.map(([, name]) => name)).toEqual(['catalogue', 'tenant-0']);
    const data = parts.map(([, , packed]) => gunzipSync(Buffer.from(packed!, 'base64')).toString());
    for (const text of [page, ...data]) {
      // Zeta's id and name, who decided there, a recommendation that only Zeta has, and where all of them lie.
      for (const foreign of [CONTOSO, 'Zeta', 'ada@', 'Block legacy', 'Safe Links', archive]) {
        expect(text).not.toContain(foreign);
      }
    }
    expect(data[1]).toContain(FABRIKAM);
  });

  it('of several tenants begins with all of them, by the names and tags of the config', async () => {
    await open('--out', out, '--no-browser');
    const page = await readFile(out, 'utf8');
    const part = (name: string): unknown => {
      const packed = new RegExp(`id="${name}">([^<]*)<`).exec(page)![1]!;
      return JSON.parse(gunzipSync(Buffer.from(packed, 'base64')).toString());
    };
    const fleet = decodeFleet(part('fleet') as WireFleet, part('catalogue') as string[]);
    expect(fleet.archive).toBe(archive);
    expect(fleet.tenants.map(({ name, tags, history }) => [name, tags, history])).toEqual([
      ['Alpha', ['gold'], 0],
      ['Newcomer', [], null],
      ['Zeta', [], 1],
    ]);
    const { controls } = fleet;
    expect([...fleet.tenants[0]!.muted].map((place) => controls[place]!.name)).toEqual(['2.dlp', 'dlp']);
    expect(fleet.tenants[2]!.muted.size).toBe(0);
  });

  it('leaves out a tenant that the config no longer lists, and says so', async () => {
    const fewer = join(folder, 'fewer.json');
    const all = JSON.parse(await readFile(config, 'utf8')) as { tenants: { name: string }[] };
    await writeFile(
      fewer,
      JSON.stringify({ ...all, tenants: all.tenants.filter(({ name }) => name !== 'Zeta') }),
    );
    const { stdout, code } = await secureScore(
      'history',
      'open',
      '--archive',
      archive,
      '--config',
      fewer,
      '--out',
      out,
      '--no-browser',
    );
    expect(code).toBe(0);
    expect(stdout).toContain(`Not in the config, and left out: ${CONTOSO}`);
    expect((await directory()).map(({ name }) => name)).toEqual(['Alpha']);
    expect(await readFile(out, 'utf8')).not.toContain(CONTOSO);
  });

  it('overwrites nothing else, and says so before it reads the archive', async () => {
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

  it('says what to do if it cannot write, or has nothing to show', async () => {
    const nowhere = await open('--out', join(folder, 'none', 'page.html'));
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toContain('cannot be written (ENOENT)');
    const other = await open('--out', out, '--tenant', 'cccccccc-0000-4000-8000-000000000003');
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('has no days of "cccccccc-0000-4000-8000-000000000003"');
  });
});

describe('a page that is too large for a file', () => {
  const script = 'true';
  const listed = [{ id: CONTOSO, name: 'Zeta', inShort: '', newest: '2026-02-06' }];
  const parts = [
    { name: 'catalogue', packed: 'QUFB' },
    { name: 'tenant-0', packed: 'QkJC'.repeat(2_600_000) },
  ];
  const target = join(folder, 'large.html');
  const inFolder = join(folder, 'large');

  it('is a folder of that name, readable by its owner alone, with the data in files', async () => {
    const written = await writePage(target, { tenants: listed, parts, script }, ['catalogue']);
    expect(written).toMatchObject({ out: inFolder, page: join(inFolder, 'index.html') });
    expect(written.bytes.page).toBeLessThan(60_000);
    expect(written.bytes.total).toBeGreaterThan(10_000_000);
    expect((await readdir(inFolder)).toSorted()).toEqual(['data', 'index.html']);
    const [file, ...more] = await readdir(join(inFolder, 'data'));
    expect(more).toEqual([]);
    const modes = await Promise.all(
      ['.', 'data', 'index.html', `data/${file}`].map(
        async (name) => (await stat(join(inFolder, name))).mode & 0o777,
      ),
    );
    expect(modes).toEqual([0o700, 0o700, 0o600, 0o600]);
    expect(await readFile(join(inFolder, 'index.html'), 'utf8')).toContain(`"tenant-0":"${file}"`);
  });

  it('replaces a former page completely, and nothing else', async () => {
    await checkOut(target);
    const other = [parts[0]!, { name: 'tenant-0', packed: 'Q0ND'.repeat(2_600_000) }];
    const former = await readdir(join(inFolder, 'data'));
    await writePage(target, { tenants: listed, parts: other, script }, ['catalogue']);
    expect(await readdir(join(inFolder, 'data'))).not.toEqual(former);
    expect(await readdir(join(inFolder, 'data'))).toHaveLength(1);
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
    await writeFile(join(inFolder, 'mine.txt'), 'mine');
    await expect(checkOut(target)).rejects.toThrow('holds something else than a history page');
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
