import { existsSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dateOfEntry, readAnswer, readProfiles, snapshotOf } from '../../lambda/graph/schema.ts';
import { datesBack, failureOf, TENANT_ID, wireControl, wireEntry, wireProfile } from './support.ts';

const DATES = datesBack(5);
const NEWEST = DATES[0] ?? '';

/** An answer of five days, newest first, whose n-th entry is changed. */
function answer(n = 0, change: (entry: Record<string, unknown>) => unknown = (entry) => entry) {
  const entries = DATES.map((date, i) =>
    i === n ? change({ ...wireEntry(date, i === 0) }) : wireEntry(date, i === 0),
  );
  return { entries, tenantId: TENANT_ID };
}

describe('a good answer', () => {
  const { days, skipped } = readAnswer(answer());

  test('becomes days in order', () => {
    expect(days.map(({ date }) => date)).toEqual(DATES.toReversed());
    expect(days.map(({ newest }) => newest)).toEqual([false, false, false, false, true]);
    expect(skipped).toEqual([]);
  });

  test('keeps each entry as it came', () => {
    const { entries, tenantId } = answer(0, (entry) => ({ ...entry, aKeyOfTomorrow: { deep: [1] } }));
    const before = structuredClone(entries);
    expect(readAnswer({ entries, tenantId }).days.at(-1)?.raw).toBe(entries[0]);
    expect(entries).toEqual(before);
  });

  test('becomes a snapshot', () => {
    expect(days.at(-1)?.snapshot).toEqual({
      date: NEWEST,
      points: 11.57,
      maximum: 20,
      enabledServices: ['HasAADP1', 'HasEXOP2'],
      peers: { allTenants: null, similarSize: null },
      controls: new Map([
        [
          'aad_mfa',
          {
            name: 'aad_mfa',
            category: 'Identity',
            points: 8.57,
            percentage: 85.7,
            complete: true,
            status: 'You have 3 of 5 users.',
            lastSynced: '2026-03-30T10:00:00Z',
            count: 3,
            total: 5,
            state: null,
          },
        ],
        ['11770.MDA_x', expect.objectContaining({ points: 3, complete: true })],
      ]),
    });
  });

  test('has texts on only its newest day', () => {
    for (const { snapshot } of days.slice(0, -1)) {
      for (const control of snapshot.controls.values()) {
        expect(control).toMatchObject({
          complete: false,
          status: null,
          lastSynced: null,
          count: null,
          total: null,
          state: null,
        });
      }
    }
  });

  test('has no texts on an older day even if Graph should send some', () => {
    const complete = readAnswer(answer(2, () => wireEntry(DATES[2] ?? '', true)));
    expect(complete.days[2]?.snapshot.controls.get('aad_mfa')).toMatchObject({
      complete: false,
      status: null,
    });
  });

  test('may have the tenant id in any case', () => {
    const upper = answer(0, (entry) => ({
      ...entry,
      id: `${TENANT_ID.toUpperCase()}_${NEWEST}`,
      azureTenantId: TENANT_ID.toUpperCase(),
    }));
    expect(readAnswer(upper).days).toHaveLength(5);
    expect(readAnswer({ ...answer(), tenantId: TENANT_ID.toUpperCase() }).days).toHaveLength(5);
  });

  test('may have its numbers as strings', () => {
    const text = answer(0, (entry) => ({
      ...entry,
      currentScore: '11.57',
      maxScore: ' 20 ',
      controlScores: [
        { ...wireControl('a', 0), score: '11.57', scoreInPercentage: '85.7', count: 3, total: 5 },
      ],
    }));
    expect(readAnswer(text).days.at(-1)).toMatchObject({
      difference: 0,
      snapshot: { points: 11.57, maximum: 20 },
    });
    expect(readAnswer(text).days.at(-1)?.snapshot.controls.get('a')).toMatchObject({
      points: 11.57,
      percentage: 85.7,
      count: 3,
      total: 5,
      state: null,
    });
  });

  test('may lack what is not needed', () => {
    const bare = answer(0, () => ({
      id: `${TENANT_ID}_${NEWEST}`,
      azureTenantId: TENANT_ID,
      createdDateTime: `${NEWEST}T00:00:00Z`,
      currentScore: 2,
      maxScore: 20,
      controlScores: [{ controlName: 'a', score: 2, scoreInPercentage: 'soon', count: -1, description: 'x' }],
    }));
    expect(readAnswer(bare).days.at(-1)?.snapshot).toEqual({
      date: NEWEST,
      points: 2,
      maximum: 20,
      enabledServices: null,
      peers: { allTenants: null, similarSize: null },
      controls: new Map([
        [
          'a',
          {
            name: 'a',
            category: '',
            points: 2,
            percentage: null,
            complete: true,
            status: null,
            lastSynced: null,
            count: null,
            total: null,
            state: null,
          },
        ],
      ]),
    });
  });

  test('of a tenant without points may have no controls', () => {
    const zero = answer(0, (entry) => ({ ...entry, currentScore: 0, controlScores: [] }));
    expect(readAnswer(zero).days.at(-1)?.snapshot.controls.size).toBe(0);
  });
});

describe('the sum of the controls', () => {
  test.each([
    [11.57, 0],
    [11.58, -0.01],
    [10.57, 1],
    [12.57, -1],
  ])('and a total of %d differ by %d', (currentScore, difference) => {
    const { days } = readAnswer(answer(0, (entry) => ({ ...entry, currentScore })));
    expect(days.at(-1)?.difference).toBeCloseTo(difference, 9);
  });

  test('differ by nothing at all below the rounding of the score', () => {
    expect(
      readAnswer(answer(0, (entry) => ({ ...entry, currentScore: 11.574 }))).days.at(-1)?.difference,
    ).toBe(0);
  });

  test('counts a name that occurs twice as one control with the points of both', () => {
    const twice = answer(0, (entry) => ({
      ...entry,
      controlScores: [wireControl('aad_mfa', 8), wireControl('aad_mfa', 0.57), wireControl('b', 3)],
    }));
    const day = readAnswer(twice).days.at(-1);
    expect(day?.difference).toBe(0);
    expect(day?.snapshot.controls.get('aad_mfa')).toMatchObject({
      points: 8.57,
      percentage: null,
      count: null,
    });
  });
});

describe('a value without effect on points', () => {
  const read = (fields: Record<string, unknown>) =>
    readAnswer(
      answer(0, (entry) => ({ ...entry, controlScores: [{ ...wireControl('a', 11.57), ...fields }] })),
    )
      .days.at(-1)
      ?.snapshot.controls.get('a');

  test.each([
    [{ scoreInPercentage: 100.01 }, { percentage: 100.01 }],
    [{ scoreInPercentage: 120 }, { percentage: null }],
    [{ scoreInPercentage: 'NaN' }, { percentage: null }],
    [
      { count: '6', total: '5' },
      { count: null, total: null },
    ],
    [
      { count: '2.5', total: '5' },
      { count: null, total: null },
    ],
    [
      { count: '0', total: '0' },
      { count: 0, total: 0 },
    ],
  ])('is unknown where it cannot be: %j', (fields, expected) => {
    expect(read(fields)).toMatchObject({ points: 11.57, ...expected });
  });

  test('an empty list of services is unknown, as a missing one is', () => {
    const { days } = readAnswer(answer(0, (entry) => ({ ...entry, enabledServices: [] })));
    expect(days.at(-1)?.snapshot.enabledServices).toBeNull();
  });

  test('an average of more than all is none', () => {
    const averageComparativeScores = [{ basis: 'AllTenants', averageScore: 812 }];
    const { days } = readAnswer(answer(0, (entry) => ({ ...entry, averageComparativeScores })));
    expect(days.at(-1)?.snapshot.peers.allTenants).toBeNull();
  });

  test.each([[null], ['NaN'], [-1], [undefined]])('a single score of %j is named, not guessed', (score) => {
    const controls = [wireControl('a', 3), wireControl('b', 4), { ...wireControl('c', 4.57), score }];
    const { days, skipped } = readAnswer(answer(0, (entry) => ({ ...entry, controlScores: controls })));
    expect([...days.at(-1)!.snapshot.controls.keys()]).toEqual(['a', 'b']);
    expect(days.at(-1)).toMatchObject({ snapshot: { points: 11.57, unreadable: ['c'] }, difference: 0 });
    expect(skipped).toEqual([]);
  });
});

describe('a bad entry', () => {
  const without = (key: string) => (entry: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(entry).filter(([name]) => name !== key));
  const set = (fields: Record<string, unknown>) => (entry: Record<string, unknown>) => ({
    ...entry,
    ...fields,
  });
  const setControl = (fields: Record<string, unknown>) =>
    set({ controlScores: [wireControl('b', 3), { ...wireControl('a', 8.57), ...fields }] });

  const cases: [string, string, RegExp, (entry: Record<string, unknown>) => unknown][] = [
    ['null', 'malformed-entry', /not an object but null/, () => null],
    ['a list', 'malformed-entry', /not an object/, () => []],
    ['a string', 'malformed-entry', /not an object but "x"/, () => 'x'],
    [
      'placeholder',
      'foreign-entry',
      /azureTenantId is "NA", not the configured/,
      set({ azureTenantId: 'NA' }),
    ],
    [
      "another tenant's id",
      'foreign-entry',
      /has another tenant/,
      (entry) => ({
        ...entry,
        id: String(entry['id']).replace(TENANT_ID, '99999999-9999-4999-8999-999999999999'),
      }),
    ],
    ['no tenant', 'malformed-entry', /azureTenantId/, without('azureTenantId')],
    ['no id', 'malformed-entry', /its id is undefined/, without('id')],
    ['an id without a date', 'malformed-entry', /not <tenant id>_<yyyy-MM-dd>/, set({ id: TENANT_ID })],
    ['an id of no day', 'malformed-entry', /_2026-02-30"/, set({ id: `${TENANT_ID}_2026-02-30` })],
    ['no createdDateTime', 'malformed-entry', /createdDateTime undefined/, without('createdDateTime')],
    [
      'a createdDateTime of another day',
      'malformed-entry',
      /createdDateTime "2020-01-01T00:00:00Z" is of another day/,
      set({ createdDateTime: '2020-01-01T00:00:00Z' }),
    ],
    ['no controlScores', 'partial-entry', /no controlScores/, without('controlScores')],
    ['controlScores null', 'partial-entry', /no controlScores/, set({ controlScores: null })],
    [
      'controlScores empty',
      'partial-entry',
      /empty though its currentScore is 11.57/,
      set({ controlScores: [] }),
    ],
    [
      'controlScores no list',
      'malformed-entry',
      /controlScores: found \{\}, expected a list/,
      set({ controlScores: {} }),
    ],
    [
      'no currentScore',
      'malformed-entry',
      /currentScore: is missing, expected a number/,
      without('currentScore'),
    ],
    ['no maxScore', 'malformed-entry', /maxScore: is missing, expected a number/, without('maxScore')],
    [
      'a negative score',
      'malformed-entry',
      /currentScore: found -1, expected a number of 0 or more/,
      set({ currentScore: -1 }),
    ],
    ['NaN', 'malformed-entry', /maxScore: found/, set({ maxScore: NaN })],
    [
      'an infinite score',
      'malformed-entry',
      /currentScore: found/,
      set({ currentScore: JSON.parse('1e999') }),
    ],
    [
      'an infinite text',
      'malformed-entry',
      /currentScore: found "999/,
      set({ currentScore: '9'.repeat(400) }),
    ],
    ['words', 'malformed-entry', /currentScore: found "8,57"/, set({ currentScore: '8,57' })],
    ['an empty text', 'malformed-entry', /currentScore: found ""/, set({ currentScore: '' })],
    [
      'a control without a name',
      'malformed-entry',
      /controlScores\[1\]\.controlName/,
      setControl({ controlName: '' }),
    ],
    [
      'a control without a score',
      'malformed-entry',
      /controlScores\[1\]\.score: found null/,
      setControl({ score: null }),
    ],
    [
      'a control below zero',
      'malformed-entry',
      /controlScores\[1\]\.score: found "-8.57"/,
      setControl({ score: '-8.57' }),
    ],
    [
      'more points than there are',
      'malformed-entry',
      /currentScore 99999 is more than its maxScore 20/,
      set({ currentScore: 99999 }),
    ],
    ['no maximum', 'malformed-entry', /currentScore is 11.57 though its maxScore is 0/, set({ maxScore: 0 })],
    ['a control that is null', 'malformed-entry', /controlScores\[0\]/, set({ controlScores: [null] })],
  ];

  test.each(cases)('as the newest fails the answer: %s', async (_, code, message, change) => {
    const error = await failureOf(() => readAnswer(answer(0, change)));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/newest entry of secureScores is (foreign|malformed|partial)\. entry 0\b/);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('Nothing was archived');
    expect(error.retryable).toBe(true);
  });

  test.each(cases)('as an older one is skipped and reported: %s', (_, _code, reason, change) => {
    const { days, skipped } = readAnswer(answer(2, change));
    expect(days.map(({ date }) => date)).toEqual(DATES.filter((date) => date !== DATES[2]).toReversed());
    expect(skipped).toHaveLength(1);
    expect(skipped[0]?.entry).toMatch(/^entry 2\b/);
    expect(skipped[0]?.reason).toMatch(reason);
  });

  test('is described by at most three faults, in one line', async () => {
    const error = await failureOf(() =>
      readAnswer(
        answer(0, set({ controlScores: Array.from({ length: 400 }, () => ({ controlName: 'x\n\u202Ey' })) })),
      ),
    );
    expect(error.message.match(/is missing/g)).toHaveLength(3);
    expect(error.message).not.toMatch(/[\n\u202E]/);
    expect(error.message.length).toBeLessThan(800);
  });

  test('counts as the newest if it has the latest date, wherever it is', async () => {
    const { entries, tenantId } = answer(0, set({ azureTenantId: 'NA' }));
    const error = await failureOf(() => readAnswer({ entries: entries.toReversed(), tenantId }));
    expect(error.message).toContain('entry 4');
  });

  test('that stands first and has no day counts as the newest, although others are complete', async () => {
    const error = await failureOf(() => readAnswer({ ...answer(), entries: [{}, ...answer().entries] }));
    expect(error.message).toContain('entry 0');
  });

  test('of a future day is left out and reported, and never the newest, because all days after it would look old', async () => {
    const now = new Date('2026-03-31T12:00:00Z');
    const future = { ...answer(), entries: [wireEntry('2026-04-02'), ...answer().entries], now };
    const { days, skipped } = readAnswer(future);
    expect(days).toEqual(readAnswer(answer()).days);
    expect(skipped).toMatchObject([{ date: '2026-04-02', reason: expect.stringContaining('in the future') }]);
    // A clock may be slow by a day; where all days are from the future, somebody's clock is wrong.
    expect(readAnswer({ ...answer(), now: new Date('2026-03-30T00:01:00Z') }).days).toHaveLength(5);
    const slow = { ...answer(), now: new Date('2025-03-31T12:00:00Z') };
    expect((await failureOf(() => readAnswer(slow))).message).toContain('(it is 2025-03-31)');
  });
});

test('an answer without entries means that there is no score yet', async () => {
  const error = await failureOf(() => readAnswer({ entries: [], tenantId: TENANT_ID }));
  expect(error.code).toBe('no-score-yet');
  expect(error.message).toContain('has no Secure Score yet');
});

describe('a date that occurs twice', () => {
  test('counts as it is first', () => {
    const entries = [wireEntry(NEWEST), { ...wireEntry(NEWEST), maxScore: 21 }];
    const { days, skipped } = readAnswer({ entries, tenantId: TENANT_ID });
    expect(days.map(({ raw }) => raw)).toEqual([entries[0]]);
    expect(skipped).toEqual([
      { entry: expect.stringMatching(/^entry 1 /), date: NEWEST, reason: expect.stringContaining('twice') },
    ]);
  });

  test('counts as the first complete one, even as the newest', () => {
    const entries = [{ ...wireEntry(NEWEST), controlScores: null }, wireEntry(NEWEST)];
    const { days, skipped } = readAnswer({ entries, tenantId: TENANT_ID });
    expect(days.map(({ raw }) => raw)).toEqual([entries[1]]);
    expect(skipped[0]).toMatchObject({ date: NEWEST, reason: 'it has no controlScores' });
  });
});

test('property: the order of the entries never matters', () => {
  const good = answer().entries;
  const complete = readAnswer({ entries: good, tenantId: TENANT_ID });
  fc.assert(
    fc.property(
      fc.shuffledSubarray(good, { minLength: 5, maxLength: 5 }),
      fc.array(fc.record({ at: fc.nat(5), junk: fc.jsonValue() }), { maxLength: 3 }),
      (shuffled, additions) => {
        expect(readAnswer({ entries: shuffled, tenantId: TENANT_ID }).days).toEqual(complete.days);
        // Junk behind the first place is skipped and named, and touches nothing.
        const mixed: unknown[] = [...shuffled];
        for (const { at, junk } of additions) mixed.splice(at + 1, 0, junk);
        const read = readAnswer({ entries: mixed, tenantId: TENANT_ID });
        expect(read.days).toEqual(complete.days);
        expect(read.skipped).toHaveLength(additions.length);
      },
    ),
    { numRuns: 300 },
  );
});

describe('an archived entry', () => {
  test('is read by the same rules', () => {
    for (const { raw, newest, snapshot } of readAnswer(answer()).days) {
      expect(snapshotOf(structuredClone(raw), newest)).toEqual(snapshot);
    }
  });

  test('that is degraded has no texts, even if it is marked as the newest', () => {
    const control = snapshotOf(wireEntry(NEWEST, false)).controls.get('aad_mfa');
    expect(control).toMatchObject({ complete: false, status: null, points: 8.57 });
  });

  test('that is damaged', async () => {
    const damaged = { ...wireEntry(NEWEST), currentScore: null };
    const error = await failureOf(() => snapshotOf(damaged));
    expect(error.code).toBe('archive-damaged');
    expect(error.message).toContain(`entry ("${TENANT_ID}_${NEWEST}")`);
    expect(error.message).toContain('currentScore: found null');
    expect((await failureOf(() => snapshotOf(null, true, 'x-damaged'))).code).toBe('x-damaged');
  });
});

describe('profiles', () => {
  test('are read by id', () => {
    const { profiles, skipped } = readProfiles([wireProfile('a'), wireProfile('b.c')]);
    expect([...profiles.keys()]).toEqual(['a', 'b.c']);
    expect(skipped).toEqual([]);
    expect(profiles.get('a')).toEqual({
      id: 'a',
      title: 'Title of a',
      maximum: 10,
      category: 'Identity',
      service: 'AzureAD',
      tier: 'Core',
      remediation: '<p>Do it.</p>',
      remediationImpact: 'None.',
      actionUrl: 'https://example.com/?tid=1',
      implementationCost: 'low',
      userImpact: null,
      decision: null,
    });
  });

  test('never fail a run: what cannot be read is null, what has no id is skipped and reported', () => {
    const { profiles, skipped } = readProfiles([
      { id: 'bare' },
      { id: 'odd', title: 7, maxScore: '9', remediation: {}, actionUrl: 1 },
      { id: 'minus', title: ' ', maxScore: -3 },
      { title: 'no id' },
      { id: '' },
      null,
      'text',
      { id: 'bare', title: 'again' },
    ]);
    expect([...profiles.values()].map(({ id, title, maximum }) => [id, title, maximum])).toEqual([
      ['bare', 'bare', null],
      ['odd', 'odd', 9],
      ['minus', 'minus', null],
    ]);
    expect(profiles.get('odd')).toMatchObject({ remediation: null, actionUrl: null });
    expect(skipped.map(({ entry }) => entry)).toEqual([
      'entry 3',
      'entry 4 ("")',
      'entry 5',
      'entry 6',
      'entry 7 ("bare")',
    ]);
    expect(skipped[0]?.reason).toContain('id: is missing');
  });

  test('property: accept anything', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (entries) => {
        const { profiles, skipped } = readProfiles(entries);
        expect(profiles.size + skipped.length).toBe(entries.length);
      }),
    );
  });
});

test.each([
  [{ id: `${TENANT_ID}_2026-03-31` }, '2026-03-31'],
  [{ id: 'NA_2026-03-31' }, '2026-03-31'],
  [{ createdDateTime: '2026-03-30T00:00:00Z' }, '2026-03-30'],
  [{ id: 'x', createdDateTime: 'yesterday' }, null],
  [{ id: 'x_2026-13-01' }, null],
  [null, null],
  [7, null],
])('the date of %j is %s', (entry, date) => {
  expect(dateOfEntry(entry)).toBe(date);
});

test('90 days of 411 controls are read in a moment', () => {
  const entries = datesBack(90).map((date, i) => ({
    ...wireEntry(date, i === 0),
    currentScore: 411,
    maxScore: 822,
    controlScores: Array.from({ length: 411 }, (_, n) => wireControl(`c${n}`, 1, i === 0)),
  }));
  const start = performance.now();
  expect(readAnswer({ entries, tenantId: TENANT_ID }).days).toHaveLength(90);
  expect(performance.now() - start).toBeLessThan(2_000);
});

/** The real, sanitised sample lies beside the repository, on some machines. */
const data = new URL('../../../shared/data/', import.meta.url);
const sample = (name: string) => JSON.parse(readFileSync(new URL(name, data), 'utf8')).value;

describe.skipIf(!existsSync(data))('a real answer', () => {
  test('of secureScores', () => {
    const entries = sample('secureScores.json');
    const { days, skipped } = readAnswer({ entries, tenantId: entries[0].azureTenantId });
    expect(skipped).toEqual([]);
    expect(days).toHaveLength(1);
    expect(days[0]).toMatchObject({ date: '2024-01-01', newest: true, difference: 0 });
    const { points, maximum, controls } = days[0]?.snapshot ?? { controls: new Map() };
    expect([points, maximum, controls.size]).toEqual([128, 274, 68]);
    expect([...controls.values()].every(({ complete, percentage }) => complete && percentage !== null)).toBe(
      true,
    );
  });

  test('of secureScoreControlProfiles', () => {
    const { profiles, skipped } = readProfiles(sample('secureScoreControlProfiles.page1.json'));
    expect(skipped).toEqual([]);
    expect(profiles.size).toBe(200);
    expect(
      [...profiles.values()].every(({ maximum, remediation }) => maximum !== null && remediation !== null),
    ).toBe(true);
  });
});

describe('peers and decisions', () => {
  const peersOf = (averageComparativeScores: unknown) =>
    snapshotOf({ ...wireEntry('2026-03-31'), averageComparativeScores }).peers;
  test('averages are per cent already; what is absent, or -1, is not known', () => {
    const basis = [
      { basis: 'IndustryTypes', averageScore: 1 },
      { basis: 'AllTenants', averageScore: 48.15, appsScore: 29.6 },
      { basis: 'TotalSeats', averageScore: '51.2', SeatSizeRangeLowerValue: '1' },
    ];
    expect(peersOf(basis)).toEqual({ allTenants: 48.15, similarSize: 51.2 });
    expect(peersOf([{ basis: 'AllTenants', averageScore: -1 }])).toEqual({
      allTenants: null,
      similarSize: null,
    });
    for (const none of [[], null, undefined, 'x'])
      expect(peersOf(none)).toEqual({ allTenants: null, similarSize: null });
  });

  const decisionOf = (controlStateUpdates: unknown) =>
    readProfiles([{ id: 'a', controlStateUpdates }]).profiles.get('a')?.decision;
  const update = (state: string | null, updatedDateTime: string | null, more = {}) => ({
    state,
    updatedDateTime,
    updatedBy: 'ada',
    comment: 'Okta',
    assignedTo: null,
    ...more,
  });
  test('the state in force is the one updated last, whatever the order', () => {
    const updates = [
      update('Default', null),
      update('ThirdParty', '2026-03-01T00:00:00Z'),
      update('Ignored', '2026-02-01T00:00:00Z'),
    ];
    const expected = {
      state: 'ThirdParty',
      previousState: 'Ignored',
      by: 'ada',
      at: '2026-03-01T00:00:00Z',
      comment: 'Okta',
    };
    expect(decisionOf(updates)).toEqual(expected);
    expect(decisionOf(updates.toReversed())).toEqual(expected);
  });
  test('a state without a time has none', () => {
    expect(decisionOf([update('Ignored', '0001-01-01T00:00:00Z')])).toMatchObject({ at: null });
  });
  test('a Default that somebody set is a decision taken back; one that nobody set is none', () => {
    expect(
      decisionOf([update('ThirdParty', '2026-02-01T00:00:00Z'), update('Default', '2026-03-01T00:00:00Z')]),
    ).toMatchObject({
      state: 'Default',
      previousState: 'ThirdParty',
    });
    for (const none of [
      undefined,
      null,
      [],
      'x',
      [{}],
      [update('Default', null)],
      [update(null, '2026-03-01T00:00:00Z')],
      // .NET's way to say that it is unset.
      [update('Default', '0001-01-01T00:00:00Z', { updatedBy: null })],
    ]) {
      expect(decisionOf(none)).toBeNull();
    }
  });
});
