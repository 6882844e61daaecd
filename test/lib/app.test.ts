import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../lambda/config.ts';
import { bundleFunction } from '../../lib/bundle.ts';
import { SecureScoreMonitorStack } from '../../lib/stack.ts';
import { addMonitor } from '../../bin/app.ts';
import { BUNDLED, config, FLAGS, newApp, synthesize, temporaryFolder, type Template } from './deployment.ts';

const ROOT = join(import.meta.dirname, '../..');

/** As `cdk` runs the app, but without an account, and with every connection an error. */
async function runApp(context: Record<string, string>, cwd = ROOT) {
  const outdir = temporaryFolder();
  const noNetwork =
    "import net from 'node:net'; net.Socket.prototype.connect = () => { throw new Error('the network was asked'); };";
  const child = spawn(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(noNetwork)}`,
      join(ROOT, 'bin/secure-score-monitor.ts'),
    ],
    {
      cwd,
      env: {
        PATH: process.env['PATH'],
        HOME: temporaryFolder(),
        CDK_OUTDIR: outdir,
        // CDK's own check of templates, which takes its time; cdk-nag stays.
        CDK_VALIDATION: 'false',
        CDK_CONTEXT_JSON: JSON.stringify({ ...FLAGS, ...context }),
      },
    },
  );
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output, outdir };
}

function configFile(content: unknown): string {
  const file = join(temporaryFolder(), 'monitor.config.json');
  writeFileSync(file, JSON.stringify(content));
  return file;
}

describe.concurrent('the app', { timeout: 60_000 }, () => {
  test('synthesises without an account and without a network', async () => {
    const { code, output, outdir } = await runApp({ config: configFile(config()), stack: 'Second' });
    expect(output).not.toMatch(/error|warning/i);
    expect(code).toBe(0);
    const manifest = readFileSync(join(outdir, 'manifest.json'), 'utf8');
    expect(manifest).toContain('aws://unknown-account/unknown-region');
    // The name of a second deployment in the account.
    const template = readFileSync(join(outdir, 'Second.template.json'), 'utf8');
    expect(template).toContain('"DEPLOYMENT": "Second"');
    expect(template).toContain('Second-tenants-overdue');
  });

  test('says how to make a config that is missing', async () => {
    const { code, output } = await runApp({}, temporaryFolder());
    expect(code).toBe(1);
    expect(output).toContain('Copy monitor.config.example.ts to monitor.config.ts');
    expect(output).toContain('-c config=<path>');
    expect(output).not.toContain('    at ');
  });
});

test('a wrong config fails at synth, by the path of the field', async () => {
  const [first, second] = config().tenants;
  const wrong = config({ tenants: [first!, { ...second!, clientId: 'mine' }] });
  const synth = addMonitor(newApp({ config: configFile(wrong) }));
  await expect(synth).rejects.toThrow(/tenants\[1\]\.clientId.*mine/);
  expect(() => synthesize({ tenants: wrong.tenants })).toThrow(/tenants\[1\]\.clientId.*mine/);
});

describe('cdk-nag', () => {
  const findings = (
    changes: Partial<ConfigInput>,
    props: { archiveEncryption?: 'own' } = {},
    bad = false,
  ) => {
    const app = newApp();
    const stack = new SecureScoreMonitorStack(app, 'SecureScoreMonitor', {
      config: config(changes),
      ...props,
    });
    if (bad) new Bucket(stack, 'Bad');
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
    const report = join(app.synth().directory, 'validation-report.json');
    const { pluginReports } = JSON.parse(readFileSync(report, 'utf8')) as {
      pluginReports: { pluginName?: string; violations: { ruleName: string }[] }[];
    };
    return pluginReports.flatMap(({ violations }) => violations.map(({ ruleName }) => ruleName));
  };

  test.each<[string, Partial<ConfigInput>, { archiveEncryption?: 'own' }?]>([
    ['a deployment', {}],
    ['a domain of its own', { mail: { from: 'a@contoso.com', identity: 'domain' } }],
    ['a kept bucket', { archive: { bucket: 'kept-archive' } }],
    ['a key of its own', {}, { archiveEncryption: 'own' }],
  ])('finds nothing in %s', (_, changes, props) => {
    expect(findings(changes, props)).toEqual([]);
  });

  test('would find something', () => {
    expect(() => findings({}, {}, true)).toThrow('AwsSolutions-S1');
  });
});

describe('what is deployed twice', () => {
  test('is identical on a second synth', () => {
    const synths = [synthesize({}, {}, BUNDLED), synthesize({}, {}, BUNDLED)];
    const templates = synths.map(({ main, nested }) => ({ main, nested }));
    expect(templates[0]).toEqual(templates[1]);
  });
});

test('the source map leads back to the sources', () => {
  const map = bundleFunction().find(({ name }) => name === 'index.mjs.map')!;
  const { sources } = JSON.parse(Buffer.from(map.contents).toString()) as { sources: string[] };
  expect(sources).toContain('lambda/monitor.ts');
  const code = Buffer.from(bundleFunction().find(({ name }) => name === 'index.mjs')!.contents).toString();
  expect(code.trimEnd().endsWith('//# sourceMappingURL=index.mjs.map')).toBe(true);
});

test('the function has every file beside it that its code reads', () => {
  const files = bundleFunction().map(({ name }) => name);
  const code = bundleFunction()
    .filter(({ name }) => name.endsWith('.mjs'))
    .map(({ contents }) => Buffer.from(contents).toString())
    .join('\n');
  const read = [...code.matchAll(/["'`]([\w.-]+\.(?:wasm|ttf|otf|svg))["'`]/g)].map(([, name]) => name);
  expect(read.length).toBeGreaterThanOrEqual(3);
  for (const name of read) expect(files).toContain(name);
});

describe('outputs', () => {
  const { main } = synthesize({ mail: { from: 'Score <score@mail.contoso.com>', identity: 'domain' } });
  const outputs = main.Outputs!;

  test('have the next steps as values, because cdk prints only those, in the order of their keys', () => {
    const keys = Object.keys(outputs)
      .filter((key) => key.startsWith('ThenStep'))
      .toSorted();
    expect(keys.map((key) => outputs[key]!.Value as string)).toEqual([
      expect.stringContaining('confirms the mail'),
      './secure-score certificate put secure-score.pem',
      './secure-score doctor',
      './secure-score run --deployed',
    ]);
  });

  test('explain the next steps', () => {
    const steps = Object.values(outputs)
      .map(({ Description }) => Description ?? '')
      .filter((description) => description.startsWith('Next step:'));
    expect(steps.join('\n')).toContain('./secure-score certificate put');
    expect(steps.join('\n')).toContain('must confirm the mail from SNS');
    expect(steps.join('\n')).toContain('add it to the DNS');
  });

  test('have the three DKIM records of a domain, and none of an address', () => {
    const records = (template: Template): string[] =>
      Object.keys(template.Outputs ?? {}).filter((key) => key.startsWith('DkimRecord'));
    expect(records(main)).toHaveLength(3);
    const address = synthesize({ mail: { from: 'score@contoso.com', identity: 'address' } });
    expect(records(address.main)).toEqual([]);
  });
});
