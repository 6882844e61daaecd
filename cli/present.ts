import { styleText } from 'node:util';
import Table from 'cli-table3';
import { day, pointsChange, score, sides } from '../lambda/report/format.ts';
import { line } from '../lambda/report/plain-text.ts';
import type { RunResult } from '../lambda/run.ts';
import type { Change, ChangeKind } from '../lambda/score/change.ts';
import type { RunFailure } from './run.ts';

const MARKS: Record<ChangeKind, { mark: string; colour: 'red' | 'green' | 'cyan' | 'yellow' }> = {
  lost: { mark: '▼ lost', colour: 'red' },
  gained: { mark: '▲ gained', colour: 'green' },
  new: { mark: '+ new', colour: 'cyan' },
  removed: { mark: '− removed', colour: 'cyan' },
  renamed: { mark: '→ renamed', colour: 'cyan' },
  services: { mark: '~ services', colour: 'cyan' },
  restated: { mark: '↻ restated', colour: 'yellow' },
  stale: { mark: '! stale', colour: 'yellow' },
  suspect: { mark: '! suspect', colour: 'yellow' },
};

/** What a run did, for a person at a terminal. */
export function describeResult(result: RunResult): string {
  const { score: now, archived, changes, mails } = result;
  const lines = [
    `${styleText('bold', result.name)}  ${styleText('bold', score(now))}  ${styleText('dim', `${sides({ before: null, after: now.points }, { before: null, after: now.maximum })} points, snapshot of ${day(now.date)}`)}`,
    `  ${describeArchived(archived)}`,
  ];
  if (changes.length > 0) lines.push(changesTable(changes));
  for (const { subject, to } of mails) lines.push(`  ✉ ${subject} ${styleText('dim', `→ ${to.join(', ')}`)}`);
  if (mails.length === 0) lines.push(styleText('dim', '  nothing to tell, no mail'));
  return lines.join('\n');
}

export function describeFailure(failure: RunFailure): string {
  const { name, error, pending } = failure;
  return [
    `${styleText('bold', name)}  ${styleText('red', '✗ failed')}  ${error.message}`,
    `  → ${error.advice}`,
    ...(pending ?? []).map(({ subject }) => `  … claimed by another run: ${subject}`),
  ].join('\n');
}

function describeArchived(dates: string[]): string {
  const [first] = dates;
  const last = dates.at(-1);
  if (first === undefined || last === undefined) return styleText('dim', 'no new day');
  return dates.length === 1
    ? `archived ${day(first)}`
    : `archived ${dates.length} days, ${day(first)} to ${day(last)}`;
}

/** One row a change; fits 80 columns, uses what a wider terminal has. */
export function changesTable(changes: Change[]): string {
  const width = Math.min(Math.max(process.stdout.columns ?? 100, 60), 120);
  const titleWidth = width - 60;
  const table = new Table({
    head: ['Day', 'Change', 'Control', 'Points', '±'],
    colAligns: ['left', 'left', 'left', 'left', 'right'],
    colWidths: [14, 12, titleWidth, 20, 8],
    style: { head: ['bold'], border: ['dim'], compact: true },
  });
  for (const change of changes) {
    const { mark, colour } = MARKS[change.kind];
    const { before, after } = change.points;
    table.push([
      day(change.date),
      styleText(colour, mark),
      line(change.title, titleWidth - 2),
      sides(change.points, change.maximum),
      before !== null && after !== null && change.control !== null ? pointsChange(after - before) : '',
    ]);
  }
  return table.toString();
}
