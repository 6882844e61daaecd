import { describe, expect, it } from 'vitest';
import { Catalogue, encode } from '../../history/page/data.ts';
import { FleetBuilder, type Member } from '../../history/page/fleet-data.ts';
import {
  bandOf,
  FLEET_PERIODS,
  fleetDays,
  fleetRows,
  fleetSummary,
  holdersOf,
  isSilent,
  lossesOf,
  matchesTenant,
  microsoftOf,
  quantile,
  recommendationsOf,
  tagsOf,
  type Spread,
} from '../../history/page/fleet-model.ts';
import {
  decodeFleet,
  standingOf,
  WINDOW,
  type Fleet,
  type WireStandings,
} from '../../history/page/fleet-wire.ts';
import { accountOf, movesOf, stepAt } from '../../history/page/model.ts';
import { dateOfNumber, decode, type History } from '../../history/page/wire.ts';
import { generatedRows } from '../browser/histories.ts';
import { sampleRows, type PageRows } from './page-rows.ts';
import { CONTOSO, FABRIKAM } from './sample.ts';

const ORIGIN = { made: '2026-02-12', archive: '/an/archive', leftOut: 2 };

interface Built {
  fleet: Fleet;
  standings: WireStandings;
  histories: Map<string, History>;
}

/** As `history open` makes it, and as the page reads it. */
function fleetOf(members: (Member & { rows: PageRows; mute?: string })[]): Built {
  const catalogue = new Catalogue([
    ...new Map(members.flatMap(({ rows }) => rows.catalogue).map((row) => [row.control, row])).values(),
  ]);
  const last = Math.max(...members.flatMap(({ rows }) => rows.scores.map(({ day }) => day)));
  const builder = new FleetBuilder(catalogue, last);
  const histories = new Map<string, History>();
  for (const { rows, mute, ...member } of members) {
    const wire = encode({ ...member, isMuted: (control) => control === mute }, rows, catalogue);
    builder.add(member, rows, wire);
    if (wire) histories.set(member.id, decode(wire, catalogue.texts));
  }
  const { fleet, standings } = builder.build(ORIGIN, [...histories.keys()]);
  // As a part carries it.
  const carried = JSON.parse(JSON.stringify(fleet)) as typeof fleet;
  return { fleet: decodeFleet(carried, catalogue.texts), standings, histories };
}

const NOBODY: PageRows = { scores: [], standings: [], changes: [], catalogue: [] };
const NEW = 'cccccccc-0000-4000-8000-000000000003';
const sample = fleetOf([
  { id: FABRIKAM, name: 'Fabrikam', tags: ['gold'], rows: sampleRows(FABRIKAM) },
  { id: NEW, name: 'New', tags: [], rows: NOBODY },
  { id: CONTOSO, name: 'Contoso', tags: ['gold', 'health'], rows: sampleRows(CONTOSO), mute: 'mfa' },
]);
const { fleet, standings } = sample;
const rowOf = (id: string, days = 30) => fleetRows(fleet, days).find(({ tenant }) => tenant.id === id)!;
const spreadsOf = (spreads: Spread[]) =>
  spreads.map(({ control, kind, tenants, average, from, to }) => [
    kind,
    control?.name,
    [...tenants].map(([place]) => fleet.tenants[place]!.name),
    Math.round(100 * average) / 100,
    dateOfNumber(from),
    dateOfNumber(to),
  ]);

describe('the fleet', () => {
  it('has a row per tenant, by name, also for those without a snapshot', () => {
    expect(fleet.tenants.map(({ name, tags, history }) => [name, tags, history])).toEqual([
      ['Contoso', ['gold', 'health'], 1],
      ['Fabrikam', ['gold'], 0],
      ['New', [], null],
    ]);
    expect(fleet).toMatchObject(ORIGIN);
    expect(dateOfNumber(fleet.last)).toBe('2026-02-06');
    expect(rowOf(NEW)).toMatchObject({ percentage: null, account: null, loss: null, lost: 0, age: null });
  });

  it('has the line of the window, and nothing on days without a snapshot', () => {
    const { line } = rowOf(CONTOSO).tenant;
    expect(line).toHaveLength(WINDOW + 1);
    expect(line.slice(-8)).toEqual([50, 40, 50, 40, null, 40, 50, 40]);
    expect(line.slice(0, -8).every((value) => value === null)).toBe(true);
  });

  it('says what was in force when the window began, however old', () => {
    const rows = sampleRows(CONTOSO);
    const [first, ...others] = rows.scores;
    const long = fleetOf([
      {
        id: CONTOSO,
        name: 'C',
        tags: [],
        rows: { ...rows, scores: [{ ...first!, day: first!.day - 200 }, ...others] },
      },
    ]);
    expect(long.fleet.tenants[0]!.line[0]).toBe(50);
  });

  it('explains each tenant, and shows its largest loss', () => {
    // 30 January is its first day.
    expect(rowOf(CONTOSO)).toMatchObject({
      percentage: 40,
      account: { total: -100, earned: 0, rescored: -100, decided: 0, unexplained: 0 },
      loss: { control: { name: 'mfa' }, share: -10 },
      lost: -20,
      age: 6,
    });
    expect(rowOf(CONTOSO, 1)).toMatchObject({
      account: { total: -100, rescored: -100 },
      loss: null,
      lost: 0,
    });
    expect(dateOfNumber(rowOf(CONTOSO).since!)).toBe('2026-01-30');
    expect(dateOfNumber(rowOf(CONTOSO, 1).since!)).toBe('2026-02-05');
  });

  it('knows which tenants are silent: no snapshot for three days before the page was made', () => {
    expect(fleetRows(fleet, 30).map((row) => isSilent(row))).toEqual([true, true, true]);
    const fresh = fleetRows({ ...fleet, made: '2026-02-09' }, 30);
    expect(fresh.map((row) => isSilent(row))).toEqual([false, false, true]);
  });

  it('has what is muted', () => {
    const muted = fleet.tenants.map((tenant) =>
      [...tenant.muted].map((place) => fleet.controls[place]!.name),
    );
    expect(muted).toEqual([['mfa'], [], []]);
  });

  it('is filtered by words, tag and state', () => {
    const found = (filter: Partial<Parameters<typeof matchesTenant>[1]>) =>
      fleetRows(fleet, 30)
        .filter((row) => matchesTenant(row, { search: '', tag: null, state: null, ...filter }))
        .map(({ tenant }) => tenant.name);
    expect(found({ search: 'CONT health' })).toEqual(['Contoso']);
    expect(found({ search: FABRIKAM.slice(0, 8) })).toEqual(['Fabrikam']);
    expect(found({ search: '#gold' })).toEqual(['Contoso', 'Fabrikam']);
    expect(found({ tag: 'health' })).toEqual(['Contoso']);
    expect(found({ state: 'lost' })).toEqual(['Contoso', 'Fabrikam']);
    expect(found({ state: 'higher' })).toEqual([]);
    expect(found({ state: 'lower' })).toEqual(['Contoso', 'Fabrikam']);
    expect(found({ state: 'silent' })).toEqual(['Contoso', 'Fabrikam', 'New']);
    expect(tagsOf(fleet)).toEqual([
      ['gold', 2],
      ['health', 1],
    ]);
  });
});

describe('what happened to many', () => {
  it('is there once, by recommendation, with how many tenants', () => {
    expect(spreadsOf(microsoftOf(fleet, 30))).toEqual([
      ['new', 'safe', ['Contoso'], -10, '2026-02-06', '2026-02-06'],
    ]);
    expect(spreadsOf(lossesOf(fleet, 30))).toEqual([
      ['lost', 'mfa', ['Contoso', 'Fabrikam'], -20, '2026-01-31', '2026-02-04'],
    ]);
    expect(lossesOf(fleet, 1)).toEqual([]);
  });

  it('says of a recommendation who lost it, and who misses it', () => {
    const of = (name: string) =>
      holdersOf(
        fleet,
        standings,
        fleet.controls.find((control) => control.name === name)!,
        30,
      );
    expect(
      of('mfa').map(({ tenant, missing, lost, losses }) => [tenant.name, missing, lost, losses.length]),
    ).toEqual([
      ['Contoso', 10, -20, 2],
      ['Fabrikam', 20, -20, 1],
    ]);
    // Its maximum is unknown.
    expect(
      of('odd').map(({ tenant, standing, missing }) => [tenant.name, standing?.maximum, missing]),
    ).toEqual([['Fabrikam', null, null]]);
    const [legacy] = of('legacy');
    expect([legacy!.standing!.state, legacy!.missing]).toEqual(['Ignored', 20]);
  });

  it('counts in how many tenants a recommendation is full, and in how many it is not', () => {
    const rows = recommendationsOf(fleet, standings, 30).map(
      ({ control, applies, full, open, lost, missing }) => [control.name, applies, full, open, lost, missing],
    );
    // Name, applies to, full, points still to earn, lost by, points.
    expect(rows).toEqual([
      ['2.dlp', 1, 0, 1, 0, 30],
      ['dlp', 1, 0, 1, 0, 20],
      ['legacy', 1, 0, 1, 0, 20],
      ['mfa', 2, 0, 2, 2, 30],
      ['odd', 1, 0, 0, 0, 0],
      ['safe', 1, 0, 1, 0, 25],
    ]);
  });
});

describe('of generated tenants', () => {
  const ids = ['a', 'b', 'c'];
  const built = fleetOf(
    ids.map((id, index) => ({
      id,
      name: id,
      tags: [],
      rows: generatedRows(id, { days: 100 + 20 * index, controls: 40 }),
    })),
  );
  const { last } = built.fleet;

  it.each(FLEET_PERIODS.map(({ days }) => days))(
    '%i days: every figure is that of the tenant on its own page',
    (days) => {
      for (const row of fleetRows(built.fleet, days)) {
        const history = built.histories.get(row.tenant.id)!;
        const end = history.days.length - 1;
        const from = history.days.findIndex(({ number }) => number === last - days);
        expect(row.account).toEqual(accountOf(history, movesOf(history), from, end));
        const shown = history.changes.filter(({ date }) => date > history.days[from]!.date);
        const losses = shown.filter(({ kind }) => kind === 'lost').map(({ share }) => share);
        expect(row.loss?.share ?? 0).toBeCloseTo(Math.min(0, ...losses), 3);
      }
      const changes = [...built.histories.values()].flatMap((history) =>
        history.changes.filter(({ date }) => date > dateOfNumber(last - days)),
      );
      for (const { control, kind, tenants } of microsoftOf(built.fleet, days)) {
        const same = changes.filter(
          (change) => change.kind === kind && change.control === (control?.name ?? null),
        );
        expect(same.length).toBeGreaterThanOrEqual(tenants.size);
      }
      const touched = changes.filter(({ kind }) => ['new', 'removed', 're-scored'].includes(kind));
      expect(new Set(touched.map(({ kind, control }) => `${kind} ${control}`)).size).toBe(
        microsoftOf(built.fleet, days).length,
      );
    },
  );

  it('stand as on their own pages', () => {
    let standing = 0;
    for (const { place, id } of built.fleet.tenants) {
      const history = built.histories.get(id)!;
      for (const control of built.fleet.controls) {
        const own = history.controls.find(({ name }) => name === control.name);
        const step = own ? stepAt(own, history.days.length - 1) : null;
        const found = standingOf(built.standings, place, control.place);
        expect([found?.points ?? null, found?.maximum ?? null]).toEqual([
          step?.points ?? null,
          step?.maximum ?? null,
        ]);
        standing += found ? 1 : 0;
      }
    }
    expect(standing).toBeGreaterThan(100);
  });

  it('in figures add up: the average of the changes is that of its parts', () => {
    const { account, higher, lower, same, median } = fleetSummary(fleetRows(built.fleet, 90));
    const { total, earned, rescored, decided, unexplained } = account!;
    expect(earned + rescored + decided + unexplained).toBe(total);
    expect(higher + lower + same).toBe(3);
    const scores = [...built.histories.values()].map(({ days }) => days.at(-1)!.percentage!);
    expect(median).toBeCloseTo(scores.toSorted((a, b) => a - b)[1]!, 3);
    const band = bandOf(built.fleet);
    expect(band.median.at(-1)).toBeCloseTo(median!, 3);
    for (const [day, low] of band.low.entries()) {
      expect(low!).toBeLessThanOrEqual(band.median[day]!);
      expect(band.median[day]!).toBeLessThanOrEqual(band.high[day]!);
    }
  });
});

it('quantiles lie between two values in proportion', () => {
  expect([
    quantile([], 0.5),
    quantile([7], 0.25),
    quantile([4, 1, 3, 2], 0.5),
    quantile([0, 10], 0.25),
  ]).toEqual([null, 7, 2.5, 2.5]);
});

it('unknown periods are 30 days', () => {
  expect([fleetDays(null), fleetDays('7d'), fleetDays('1y'), fleetDays('<b>')]).toEqual([30, 7, 30, 30]);
});
