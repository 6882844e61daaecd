import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderMail } from '../../lambda/report/render.ts';
import { HOSTILE, hostileReport, hostileText, oneDay } from './hostile.ts';
import { harmsOf, readHtml } from './reading.ts';
import { changeOf, reportOf, reports } from './reports.ts';
import type { RenderedMail, Report, ReportKind } from '../../lambda/report/model.ts';
import type { MailKind } from '../../lambda/ports.ts';

const KINDS: ReportKind[] = ['scores', 'controls', 'start', 'operations'];
const ALL = await Promise.all(
  KINDS.flatMap((kind) =>
    Object.entries(reports[kind]).map(
      async ([size, report]): Promise<[string, MailKind, Report, RenderedMail]> => [
        `${kind}, ${size}`,
        kind,
        report,
        await renderMail(report, kind),
      ],
    ),
  ),
);

/** The text part as one line, so that where it breaks does not matter. */
const unwrapped = (text: string): string => text.replace(/\s+/g, ' ');

describe.each(ALL)('%s', (_, kind, report, mail) => {
  test('is harmless and below the size at which Gmail clips', () => {
    expect(harmsOf(mail.html)).toEqual([]);
  });

  test('is a page that mail programs and screen readers understand', () => {
    const { elements } = readHtml(mail.html);
    const of = (name: string) => elements.filter((each) => each.name === name);
    expect(mail.html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(of('title')).toHaveLength(1);
    expect(of('h1')).toHaveLength(1);
    expect(of('meta').map((each) => each.attributes.name)).toEqual(
      expect.arrayContaining(['viewport', 'color-scheme', 'supported-color-schemes']),
    );
    expect(of('th').every((each) => ['col', 'row'].includes(each.attributes.scope ?? ''))).toBe(true);
    // Tables without a heading of their own are layout, and say so.
    const data = of('table').filter((each) => each.attributes.role !== 'presentation').length;
    expect(of('th').length >= data).toBe(true);
  });

  test('has a text part of short lines', () => {
    expect(mail.text).not.toMatch(/<\/?(p|div|span|table)\b/);
    // Longer is only what cannot be broken: an address, or a word of somebody's who wants to break it.
    expect(mail.text.split('\n').filter((each) => each.length > 78 && !/\S{30}/.test(each))).toEqual([]);
    expect(mail.text).not.toMatch(/undefined|NaN|\[object|null/);
    expect(mail.html).not.toMatch(/undefined|NaN|\[object|>null|>false/);
  });

  test('is the same each time, and leaves the report unchanged', async () => {
    const before = structuredClone(report);
    expect(await renderMail(report, kind)).toEqual(mail);
    expect(report).toEqual(before);
  });

  test('says why it was sent', () => {
    const where = kind === 'operations' ? 'under operations' : 'as a recipient for';
    for (const part of [readHtml(mail.html).text, unwrapped(mail.text)])
      expect(part).toContain(`you are listed ${where}`);
  });
});

describe('both parts report the same', () => {
  const FACTS: [MailKind, Report, string[]][] = [
    [
      'scores',
      reports.scores.typical,
      [
        'Contoso',
        '2 recommendations lost points, 1 gained',
        '62.2 %',
        '−1.0 percentage points since 8 Jan 2026',
        'Down 1.0 percentage points: two recommendations lost 1.0 here and one gained 0.2. Microsoft added five recommendations, which took another 0.2.',
        'Drift as people and devices come and go',
        '858.9 of 1381 points in the snapshot of 9 Jan 2026',
        'Averages: all tenants 47.3 %, tenants of similar size 51.0 %',
        'Ensure multifactor authentication is enabled for all users in administrative roles',
        '−9',
        '9 → 0 of 9 points · −0.65 percentage points',
        'Before: You have 0 of 40 users with administrative roles',
        'Now: You have 40 of 40 users with administrative roles',
        '3. Under Users, include the directory roles of administrators.',
        'in the snapshot of 9 Jan (source synced 28 Dec)',
        '+3',
        '5 new Secure Score recommendations: see the separate message.',
        'Sources last synced: AzureAD on 7 Jan and MIP on 9 Jan.',
        '24–48 hours',
      ],
    ],
    [
      'scores',
      reports.scores.settled,
      [
        '1 recommendation lost points, 1 gained, 1 gained by a decision',
        'A decision on one recommendation gave 0.5. The rest is listed below.',
        'Pending confirmation',
        'Silenced, each below the minimum',
        'Already counted in an earlier mail',
        'Fell on 7 Jan, still down on 9 Jan.',
        'Turn on real-time protection with Intune',
        'Marked as third party by alex@contoso.com on 6 Jan: “Proofpoint does it.”',
        'Back to 9 of 9 after 7 days.',
        'Enable safe attachments: fell on 7 Jan, back on 8 Jan',
      ],
    ],
    [
      'scores',
      reports.scores.services,
      [
        'Enabled services changed, so Microsoft added five recommendations and removed one, which took another',
        'Enabled services changed: + Microsoft Teams',
      ],
    ],
    [
      'scores',
      reports.scores.absence,
      [
        '3 of the 40 snapshots since 30 Nov 2025 have changes to report.',
        '−0.04 percentage points since 30 Nov 2025',
        '37 others',
        'Total',
        'administrative roles: fell on 11 Dec (8 → 5 of 9 points), back on 26 Dec',
        'Back to 8 of 9 after 15 days.',
        '11 Dec 2025',
        '26 Dec 2025',
        '31 Dec 2025',
        '+ Microsoft Teams, − Yammer Enterprise',
        'The entry of 12 Dec 2025 was left out',
      ],
    ],
    [
      'controls',
      reports.controls.typical,
      [
        '2 new, 1 removed, 1 re-scored and 1 renamed Secure Score recommendations, 2 decisions',
        'Create Safe Links policies for email messages',
        'worth 9 points, 0 earned',
        'Apps · MDO · Core',
        'What it asks for: Create a policy that: • applies to all domains',
        'Effort: Low',
        'worth 5 points, 2.5 earned',
        'Data · MIP · Defense In Depth',
        'User impact: Moderate',
        'was worth 1 point, 1 earned',
        'worth 9 points instead of 8, 8 → 9 earned · +0.03 percentage points',
        '11770.MDA_Google_EnableTwoFactorAuth',
        'Formerly: MDA_Google_EnableTwoFactorAuth',
        'Risk accepted by maria@contoso.com on 8 Jan: “Two break-glass accounts, reviewed every quarter.”',
        'Third party taken back by alex@contoso.com on 9 Jan.',
        'Enabled services changed: + Microsoft Defender for Office 365',
      ],
    ],
    [
      'start',
      reports.start.typical,
      [
        'Secure Score monitoring has started',
        'Up 10.4 percentage points since 12 Oct 2025. Lowest 52.0 % on 12 Oct 2025, highest 62.4 % on 9 Jan 2026.',
        '121.5 of 301',
        '179.5',
        'unknown',
        'Block legacy authentication',
        '+9.5',
        '0.5 of 10 points',
        'Device · effort: low · user impact: low',
      ],
    ],
    [
      'operations',
      reports.operations.typical,
      [
        'The certificate "4A:6F…" expired on 8 Jan 2026.',
        'Create a new certificate',
        'Failing since: 9 Jan 2026',
        'certificate-expired',
      ],
    ],
    [
      'operations',
      reports.operations.monstrous,
      ['9 days old (1 Jan 2026)', '312 of 412 recommendations are missing', '3 things need attention'],
    ],
  ];

  test.each(FACTS)('%s', async (kind, report, facts) => {
    const mail = await renderMail(report, kind);
    const html = readHtml(mail.html).text;
    const text = unwrapped(mail.text);
    for (const fact of facts) {
      expect(html).toContain(fact);
      expect(text).toContain(fact);
    }
  });

  test('links', async () => {
    const { html, text } = await renderMail(reports.scores.typical, 'scores');
    const links = readHtml(html).elements.flatMap((each) => each.attributes.href ?? []);
    expect(links).toEqual([
      'https://entra.microsoft.com/#view/Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies',
      'https://purview.microsoft.com/audit',
      'https://purview.microsoft.com/',
    ]);
    for (const link of links) expect(text).toContain(link);
    expect(text.replace(/\s+/g, ' ')).toContain(
      'in the Purview portal (https://purview.microsoft.com/): Solutions',
    );
  });

  test('links of a report that has none yet', async () => {
    const change = changeOf('lost', { remediation: 'Open https://portal.example/ first.' });
    const { html, text } = await renderMail(oneDay([change]), 'scores');
    expect(html).not.toContain('href="https://portal.example');
    expect(text).toContain('Open https://portal.example/ first.');
  });
});

describe('rows', () => {
  const titles = async (report: Report, kind: MailKind = 'scores'): Promise<string[]> =>
    (await renderMail(report, kind)).text.split('\n').filter((each) => /^[▼▲+−→] /.test(each));

  test('losses come before gains, and the largest first', async () => {
    const by = (kind: 'lost' | 'gained', title: string, after: number) =>
      changeOf(kind, { control: title, title, points: { before: 5, after } });
    const report = oneDay([
      by('gained', 'A', 5.5),
      by('lost', 'B', 4),
      by('gained', 'C', 8),
      by('lost', 'D', 0),
    ]);
    expect((await titles(report)).map((each) => each.at(-1))).toEqual(['D', 'B', 'C', 'A']);
  });

  test('an id is shown where titles collide, on whatever day, and only there', async () => {
    const one = changeOf('lost', { control: 'MDA_A_Mfa', title: 'Enable MFA' });
    const other = changeOf('gained', { control: 'MDA_B_Mfa', title: 'Enable MFA' });
    expect((await renderMail(oneDay([one, one]), 'scores')).text).not.toContain('MDA_A_Mfa');
    const days = [oneDay([one]).days, oneDay([other]).days].flat();
    const mail = await renderMail(reportOf({ days }), 'scores');
    for (const part of [mail.text, mail.html]) {
      expect(part).toContain('MDA_A_Mfa');
      expect(part).toContain('MDA_B_Mfa');
    }
  });

  test('a control without a title is shown by its id', async () => {
    expect(await titles(reports.controls.tiny, 'controls')).toEqual(['+  AATP_NewSensor']);
  });

  test('what the catalogue does not contain is left out', async () => {
    const { text } = await renderMail(
      oneDay([
        changeOf('new', {
          implementationCost: 'Unknown',
          userImpact: ' unknown ',
          points: { before: null, after: 0 },
        }),
      ]),
      'controls',
    );
    expect(text).not.toMatch(/unknown|Effort|User impact/i);
  });

  test('a mail lists only the changes of its kind', async () => {
    const changes = (['lost', 'new', 'restated', 'stale'] as const).map((kind) =>
      changeOf(kind, { control: kind, title: `about ${kind}` }),
    );
    const report = oneDay(changes);
    expect((await renderMail(report, 'scores')).text).toMatch(/about lost/);
    expect((await renderMail(report, 'scores')).text).not.toMatch(/about (new|restated|stale)/);
    expect((await renderMail(report, 'controls')).text).toMatch(/about new/);
    expect((await renderMail(report, 'controls')).text).not.toMatch(/about (lost|restated|stale)/);
  });

  test('the source is shown only if it is older than the snapshot', async () => {
    const synced = async (lastSynced: string): Promise<string> =>
      unwrapped((await renderMail(oneDay([changeOf('lost', { lastSynced })]), 'scores')).text);
    expect(await synced('2026-01-08T12:00:00Z')).toContain('in the snapshot of 9 Jan (source synced 8 Jan)');
    // It is the 9th in Budapest.
    expect(await synced('2026-01-08T23:59:59Z')).not.toContain('source synced');
    expect(await synced('2024-01-08T12:00:00Z')).toContain('(source synced 8 Jan 2024)');
    expect(await synced('2026-01-09T00:00:00Z')).not.toContain('source synced');
    expect(await synced('2026-01-10T05:00:00Z')).not.toContain('source synced');
    expect(await synced('not a date')).not.toContain('source synced');
  });
});

describe('too much', () => {
  test('300 changed controls: the drops first and in full, the rest small or counted, the text lists all', async () => {
    const mail = await renderMail(reports.scores.monstrous, 'scores');
    const { text } = readHtml(mail.html);
    expect(text).toMatch(/… and \d+ more, in the attached changes\.csv/);
    const listed = mail.text.match(/^[▼▲] /gm) ?? [];
    expect(listed).toHaveLength(300);
    expect(text.indexOf('What to do')).toBeGreaterThan(text.indexOf('Lost points'));
    expect(text.indexOf('What to do')).toBeLessThan(text.indexOf('Gained points'));
  });

  test('300 plain rows are all in the HTML, one line each after the first ones', async () => {
    const changes = Array.from({ length: 270 }, (_, index) =>
      changeOf('lost', { control: `c${index}`, title: `Control ${index}` }),
    );
    const { text } = readHtml((await renderMail(oneDay(changes), 'scores')).html);
    for (const change of changes) expect(text).toContain(change.title);
    expect(text).not.toContain('more, in the attached');
  });

  test('1,350 on 90 days: a table of the days, and where to find the rest', async () => {
    const mail = await renderMail(reports.controls.monstrous, 'controls');
    expect(readHtml(mail.html).text).toContain(
      'the attached changes.csv and the plain-text part of this mail list all of it',
    );
    expect(readHtml(mail.html).text).toContain('5 new, 5 removed, 5 renamed');
    expect(mail.text.match(/^[+−→] {2}/gm) ?? []).toHaveLength(3 * 90 * 5);
  });
});

describe('hostile texts', () => {
  test.each(HOSTILE.map((each) => [JSON.stringify(each).slice(0, 50), each]))(
    '%s ends harmless',
    async (_, hostile) => {
      for (const kind of KINDS) expect(await mailHarms(hostileReport(hostile, hostile), kind)).toEqual([]);
    },
  );

  test('and so does any other', async () => {
    await fc.assert(
      fc.asyncProperty(hostileText, hostileText, fc.constantFrom(...KINDS), async (one, other, kind) => {
        expect(await mailHarms(hostileReport(one, other), kind)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  async function mailHarms(report: Report, kind: MailKind): Promise<string[]> {
    const { subject, html, text } = await renderMail(report, kind);
    return [
      ...harmsOf(html),
      ...(subject.length <= 150 ? [] : ['a long subject']),
      ...(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(subject) ? ['acting characters in the subject'] : []),
      ...(/[\p{Cf}\p{Cs}]|[^\P{Cc}\n]/u.test(text) ? ['acting characters in the text'] : []),
    ];
  }
});
