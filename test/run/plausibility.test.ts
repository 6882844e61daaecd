import { describe, expect, it } from 'vitest';
import { Archive, canonical, contentHash } from '../../lambda/archive/archive.ts';
import { readRows, writeColumns } from '../../lambda/archive/columns/write.ts';
import { listTenants } from '../../lambda/archive/tenants.ts';
import { verify } from '../../lambda/archive/verify.ts';
import { addDays } from '../../lambda/dates.ts';
import { entry, fillDays, TENANT_ID, type DaySpec } from './fakes.ts';
import { withoutLedger } from './ledgers.ts';
import { BASE, CONTROLS, profile, started, type Tamper } from './tampered.ts';

/** Answers that pass every single check and cannot be true, or cannot follow what was before. */

const STATE = `state/tenant=${TENANT_ID}.json`;
const withAlpha = (alpha: number): DaySpec => ({ ...BASE, controls: { ...CONTROLS, alpha } });

const stateOf = (w: { store: { objects: Map<string, Uint8Array> } }) =>
  JSON.parse(Buffer.from(w.store.objects.get(STATE)!).toString());

const text = (w: Awaited<ReturnType<typeof started>>, index = -1) =>
  w.mailer.sent.at(index)!.text.replaceAll(/\s+/g, ' ');

const newest =
  (fields: Record<string, unknown>): Tamper =>
  ([first, ...others]) => [{ ...first, ...fields }, ...others];

describe('an entry dated five months ahead', () => {
  const ahead: Tamper = (entries) => [
    { ...entries[0], id: `${TENANT_ID}_2026-08-01`, createdDateTime: '2026-08-01T00:00:00Z' },
    ...entries,
  ];

  it('is left out and mentioned; the real newest day is archived, compared and reported', async () => {
    const w = await started();
    w.tamper(ahead);
    const { archived, changes, score } = await w.on('2026-03-02', withAlpha(4));
    expect(archived).toEqual(['2026-03-02']);
    expect(score.date).toBe('2026-03-02');
    expect(changes).toMatchObject([{ kind: 'lost', control: 'alpha', points: { before: 8, after: 4 } }]);
    expect(text(w)).toMatch(/2026-08-01"\) was left out: its day 2026-08-01 lies in the future/);
    expect([...w.store.objects.keys()].filter((key) => key.includes('2026-08-01'))).toEqual([]);
  });

  /** As an earlier version left it: the entry archived as the newest day, the cursor at it, a report of it. */
  async function poisoned(tampered: DaySpec = BASE) {
    const w = await started();
    await w.on('2026-03-02', withAlpha(7));
    const raw = entry('2026-08-01', tampered, true);
    const archive = new Archive(w.store, TENANT_ID);
    withoutLedger(w.store);
    const content = { fetchedAt: '2026-03-02T07:00:00.000Z', newest: true, secureScore: raw };
    await archive.add(archive.newSnapshot('2026-08-01', canonical(raw), content));
    const state = stateOf(w);
    const points = Object.values(tampered.controls).reduce((sum, value) => sum + value, 0);
    const score = { date: '2026-08-01', points, maximum: 40, percentage: (100 * points) / 40 };
    state.cursor = { ...state.cursor, date: '2026-08-01', snapshot: contentHash(raw) };
    state.trend.push({ ...score, moved: 0, rescored: 0 });
    state.settling.account.since = score;
    w.store.objects.set(STATE, Buffer.from(JSON.stringify(state)));
    const report = [...w.store.objects].findLast(([key]) => key.startsWith('reports/'))!;
    const archived = JSON.parse(Buffer.from(report[1]).toString());
    archived.report = { ...archived.report, to: state.cursor, toldAt: '2026-03-02T07:00:01.000Z' };
    await archive.add(archive.newReport({ ...archived, next: state }));
    w.mailer.sent.length = 0;
    return w;
  }

  it.each([
    ['with its state', false],
    ['without its state', true],
  ])('already in the archive: the run %s goes on from the last plausible day', async (_, isLost) => {
    const w = await poisoned();
    if (isLost) w.store.objects.delete(STATE);
    const { changes, kinds } = await w.on('2026-03-03', withAlpha(3));
    expect(changes).toMatchObject([
      { kind: 'lost', control: 'alpha', previousDate: '2026-03-02', points: { before: 7, after: 3 } },
    ]);
    expect(kinds).toEqual(['scores']);
    expect(w.mailer.subjects()[0]).toContain('40.0 %');
    expect(stateOf(w)).toMatchObject({ cursor: { date: '2026-03-03' }, lastRun: { newest: '2026-03-03' } });
    expect(stateOf(w).trend.at(-1).date).toBe('2026-03-03');
    expect(stateOf(w).trend.map(({ date }: { date: string }) => date)).not.toContain('2026-08-01');
    // The state that is lost only now is taken up from the report made last, not from that of the greatest day.
    w.store.objects.delete(STATE);
    expect((await w.on('2026-03-04', withAlpha(3))).changes).toEqual([]);
  });

  it('repeats no mail, whatever it was archived with', async () => {
    const w = await poisoned(withAlpha(1));
    expect((await w.on('2026-03-03', withAlpha(7))).kinds).toEqual([]);
    expect((await w.on('2026-03-04', withAlpha(6))).changes).toMatchObject([
      { points: { before: 7, after: 6 } },
    ]);
  });

  it('does not become true when its date has come', async () => {
    const w = await poisoned(withAlpha(1));
    fillDays(w.graph, '2026-03-03', 151, withAlpha(7));
    const { changes } = await w.runAt('2026-07-31T07:00:00Z');
    expect(changes.filter(({ control }) => control === 'alpha')).toEqual([]);
    expect((await w.on('2026-08-01', withAlpha(7))).archived).toEqual(['2026-08-01']);
  });

  it('is listed by verify, and has no rows and makes no gap', async () => {
    const w = await poisoned();
    await w.on('2026-03-03', withAlpha(3));
    const [objects] = (await listTenants(w.store)).tenants;
    const { findings, gaps, last } = await verify({ store: w.store, objects: objects! });
    expect(findings).toMatchObject([
      {
        kind: 'implausible',
        key: expect.stringContaining('date=2026-08-01/'),
        why: 'it was fetched on 2026-03-02, before its day could be',
      },
    ]);
    expect({ gaps, last }).toEqual({ gaps: [], last: '2026-03-03' });
  });
});

describe('a score that cannot be', () => {
  it.each([
    [
      'more points than there are',
      { currentScore: 99_999 },
      'currentScore 99999 is more than its maxScore 40',
    ],
    ['no maximum', { maxScore: 0 }, 'currentScore is 21 though its maxScore is 0'],
  ])('%s: the run fails, and nothing is archived, compared or sent', async (_, fields, reason) => {
    const w = await started();
    const before = w.store.dump('snapshots/');
    w.tamper(newest(fields));
    await expect(w.on('2026-03-02', BASE)).rejects.toThrow(reason);
    expect(w.store.dump('snapshots/')).toEqual(before);
    expect(w.mailer.sent).toEqual([]);
  });

  it('that an earlier version archived and reported is not the baseline', async () => {
    const w = await started();
    const raw = { ...entry('2026-03-02', withAlpha(7), true), currentScore: 99_999 };
    withoutLedger(w.store);
    const archive = new Archive(w.store, TENANT_ID);
    const content = { fetchedAt: '2026-03-02T07:00:00.000Z', newest: true, secureScore: raw };
    await archive.add(archive.newSnapshot('2026-03-02', canonical(raw), content));
    const state = stateOf(w);
    state.cursor = { ...state.cursor, date: '2026-03-02', snapshot: contentHash(raw) };
    const score = { date: '2026-03-02', points: 99_999, maximum: 40, percentage: 249_997.5 };
    state.trend.push({ ...score, moved: 0, rescored: 0 });
    w.store.objects.set(STATE, Buffer.from(JSON.stringify(state)));
    const { changes, archived } = await w.on('2026-03-02', withAlpha(7));
    expect(archived).toEqual(['2026-03-02']);
    expect(changes).toMatchObject([{ kind: 'lost', previousDate: '2026-03-01' }]);
  });
});

describe('a total that does not match its controls', () => {
  const less = { ...BASE, total: 8.5 };

  it('is suspect: operations are notified once; it counts when two further days disagree too', async () => {
    const w = await started();
    const first = await w.on('2026-03-02', less);
    expect(first.kinds).toEqual(['operations']);
    expect(first.score).toMatchObject({ date: '2026-03-01', points: 21 });
    expect(w.mailer.subjects()[0]).toContain('the total and its recommendations disagree by 12.5 points');
    expect(first.changes).toMatchObject([
      {
        kind: 'suspect',
        title: 'The total and its recommendations disagree by 12.5 points on 2 Mar 2026',
      },
    ]);
    // By how much may differ: a total that moves daily on its own must not hide the tenant for ever.
    expect((await w.on('2026-03-03', { ...less, total: 5 })).kinds).toEqual([]);
    const last = await w.on('2026-03-04', { ...withAlpha(4), total: 7 });
    expect(last.kinds).toEqual(['scores']);
    expect(last.changes).toMatchObject([{ kind: 'lost', control: 'alpha', date: '2026-03-04' }]);
    expect(text(w)).toContain('Snapshots are no longer suspect: some were held back from 2 Mar 2026');
    // From then on the total is not the sum: so the difference is not reported again.
    expect((await w.on('2026-03-05', { ...withAlpha(4), total: 1 })).kinds).toEqual([]);
  });

  it('and recovers the next day does not count; what was lost meanwhile is reported', async () => {
    const w = await started();
    await w.on('2026-03-02', { ...withAlpha(4), total: 4.5 });
    const { changes, kinds } = await w.on('2026-03-03', withAlpha(4));
    expect(changes).toMatchObject([{ kind: 'lost', control: 'alpha', previousDate: '2026-03-01' }]);
    expect(kinds).toEqual(['scores']);
    expect(text(w)).toContain('disagreed by 12.5 points');
  });

  it('by half a point is rounding', async () => {
    const w = await started();
    expect((await w.on('2026-03-02', { ...BASE, total: 20.5 })).kinds).toEqual([]);
    expect(stateOf(w).cursor.date).toBe('2026-03-02');
  });
});

describe('a day on which most controls are gone', () => {
  it.each([[[]], [undefined], [['HasMDE']]])(
    'is suspect whatever it says of the services: %j',
    async (services) => {
      const w = await started();
      w.tamper((entries) => newest({ enabledServices: services })(entries));
      expect((await w.on('2026-03-02', { ...BASE, controls: { alpha: 8 } })).kinds).toEqual(['operations']);
      expect(stateOf(w).cursor.date).toBe('2026-03-01');
    },
  );

  it('makes one episode however its days contradict each other, and its end is mentioned', async () => {
    const w = await started();
    const kinds = [];
    for (const [date, controls] of [
      ['2026-03-02', { alpha: 8 }],
      ['2026-03-03', { beta: 5 }],
      ['2026-03-04', { alpha: 8 }],
      ['2026-03-05', CONTROLS],
      ['2026-03-06', { ...CONTROLS, alpha: 4 }],
    ] as const) {
      kinds.push((await w.on(date, { ...BASE, controls: { ...controls } })).kinds);
    }
    expect(kinds).toEqual([['operations'], [], [], [], ['scores']]);
    expect(text(w)).toContain('some were held back from 2 Mar 2026 to 5 Mar 2026');
  });
});

describe('enabled services', () => {
  it('that a day does not list do not change, and do not hide a change', async () => {
    const w = await started();
    w.tamper(newest({ enabledServices: [] }));
    expect((await w.on('2026-03-02', BASE)).changes).toEqual([]);
    expect((await w.on('2026-03-03', BASE)).changes).toEqual([]);
    w.tamper((entries) => entries);
    w.graph.days.delete('2026-03-02');
    w.graph.days.delete('2026-03-03');
    expect((await w.on('2026-03-04', { ...BASE, services: ['HasMDE'] })).changes).toMatchObject([
      { kind: 'services', title: 'Enabled services changed: + HasMDE, − HasEXOP2' },
    ]);
  });
});

describe('a catalogue', () => {
  const decided = {
    state: 'Ignored',
    updatedDateTime: '2026-03-03T05:00:00Z',
    updatedBy: 'ada',
    comment: null,
  };

  it.each([
    ['that is empty', 0],
    ['that came with less than half of its profiles', 4],
  ])('%s: the last complete one stays in force, and operations are notified once', async (_, size) => {
    const w = await started();
    const complete = w.graph.profiles;
    const before = w.store.dump('profiles/');
    w.graph.profiles = complete.slice(6, 6 + size);
    const { kinds, changes } = await w.on('2026-03-02', withAlpha(4));
    expect(kinds).toEqual(['scores', 'operations']);
    expect(changes).toMatchObject([{ kind: 'lost', title: 'Title of alpha' }, { kind: 'suspect' }]);
    expect(w.mailer.subjects()[1]).toContain(`list of recommendations is partial: ${size} of 10`);
    expect((await w.on('2026-03-03', withAlpha(4))).kinds).toEqual([]);
    expect(w.store.dump('profiles/')).toEqual(before);
    // What was decided meanwhile is reported when it is complete, with the end of the episode.
    w.graph.profiles = complete.with(1, profile('beta', [decided]));
    expect((await w.on('2026-03-04', withAlpha(4))).changes).toMatchObject([
      { kind: 'decided', control: 'beta' },
    ]);
    expect(text(w)).toContain('complete again: it was partial from 2 Mar 2026 to 4 Mar 2026');
  });

  it('without all its decisions: none counts as taken back, until that lasts for 14 days', async () => {
    const w = await started();
    const bare = w.graph.profiles;
    w.graph.profiles = bare
      .with(
        0,
        profile('alpha', [{ ...decided, state: 'ThirdParty', updatedDateTime: '2026-03-01T05:00:00Z' }]),
      )
      .with(1, profile('beta', [{ ...decided, updatedDateTime: '2026-03-01T05:00:00Z' }]));
    const complete = w.graph.profiles;
    await w.on('2026-03-02', BASE);
    w.graph.profiles = bare;
    // What is lost meanwhile is reported as what it is.
    const { kinds, changes } = await w.on('2026-03-03', withAlpha(4));
    expect(kinds).toEqual(['scores', 'operations']);
    expect(changes).toMatchObject([{ kind: 'lost', cause: 'earned' }, { kind: 'suspect' }]);
    expect(w.mailer.subjects().at(-1)).toContain('partial: without its 2 decisions');
    expect(text(w)).toContain(
      "All 2 decisions are missing from Microsoft's list of recommendations, and it does not say who took them back",
    );
    w.graph.profiles = complete;
    expect((await w.on('2026-03-04', withAlpha(4))).changes).toEqual([]);
    w.graph.profiles = bare;
    const later = [];
    for (let day = 0; day < 15; day += 1)
      later.push(...(await w.on(addDays('2026-03-05', day), withAlpha(4))).changes);
    expect(later).toMatchObject([
      { kind: 'suspect' },
      { kind: 'decided', control: 'alpha' },
      { kind: 'decided', control: 'beta' },
    ]);
  });

  it('in which the only decision is gone: it was taken back, by whom and when is unknown', async () => {
    const w = await started();
    const bare = w.graph.profiles;
    const made = { ...decided, state: 'ThirdParty', updatedDateTime: '2026-03-01T05:00:00Z' };
    w.graph.profiles = bare.with(0, profile('alpha', [made]));
    // The mark gives all 10 points.
    await w.on('2026-03-02', withAlpha(10));
    w.graph.profiles = bare;
    const { kinds, changes, explanation } = await w.on('2026-03-03', withAlpha(0));
    expect(kinds).toEqual(['scores', 'controls']);
    expect(changes).toMatchObject([
      { kind: 'lost' },
      { kind: 'decided', control: 'alpha', cause: 'decided' },
    ]);
    expect(explanation).toMatchObject({ earned: 0, decided: -25 });
    expect(text(w)).toContain('Third party taken back.');
  });

  it('that is older for a late day than what was reported: nothing is taken back, or reported twice', async () => {
    const w = await started();
    w.graph.profiles = w.graph.profiles.with(
      1,
      profile('beta', [{ ...decided, updatedDateTime: '2026-03-04T05:00:00Z' }]),
    );
    // Decided on 4 March, while the newest snapshot is of 1 March: it is reported with that of 2 March.
    w.graph.days.set('2026-03-02', withAlpha(4));
    const { changes } = await w.runAt('2026-03-04T07:00:00Z');
    expect(changes.map(({ kind }) => kind)).toEqual(['lost', 'decided']);
    w.graph.days.set('2026-03-03', withAlpha(4));
    w.graph.days.set('2026-03-04', withAlpha(4));
    w.graph.days.set('2026-03-05', withAlpha(4));
    w.graph.profiles = w.graph.profiles.toReversed();
    expect((await w.runAt('2026-03-05T07:00:00Z')).changes).toEqual([]);
  });

  /** The days with a decision, by control, as the history's columns have them; they are what a rebuild makes. */
  async function decisionRows(w: Awaited<ReturnType<typeof started>>): Promise<[string, string][]> {
    const bytes = w.store.objects.get(`history/changes/month=2026-03/${TENANT_ID}.parquet`)!;
    const copy = w.store.copy();
    for (const key of copy.objects.keys()) if (/^(history|state)\//.test(key)) copy.objects.delete(key);
    await writeColumns({ store: copy, tenantId: TENANT_ID, log: w.run.ports.log, everything: true });
    expect(w.store.dump('history/')).toEqual(copy.dump('history/'));
    return readRows('changes', { month: '2026-03', tenantId: TENANT_ID, bytes }).flatMap(
      ({ kind, control, date }) => (kind === 'decided' ? [[date, String(control)] as [string, string]] : []),
    );
  }

  const decidedOn = (id: string, day: string) =>
    profile(id, [{ ...decided, updatedDateTime: `2026-03-${day}T05:00:00Z` }]);

  it('that is partial for long hides what was decided meanwhile: mails and rows have it once it is complete', async () => {
    const w = await started();
    const complete = w.graph.profiles;
    w.graph.profiles = complete.slice(0, 2);
    for (let day = 2; day < 14; day += 1)
      await w.on(`2026-03-${String(day).padStart(2, '0')}`, withAlpha(8 - (day % 2)));
    w.graph.profiles = complete.with(1, decidedOn('beta', '03'));
    const { changes } = await w.on('2026-03-14', BASE);
    expect(changes.flatMap(({ kind, control }) => (kind === 'decided' ? [control] : []))).toEqual(['beta']);
    expect(await decisionRows(w)).toEqual([['2026-03-14', 'beta']]);
  });

  it('that becomes partial after Graph was silent for long hides nothing of what was there before', async () => {
    const w = await started();
    const complete = w.graph.profiles;
    const first = complete.with(1, decidedOn('beta', '03'));
    w.graph.profiles = first;
    await w.runAt('2026-03-04T07:00:00Z');
    w.graph.profiles = complete.slice(0, 2);
    // What is known already is reported with the first day, and the rest when the catalogue is complete.
    const seen = [];
    for (const day of ['21', '22']) seen.push(...(await w.on(`2026-03-${day}`, withAlpha(4))).changes);
    w.graph.profiles = first.with(2, decidedOn('gamma', '06'));
    seen.push(...(await w.on('2026-03-23', withAlpha(4))).changes);
    const reported = seen
      .filter(({ kind }) => kind === 'decided')
      .map(({ date, control }) => [date, control]);
    expect(reported).toEqual([
      ['2026-03-21', 'beta'],
      ['2026-03-23', 'gamma'],
    ]);
    expect(await decisionRows(w)).toEqual(reported);
  });

  it('that came with half of its profiles is the catalogue, and so is a part that lasts for 14 days', async () => {
    const w = await started();
    const complete = w.graph.profiles;
    w.graph.profiles = complete.slice(0, 5);
    expect((await w.on('2026-03-02', BASE)).kinds).toEqual([]);
    w.graph.profiles = complete.slice(0, 2);
    const kinds = [];
    for (let day = 0; day < 16; day += 1) kinds.push(...(await w.on(addDays('2026-03-03', day), BASE)).kinds);
    expect(kinds).toEqual(['operations']);
    expect(stateOf(w).said.catalogue).toBeNull();
  });
});

describe('a control whose score cannot be read', () => {
  const broken =
    (name: string, score: unknown): Tamper =>
    ([first, ...others]) => {
      const { controlScores } = first as { controlScores: { controlName: string }[] };
      const scores = controlScores.map((each) => (each.controlName === name ? { ...each, score } : each));
      return [{ ...first, controlScores: scores }, ...others];
    };

  it('is held and reported once, all others are compared, and its own change is reported when it can be read', async () => {
    const w = await started();
    w.tamper(broken('beta', null));
    const day: DaySpec = { ...BASE, controls: { ...CONTROLS, alpha: 4, beta: 3 } };
    const first = await w.on('2026-03-02', day);
    expect(first.kinds).toEqual(['scores', 'operations']);
    expect(first.changes).toMatchObject([{ kind: 'lost', control: 'alpha' }, { kind: 'suspect' }]);
    expect(text(w, 0)).toContain(
      'The score of beta cannot be read on 2 Mar 2026, so its last known 5 points are used',
    );
    expect(w.mailer.subjects()[1]).toContain('1 recommendation without a readable score');
    // The total has what the control has lost, though nobody can say so yet.
    const { before, after, earned, rescored, decided, unexplained } = first.explanation;
    expect(earned + rescored + decided + unexplained).toBeCloseTo(after! - before!, 9);
    expect(unexplained).toBeCloseTo(-5, 9);

    // Each day comes without its fault only once it is not the newest any more: so take that away as well.
    w.tamper((entries) =>
      broken('beta', 'NaN')(entries).filter(({ id }) => id !== `${TENANT_ID}_2026-03-02`),
    );
    expect((await w.on('2026-03-03', day)).kinds).toEqual([]);
    w.tamper((entries) => entries.slice(0, 1));
    const { changes } = await w.on('2026-03-04', day);
    expect(changes).toMatchObject([{ kind: 'lost', control: 'beta', points: { before: 5, after: 3 } }]);
    expect(text(w)).toContain('All scores can be read again: some could not from 2 Mar 2026 to 4 Mar 2026');
    const [objects] = (await listTenants(w.store)).tenants;
    expect((await verify({ store: w.store, objects: objects! })).findings).toEqual([]);
  });

  it('does not disable the check of the total', async () => {
    const w = await started();
    w.tamper(broken('beta', null));
    expect((await w.on('2026-03-02', { ...BASE, total: 2 })).changes.map(({ kind }) => kind)).toContain(
      'suspect',
    );
    expect(stateOf(w).cursor.date).toBe('2026-03-01');
  });
});

describe('a feed that lags', () => {
  it('by four days for two weeks is one episode, whose end the next mail mentions', async () => {
    const w = await started();
    const kinds: string[] = [];
    for (let day = 0; day < 14; day += 1) {
      const date = addDays('2026-03-02', day);
      w.graph.days.set(date, BASE);
      kinds.push(...(await w.runAt(`${addDays(date, 4)}T07:00:00Z`)).kinds);
    }
    expect(kinds).toEqual(['operations']);
    expect(stateOf(w).said.stale).toBe('2026-03-02');
    expect((await w.on('2026-03-20', BASE)).kinds).toEqual([]);
    expect((await w.on('2026-03-21', withAlpha(4))).kinds).toEqual(['scores']);
    expect(text(w)).toContain('the Secure Score was stale from 2 Mar 2026 to 20 Mar 2026');
    expect((await w.on('2026-03-22', withAlpha(3))).kinds).toEqual(['scores']);
    expect(text(w)).not.toContain('stale');
    // A new episode is reported again.
    expect((await w.runAt('2026-03-25T07:00:00Z')).kinds).toEqual(['operations']);
  });

  it('goes on from an older state that reported it', async () => {
    const w = await started();
    const { held: _, services: __, ...state } = stateOf(w);
    state.said = { stale: '2026-02-26', suspect: null, failing: null };
    w.store.objects.set(STATE, Buffer.from(JSON.stringify(state)));
    expect((await w.runAt('2026-03-05T07:00:00Z')).kinds).toEqual([]);
    expect(stateOf(w).said.stale).toBe('2026-02-26');
  });
});
