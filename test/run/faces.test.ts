import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { accountOf, marksOf, movesOf, printedMove } from '../../history/page/model.ts';
import { TABLES } from '../../lambda/archive/columns/tables.ts';
import { describeResult } from '../../cli/run/present.ts';
import type { ArchivedReport } from '../../lambda/archive/archive.ts';
import { rowsOf } from '../../lambda/archive/columns/coded.ts';
import { fromParquet } from '../../lambda/archive/columns/parquet.ts';
import { addDays } from '../../lambda/dates.ts';
import { monitor } from '../../lambda/monitor.ts';
import { chartOf } from '../../lambda/report/chart/chart-of.ts';
import { changesCsv } from '../../lambda/report/csv.ts';
import { renderMail } from '../../lambda/report/render.ts';
import { historyOf, tenantRows } from '../history/page-rows.ts';
import { readCsv, readHtml } from '../report/reading.ts';
import { TENANT_ID, world, type DaySpec, type MemoryStore } from './fakes.ts';

/**
 * All faces of one day, held against each other as they are printed: subject, sentence, rows, table, chart and its text,
 * CSV, result, terminal, history page.
 */

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const START = '2026-03-01';

/** What happens on a day: a control's share of its maximum, its maximum, or that it is not there. */
const event = fc.record({
  day: fc.integer({ min: 1, max: 9 }),
  name: fc.constantFrom(...NAMES),
  share: fc.constantFrom(0, 0, 25, 33, 50, 67, 100),
  maximum: fc.option(fc.integer({ min: 1, max: 12 })),
  there: fc.boolean(),
});
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

function daysOf(events: Event[]): { controls: Record<string, number>; maxima: Record<string, number> }[] {
  let controls: Record<string, number> = Object.fromEntries(NAMES.map((name) => [name, 5]));
  let maxima: Record<string, number> = Object.fromEntries(NAMES.map((name) => [name, 10]));
  return Array.from({ length: 10 }, (_, index) => {
    for (const { name, share, maximum, there } of events.filter(({ day }) => day === index)) {
      controls = { ...controls };
      if (maximum !== null) maxima = { ...maxima, [name]: maximum };
      if (there) controls[name] = Math.round(share * maxima[name]!) / 100;
      else if (maximum === null) delete controls[name];
      else if (name in controls) controls[name] = Math.min(controls[name]!, maximum);
    }
    return { controls, maxima };
  });
}

/** "−1.12" as a number, with half a unit of its last decimal. */
function printed(text: string): { value: number; half: number } {
  const decimals = text.split('.')[1]?.length ?? 0;
  return { value: Number(text.replace('−', '-').replace(/[+±]/, '')), half: 0.5 * 10 ** -decimals };
}

/** As printed, it is that number, rounded as usual. */
function isPrinted(text: string, value: number, parts = 1): void {
  const { value: shown, half } = printed(text);
  expect(Math.abs(shown - value), `${text} for ${value}`).toBeLessThanOrEqual(parts * half + 1e-5);
}

function pageOf(store: MemoryStore) {
  const rows = Object.fromEntries(
    TABLES.map((table) => [
      table.name,
      [...store.objects]
        .filter(([key]) => key.startsWith(`history/${table.name}/`))
        .flatMap(([, bytes]) => rowsOf(table, fromParquet(table, bytes))),
    ]),
  );
  return historyOf({ id: TENANT_ID, name: 'Contoso' }, tenantRows(rows as never));
}

const AMOUNT = '[+−±][\\d.]+';

it('agree', async () => {
  let mails = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 3, maxLength: 20 }),
      fc.oneof(
        fc.constant<number[]>([1, 2, 3, 4, 5, 6, 7, 8]),
        fc.subarray([2, 3, 4, 5, 6, 7, 8], { minLength: 2 }),
      ),
      fc.constantFrom(0, 2),
      async (events, runsOn, confirmDrops) => {
        const w = world(`${START}T07:00:00Z`);
        const days = daysOf(events);
        for (const [index, { controls, maxima }] of days.entries()) {
          const date = addDays(START, index);
          // One that never moves, and whose points keep the total from 0.
          const spec: DaySpec = {
            controls: { ...controls, rest: 40 },
            maxima: { ...maxima, rest: 60 },
            maximum: 60 + Object.keys(controls).reduce((sum, name) => sum + maxima[name]!, 0),
          };
          w.graph.days.set(date, spec);
          w.graph.profiles = Object.entries(spec.maxima!).map(([id, maxScore]) => ({
            id,
            title: `Title ${id}`,
            maxScore,
          }));
          if (index !== 0 && index !== 9 && !runsOn.includes(index)) continue;
          w.clock.set(`${date}T07:00:00Z`);
          w.mailer.sent.length = 0;
          const run = w.runOf();
          run.tenant = {
            ...run.tenant,
            recipients: { scores: ['a@b.example'], controls: ['a@b.example'] },
            alerts: { ...run.tenant.alerts, confirmDrops },
          };
          const result = await monitor(run);
          const { explanation } = result;
          const shares = result.changes.reduce((sum, change) => sum + change.percentagePoints, 0);
          const moved = explanation.after! - (explanation.before ?? explanation.after!);
          expect(Math.abs(shares - moved)).toBeLessThan(1e-9);
          expect(Math.abs(explanation.unexplained)).toBeLessThan(1e-9);
          terminal(stripVTControlCharacters(describeResult(result)), result.changes.length, moved);
          const key = [...w.store.objects.keys()].findLast(
            (each) => each.startsWith(`reports/`) && each.includes(date),
          );
          if (!key || result.mails.length === 0 || index === 0) continue;
          const { report } = JSON.parse(Buffer.from(w.store.objects.get(key)!).toString()) as ArchivedReport;
          const [first, last] = [report.days[0]!, report.days.at(-1)!];
          isListed(changesCsv(report), last.after.percentage! - first.before.percentage!);
          for (const { kind, subject } of result.mails) {
            mails += 1;
            const mail = await renderMail(report, kind);
            expect(mail.subject).toBe(subject);
            const { text: read } = readHtml(mail.html);
            for (const text of [read, mail.text.replace(/\s+/g, ' ')]) {
              const change = new RegExp(`(${AMOUNT}) percentage points since`).exec(text)![1]!;
              isPrinted(change, report.after!.percentage! - report.before!.percentage!);
              const inSubject = new RegExp(`\\((${AMOUNT})\\)`).exec(subject)?.[1];
              expect([change, undefined]).toContain(inSubject);
              for (const day of report.days) {
                const step = day.after.percentage! - day.before.percentage!;
                const label = new Intl.DateTimeFormat('en-GB', {
                  day: 'numeric',
                  month: 'short',
                  timeZone: 'UTC',
                }).format(new Date(day.date));
                const moves = [
                  new RegExp(`(${AMOUNT}) on ${label}(?! \\d)`).exec(
                    text.split('Largest moves:')[1] ?? '',
                  )?.[1],
                  new RegExp(`${label} 2026:? [\\d.]+ % \\((${AMOUNT})\\)`).exec(text)?.[1],
                ].filter((each) => each !== undefined);
                for (const each of moves) isPrinted(each, step, 2);
              }
            }
          }
          const history = pageOf(w.store);
          const moves = movesOf(history);
          const page = marksOf(history, moves, 0, history.days.length - 1, 6);
          const chart = chartOf(report.trend)!;
          expect(page.map(({ day, by, change }) => [history.days[day]!.date, by, change.toFixed(6)])).toEqual(
            chart.marks.map(({ day, by, change }) => [day.date, by, change.toFixed(6)]),
          );
          // Each day by cause, in gaps too.
          const ofDay = new Map(history.days.map((each, place) => [each.date, moves[place]!]));
          for (const day of report.days) {
            const move = ofDay.get(day.date)!;
            for (const cause of ['earned', 'rescored', 'decided'] as const) {
              const causedBy = day.changes.filter((change) => change.cause === cause);
              const sum = causedBy.reduce((all, change) => all + change.percentagePoints, 0);
              expect(Math.abs(move[cause] - sum), `${cause} on ${day.date}`).toBeLessThan(1e-5);
            }
          }
          const account = accountOf(history, moves, 0, history.days.length - 1)!;
          expect(account.earned + account.rescored + account.decided + account.unexplained).toBe(
            account.total,
          );
          for (const move of moves.slice(1)) {
            const { total, here, microsoft, rest } = printedMove(move)!;
            expect(here + microsoft + rest).toBe(total);
            expect(rest).toBe(0);
          }
        }
      },
    ),
    {
      numRuns: 12,
      examples: [
        // The amounts in the terminal's last column add up to a negative 0.
        [
          [
            { day: 7, name: 'a', share: 0, maximum: 10, there: false },
            { day: 7, name: 'f', share: 0, maximum: 7, there: false },
            { day: 7, name: 'e', share: 0, maximum: 6, there: false },
            { day: 1, name: 'e', share: 0, maximum: 5, there: false },
            { day: 1, name: 'a', share: 0, maximum: 7, there: false },
            { day: 1, name: 'f', share: 25, maximum: 11, there: true },
            { day: 1, name: 'b', share: 0, maximum: 5, there: true },
          ],
          [3, 6],
          0,
        ],
        // A maximum that comes back to what it was makes a catalogue that is in the archive already.
        [
          [
            { day: 3, name: 'c', share: 0, maximum: 1, there: false },
            { day: 4, name: 'c', share: 0, maximum: 10, there: true },
            { day: 1, name: 'a', share: 0, maximum: null, there: false },
          ],
          [1, 2, 3, 4, 5, 6, 7, 8],
          0,
        ],
      ],
    },
  );
  expect(mails).toBeGreaterThan(10);
}, 120_000);

/** Added up by a spreadsheet, the list of changes says how far the score moved on its days. */
function isListed(csv: string, moved: number): void {
  const [head, ...rows] = readCsv(csv.slice(1));
  const column = head!.indexOf('Percentage points');
  const sum = rows.reduce((all, row) => all + Number(row[column]), 0);
  expect(Math.abs(sum - moved)).toBeLessThan(1e-6 * (rows.length + 1));
}

/** The last column of the terminal adds up to its last row. */
function terminal(text: string, changes: number, total: number): void {
  const ending = text.split('\n').filter((line) => /[+−±]\d+\.\d\d$/.test(line));
  // The last column stands on the right; a line without it may end in another amount.
  const width = Math.max(...ending.map(({ length }) => length));
  const lines = ending.filter(({ length }) => length === width);
  if (changes === 0 || lines.length === 0) return;
  const amounts = lines.map((line) => printed(/([+−±]\d+\.\d\d)$/.exec(line)![1]!).value);
  const together = amounts.pop()!;
  const sum = amounts.reduce((all, each) => all + each, 0);
  // Without a last row, all of them are as good as nothing.
  const [parts, separate] = text.includes('together') ? [sum, together] : [sum + together, 0];
  // A sum that is 0 but for binary fractions may round to −0, which is no other number.
  expect(Math.round(100 * parts) + 0).toBe(Math.round(100 * separate) + 0);
  expect(Math.abs(separate - total)).toBeLessThanOrEqual(0.005 + 1e-9);
}
