import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { expect, test } from 'vitest';
import { parseConfig } from '../lambda/config.ts';
import { nodeFault } from '../lambda/node-version.ts';
import { configurationFiles } from '../pack/configuration.ts';
import example from '../monitor.config.example.ts';

const ROOT = join(import.meta.dirname, '..');
const files = configurationFiles();
interface Node {
  description?: string;
  examples?: unknown[];
  properties?: Record<string, Node>;
  items?: Node;
  anyOf?: Node[];
}
const schema = JSON.parse(files['monitor.config.schema.json']!) as Node;

test.each(Object.keys(files))('%s matches its source (if not: npm run docs)', (path) => {
  expect(readFileSync(join(ROOT, path), 'utf8')).toBe(files[path]);
});

function fields(node: Node, path = ''): [path: string, field: Node][] {
  return [
    ...Object.entries(node.properties ?? {}).flatMap(([name, field]): [string, Node][] => [
      [`${path}.${name}`, field],
      ...fields(field, `${path}.${name}`),
    ]),
    ...(node.items ? fields(node.items, `${path}[]`) : []),
    ...(node.anyOf ?? []).flatMap((form) => fields(form, path)),
  ];
}

test('every field has a meaning, and is in the reference', () => {
  expect(fields(schema).length).toBeGreaterThan(25);
  for (const [path, { description }] of fields(schema)) {
    expect({ path, description }).toEqual({
      path,
      description: expect.stringMatching(/^[A-Z].*\.$/) as unknown,
    });
    expect(files['docs/configuration.md']).toContain(`\`${path.slice(1)}\``);
  }
});

/** With the ids filled in. */
const filled = () =>
  JSON.parse(
    JSON.stringify(example).replaceAll(/0{8}(-0{4}){3}-0{12}/g, '11111111-0000-4000-8000-000000000000'),
  ) as typeof example;

test('the example is valid once its ids are filled in, and refused before, by the check and by editors', () => {
  expect(() => parseConfig(example, 'monitor.config.example.ts')).toThrow(/the placeholder of the example/);
  const { mail } = parseConfig(filled(), 'monitor.config.example.ts');
  expect(mail.identity).toBe('address');
  const editor = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  expect(editor.safeParse(filled()).error).toBeUndefined();
  expect(editor.safeParse({ ...filled(), tenants: { from: 'tenants.csv' } }).error).toBeUndefined();
  expect(editor.safeParse({ ...filled(), colour: 'red' }).success).toBe(false);
  expect(editor.safeParse({ ...filled(), schedule: '07:00' }).success).toBe(false);
});

test('the examples of the reference are valid values', () => {
  // A tenant may be reported in digests alone only where there is one.
  const digests = [{ name: 'all', every: 'day', to: ['soc@msp.example'] }];
  const config = { ...filled(), digests } as unknown as Record<string, unknown>;
  const [tenant] = config['tenants'] as object[];
  const good = (changes: Record<string, unknown>) =>
    expect(() => parseConfig({ ...config, ...changes }, 'example')).not.toThrow();
  for (const [name, { examples }] of Object.entries(schema.properties ?? {})) {
    for (const value of examples ?? []) good({ [name]: value });
  }
  const [list] = schema.properties?.['tenants']?.anyOf ?? [];
  const ofTenant = Object.entries(list?.items?.properties ?? {});
  expect(ofTenant.length).toBeGreaterThan(5);
  for (const [name, { examples }] of ofTenant) {
    for (const value of examples ?? []) good({ tenants: [{ ...tenant, [name]: value }] });
  }
});

test('an older Node is refused with a clear sentence', () => {
  expect(nodeFault('20.20.2')).toMatch(/needs Node 24 or newer, and this is Node 20\.20\.2: install it/);
  expect(nodeFault('24.0.0')).toBeUndefined();
  expect(nodeFault('100.1.0')).toBeUndefined();
});
