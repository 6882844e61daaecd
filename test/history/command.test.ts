import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Archive } from '../../lambda/archive/archive.ts';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { EMPTY_STATE } from '../../lambda/archive/state.ts';
import { packagesLoadedBy, secureScore } from '../cli/support.ts';
import { CONTOSO, FABRIKAM, SAMPLE, writeHistory } from './sample.ts';

const root = await mkdtemp(join(tmpdir(), 'history-command-'));
const archive = join(root, 'archive');
const config = join(root, 'config.json');

beforeAll(async () => {
  await writeHistory(archive);
  await writeFile(
    config,
    JSON.stringify({
      tenants: [
        { name: 'Contoso', tenantId: CONTOSO, clientId: CONTOSO, recipients: ['a@contoso.com'] },
        { name: 'Fabrikam', tenantId: FABRIKAM, clientId: CONTOSO, recipients: ['a@contoso.com'] },
      ],
      operations: ['b@contoso.com'],
      mail: { from: 'c@contoso.com' },
    }),
  );
});
afterAll(() => rm(root, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

const history = (...args: string[]) => secureScore('history', ...args, '--archive', archive);

describe('secure-score history', () => {
  it('lists what can be asked, also as JSON', async () => {
    const { code, stdout } = await secureScore('history');
    expect(code).toBe(0);
    for (const name of ['trend', 'losses', 'recovery', 'fleet']) expect(stdout).toMatch(`  ${name} `);
    const list = (await secureScore('history', '--json')).json() as { name: string; parameters: object[] }[];
    expect(list).toHaveLength(19);
    expect(list.find(({ name }) => name === 'life')?.parameters).toContainEqual({
      name: 'control',
      default: 'required',
    });
  });

  it('trend --json is an array of rows, with ids, whatever the config is', async () => {
    const { code, json, stderr } = await history(
      'trend',
      '--json',
      '--config',
      config,
      '--tenant',
      'Contoso',
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(json()).toEqual(
      SAMPLE.scores
        .filter(({ tenant, counted }) => tenant === CONTOSO && counted)
        .map(({ tenant, date, points, maximum, percentage }) => ({
          tenant,
          tenant_name: 'Contoso',
          date,
          points,
          maximum,
          percentage,
        })),
    );
    expect(Object.keys((json() as object[])[0] ?? {})).toEqual([
      'tenant',
      'tenant_name',
      'date',
      'points',
      'maximum',
      'percentage',
    ]);
  });

  it('of a folder loads nothing that checks a config or a state, reads HTML, or writes columns', () => {
    const loaded = packagesLoadedBy(['history', 'trend', '--tenant', CONTOSO, '--archive', archive], root);
    expect(loaded).toContain('@duckdb/node-api');
    expect([...loaded].filter((name) => /zod|csv|mail|html|parquet|aws/.test(name))).toEqual([]);
  });

  it('trend draws a line per tenant, and the days of one tenant', async () => {
    expect((await history('trend', '--config', config)).stdout).toBe(
      [
        'Trend  2026-01-30 to 2026-02-06',
        '  Contoso   ▃▁▃▁ ▁▃▁  50.0 % → 40.0 %  −10.00',
        '  Fabrikam    ███▃▃▃  70.0 % → 50.0 %  −20.00',
        '',
      ].join('\n'),
    );
    expect((await history('trend', '--config', config, '--tenant', FABRIKAM)).stdout).toBe(
      [
        'Trend  Fabrikam  2026-02-01 to 2026-02-06',
        '  ███▁▁▁  70.0 % → 50.0 %  −20.00',
        '',
        '  date             %  points  maximum',
        '  2026-02-01  70.0 %      70      100',
        '  ⋮ 2 days alike',
        '  2026-02-04  50.0 %      50      100',
        '  ⋮ 1 day alike',
        '  2026-02-06  50.0 %      50      100',
        '',
      ].join('\n'),
    );
  });

  it('answers in a table with numbers on the right, and without a config shows the beginning of ids', async () => {
    const { stdout } = await history('losses');
    expect(stdout).toBe(
      [
        'Biggest losses  2026-01-07 to 2026-02-06',
        '  tenant     title                     category  lost, pp  gained, pp  change, pp',
        '  bbbbbbbb…  Require MFA               Identity    −20.00       ±0.00      −20.00',
        "  aaaaaaaa…  Safe Links, and 'quotes'  Apps        −10.00       ±0.00      −10.00",
        '',
      ].join('\n'),
    );
  });

  it('accepts a control by its title, and a tenant by its name in any case, also without a config', async () => {
    const byId = await history('life', '--control', 'mfa', '--tenant', CONTOSO);
    const byTitle = await history(
      'life',
      '--control',
      'require MFA',
      '--tenant',
      'CONTOSO',
      '--config',
      config,
    );
    expect(byTitle.stdout.split('\n').slice(1)).toEqual(byId.stdout.split('\n').slice(1));
    await new Archive(folderStore(archive), CONTOSO).swapState(
      { ...EMPTY_STATE, name: 'Of its last run' },
      null,
    );
    for (const wanted of ['of its last RUN', CONTOSO]) {
      const { stdout, code } = await history('trend', '--tenant', wanted);
      expect([code, stdout]).toEqual([0, expect.stringContaining('Trend  Of its last run')]);
    }
    // One that cannot be read takes the name, not the answer.
    for (const damaged of ['{"name":', 'null', '{"name":7}']) {
      await writeFile(join(archive, 'state', `tenant=${CONTOSO}.json`), damaged);
      const { stdout, code } = await history('trend', '--tenant', CONTOSO);
      expect([code, stdout]).toEqual([0, expect.stringContaining('Trend  aaaaaaaa…')]);
    }
    await rm(join(archive, 'state'), { recursive: true });
  });

  it('lists the ids of several controls that have one title, and accepts each', async () => {
    const { code, stdout, stderr } = await history('life', '--control', 'have a DLP policy');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      'Several recommendations have the title "have a DLP policy".\n→ Name one by its id: 2.dlp, dlp.\n',
    );
    for (const id of ['2.dlp', 'dlp']) expect((await history('life', '--control', id)).code).toBe(0);
    // Contoso has one of them.
    const ofContoso = await history('life', '--control', 'Have a DLP policy', '--tenant', CONTOSO);
    expect([ofContoso.code, ofContoso.stdout]).toEqual([0, expect.stringContaining('Have a DLP policy')]);
  });

  it('says above the table what is the same in all rows', async () => {
    const args = ['life', '--control', 'mfa', '--tenant', 'Contoso', '--config', config];
    const { stdout } = await history(...args);
    expect(stdout.split('\n')[0]).toBe(
      'The life of a recommendation  Contoso  Require MFA  2026-01-30 to 2026-02-06',
    );
  });

  it.each([
    'categories',
    'changes',
    'losses',
    'movers',
    'peers',
    'recovery',
    'decisions',
    'untouched',
    'fleet',
  ])('%s fits 80 columns', async (question) => {
    vi.spyOn(process, 'stdout', 'get').mockReturnValue(
      Object.create(process.stdout, { columns: { value: 80 } }) as typeof process.stdout,
    );
    for (const tenant of [[], ['--tenant', FABRIKAM]]) {
      const { stdout } = await history(question, ...tenant);
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    }
  });

  it('answers as CSV that no spreadsheet takes for formulas', async () => {
    const output = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect((await history('fleet', '--format', 'csv')).code).toBe(0);
    expect(output.mock.calls.join('')).toBe(
      [
        'rank,tenant,tenant_name,date,percentage,percentage_points,points,maximum,controls',
        `1,${FABRIKAM},,2026-02-06,50,-20,50,100,3`,
        `2,${CONTOSO},,2026-02-06,40,-10,50,125,4`,
        '',
      ].join('\r\n'),
    );
    output.mockClear();
    await history('sql', `SELECT '=1+1' AS a, 'x,"y"' AS b, -1 AS c, NULL AS d`, '--format', 'csv');
    expect(output.mock.calls.join('')).toBe(`a,b,c,d\r\n'=1+1,"x,""y""",-1,\r\n`);
  });

  it('accepts days, months and years', async () => {
    const dates = async (...args: string[]) =>
      ((await history('trend', '--json', '--tenant', CONTOSO, ...args)).json() as { date: string }[]).map(
        ({ date }) => date,
      );
    expect(await dates('--from', '2026-02', '--limit', '1')).toEqual(['2026-02-01']);
    expect(await dates('--to', '2026-01')).toEqual(['2026-01-30', '2026-01-31']);
    expect(await dates('--from', '2026', '--to', '2026', '--limit', '1')).toEqual(['2026-01-30']);
    expect(await dates('--from', '2026-02-06')).toEqual(['2026-02-06']);
  });

  it("sql answers a statement of one's own: as a table, or where that is too wide, a row a block", async () => {
    const { stdout } = await history(
      'sql',
      'SELECT tenant, max(points) AS best FROM scores GROUP BY 1 ORDER BY 1',
    );
    expect(stdout).toBe(
      ['  tenant                                best', `  ${CONTOSO}    50`, `  ${FABRIKAM}    70`, ''].join(
        '\n',
      ),
    );
    const wide = await history('sql', 'SELECT * FROM changes ORDER BY date LIMIT 1');
    expect(wide.stdout).toContain('row 1\n');
    expect(wide.stdout).toMatch(/^ {2}percentage_points {2}−10.00$/m);
    expect((await history('sql', 'SELECT 1 AS a WHERE false')).stdout).toBe('no rows\n');
    expect((await history('sql', 'SELECT 1 AS a WHERE false', '--json')).json()).toEqual([]);
  });

  it.each<[string[], number, string]>([
    [['nope'], 2, 'There is no question "nope". There are'],
    [['lossses'], 2, 'Did you mean losses?'],
    [['trend', '--control', 'x'], 2, 'trend takes no --control, but --tenant, --from, --to.'],
    [['life'], 2, 'life needs --control'],
    [
      ['life', '--control', 'nonsense'],
      1,
      'no recommendation with the id or title "nonsense".\n→ List those',
    ],
    [['life', '--control', 'require'], 1, '\n→ Similar ones: mfa'],
    [['trend', '--from', '2026-02-30'], 2, '--from must be a day like 2026-01-31, not "2026-02-30"'],
    [['trend', '--from', '2026-03', '--to', '2026-02'], 2, 'ends before it begins'],
    [['trend', '--limit', '0'], 2, '--limit must be a number of rows, not "0"'],
    [['trend', '--format', 'xml'], 2, '--format is table or json or csv, not "xml"'],
    [['trend', '--format', 'csv', '--json'], 2, 'mutually exclusive'],
    [['trend', '--deployed'], 2, 'mutually exclusive'],
    [['sql'], 2, 'argument is missing'],
    [['sql', 'SELECT 1', '--from', '2026'], 2, 'Unknown argument: from'],
    [['trend', '--tenant', 'Contoso'], 1, 'of the name "Contoso".\n→ Give the id'],
    [
      ['trend', '--tenant', 'Nobody', '--config', config],
      1,
      'of the name "Nobody".\n→ They have: Contoso, Fabrikam',
    ],
    [['trend', '--config', 'absent.ts'], 1, 'There is no config at "absent.ts"'],
    [['sql', 'DROP VIEW scores'], 1, 'read only'],
    [['sql', 'SELECT nope FROM scores'], 1, '"nope"'],
  ])('%j ends with %i', async (args, code, message) => {
    const result = await history(...args);
    expect(result.stderr).toContain(message);
    expect(result.code).toBe(code);
  });

  it('silent fills in the last runs, and lists tenants that have no snapshot first', async () => {
    const folder = join(root, 'silent');
    const never = 'cccccccc-0000-4000-8000-000000000003';
    await writeHistory(folder);
    const store = folderStore(folder);
    const lastRun = {
      at: '2026-02-09T07:00:00.000Z',
      newest: '2026-02-06',
      certificateUntil: null,
      renews: false,
    };
    await new Archive(store, CONTOSO).swapState({ ...EMPTY_STATE, name: 'Contoso', lastRun }, null);
    await new Archive(store, never).swapState({ ...EMPTY_STATE, name: 'Never' }, null);
    await store.create(`state/tenant=${FABRIKAM}.json`, Buffer.from('damaged'));
    const asked = async (...args: string[]) =>
      secureScore('history', 'silent', '--to', '2026-02-10', '--archive', folder, ...args);
    expect((await asked('--json')).json()).toEqual([
      { tenant: never, tenant_name: 'Never', date: null, days: null, last_run: null },
      { tenant: CONTOSO, tenant_name: 'Contoso', date: '2026-02-06', days: 4, last_run: lastRun.at },
      { tenant: FABRIKAM, tenant_name: null, date: '2026-02-06', days: 4, last_run: null },
    ]);
    expect((await asked('--json', '--limit', '1')).json()).toHaveLength(1);
    expect((await asked('--json', '--tenant', 'Contoso')).json()).toHaveLength(1);
    const { stdout } = await asked();
    expect(stdout).toMatch(/Contoso +2026-02-06 +4 +2026-02-09/);

    // A tenant that was removed from the config is not silent, unless it is asked for.
    const rest = join(root, 'silent.json');
    const tenants = [
      { name: 'Contoso', tenantId: CONTOSO, clientId: CONTOSO, recipients: ['a@contoso.com'] },
    ];
    const mail = { from: 'a@contoso.com' };
    await writeFile(rest, JSON.stringify({ tenants, operations: ['a@contoso.com'], mail }));
    expect((await asked('--json', '--config', rest)).json()).toMatchObject([{ tenant: CONTOSO }]);
    const removed = await asked('--json', '--config', rest, '--tenant', FABRIKAM);
    expect(removed.json()).toMatchObject([{ tenant: FABRIKAM, days: 4 }]);
    expect(removed.stderr).toBe('');
    expect((await asked('--config', rest)).stderr).toContain(`left out: ${FABRIKAM}.`);
  });

  describe('a tenant that was removed from the config', () => {
    const folder = join(root, 'removed');
    const rest = join(root, 'removed.json');
    const configOf = (tenantId: string) => {
      const tenants = [{ name: 'Watched', tenantId, clientId: CONTOSO, recipients: ['a@contoso.com'] }];
      return JSON.stringify({ tenants, operations: ['a@contoso.com'], mail: { from: 'a@contoso.com' } });
    };
    const about = (...args: string[]) =>
      secureScore('history', ...args, '--archive', folder, '--config', rest, '--json');
    const tenantsOf = (result: { json(): unknown }) =>
      new Set((result.json() as { tenant: string }[]).map(({ tenant }) => tenant));
    const watchedIn = (result: { json(): unknown }) =>
      new Set((result.json() as { watched: number }[]).map(({ watched }) => watched));
    const leftOut = `Not in the config, and left out: ${FABRIKAM}. To ask about one: `;
    const counted = `Not in the config, but counted: ${FABRIKAM}.`;

    beforeAll(async () => {
      await writeHistory(folder);
      await writeFile(rest, configOf(CONTOSO));
    });

    it('counts in no question about today', async () => {
      for (const [name, ...more] of [
        ['fleet'],
        ['trend'],
        ['changes', '--from', '2026-01'],
        ['silent'],
        ['fleet', '--to', '2099-01-01', '--from', '2026-01'],
      ] as const) {
        const result = await about(name, ...more);
        expect([name, tenantsOf(result)]).toEqual([name, new Set([CONTOSO])]);
        expect(result.stderr).toContain(leftOut);
      }
      expect(watchedIn(await about('spread'))).toEqual(new Set([1]));
    });

    it('counts in a period that is over', async () => {
      const result = await about('fleet', '--to', '2026-02-06');
      expect(tenantsOf(result)).toEqual(new Set([CONTOSO, FABRIKAM]));
      expect(result.stderr).toContain(counted);
      expect(watchedIn(await about('spread', '--to', '2026-02'))).toEqual(new Set([2]));
      // It has nothing to do with a period without its days.
      expect((await about('fleet', '--from', '2026-03', '--to', '2026-03')).stderr).toBe('');
    });

    it('counts when it is asked for', async () => {
      const result = await about('fleet', '--tenant', FABRIKAM);
      expect([result.json(), result.stderr]).toMatchObject([[{ tenant: FABRIKAM }], '']);
      expect((await about('trend', '--tenant', FABRIKAM)).stderr).toBe('');
    });

    it('counts where the config has none of the tenants: it is of another archive', async () => {
      await writeFile(rest, configOf('cccccccc-0000-4000-8000-000000000003'));
      const result = await about('fleet');
      expect(tenantsOf(result)).toEqual(new Set([CONTOSO, FABRIKAM]));
      expect(result.stderr).toContain('Not in the config, but counted: ');
    });
  });

  it('silent counts to today, whatever the newest day is', async () => {
    const rows = (await history('silent', '--json')).json() as { days: number }[];
    const since = Math.floor((Date.now() - Date.parse('2026-02-06')) / 86_400_000);
    expect(rows.map(({ days }) => Math.abs(days - since) <= 1)).toEqual([true, true]);
  });

  it('says that nothing was found, and which days have data', async () => {
    const { code, stdout } = await history('losses', '--from', '2026-03-01', '--to', '2026-03-31');
    expect(code).toBe(0);
    expect(stdout).toBe(
      'Biggest losses: nothing from 2026-03-01 to 2026-03-31.\nThe newest day of the history is 2026-02-06.\n',
    );
    expect((await history('losses', '--from', '2026-03-01', '--to', '2026-03-31', '--json')).json()).toEqual(
      [],
    );
  });

  it('says what to do if there is no archive, no history or nothing archived', async () => {
    const asked = (folder: string) => secureScore('history', 'trend', '--archive', folder);
    const absent = await asked(join(root, 'absent'));
    expect([absent.code, absent.stderr]).toEqual([
      1,
      expect.stringMatching(/no archive at .*\n→ .*--deployed/),
    ]);
    await mkdir(join(root, 'old/snapshots'), { recursive: true });
    expect((await asked(join(root, 'old'))).stderr).toContain('secure-score archive rebuild --archive');
    await mkdir(join(root, 'new'));
    expect((await asked(join(root, 'new'))).stderr).toContain('secure-score run');
  });

  it('reports a damaged file on stderr and answers without it', async () => {
    const damaged = join(root, 'damaged');
    await writeHistory(damaged);
    const file = join(damaged, `history/scores/month=2026-02/${FABRIKAM}.parquet`);
    await truncate(file, 300);
    const { code, json, stderr } = await secureScore('history', 'trend', '--json', '--archive', damaged);
    expect(code).toBe(0);
    expect(new Set((json() as { tenant: string }[]).map(({ tenant }) => tenant))).toEqual(new Set([CONTOSO]));
    expect(stderr).toMatch(/left out .*bbbbbbbb-.*\.parquet: /);
    expect(stderr).toContain(
      `Rebuild the history from the snapshots: ./secure-score archive rebuild --archive ${damaged}`,
    );
    // A question that does not need the file lacks nothing.
    const flags = ['--strict', '--json', '--to', '2026-02-06', '--archive', damaged];
    const other = await secureScore('history', 'trend', ...flags, '--tenant', CONTOSO);
    expect([other.code, other.stderr]).toEqual([0, '']);
    expect((await secureScore('history', 'trend', ...flags)).code).toBe(1);
  });

  it('reports files that are missing, as the other tables or the snapshots show, and fails with --strict', async () => {
    const lacking = join(root, 'lacking');
    await writeHistory(lacking);
    await rm(join(lacking, `history/changes/month=2026-02/${CONTOSO}.parquet`));
    const ask = (...flags: string[]) =>
      secureScore('history', 'losses', '--json', '--tenant', CONTOSO, '--archive', lacking, ...flags);
    const { code, json, stderr } = await ask();
    expect([code, Array.isArray(json())]).toEqual([0, true]);
    expect(stderr).toContain(`! history/changes/month=2026-02/${CONTOSO}.parquet is missing`);
    expect(stderr).toContain('secure-score archive rebuild');
    expect((await ask('--strict')).code).toBe(1);
    expect((await ask('--strict', '--to', '2026-01-31')).code).toBe(0);
    // All tables of one month are missing.
    await mkdir(join(lacking, `snapshots/tenant=${FABRIKAM}/date=2025-12-24`), { recursive: true });
    const sql = await secureScore('history', 'sql', 'SELECT 1', '--strict', '--archive', lacking);
    expect([sql.code, sql.stderr]).toEqual([1, expect.stringContaining(`month=2025-12/${FABRIKAM}`)]);
  });

  it('says where the history begins, if days before that are asked for', async () => {
    const ask = (from: string, tenant = CONTOSO) =>
      secureScore('history', 'trend', '--from', from, '--tenant', tenant, '--json', '--archive', archive);
    const early = await ask('2025');
    expect([early.code, early.stderr]).toEqual([
      0,
      '! the history begins on 2026-01-30: it has no days from 2025-01-01 until then\n',
    ]);
    expect((await ask('2026-01-30')).stderr).toBe('');
  });

  it('refuses --strict for Athena, which shows no files', async () => {
    const { code, stderr } = await secureScore('history', 'trend', '--engine', 'athena', '--strict');
    expect([code, stderr]).toEqual([2, expect.stringContaining('--strict')]);
  });
});
