import { TABLES } from '../../lambda/archive/columns/tables.ts';
import type { Command } from '../shared/command.ts';
import { UsageError } from '../shared/exit.ts';
import { namesOf } from './names.ts';
import { configOf } from '../shared/archive-place.ts';
import { engineOf } from './engine.ts';
import { formatOf, HISTORY_OPTIONS, type HistoryFlags } from './options.ts';
import { printAnswer } from './present.ts';

interface SqlFlags extends HistoryFlags {
  statement: string;
}

/** `secure-score history sql`: answers a query of the user's own. */
export const sql: Command<SqlFlags> = {
  flags: (yargs) =>
    yargs
      .usage('$0 history sql <statement>\n\nRun your own SQL query, read-only.')
      .positional('statement', { type: 'string', demandOption: true, describe: 'One SELECT' })
      .options(HISTORY_OPTIONS)
      .conflicts('format', 'json')
      .conflicts('archive', ['deployed', 'stack'])
      .epilogue(
        `Tables, with the partition month (yyyy-mm):\n${TABLES.map(
          ({ name, comment, columns }) =>
            `  ${name}: ${comment}\n    ${columns.map((column) => column.name).join(', ')}`,
        ).join('\n')}`,
      ),
  act,
};

async function act(flags: SqlFlags): Promise<number> {
  if (flags.statement.trim() === '') throw new UsageError('The statement is empty: ask with one SELECT.');
  const config = await configOf(flags);
  const { engine, conclude } = await engineOf(flags, config);
  const answer = await engine.ask(flags.statement, null);
  printAnswer(answer, { format: formatOf(flags), question: null, names: await namesOf(flags, config) });
  return conclude(null);
}
