import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const environment = path.resolve(import.meta.dirname, '../../.venv');
const requirements = path.join(import.meta.dirname, 'requirements.txt');
const binaries = path.join(environment, process.platform === 'win32' ? 'Scripts' : 'bin');

/**
 * vitest's global setup: an S3 on loopback for the tests that follow, and an environment that leads the SDK there
 * and nowhere else, whatever account the person who runs this is signed in to. @returns the teardown
 */
export default async function setup(): Promise<() => Promise<void>> {
  await install();
  const { endpoint, stop } = await startEmulator();
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  return stop;
}

/** Puts the emulator into `.venv`, once for each content of requirements.txt. */
async function install(): Promise<void> {
  const wanted = await readFile(requirements, 'utf8');
  const stamp = path.join(environment, 'installed-requirements.txt');
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) return;

  const python = await findPython();
  console.log(`Installing the S3 emulator into ${environment} …`);
  try {
    await run(python, ['-m', 'venv', '--clear', environment]);
  } catch (error) {
    throw new Error(`${python} cannot make a virtual environment. On Debian: apt-get install python3-venv`, {
      cause: error,
    });
  }
  await run(path.join(binaries, 'python'), [
    '-m',
    'pip',
    '-q',
    '--disable-pip-version-check',
    'install',
    '-r',
    requirements,
  ]);
  await writeFile(stamp, wanted);
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
    `The tests on S3 need Python 3.10 or newer, for the emulator: ${found.join(', ') || 'no python3 was found'}. Install it (Debian: apt-get install python3 python3-venv); \`npm test\` does without.`,
  );
}

async function startEmulator(): Promise<{ endpoint: string; stop: () => Promise<void> }> {
  const port = await freePort();
  // An address, not `localhost`: the SDK then puts the bucket into the path, and no DNS is asked for a host name.
  const endpoint = `http://127.0.0.1:${port}`;
  const home = await mkdtemp(path.join(tmpdir(), 'emulator-'));
  const emulator = spawn(path.join(binaries, 'ministack'), [], {
    cwd: home,
    env: {
      PATH: process.env['PATH'],
      TMPDIR: home,
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      SERVICES: 's3,secretsmanager,ses,sesv2',
      LOG_LEVEL: 'WARNING',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [emulator.stdout, emulator.stderr]) {
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
  }
  const stop = async (): Promise<void> => {
    await end(emulator);
    await rm(home, { recursive: true, force: true });
  };
  try {
    const deadline = performance.now() + 60_000;
    while (!(await answers(`${endpoint}/_ministack/health`))) {
      if (emulator.exitCode !== null || emulator.signalCode !== null) throw new Error('it ended');
      if (performance.now() > deadline) throw new Error('it does not answer');
      await sleep(50);
    }
  } catch (error) {
    await stop();
    throw new Error(`The S3 emulator did not start. Its last words:\n${output}`, { cause: error });
  }
  return { endpoint, stop };
}

const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.ok,
    () => false,
  );

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(patience);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
