import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { describeAnswer, describeRows } from '../../cli/history/present.ts';
import { answerOf, type Answer, type Row } from '../../history/answer.ts';
import { allQuestions, type Question } from '../../history/questions.ts';

/** A terminal with that number of columns. */
function terminal(columns: number): void {
  vi.spyOn(process, 'stdout', 'get').mockReturnValue(
    Object.create(process.stdout, { columns: { value: columns } }) as typeof process.stdout,
  );
}
afterEach(() => vi.restoreAllMocks());

const TENANT = 'cccccccc-0000-4000-8000-000000000003';
const LONG = 'Ensure that all users with administrative roles use phishing-resistant authentication methods';

const answer = (rows: Row[]): Answer => ({ columns: Object.keys(rows[0] ?? {}), rows });

function questionOf(name: string): Question {
  const question = allQuestions().find((each) => each.name === name);
  if (question) return question;
  throw new Error(`there is no question ${name}`);
}

function shown(name: string, rows: Row[], names = new Map<string, string>()): string[] {
  return stripVTControlCharacters(describeAnswer(answer(rows), questionOf(name), { names }))
    .split('\n')
    .map((line) => line.trimEnd());
}

describe('a table', () => {
  const rows = ['2026-02-01', '2026-02-02'].flatMap((date) =>
    ['a', 'b'].map((id) => ({
      date,
      tenant: id === 'a' ? 'aaaaaaaa-0000-4000-8000-000000000001' : 'Fabrikam',
      kind: 'lost',
      title: `${LONG} ${id}`,
      points_before: 10,
      points_after: 8.25,
      percentage_points: -0.123,
    })),
  );

  it.each([80, 100, 220])('fits %i columns: texts give way, numbers and days do not', (columns) => {
    terminal(columns);
    const lines = shown('changes', rows, new Map([['aaaaaaaa-0000-4000-8000-000000000001', 'A'.repeat(40)]]));
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    for (const line of lines.slice(2)) expect(line).toMatch(/2026-02-0\d .*10 → 8\.25 +−0\.12$/);
    expect(lines.join('').includes('…')).toBe(columns < 220);
  });

  it('of 60 columns keeps titles readable', () => {
    terminal(60);
    const lines = shown('changes', rows, new Map([['aaaaaaaa-0000-4000-8000-000000000001', 'A'.repeat(40)]]));
    expect(lines.filter((line) => line.length > 60)).toEqual([]);
    const text = lines.join('\n').replaceAll(/\s+/g, ' ');
    expect(text).toContain(LONG.slice(0, 20));
  });

  it.each([
    [60, true],
    [79, true],
    [80, false],
  ])('of %i columns drops the category for the title: %j', (columns, drops) => {
    terminal(columns);
    const plan = ['a', 'b'].map((id) => ({
      effort: 'low',
      control: id,
      title: `${LONG} ${id}`,
      category: 'Identity',
      tenants: 3,
      points: 10,
      average_percentage_points: 0.5,
      percentage_points: 1.5,
    }));
    const lines = shown('plan', plan);
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    expect(/category|Identity/.test(lines.join('\n'))).toBe(!drops);
    const readable = drops ? LONG.slice(0, 40) : LONG.slice(0, 10);
    expect(lines.filter((line) => line.includes(readable))).toHaveLength(2);
  });

  it.each([60, 120])('of %i columns shows the ids of controls that have one title', (columns) => {
    terminal(columns);
    const of = (control: string, title: string) => ({
      tenant: TENANT,
      control,
      title,
      category: 'Data',
      lost_percentage_points: -1,
      gained_percentage_points: 0,
      percentage_points: -1,
    });
    const text = shown('losses', [
      of('dlp', 'Have a DLP policy'),
      of('2.dlp', 'Have a DLP policy'),
      of('mfa', 'Require MFA'),
    ]).join('\n');
    expect(text).toMatch(/ dlp: Have a DLP policy/);
    expect(text).toMatch(/ 2\.dlp: Have a DLP policy/);
    expect(text).toMatch(/ Require MFA/);
    expect(text).not.toContain('mfa');
  });

  it('prints nothing that acts on the terminal', () => {
    terminal(120);
    const evil = { tenant: TENANT, control: 'x', title: 'a\u001B[31m\u202Eb\nc', state: '\u001B]0;x\u0007' };
    const text = describeAnswer(answer([evil, { ...evil, title: 'b' }]), questionOf('decisions'), {
      names: new Map(),
    });
    for (const acting of ['\u001B', '\u0007', '\u202E']) {
      expect(stripVTControlCharacters(text)).not.toContain(acting);
    }
    expect(text).not.toContain('\u001B]0');
    expect(text).not.toContain('\u001B[31m');
    expect(text.split('\n')).toHaveLength(4);
  });

  it("of one's own statement that is too wide is a block a row", () => {
    terminal(80);
    const names = Array.from({ length: 20 }, (_, index) => `column_${index}`);
    const wide = answerOf(names, [names, names]);
    const lines = stripVTControlCharacters(describeRows(wide, new Map())).split('\n');
    expect(lines).toHaveLength(42);
    expect(lines[0]).toBe('row 1');
    expect(lines[1]).toBe('  column_0   column_0');
  });
});

describe('lines over time', () => {
  const day = (index: number) => new Date(Date.UTC(2024, 0, 1 + index)).toISOString().slice(0, 10);
  const rows = (tenant: string, days: number, from = 0): Row[] =>
    Array.from({ length: days }, (_, index) => ({
      tenant,
      date: day(from + index),
      points: index,
      maximum: 1_000,
      percentage: index / 10,
    }));

  it.each([80, 120])('of 1,000 days fit %i columns', (columns) => {
    terminal(columns);
    const lines = shown('trend', [...rows(TENANT, 1_000), ...rows('d'.repeat(36), 500, 500)]);
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    // Both end on the same day, and the second begins in the middle.
    const [first = '', second = ''] = lines
      .slice(1)
      .map((line) => /^.{13}(.*?) {2,}\d/.exec(line)?.[1] ?? '');
    expect(first).toMatch(/^▁.*█$/);
    expect(second.length).toBe(first.length);
    expect(second).toMatch(/^ {20,}▁/);
  });

  it('without a number still have a name', () => {
    terminal(80);
    const unknown = { tenant: TENANT, date: '2026-01-01', percentage: null, points: 0, maximum: 0 };
    expect(shown('trend', [unknown]).slice(0, 2)).toEqual(['Trend  cccccccc…', '    – → –']);
    const known = { ...unknown, tenant: 'Fabrikam', percentage: 50 };
    expect(shown('trend', [unknown, known])).toEqual([
      'Trend',
      '  cccccccc…          – →      –',
      '  Fabrikam   ▄  50.0 % → 50.0 %  ±0.00',
    ]);
  });
});
