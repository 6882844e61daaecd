import { renderMail } from '../../lambda/report/render.ts';
import { reports } from '../report/reports.ts';
import type { Mail } from '../../lambda/ports.ts';

const rendered = await renderMail(reports.scores.typical, 'scores');

/** A mail as a run would send it. */
export function mailOf(fields: Partial<Mail> = {}): Mail {
  const { kind, subject, html, text } = rendered;
  return {
    kind,
    key: '2026-01-10/Contoso/scores-1a2b3c4d',
    date: new Date('2026-01-10T06:00:12.345Z'),
    from: 'Secure Score <secure-score@contoso.com>',
    to: ['secops@contoso.com', 'ciso@contoso.com'],
    subject,
    html,
    text,
    ...fields,
  };
}

/** Addresses that would become more than one, or more than an address. */
export const HOSTILE_ADDRESSES = [
  'a@contoso.com\r\nBcc: x@evil.example',
  'a@contoso.com, x@evil.example',
  'a@contoso.com; x@evil.example',
  'A <a@contoso.com>, <x@evil.example>',
  'A <a@contoso.com> <x@evil.example>',
  'A <a@contoso.com> x@evil.example',
  '"A" <a@contoso.com>, "B" <x@evil.example>',
  '"A\r\nBcc: x@evil.example" <a@contoso.com>',
  'a@contoso.com\u2028Bcc: x@evil.example',
  '"a@contoso.com, x"@evil.example',
  'a@contoso.com%0ABcc:x@evil.example',
  'a@contoso.com/x',
  'A\r\nBcc: x@evil.example <a@contoso.com>',
  'A\u202E <a@contoso.com>',
  'a@contoso.com>',
  '<a@contoso.com',
  'group: a@contoso.com;',
  '(comment) a@contoso.com',
  'a@b@contoso.com',
  'ä@contoso.com',
  'a@con\u200Dtoso.com',
  'nobody',
  '',
];

/** What a mail of a day carries: a picture that the HTML shows, and a file to save. */
export const ATTACHMENTS = [
  {
    name: 'score.png',
    contentType: 'image/png',
    content: Uint8Array.from({ length: 300 }, (_, index) => index % 256),
    contentId: 'score@secure-score-monitor',
  },
  {
    name: 'Änderungen.csv',
    contentType: 'text/csv; charset=utf-8',
    content: new TextEncoder().encode('control,points\r\nMFA für alle,9\r\n'),
  },
];
