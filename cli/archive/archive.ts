import type { CommandModule } from 'yargs';
import { lazily } from '../shared/command.ts';

/** `secure-score archive`: look after the archive itself. */
export function archiveCommand(exit: (code: number) => void): CommandModule {
  const rebuild = lazily(exit, 'rebuild', 'Make the columns of the history again from the snapshots', () =>
    import('./rebuild.ts').then((file) => file.rebuild),
  );
  const verify = lazily(exit, 'verify', 'Prove that the archive is whole, and its columns true', () =>
    import('./verify.ts').then((file) => file.verify),
  );
  const pull = lazily(exit, 'pull <source> <folder>', 'Keep a copy of a bucket in a folder up to date', () =>
    import('./pull.ts').then((file) => file.pull),
  );
  const acknowledge = lazily(exit, 'acknowledge <key>', 'Enter a known loss into the ledger', () =>
    import('./acknowledge.ts').then((file) => file.acknowledge),
  );
  return {
    command: 'archive',
    describe: 'Verify, rebuild or copy the archive',
    builder: (yargs) =>
      yargs
        .command(rebuild)
        .command(verify)
        .command(acknowledge)
        .command(pull)
        .demandCommand(1, 'Name a command: archive rebuild, verify, acknowledge or pull.'),
    handler: () => {},
  };
}
