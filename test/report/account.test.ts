import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explained } from '../../lambda/report/account.ts';
import { changeOf, dayOf, NO_ACCOUNT, reportOf, scoreLine } from './reports.ts';
import type { MailAccount, Report } from '../../lambda/report/model.ts';
import type { ChangeKind } from '../../lambda/score/change.ts';
import type { Healed } from '../../lambda/score/settle.ts';

/** A report of an account: the score moves by the sum of its parts. */
function reportWith(account: Partial<MailAccount>, kinds: ChangeKind[] = []): Report {
  const complete = { ...NO_ACCOUNT, ...account };
  const change = Object.values(complete).reduce<number>(
    (sum, part) => sum + (typeof part === 'number' ? part : part.percentagePoints),
    0,
  );
  const [before, after] = [
    scoreLine('2026-01-08', 500, 1000),
    scoreLine('2026-01-09', 500 + 10 * change, 1000),
  ];
  const changes = kinds.map((kind, index) => changeOf(kind, { control: `c${index}` }));
  return reportOf({ account: complete, before, after, days: [dayOf(changes, before, after)] });
}

const part = (percentagePoints: number, controls = 2) => ({ percentagePoints, controls });

test.each<[sentence: string, report: Report]>([
  [
    'Down 1.0 percentage points: two recommendations lost 1.1 here and one gained 0.3. Microsoft added five recommendations, which took another 0.2.',
    reportWith({ lost: part(-1.06), gained: part(0.28, 1), rescored: part(-0.19, 5) }, [
      'new',
      'new',
      'new',
      'new',
      'new',
    ]),
  ],
  ['Up 0.3 percentage points: one recommendation gained 0.3 here.', reportWith({ gained: part(0.3, 1) })],
  [
    'Up 0.4 percentage points: Microsoft removed one recommendation and re-scored two, which gave 0.4.',
    reportWith({ rescored: part(0.4, 3) }, ['removed', 're-scored', 're-scored']),
  ],
  [
    'Down 0.4 percentage points: enabled services changed, so Microsoft added two recommendations and removed one, which took 0.4.',
    reportWith({ rescored: part(-0.4, 3) }, ['services', 'new', 'new', 'removed']),
  ],
  [
    'Down 0.2 percentage points: two recommendations lost 0.6 here. A decision on one recommendation gave 0.4.',
    reportWith({ lost: part(-0.6), decided: part(0.4, 1) }),
  ],
  [
    'Unchanged: two recommendations lost 0.4 here and two gained 0.4.',
    reportWith({ lost: part(-0.4), gained: part(0.4) }),
  ],
  ['Unchanged.', reportWith({})],
  // One decimal would hide what it is about.
  [
    'Up 0.30 percentage points: one recommendation lost 0.04 here and two gained 0.34.',
    reportWith({ lost: part(-0.04, 1), gained: part(0.34) }),
  ],
  [
    'Down 0.003 percentage points: one recommendation lost 0.003 here.',
    reportWith({ lost: part(-0.003, 1) }),
  ],
  [
    'Down 0.9 percentage points: one recommendation lost 0.1 here. The rest is listed below.',
    reportWith({ lost: part(-0.1, 1), waiting: part(-0.8) }),
  ],
])('%s', (sentence, report) => {
  expect(explained(report)?.sentence).toBe(sentence);
});

describe('lines', () => {
  test('each other part has one', () => {
    const report = reportWith({
      drift: part(0.2, 3),
      silenced: part(-0.3),
      waiting: part(-0.8),
      healed: { percentagePoints: 0.1, drops: [] },
      countedBefore: 0.5,
      unexplained: -0.1,
    });
    expect(explained(report)?.lines).toEqual([
      { label: 'Drift as people and devices come and go', amount: '+0.2', note: '3 recommendations' },
      { label: 'Silenced, each below the minimum', amount: '−0.3', note: '2 recommendations' },
      { label: 'Pending confirmation', amount: '−0.8', note: '2 recommendations' },
      { label: 'Healed before being reported', amount: '+0.1', note: '' },
      { label: 'Already counted in an earlier mail', amount: '+0.5', note: '' },
      { label: 'Not explained by any recommendation', amount: '−0.1', note: '' },
    ]);
  });

  test('a pending drop that an earlier mail counted is listed', () => {
    expect(explained(reportWith({ gained: part(0.3), waiting: part(0, 3) }))?.lines).toEqual([
      { label: 'Pending confirmation', amount: '±0.0', note: '3 recommendations, already counted' },
    ]);
  });
});

test('nothing is explained without a percentage on both sides', () => {
  expect(explained({ ...reportWith({}), account: null })).toBeNull();
  expect(explained({ ...reportWith({}), before: null })).toBeNull();
  expect(explained({ ...reportWith({}), after: scoreLine('2026-01-09', 0, 0) })).toBeNull();
});

test('whatever the account, the numbers printed in sentence and lines add up to the change that is printed', () => {
  const size = fc.oneof(
    fc.double({ min: 0, max: 20, noNaN: true }),
    fc.double({ min: 0, max: 0.2, noNaN: true }),
    fc.constant(0),
  );
  const either = fc.tuple(size, fc.boolean()).map(([value, up]) => (up ? value : -value));
  const counted = (share: fc.Arbitrary<number>) =>
    fc.record({ percentagePoints: share, controls: fc.integer({ min: 0, max: 40 }) });
  const accounts = fc.record({
    lost: counted(fc.oneof({ weight: 9, arbitrary: size.map((value) => -value) }, size)),
    gained: counted(fc.oneof({ weight: 9, arbitrary: size }, either)),
    rescored: counted(either),
    decided: counted(either),
    drift: counted(either),
    silenced: counted(either),
    waiting: counted(either),
    healed: fc.record({ percentagePoints: either, drops: fc.constant<Healed[]>([]) }),
    countedBefore: either,
    unexplained: either,
  });
  const kinds = fc.subarray<ChangeKind>(['new', 'removed', 're-scored', 'services']);
  fc.assert(
    fc.property(accounts, kinds, (account, rows) => {
      const { change, sentence, lines } = explained(reportWith(account, rows))!;
      const printed = sentence.match(/^(Up|Down|Unchanged)(?: (\d+\.\d+) percentage points)?/)!;
      const head = Number(printed[2] ?? 0) * (printed[1] === 'Down' ? -1 : 1);
      expect(numberOf(change)).toBe(head);

      const amounts = [
        ...[...sentence.matchAll(/lost (\d+\.\d+)/g)].map(([, value]) => -Number(value)),
        ...[...sentence.matchAll(/gained (\d+\.\d+)/g)].map(([, value]) => Number(value)),
        ...[...sentence.matchAll(/(took|gave) (?:another )?(\d+\.\d+)/g)].map(
          ([, verb, value]) => Number(value) * (verb === 'took' ? -1 : 1),
        ),
        ...lines.map(({ amount }) => numberOf(amount)),
      ];
      expect(sentence.match(/\d+\.\d+/g)?.length ?? 0).toBe(
        amounts.length - lines.length + (printed[2] ? 1 : 0),
      );
      expect(amounts.reduce((sum, amount) => sum + amount, 0)).toBeCloseTo(head, 9);
    }),
    { numRuns: 3000 },
  );
});

/** "−0.8", "±0.0"; "less than 0.1" stands for what is printed as nothing. */
function numberOf(printed: string): number {
  return printed.startsWith('less') ? 0 : Number(printed.replace('−', '-').replace(/^[+±]/, '')) || 0;
}
