import type { CommandModule } from 'yargs';
import { lazily } from '../shared/command.ts';
import { showExamples } from '../shared/help.ts';

/** `secure-score history`: ask the archive anything. */
export function historyCommand(exit: (code: number) => void): CommandModule {
  const sql = lazily(exit, 'sql <statement>', 'Run your own SQL query, read-only', () =>
    import('./sql.ts').then((file) => file.sql),
  );
  const open = lazily(exit, 'open', 'Show the history as a page in the browser', () =>
    import('./open.ts').then((file) => file.open),
  );
  return {
    command: 'history [question]',
    describe: 'Ask the archive: trends, losses, decisions, peers',
    builder: async (yargs) => {
      const { ask } = await import('./ask.ts');
      showExamples(ask.examples ?? []);
      return ask.flags(yargs.command(sql).command(open));
    },
    handler: async (flags) => exit(await (await import('./ask.ts')).ask.act(flags as never)),
  };
}
