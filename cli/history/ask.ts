import { styleText } from 'node:util';
import type { Argv } from 'yargs';
import type { Answer, HistoryEngine } from '../../history/answer.ts';
import { ABOUT, allQuestions, BEGINNING, bind, type Question, type Wanted } from '../../history/questions.ts';
import { literal } from '../../history/placeholders.ts';
import { machineClock } from '../../lambda/clock.ts';
import { dateOf } from '../../lambda/dates.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import type { Command } from '../shared/command.ts';
import { dayOf } from '../shared/day.ts';
import { EXIT, UsageError } from '../shared/exit.ts';
import { covered } from './covered.ts';
import { engineOf } from './engine.ts';
import { reportWhatIsLeft } from './losses.ts';
import { formatOf, HISTORY_OPTIONS, QUESTION_OPTIONS, type HistoryFlags } from './options.ts';
import { namesOf, tenantOf } from './names.ts';
import { printAnswer, wrapped } from './present.ts';
import { configOf, locationOf } from '../shared/archive-place.ts';
import { idIn } from '../shared/tenant-id.ts';
import { openStore } from '../../lambda/archive/open-store.ts';
import { commandLine } from '../../lambda/command-line.ts';

interface AskFlags extends HistoryFlags {
  question?: string;
  tenant?: string;
  control?: string;
  from?: string;
  to?: string;
  limit?: number;
}

/** A question must not be refused as a mistyped command. (The types lack the argument.) */
function withoutGuesses<Flags>(yargs: Argv<Flags>): Argv<Flags> {
  return (yargs as { recommendCommands(guess: boolean): Argv<Flags> }).recommendCommands(false);
}

/** The question is of `history` alone: yargs would list it in the help of `history open` as well. (Likewise.) */
function withOwnQuestion<Flags>(yargs: Argv<Flags>): Argv<Flags> {
  return (yargs as { global(key: string, everywhere: boolean): Argv<Flags> }).global('question', false);
}

/** `secure-score history [question]`: answers a question, or lists the questions. */
export const ask: Command<AskFlags> = {
  flags: (yargs) =>
    withOwnQuestion(withoutGuesses(yargs as Argv<{ question?: string }>))
      .usage(
        '$0 history [question]\n\nAsk the archive a question. Without one, the questions are listed.\n\nA question about all tenants counts those of the config; one about a period that is over (--to) also counts those that were removed since. Athena counts all.',
      )
      // yargs would take 2026 for a number.
      .positional('question', { type: 'string', describe: 'Its name; without one, all are listed' })
      .options(QUESTION_OPTIONS)
      .options(HISTORY_OPTIONS)
      .conflicts('format', 'json')
      .conflicts('archive', ['deployed', 'stack']),
  examples: [
    ['history trend --tenant Contoso --from 2026-01', 'the score, day by day'],
    ['history losses --json', 'what cost the most in 30 days'],
    ['history sql "SELECT max(date) FROM scores"', 'anything else'],
  ],
  act,
};

async function act(flags: AskFlags): Promise<number> {
  const questions = allQuestions();
  const format = formatOf(flags);
  if (flags.question === undefined) {
    console.log(format === 'json' ? JSON.stringify(questions.map(toJson), null, 2) : describe(questions));
    return EXIT.done;
  }
  const question = questions.find(({ name }) => name === flags.question);
  if (!question) throw unknown(flags.question, questions);
  const wanted: Wanted = {
    control: flags.control ?? null,
    limit: flags.limit ?? null,
    from: flags.from === undefined ? null : dayOf('from', flags.from),
    to: flags.to === undefined ? null : dayOf('to', flags.to),
  };
  // Flags are checked before anything is loaded or pulled.
  bound(question, { ...wanted, tenant: flags.tenant }, wanted.to ?? '9999-12-31');

  const config = await configOf(flags);
  const isOfAll = flags.tenant === undefined || question.readsAllTenants;
  const names = await namesOf(flags, config, isOfAll ? null : idIn(flags.tenant ?? ''));
  const tenant = flags.tenant === undefined ? null : tenantOf(flags.tenant, names);
  const { engine, conclude } = await engineOf(flags, config, question.readsAllTenants ? null : tenant);
  const newest =
    wanted.to ?? (question.endsToday ? null : await engine.newest()) ?? dateOf(machineClock.now());
  // To look it up would cost Athena more than the question.
  if (wanted.control !== null && flags.engine !== 'athena') {
    wanted.control = await controlOf(wanted.control ?? '', tenant, engine);
  }
  const { sql, scope: asked, from, to } = bound(question, { ...wanted, tenant }, newest);
  const isOver = !question.endsToday && (wanted.to ?? '9999-12-31') < dateOf(machineClock.now());
  const { scope, note } = covered(engine, asked, { config, names, tenant, isOver });
  let answer = await engine.ask(sql, scope);
  // Athena's analysts may read no state.
  if (question.fillsLastRun && flags.engine !== 'athena') {
    // With a config its tenants are all that is expected to run.
    const expected = tenant === null ? config?.tenants.map(({ tenantId }) => tenantId) : [tenant];
    const store = await openStore(await locationOf(flags, config));
    const { withLastRuns } = await import('./runs.ts');
    const { columns, rows } = await withLastRuns(answer, expected ?? [...names.keys()], store);
    answer = { columns, rows: rows.slice(0, flags.limit) };
  }
  await reportWhatIsLeft(engine, wanted.from ?? null, tenant);
  if (note !== null) console.error(styleText('dim', note));
  if (answer.rows.length === 0 && format === 'table') {
    console.log(await nothing(question, engine, { from, to }));
    return conclude(scope);
  }
  const first = from === BEGINNING ? firstOf(answer) : from;
  printAnswer(answer, { format, question, names, period: { from: first ?? from, to } });
  return conclude(scope);
}

/** For a period without a beginning: the first day in the answer. */
function firstOf({ rows }: Answer): string | undefined {
  const days = rows.flatMap((row) => [row['date'], row['first_date']]);
  return days.filter((day) => typeof day === 'string').toSorted()[0];
}

function bound(question: Question, wanted: Wanted, newest: string) {
  try {
    return bind(question, wanted, newest);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/**
 * The id of a control, which may be called by its title as well.
 * @throws MonitorError `control-unknown`, `control-ambiguous`
 */
async function controlOf(wanted: string, tenant: string | null, engine: HistoryEngine): Promise<string> {
  const of = tenant === null ? '' : ` AND tenant = ${literal(tenant)}`;
  const called = async (condition: string) => {
    const { rows } = await engine.ask(
      // Stretches have a twentieth of the rows of controls. Athena, which has none, is not asked.
      `SELECT DISTINCT control FROM stretches WHERE (${condition})${of} ORDER BY control LIMIT ${NEAR}`,
      null,
    );
    return rows.flatMap(({ control }) => (typeof control === 'string' ? control : []));
  };
  const text = literal(wanted);
  // One row is enough to know an id, and found before the others are read.
  const known = await engine.ask(`SELECT 1 FROM stretches WHERE control = ${text}${of} LIMIT 1`, null);
  if (known.rows.length > 0) return wanted;
  const [found, ...more] = await called(`lower(title) = lower(${text}) OR lower(control) = lower(${text})`);
  if (found !== undefined && more.length === 0) return found;
  if (found !== undefined) {
    throw new MonitorError(
      'control-ambiguous',
      `Several recommendations have the title ${quote(wanted)}.`,
      `Name one by its id: ${[found, ...more].join(', ')}.`,
    );
  }
  const near = await called(`strpos(lower(control || ' ' || title), lower(${text})) > 0`);
  throw new MonitorError(
    'control-unknown',
    `The history has no recommendation with the id or title ${quote(wanted)}.`,
    near.length > 0
      ? `Similar ones: ${near.join(', ')}.`
      : `List those it has: ${commandLine('history sql "SELECT DISTINCT control, title FROM controls"')}`,
  );
}

/** The maximum number of similar controls that are listed. */
const NEAR = 8;

function unknown(name: string, questions: readonly Question[]): UsageError {
  const near = questions.find((each) => each.name.startsWith(name.slice(0, 3).toLowerCase()));
  const hint = near
    ? `Did you mean ${near.name}?`
    : `There are ${questions.map((each) => each.name).join(', ')}.`;
  return new UsageError(`There is no question ${quote(name)}. ${hint}`);
}

async function nothing(
  question: Question,
  engine: HistoryEngine,
  { from, to }: { from: string; to: string },
): Promise<string> {
  const none = `${styleText('bold', question.title)}: nothing from ${from} to ${to}.`;
  const newest = await engine.newest();
  const hint = newest === null || newest >= from ? null : `The newest day of the history is ${newest}.`;
  return hint === null ? none : `${none}\n${hint}`;
}

function describe(questions: readonly Question[]): string {
  const titles = { scores: 'Scores', changes: 'Changes', controls: 'Controls' };
  const width = Math.max(...questions.map(({ name }) => name.length));
  const groups = ABOUT.map((about) => {
    const lines = questions
      .filter((question) => question.about === about)
      .map(({ name, answers }) => {
        const [first = '', ...rest] = wrapped(answers, width + 4);
        const more = rest.map((line) => `\n${' '.repeat(width + 4)}${line}`).join('');
        return `  ${styleText('cyan', name.padEnd(width))}  ${first}${more}`;
      });
    return `${styleText('bold', titles[about])}\n${lines.join('\n')}`;
  });
  const usage = commandLine('history <question> [--tenant] [--from] [--to] [--control] [--limit]');
  return `${groups.join('\n\n')}\n\n${styleText('dim', `${usage}\n${commandLine('history sql "SELECT …"')}`)}`;
}

function toJson({ name, title, about, answers, notes, parameters }: Question) {
  return { name, title, about, answers, notes, parameters };
}
