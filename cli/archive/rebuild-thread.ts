import { parentPort } from 'node:worker_threads';
import { openStore } from '../../lambda/archive/open-store.ts';
import { writeColumns, type ColumnsOptions, type Written } from '../../lambda/archive/columns/write.ts';
import { MonitorError } from '../../lambda/errors.ts';
import type { Log } from '../../lambda/ports.ts';

/** What the thread is asked to do: `store` is opened at the location. */
export interface Request extends Omit<ColumnsOptions, 'store' | 'log' | 'onProgress'> {
  location: string;
}

/** What it reports: progress and log lines as they come, and its result or its failure at the end. */
export type Report =
  | { progress: [done: number, total: number] }
  | { level: keyof Log; message: string; facts: Record<string, unknown> | undefined }
  | { written: Written }
  | { failure: { code: string | null; message: string; advice: string; retryable: boolean } };

const report = (message: Report): void => parentPort!.postMessage(message);

const logAt =
  (level: keyof Log) =>
  (message: string, facts?: Record<string, unknown>): void =>
    report({ level, message, facts });
const log: Log = { info: logAt('info'), warn: logAt('warn'), error: logAt('error') };

parentPort!.on('message', ({ location, ...options }: Request) => {
  const onProgress = (...progress: [number, number]): void => report({ progress });
  openStore(location)
    .then((store) => writeColumns({ store, log, onProgress, ...options }))
    .then((written) => report({ written }))
    .catch((error: unknown) => {
      const { code, advice, retryable } =
        error instanceof MonitorError ? error : { code: null, advice: '', retryable: false };
      const message = error instanceof Error ? error.message : String(error);
      report({ failure: { code, message, advice, retryable } });
    });
});
