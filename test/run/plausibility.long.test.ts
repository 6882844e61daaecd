import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays } from '../../lambda/dates.ts';
import type { Change } from '../../lambda/score/change.ts';
import { TENANT_ID, type DaySpec } from './fakes.ts';
import { CONTROLS, started } from './tampered.ts';

describe('any history', () => {
  /** What happens on a day: alpha's points; whether Graph also sends what cannot be true; whether a run comes. */
  const day = fc.record({
    alpha: fc.integer({ min: 0, max: 10 }),
    epsilon: fc.boolean(),
    oddity: fc.constantFrom(
      'none',
      'none',
      'future',
      'impossible',
      'most-gone',
      'total',
      'catalogue',
      'unreadable',
    ),
    runs: fc.boolean(),
  });
  type Day = (typeof day extends fc.Arbitrary<infer T> ? T : never) & { odd: boolean };

  /** Real days are two apart: between them is room for days that cannot be. */
  async function findings(days: Day[]): Promise<Change[]> {
    const w = await started();
    const catalogue = w.graph.profiles;
    const found: Change[] = [];
    const odd = new Map<string, (one: Record<string, unknown>) => Record<string, unknown>>();
    w.tamper((entries) =>
      entries
        .map((one) => odd.get(String(one['id']).slice(-10))?.(one) ?? one)
        .toSorted((a, b) => (String(a['id']) < String(b['id']) ? 1 : -1)),
    );
    const run = async (date: string) => {
      w.clock.set(`${date}T07:00:00Z`);
      const { changes } = await w.runAt(`${date}T07:00:00Z`).catch(() => ({ changes: [] }));
      found.push(...changes.filter(({ kind }) => !['suspect', 'stale', 'restated'].includes(kind)));
    };
    for (const [index, { alpha, epsilon, oddity, runs, odd: isOdd }] of days.entries()) {
      const between = addDays('2026-03-02', 2 * index);
      const real = addDays(between, 1);
      const controls = { ...CONTROLS, alpha, ...(epsilon ? { epsilon: 3 } : {}) };
      const spec: DaySpec = { controls, maximum: 60 };
      const is = (...kinds: string[]) => isOdd && kinds.includes(oddity);
      w.graph.profiles = is('catalogue') ? catalogue.slice(0, 2) : catalogue;
      if (is('future', 'impossible', 'most-gone', 'total')) {
        w.graph.days.set(between, is('most-gone') ? { ...spec, controls: { delta: 1 } } : spec);
        odd.set(between, (one) => ({
          ...one,
          ...(is('impossible') ? { currentScore: 999 } : {}),
          ...(is('total') ? { currentScore: 50 } : {}),
          ...(is('future') ? { id: `${TENANT_ID}_2027-01-01`, createdDateTime: '2027-01-01T00:00:00Z' } : {}),
        }));
        if (runs) await run(between);
      }
      w.graph.days.set(real, spec);
      if (is('unreadable')) {
        // Beta, which never moves: held, it is what it was.
        odd.set(real, (one) => ({
          ...one,
          controlScores: (one['controlScores'] as { controlName: string }[]).map((each) =>
            each.controlName === 'beta' ? { ...each, score: null } : each,
          ),
        }));
      }
      if (runs) await run(real);
    }
    const end = addDays('2026-03-02', 2 * days.length);
    w.graph.profiles = catalogue;
    w.graph.days.set(end, { controls: CONTROLS, maximum: 60 });
    await run(end);
    return found;
  }

  it('with implausible days mixed in, seen daily or in gaps, ends in the findings of the history without them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(day, { minLength: 1, maxLength: 8 }), async (days) => {
        const expected = await findings(days.map((one) => ({ ...one, odd: false, runs: true })));
        expect(await findings(days.map((one) => ({ ...one, odd: true })))).toEqual(expected);
        expect(await findings(days.map((one) => ({ ...one, odd: true, runs: true })))).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  }, 120_000);
});
