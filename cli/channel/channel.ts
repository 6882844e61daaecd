import type { CommandModule } from 'yargs';
import { lazily } from '../shared/command.ts';

/** `secure-score channel`: what takes reports beside mail. */
export function channelCommand(exit: (code: number) => void): CommandModule {
  const put = lazily(
    exit,
    'put <name>',
    'Put the address of a channel, from standard input, into its secret',
    () => import('./put.ts').then((file) => file.put),
  );
  const test = lazily(exit, 'test <name>', 'Send a test message to a channel', () =>
    import('./test.ts').then((file) => file.test),
  );
  const list = lazily(exit, 'list', 'List the channels, and what each hears of', () =>
    import('./list.ts').then((file) => file.list),
  );
  return {
    command: 'channel',
    describe: 'Set up what takes reports beside mail',
    builder: (yargs) =>
      yargs
        .command(put)
        .command(test)
        .command(list)
        .demandCommand(1, 'Name a command: channel put, test or list.'),
    handler: () => {},
  };
}
