import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonFault } from '../../lambda/text-file.ts';

/** In a process of its own: vitest imports in its own way. */
const ROOT = join(import.meta.dirname, '../..');
const CONFIG = {
  tenants: [
    {
      name: 'Müller & Söhne',
      tenantId: '11111111-0000-4000-8000-000000000000',
      clientId: '22222222-0000-4000-8000-000000000000',
      recipients: ['secops@contoso.com'],
    },
  ],
  operations: ['oncall@contoso.com'],
  mail: { from: 'secure-score@contoso.com' },
};
const JSON_TEXT = JSON.stringify(CONFIG, null, 2);
const MODULE = `import { defineConfig } from 'secure-score-monitor';\nexport default defineConfig(${JSON_TEXT});\n`;

let folder: string;
beforeAll(async () => {
  // Not below the checkout: the package cannot be found from here.
  folder = await mkdtemp(join(tmpdir(), 'config-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Loaded {
  name?: string;
  code?: string;
  message?: string;
  advice?: string;
  /** What else was printed. */
  stderr: string;
}

async function load(file: string, content: string | Uint8Array): Promise<Loaded> {
  const path = join(folder, file);
  await writeFile(path, content);
  return loadPath(path);
}

function loadPath(path: string): Promise<Loaded> {
  const program = `
    import { loadConfig } from ${JSON.stringify(join(ROOT, 'cli/shared/load-config.ts'))};
    const found = await loadConfig(process.argv[1]).then(
      (config) => ({ name: config.tenants[0].name }),
      ({ code, message, advice, stack }) => ({ code, message, advice: advice ?? stack }),
    );
    console.log(JSON.stringify(found));`;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--input-type=module', '--eval', program, path], (error, stdout, stderr) => {
      if (error) reject(error);
      else resolve({ ...(JSON.parse(stdout) as object), stderr });
    });
  });
}

const utf8 = (text: string): Buffer => Buffer.from(`\uFEFF${text}`);
const utf16 = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, 'utf16le');
const utf16be = (text: string): Buffer => utf16(text).swap16();

describe('a config outside the checkout', () => {
  test.each<[string, string, string | Uint8Array]>([
    ['TypeScript', 'a.ts', MODULE],
    ['TypeScript with a byte order mark', 'b.ts', utf8(MODULE)],
    ['TypeScript in UTF-16', 'c.ts', utf16(MODULE)],
    ['TypeScript in UTF-16, big-endian', 'd.mts', utf16be(MODULE)],
    ['JavaScript', 'e.mjs', MODULE],
    ['JavaScript in UTF-16', 'f.mjs', utf16(MODULE)],
    ['JavaScript with CRLF', 'g.mjs', MODULE.replaceAll('\n', '\r\n')],
    ['JSON', 'h.json', JSON_TEXT],
    ['JSON with a byte order mark', 'i.json', utf8(JSON_TEXT)],
    ['JSON in UTF-16', 'j.json', utf16(JSON_TEXT)],
    ['JSON with a $schema', 'k.json', JSON_TEXT.replace('{', '{ "$schema": "./monitor.config.schema.json",')],
  ])('is read: %s', async (_, file, content) => {
    expect(await load(file, content)).toEqual({ name: 'Müller & Söhne', stderr: '' });
  });

  test.each<[string, string, string, RegExp, RegExp]>([
    ['TypeScript', 'a.ts', MODULE.replace('Söhne",', 'Söhne"'), /\(line 6, column 7\)$/, /comma/],
    ['JavaScript', 'a.mjs', MODULE.replace('Söhne",', 'Söhne"'), /\(line 6, column 7\)$/, /comma/],
    ['JSON', 'a.json', JSON_TEXT.replace('Söhne",', 'Söhne"'), /\(line 5, column 7\)$/, /comma/],
    [
      'JSON with a comma for a value',
      'm.json',
      '{\n "tenants": [,]\n}',
      /Unexpected token ',' \(line 2, column 14\)$/,
      /comma/,
    ],
    ['JSON that ends too early', 'b.json', JSON_TEXT.slice(0, 40), /line \d/, /bracket/],
    ['JSON that is empty', 'c.json', '', /\(line 1\)$/, /bracket/],
    [
      'a name that is none',
      'c.ts',
      MODULE.replace('"secure-score@contoso.com"', 'sender'),
      /sender is not defined \(line 17, column 13\)$/,
      /default export/,
    ],
    [
      'what cannot be left out',
      'd.ts',
      `enum A { B }\n${MODULE}`,
      /enum is not supported .*\(line 1, column 1\)$/,
      /types/,
    ],
    [
      'a package that is not there',
      'e.ts',
      `import 'nowhere';\n${MODULE}`,
      /Cannot find package 'nowhere'/,
      /npm install nowhere/,
    ],
    ['a file that is not there', 'f.ts', `import './nowhere.ts';\n${MODULE}`, /nowhere.ts/, /./],
    ['what throws no error', 'g.ts', `throw 'up';\n${MODULE}`, /"up"$/, /./],
    ['another kind of file', 'h.yaml', 'tenants: []', /\.yaml/, /TypeScript or JavaScript module .* or JSON/],
  ])('that is wrong says where: %s', async (_, file, content, message, advice) => {
    const found = await load(file, content);
    expect(found).toMatchObject({ code: 'config-unreadable', stderr: '' });
    expect(found.message).toMatch(message);
    expect(found.message).not.toContain('\n');
    expect(found.advice).toMatch(advice);
  });

  test('that is a folder', async () => {
    await mkdir(join(folder, 'configs'));
    const found = await loadPath(join(folder, 'configs'));
    expect(found).toMatchObject({
      code: 'config-unreadable',
      advice: expect.stringContaining('monitor.config.ts'),
    });
    expect(found.message).toContain('is a folder');
  });

  test('without a default export', async () => {
    const found = await load('none.ts', 'export const config = {};');
    expect(found).toMatchObject({ code: 'config-invalid' });
    expect(found.message).toContain('the config: is missing, expected an object like defineConfig(');
  });
});

test('a character that no JSON has is found wherever it stands', () => {
  const text = JSON.stringify(
    { a: [1, { b: 'x\ny' }, [], null], c: { d: [true, 'é😀'] }, e: 'z'.repeat(99) },
    null,
    2,
  );
  const places = [...text.matchAll(/\s/g)].map(({ index }) => index);
  expect(places.length).toBeGreaterThan(20);
  for (const at of places) {
    const wrong = `${text.slice(0, at)};${text.slice(at)}`;
    const lines = text.slice(0, at).split('\n');
    let fault: unknown;
    try {
      JSON.parse(wrong);
    } catch (error) {
      fault = jsonFault(error as Error, wrong);
    }
    expect([wrong, fault]).toEqual([
      wrong,
      expect.stringMatching(`[(]line ${lines.length}, column ${lines.at(-1)!.length + 1}[)]$`),
    ]);
  }
});
