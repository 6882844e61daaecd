import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { stripVTControlCharacters } from 'node:util';
import { vi } from 'vitest';
import { main } from '../../cli/main.ts';
import { createCertificate, createServerCertificate, type KeyPair } from '../../simulator/certificates.ts';
import type { App } from '../../simulator/app.ts';
import { generatedTenant } from '../../simulator/generated-tenant.ts';
import type { SimulatedTenant } from '../../simulator/tenant.ts';
import { startSimulator } from '../../simulator/server.ts';

export const CLIENT_ID = '6f1d3a52-97b1-4c0b-8a3e-2f5d1c7e9b40';
export const OBJECT_ID = '0b1ec700-2222-4222-8222-0000000000aa';

/** Runs a command in this process. */
export async function secureScore(...args: string[]) {
  const printed = { stdout: '', stderr: '' };
  const print = (to: keyof typeof printed) => (words: unknown) => void (printed[to] += `${String(words)}\n`);
  const log = vi.spyOn(console, 'log').mockImplementation(print('stdout'));
  const error = vi.spyOn(console, 'error').mockImplementation(print('stderr'));
  const raw = vi.spyOn(process.stderr, 'write').mockImplementation((words) => {
    printed.stderr += String(words);
    return true;
  });
  try {
    const code = await main(args);
    return {
      code,
      stdout: stripVTControlCharacters(printed.stdout),
      stderr: stripVTControlCharacters(printed.stderr),
      json: () => JSON.parse(printed.stdout),
    };
  } finally {
    for (const spy of [log, error, raw]) spy.mockRestore();
  }
}

/**
 * Names of the packages that a command loads, in a process of its own.
 * @param cwd in which no config stands
 */
export function packagesLoadedBy(args: string[], cwd: string): Set<string> {
  const names = `import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => (console.log('loads', url), next(url, context)) });`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(names)}`, COMMAND, ...args],
    { cwd, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  const loaded = stdout.matchAll(/^loads .*node_modules\/((?:@[^/]+\/)?[^/]+)/gm);
  return new Set([...loaded].flatMap(([, name]) => name ?? []));
}

const COMMAND = join(import.meta.dirname, '../../bin/secure-score.ts');

export interface Practice {
  folder: string;
  /** In the folder: of one tenant, "Contoso". */
  config: string;
  /** In the folder: certificate and key that the app knows. */
  pem: string;
  privateKey: string;
  tenantId: string;
  simulator: Awaited<ReturnType<typeof startSimulator>>;
  app: App;
  /** Of one tenant, with other fields. */
  writeConfig(fields?: object, tenantFields?: object): Promise<void>;
  end(): Promise<void>;
}

/** Made once: keys take their time. */
let keys: Promise<KeyPair> | undefined;
let tls: Promise<KeyPair> | undefined;

/**
 * A simulated tenant, trusted by this process, with a folder, a config and a certificate for it.
 * @param of a small tenant with ten days up to this one, or a tenant of the test's own
 */
export async function practise(of: string | SimulatedTenant): Promise<Practice> {
  const folder = await mkdtemp(join(tmpdir(), 'secure-score-'));
  const tenant = typeof of === 'string' ? generatedTenant('small', { today: of, day: 10, controls: 24 }) : of;
  keys ??= createCertificate({ commonName: 'test', days: 300 });
  tls ??= createServerCertificate();
  const { certificate, privateKey } = await keys;
  const simulator = await startSimulator({ tenants: [tenant], tls: await tls });
  setDefaultCACertificates([...getCACertificates('default'), simulator.ca]);
  const app = simulator.registerApp({
    tenantId: tenant.tenantId,
    clientId: CLIENT_ID,
    certificates: [certificate],
    registration: { objectId: OBJECT_ID },
  });
  const config = join(folder, 'config.json');
  const pem = join(folder, 'app.pem');
  await writeFile(pem, certificate + privateKey);
  const { authorityHost, graphEndpoint } = simulator;
  const writeConfig = (fields: object = {}, tenantFields: object = {}) =>
    writeFile(
      config,
      JSON.stringify({
        tenants: [
          {
            name: 'Contoso',
            tenantId: tenant.tenantId,
            clientId: CLIENT_ID,
            objectId: OBJECT_ID,
            cloud: { authorityHost, graphEndpoint },
            recipients: ['secops@contoso.com'],
            ...tenantFields,
          },
        ],
        operations: ['oncall@contoso.com'],
        mail: { from: 'Secure Score <secure-score@contoso.com>' },
        ...fields,
      }),
    );
  await writeConfig();
  return {
    folder,
    config,
    pem,
    privateKey,
    tenantId: tenant.tenantId,
    simulator,
    app,
    writeConfig,
    async end() {
      await simulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** No part of a private key or of a token is in it. */
export function holdsSecrets(printed: string, privateKey: string): boolean {
  const lines = privateKey.split('\n').filter((line) => line.length > 20 && !line.startsWith('---'));
  return lines.some((line) => printed.includes(line)) || /eyJ[\w-]{20,}|PRIVATE KEY-----/.test(printed);
}
