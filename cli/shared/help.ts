import { callHere } from '../../lambda/command-line.ts';

/** Terminals are at least so wide, and lines that are much longer are hard to read. */
export const HELP_WIDTH = 80;

/** What yargs takes the program for: the real call may be long, and stands in no column of its tables. */
export const PROGRAM = '$0';

/** A command line without the program, and what it is for. */
export type Example = readonly [words: string, purpose: string];

let shown: readonly Example[] = [];

/** Has the help of the command that is built now end with these. */
export function showExamples(examples: readonly Example[]): void {
  shown = examples;
}

/**
 * The help as yargs made it, as people read it: commands stand in the list without the program, everywhere else as they
 * can be typed here.
 */
export function layOut(help: string): string {
  const call = callHere();
  let isList = false;
  const lines = help
    .trimEnd()
    .split('\n')
    .map((line) => {
      if (line === 'Commands:') isList = true;
      if (line === '') isList = false;
      const own = line.replace(`  ${PROGRAM} `, '  ');
      // A description that goes on below itself.
      if (isList) return own === line ? line.replace(' '.repeat(PROGRAM.length + 1), '') : own;
      return line.replaceAll(PROGRAM, () => call);
    });
  const examples = shown.flatMap(([words, purpose]) => [
    ...(purpose === '' ? [] : [`  # ${purpose}`]),
    ...broken(`${call} ${words}`),
  ]);
  return [...lines, ...(examples.length > 0 ? ['', 'Examples:', ...examples] : [])].join('\n');
}

/** A command in lines that a shell reads as one. */
function broken(command: string): string[] {
  const lines: string[] = [];
  let line = ' ';
  // A flag stands with its value, and what is quoted in one piece.
  for (const word of command.match(/--\S+(?: (?!-)(?:"[^"]*"|\S+))?|(?:"[^"]*"|\S)+/g) ?? []) {
    if (line.length + word.length + 3 > HELP_WIDTH) {
      lines.push(`${line} \\`);
      line = '     ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
