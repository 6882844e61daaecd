import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configSchema, tenantsFromSchema } from '../lambda/config.ts';
import * as z from '../lambda/zod.ts';

/** A node of a JSON Schema, as far as zod writes it for the config. */
interface Node {
  type?: string;
  description?: string;
  examples?: unknown[];
  default?: unknown;
  enum?: unknown[];
  anyOf?: Node[];
  items?: Node;
  properties?: Record<string, Node>;
  required?: string[];
}

/**
 * The files that are made from the config's schema, by path from the root. The descriptions in the schema are their
 * only source.
 */
export function configurationFiles(): Record<string, string> {
  const schema = toJsonSchema();
  return {
    'monitor.config.schema.json': `${JSON.stringify(schema, null, 2)}\n`,
    'docs/configuration.md': toMarkdown(schema),
  };
}

/**
 * The JSON Schema that editors check a config by. It describes the input, so that fields with a default may be left
 * out.
 */
function toJsonSchema(): Node {
  const complete = schemaOf(configSchema);
  const { description, ...list } = complete.properties!['tenants']!;
  const { $schema: _, ...file } = schemaOf(tenantsFromSchema) as Node & { $schema?: string };
  // The loader of a config replaces the file by its list of tenants before the schema sees it.
  complete.properties!['tenants'] = { description, anyOf: [list, file] };
  return { title: 'Config of secure-score-monitor', ...complete } as Node;
}

function schemaOf(zod: z.core.$ZodType): Node {
  return z.toJSONSchema(zod, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      // Zod leaves out the examples of a transformed value, because they might be of its output. Here they never are.
      const { examples } = (z.globalRegistry.get(zodSchema) ?? {}) as { examples?: unknown[] };
      if (examples) jsonSchema.examples = examples;
      // Zod also leaves out the defaults of transformed values.
      if (zodSchema instanceof z.ZodMiniDefault) jsonSchema.default = zodSchema.def.defaultValue;
    },
  }) as Node;
}

function toMarkdown(schema: Node): string {
  return `# Configuration

<!-- Made by \`npm run docs\` from the descriptions in lambda/config.ts: change them there. -->

\`monitor.config.ts\` exports \`defineConfig({ … })\`. [monitor.config.example.ts](../monitor.config.example.ts) shows a complete one with the
common fields. JavaScript and JSON are read as well, in UTF-8 or UTF-16; \`--config <path>\` (commands) and \`-c config=<path>\` (cdk) choose
another file. A field that is wrong fails with its path, what was found and what is expected; so does one that does not exist.

In TypeScript an editor knows the fields by their types. For JSON it takes them from \`monitor.config.schema.json\`:
put its path into the field \`$schema\`. Fields with a **\\*** are required.

| field | type | default | meaning | example |
| ----- | ---- | ------- | ------- | ------- |
${rows(schema, '').join('\n')}
`;
}

function rows(node: Node, path: string): string[] {
  const fields = Object.entries(node.properties ?? {}).flatMap(([name, field]) => {
    const here = path === '' ? name : `${path}.${name}`;
    const [example] = field.examples ?? [];
    const cells = [
      `${code(here)}${node.required?.includes(name) ? ' **\\***' : ''}`,
      typeOf(field),
      isEmpty(field.default) ? '' : code(inSource(field.default)),
      field.description ?? '',
      example === undefined ? '' : code(inSource(example)),
    ];
    return [`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`, ...rows(field, here)];
  });
  const entries = node.items?.properties ? rows(node.items, `${path}[]`) : [];
  return [...fields, ...entries, ...(node.anyOf ?? []).flatMap((form) => rows(form, path))];
}

function typeOf({ type, items, anyOf, enum: values }: Node): string {
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(' or ');
  if (values) return values.map((value) => code(inSource(value))).join(', ');
  if (type === 'array') return items?.type === 'string' ? 'list of texts' : 'list of objects';
  return (
    { string: 'text', boolean: 'true or false', integer: 'whole number', number: 'number', object: 'object' }[
      type ?? ''
    ] ?? 'any'
  );
}

/** Whether a default overrides nothing. */
function isEmpty(value: unknown): boolean {
  return (
    value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
  );
}

/** A value as one would write it in monitor.config.ts. */
function inSource(value: unknown): string {
  if (typeof value === 'string') return `'${value.replace(/['\\]/g, '\\$&')}'`;
  if (Array.isArray(value)) return `[${value.map(inSource).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([name, each]) => `${name}: ${inSource(each)}`)
    .join(', ')} }`;
}

const code = (text: string): string => `\`${text}\``;

if (import.meta.main) {
  for (const [path, content] of Object.entries(configurationFiles())) {
    writeFileSync(join(import.meta.dirname, '..', path), content);
  }
}
