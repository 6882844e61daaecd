import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { Measurement } from './measure.ts';
import type { Listening } from './server.ts';

const execute = promisify(execFile);

/** Runs a bundled program in a new process. @throws Error with what it wrote to stderr if it fails */
export async function measure(
  program: string,
  argument: string,
  environment: Record<string, string> = {},
): Promise<Measurement> {
  const { stdout } = await execute(process.execPath, [program, argument], {
    env: { ...process.env, ...environment },
    timeout: 60_000,
  }).catch(({ stderr }: { stderr: string }) => {
    throw new Error(`${basename(program)} failed: ${stderr || 'it took more than a minute'}`);
  });
  return JSON.parse(stdout) as Measurement;
}

/**
 * Measures several things in turn, A B A B: whatever else the machine does meanwhile affects all of them alike.
 * @returns the medians of all figures, by subject
 */
export async function interleaved<Name extends string>(
  rounds: number,
  subjects: Record<Name, () => Promise<Measurement>>,
): Promise<Record<Name, Measurement>> {
  const names = Object.keys(subjects) as Name[];
  const samples = names.map((): Measurement[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, name] of names.entries()) samples[index]!.push(await subjects[name]());
  }
  const medians = names.map((name, index) => [name, medianOf(samples[index]!)] as const);
  return Object.fromEntries(medians) as Record<Name, Measurement>;
}

function medianOf(samples: Measurement[]): Measurement {
  const median = (key: keyof Measurement): number => {
    const sorted = samples.map((sample) => sample[key]).toSorted((a, b) => a - b);
    return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
  };
  return {
    cpu: median('cpu'),
    wall: median('wall'),
    processCpu: median('processCpu'),
    memory: median('memory'),
  };
}

/** Starts the server of `server.ts`; it ends with this process, or when it is killed. */
export async function startServer(): Promise<Listening & { process: ChildProcess }> {
  const server = fork(join(import.meta.dirname, 'server.ts'));
  const failed = once(server, 'exit').then(([code]) => {
    throw new Error(`the server ended with ${String(code)}`);
  });
  const [listening] = (await Promise.race([once(server, 'message'), failed])) as [Listening];
  failed.catch(() => undefined);
  return { ...listening, process: server };
}
