import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DuckDbHistory } from '../../history/duckdb.ts';
import { Catalogue, encode } from '../../history/page/data.ts';
import { stepAt } from '../../history/page/model.ts';
import { readCatalogue, readHistories, readTenants } from '../../history/page/rows.ts';
import { dateOfNumber } from '../../history/page/wire.ts';
import { addDays } from '../../lambda/dates.ts';
import { historyOf, sampleRows, tenantRows, type PageRows } from './page-rows.ts';
import { CONTOSO, FABRIKAM, SAMPLE, writeHistory, type Rows } from './sample.ts';

const folder = await mkdtemp(join(tmpdir(), 'history-page-'));
afterAll(() => rm(folder, { recursive: true }));

const page = (id: string, rows = sampleRows(id)) => historyOf({ id, name: 'Contoso' }, rows);

describe('the data of the page', () => {
  it('has the counted days, and lists the others', () => {
    const { days, leftOut } = page(CONTOSO);
    expect(days.map(({ date, percentage }) => [date, percentage])).toEqual([
      ['2026-01-30', 50],
      ['2026-01-31', 40],
      ['2026-02-01', 50],
      ['2026-02-02', 40],
      ['2026-02-04', 40],
      ['2026-02-05', 50],
      ['2026-02-06', 40],
    ]);
    expect(days[0]).toMatchObject({ points: 50, maximum: 100, peersAll: 45, peersSimilar: null });
    expect(leftOut).toEqual(['2026-02-03']);
  });

  it('has a step where a control differs, and none where it is the same', () => {
    const { controls } = page(CONTOSO);
    const stepsOf = (name: string) => controls.find((control) => control.name === name)?.steps;
    expect(controls.map(({ name, title }) => [name, title])).toEqual([
      ['dlp', 'Have a DLP policy'],
      ['legacy', 'Block legacy sign-in'],
      ['mfa', 'Require MFA'],
      ['safe', "Safe Links, and 'quotes'"],
    ]);
    expect(stepsOf('mfa')?.map(({ from, points }) => [from, points])).toEqual([
      [0, 40],
      [1, 30],
      [2, 40],
      [3, 30],
      [5, 40],
    ]);
    expect(stepsOf('dlp')).toEqual([{ from: 0, points: 10, maximum: 30, decision: null }]);
    expect(stepsOf('legacy')).toEqual([
      { from: 0, points: 0, maximum: 20, decision: null },
      {
        from: 4,
        points: 0,
        maximum: 20,
        decision: { state: 'Ignored', by: 'ada@contoso.com', at: '2026-02-03T12:00:00Z' },
      },
    ]);
    expect(stepsOf('safe')).toEqual([{ from: 6, points: 0, maximum: 25, decision: null }]);
  });

  it('says when a control is gone, and keeps an unknown maximum apart from none', () => {
    const { controls } = page(FABRIKAM);
    const stepsOf = (name: string) => controls.find((control) => control.name === name)?.steps;
    expect(stepsOf('dlp')).toEqual([
      { from: 0, points: 20, maximum: 50, decision: null },
      { from: 4, points: null, maximum: null, decision: null },
    ]);
    expect(stepsOf('odd')).toEqual([{ from: 0, points: 0, maximum: null, decision: null }]);
  });

  it('has every change with all that is known about it', () => {
    const { changes } = page(CONTOSO);
    expect(changes).toHaveLength(6);
    expect(changes[3]).toEqual({
      date: '2026-02-04',
      previousDate: '2026-02-02',
      kind: 'decided',
      control: 'legacy',
      previousControl: null,
      title: 'Block legacy sign-in',
      category: 'Identity',
      cause: null,
      decision: 'Ignored',
      by: 'ada@contoso.com',
      points: { before: 0, after: 0 },
      maximum: { before: 20, after: 20 },
      share: 0,
    });
    expect(changes[5]).toMatchObject({ kind: 'new', points: { before: null, after: 0 }, share: -10 });
  });

  it('is the same whatever the order of the rows', () => {
    const rows = sampleRows(CONTOSO);
    const turned: PageRows = {
      scores: rows.scores.toReversed(),
      standings: rows.standings.toReversed(),
      catalogue: rows.catalogue.toReversed(),
      changes: rows.changes.toReversed(),
    };
    expect(page(CONTOSO, turned)).toEqual(page(CONTOSO, rows));
  });

  it('is empty if no day counts', () => {
    const rows = sampleRows(CONTOSO);
    const scores = rows.scores.map((row) => ({ ...row, counted: false }));
    const catalogue = new Catalogue(rows.catalogue);
    expect(encode({ id: CONTOSO, name: 'Contoso' }, { ...rows, scores }, catalogue)).toBeNull();
    const nothing = { scores: [], standings: [], changes: [] };
    expect(encode({ id: CONTOSO, name: '' }, nothing, catalogue)).toBeNull();
  });

  it('returns every control of every day, whatever came and went', () => {
    const cell = fc.option(
      fc.record({
        points: fc.integer({ min: 0, max: 3 }),
        maximum: fc.option(fc.integer({ min: 3, max: 4 })),
        state: fc.option(fc.constantFrom('Ignored', 'ThirdParty')),
      }),
    );
    const matrix = fc.integer({ min: 1, max: 12 }).chain((days) =>
      fc.record({
        gaps: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: days, maxLength: days }),
        controls: fc.array(fc.array(cell, { minLength: days, maxLength: days }), { maxLength: 4 }),
      }),
    );
    fc.assert(
      fc.property(matrix, ({ gaps, controls }) => {
        let date = '2026-01-01';
        const dates = gaps.map((gap) => (date = addDays(date, gap)));
        const rows = tenantRows({
          scores: dates.map((on) => {
            return { date: on, points: 1, maximum: 2, peers_all: null, peers_similar: 5, counted: true };
          }),
          controls: controls.flatMap((cells, index) =>
            cells.flatMap((each, day) =>
              each === null
                ? []
                : {
                    date: dates[day]!,
                    control: `c${index}`,
                    title: null,
                    category: 'Data',
                    service: null,
                    ...each,
                    state_by: null,
                    state_at: null,
                  },
            ),
          ),
          changes: [],
        });
        const history = page(CONTOSO, rows);
        expect(history.days.map((day) => day.date)).toEqual(dates);
        for (const [index, cells] of controls.entries()) {
          const control = history.controls.find(({ name }) => name === `c${index}`);
          for (const [day, each] of cells.entries()) {
            const step = control ? stepAt(control, day) : null;
            expect([step?.points ?? null, step?.maximum ?? null, step?.decision?.state ?? null]).toEqual([
              each?.points ?? null,
              each?.maximum ?? null,
              each?.state ?? null,
            ]);
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('read from the archive by DuckDB', () => {
  const opened = async (tables: Rows = SAMPLE) => {
    await rm(folder, { recursive: true, force: true });
    await writeHistory(folder, tables);
    return DuckDbHistory.open({ folder, onSkipped: () => expect.unreachable() });
  };

  it('is what the rows say', async () => {
    const engine = await opened();
    const known = await readTenants(engine);
    expect([...known].map(([id, day]) => [id, dateOfNumber(day)])).toEqual([
      [CONTOSO, '2026-02-06'],
      [FABRIKAM, '2026-02-06'],
    ]);
    const ids = [...known.keys()];
    const catalogue = new Catalogue(await readCatalogue(engine, ids));
    let tenants = 0;
    for await (const { id, rows } of readHistories(engine, ids)) {
      const tenant = { id, name: 'Any' };
      const { scores, standings, changes } = sampleRows(id);
      expect(encode(tenant, rows, catalogue)).toEqual(
        encode(tenant, { scores, standings, changes }, catalogue),
      );
      tenants += 1;
    }
    expect(tenants).toBe(2);
  });

  it('of one tenant contains nothing of another', async () => {
    const engine = await opened();
    expect((await readCatalogue(engine, [FABRIKAM])).map(({ control }) => control)).toEqual([
      '2.dlp',
      'dlp',
      'mfa',
      'odd',
    ]);
    for await (const { id, rows } of readHistories(engine, [FABRIKAM])) {
      expect(id).toBe(FABRIKAM);
      expect(JSON.stringify(rows)).not.toContain(CONTOSO);
    }
  });

  it('has the days of a control joined, and listed only if it differed in between', async () => {
    const engine = await opened();
    for await (const { rows } of readHistories(engine, [FABRIKAM])) {
      expect(rows.standings.map(({ control, days }) => [control, days])).toEqual([
        ['2.dlp', null],
        ['dlp', null],
        ['mfa', null],
        ['mfa', null],
        ['odd', null],
      ]);
    }
    for await (const { rows } of readHistories(engine, [CONTOSO])) {
      const of = (name: string) =>
        rows.standings
          .filter(({ control }) => control === name)
          .map(({ points, first_day: first, last_day: last, days }) => [
            points,
            dateOfNumber(first),
            dateOfNumber(last),
            days?.toSorted().map(dateOfNumber) ?? null,
          ]);
      expect(of('safe')).toEqual([[0, '2026-02-06', '2026-02-06', null]]);
      expect(of('mfa')).toEqual([
        [40, '2026-01-30', '2026-02-06', ['2026-01-30', '2026-02-01', '2026-02-05', '2026-02-06']],
        [30, '2026-01-31', '2026-02-04', ['2026-01-31', '2026-02-02', '2026-02-04']],
      ]);
    }
  });
});
