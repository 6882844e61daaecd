import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anyCharacter } from './any-character.ts';
import { loadConfig } from '../cli/shared/load-config.ts';
import { parseConfig } from '../lambda/config.ts';
import { MonitorError } from '../lambda/errors.ts';
import example from '../monitor.config.example.ts';

/** `FUZZ_RUNS=100000 FUZZ_SEED=1 npx vitest run test/config-fuzz.test.ts` looks further. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 500);
const seed = Number(process.env['FUZZ_SEED'] ?? 12);

const channels = [
  { name: 'soc', type: 'teams', url: { secret: 'a' }, tenants: 'all' },
  {
    name: 'siem',
    type: 'webhook',
    url: { env: 'A' },
    signingKey: { env: 'B' },
    tenants: ['Contoso'],
    kinds: ['scores'],
  },
  { name: 'bus', type: 'events', bus: 'security' },
];
const TEXT = JSON.stringify({ ...example, channels }, null, 1).replaceAll(
  '00000000-0000-0000-0000-000000000000',
  '11111111-0000-4000-8000-000000000000',
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-fuzz-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Either good, or an error for a person: lines that say what is wrong, no stack, no words of a library. */
function expectClear(error: unknown): void {
  if (!(error instanceof MonitorError)) throw error;
  expect(['config-invalid', 'config-unreadable']).toContain(error.code);
  expect(error.advice).not.toBe('');
  expect(error.message).not.toMatch(/\n\s+at |\[object|Invalid input|ZodError/);
  const [first, ...lines] = error.message.split('\n');
  expect(first).not.toBe('');
  for (const line of lines) {
    expect(line).toMatch(
      /^ {2}\S.*: (found .*|is missing), (expected|is) .*\S|^ {2}\S.*: is not a field that exists here/,
    );
  }
  expect(lines.length > 0).toBe(error.code === 'config-invalid');
}

type Path = (string | number)[];
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, each]) =>
      pathsOf(each, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

const nasty = fc.oneof(
  fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }),
  fc.string({ unit: anyCharacter, maxLength: 300 }),
  fc.constantFrom<unknown>(
    '',
    ' ',
    '\uFEFF',
    '__proto__',
    'a@b',
    '"a" <b@c.de',
    '<>',
    '+02:00',
    's3://',
    '24:00',
    -1,
    1e308,
    NaN,
    Infinity,
    null,
    undefined,
    Symbol('a'),
    () => 1,
    [],
    {},
    [[]],
    [undefined, null],
    Array.from({ length: 60 }, (_, index) => `a${index}@b.co`),
    { scores: null },
  ),
);

/** Replaces, removes or adds at one place. */
const mutation = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('replace', 'remove', 'add'),
  value: nasty,
  key: fc.string({ maxLength: 12 }),
});

test('a config with anything wrong in it is read, or refused with a clear error', () => {
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      let config: unknown = JSON.parse(TEXT);
      for (const { at, how, value, key } of mutations) {
        const paths = pathsOf(JSON.parse(TEXT));
        const path = paths[at % paths.length]!;
        const last = path.at(-1);
        const parent = path
          .slice(0, -1)
          .reduce<unknown>(
            (each, name) => (each as Record<string, unknown> | null | undefined)?.[name],
            config,
          );
        if (last === undefined) config = how === 'replace' ? value : config;
        else if (typeof parent !== 'object' || parent === null || Object.isFrozen(parent)) continue;
        else if (how === 'remove') delete (parent as Record<string, unknown>)[last];
        else
          Object.defineProperty(parent, how === 'add' && !Array.isArray(parent) ? key : last, {
            value,
            enumerable: true,
            configurable: true,
            writable: true,
          });
      }
      try {
        const { tenants } = parseConfig(config, 'monitor.config.ts');
        expect(tenants.length).toBeGreaterThan(0);
      } catch (error) {
        expectClear(error);
      }
    }),
    { numRuns, seed },
  );
});

test('a file with anything wrong in it is read, or refused with a clear error', async () => {
  const edit = fc.record({
    at: fc.nat(TEXT.length),
    cut: fc.nat(40),
    paste: fc.oneof(
      fc.constantFrom('', '"', '{', ']', ',', '\\', '\0', '\uFEFF', '\uD800', '// x', '\r', 'null'),
      fc.string({ unit: anyCharacter, maxLength: 8 }),
    ),
  });
  const encoding = fc.constantFrom<BufferEncoding>('utf8', 'utf16le', 'latin1', 'base64');
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { maxLength: 3 }), encoding, fc.boolean(), async (edits, how, mark) => {
      const text = edits.reduce(
        (all, { at, cut, paste }) => all.slice(0, at) + paste + all.slice(at + cut),
        TEXT,
      );
      const path = join(folder, 'config.json');
      await writeFile(path, Buffer.from(mark ? `\uFEFF${text}` : text, how));
      await loadConfig(path).then(() => undefined, expectClear);
    }),
    { numRuns: Math.ceil(numRuns / 2), seed },
  );
});
