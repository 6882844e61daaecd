import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import yargs from 'yargs';
import { commandLine } from '../lambda/command-line.ts';
import { quote } from '../lambda/errors.ts';
import { followProxy } from '../lambda/proxy.ts';
import { archiveCommand } from './archive/archive.ts';
import { certificateCommand } from './certificate/certificate.ts';
import { channelCommand } from './channel/channel.ts';
import { lazily } from './shared/command.ts';
import { forShell, programToComplete, proposals } from './shared/completion.ts';
import { HELP_WIDTH, layOut, PROGRAM } from './shared/help.ts';
import { EXIT, UsageError } from './shared/exit.ts';
import { asMonitorError } from './shared/failure.ts';
import { historyCommand } from './history/history.ts';
import { tenantCommand } from './tenant/tenant.ts';

/**
 * The command line.
 * @param args without node and the script
 * @returns the exit code: 0 done, 1 failed (stderr says what to do), 2 wrong usage
 */
export async function main(args: string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  let acted = false;
  const exit = (code: number) => {
    acted = true;
    exitCode = code;
  };
  const [first, ...typed] = args;
  const ours = first === '--get-yargs-completions' ? await proposals(typed) : null;
  if (ours?.only) {
    for (const name of ours.names) console.log(name);
    return EXIT.done;
  }
  const run = lazily(exit, 'run', 'Fetch the score of every tenant, archive it, and mail what changed', () =>
    import('./run/run.ts').then((file) => file.run),
  );
  const doctor = lazily(exit, 'doctor', 'Check everything that a run needs, and say what to do', () =>
    import('./doctor/doctor.ts').then((file) => file.doctor),
  );
  const watch = lazily(exit, 'watch', 'Look for runs that are missing, and mail operations', () =>
    import('./watch/watch.ts').then((file) => file.watch),
  );
  const digest = lazily(exit, 'digest [name]', 'Send what happened to all tenants as one message', () =>
    import('./digest/digest.ts').then((file) => file.digest),
  );
  const parser = yargs(args)
    .scriptName(first === 'completion' ? programToComplete() : PROGRAM)
    // The locale is fixed because our own texts are English, and messages in two languages would help nobody.
    .locale('en')
    .usage('$0 <command>\n\nWatches the Microsoft Secure Score of your tenants.')
    .command(run)
    .command(digest)
    .command(certificateCommand(exit))
    .command(watch)
    .command(channelCommand(exit))
    .command(tenantCommand(exit))
    .command(doctor)
    .command(historyCommand(exit))
    .command(archiveCommand(exit))
    .demandCommand(1, 'Choose a command.')
    .recommendCommands()
    .strict()
    // Global, so that it knows the flags of the command at hand.
    .check(() => {
      checkSwitches(
        args,
        (parser as unknown as { getOptions(): { boolean: string[] } }).getOptions().boolean,
      );
      return true;
    }, true)
    .completion('completion', COMPLETION, ((
      _current: string,
      _argv: unknown,
      complete: (done: (error: Error | null, found?: string[]) => void) => void,
      done: (found: string[]) => void,
    ) => complete((_error, found = []) => done([...found, ...(ours?.names ?? [])]))) as never)
    .help()
    .alias('help', 'h')
    .version(version())
    .wrap(HELP_WIDTH)
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    });
  try {
    followProxy();
    const print = (_error: unknown, argv: Record<string, unknown>, output: string) => {
      const asksHelp = argv['help'] === true;
      // Asked for help, yargs prints the script all the same.
      if (first === 'completion') {
        console.log(asksHelp ? `${commandLine('completion')}\n\n${COMPLETION}.` : forShell(output));
      } else if (output !== '') console.log(asksHelp ? layOut(output) : output);
    };
    const {
      _: words,
      help,
      version: asked,
    } = (await parser.parseAsync(args, {}, print as never)) as Record<string, unknown>;
    const printed = help === true || asked === true || (words as unknown[])[0] === 'completion';
    // What stands behind `--` is no command to yargs, and no mistake.
    if (!acted && !printed && !args.includes('--get-yargs-completions'))
      throw new UsageError('Choose a command.');
    return exitCode;
  } catch (error) {
    // What yargs itself finds wrong is an YError, or comes as a message alone.
    if (error instanceof Error && (error instanceof UsageError || error.name === 'YError')) {
      console.error(`${inPlainWords(error.message)}\n\nTry: ${commandLine('--help')}`);
      return EXIT.usage;
    }
    console.error(describeError(error));
    return EXIT.failed;
  }
}

const COMPLETION =
  'Print a completion script for bash, zsh or fish, whichever $SHELL names; its head says where to put it';

/** yargs takes each value but "true" for false, and `--dry-run=yes` would not be a dry run. @throws UsageError */
function checkSwitches(args: readonly string[], switches: readonly string[]): void {
  const end = args.indexOf('--');
  for (const word of end < 0 ? args : args.slice(0, end)) {
    const [, name = '', value = ''] = /^--?(?:no-)?([^=]+)=(.*)$/s.exec(word) ?? [];
    if (switches.includes(name) && value !== 'true' && value !== 'false')
      throw new UsageError(`--${name} takes no value, but was given ${quote(value)}.`);
  }
}

function inPlainWords(message: string): string {
  return message.replace(/^[^:]*:\s+(\S+) -> (\S+)$/, '--$1 goes with --$2 only.');
}

/** Explains to a person what went wrong and what to do, without a stack. */
export function describeError(error: unknown): string {
  const { message, advice } = asMonitorError(error);
  return `${message}\n→ ${advice}`;
}

/** Version of the package, in a checkout and where it is installed. */
function version(): string {
  const manifest = findPackageJSON(import.meta.url);
  return manifest === undefined
    ? 'unknown'
    : (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
