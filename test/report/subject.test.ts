import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyCharacter } from '../any-character.ts';
import { subjectOfMail } from '../../lambda/report/subject.ts';
import { changeOf, dayOf, reportOf, reports, scoreLine, NO_ACCOUNT } from './reports.ts';
import type { OperationsItem, Report } from '../../lambda/report/model.ts';
import type { ChangeKind } from '../../lambda/score/change.ts';

/** A report of one day with that number of changes of each kind. */
function withChanges(numbers: Partial<Record<ChangeKind, number>>, fields: Partial<Report> = {}): Report {
  const changes = Object.entries(numbers).flatMap(([kind, number]) =>
    Array.from({ length: number }, (_, index) =>
      changeOf(kind as ChangeKind, { control: `${kind}_${index}` }),
    ),
  );
  return reportOf({
    days: [dayOf(changes, scoreLine('2026-01-08', 869.6), scoreLine('2026-01-09', 858.6))],
    ...fields,
  });
}

const subject = subjectOfMail;

test.each<[expected: string, report: Report]>([
  ['Contoso: Secure Score 62.4 % (−0.8): 2 recommendations lost points', withChanges({ lost: 2 })],
  ['Contoso: Secure Score 62.4 % (−0.8): 1 recommendation lost points', withChanges({ lost: 1 })],
  ['Contoso: Secure Score 62.4 % (−0.8): 1 recommendation gained points', withChanges({ gained: 1 })],
  [
    'Contoso: Secure Score 62.4 % (−0.8): 2 recommendations lost points, 1 gained',
    withChanges({ lost: 2, gained: 1 }),
  ],
  [
    'Contoso: Secure Score 62.4 % (−0.8): 1 recommendation lost points, 3 gained',
    withChanges({ lost: 1, gained: 3 }),
  ],
  ['Contoso: Secure Score 62.4 % (−0.8): enabled services changed', withChanges({ services: 1 })],
  [
    'Contoso: Secure Score 62.4 % (+0.3): 1 recommendation gained points',
    withChanges(
      { gained: 1 },
      { before: scoreLine('2026-01-08', 62.1, 100), after: scoreLine('2026-01-09', 62.4, 100) },
    ),
  ],
  [
    'Contoso: Secure Score 0 points (±0): 1 recommendation gained points',
    withChanges(
      { gained: 1 },
      { before: scoreLine('2026-01-08', 0, 0), after: scoreLine('2026-01-09', 0, 0) },
    ),
  ],
  [
    'Contoso: Secure Score 63.2 % (−0.04) over 40 days: 2 recommendations lost points, 1 gained',
    reports.scores.absence,
  ],
])('scores: %s', (expected, report) => {
  expect(subject(report, 'scores')).toBe(expected);
});

test('pending, silenced or folded changes are in no subject; a confirmed drop is', () => {
  const day = dayOf(
    (['waiting', 'healing', 'silenced', 'folded', 'told'] as const).map((fate) =>
      changeOf('lost', { control: fate, fate }),
    ),
    scoreLine('2026-01-08', 869.6),
    scoreLine('2026-01-09', 858.6),
  );
  expect(subject(reportOf({ days: [day] }), 'scores')).toContain(': 1 recommendation lost points');
  const { confirmed } = reports.scores.settled;
  expect(subject(reportOf({ days: [day], confirmed }), 'scores')).toContain(': 2 recommendations lost');
});

test('a gain by a decision is listed as one', () => {
  expect(subject(reports.scores.settled, 'scores')).toContain(
    ': 1 recommendation lost points, 1 gained, 1 gained by a decision',
  );
});

test('a control that fell on two days is one recommendation', () => {
  const day = dayOf([changeOf('lost')], scoreLine('2026-01-08', 869.6), scoreLine('2026-01-09', 858.6));
  expect(subject(reportOf({ days: [day, day] }), 'scores')).toContain(': 1 recommendation lost points');
});

test.each<[expected: string, numbers: Partial<Record<ChangeKind, number>>]>([
  ['Contoso: 5 new and 2 removed Secure Score recommendations, score 62.4 % (−0.8)', { new: 5, removed: 2 }],
  ['Contoso: 1 new Secure Score recommendation, score 62.4 % (−0.8)', { new: 1 }],
  ['Contoso: 2 removed Secure Score recommendations, score 62.4 % (−0.8)', { removed: 2 }],
  [
    'Contoso: 1 new, 1 removed and 1 renamed Secure Score recommendations, score 62.4 % (−0.8)',
    { new: 1, removed: 1, renamed: 1 },
  ],
  ['Contoso: 2 re-scored Secure Score recommendations, score 62.4 % (−0.8)', { 're-scored': 2 }],
  ['Contoso: 1 new Secure Score recommendation, 2 decisions, score 62.4 % (−0.8)', { new: 1, decided: 2 }],
  ['Contoso: 1 decision on Secure Score recommendations, score 62.4 % (−0.8)', { decided: 1 }],
  ['Contoso: enabled services changed, score 62.4 % (−0.8)', { services: 1 }],
])('controls: %s', (expected, numbers) => {
  expect(subject(withChanges(numbers), 'controls')).toBe(expected);
});

test('has the change of the score with the decimals that the mail itself has', () => {
  const [before, after] = [scoreLine('2026-01-08', 62.1, 100), scoreLine('2026-01-09', 62.4, 100)];
  const part = (percentagePoints: number) => ({ percentagePoints, controls: 1 });
  const account = { ...NO_ACCOUNT, lost: part(-0.04), gained: part(0.34) };
  expect(subject(withChanges({ gained: 1 }, { before, after, account }), 'scores')).toContain(
    '62.4 % (+0.30)',
  );
});

test('controls: without a score if it does not move, and with a number if they cannot be identified', () => {
  const still = scoreLine('2026-01-08', 62.4, 100);
  const unmoved = { before: still, after: { ...still, date: '2026-01-09' } };
  expect(subject(withChanges({ decided: 1 }, unmoved), 'controls')).toBe(
    'Contoso: 1 decision on Secure Score recommendations',
  );
  const unnamed = changeOf('re-scored', { control: null });
  const of = (...changes: ReturnType<typeof changeOf>[]) =>
    subject(reportOf({ ...unmoved, days: [dayOf(changes, still, unmoved.after)] }), 'controls');
  expect(of(unnamed)).toBe('Contoso: Secure Score recommendations without points re-scored');
  expect(of(unnamed, changeOf('re-scored'))).toBe(
    'Contoso: 1 re-scored Secure Score recommendation, others without points re-scored',
  );
});

test('start', () => {
  expect(subject(reports.start.typical, 'start')).toBe(
    'Contoso: Secure Score monitoring has started at 62.4 %',
  );
});

const STALE: OperationsItem = { kind: 'stale', since: '2026-01-09', days: 3 };
const FAILING: OperationsItem = {
  kind: 'failing',
  code: 'x-y',
  message: 'Graph said no.\r\nBcc: x',
  advice: 'Ask again.',
  since: '2026-01-09',
};

test.each<[expected: string, operations: OperationsItem[]]>([
  ['Contoso: no new Secure Score since 9 Jan 2026', [STALE]],
  ['Contoso: monitoring fails: Graph said no. Bcc: x', [FAILING]],
  ['Contoso: monitoring fails: Graph said no. Bcc: x (and 1 more)', [STALE, FAILING]],
  [
    'Contoso: suspect Secure Score of 9 Jan 2026: 312 of 412 recommendations are missing',
    [{ kind: 'suspect', date: '2026-01-09', gone: 312, told: 412 }],
  ],
])('operations: %s', (expected, operations) => {
  expect(subject(reportOf({ operations }), 'operations')).toBe(expected);
});

test('whatever the name, a subject is one bounded line that says the essence', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter, maxLength: 300 }), (name) => {
      const text = subject({ ...reports.scores.typical, name }, 'scores');
      expect(text.length).toBeLessThanOrEqual(150);
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(text).toContain('Secure Score 62.2 % (−1.0): 2 recommendations lost points, 1 gained');
    }),
  );
});
