import type { Argv, CommandModule } from 'yargs';
import { showExamples, type Example } from './help.ts';

/** A command: the flags that it takes, and what it does with them. */
export interface Command<Flags> {
  flags: (yargs: Argv) => Argv<Flags>;
  /** @returns the exit code */
  act: (flags: Flags) => Promise<number>;
  /** At the end of its help. */
  examples?: readonly Example[];
}

/**
 * A command whose file is loaded only when it runs: with the AWS SDK and MSAL behind it that takes a second, which
 * neither `--help` nor a shell's completion should wait for.
 * @param exit takes the exit code
 */
export function lazily<Flags>(
  exit: (code: number) => void,
  command: string,
  describe: string,
  load: () => Promise<Command<Flags>>,
): CommandModule<object, Flags> {
  return {
    command,
    describe,
    builder: async (yargs) => {
      const { flags, examples = [] } = await load();
      showExamples(examples);
      return flags(namingArguments(yargs, command));
    },
    handler: async (flags) => exit(await (await load()).act(flags as Flags)),
  };
}

/** Says which argument is missing; yargs would only count them. */
function namingArguments(yargs: Argv, command: string): Argv {
  const wanted = command.match(/<[^>]+>/g);
  if (wanted === null) return yargs;
  const words = `An argument is missing: ${command.split(' ')[0]} needs ${wanted.join(' and ')}.%c%c`;
  // %c takes a number in, and prints nothing: https://nodejs.org/api/util.html#utilformatformat-args
  return yargs.updateStrings({
    'Not enough non-option arguments: got %s, need at least %s': { one: words, other: words },
  } as never);
}
