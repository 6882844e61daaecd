import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accountOf,
  caption,
  categoriesOf,
  lifeOf,
  lineage,
  marksOf,
  matches,
  movesOf,
  nearest,
  periodsFor,
  spanOf,
  standings,
  stretchesOf,
} from '../../history/page/model.ts';
import { FLEET_LISTS, hashOf, LISTS, parseRoute, START, type Route } from '../../history/page/route.ts';
import type { Change, History } from '../../history/page/wire.ts';
import { historyOf, sampleRows } from './page-rows.ts';
import { CONTOSO, FABRIKAM } from './sample.ts';

const tenantOf = (id: string): History => historyOf({ id, name: 'Any' }, sampleRows(id));
const contoso = tenantOf(CONTOSO);
const fabrikam = tenantOf(FABRIKAM);

describe('moves and their account', () => {
  it('of a day are its changes by cause', () => {
    expect(movesOf(contoso)[1]).toEqual({
      total: -10,
      earned: -10,
      rescored: 0,
      decided: 0,
      unexplained: 0,
      changes: 1,
    });
    expect(movesOf(contoso)[0]).toMatchObject({ total: null, unexplained: 0 });
    expect(movesOf(contoso)[6]).toMatchObject({ total: -10, earned: 0, rescored: -10, unexplained: 0 });
  });

  it('add up over a period, as printed', () => {
    expect(accountOf(contoso, movesOf(contoso), 0, 6)).toEqual({
      total: -100,
      earned: 0,
      rescored: -100,
      decided: 0,
      unexplained: 0,
    });
  });

  it('always add up as printed, and what no change accounts for is shown', () => {
    const amount = fc.double({ min: -5, max: 5, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(amount, amount, amount), { minLength: 1, maxLength: 20 }), (days) => {
        const history: History = {
          ...contoso,
          days: [0, ...days].map((_, index) => ({ ...contoso.days[0]!, percentage: 50 + index * 0.37 })),
        };
        const moves = [null, ...days].map((each) => {
          const [earned = 0, rescored = 0, decided = 0] = each ?? [];
          return { total: 0, earned, rescored, decided, unexplained: 0, changes: 1 };
        });
        const account = accountOf(history, moves, 0, days.length)!;
        expect(account.earned + account.rescored + account.decided + account.unexplained).toBe(account.total);
        expect(Math.abs(account.total - 3.7 * days.length)).toBeLessThanOrEqual(0.5 + 1e-6);
      }),
    );
  });
});

describe('categories', () => {
  it('are the points of their controls by their maxima', () => {
    const none = Array.from({ length: 7 }, () => 0);
    expect(categoriesOf(contoso)).toEqual([
      { name: 'Apps', percentages: [null, null, null, null, null, null, 0], unknown: none },
      { name: 'Data', percentages: Array.from({ length: 7 }, () => 100 / 3), unknown: none },
      {
        name: 'Identity',
        percentages: [40, 30, 40, 30, 30, 40, 40].map((mfa) => (100 * mfa) / 70),
        unknown: none,
      },
    ]);
  });

  it('count apart the controls whose maximum is unknown', () => {
    expect(categoriesOf(fabrikam).find(({ name }) => name === 'Apps')).toEqual({
      name: 'Apps',
      percentages: Array.from({ length: 6 }, () => null),
      unknown: Array.from({ length: 6 }, () => 1),
    });
  });
});

describe('marks', () => {
  it('are the largest moves, by who moved more', () => {
    const moves = movesOf(contoso);
    expect(marksOf(contoso, moves, 0, 6, 9).find(({ day }) => day === 6)).toEqual({
      day: 6,
      by: 'microsoft',
      isMixed: false,
      change: -10,
    });
    expect(marksOf(contoso, moves, 0, 6, 2)).toHaveLength(2);
    // What moved before the first day shown is no event of the period.
    expect(marksOf(contoso, moves, 5, 6, 9).map(({ day }) => day)).toEqual([6]);
  });

  it('are captioned by what weighs most', () => {
    const change = (kind: string, title: string, share: number): Change => {
      return { ...contoso.changes[0]!, kind, title, share, cause: kind === 'lost' ? 'earned' : 'rescored' };
    };
    const here = (amount: number, ...changes: Change[]) => caption(changes, { by: 'here', change: amount });
    const microsoft = (amount: number, ...changes: Change[]) =>
      caption(changes, { by: 'microsoft', change: amount });
    const [mfa, dlp, a, b] = [
      change('lost', 'MFA', -2),
      change('lost', 'DLP', -1),
      change('new', 'A', -2),
      change('new', 'B', -1),
    ];
    // The amount of a label is the day's: one title alone does not stand beside what others moved too.
    expect(here(-2, mfa)).toEqual({ title: 'MFA', more: 0 });
    expect(here(-3, mfa, dlp)).toEqual({ title: 'MFA', more: 1 });
    expect(here(-2.02, mfa, change('lost', 'Small', -0.02))).toEqual({ title: 'MFA', more: 0 });
    expect(here(-3.3, mfa, dlp, change('new', 'C', -0.3), change('decided', 'D', 0))).toMatchObject({
      more: 2,
    });
    expect(microsoft(-3, a, b)).toEqual({ title: '2 new', more: 0 });
    expect(microsoft(-5, a, b, mfa)).toEqual({ title: '2 new', more: 1 });
    expect(microsoft(-11, a, change('lost', 'B', -9))).toEqual({ title: 'A', more: 1 });
    expect(here(0)).toBeNull();
  });
});

describe('a control', () => {
  it('keeps its life when it is renamed', () => {
    expect(lineage(fabrikam, 'dlp')).toEqual(['dlp', '2.dlp']);
    expect(lineage(fabrikam, '2.dlp')).toEqual(['dlp', '2.dlp']);
    const life = lifeOf(fabrikam, 'dlp')!;
    expect(life.control.name).toBe('2.dlp');
    expect(life.formerly).toEqual(['dlp']);
    expect(life.steps).toEqual([{ from: 0, points: 20, maximum: 50, decision: null }]);
    expect(life.changes.map(({ kind }) => kind)).toEqual(['renamed']);
    expect(lifeOf(fabrikam, 'none')).toBeNull();
  });

  it('that was renamed in a circle ends somewhere', () => {
    const renamed = (from: string, to: string): Change => {
      return { ...contoso.changes[0]!, kind: 'renamed', control: to, previousControl: from };
    };
    const circle = { ...contoso, changes: [renamed('a', 'b'), renamed('b', 'c'), renamed('c', 'a')] };
    for (const name of ['a', 'b', 'c']) expect(lineage(circle, name).toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('is shown in stretches, newest first', () => {
    const { steps } = lifeOf(contoso, 'mfa')!;
    expect(stretchesOf(steps, contoso.days).map(({ from, to, points }) => [from, to, points])).toEqual([
      [5, 6, 40],
      [3, 4, 30],
      [2, 2, 40],
      [1, 1, 30],
      [0, 0, 40],
    ]);
  });

  it('is listed on the days on which it is there', () => {
    const names = (day: number) => standings(fabrikam, day).map(({ control }) => control.name);
    expect(names(0)).toEqual(['dlp', 'mfa', 'odd']);
    expect(names(5)).toEqual(['2.dlp', 'mfa', 'odd']);
    expect(standings(fabrikam, 5)).toMatchObject([
      { missing: 30, changed: '2026-02-05' },
      { missing: 20, changed: '2026-02-04' },
      { missing: null, changed: null },
    ]);
    expect(standings(fabrikam, 0)[1]).toMatchObject({ changed: null });
  });
});

describe('the filter of changes', () => {
  const none = { kinds: [], cause: null, category: null, search: '' };
  const count = (filter: Partial<Parameters<typeof matches>[1]>) =>
    contoso.changes.filter((change) => matches(change, { ...none, ...filter })).length;

  it('passes what is asked for, or everything if nothing is', () => {
    expect(count({})).toBe(6);
    expect(count({ kinds: ['lost', 'new'] })).toBe(3);
    expect(count({ cause: 'rescored' })).toBe(1);
    expect(count({ category: 'Identity' })).toBe(5);
    expect(count({ kinds: ['lost'], category: 'Apps' })).toBe(0);
  });

  it('finds every word, in whatever case, in title, name and decision', () => {
    expect(count({ search: 'REQUIRE' })).toBe(4);
    expect(count({ search: 'mfa require' })).toBe(4);
    expect(count({ search: 'mfa dlp' })).toBe(0);
    expect(count({ search: 'ada@contoso' })).toBe(1);
    expect(count({ search: '.*' })).toBe(0);
    expect(count({ search: '  ' })).toBe(6);
  });
});

describe('periods', () => {
  const days = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const number = 20_000 + index;
      const date = new Date(number * 86_400_000).toISOString().slice(0, 10);
      return { ...contoso.days[0]!, number, date };
    });

  it('are offered as far as they differ', () => {
    expect(periodsFor(days(20)).map(({ name }) => name)).toEqual(['all']);
    expect(periodsFor(days(100)).map(({ name }) => name)).toEqual(['30d', '90d', 'all']);
    expect(periodsFor(days(1000)).map(({ name }) => name)).toEqual(['30d', '90d', '1y', 'all']);
  });

  it('end on the last day; anything that is no period means all', () => {
    expect(spanOf(days(100), '30d')).toEqual({ from: 69, to: 99 });
    expect(spanOf(days(100), 'all')).toEqual({ from: 0, to: 99 });
    expect(spanOf(days(100), '2024-10-14..2024-10-20')).toEqual({ from: 10, to: 16 });
    for (const odd of ['', '7d', '..', '2024-10-20..2024-10-14', '2090-01-01..2091-01-01', 'constructor']) {
      expect(spanOf(days(100), odd)).toEqual({ from: 0, to: 99 });
    }
    expect(spanOf(days(1), 'all')).toEqual({ from: 0, to: 0 });
  });

  it('find the nearest day', () => {
    const some = [days(100)[0]!, days(100)[10]!, days(100)[11]!];
    const place = (offset: number) => nearest(some, 20_000 + offset);
    expect([-5, 0, 4, 6, 10, 99].map(place)).toEqual([0, 0, 0, 1, 1, 2]);
  });
});

describe('the address', () => {
  it('has what is shown, except what is as at the start', () => {
    expect(hashOf(START)).toBe('#');
    expect(parseRoute('')).toEqual(START);
    expect(hashOf({ ...START, control: 'a&b=c#d', kinds: ['lost', 'new'] })).toBe(
      '#control=a%26b%3Dc%23d&kinds=lost%2Cnew',
    );
  });

  it('returns every route', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.isWellFormed());
    const optional = fc.option(name);
    const route: fc.Arbitrary<Route> = fc.record({
      tenant: optional,
      control: optional,
      day: fc.constantFrom(null, '2026-01-09'),
      period: optional,
      list: fc.constantFrom(null, ...LISTS, ...FLEET_LISTS),
      compare: fc.uniqueArray(fc.uuid(), { maxLength: 5 }),
      tag: optional,
      search: fc.oneof(name, fc.constant('')),
      kinds: fc.uniqueArray(fc.constantFrom('lost', 're-scored', 'new')),
      cause: optional,
      category: optional,
      state: optional,
      sort: optional,
    });
    fc.assert(
      fc.property(route, (each) => {
        expect(parseRoute(hashOf(each))).toEqual(each);
      }),
    );
  });

  it('compares a tenant once', () => {
    expect(parseRoute('#compare=a,b,,a,a,c,d,e,f').compare).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('without a meaning is the start', () => {
    for (const odd of ['#day=yesterday', '#list=secrets', '#%', '#=&&=', '#day=2026-01-09x']) {
      expect(parseRoute(odd)).toEqual(START);
    }
  });
});
