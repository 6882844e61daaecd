import { styleText } from 'node:util';
import { day, NOISE, pointsChange, score, sides, signedUnits } from '../../lambda/report/format.ts';
import { line } from '../../lambda/report/plain-text.ts';
import { roundTogether } from '../../lambda/report/rounding.ts';
import type { RunResult } from '../../lambda/run/run.ts';
import type { Change, ChangeKind, Explanation } from '../../lambda/score/change.ts';
import type { Failure } from '../shared/failure.ts';
import { plainTable } from '../shared/plain-table.ts';

/** `{tenant, name, error}`: what `run --json` prints for a tenant whose run failed. */
export interface RunFailure extends Partial<RunResult> {
  tenant: string;
  name: string;
  error: Failure;
}

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
  // A function of an earlier version has none.
  const { deliveries = [] } = result as Partial<RunResult>;
  const lines = [
    `${styleText('bold', result.name)}  ${styleText('bold', score(now))}  ${styleText('dim', `${sides({ before: null, after: now.points }, { before: null, after: now.maximum })}, snapshot of ${day(now.date)}`)}`,
    `  ${describeArchived(archived)}`,
  ];
  if (changes.length > 0) lines.push(changesTable(changes, result.explanation));
  for (const { subject, to } of mails.toSorted((a, b) => (a.kind < b.kind ? 1 : -1)))
    lines.push(`  ✉ ${subject} ${styleText('dim', `→ ${to.join(', ')}`)}`);
  const posted = Map.groupBy(
    deliveries.filter((delivery) => 'id' in delivery && delivery.channel !== 'mail'),
    ({ kind }) => kind,
  );
  // Destinations are served side by side: by name, the same run prints the same, whoever answered first.
  for (const [kind, each] of [...posted].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const to = each
      .map(({ destination, channel }) => `${destination} (${channel})`)
      .toSorted((a, b) => (a < b ? -1 : 1))
      .join(', ');
    lines.push(`  » ${kind} ${styleText('dim', `→ ${to}`)}`);
  }
  for (const delivery of deliveries) {
    if ('id' in delivery) continue;
    const { kind, destination } = delivery;
    const [mark, colour, why] =
      'dropped' in delivery
        ? (['✗ given up', 'red', delivery.dropped] as const)
        : (['… waits', 'yellow', delivery.problem] as const);
    lines.push(`  ${styleText(colour, mark)}  ${kind} → ${destination}${why ? `: ${why}` : ''}`);
  }
  if (mails.length === 0 && deliveries.length === 0)
    lines.push(styleText('dim', '  nothing to report, no mail'));
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

/** Of several rows of one control on one day, the one that its points stand on. */
const POINTS_STAND_ON: ReadonlySet<ChangeKind> = new Set(['lost', 'gained', 'drift', 'new', 'removed']);

/**
 * One row per change, without rules, so that it can be copied; the day only if there are several. The printed numbers of
 * the last two columns add up to the change of the score, in points and in percentage points.
 */
export function changesTable(changes: Change[], explanation: Explanation): string {
  const severalDays = new Set(changes.map(({ date }) => date)).size > 1;
  const { before, after, unexplained } = explanation;
  const known = changes.map(({ percentagePoints }) => percentagePoints);
  const total =
    before === null || after === null ? known.reduce((sum, share) => sum + share, 0) : after - before;
  const shares = roundTogether([...known, unexplained], total, 2);
  const share = (hundredths: number | undefined, of = 0) =>
    hundredths || Math.abs(of) >= NOISE ? signedUnits(hundredths ?? 0, 2) : '';
  const moves = changes.map((change) => (bearsPoints(change, changes) ? moveOf(change) : 0));
  const move = (points: number) => (Math.abs(points) < NOISE ? '' : pointsChange(points));

  const rows = changes.map((change, index) => {
    const { mark, colour } = MARKS[change.kind];
    return {
      day: severalDays ? day(change.date) : '',
      mark: styleText(colour, mark),
      title: change.title,
      points: change.control === null ? '' : sides(change.points, change.maximum),
      move: move(moves[index]!),
      share: share(shares.parts[index], change.percentagePoints),
    };
  });
  const sum = moves.reduce((all, each) => all + each, 0);
  const summary = (title: string, points: string, hundredths: number) =>
    rows.push({
      day: '',
      mark: '',
      title: styleText('dim', title),
      points: '',
      move: points,
      share: signedUnits(hundredths, 2),
    });
  const unknown = shares.parts.at(-1) ?? 0;
  if (unknown !== 0) summary('not explained', '', unknown);
  if (rows.some((row) => row.move !== '' || row.share !== '')) {
    summary('together, in points and percentage points', move(sum), shares.total);
  }

  const width = Math.max(process.stdout.columns ?? 120, 60);
  const pointsWidth = Math.max(...rows.map(({ points }) => points.length));
  const titleWidth = Math.min(Math.max(width - pointsWidth - (severalDays ? 46 : 32), 20), 70);
  const drawn = rows.map((row) => {
    const title = row.mark === '' ? row.title : line(row.title, titleWidth);
    return [...(severalDays ? [row.day] : []), row.mark, title, row.points, row.move, row.share];
  });
  const right = [...(severalDays ? [false] : []), false, false, false, true, true];
  return plainTable(drawn, { right, indentation: 2 });
}

/** Whether a row's points count: those of tenant rows, and of a control's other rows, are counted elsewhere. */
function bearsPoints(change: Change, changes: Change[]): boolean {
  if (change.control === null) return false;
  if (POINTS_STAND_ON.has(change.kind)) return true;
  const rows = changes.filter(({ control, date }) => control === change.control && date === change.date);
  return rows[0] === change && !rows.some(({ kind }) => POINTS_STAND_ON.has(kind));
}

/** The change in points; all of them if the control is new or removed. */
function moveOf({ points: { before, after } }: Change): number {
  return (after ?? 0) - (before ?? 0);
}
