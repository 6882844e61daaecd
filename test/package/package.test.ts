import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyCheckout } from '../checkout.ts';
import { commandsOf, fencedBlocks, sectionOf } from '../markdown.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

const SECTION = 'In your own CDK app';
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
/** The commands of README's section on the package: the first one in the checkout, the others in the app. */
const [pack, install, ...calls] = commandsOf(README)
  .filter(({ section }) => section === SECTION)
  .map((shown) => shown.command.split(' '));

let work: string;
/** A checkout of its own: packing puts another package.json into it for a moment. */
let checkout: string;
/** An empty folder with nothing but the package, and what a CDK app needs anyway. */
let app: string;

/** With the project's Node before the machine's. */
async function command(cwd: string, program: string, args: string[]): Promise<string> {
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    // As `cdk` has it for the app that it starts.
    CDK_OUTDIR: 'out',
  };
  const { stdout } = await run(program, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** A command of README, as it stands there. */
const typed = (cwd: string, [program = '', ...args]: string[] = []): Promise<string> =>
  command(cwd, program, args);

/** A Node of this machine that is older than ours. */
function olderNode(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders
    .map((folder) => join(folder, 'node'))
    .filter((path) => existsSync(path))
    .find((path) => Number.parseInt(execFileSync(path, ['-p', 'process.versions.node']).toString(), 10) < 24);
}

const version = (name: string): string =>
  (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'secure-score-package-'));
  checkout = join(work, 'secure-score-monitor');
  copyCheckout(checkout);
  symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
  await typed(checkout, pack);

  app = join(work, 'app');
  mkdirSync(app);
  const dependencies = Object.fromEntries(['aws-cdk-lib', 'constructs'].map((name) => [name, version(name)]));
  writeFileSync(join(app, 'package.json'), JSON.stringify({ type: 'module', private: true, dependencies }));
  await typed(app, install);
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

test('README shows how to pack, install and call it, and nothing else', () => {
  expect([pack?.[1], install?.[1]]).toEqual(['pack', 'install']);
  expect(calls).toHaveLength(2);
});

test('packing leaves the checkout as it was', () => {
  const manifest = (folder: string): string => readFileSync(join(folder, 'package.json'), 'utf8');
  expect(manifest(checkout)).toBe(manifest(ROOT));
  expect(readdirSync(checkout)).not.toContain('.package.json.packing');
});

test('the package has what is compiled, and no sources, tests or secrets', () => {
  const files = readdirSync(join(app, 'node_modules/secure-score-monitor'), { recursive: true }).map(String);
  expect(files).toContain('dist/bin/secure-score.js');
  expect(files).toContain('dist/lib/index.d.ts');
  expect(files).toContain('dist/function/index.mjs');
  expect(files).toContain('docs/runbook.md');
  expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([
    'monitor.config.example.ts',
  ]);
  expect(
    files.filter((file) => /\btest\/|\.test\.|simulator|practice|\.pem$|monitor\.config\.ts$/.test(file)),
  ).toEqual([]);
});

describe('in an empty folder', () => {
  test.each(calls)('%s … --help lists the commands', async (...call) => {
    const help = await typed(app, [...call, '--help']);
    for (const name of ['run', 'certificate', 'doctor'])
      expect(help).toMatch(new RegExp(`^\\s+${name}\\b`, 'm'));
  });

  test.each(['run', 'certificate create', 'doctor'])(
    'secure-score %s --help loads the command',
    async (name) => {
      const help = await command(app, 'npx', ['--no-install', 'secure-score', ...name.split(' '), '--help']);
      expect(help).toContain('--json');
    },
  );

  test('a config is read, with the types of the package', async () => {
    const example = readFileSync(
      join(app, 'node_modules/secure-score-monitor/monitor.config.example.ts'),
      'utf8',
    );
    writeFileSync(
      join(app, 'monitor.config.ts'),
      example.replaceAll('00000000-0000-0000-0000-000000000000', '11111111-0000-4000-8000-000000000000'),
    );
    // It gets as far as the certificate, which nobody has made.
    const failed = await command(app, 'npx', [
      '--no-install',
      'secure-score',
      'run',
      '--certificate',
      'none.pem',
    ]).catch((error: { stderr: string; stdout: string }) => error.stderr + error.stdout);
    expect(failed).toContain('none.pem');
  });

  test("README's app with the construct synthesises, without esbuild", async () => {
    expect(readdirSync(join(app, 'node_modules'))).not.toContain('esbuild');
    const [snippet, ...more] = fencedBlocks(sectionOf(README, SECTION), 'ts');
    expect(more).toEqual([]);
    writeFileSync(join(app, 'app.ts'), snippet!);
    await command(app, process.execPath, ['app.ts']);
    const template = JSON.parse(readFileSync(join(app, 'out/Security.template.json'), 'utf8')) as {
      Resources: Record<string, { Type: string; Properties: { Code?: { S3Key: string } } }>;
    };
    const types = Object.values(template.Resources).map(({ Type }) => Type);
    expect(types.filter((type) => type === 'AWS::Athena::NamedQuery').length).toBeGreaterThan(10);
    const code = Object.values(template.Resources).find(({ Type }) => Type === 'AWS::Lambda::Function');
    const key = code!.Properties.Code!.S3Key.replace('.zip', '');
    const bundle = join(app, 'out', `asset.${key}`);
    expect(readdirSync(bundle)).toEqual(expect.arrayContaining(['index.mjs', 'index.mjs.map']));
    expect(readdirSync(bundle).toSorted()).toEqual(
      readdirSync(join(app, 'node_modules/secure-score-monitor/dist/function')).toSorted(),
    );
  });

  const old = olderNode();
  test.skipIf(old === undefined)(
    `an older Node is refused first thing, with a sentence${old === undefined ? ' (skipped: there is none on the PATH)' : ''}`,
    async () => {
      const sentence =
        /^secure-score-monitor needs Node 24 or newer, and this is Node \d+\.\d+\.\d+: install it/;
      const script = join(app, 'node_modules/secure-score-monitor/dist/bin/secure-score.js');
      await expect(run(old!, [script, 'doctor'])).rejects.toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(new RegExp(`${sentence.source}[^\\n]*\\n$`)) as unknown,
      });
      const program = "await import('secure-score-monitor/cdk').catch(({ message }) => console.log(message))";
      const { stdout } = await run(old!, ['--input-type=module', '--eval', program], { cwd: app });
      expect(stdout).toMatch(sentence);
    },
  );

  test("its declarations pass a strict compiler, in somebody else's project", async () => {
    writeFileSync(
      join(app, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'es2024',
          module: 'nodenext',
          strict: true,
          noEmit: true,
          types: ['node'],
          typeRoots: [join(ROOT, 'node_modules/@types')],
          skipLibCheck: true,
        },
        files: ['app.ts', 'monitor.config.ts'],
      }),
    );
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    expect(await command(app, process.execPath, [tsc, '--project', app])).toBe('');
  });
});
