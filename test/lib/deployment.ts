import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stage } from 'aws-cdk-lib';
import { afterAll, vi } from 'vitest';
import type { ConfigInput } from '../../lambda/config.ts';
import type { SecureScoreMonitorProps } from '../../lib/secure-score-monitor.ts';
import { SecureScoreMonitorStack } from '../../lib/stack.ts';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export interface Resource {
  Type: string;
  Properties?: Record<string, Json>;
  DependsOn?: string[];
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}
export interface Template {
  Resources: Record<string, Resource>;
  Outputs?: Record<string, { Value: Json; Description?: string }>;
}

// A synth takes a quarter of a second on a machine that does nothing else, and many times that on a busy one.
vi.setConfig({ testTimeout: 60_000 });

const ROOT = join(import.meta.dirname, '../..');

/** The flags that `cdk` gives the app. */
export const FLAGS = (
  JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as { context: Record<string, boolean> }
).context;

export const guid = (number: number): string =>
  `${number.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;

export function tenant(number: number): ConfigInput['tenants'][number] {
  return {
    name: `Tenant ${number}`,
    tenantId: guid(number),
    clientId: guid(0xc11e47),
    recipients: ['secops@contoso.com'],
  };
}

export const config = (changes: Partial<ConfigInput> = {}): ConfigInput => ({
  tenants: [tenant(1), { ...tenant(2), certificate: 'secure-score/fabrikam' }],
  operations: ['oncall@contoso.com', 'boss@contoso.com'],
  mail: { from: 'Secure Score <secure-score@contoso.com>' },
  ...changes,
});

const folders: string[] = [];
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'secure-score-lib-'));
  folders.push(folder);
  return folder;
}

/** Also for a test file that imports this one alone. */
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export interface Deployment {
  app: App;
  stack: SecureScoreMonitorStack;
  main: Template;
  /** By file name; the schedules of the tenants. */
  nested: Record<string, Template>;
  /** Of all templates. */
  resources: [id: string, resource: Resource][];
  outdir: string;
}

/** For an app that makes the function's bundle. Others go without: a template holds nothing of it but its hash. */
export const BUNDLED = { 'aws:cdk:bundling-stacks': ['**'] };

/** CDK's own check of templates takes four seconds a synth: `cdk` makes it. */
export const newApp = (context: Record<string, unknown> = {}): App =>
  new App({
    outdir: temporaryFolder(),
    context: { ...FLAGS, 'aws:cdk:bundling-stacks': [], ...context },
    analyticsReporting: false,
    builtinCloudFormationValidation: false,
    treeMetadata: false,
  });

export function synthesize(
  changes: Partial<ConfigInput> = {},
  props: Omit<SecureScoreMonitorProps, 'config'> = {},
  context: Record<string, unknown> = {},
): Deployment {
  const app = newApp(context);
  const stack = new SecureScoreMonitorStack(app, 'SecureScoreMonitor', { config: config(changes), ...props });
  return read(app, stack);
}

function read(app: App & Stage, stack: SecureScoreMonitorStack): Deployment {
  const outdir = app.synth().directory;
  const template = (name: string): Template =>
    JSON.parse(readFileSync(join(outdir, name), 'utf8')) as Template;
  const main = template(stack.templateFile);
  const nested = Object.fromEntries(
    readdirSync(outdir)
      .filter((name) => name.endsWith('.nested.template.json'))
      .toSorted()
      .map((name) => [name, template(name)]),
  );
  const resources = [main, ...Object.values(nested)].flatMap(({ Resources }) => Object.entries(Resources));
  return { app, stack, main, nested, resources, outdir };
}

/** @throws Error unless there is at least one: no test passes because it looked at nothing */
export function ofType({ resources }: Pick<Deployment, 'resources'>, type: string): [string, Resource][] {
  const found = resources.filter(([, { Type }]) => Type === type);
  if (found.length === 0) throw new Error(`The templates have no ${type}.`);
  return found;
}

/** Exactly one. */
export function only(deployment: Pick<Deployment, 'resources'>, type: string): [string, Resource] {
  const found = ofType(deployment, type);
  if (found.length > 1) throw new Error(`The templates have ${found.length} ${type}.`);
  return found[0]!;
}

const PSEUDO: Record<string, string> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-central-1',
  'AWS::AccountId': '111122223333',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** A value with its intrinsic functions as text: `<Bucket.Arn>/snapshots/*`, `<Queue>`. */
export function text(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Join': join_ } = value;
    if (typeof ref === 'string') return PSEUDO[ref] ?? `<${ref}>`;
    if (Array.isArray(attribute)) return `<${attribute.map(text).join('.')}>`;
    if (Array.isArray(join_)) return (join_[1] as Json[]).map(text).join(text(join_[0]));
  }
  throw new Error(`Not a text: ${JSON.stringify(value)}`);
}
