import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { compose } from '../../lambda/channels/outbox-mailer.ts';
import { renderMail } from '../../lambda/report/render.ts';
import { subjectOfMail } from '../../lambda/report/subject.ts';
import { isUrgent, urgentSentences } from '../../lambda/report/urgency.ts';
import { readHtml } from './reading.ts';
import { reportOf, reports, typicalScores, urgentScores } from './reports.ts';
import type { MailKind } from '../../lambda/ports.ts';

const SENTENCES = [
  'The score has fallen below 62.5 %, the limit set for this tenant.',
  '1.0 percentage points have been lost since 8 Jan 2026; the limit set for this tenant is 1.',
];

describe('an urgent report', () => {
  test('is marked in the subject, and before everything else in both parts', async () => {
    const { subject, html, text } = await renderMail(urgentScores, 'scores');
    expect(subject).toBe(
      'Urgent: Contoso: Secure Score 62.2 % (−1.0), below 62.5 % and 1.0 lost since 8 Jan: 2 recommendations lost points, 1 gained',
    );
    expect(subject).toBe(subjectOfMail(urgentScores, 'scores'));
    const page = readHtml(html).text.replaceAll('\u00A0', ' ');
    expect(page).toContain(`Urgent ${SENTENCES.join(' ')} 62.2 %`);
    expect(text.replace(/\s+/g, ' ')).toContain(`URGENT. ${SENTENCES.join(' ')} 62.2 %`);
  });

  test('is urgent also for those who get only scores', () => {
    const kinds: MailKind[] = ['start', 'scores', 'controls', 'operations'];
    expect(kinds.filter((kind) => isUrgent(urgentScores, kind))).toEqual(['scores']);
    expect(subjectOfMail(urgentScores, 'controls')).not.toMatch(/urgent/i);
    expect(kinds.filter((kind) => isUrgent(typicalScores, kind))).toEqual([]);
  });

  test('is stated exactly, however small the step below the line was', () => {
    const sentences = urgentSentences(
      reportOf({
        urgent: [
          { rule: 'below', limit: 60 },
          { rule: 'drop', limit: 3, lost: 3.456, since: '2025-12-31' },
        ],
      }),
    );
    expect(sentences).toEqual([
      'The score has fallen below 60 %, the limit set for this tenant.',
      '3.46 percentage points have been lost since 31 Dec 2025; the limit set for this tenant is 3.',
    ]);
  });

  test.each([true, false])('has high importance for mail programs: %s', async (urgent) => {
    const { problem: _, ...mail } = await renderMail(reports.scores[urgent ? 'urgent' : 'typical'], 'scores');
    const bytes = await compose({
      ...mail,
      key: 'a',
      date: new Date(0),
      from: 'a@example.com',
      to: ['b@example.com'],
    });
    const { headers } = await PostalMime.parse(bytes);
    const of = (name: string) => headers.find(({ key }) => key === name)?.value;
    expect([of('importance'), of('x-priority'), of('auto-submitted')]).toEqual([
      urgent ? 'high' : undefined,
      urgent ? '1 (Highest)' : undefined,
      'auto-generated',
    ]);
  });
});
