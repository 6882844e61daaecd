import { styleText } from 'node:util';

/** One line on stderr that is overwritten, only on a terminal. */
export interface ProgressLine {
  show(words: string): void;
  clear(): void;
  /** Leaves a last line standing. */
  end(words: string): void;
}

export function progressLine(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  const write = (words: string) => void stream.write(words);
  if (!stream.isTTY) return { show: () => {}, clear: () => {}, end: (words) => write(`${words}\n`) };
  const over = '\r\u001B[2K';
  return {
    show: (words) => write(`${over}${styleText('dim', words.slice(0, stream.columns - 1), { stream })}`),
    clear: () => write(over),
    end: (words) => write(`${over}${styleText('dim', words, { stream })}\n`),
  };
}
