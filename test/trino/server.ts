import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { askTrino } from './client.ts';

const run = promisify(execFile);

/** The newest version whose complete server is on Maven Central. */
const VERSION = '476';
const JAVA = 24;
const caches = path.resolve(import.meta.dirname, '../../node_modules/.cache');

export interface Trino {
  url: string;
  stop: () => Promise<void>;
}

/**
 * A Trino of one node with one catalogue, `history`, whose metastore is files.
 * @param folder what it may read, as `local:///`; it keeps its own things there too
 */
export async function startTrino(folder: string): Promise<Trino> {
  const java = await findJava();
  const home = await install();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const etc = path.join(folder, 'etc');
  await mkdir(path.join(etc, 'catalog'), { recursive: true });
  const write = (name: string, lines: string[]) => writeFile(path.join(etc, name), `${lines.join('\n')}\n`);
  await write('config.properties', [
    'coordinator=true',
    'node-scheduler.include-coordinator=true',
    `http-server.http.port=${port}`,
    `discovery.uri=${url}`,
    `catalog.config-dir=${path.join(etc, 'catalog')}`,
    `plugin.dir=${path.join(home, 'plugin')}`,
  ]);
  await write('log.properties', ['io=WARN', 'org=WARN']);
  await write('catalog/history.properties', [
    'connector.name=hive',
    'hive.metastore=file',
    'hive.metastore.catalog.dir=local:///metastore',
    'hive.non-managed-table-writes-enabled=true',
    'fs.native-local.enabled=true',
    `local.location=${folder}`,
  ]);
  const properties = {
    'node.environment': 'test',
    'node.id': 'test',
    'node.data-dir': path.join(folder, 'data'),
    config: path.join(etc, 'config.properties'),
    'log.levels-file': path.join(etc, 'log.properties'),
  };
  const server = spawn(
    java,
    [
      '-Xmx1500M',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '--add-modules=jdk.incubator.vector',
      '--enable-native-access=ALL-UNNAMED',
      ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
      '-cp',
      path.join(home, 'lib', '*'),
      'io.trino.server.TrinoServer',
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
  }
  const stop = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  try {
    const deadline = performance.now() + 180_000;
    while (!(await answers(url))) {
      if (server.exitCode !== null || server.signalCode !== null) throw new Error('it ended');
      if (performance.now() > deadline) throw new Error('it does not answer');
      await sleep(250);
    }
  } catch (error) {
    await stop();
    throw new Error(`Trino did not start. Its last words:\n${output}`, { cause: error });
  }
  return { url, stop };
}

/** It says that it has started before it can answer. */
const answers = (url: string): Promise<boolean> =>
  askTrino(url, 'SELECT 1').then(
    ({ rows }) => rows.length === 1,
    () => false,
  );

/** @returns the folder of the server, with the Hive connector alone: fetched by Maven, once */
async function install(): Promise<string> {
  const home = path.join(caches, `trino-server-${VERSION}`);
  const there = await readdir(home).catch(() => []);
  if (there.length > 0) return home;
  console.log(`Fetching Trino ${VERSION} (820 MB) into ${home} …`);
  const unpacked = `${home}.new`;
  await rm(unpacked, { recursive: true, force: true });
  await mkdir(unpacked, { recursive: true });
  const artifact = `-Dartifact=io.trino:trino-server:${VERSION}:tar.gz`;
  try {
    // Not in the checkout, which is no project of Maven's.
    await run('mvn', ['-q', '-B', 'dependency:get', '-Dtransitive=false', artifact], { cwd: caches });
    await run('mvn', ['-q', '-B', 'dependency:copy', artifact, `-DoutputDirectory=${unpacked}`], {
      cwd: caches,
    });
  } catch (error) {
    throw new Error('Maven cannot fetch Trino. Is it installed (Debian: apt-get install maven)?', {
      cause: error,
    });
  }
  const archive = path.join(unpacked, `trino-server-${VERSION}.tar.gz`);
  await run('tar', ['xzf', archive, '-C', unpacked, '--strip-components=1']);
  await rm(archive);
  const plugins = path.join(unpacked, 'plugin');
  for (const plugin of await readdir(plugins)) {
    if (plugin !== 'hive') await rm(path.join(plugins, plugin), { recursive: true });
  }
  await rename(unpacked, home);
  return home;
}

async function findJava(): Promise<string> {
  const roots = ['/usr/lib/jvm', '/Library/Java/JavaVirtualMachines'];
  const installed: string[] = [];
  for (const root of roots) {
    for (const name of await readdir(root).catch(() => [])) installed.push(path.join(root, name));
  }
  const found: string[] = [];
  for (const home of [process.env['JAVA_HOME'], ...installed]) {
    if (home === undefined) continue;
    for (const inner of [home, path.join(home, 'Contents/Home')]) {
      const release = await readFile(path.join(inner, 'release'), 'utf8').catch(() => '');
      const version = Number(/^JAVA_VERSION="(\d+)/m.exec(release)?.[1] ?? 0);
      if (version >= JAVA) return path.join(inner, 'bin/java');
      if (version > 0) found.push(`${inner} is ${version}`);
    }
  }
  throw new Error(
    `The questions on Trino need a JDK of ${JAVA} or newer: ${found.join(', ') || 'no JDK was found'}. Set JAVA_HOME to one; \`npm test\` does without.`,
  );
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
