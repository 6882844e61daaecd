import type { CommandModule } from 'yargs';
import { lazily } from './command.ts';

/** `secure-score history`: ask the archive anything. */
export function historyCommand(exit: (code: number) => void): CommandModule {
  const sql = lazily(exit, 'sql <statement>', 'Ask in SQL of your own, read-only', () =>
    import('./history-sql.ts').then((file) => file.sql),
  );
  return {
    command: 'history [question]',
    describe: 'Ask the archive: trends, losses, decisions, peers',
    builder: async (yargs) => (await import('./history-ask.ts')).ask.flags(yargs.command(sql)),
    handler: async (flags) => exit(await (await import('./history-ask.ts')).ask.act(flags as never)),
  };
}
