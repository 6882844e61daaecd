import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const environments = path.resolve(import.meta.dirname, '../.venv');

/**
 * A virtual environment of Python of its own, made once for each content of its requirements.
 * @param name of its folder under `.venv`
 * @param requirements path of the file that lists what is in it, every version pinned
 * @returns the folder of its programs
 */
export async function pythonEnvironment(name: string, requirements: string): Promise<string> {
  const environment = path.join(environments, name);
  const programs = path.join(environment, process.platform === 'win32' ? 'Scripts' : 'bin');
  const wanted = await readFile(requirements, 'utf8');
  const stamp = path.join(environment, 'installed-requirements.txt');
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) return programs;

  const python = await findPython();
  console.log(`Installing ${path.basename(requirements)} into ${environment} …`);
  try {
    await run(python, ['-m', 'venv', '--clear', environment]);
  } catch (error) {
    throw new Error(`${python} cannot make a virtual environment. On Debian: apt-get install python3-venv`, {
      cause: error,
    });
  }
  const pip = ['-m', 'pip', '-q', '--disable-pip-version-check'];
  await run(path.join(programs, 'python'), [...pip, 'install', '-r', requirements]);
  await writeFile(stamp, wanted);
  return programs;
}

async function findPython(): Promise<string> {
  const found: string[] = [];
  for (const python of ['python3', 'python']) {
    const answer = await run(python, ['-c', 'import sys; print(*sys.version_info[:2])']).catch(
      () => undefined,
    );
    if (answer === undefined) continue;
    const [major = 0, minor = 0] = answer.stdout.trim().split(' ').map(Number);
    if (major === 3 && minor >= 10) return python;
    found.push(`${python} is ${major}.${minor}`);
  }
  throw new Error(
    `The tests on an AWS emulator need Python 3.10 or newer: ${found.join(', ') || 'no python3 was found'}. Install it (Debian: apt-get install python3 python3-venv); \`npm test\` does without.`,
  );
}
