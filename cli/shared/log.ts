import { styleText } from 'node:util';
import { machineClock } from '../../lambda/clock.ts';
import type { Log } from '../../lambda/ports.ts';

/** The log of a command: JSON lines on stderr, or on a terminal, warnings and errors as text. */
export function stderrLog(): Log {
  if (!process.stderr.isTTY) return jsonLog((line) => process.stderr.write(`${line}\n`));
  const at =
    (colour: 'yellow' | 'red', mark: string) =>
    (message: string, facts: Record<string, unknown> = {}) => {
      const details = Object.entries(facts).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
      process.stderr.write(
        `${styleText(colour, `${mark} ${message}`)} ${styleText('dim', details.join(' '))}\n`,
      );
    };
  return { info: () => {}, warn: at('yellow', '!'), error: at('red', '✗') };
}

/** One line of JSON each, for whoever redirects stderr. */
export function jsonLog(write: (line: string) => void): Log {
  const at = (level: string) => (message: string, facts?: Record<string, unknown>) =>
    write(JSON.stringify({ time: machineClock.now().toISOString(), level, message, ...facts }));
  return { info: at('info'), warn: at('warn'), error: at('error') };
}
