import type { CommandModule } from 'yargs';
import { lazily } from '../shared/command.ts';

/** `secure-score archive`: maintains the archive itself. */
export function archiveCommand(exit: (code: number) => void): CommandModule {
  const rebuild = lazily(exit, 'rebuild', 'Rebuild the columns of the history from the snapshots', () =>
    import('./rebuild.ts').then((file) => file.rebuild),
  );
  const verify = lazily(exit, 'verify', 'Prove that the archive is complete and unchanged', () =>
    import('./verify.ts').then((file) => file.verify),
  );
  const pull = lazily(exit, 'pull [source] [folder]', 'Update a copy of a bucket in a folder', () =>
    import('./pull.ts').then((file) => file.pull),
  );
  const acknowledge = lazily(exit, 'acknowledge <key>', 'Record a known loss in the ledger', () =>
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
        .demandCommand(1, 'Choose a command: archive rebuild, verify, acknowledge or pull.'),
    handler: () => {},
  };
}
