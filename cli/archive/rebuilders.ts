import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Written } from '../../lambda/archive/columns/write.ts';
import { MonitorError } from '../../lambda/errors.ts';
import type { Log } from '../../lambda/ports.ts';
import type { Report, Request } from './rebuild-thread.ts';

/** Threads that rebuild one tenant each at a time, because a rebuild is work for the processor alone. */
export class Rebuilders {
  readonly #idle: Worker[] = [];
  readonly #all: Worker[] = [];

  /**
   * Rebuilds a tenant in a thread that is idle, or in a new one.
   * @throws MonitorError as `writeColumns`
   */
  async rebuild(
    request: Request,
    { log, onProgress }: { log: Log; onProgress: (done: number, total: number) => void },
  ): Promise<Written> {
    const thread = this.#idle.pop() ?? this.#start();
    const { promise, resolve, reject } = Promise.withResolvers<Written>();
    const listen = (report: Report): void => {
      if ('progress' in report) onProgress(...report.progress);
      else if ('level' in report) log[report.level](report.message, report.facts);
      else if ('written' in report) resolve(report.written);
      else {
        const { code, message, advice, retryable } = report.failure;
        reject(code === null ? new Error(message) : new MonitorError(code, message, advice, { retryable }));
      }
    };
    thread.on('message', listen).on('error', reject);
    thread.postMessage(request);
    try {
      return await promise;
    } finally {
      thread.off('message', listen).off('error', reject);
      this.#idle.push(thread);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((thread) => thread.terminate()));
  }

  #start(): Worker {
    const thread = new Worker(join(import.meta.dirname, `rebuild-thread${extname(import.meta.filename)}`));
    this.#all.push(thread);
    return thread;
  }
}
