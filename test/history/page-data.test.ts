import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DuckDbHistory } from '../../history/duckdb.ts';
import { encode, type TenantRows } from '../../history/page/data.ts';
import { stepAt } from '../../history/page/model.ts';
import { readTenant, readTenants } from '../../history/page/rows.ts';
import { decode } from '../../history/page/wire.ts';
import { addDays } from '../../lambda/dates.ts';
import { sampleRows, tenantRows } from './page-rows.ts';
import { CONTOSO, FABRIKAM, writeHistory } from './sample.ts';

const folder = await mkdtemp(join(tmpdir(), 'history-page-'));
afterAll(() => rm(folder, { recursive: true }));

const page = (id: string, rows = sampleRows(id)) => decode(encode({ id, name: 'Contoso' }, rows)!);

describe('the data of the page', () => {
  it('has the counted days, and names the others', () => {
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

  it('has a step where a control stands otherwise, and none where it stands the same', () => {
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

  it('has every change with all that is known of it', () => {
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

  it('is the same in whatever order rows come', () => {
    const rows = sampleRows(CONTOSO);
    const turned: TenantRows = {
      scores: rows.scores.toReversed(),
      stretches: rows.stretches.toReversed(),
      catalogue: rows.catalogue.toReversed(),
      changes: rows.changes.toReversed(),
    };
    expect(page(CONTOSO, turned)).toEqual(page(CONTOSO, rows));
  });

  it('is nothing where no day counts', () => {
    const rows = sampleRows(CONTOSO);
    const scores = rows.scores.map((row) => ({ ...row, counted: false }));
    expect(encode({ id: CONTOSO, name: 'Contoso' }, { ...rows, scores })).toBeNull();
    expect(
      encode({ id: CONTOSO, name: '' }, { scores: [], stretches: [], catalogue: [], changes: [] }),
    ).toBeNull();
  });

  it('gives back every control of every day, whatever came and went', () => {
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
  it('is what the rows say', async () => {
    await writeHistory(folder);
    const engine = await DuckDbHistory.open({ folder, onSkipped: () => expect.unreachable() });
    expect(await readTenants(engine)).toEqual([CONTOSO, FABRIKAM]);
    for (const id of [CONTOSO, FABRIKAM]) {
      const tenant = { id, name: 'Any' };
      expect(encode(tenant, await readTenant(engine, id))).toEqual(encode(tenant, sampleRows(id)));
    }
  });

  it('joins the days of a control before they leave the engine', async () => {
    await writeHistory(folder);
    const engine = await DuckDbHistory.open({ folder, onSkipped: () => expect.unreachable() });
    const { stretches } = await readTenant(engine, CONTOSO);
    expect(stretches.filter(({ control }) => control === 'dlp')).toEqual([
      {
        control: 'dlp',
        first_date: '2026-01-30',
        last_date: '2026-02-06',
        points: 10,
        maximum: 30,
        state: null,
        state_by: null,
        state_at: null,
      },
    ]);
  });
});
