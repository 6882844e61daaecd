import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dateOf } from '../../lambda/dates.ts';
import { practiceTenant, type PracticeTenant } from '../../simulator/practice-tenant.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { copyCheckout } from '../checkout.ts';
import { leadTo, startEmulator, type Emulator } from '../emulator.ts';
import { commandsOf, fencedBlocks, sectionOf } from '../markdown.ts';
import { mailsTo } from './deployment.ts';
import { CLIENT_ID, OBJECT_ID, SECOPS } from './names.ts';
import { PATH } from './programs.ts';

/**
 * README, as a new user follows it: each command that it shows is typed in a copy of the checkout, in README's order, in a
 * shell. A command runs as it stands there and has to end with 0, unless `WAYS` says what is otherwise, and why.
 */

const execute = promisify(execFile);
const README = await readFile(path.join(import.meta.dirname, '../../README.md'), 'utf8');

/** A command of README. */
interface Way {
  /** What README has its reader do before it, by hand. */
  byHand?: () => Promise<void>;
  /** The command with what this reader has instead of README's examples. */
  typed?: (command: string) => string;
  /** Part of what it prints. */
  shows?: RegExp;
  /** Part of what it prints in the end, because it fails, as README says. */
  fails?: RegExp;
  /** What came of it. */
  leaves?: () => Promise<void>;
  /** The reason why it is not run here. */
  not?: string;
}

const ONE_MACHINE = 'Your own tenant, on this machine';
const PACKAGE = 'test/package runs it, in an app of its own';

const ZEROS = '00000000-0000-0000-0000-000000000000';
/** Of the app registration in the snippet of "Many tenants". */
const PROVIDERS_APP = '66666666-7777-8888-9999-aaaaaaaaaaaa';

let folder: string;
let checkout: string;
let simulator: Simulator;
let emulator: Emulator;
let contoso: PracticeTenant;
let environment: NodeJS.ProcessEnv;

const inCheckout = (name: string): string => path.join(checkout, name);
const cloud = (): string => {
  const { authorityHost, graphEndpoint } = simulator;
  return `{ authorityHost: '${authorityHost}', graphEndpoint: '${graphEndpoint}' }`;
};
/** The one block of TypeScript in a section. */
const snippetOf = (section: string): string => fencedBlocks(sectionOf(README, section), 'ts').join('');

/** Uploads the public part to an app registration. */
async function upload(clientId: string): Promise<void> {
  simulator.registerApp({
    tenantId: contoso.tenantId,
    clientId,
    certificates: [await readFile(inCheckout('secure-score.cer'), 'utf8')],
    registration: { objectId: OBJECT_ID },
  });
}

/** Fills the copied example in, by what README and its comments say. */
async function fillIn(more = '', ofTenant = ''): Promise<void> {
  const example = await readFile(inCheckout('monitor.config.example.ts'), 'utf8');
  const filled = example
    .replace(`tenantId: '${ZEROS}'`, `tenantId: '${contoso.tenantId}'`)
    .replace(`clientId: '${ZEROS}'`, `${ofTenant}clientId: '${CLIENT_ID}'`)
    // Microsoft is simulated.
    .replace("cloud: 'global'", `cloud: ${cloud()}`)
    .replace('\n});', `\n${more}\n});`);
  await writeFile(inCheckout('monitor.config.ts'), filled);
}

/** By section, and command: what is not listed runs as it stands. A command that comes again has ` (2)` behind it. */
const WAYS: Record<string, Way> = {
  'Try it: npm ci && npm start': { shows: /Done in .*nothing is left running/ },
  'Try it: npm ci && npm test': { not: 'the tests are what runs here' },
  [`${ONE_MACHINE}: ./secure-score run --certificate secure-score.pem --archive archive --outbox mails`]: {
    byHand: async () => {
      await upload(CLIENT_ID);
      await fillIn();
    },
    shows: /^Contoso .* points, snapshot of .*\n +archived \d+ days, .*\n +✉ .*monitoring has started/m,
  },
  [`${ONE_MACHINE}: ./secure-score doctor`]: {
    // "with the same flags".
    typed: (command) => `${command} --certificate secure-score.pem --archive archive --outbox mails`,
    shows: /✓ A run has everything it needs/,
  },
  'Deploy it: npm ci': { not: 'it ran above' },
  'Deploy it: npx cdk deploy --all': { fails: /terminal \(TTY\) is not attached/ },
  'Deploy it: npx cdk deploy --all --require-approval never': { shows: /ThenStep1 = / },
  'Deploy it: ./secure-score doctor': {
    // The owner of the address confirms it; of an identity that CloudFormation makes, the emulator knows nothing.
    byHand: async () => {
      await new SESv2Client().send(
        new CreateEmailIdentityCommand({ EmailIdentity: 'secure-score@contoso.com' }),
      );
    },
    shows: /! last run +no run yet\n +→ Run it now:/,
  },
  'Deploy it: ./secure-score run --deployed': {
    shows: /archived \d+ days, .*\n +✉ .*monitoring has started/,
    leaves: async () => expect(await mailsTo(SECOPS)).toHaveLength(1),
  },
  'Deploy it: npm ci (2)': { not: 'it ran above' },
  'Deploy it: npx cdk deploy --all (2)': { shows: /✅ +SecureScoreMonitor \(no changes\)/ },
  'Deploy it: npx cdk destroy --all': { fails: /terminal \(TTY\) is not attached/ },
  'Many tenants: ./secure-score tenant add contoso.com --name Contoso': {
    byHand: async () => {
      await upload(PROVIDERS_APP);
      const rest = "operations: ['oncall@contoso.com'], mail: { from: 'secure-score@contoso.com' },";
      await writeFile(
        inCheckout('monitor.config.ts'),
        `import { defineConfig, tenantsFrom } from 'secure-score-monitor';
         ${snippetOf('Many tenants').replace('// …', rest)}`,
      );
    },
    // The cloud is what Entra ID says of the domain; here it is simulated.
    typed: (command) => `${command} --cloud '${simulator.authorityHost} ${simulator.graphEndpoint}'`,
    shows: /adminconsent[^]*✓ tenants.csv has the row of Contoso/,
  },
  'Many tenants: ./secure-score tenant check --problems': { shows: /1 tenant can be read/ },
  'Many tenants: npx cdk deploy --all': {
    // CloudFormation of the emulator cannot change a schedule: see deploy.test.ts.
    typed: (command) => `${command} --require-approval never --method=direct`,
  },
  'Many tenants: ./secure-score tenant remove Contoso': { shows: /deployed again/ },
  'One message for all of them: ./secure-score digest daily --archive archive --outbox mails': {
    byHand: async () => {
      environment['SOC_URL'] = simulator.receivers.addresses.teams;
      const channel = "{ name: 'soc', type: 'teams', url: { env: 'SOC_URL' } }";
      await fillIn(`channels: [${channel}],\n${snippetOf('One message for all of them')}`, "tags: ['gold'],");
    },
  },
  'In your own CDK app: npm pack': { not: PACKAGE },
  'In your own CDK app: npm install ../secure-score-monitor/secure-score-monitor-0.1.0.tgz': { not: PACKAGE },
  'In your own CDK app: node_modules/.bin/secure-score': { not: PACKAGE },
  'In your own CDK app: npx --no-install secure-score': { not: PACKAGE },
  'Certificates: ./secure-score certificate rotate --certificate app.pem': {
    byHand: async () => {
      await copyFile(inCheckout('secure-score.pem'), inCheckout('app.pem'));
      await fillIn('', `objectId: '${OBJECT_ID}',`);
    },
  },
  'Certificates: aws iam enable-outbound-web-identity-federation': {
    not: 'the emulator vouches for nobody: docs/decisions/emulated-aws.md',
  },
  'Ask the archive: ./secure-score history open': { shows: /secure-score-history\.html/ },
  'Limits: ./secure-score …': { typed: (command) => command.replace('…', '--version') },
  'Limits: npm run secure-score -- …': { typed: (command) => command.replace('…', '--version') },
};

/** Such a command in README, and how it is met here. */
const steps = commandsOf(README).map(({ section, command }, index, all) => {
  const before = all.slice(0, index).filter((each) => each.section === section && each.command === command);
  const name = `${section}: ${command}${before.length > 0 ? ` (${before.length + 1})` : ''}`;
  return { name, command, way: WAYS[name] ?? {} };
});

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'readme-'));
  checkout = path.join(folder, 'secure-score-monitor');
  copyCheckout(checkout);
  await mkdir(path.join(folder, 'home'));
  contoso = practiceTenant({ today: dateOf(new Date()) });
  simulator = await startSimulator({ tenants: [contoso] });
  simulator.domains.set('contoso.com', contoso.tenantId);
  const ca = path.join(folder, 'ca.pem');
  await writeFile(ca, simulator.ca);
  emulator = await startEmulator({
    environment: {
      PATH,
      NODE_EXTRA_CA_CERTS: ca,
      PYTHONPATH: path.join(import.meta.dirname, 'emulator'),
    },
  });
  leadTo(emulator.endpoint);
  environment = {
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(?:npm_|VITEST|NODE_)/i.test(name)),
    ),
    // The programs of this machine, without those of the packages of this checkout.
    PATH: process.env['PATH']!.split(path.delimiter)
      .filter((each) => !each.includes('node_modules'))
      .join(path.delimiter),
    HOME: path.join(folder, 'home'),
    npm_config_cache: process.env['npm_config_cache'] ?? path.join(homedir(), '.npm'),
    npm_config_prefer_offline: 'true',
    NODE_EXTRA_CA_CERTS: ca,
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CDK_DISABLE_VERSION_CHECK: 'true',
  };
});

afterAll(async () => {
  await emulator?.stop();
  await simulator?.close();
  await rm(folder, { recursive: true, force: true });
});

/** What a command prints, of both streams, and its exit code. */
async function typed(command: string): Promise<{ code: number; printed: string }> {
  const running = execute('bash', ['-c', command], { cwd: checkout, env: environment, maxBuffer: 2 ** 26 });
  running.child.stdin?.end();
  const { stdout, stderr, code } = await running.then(
    (each) => ({ ...each, code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => error,
  );
  return { code, printed: stripVTControlCharacters(`${stdout}\n${stderr}`) };
}

it('shows the commands that are met here otherwise than they stand', () => {
  const names = steps.map(({ name }) => name);
  expect(names.length).toBeGreaterThan(30);
  expect(Object.keys(WAYS).filter((name) => !names.includes(name))).toEqual([]);
});

it.each(steps.filter(({ way }) => way.not === undefined))(
  '$name',
  async ({ command, way }) => {
    await way.byHand?.();
    const line = way.typed?.(command) ?? command;
    const { code, printed } = await typed(line);
    const wanted = way.fails ?? way.shows ?? /(?:)/;
    expect({ line, code, printed }).toEqual({
      line,
      code: way.fails ? 1 : 0,
      printed: expect.stringMatching(wanted) as unknown,
    });
    await way.leaves?.();
  },
  400_000,
);
