import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { unoptimised } from '../lambda/cold-run.ts';

const execute = promisify(execFile);
const MODULE = join(import.meta.dirname, '..', 'lambda', 'cold-run.ts');

/** The functions that V8's optimising compiler compiled while a program ran that calls both very often. */
async function optimisedBy(program: string): Promise<string[]> {
  const source = `
    import { unoptimised } from ${JSON.stringify(MODULE)};
    function first(n) { let all = 0; for (let i = 0; i < n; i += 1) all += i % 7; return all; }
    function second(n) { let all = 0; for (let i = 0; i < n; i += 1) all += i % 5; return all; }
    ${program}`;
  const options = ['--trace-opt', '--input-type=module-typescript', '--eval', source];
  const { stdout } = await execute(process.execPath, options);
  return [...stdout.matchAll(/completed optimizing .*<JSFunction (\w+).*TURBOFAN/g)].map(([, name]) => name!);
}

test('a cold run leaves V8’s optimising compiler alone, and what follows it does not', async () => {
  const names = await optimisedBy(`
    await unoptimised(async () => { for (let i = 0; i < 20_000; i += 1) first(500); });
    for (let i = 0; i < 20_000; i += 1) second(500);`);
  expect(names).not.toContain('first');
  expect(names).toContain('second');
});

test('the result of the work, and its failure, are passed on', async () => {
  await expect(unoptimised(async () => 7)).resolves.toBe(7);
  await expect(unoptimised(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
