import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, onTestFinished } from 'vitest';

/** @returns what makes a folder for a test; all of them are gone at the end of the file that calls this */
export function temporaryRoots(): () => Promise<string> {
  const roots: string[] = [];
  afterAll(async () => {
    for (const root of roots) await rm(root, { recursive: true });
  });
  return async () => {
    const root = await mkdtemp(path.join(tmpdir(), 'store-'));
    roots.push(root);
    return root;
  };
}

/** Starts writer.ts; it is killed at the end of the test at the latest. */
export function writer(root: string, ...args: string[]): ChildProcessByStdio<null, Readable, null> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'writer.ts'), root, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

export async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
