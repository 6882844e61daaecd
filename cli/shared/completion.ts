import { resolve } from 'node:path';
import { allQuestions } from '../../history/questions.ts';
import { callHere } from '../../lambda/command-line.ts';
import type { Config } from '../../lambda/config.ts';

/**
 * The program that a shell is to ask and to complete: by its whole path, for a shell finds it by its last part in
 * whatever folder it is called.
 */
export function programToComplete(): string {
  const call = callHere();
  // A shell takes the script for its own text.
  return call.includes('/') ? resolve(call).replaceAll(/[^\w./-]/g, String.raw`\$&`) : call;
}

/**
 * The script as yargs made it. What is proposed has the form of the shell that runs the script, whichever one the user has
 * by default. The script for fish asks as that of bash does: with the program, and with the word that is about to begin.
 */
export function forShell(script: string): string {
  const shell = script.startsWith('#compdef') ? 'zsh' : script.includes('(commandline -') ? 'fish' : 'bash';
  return script
    .replace(/(?:\\.|[^\s(\\])+ --get-yargs-completions/, `SHELL=${shell} $&`)
    .replace('(commandline -o)[2..-1])', '(commandline -opc) (commandline -ct))');
}

/**
 * What of our own can stand where a shell completes: names of tenants, channels and questions. yargs knows the rest.
 * @param words what was typed, the program first, and last the word to complete
 * @returns null where it is none of these. `only`: nothing else can stand there
 */
export async function proposals(words: string[]): Promise<{ names: string[]; only: boolean } | null> {
  // Bash takes the = of a flag for a word.
  const [before, ...typed] = words
    .filter((word) => word !== '=')
    .slice(1, words.at(-1) === '=' ? undefined : -1)
    .toReversed();
  if (before === '--tenant') {
    const { tenants } = await configOf(typed);
    return { names: tenants.map(({ name }) => inShell(name)), only: true };
  }
  const [first, second, ...more] = [before, ...typed].toReversed().filter((word) => word !== undefined);
  if (more.length > 0) return null;
  if (first === 'history' && second === undefined) {
    return { names: allQuestions().map(({ name }) => name), only: false };
  }
  if (first === 'channel' && ['put', 'test'].includes(second ?? '')) {
    const { channels } = await configOf([]);
    return { names: channels.map(({ name }) => name), only: true };
  }
  return null;
}

/** As the shell that asks must get it: zsh takes what follows a colon for a description. */
function inShell(name: string): string {
  return process.env['SHELL']?.includes('zsh') ? name.replaceAll(':', String.raw`\:`) : name;
}

/** Of the config that the command line names; a shell shows no errors. */
async function configOf(typed: string[]): Promise<Pick<Config, 'tenants' | 'channels'>> {
  // Only now: what checks a config is half of what the program would load, whatever is called.
  const { loadConfig } = await import('./load-config.ts');
  const { DEFAULT_CONFIG } = await import('./options.ts');
  // The words stand the other way round.
  const at = typed.indexOf('--config');
  const path = at > 0 ? typed[at - 1]! : DEFAULT_CONFIG;
  return loadConfig(path).catch(() => ({ tenants: [], channels: [] }));
}
