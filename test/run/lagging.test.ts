import { describe, expect, it } from 'vitest';
import { addDays } from '../../lambda/dates.ts';
import { monitor } from '../../lambda/monitor.ts';
import { fillDays, world } from './fakes.ts';

/*
 * What is known too late: by a clock that is behind for a day, and behind a partial catalogue. Found by the five years
 * (test/years).
 */

const BASE = { controls: { alpha: 8, beta: 5, gamma: 2, delta: 1 }, maximum: 40 };

describe('a clock that is behind for a day', () => {
  it.each([48, 64, 72, 96])('by %i hours repeats nothing once it is right again', async (hours) => {
    const w = world('2026-03-10T07:00:00Z');
    fillDays(w.graph, '2026-03-01', 9, BASE);
    await monitor(w.runOf());
    w.graph.days.set('2026-03-10', { ...BASE, controls: { ...BASE.controls, alpha: 4 } });
    expect((await monitor(w.runOf())).changes.map(({ kind }) => kind)).toEqual(['lost']);

    w.graph.days.set('2026-03-11', w.graph.days.get('2026-03-10')!);
    w.clock.set('2026-03-11T07:00:00Z');
    w.clock.advance(-hours * 3_600_000);
    await monitor(w.runOf());

    w.clock.set('2026-03-12T07:00:00Z');
    const result = await monitor(w.runOf());
    expect(result.changes).toEqual([]);
    expect(result.mails).toEqual([]);
    expect(result.score.date).toBe('2026-03-11');
  });
});

describe('a decision that was taken while the catalogue was partial', () => {
  it.each([2, 7, 8, 12])('is reported, once, after %i days', async (days) => {
    const w = world('2026-03-01T07:00:00Z');
    const profile = (id: string) => ({ id, title: id, maxScore: 10, controlStateUpdates: [] as unknown[] });
    const complete = Object.keys(BASE.controls).map(profile);
    w.graph.profiles = complete;
    fillDays(w.graph, '2026-02-20', 10, BASE);
    await monitor(w.runOf());

    const decided = {
      state: 'ThirdParty',
      updatedBy: 'ada@contoso.com',
      updatedDateTime: '2026-03-02T12:00:00Z',
    };
    const decisions: string[] = [];
    for (let day = 1; day <= days + 4; day += 1) {
      const date = addDays('2026-03-01', day);
      w.graph.days.set(date, BASE);
      const later = complete.map((each) =>
        each.id === 'beta' ? { ...each, controlStateUpdates: [decided] } : each,
      );
      w.graph.profiles = day <= days ? later.slice(0, 1) : later;
      w.clock.set(`${date}T07:00:00Z`);
      const { changes } = await monitor(w.runOf());
      decisions.push(
        ...changes.filter(({ kind }) => kind === 'decided').map(({ control }) => `${control} ${day}`),
      );
    }
    expect(decisions).toEqual([`beta ${days + 1}`]);
  });
});
