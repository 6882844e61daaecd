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
  drift: { mark: '≈ drift', colour: 'cyan' },
  're-scored': { mark: '↕ re-scored', colour: 'cyan' },
  decided: { mark: '✓ decided', colour: 'cyan' },
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
    `${styleText('bold', result.name)}  ${styleText('bold', score(now))}  ${styleText('dim', `${sides({ before: null, after: now.points }, { before: null, after: now.maximum })}, snapshot of ${day(now.date)}`)}`,
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

/** One row a change, without lines, so that it can be copied; the day only where there are several. */
export function changesTable(changes: Change[]): string {
  const severalDays = new Set(changes.map(({ date }) => date)).size > 1;
  const rows = changes.map((change) => {
    const { mark, colour } = MARKS[change.kind];
    const { before, after } = change.points;
    return {
      day: severalDays ? day(change.date) : null,
      mark: styleText(colour, mark),
      title: change.title,
      points: change.control === null ? '' : sides(change.points, change.maximum),
      move: before === null || after === null || before === after ? '' : pointsChange(after - before),
    };
  });
  const width = Math.max(process.stdout.columns ?? 120, 60);
  const pointsWidth = Math.max(...rows.map(({ points }) => points.length));
  const titleWidth = Math.min(Math.max(width - pointsWidth - (severalDays ? 37 : 23), 20), 70);
  const table = new Table({
    chars: NO_LINES,
    colAligns: [...(severalDays ? (['left'] as const) : []), 'left', 'left', 'left', 'right'],
    style: { 'padding-left': 2, 'padding-right': 0 },
  });
  for (const row of rows) {
    const title = line(row.title, titleWidth);
    table.push([...(row.day === null ? [] : [row.day]), row.mark, title, row.points, row.move]);
  }
  return table.toString();
}

const NO_LINES = Object.fromEntries(
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle'
    .split(' ')
    .map((name) => [name, '']),
);
