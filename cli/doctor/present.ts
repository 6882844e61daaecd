import { styleText } from 'node:util';
import { callHere } from '../../lambda/command-line.ts';
import { count } from '../../lambda/report/format.ts';
import type { Finding, Mark } from './checks/examination.ts';

export const MARKS: Record<Mark, { mark: string; colour: 'green' | 'yellow' | 'red' | 'dim' }> = {
  ok: { mark: '✓', colour: 'green' },
  warning: { mark: '!', colour: 'yellow' },
  failed: { mark: '✗', colour: 'red' },
  skipped: { mark: '–', colour: 'dim' },
};

/** The longest name of a check. */
const NAME_WIDTH = 'configuration set'.length;
/** Before what was found: the mark, the name, blanks. */
const INDENT = NAME_WIDTH + 6;

/** Rows of a table that grows while the checks run. A tenant's rows stand under its name. */
export function describeFinding(finding: Finding, previous: Finding | undefined): string {
  const { check, tenant, status, found, advice } = finding;
  const { mark, colour } = MARKS[status];
  const [first = '', ...rest] = wrap(found);
  const lines = [`  ${styleText(colour, mark)} ${check.padEnd(NAME_WIDTH)}  ${dimmed(status, first)}`];
  for (const more of rest) lines.push(`${' '.repeat(INDENT)}${dimmed(status, more)}`);
  if (advice !== null) {
    const [head = '', ...tail] = wrap(advice, 2);
    lines.push(`${' '.repeat(INDENT)}${styleText(colour, `→ ${head}`)}`);
    for (const more of tail) lines.push(`${' '.repeat(INDENT + 2)}${styleText(colour, more)}`);
  }
  if (previous && previous.tenant === tenant) return lines.join('\n');
  const title = styleText('bold', tenant ?? 'Setup');
  return `${previous ? '\n' : ''}${title}\n${lines.join('\n')}`;
}

/** A check that this setup has no use for. */
export const isUnused = ({ status, found }: Finding): boolean =>
  status === 'skipped' && found.startsWith('not used: ');

/** The last line. */
export function describeFindings(findings: readonly Finding[]): string {
  const having = (status: Mark) => findings.filter((finding) => finding.status === status).length;
  const failed = having('failed');
  const warnings = having('warning');
  const attention = warnings > 0 ? `, ${count(warnings, 'thing')} to look at` : '';
  return failed > 0
    ? `\n${styleText(['bold', 'red'], `✗ ${count(failed, 'check')} failed${attention}`)}. Start with the first: it may have caused the others.`
    : `\n${styleText(['bold', 'green'], '✓ A run has everything it needs')}${attention}.`;
}

const dimmed = (status: Mark, words: string) => (status === 'skipped' ? styleText('dim', words) : words);

/** Words in lines that fit behind the names, on this terminal; a word that is longer stands alone. */
function wrap(words: string, more = 0): string[] {
  const width = Math.max(Math.min(process.stdout.columns ?? 100, 120) - INDENT - more, 30);
  return words.split('\n').flatMap((paragraph) => {
    // A command (also of another program, then indented) in two lines is none: the terminal wraps it, and it can be copied.
    if (paragraph.startsWith(callHere()) || /^ {2}\S/.test(paragraph)) return [paragraph];
    const lines: string[] = [];
    for (const word of paragraph.trim().split(/\s+/)) {
      const last = lines.at(-1);
      if (last !== undefined && last.length + 1 + word.length <= width)
        lines[lines.length - 1] = `${last} ${word}`;
      else lines.push(word);
    }
    return lines;
  });
}
