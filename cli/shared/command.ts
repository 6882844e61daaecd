import type { Argv, CommandModule } from 'yargs';

/** A command: the flags that it takes, and what it does with them. */
export interface Command<Flags> {
  flags: (yargs: Argv) => Argv<Flags>;
  /** @returns the exit code */
  act: (flags: Flags) => Promise<number>;
}

/**
 * A command whose file is loaded when it is wanted: with the AWS SDK and MSAL behind it, that takes a second, which
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
    builder: (yargs) => load().then(({ flags }) => flags(yargs)),
    handler: async (flags) => exit(await (await load()).act(flags as Flags)),
  };
}
