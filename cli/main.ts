import yargs from 'yargs';
import { MonitorError } from '../lambda/errors.ts';
import { followProxy } from '../lambda/proxy.ts';
import { archiveCommand } from './archive/archive.ts';
import { certificateCommand } from './certificate/certificate.ts';
import { lazily } from './shared/command.ts';
import { EXIT, UsageError } from './shared/exit.ts';
import { historyCommand } from './history/history.ts';

/**
 * The command line.
 * @param args without node and the script
 * @returns the exit code: 0 done, 1 failed (stderr says what to do), 2 wrong usage
 */
export async function main(args: string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  const exit = (code: number) => void (exitCode = code);
  const run = lazily(exit, 'run', 'Fetch the score of every tenant, archive it, and mail what changed', () =>
    import('./run/run.ts').then((file) => file.run),
  );
  const doctor = lazily(exit, 'doctor', 'Check everything that a run needs, and say what to do', () =>
    import('./doctor/doctor.ts').then((file) => file.doctor),
  );
  const parser = yargs(args)
    .scriptName('secure-score')
    // Our own words are English, and half of a message in another language helps nobody.
    .locale('en')
    .usage('$0 <command>\n\nWatches the Microsoft Secure Score of your tenants.')
    .command(run)
    .command(certificateCommand(exit))
    .command(doctor)
    .command(historyCommand(exit))
    .command(archiveCommand(exit))
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
      throw error ?? new UsageError(message);
    });
  try {
    followProxy();
    await parser.parseAsync();
    return exitCode;
  } catch (error) {
    // What yargs itself finds wrong is an YError, or comes as a message alone.
    if (error instanceof Error && (error instanceof UsageError || error.name === 'YError')) {
      console.error(`${inPlainWords(error.message)}\n\nTry: secure-score --help`);
      return EXIT.usage;
    }
    console.error(describeError(error));
    return EXIT.failed;
  }
}

function inPlainWords(message: string): string {
  return message
    .replace(/^Not enough non-option arguments:.*/, 'An argument is missing.')
    .replace(/^[^:]*:\s+(\S+) -> (\S+)$/, '--$1 goes with --$2 only.');
}

/** What went wrong and what to do, for a person. */
function describeError(error: unknown): string {
  if (error instanceof MonitorError) return `${error.message}\n→ ${error.advice}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
