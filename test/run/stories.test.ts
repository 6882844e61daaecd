import { describe, expect, it } from 'vitest';
import { addDays } from '../../lambda/dates.ts';
import { MonitorError } from '../../lambda/errors.ts';
import { monitor } from '../../lambda/monitor.ts';
import { sendBy, fillDays, TENANT_ID, world, type DaySpec } from './fakes.ts';

/** Stories from a review. Each of them went wrong once. */

const BASE: DaySpec = { controls: { alpha: 5, beta: 5, gamma: 2, delta: 1 }, maximum: 40 };
const STATE = `state/tenant=${TENANT_ID}.json`;

async function started(noise: { confirmDrops?: number; minimumPoints?: number } = {}) {
  const w = world('2026-03-01T07:00:00Z');
  fillDays(w.graph, '2026-02-20', 10, BASE);
  w.graph.profiles = Object.keys(BASE.controls).map((id) => profile(id));
  const runAt = async (now: string) => {
    w.clock.set(now);
    const run = w.runOf();
    const alerts = { ...run.tenant.alerts, ...noise };
    return monitor({ ...run, tenant: { ...run.tenant, alerts } });
  };
  await runAt('2026-03-01T07:00:00Z');
  w.mailer.sent.length = 0;
  return { ...w, runAt };
}

function profile(id: string, updates: { state: string; at: string }[] = []) {
  return {
    id,
    title: `Title of ${id}`,
    maxScore: 10,
    controlStateUpdates: updates.map(({ state, at }) => ({
      state,
      updatedDateTime: at,
      updatedBy: 'ada',
      comment: null,
    })),
  };
}

const withAlpha = (alpha: number): DaySpec => ({ ...BASE, controls: { ...BASE.controls, alpha } });

describe('a drop that waits', () => {
  it('and rises above what it was is a gain, and gains never wait', async () => {
    const w = await started({ confirmDrops: 2, minimumPoints: 0 });
    w.graph.days.set('2026-03-02', withAlpha(4));
    expect((await w.runAt('2026-03-02T07:00:00Z')).mails).toEqual([]);
    w.graph.days.set('2026-03-03', withAlpha(10));
    expect((await w.runAt('2026-03-03T07:00:00Z')).mails).toMatchObject([{ kind: 'scores' }]);
  });

  it('and has healed is mentioned in whichever mail goes next', async () => {
    const w = await started({ confirmDrops: 2, minimumPoints: 0 });
    w.graph.days.set('2026-03-02', withAlpha(1));
    await w.runAt('2026-03-02T07:00:00Z');
    w.graph.days.set('2026-03-03', { ...BASE, controls: { ...BASE.controls, epsilon: 0 } });
    expect((await w.runAt('2026-03-03T07:00:00Z')).mails).toMatchObject([{ kind: 'controls' }]);
    expect(w.mailer.sent[0]?.text).toContain('Title of alpha');
  });
});

describe('users who fail a control', () => {
  const of = (alpha: number, total: number, failing: number): DaySpec => ({
    ...withAlpha(alpha),
    newest: { alpha: { count: String(total - failing), total: String(total) } },
  });

  it('are not hidden by newcomers, whether few or many', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', of(10, 40, 0));
    await w.runAt('2026-03-02T07:00:00Z');
    w.mailer.sent.length = 0;
    // Ten of 50 are new, and unprotected.
    w.graph.days.set('2026-03-03', of(8, 50, 10));
    const first = await w.runAt('2026-03-03T07:00:00Z');
    expect(first).toMatchObject({
      mails: [{ kind: 'scores' }],
      changes: [{ kind: 'lost', control: 'alpha' }],
    });
    w.graph.days.set('2026-03-04', of(0, 52, 52));
    const second = await w.runAt('2026-03-04T07:00:00Z');
    expect(second).toMatchObject({
      mails: [{ kind: 'scores' }],
      changes: [{ kind: 'lost', control: 'alpha' }],
    });
  });

  it('day by day add up to a mail, which shows all of it and says since when', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', of(9, 300, 30));
    await w.runAt('2026-03-02T07:00:00Z');
    w.mailer.sent.length = 0;
    const results = [];
    for (let index = 1; index <= 8; index += 1) {
      const total = 300 + index;
      const points = Math.round((1000 * 270) / total) / 100;
      const date = addDays('2026-03-02', index);
      w.graph.days.set(date, of(points, total, 30 + index));
      results.push(await w.runAt(`${date}T07:00:00Z`));
    }
    expect(results.map(({ mails }) => mails.length)).toEqual([0, 0, 0, 0, 0, 0, 1, 0]);
    // The result is of the day: its shares are what explains the day.
    const reported = results[6]!;
    expect(reported.changes).toMatchObject([{ kind: 'lost', points: { before: 8.82, after: 8.79 } }]);
    expect(reported.explanation.earned).toBeCloseTo(reported.changes[0]!.percentagePoints, 9);
    const [mail] = w.mailer.sent;
    expect(mail!.subject).toContain('1 recommendation lost points');
    expect(mail!.text).toContain('8.79');
    expect(mail!.text).toMatch(/Small moves, added up since 2 Mar/);
    expect(mail!.text).toContain('−0.21');
  });
});

describe('decisions', () => {
  it('that nobody made are no decisions, whatever the date of the catalogue', async () => {
    const w = await started();
    for (const [day, at] of [
      ['2026-03-02', '2019-03-19T22:37:14.628799Z'],
      ['2026-03-03', '0001-01-01T00:00:00Z'],
    ] as const) {
      w.graph.days.set(day, BASE);
      w.graph.profiles = Object.keys(BASE.controls).map((id) => {
        const of = profile(id, [{ state: 'Default', at }]);
        return { ...of, controlStateUpdates: [{ ...of.controlStateUpdates[0], updatedBy: null }] };
      });
      expect(await w.runAt(`${day}T07:00:00Z`)).toMatchObject({ changes: [], mails: [] });
    }
  });

  it('that a device control has itself are decisions, with points or without', async () => {
    const w = await started();
    const withState = (alpha: number, state: string): DaySpec => ({
      ...withAlpha(alpha),
      newest: { alpha: { state, count: '15', total: '15' } },
    });
    w.graph.days.set('2026-03-02', withState(5, 'default'));
    await w.runAt('2026-03-02T07:00:00Z');
    w.graph.days.set('2026-03-03', withState(10, 'thirdParty'));
    const gained = await w.runAt('2026-03-03T07:00:00Z');
    expect(gained.explanation).toMatchObject({ earned: 0, decided: 12.5 });
    const mail = w.mailer.sent.find(({ subject }) => subject.includes('decision'))!;
    expect(mail.text).toContain('Marked as third party');
    expect(mail.text.replace(/\s+/g, ' ')).toContain('in the catalogue it has no decision');

    w.graph.days.set('2026-03-04', withState(10, 'riskAccepted'));
    const accepted = await w.runAt('2026-03-04T07:00:00Z');
    expect(accepted.changes).toMatchObject([{ kind: 'decided', control: 'alpha' }]);
    expect(accepted.mails).toMatchObject([{ kind: 'controls' }]);
  });

  it('of years ago are not reported again after the catalogue was gone for a day', async () => {
    const w = await started();
    const catalogue = [
      profile('alpha', [{ state: 'ThirdParty', at: '2024-01-01T00:00:00Z' }]),
      profile('beta'),
    ];
    for (const [day, profiles] of [
      ['02', catalogue],
      ['03', []],
      ['04', catalogue],
    ] as const) {
      w.graph.profiles = [...profiles];
      w.graph.days.set(`2026-03-${day}`, BASE);
      const { mails } = await w.runAt(`2026-03-${day}T07:00:00Z`);
      // Older than what was last compared: no finding, even when it is first seen.
      expect(mails.map(({ kind }) => kind)).toEqual(day === '03' ? ['operations'] : []);
    }
  });

  it('set and taken back within a gap are both reported, each with what it moved', async () => {
    const w = await started();
    for (const [day, alpha] of [
      ['02', 5],
      ['03', 10],
      ['04', 10],
      ['05', 10],
      ['06', 10],
    ] as const) {
      w.graph.days.set(`2026-03-${day}`, withAlpha(alpha));
    }
    w.graph.profiles = [
      profile('alpha', [
        { state: 'ThirdParty', at: '2026-03-02T05:00:00Z' },
        { state: 'Default', at: '2026-03-05T05:00:00Z' },
      ]),
      profile('beta'),
      profile('gamma'),
      profile('delta'),
    ];
    const { changes } = await w.runAt('2026-03-06T07:00:00Z');
    expect(changes.map(({ kind, date, cause }) => [kind, date.slice(-2), cause])).toEqual([
      ['decided', '02', null],
      ['gained', '03', 'decided'],
      ['decided', '05', null],
    ]);
  });

  it('that a new control brings are reported with it', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', {
      ...BASE,
      controls: { ...BASE.controls, epsilon: 0 },
      maximum: 50,
    });
    w.graph.profiles = [
      ...w.graph.profiles,
      profile('epsilon', [{ state: 'Ignored', at: '2026-03-02T01:00:00Z' }]),
    ];
    const { changes } = await w.runAt('2026-03-02T07:00:00Z');
    expect(changes.map(({ kind }) => kind).toSorted()).toEqual(['decided', 'new']);
  });
});

describe('what Microsoft did while the monitor was away', () => {
  it('is dated by the total: a control re-scored without points, renamed and then removed', async () => {
    const w = await started();
    const controls = { alpha: 5, beta: 5, gamma: 2, delta: 1, empty: 0, gone: 0 };
    w.graph.profiles = Object.keys(controls).map((id) => profile(id));
    w.graph.days.set('2026-03-02', { controls, maximum: 60 });
    await w.runAt('2026-03-02T07:00:00Z');
    w.mailer.sent.length = 0;

    const { gone, ...without } = controls;
    const renamed = { ...without, '7.gone': gone };
    w.graph.days.set('2026-03-03', { controls: renamed, maximum: 60 });
    w.graph.days.set('2026-03-04', { controls: renamed, maximum: 60 });
    w.graph.days.set('2026-03-05', { controls: renamed, maximum: 57 });
    w.graph.days.set('2026-03-06', { controls: without, maximum: 47 });
    w.graph.profiles = Object.keys(without).map((id) => ({
      ...profile(id),
      maxScore: id === 'empty' ? 7 : 10,
    }));
    const { changes, explanation } = await w.runAt('2026-03-06T07:00:00Z');
    expect(
      changes.map(({ date, kind, control, maximum }) => [date.slice(-2), kind, control, maximum]),
    ).toEqual([
      ['03', 'renamed', '7.gone', { before: 10, after: 10 }],
      ['05', 're-scored', 'empty', { before: 10, after: 7 }],
      ['06', 'removed', '7.gone', { before: 10, after: null }],
    ]);
    expect(explanation.unexplained).toBeCloseTo(0, 9);
    expect(explanation.rescored).toBeCloseTo((100 * 13) / 47 - (100 * 13) / 60, 9);
  });

  it('and cannot be attributed is a row of the total', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', { ...BASE, maximum: 44 });
    const { changes, explanation, mails } = await w.runAt('2026-03-02T07:00:00Z');
    expect(changes).toMatchObject([
      { kind: 're-scored', control: null, cause: 'rescored', maximum: { before: 0, after: 4 } },
    ]);
    expect(explanation).toMatchObject({ unexplained: expect.closeTo(0, 9) });
    expect(mails).toMatchObject([
      { subject: 'Contoso: Secure Score recommendations without points re-scored, score 29.5 % (−3.0)' },
    ]);
    const text = w.mailer.sent[0]!.text.replace(/\s+/g, ' ');
    expect(text).toContain('Microsoft re-scored recommendations without points, which took 3.0.');
    expect(text).toContain(
      'Recommendations without points worth 4 points more in all · −2.95 percentage points',
    );
  });
});

describe('days with less data', () => {
  it('without a maximum leave the sum complete', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', {
      ...BASE,
      maximum: 0,
      controls: { alpha: 0, beta: 0, gamma: 0, delta: 0 },
    });
    w.graph.days.set('2026-03-03', { ...BASE, maximum: 50 });
    w.graph.days.set('2026-03-04', { ...withAlpha(4), maximum: 50 });
    const { explanation } = await w.runAt('2026-03-04T07:00:00Z');
    const { before, after, earned, rescored, decided, unexplained } = explanation;
    expect(before).toBe(32.5);
    expect(after).toBe(24);
    expect([earned, rescored, decided, unexplained].every(Number.isFinite)).toBe(true);
    const report = JSON.parse(
      Buffer.from(
        w.store.objects.get([...w.store.objects.keys()].findLast((key) => key.startsWith('reports/'))!)!,
      ).toString(),
    ).report;
    const { countedBefore, unexplained: rest, ...parts } = report.account;
    const sum = Object.values(parts as Record<string, { percentagePoints: number }>).reduce(
      (total, part) => total + part.percentagePoints,
      countedBefore + rest,
    );
    expect(sum).toBeCloseTo(report.after.percentage - report.before.percentage, 9);
  });

  it('that are partial and list no services are still suspect', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', { ...BASE, controls: { alpha: 5 } });
    w.clock.set('2026-03-02T07:00:00Z');
    const run = w.runOf();
    const session = await w.graph.signIn();
    run.ports.graph = {
      signIn: async () => ({
        ...session,
        secureScores: async (days: number) =>
          (await session.secureScores(days)).map((entry, index) =>
            index === 0 ? { ...entry, enabledServices: undefined } : entry,
          ),
      }),
    };
    const { mails, changes } = await monitor(run);
    expect(mails).toMatchObject([{ kind: 'operations' }]);
    expect(changes).toMatchObject([{ kind: 'suspect' }]);
  });
});

describe('what a person counts', () => {
  it('one control that falls twice in a gap is one', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', withAlpha(4));
    w.graph.days.set('2026-03-03', withAlpha(3));
    await w.runAt('2026-03-03T07:00:00Z');
    expect(w.mailer.sent[0]?.text.replaceAll(/\s+/g, ' ')).toContain('one recommendation lost');
  });
});

describe('a failure after the answer was fetched', () => {
  it('is mailed to operations', async () => {
    const w = await started();
    // None of the days that were reported proves itself, and Graph has none of them any more.
    const keys = [...w.store.objects.keys()].filter((name) => name.startsWith('snapshots/'));
    for (const key of keys) w.store.objects.set(key, Buffer.from('torn'));
    w.graph.days.clear();
    w.graph.days.set('2026-03-02', BASE);
    await expect(w.runAt('2026-03-02T07:00:00Z')).rejects.toThrow(MonitorError);
    expect(
      w.mailer.sent.map(({ kind, text }) => [
        kind,
        text.includes('archive-damaged') || text.includes('damaged'),
      ]),
    ).toEqual([['operations', true]]);
  });

  it('a claim by a clock that was a year ahead does not block for a year', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', withAlpha(4));
    w.clock.set('2027-03-02T07:00:00Z');
    const broken = w.runOf();
    sendBy(broken, { send: () => new Promise(() => {}) });
    void monitor(broken);
    await expect
      .poll(() => JSON.parse(Buffer.from(w.store.objects.get(STATE)!).toString()).claim)
      .not.toBeNull();
    const result = await w.runAt('2026-03-02T07:00:00Z');
    expect(result.mails.map(({ kind }) => kind)).toContain('scores');
  });
});
