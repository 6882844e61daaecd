import yargs from 'yargs';
import { MonitorError } from '../lambda/errors.ts';
import { EXIT, UsageError } from './exit.ts';
import { runCommand } from './run.ts';

/**
 * The command line.
 * @param args without node and the script
 * @returns the exit code: 0 done, 1 failed (stderr says what to do), 2 wrong usage
 */
export async function main(args: string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  const parser = yargs(args)
    .scriptName('secure-score')
    .usage('$0 <command>\n\nWatches the Microsoft Secure Score of your tenants.')
    .command(runCommand((code) => (exitCode = code)))
    .demandCommand(1, 'Name a command.')
    .recommendCommands()
    .strict()
    .completion('completion', 'Print a completion script for your shell')
    .help()
    .alias('help', 'h')
    .version(false)
    .wrap(Math.min(110, process.stdout.columns ?? 80))
    .exitProcess(false)
    .fail((message, error) => {
      // What yargs itself finds wrong is an YError, or comes as a message alone.
      throw error && error.name !== 'YError' ? error : new UsageError(message);
    });
  try {
    await parser.parseAsync();
    return exitCode;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\nTry: secure-score --help`);
      return EXIT.usage;
    }
    console.error(describeError(error));
    return EXIT.failed;
  }
}

/** What went wrong and what to do, for a person. */
export function describeError(error: unknown): string {
  if (error instanceof MonitorError) return `${error.message}\n→ ${error.advice}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
