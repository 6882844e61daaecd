import { styleText } from 'node:util';
import type { UnprovenDay } from '../../lambda/archive/columns/retained.ts';
import type { Pulled } from '../../lambda/archive/pull.ts';
import type { Acknowledged, Finding, Gap, LedgerVerdict, Verdict } from '../../lambda/archive/verify.ts';
import { day } from '../../lambda/report/format.ts';
import { commandLine } from '../../lambda/command-line.ts';

/** The maximum number of faults of a kind that are listed one by one. */
const NAMED = 20;

export function count(number: number, thing: string, things = `${thing}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? thing : things}`;
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
  if (fetched === 0) return `Up to date: ${folder} already has ${count(objects, 'object')}.`;
  return `Fetched ${count(fetched, 'object')}, ${bytes(size)}, into ${folder} in ${seconds(started)}${there > 0 ? `; ${there.toLocaleString('en-US')} were there already` : ''}.`;
}

/** What was proven about a tenant, and what is wrong. */
export function describeVerdict(verdict: Verdict): string {
  const { tenant, name, snapshots, days, first, last, catalogues, rows, gaps, findings } = verdict;
  const mark =
    findings.length === 0
      ? styleText('green', '✓ complete')
      : styleText('red', `✗ ${count(findings.length, 'finding')}`);
  const span = first && last ? `, ${day(first)} to ${day(last)}` : '';
  const isTrue = !findings.some(({ kind }) => kind === 'columns');
  return [
    `${styleText('bold', name ?? tenant)}  ${mark}`,
    `  ${count(snapshots, 'snapshot')} of ${count(days, 'day')}${span}; ${count(catalogues, 'catalogue')}`,
    ...describeLedger(verdict.ledger),
    `  history: ${count(rows.scores + rows.controls + rows.changes, 'row')}${isTrue ? ', equal to those derived from the snapshots' : ''}`,
    ...gaps.map((gap) => styleText('dim', `  ${describeGap(gap)}`)),
    ...verdict.acknowledged.map(describeAcknowledged),
    ...describeFindings(findings),
  ].join('\n');
}

function describeLedger(ledger: LedgerVerdict | null): string[] {
  if (!ledger) {
    return ['  no ledger yet, so nothing proves what was archived before: the next run begins one'];
  }
  const { entries, began, head, signed, unsigned, unsignedBecause, signatures, certificates, unfinished } =
    ledger;
  const signers = certificates
    .map(({ thumbprint, entries: of }) => `${thumbprint} (${count(of, 'entry', 'entries')})`)
    .join(', ');
  return [
    `  ledger: ${count(entries, 'entry', 'entries')}${began ? ` since ${day(began)}` : ''}, head ${head?.hash.slice(0, 12) ?? 'none'}; ${signed} signed, ${unsigned} not`,
    ...(signers === ''
      ? []
      : [
          signatures === 'checked'
            ? `  signatures: checked, by ${signers}`
            : `  signatures: not checked. Pass the certificates that you know to be these with --certificate: ${signers}`,
        ]),
    ...unsignedBecause.map((why) => styleText('dim', `  not signed: ${why}`)),
    ...unfinished.map((key) => styleText('dim', `  never archived, because its run died: ${key}`)),
  ];
}

function describeAcknowledged({ key, why, reason, certificate }: Acknowledged): string {
  const by = certificate ? '' : ' (by an entry that is not signed)';
  return `  ${styleText('yellow', '· acknowledged')}  ${key}  ${styleText('dim', `${why}; acknowledged${by}: ${reason}`)}`;
}

/** A tenant of the config that the archive has nothing of. */
export function describeAbsent({ name, tenantId }: { name: string; tenantId: string }): string {
  return `${styleText('bold', name)}  ${styleText('red', '✗ nothing is archived')}\n  The config has this tenant (${tenantId}), but the archive has nothing of it: it has never run, or somebody removed it.`;
}

/** Days for which a rebuild derived no rows: the reason, what the history has for them, and what to do. */
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
    `  → Restore what is damaged or missing from an earlier version in the bucket, or from a backup, then rebuild again. To list all faults: ${commandLine('archive verify')}`,
  ];
}

/** @param findings of no tenant */
export function describeForeign(findings: Finding[]): string {
  return [styleText('bold', 'Outside any tenant'), ...describeFindings(findings)].join('\n');
}

function describeGap({ from, to, days, reason, asked }: Gap): string {
  const when = days === 1 ? day(from) : `${day(from)} to ${day(to)} (${days} days)`;
  const why = {
    'not-published': `Microsoft had none when asked on ${asked === null ? '?' : day(asked)}, according to the ledger`,
    refused: `Microsoft had one on ${asked === null ? '?' : day(asked)} that could not be used, according to the ledger`,
    'before-ledger': 'the ledger began later, so nothing says whether Microsoft had one',
  };
  return `no snapshot of ${when}: ${why[reason]}`;
}

function describeFindings(findings: Finding[]): string[] {
  return [...Map.groupBy(findings, ({ kind }) => kind)].flatMap(([kind, ofKind]) => {
    const more = ofKind.length - NAMED;
    const [{ consequence, remedy }] = ofKind as [Finding];
    return [
      ...ofKind
        .slice(0, NAMED)
        .map(({ key, why }) => `  ${styleText('red', `✗ ${kind}`)}  ${key}  ${styleText('dim', why)}`),
      ...(more > 0 ? [`  … and ${more} more, all in --json`] : []),
      `  ${consequence}`,
      `  → ${remedy}`,
    ];
  });
}
