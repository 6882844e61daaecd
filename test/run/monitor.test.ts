import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readRows } from '../../lambda/archive/columns/write.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { listTenants } from '../../lambda/archive/tenants.ts';
import { verify } from '../../lambda/archive/verify.ts';
import { MonitorError } from '../../lambda/errors.ts';
import { monitor } from '../../lambda/monitor.ts';
import { sendBy, fillDays, TENANT_ID, world, type MemoryStore } from './fakes.ts';
import { ledgerOf } from './ledgers.ts';

const BASE = { controls: { alpha: 8, beta: 5, gamma: 2 }, maximum: 30 };
const HOUR = 3_600_000;
const STATE = `state/tenant=${TENANT_ID}.json`;

/** A tenant whose 90 days up to 1 March have been archived and reported. */
async function started() {
  const w = world('2026-03-01T07:00:00Z');
  fillDays(w.graph, '2025-12-02', 90, BASE);
  await monitor(w.runOf());
  w.mailer.sent.length = 0;
  return w;
}

function dates(store: MemoryStore): string[] {
  return [...store.objects.keys()]
    .flatMap((key) => /^snapshots\/tenant=[^/]+\/date=([\d-]+)\//.exec(key)?.[1] ?? [])
    .toSorted();
}

function state(store: MemoryStore) {
  return JSON.parse(Buffer.from(store.objects.get(`state/tenant=${TENANT_ID}.json`)!).toString());
}

describe('the first run', () => {
  it('archives all 90 days and sends one mail that says that monitoring has started', async () => {
    const w = world('2026-03-01T07:00:00Z');
    fillDays(w.graph, '2025-12-02', 90, BASE);
    const result = await monitor(w.runOf());

    expect(w.graph.asked).toEqual([90]);
    expect(result.archived).toHaveLength(90);
    expect(result.score).toEqual({ date: '2026-03-01', points: 15, maximum: 30, percentage: 50 });
    expect(result.changes).toEqual([]);
    expect(result.pending).toEqual([]);
    expect(result.mails).toMatchObject([
      { kind: 'start', to: ['scores@contoso.com', 'controls@contoso.com'] },
    ]);
    expect(w.mailer.subjects()).toEqual(result.mails.map(({ subject }) => subject));
    expect(dates(w.store)).toHaveLength(90);
  });

  it('archives what Graph sent, verbatim, and whether it was the newest', async () => {
    const w = await started();
    const read = (date: string) => {
      const key = [...w.store.objects.keys()].find(
        (name) => name.includes(`date=${date}/`) && name.startsWith('snap'),
      );
      return JSON.parse(gunzipSync(w.store.objects.get(key!)!).toString());
    };
    expect(read('2026-03-01')).toMatchObject({ fetchedAt: '2026-03-01T07:00:00.000Z', newest: true });
    expect(read('2026-02-28')).toMatchObject({ newest: false });
    const session = await w.graph.signIn();
    expect([read('2026-03-01').secureScore, read('2026-02-28').secureScore]).toEqual(
      await session.secureScores(2),
    );
  });
});

describe('a later run', () => {
  it('repeated on the same day archives nothing, sends nothing and notes only that it ran', async () => {
    const w = await started();
    const before = w.store.dump();
    const stateBefore = state(w.store);
    w.clock.advance(HOUR);
    const result = await monitor(w.runOf());
    expect(result).toMatchObject({ archived: [], changes: [], mails: [], pending: [] });
    expect(state(w.store)).toEqual({
      ...stateBefore,
      lastRun: { ...stateBefore.lastRun, at: '2026-03-01T08:00:00.000Z' },
    });
    w.store.objects.set(STATE, Buffer.from(before[STATE]!, 'base64'));
    expect(w.store.dump()).toEqual(before);
    expect(w.mailer.sent).toEqual([]);
  });

  it('reports lost and gained points in one mail, new and removed controls in one of its own', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', { ...BASE, controls: { alpha: 5, gamma: 3, delta: 4 } });
    w.clock.set('2026-03-02T07:00:00Z');
    const result = await monitor(w.runOf());

    expect(w.graph.asked.at(-1)).toBe(8);
    expect(result.archived).toEqual(['2026-03-02']);
    expect(result.changes).toEqual([
      {
        kind: 'lost',
        control: 'alpha',
        title: 'alpha',
        category: 'Identity',
        date: '2026-03-02',
        previousDate: '2026-03-01',
        points: { before: 8, after: 5 },
        maximum: { before: 10, after: 10 },
        percentagePoints: expect.closeTo(-10, 9),
        cause: 'earned',
      },
      expect.objectContaining({ kind: 'gained', control: 'gamma', points: { before: 2, after: 3 } }),
      expect.objectContaining({ kind: 'removed', control: 'beta', points: { before: 5, after: null } }),
      expect.objectContaining({
        kind: 'new',
        control: 'delta',
        points: { before: null, after: 4 },
        maximum: { before: null, after: 10 },
      }),
    ]);
    expect(result.mails.map(({ kind, to }) => [kind, to])).toEqual([
      ['scores', ['scores@contoso.com']],
      ['controls', ['controls@contoso.com']],
    ]);
  });

  it('shows the texts of both days, and only where both were archived while they were the newest', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', { ...BASE, controls: { ...BASE.controls, alpha: 5 } });
    w.clock.set('2026-03-02T07:00:00Z');
    await monitor(w.runOf());
    expect(w.mailer.sent[0]?.text).toContain('You have 2 of 10 users left.');
    expect(w.mailer.sent[0]?.text).toContain('You have 5 of 10 users left.');

    // Two days at once: the older of the two comes degraded.
    w.graph.days.set('2026-03-03', { ...BASE, controls: { ...BASE.controls, alpha: 4 } });
    w.graph.days.set('2026-03-04', { ...BASE, controls: { ...BASE.controls, alpha: 3 } });
    w.clock.set('2026-03-04T07:00:00Z');
    await monitor(w.runOf());
    expect(w.mailer.sent[1]?.text).not.toContain('of 0 users');
  });

  it('after 40 days of absence archives all 40 and sends one mail that covers them day by day', async () => {
    const w = await started();
    fillDays(w.graph, '2026-03-02', 40, BASE);
    for (const [date, alpha] of [
      ['2026-03-05', 4],
      ['2026-03-06', 8],
      ['2026-04-10', 6],
    ] as const) {
      w.graph.days.set(date, { ...BASE, controls: { ...BASE.controls, alpha } });
    }
    w.clock.set('2026-04-10T07:00:00Z');
    const result = await monitor(w.runOf());

    expect(w.graph.asked.at(-1)).toBe(41);
    expect(result.archived).toHaveLength(40);
    expect(result.changes.map(({ kind, date, points }) => [kind, date, points.before, points.after])).toEqual(
      [
        ['lost', '2026-03-05', 8, 4],
        ['gained', '2026-03-06', 4, 8],
        ['lost', '2026-04-10', 8, 6],
      ],
    );
    expect(result.mails).toHaveLength(1);
    for (const day of ['5 Mar', '6 Mar', '10 Apr']) expect(w.mailer.sent[0]?.text).toContain(day);
  });

  it('reports the gap if more days are missing than Graph keeps', async () => {
    const w = await started();
    w.graph.days.clear();
    fillDays(w.graph, '2026-06-01', 90, { ...BASE, controls: { ...BASE.controls, alpha: 7 } });
    w.clock.set('2026-08-29T07:00:00Z');
    const result = await monitor(w.runOf());
    expect(result.archived).toHaveLength(90);
    expect(w.mailer.sent[0]?.text.replaceAll(/\s+/g, ' ')).toContain(
      'Between 1 Mar 2026 and 1 Jun 2026, 91 days have no snapshot',
    );
  });

  it('recognises a rename, which is listed but never mails by itself', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', { ...BASE, controls: { alpha: 8, '11770.beta': 5, gamma: 2 } });
    w.clock.set('2026-03-02T07:00:00Z');
    const result = await monitor(w.runOf());
    expect(result.changes).toMatchObject([
      { kind: 'renamed', control: '11770.beta', points: { before: 5, after: 5 } },
    ]);
    expect(result.mails).toEqual([]);
    expect(state(w.store).cursor.date).toBe('2026-03-02');
  });

  it('reports a change of the enabled services', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', { ...BASE, services: ['HasEXOP2', 'HasMDE'] });
    w.clock.set('2026-03-02T07:00:00Z');
    const result = await monitor(w.runOf());
    expect(result.changes).toMatchObject([
      { kind: 'services', control: null, title: 'Enabled services changed: + HasMDE' },
    ]);
    expect(result.mails).toMatchObject([{ kind: 'scores' }]);
  });
});

describe('days that move after they were reported', () => {
  it('carries a restated day by the next mail: 62.0 reported, restated to 61.5, next day 61.5', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', { controls: { alpha: 9, beta: 5, gamma: 48 }, maximum: 100 });
    w.clock.set('2026-03-02T07:00:00Z');
    await monitor(w.runOf());
    w.mailer.sent.length = 0;

    const restated = { controls: { alpha: 8.5, beta: 5, gamma: 48 }, maximum: 100 };
    w.graph.days.set('2026-03-02', restated);
    w.clock.set('2026-03-02T19:00:00Z');
    const same = await monitor(w.runOf());
    expect(same.archived).toEqual(['2026-03-02']);
    expect(same.changes).toMatchObject([
      { kind: 'restated', date: '2026-03-02', points: { before: 62, after: 61.5 } },
    ]);
    expect(same.mails).toEqual([]);

    w.graph.days.set('2026-03-03', restated);
    w.clock.set('2026-03-03T07:00:00Z');
    const next = await monitor(w.runOf());
    expect(next.archived).toEqual(['2026-03-03']);
    expect(next.changes).toMatchObject([
      { kind: 'lost', control: 'alpha', previousDate: '2026-03-02', points: { before: 9, after: 8.5 } },
    ]);
    expect(next.mails).toHaveLength(1);
  });

  it('has the former version of a restated day in force again once Graph gives it again, in mail and history', async () => {
    const w = await started();
    const former = { controls: { alpha: 9, beta: 5, gamma: 48 }, maximum: 100 };
    const runAt = (hour: string, alpha: number) => {
      const [date = ''] = hour.split('T');
      w.graph.days.set(date, { ...former, controls: { ...former.controls, alpha } });
      w.clock.set(`${hour}:00:00Z`);
      return monitor(w.runOf());
    };
    await runAt('2026-03-02T07', 9);
    await runAt('2026-03-02T11', 8.5);
    const back = await runAt('2026-03-02T15', 9);
    expect(back.changes).toMatchObject([{ kind: 'restated', points: { before: 61.5, after: 62 } }]);
    const entries = async () => (await ledgerOf(w.store).read()).length;
    const before = await entries();
    // Once, and not with every run.
    expect((await runAt('2026-03-02T19', 9)).changes).toEqual([]);
    expect(await entries()).toBe(before);
    const again = await runAt('2026-03-02T21', 8.5);
    expect(again.changes).toMatchObject([{ kind: 'restated', points: { before: 62, after: 61.5 } }]);
    await runAt('2026-03-02T23', 9);

    w.mailer.sent.length = 0;
    expect(await runAt('2026-03-03T07', 9)).toMatchObject({ changes: [], mails: [] });
    const { objects } = w.store;
    const columns = objects.get(layout.columns('scores', '2026-03', TENANT_ID))!;
    const rows = readRows('scores', { month: '2026-03', tenantId: TENANT_ID, bytes: columns });
    expect(rows.map(({ date, points }) => [date, points])).toContainEqual(['2026-03-02', 62]);
    const [tenant] = (await listTenants(w.store)).tenants;
    expect((await verify({ store: w.store, objects: tenant! })).findings).toEqual([]);
  });

  it('archives a late-published older day and does not report it', async () => {
    const w = await started();
    w.graph.days.set('2026-03-03', BASE);
    w.clock.set('2026-03-03T07:00:00Z');
    await monitor(w.runOf());
    w.graph.days.set('2026-03-02', { ...BASE, controls: { ...BASE.controls, alpha: 1 } });
    w.graph.days.set('2026-03-04', BASE);
    w.clock.set('2026-03-04T07:00:00Z');
    const result = await monitor(w.runOf());
    expect(result.archived).toEqual(['2026-03-02', '2026-03-04']);
    expect(result).toMatchObject({ changes: [], mails: [] });
  });

  it('goes on from the last report if the state is lost', async () => {
    const w = await started();
    w.store.objects.delete(STATE);
    w.graph.days.set('2026-03-02', { ...BASE, controls: { ...BASE.controls, alpha: 7 } });
    w.clock.set('2026-03-02T07:00:00Z');
    const result = await monitor(w.runOf());
    expect(result.archived).toEqual(['2026-03-02']);
    expect(result.changes).toMatchObject([{ kind: 'lost', previousDate: '2026-03-01' }]);
    expect(result.mails).toMatchObject([{ kind: 'scores' }]);
  });
});

describe('operations', () => {
  it('reports once that the score is stale, and again only for another episode', async () => {
    const w = await started();
    const kindsAt = async (now: string) => {
      w.clock.set(now);
      return (await monitor(w.runOf())).mails.map(({ kind }) => kind);
    };
    expect(await kindsAt('2026-03-03T07:00:00Z')).toEqual([]);
    expect(await kindsAt('2026-03-04T07:00:00Z')).toEqual(['operations']);
    expect(await kindsAt('2026-03-05T07:00:00Z')).toEqual([]);
    w.graph.days.set('2026-03-05', BASE);
    expect(await kindsAt('2026-03-06T07:00:00Z')).toEqual([]);
    expect(await kindsAt('2026-03-08T07:00:00Z')).toEqual(['operations']);
    expect(w.mailer.sent.map(({ to }) => to)).toEqual([['oncall@contoso.com'], ['oncall@contoso.com']]);
  });

  it('holds back a day on which most controls are gone, and leaves it out when they come back', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', { ...BASE, controls: { alpha: 8 } });
    w.clock.set('2026-03-02T07:00:00Z');
    const suspicious = await monitor(w.runOf());
    expect(suspicious.archived).toEqual(['2026-03-02']);
    expect(suspicious.changes).toMatchObject([{ kind: 'suspect', control: null }]);
    expect(suspicious.mails).toMatchObject([{ kind: 'operations' }]);
    expect((await monitor(w.runOf())).mails).toEqual([]);

    w.graph.days.set('2026-03-03', { ...BASE, controls: { ...BASE.controls, beta: 4 } });
    w.clock.set('2026-03-03T07:00:00Z');
    const next = await monitor(w.runOf());
    expect(next.changes).toMatchObject([{ kind: 'lost', control: 'beta', previousDate: '2026-03-01' }]);
    expect(next.mails).toMatchObject([{ kind: 'scores' }]);
  });

  it('accepts it when two further days agree', async () => {
    const w = await started();
    const mails: string[][] = [];
    for (const date of ['2026-03-02', '2026-03-03', '2026-03-04']) {
      w.graph.days.set(date, { ...BASE, controls: { alpha: 8 } });
      w.clock.set(`${date}T07:00:00Z`);
      mails.push((await monitor(w.runOf())).mails.map(({ kind }) => kind));
    }
    expect(mails).toEqual([['operations'], [], ['controls']]);
  });

  it('mails a failure that waiting cannot repair at once and once, an outage only after a day', async () => {
    const w = await started();
    const failAt = async (now: string, failure: MonitorError) => {
      w.clock.set(now);
      w.graph.failure = failure;
      await expect(monitor(w.runOf())).rejects.toBe(failure);
      return w.mailer.sent.splice(0).map(({ kind, text }) => [kind, text.includes('Ask an admin.')]);
    };
    const consent = new MonitorError('consent-missing', 'No consent.', 'Ask an admin.');
    const outage = new MonitorError('graph-unavailable', 'Graph is down.', 'Ask an admin.', {
      retryable: true,
    });
    expect(await failAt('2026-03-02T07:00:00Z', consent)).toEqual([['operations', true]]);
    expect(await failAt('2026-03-03T07:00:00Z', consent)).toEqual([]);

    w.graph.failure = null;
    w.graph.days.set('2026-03-03', BASE);
    await monitor(w.runOf());
    expect(await failAt('2026-03-04T07:00:00Z', outage)).toEqual([]);
    expect(await failAt('2026-03-04T19:00:00Z', outage)).toEqual([]);
    expect(await failAt('2026-03-05T07:00:00Z', outage)).toEqual([['operations', true]]);
    expect(await failAt('2026-03-06T07:00:00Z', outage)).toEqual([]);
  });

  it('sends what a claim left behind even while Graph is down', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', { ...BASE, controls: { ...BASE.controls, alpha: 5 } });
    w.clock.set('2026-03-02T07:00:00Z');
    const broken = w.runOf();
    sendBy(broken, {
      send: () => Promise.reject(new MonitorError('mail-failed', 'SES is down', '', { retryable: true })),
    });
    expect(await monitor(broken)).toMatchObject({ mails: [], pending: [{ kind: 'scores' }] });

    w.graph.failure = new MonitorError('graph-unavailable', 'Graph is down.', 'Wait.', { retryable: true });
    await expect(monitor(w.runOf())).rejects.toThrow('Graph is down.');
    expect(w.mailer.sent.map(({ kind }) => kind)).toEqual(['scores']);
  });
});

describe('answers that cannot be used', () => {
  it('refuses a newest entry of another tenant and archives nothing', async () => {
    const w = await started();
    const before = w.store.dump('snapshots/');
    const run = w.runOf();
    run.ports.graph = {
      signIn: async () => ({
        secureScores: async () => [
          {
            id: 'NA_2026-03-02',
            azureTenantId: 'NA',
            createdDateTime: '2026-03-02T00:00:00Z',
            currentScore: 1,
            maxScore: 2,
            controlScores: [],
          },
        ],
        controlProfiles: async () => [],
      }),
    };
    await expect(monitor(run)).rejects.toThrow(/"NA"/);
    expect(w.store.dump('snapshots/')).toEqual(before);
    expect(w.mailer.sent).toEqual([]);
  });

  it('reports a sum of the controls that differs from the total', async () => {
    const w = await started();
    w.graph.days.set('2026-03-02', { ...BASE, controls: { ...BASE.controls, alpha: 5 }, total: 12.4 });
    w.clock.set('2026-03-02T07:00:00Z');
    const result = await monitor(w.runOf());
    expect(result.archived).toEqual(['2026-03-02']);
    expect(w.mailer.sent[0]?.text.replaceAll(/\s+/g, ' ')).toContain('0.4 points less than the total');
    expect(w.logged.map(({ message }) => message)).toContain('sum of controls differs from the total');
  });

  it('reports a state that is not one of ours, and changes nothing', async () => {
    const w = await started();
    w.store.objects.set(STATE, Buffer.from('{"version":7}'));
    const before = w.store.dump();
    await expect(monitor(w.runOf())).rejects.toThrow(/state\/tenant=.*is not a state of this program/s);
    expect(w.store.dump()).toEqual(before);
  });

  it('reports a damaged snapshot, archives the day again and goes on', async () => {
    const w = await started();
    const key = [...w.store.objects.keys()].find((name) => name.includes('date=2026-02-27/'))!;
    w.store.objects.set(key, Buffer.from('torn'));
    w.graph.days.set('2026-03-02', { ...BASE, controls: { ...BASE.controls, alpha: 5 } });
    w.clock.set('2026-03-02T07:00:00Z');
    const result = await monitor(w.runOf());
    expect(result.mails).toMatchObject([{ kind: 'scores' }]);
    expect(
      w.logged.some(({ level, message }) => level === 'error' && message.includes('date=2026-02-27')),
    ).toBe(true);
  });
});
