import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pythonEnvironment } from './python.ts';

export const REGION = 'eu-central-1';
/** The account of whoever signs with the access key id `test`. */
export const ACCOUNT = '000000000000';

export interface EmulatorOptions {
  /** Separated by commas; all where absent. */
  services?: string;
  /** Variables of the emulator's process, which those of the functions that it runs inherit. */
  environment?: NodeJS.ProcessEnv;
}

export interface Emulator {
  endpoint: string;
  stop: () => Promise<void>;
}

/** Starts MiniStack, an AWS on loopback (installing it first), that keeps nothing when it is stopped. */
export async function startEmulator({ services, environment }: EmulatorOptions = {}): Promise<Emulator> {
  const programs = await pythonEnvironment(
    'emulator',
    path.join(import.meta.dirname, 'emulator-requirements.txt'),
  );
  const port = await freePort();
  // An address, not `localhost`: the SDK then puts the bucket into the path, and no DNS is asked for a host name.
  const endpoint = `http://127.0.0.1:${port}`;
  // Not below the checkout: the emulator's CommonJS there would be taken for the ES modules of our package.json.
  const home = await mkdtemp(path.join(tmpdir(), 'emulator-'));
  const emulator = spawn(path.join(programs, 'ministack'), [], {
    cwd: home,
    env: {
      PATH: process.env['PATH'],
      TMPDIR: home,
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      MINISTACK_REGION: REGION,
      LOG_LEVEL: 'WARNING',
      ...(services === undefined ? {} : { SERVICES: services }),
      ...environment,
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
    throw new Error(`The AWS emulator did not start. Its last words:\n${output}`, { cause: error });
  }
  return { endpoint, stop };
}

/** An environment that leads the SDK to the emulator and nowhere else, whatever account its user is signed in to. */
export function leadTo(endpoint: string): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  });
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
