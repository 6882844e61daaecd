import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyCharacter } from '../any-character.ts';
import { changesCsv } from '../../lambda/report/csv.ts';
import { renderMail } from '../../lambda/report/render.ts';
import { readCsv } from './reading.ts';
import { changeOf, dayOf, reportOf, reports, scoreLine } from './reports.ts';
import type { Report, ReportedChange } from '../../lambda/report/model.ts';

const reportWith = (fields: Partial<ReportedChange>): Report =>
  reportOf({
    days: [dayOf([changeOf('lost', fields)], scoreLine('2026-01-08', 869.6), scoreLine('2026-01-09', 858.6))],
  });

test('says what it is to a spreadsheet, and has a row for every change, listed in the mail or not, and for every confirmed drop', () => {
  const report = reports.scores.settled;
  const csv = changesCsv(report);
  expect(csv.startsWith('\uFEFFDay,')).toBe(true);
  const rows = readCsv(csv.slice(1));
  expect(rows).toHaveLength(1 + 3 + 1);
  expect(new Set(rows.map((row) => row.length)).size).toBe(1);
  const fates = rows.map((row) => row[rows[0]!.indexOf('What became of it')]);
  expect(fates).toEqual(['What became of it', 'reported', 'reported', 'pending', 'confirmed']);
  // A confirmed drop stands in the rows of its days already.
  const shares = rows.slice(1).map((row) => row[rows[0]!.indexOf('Percentage points')]);
  const moved = report.days.flatMap(({ changes }) =>
    changes.map((change) => change.percentagePoints.toFixed(6)),
  );
  expect(shares).toEqual([...moved, '']);
  expect(rows.at(-1)![rows[0]!.indexOf('With earlier days')]).toBe(
    String(report.confirmed[0]!.percentagePoints),
  );
});

test('any text is read back as it was, but never as a formula', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter, maxLength: 40 }), (title) => {
      const [head, row] = readCsv(changesCsv(reportWith({ title })).slice(1));
      const cell = row![head!.indexOf('Recommendation')]!;
      expect([title, `'${title}`]).toContain(cell);
      expect(cell).not.toMatch(/^[=+\-@\t\r\n]/);
    }),
  );
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])('%j is no formula', (title) => {
  expect(changesCsv(reportWith({ title }))).toMatch(/"?'[=+\-@\t\r]/);
});

test('negative numbers are numbers', () => {
  expect(changesCsv(reportWith({ percentagePoints: -0.25 }))).toContain(',-0.25,');
});

test('is attached only to mails of changes whose rows were folded', async () => {
  const lists = async (report: Report, kind: 'scores' | 'controls' | 'start') =>
    (await renderMail(report, kind)).attachments.filter(({ contentId }) => contentId === undefined);
  expect(await lists(reports.scores.typical, 'scores')).toEqual([]);
  expect(await lists(reports.start.monstrous, 'start')).toEqual([]);
  for (const kind of ['scores', 'controls'] as const) {
    const [list] = await lists(reports[kind].monstrous, kind);
    expect(list).toMatchObject({ name: 'changes.csv', contentType: 'text/csv; charset=utf-8' });
    const rows = readCsv(new TextDecoder('utf-8', { ignoreBOM: true }).decode(list!.content).slice(1));
    expect(rows.length - 1).toBe(reports[kind].monstrous.days.flatMap((day) => day.changes).length);
  }
});
