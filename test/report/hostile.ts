import * as fc from 'fast-check';
import { anyCharacter } from '../any-character.ts';
import { changeOf, dayOf, reportOf, scoreLine, trendDay } from './reports.ts';
import type { Report, ReportedChange } from '../../lambda/report/model.ts';

/** Reports whose texts come from somebody who means harm. */

export const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style></title><iframe src="http://evil.example">',
  'Title\r\nBcc: x@example.com\r\n\r\n<b>body</b>',
  '\u202Egnp.exe\u2066\u200F\u200B\u0000\u0007',
  '${process.env.SECRET} {{x}} <%= y %>',
  'javascript:alert(1)',
  '\uD83D half a pair',
  `Long ${'lorem ipsum '.repeat(1000)}`,
  'x'.repeat(10_240),
];

/** Any text, also those. */
export const hostileText = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 300 }),
  fc.constantFrom(...HOSTILE),
  fc.webUrl(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
);

export const oneDay = (changes: ReportedChange[], fields: Partial<Report> = {}): Report =>
  reportOf({
    days: [dayOf(changes, scoreLine('2026-01-08', 869.6), scoreLine('2026-01-09', 858.6))],
    ...fields,
  });

export function hostileReport(one: string, other: string): Report {
  const change = (kind: 'lost' | 'gained' | 'new' | 'removed' | 'renamed' | 'services'): ReportedChange =>
    changeOf(kind, {
      control: other,
      previousControl: one,
      title: one,
      category: other,
      service: one,
      tier: other,
      status: { before: one, after: other },
      lastSynced: other,
      implementationCost: one,
      userImpact: other,
      remediation: one,
      remediationLinks: [
        { start: 0, end: 2, url: other },
        { start: 1, end: 4, url: 'https://harmless.example/' },
        { start: -1, end: Number.NaN, url: 'https://harmless.example/' },
      ],
      actionUrl: one,
    });
  return oneDay((['lost', 'gained', 'new', 'removed', 'renamed', 'services'] as const).map(change), {
    name: one,
    tenantId: other,
    notes: [one, other],
    trend: [trendDay(scoreLine('2026-01-08', 1)), trendDay(scoreLine('2026-01-09', 2))],
    start: {
      categories: [{ category: one, controls: 1, points: 1, maximum: 2 }],
      gaps: [
        {
          control: one,
          title: other,
          category: one,
          points: 0,
          maximum: 9,
          implementationCost: other,
          userImpact: other,
          actionUrl: one,
        },
      ],
    },
    operations: [{ kind: 'failing', code: one, message: other, advice: one, since: '2026-01-09' }],
  });
}
