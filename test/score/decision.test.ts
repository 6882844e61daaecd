import { describe, expect, it } from 'vitest';
import { carryStates, lackedDecisions } from '../../lambda/score/decision.ts';
import { diff } from '../../lambda/score/diff.ts';
import type { Decision, Snapshot } from '../../lambda/score/snapshot.ts';
import { control, profile, snapshot } from './arbitraries.ts';

const decision = (state: string, at: string | null, more: Partial<Decision> = {}): Decision => ({
  state,
  at,
  previousState: null,
  by: 'ada@contoso.com',
  comment: null,
  ...more,
});

/** Of a control worth 8, with the state that it says itself, and the decision that the catalogue has. */
interface Side {
  points?: number;
  state?: string | null;
  decision?: Decision | null;
  unknown?: boolean;
}

function rows(before: Side, after: Side) {
  const [first, second] = [before, after].map(({ points = 0, state = null }, index) =>
    day(`2026-03-1${index}`, points, state),
  );
  const [earlier, later] = [before, after].map(
    (side) =>
      new Map(
        side.unknown
          ? []
          : [['scid_51', profile('scid_51', { maximum: 8, decision: side.decision ?? null })]],
      ),
  );
  return diff(first!, second!, { before: earlier!, after: later! }).map((row) => ({
    kind: row.change.kind,
    cause: row.change.cause,
    decision: row.decision,
  }));
}

function day(date: string, points: number, state: string | null): Snapshot {
  const of = control('scid_51', points, { state, complete: state !== null, category: 'Device' });
  return snapshot(date, {}, { points, maximum: 18, controls: new Map([['scid_51', of]]) });
}

describe('a decision of the catalogue', () => {
  it.each<[string, Side, Side, string[]]>([
    [
      'a Default that nobody set is none, whatever its date',
      {},
      { decision: decision('Default', '2026-03-11T09:00:00Z', { by: null }) },
      [],
    ],
    ['nor one of years ago', {}, { decision: decision('Default', '2019-03-19T22:37:14Z', { by: null }) }, []],
    [
      'that takes something back is one, though nobody is named',
      { decision: decision('ThirdParty', '2026-02-01T00:00:00Z') },
      { decision: decision('Default', '2026-03-11T09:00:00Z', { by: null }) },
      ['decided'],
    ],
    [
      'that is no longer there was taken back',
      { decision: decision('ThirdParty', '2026-02-01T00:00:00Z') },
      {},
      ['decided'],
    ],
    [
      'in whose place there is a Default that nobody set',
      { decision: decision('ThirdParty', '2026-02-01T00:00:00Z') },
      { decision: decision('Default', '2019-03-19T22:37:14Z', { by: null }) },
      ['decided'],
    ],
    ['whose profile is gone', { decision: decision('ThirdParty', null) }, { unknown: true }, []],
    [
      'that is gone, though it was taken after the day',
      { decision: decision('Ignored', '2026-03-12T00:00:00Z') },
      {},
      [],
    ],
    [
      'that was taken back, and is no longer there',
      { decision: decision('Default', '2026-03-10T00:00:00Z') },
      {},
      [],
    ],
    ['made since the day before', {}, { decision: decision('Ignored', '2026-03-11T09:00:00Z') }, ['decided']],
    [
      'made while the score was stale, after the day last compared',
      {},
      { decision: decision('Ignored', '2026-03-10T00:00:00Z') },
      ['decided'],
    ],
    ['published late', {}, { decision: decision('Ignored', '2026-03-05T00:00:00Z') }, ['decided']],
    ['that was known long before', {}, { decision: decision('Ignored', '2026-02-05T00:00:00Z') }, []],
    [
      'of a profile that comes back, made before',
      { unknown: true },
      { decision: decision('Ignored', '2026-03-05T00:00:00Z') },
      [],
    ],
    ['without a date', {}, { decision: decision('Ignored', null) }, ['decided']],
    [
      'the same as before',
      { decision: decision('Ignored', null) },
      { decision: decision('ignored', null) },
      [],
    ],
  ])('%s', (_, before, after, kinds) => {
    expect(rows(before, after).map(({ kind }) => kind)).toEqual(kinds);
  });
});

describe('a decision that was in force and is gone', () => {
  const thirdParty = decision('ThirdParty', '2026-02-01T00:00:00Z');

  it.each<[string, Decision | null]>([
    ['nothing', null],
    ['a Default of years ago', decision('Default', '2019-03-19T22:37:14Z', { by: null })],
  ])('was taken back, by whom and when is unknown, if %s is left, and that explains the loss', (_, left) => {
    expect(rows({ points: 8, decision: thirdParty }, { decision: left })).toEqual([
      { kind: 'lost', cause: null, decision: null },
      {
        kind: 'decided',
        cause: 'decided',
        decision: { state: 'Default', previousState: 'ThirdParty', by: null, at: null, comment: null },
      },
    ]);
  });

  it.each([
    ['by somebody', decision('Default', '2026-01-05T00:00:00Z')],
    ['at a moment', decision('Default', '2026-03-11T09:00:00Z', { by: null })],
  ])('was taken back %s, if that is known', (_, { by, at, ...left }) => {
    const [row] = rows({ decision: thirdParty }, { decision: { by, at, ...left } });
    expect(row!.decision).toMatchObject({ by, at, previousState: 'ThirdParty' });
  });
});

describe('a catalogue lacks its decisions', () => {
  const of = (...decisions: (Decision | null)[]) =>
    new Map(decisions.map((one, index) => [`c${index}`, profile(`c${index}`, { decision: one })]));
  const last = of(decision('ThirdParty', '2026-02-01T00:00:00Z'), decision('Ignored', null), null);
  const old = decision('Default', '2019-03-19T22:37:14Z', { by: null });

  it.each<[string, ReturnType<typeof of>, number]>([
    ['where all are gone at once', of(null, null, null), 2],
    ['and made by somebody since', of(null, null, decision('Ignored', '2026-03-11T00:00:00Z')), 2],
    ['not where one is left', of(null, decision('Ignored', null)), 0],
    ['not where somebody took one back', of(null, decision('Default', '2026-03-11T00:00:00Z')), 0],
    ['nor where the profiles are gone', of(null), 0],
  ])('%s', (_, profiles, count) => {
    expect(lackedDecisions(last, profiles)).toBe(count);
  });

  it('if Defaults of years ago replace them', () => {
    const dated = of(
      decision('ThirdParty', '2026-02-01T00:00:00Z'),
      decision('Ignored', '2026-02-02T00:00:00Z'),
    );
    expect(lackedDecisions(dated, of(old, old))).toBe(2);
  });

  it('never if there was only one, because it may be taken back on any day', () => {
    expect(lackedDecisions(of(decision('ThirdParty', null), null), of(null, null))).toBe(0);
  });
});

describe('a state in the control itself', () => {
  it('explains the points that it gives, and says that the catalogue has another', () => {
    const found = rows({ state: 'default' }, { state: 'thirdParty', points: 8 });
    expect(found).toMatchObject([
      { kind: 'gained', cause: null },
      {
        kind: 'decided',
        cause: 'decided',
        decision: { state: 'thirdParty', previousState: 'default', inCatalogue: 'Default', at: null },
      },
    ]);
  });

  it('explains the loss where it is taken back', () => {
    expect(rows({ state: 'thirdParty', points: 8 }, { state: 'default' })).toMatchObject([
      { kind: 'lost' },
      { kind: 'decided', cause: 'decided', decision: { state: 'default', previousState: 'thirdParty' } },
    ]);
  });

  it('may be of some devices, and explains the part of the points that it gives', () => {
    expect(rows({ state: 'default' }, { state: 'thirdParty', points: 3 })).toMatchObject([
      { kind: 'gained' },
      { kind: 'decided', cause: 'decided' },
    ]);
  });

  it('is a decision even if it gives no points', () => {
    const [row, ...others] = rows({ state: 'default' }, { state: 'riskAccepted' });
    expect(others).toEqual([]);
    expect(row).toMatchObject({ kind: 'decided', cause: null, decision: { state: 'riskAccepted' } });
    // A gain that such a state does not give is earned.
    expect(rows({ state: 'default' }, { state: 'riskAccepted', points: 8 })).toMatchObject([
      { kind: 'gained' },
      { kind: 'decided', cause: 'earned' },
    ]);
  });

  it('that the catalogue knows more about is taken from the catalogue', () => {
    const known = decision('ThirdParty', '2026-03-11T09:00:00Z');
    const found = rows({ state: 'default' }, { state: 'thirdParty', points: 8, decision: known });
    expect(found[1]).toMatchObject({ kind: 'decided', decision: { by: 'ada@contoso.com' } });
    expect(found[1]!.decision).not.toHaveProperty('inCatalogue');
  });

  it('that differs from a new one in the catalogue counts, and mentions the other', () => {
    const known = decision('Ignored', '2026-03-11T09:00:00Z');
    expect(rows({ state: 'default' }, { state: 'thirdParty', points: 8, decision: known })[1]).toMatchObject({
      decision: { state: 'thirdParty', inCatalogue: 'Ignored' },
    });
  });

  it('is not known of a day that does not say it', () => {
    expect(rows({ state: null }, { state: 'thirdParty' })).toEqual([]);
    expect(rows({ state: 'thirdParty' }, { state: null })).toEqual([]);
    expect(rows({ state: 'default' }, { state: 'Default' })).toEqual([]);
  });

  it('is carried over days that do not say it', () => {
    const days = [
      day('2026-03-10', 0, 'default'),
      day('2026-03-11', 0, null),
      day('2026-03-12', 8, 'thirdParty'),
      day('2026-03-13', 8, null),
      day('2026-03-14', 8, 'thirdParty'),
    ];
    const steps = days.slice(1).map((after, index) => ({ before: days[index]!, after }));
    const kinds = carryStates(steps).map(({ before, after }) =>
      diff(before, after, { before: new Map(), after: new Map() }).map(({ change }) => change.kind),
    );
    expect(kinds).toEqual([[], ['gained', 'decided'], [], []]);
    // The days themselves are as they were archived.
    expect(days[1]!.controls.get('scid_51')!.state).toBeNull();
  });
});
