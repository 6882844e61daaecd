import { describe, expect, it } from 'vitest';
import type { ArchivedReport } from '../../lambda/archive/archive.ts';
import { addDays } from '../../lambda/dates.ts';
import { monitor } from '../../lambda/monitor.ts';
import type { Run } from '../../lambda/run/run.ts';
import { world, type DaySpec } from './fakes.ts';

/**
 * A year in the life of a tenant that confirms drops after 2 snapshots and silences moves below half a point. What is
 * mailed is what a careful person would write, and nothing else.
 */
const START = '2026-01-01';

/** What happens on a day of the year: an edit of the world as Graph sees it. */
type Edit = (day: Required<DaySpec>, tenant: Tenant) => void;

class Tenant {
  profiles = new Map<string, Record<string, unknown>>();
  /** No snapshot appears on such a day. */
  silent = new Set<number>();
  /** The monitor does not run on such a day. */
  away = new Set<number>();

  decide(id: string, state: string, day: number): void {
    const updates = (this.profiles.get(id)?.['controlStateUpdates'] ?? []) as unknown[];
    const update = {
      state,
      updatedBy: 'ada@contoso.com',
      updatedDateTime: `${addDays(START, day)}T05:00:00Z`,
      comment: 'agreed',
    };
    this.profiles.set(id, {
      id,
      title: `Title of ${id}`,
      maxScore: 10,
      controlStateUpdates: [...updates, update],
    });
  }
}

const NAMES = 'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda'.split(' ');

const EVENTS: [day: number, edit: Edit][] = [
  // A drop that stands.
  [10, (day) => (day.controls['alpha'] = 4)],
  // A drop that is back the next day: nobody need know.
  [20, (day) => (day.controls['beta'] = 2)],
  [21, (day) => (day.controls['beta'] = 8)],
  // A gain is reported at once, with what healed.
  [25, (day) => (day.controls['gamma'] = 9)],
  // A wobble.
  [30, (day) => (day.controls['delta'] = 7.8)],
  [31, (day) => (day.controls['delta'] = 8)],
  // The notified drop has recovered.
  [40, (day) => (day.controls['alpha'] = 8)],
  // Microsoft adds one, and raises the worth of another.
  [60, (day) => (day.controls['mu'] = 0)],
  [70, (day) => ((day.controls['beta'] = 16), (day.maxima['beta'] = 20))],
  // Microsoft retires one, and renames another, which no mail reports by itself.
  [80, (day) => delete day.controls['kappa']],
  [90, (day) => (delete day.controls['iota'], (day.controls['11770.iota'] = 8))],
  // Someone marks one as solved by a third party; the points follow a week later. Then takes it back.
  [100, (_, tenant) => tenant.decide('zeta', 'ThirdParty', 100)],
  [107, (day) => (day.controls['zeta'] = 10)],
  [130, (_, tenant) => tenant.decide('zeta', 'Default', 130)],
  [133, (day) => (day.controls['zeta'] = 8)],
  // Half an answer, for one day.
  [150, (day) => Object.assign(day, { controls: { alpha: 8, beta: 16, gamma: 9, mu: 0 } })],
  [
    151,
    (day) =>
      Object.assign(day.controls, {
        delta: 8,
        epsilon: 8,
        zeta: 8,
        eta: 8,
        theta: 8,
        lambda: 8,
        '11770.iota': 8,
      }),
  ],
  // Microsoft publishes nothing for five days.
  ...[180, 181, 182, 183, 184].map((day): [number, Edit] => [
    day,
    (_, tenant) => void tenant.silent.add(day),
  ]),
  // The monitor is away for 30 days, in which one falls and is back, and another falls permanently.
  ...Array.from({ length: 30 }, (_, index): [number, Edit] => [
    200 + index,
    (_day, tenant) => void tenant.away.add(200 + index),
  ]),
  [205, (day) => (day.controls['eta'] = 1)],
  [215, (day) => (day.controls['eta'] = 8)],
  [225, (day) => (day.controls['theta'] = 3)],
  // A licence comes, and with it a control.
  [260, (day) => (day.services.push('HasMDE'), (day.controls['nu'] = 5))],
  // A drop that is removed while it waits.
  [300, (day) => (day.controls['lambda'] = 1)],
  [301, (day) => delete day.controls['lambda']],
];

const MAILED: [day: number, kinds: string, about: string[]][] = [
  [0, 'start', []],
  [12, 'scores', ['alpha']],
  [25, 'scores', ['gamma']],
  [40, 'scores', ['alpha']],
  [60, 'controls', ['mu']],
  [70, 'controls', ['beta']],
  [80, 'controls', ['kappa']],
  [100, 'controls', ['zeta']],
  [107, 'scores', ['zeta']],
  [130, 'controls', ['zeta']],
  [133, 'scores', ['zeta']],
  [150, 'operations', []],
  // The newest snapshot is of day 179.
  [182, 'operations', []],
  [230, 'scores', ['eta', 'theta']],
  [260, 'controls', ['nu']],
  [301, 'scores', ['lambda']],
  [301, 'controls', ['lambda']],
];

describe('a year', () => {
  it('brings the mails that a careful person would write, and each of them adds up', async () => {
    const w = world(`${START}T07:00:00Z`);
    const tenant = new Tenant();
    let day: Required<DaySpec> = {
      controls: Object.fromEntries(NAMES.map((name) => [name, 8])),
      maximum: 150,
      services: ['HasEXOP2'],
      maxima: {},
      newest: {},
      total: Number.NaN,
    };
    for (const [, edit] of EVENTS) edit(structuredClone(day), tenant);
    tenant.profiles.clear();

    const mailed: [number, string][] = [];
    for (let index = 0; index < 365; index += 1) {
      day = structuredClone(day);
      for (const [, edit] of EVENTS.filter(([on]) => on === index)) edit(day, tenant);
      const { total: _, ...spec } = day;
      if (!tenant.silent.has(index)) w.graph.days.set(addDays(START, index), structuredClone(spec));
      w.graph.profiles = [...tenant.profiles.values()];
      if (tenant.away.has(index)) continue;
      w.clock.set(`${addDays(START, index)}T07:00:00Z`);
      const run: Run = w.runOf();
      run.tenant = { ...run.tenant, alerts: { ...run.tenant.alerts, confirmDrops: 2, minimumPoints: 0.5 } };
      const { mails } = await monitor(run);
      mailed.push(...mails.map(({ kind }) => [index, kind] as [number, string]));
    }

    expect(mailed).toEqual(MAILED.map(([on, kind]) => [on, kind]));
    for (const [index, [, , about]] of MAILED.entries()) {
      for (const name of about) expect(w.mailer.sent[index]?.text).toContain(name);
    }
    const accounts = [...w.store.objects]
      .filter(([key]) => key.startsWith('reports/'))
      .map(([, bytes]) => (JSON.parse(Buffer.from(bytes).toString()) as ArchivedReport).report)
      .flatMap(({ account, before, after }) => (account ? [{ account, before, after }] : []));
    expect(accounts.length).toBeGreaterThan(10);
    for (const { account, before, after } of accounts) {
      const { countedBefore, unexplained, ...parts } = account;
      const sum = Object.values(parts).reduce(
        (total, part) => total + part.percentagePoints,
        countedBefore + unexplained,
      );
      expect(sum).toBeCloseTo(after!.percentage! - before!.percentage!, 9);
    }
    // Nobody hears of what wobbled, and of beta's bad day only that it has healed.
    const texts = w.mailer.sent.map(({ text }) => text);
    expect(texts.filter((text) => text.includes('beta')).length).toBeLessThanOrEqual(3);
  }, 60_000);
});
