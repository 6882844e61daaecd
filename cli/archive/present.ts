import { styleText } from 'node:util';
import type { UnprovenDay } from '../../lambda/archive/columns/kept.ts';
import type { Pulled } from '../../lambda/archive/pull.ts';
import type { Fault, Gap, Verdict } from '../../lambda/archive/verify.ts';
import { day } from '../../lambda/report/format.ts';

/** So many faults of a kind are named one by one. */
const NAMED = 20;

export function count(number: number, thing: string): string {
  return `${number.toLocaleString('en-US')} ${thing}${number === 1 ? '' : 's'}`;
}

export function bytes(size: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = size;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** @param started by `performance.now()` */
export function seconds(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

export function describePulled(
  { objects, fetched, bytes: size }: Pulled,
  folder: string,
  started: number,
): string {
  const there = objects - fetched;
  if (fetched === 0) return `Nothing is new: ${count(objects, 'object')} are in ${folder} already.`;
  return `Fetched ${count(fetched, 'object')}, ${bytes(size)}, into ${folder} in ${seconds(started)}${there > 0 ? `; ${there.toLocaleString('en-US')} were there already` : ''}.`;
}

/** What was proved of a tenant, and what is wrong. */
export function describeVerdict(verdict: Verdict): string {
  const { tenant, name, snapshots, days, first, last, catalogues, rows, gaps, faults } = verdict;
  const mark =
    faults.length === 0
      ? styleText('green', '✓ whole')
      : styleText('red', `✗ ${count(faults.length, 'fault')}`);
  const span = first && last ? `, ${day(first)} to ${day(last)}` : '';
  const isTrue = !faults.some(({ kind }) => kind === 'columns');
  return [
    `${styleText('bold', name ?? tenant)}  ${mark}`,
    `  ${count(snapshots, 'snapshot')} of ${count(days, 'day')}${span}; ${count(catalogues, 'catalogue')}`,
    `  history: ${count(rows.scores + rows.controls + rows.changes, 'row')}${isTrue ? ', as the snapshots make them' : ''}`,
    ...gaps.map((gap) => styleText('dim', `  ${describeGap(gap)}`)),
    ...describeFaults(faults),
  ].join('\n');
}

/** Days of which a rebuild made no rows: why, what the history has of them, and what to do. */
export function describeUnproven(days: UnprovenDay[]): string[] {
  if (days.length === 0) return [];
  const more = days.length - NAMED;
  const rows = {
    kept: 'its rows stay as they were',
    'of another version': 'its rows are those of another version',
    none: 'the history has no rows of it',
  };
  return [
    ...days
      .slice(0, NAMED)
      .map(
        ({ date, why, rows: has }) =>
          `  ${styleText('red', `✗ ${date}`)}  ${rows[has]}  ${styleText('dim', why)}`,
      ),
    ...(more > 0 ? [`  … and ${more} more, all in --json`] : []),
    '  → Restore what is damaged or gone from an earlier version of the bucket, or from a backup, then rebuild again. All that is wrong: secure-score archive verify',
  ];
}

export function describeForeign(foreign: string[]): string {
  const faults = foreign.map((object): Fault => ({
    kind: 'foreign',
    object,
    why: 'nothing of the archive has such a name',
  }));
  return [styleText('bold', 'Of no tenant'), ...describeFaults(faults)].join('\n');
}

function describeGap({ from, to, days, reason, asked }: Gap): string {
  const when = days === 1 ? day(from) : `${day(from)} to ${day(to)} (${days} days)`;
  return reason === 'not-published'
    ? `no snapshot of ${when}: Microsoft had none, or none that could be read, when asked on ${day(asked)}`
    : `no snapshot of ${when}: the next run was on ${day(asked)}, and Microsoft keeps 90 days`;
}

const ADVICE: Record<Fault['kind'], string> = {
  damaged:
    'Restore them from an earlier version of the bucket, or from a backup: nobody but Microsoft could make them again.',
  missing: 'Restore them from an earlier version of the bucket, or from a backup.',
  foreign: 'Move them away: the archive did not make them.',
  implausible: 'Nothing: an earlier version archived what cannot be true. They count as not there.',
  columns: 'Make them again, once the snapshots are whole: secure-score archive rebuild.',
};

function describeFaults(faults: Fault[]): string[] {
  return (Object.keys(ADVICE) as Fault['kind'][]).flatMap((kind) => {
    const ofKind = faults.filter((fault) => fault.kind === kind);
    if (ofKind.length === 0) return [];
    const more = ofKind.length - NAMED;
    return [
      ...ofKind
        .slice(0, NAMED)
        .map(({ object, why }) => `  ${styleText('red', `✗ ${kind}`)}  ${object}  ${styleText('dim', why)}`),
      ...(more > 0 ? [`  … and ${more} more, all in --json`] : []),
      `  → ${ADVICE[kind]}`,
    ];
  });
}
