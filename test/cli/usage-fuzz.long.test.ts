import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { anyCharacter } from '../any-character.ts';
import { main } from '../../cli/main.ts';
import { allQuestions } from '../../history/questions.ts';
import { CONTOSO, writeHistory } from '../history/sample.ts';

/** `FUZZ_RUNS=100000 FUZZ_SEED=1 npm run test:long -- usage-fuzz` looks further. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const seed = Number(process.env['FUZZ_SEED'] ?? 12);

/** Longer than any command takes that can reach nobody. */
const HANGS_MS = 60_000;

// What is typed is this test's matter, not what is read: nothing comes from standard input.
vi.mock('node:stream/consumers', () => ({ text: () => Promise.resolve('') }));

// Nor is anybody waited for who does not answer.
vi.mock('../../lambda/clock.ts', async (original) => ({
  ...(await original<object>()),
  pause: () => Promise.resolve(),
}));

// Keys take their time, and what is done with them is none of this test's.
vi.mock('../../lambda/certificate/self-signed.ts', () => ({
  createCertificate: () => Promise.resolve({ certificate: 'none', privateKey: 'none' }),
}));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'usage-fuzz-'));
  await writeHistory(join(folder, 'archive'));
  await mkdir(join(folder, 'empty'));
  await writeFile(join(folder, 'file'), 'x');
  const id = '0b6b6ab0-3b1f-4c3a-9a51-0f4f8f3f6c11';
  // Nobody listens at the discard port.
  const nowhere = 'https://127.0.0.1:9';
  const cloud = { authorityHost: nowhere, graphEndpoint: nowhere };
  const config = {
    tenants: [{ name: 'Contoso', tenantId: CONTOSO, clientId: id, recipients: ['a@contoso.com'], cloud }],
    operations: ['b@contoso.com'],
    mail: { from: 'c@contoso.com', smtp: { host: '127.0.0.1', port: 9 } },
    channels: [
      { name: 'soc', type: 'teams', url: { secret: 'secure-score/soc' } },
      { name: 'chat', type: 'slack', url: { env: 'FUZZ_CHAT' } },
      { name: 'siem', type: 'webhook', url: { env: 'FUZZ_SIEM' }, signingKey: { env: 'FUZZ_KEY' } },
      { name: 'bus', type: 'events' },
    ],
    digests: [{ name: 'daily', every: 'day', to: ['d@contoso.com'], channels: ['chat'] }],
  };
  await writeFile(join(folder, 'good.json'), JSON.stringify(config));
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
  // Nobody is reached, and nobody is waited for.
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'none'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'));
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});
afterAll(() => rm(folder, { recursive: true }));

const COMMANDS = [
  'run',
  'watch',
  'doctor',
  'completion',
  'certificate',
  'archive',
  'history',
  'channel',
  'certificate create',
  'certificate put',
  'certificate status',
  'certificate rotate',
  'archive verify',
  'archive rebuild',
  'archive pull',
  'archive acknowledge',
  'history sql',
  'history open',
  'channel list',
  'channel test',
  'tenant',
  'tenant add',
  'tenant list',
  'tenant check',
  'tenant remove',
  'digest',
  'digest daily',
  'channel test soc',
  'channel test chat',
  'channel put',
  'channel put soc',
  'channel put siem',
  ...allQuestions().map(({ name }) => `history ${name}`),
  '',
  'runn',
  'history nonsense',
  '__proto__',
  'constructor',
];
const FLAGS = [
  'config',
  'tenant',
  'archive',
  'certificate',
  'outbox',
  'deployed',
  'stack',
  'parallel',
  'json',
  'send',
  'problems',
  'help',
  'version',
  'from',
  'to',
  'control',
  'limit',
  'format',
  'engine',
  'strict',
  'out',
  'name',
  'days',
  'bits',
  'secret',
  'file',
  'head',
  'reason',
  'now',
  'dry-run',
  'signing-key',
  'no-browser',
  'recipients',
  'tags',
  'cloud',
  'timeout',
  'nope',
  '__proto__',
  'h',
];
const VALUES = [
  '',
  ' ',
  '-',
  '--',
  '=',
  '0',
  '-1',
  '1e9',
  'NaN',
  '2026',
  '2026-02-30',
  '2026-01',
  'table',
  'csv',
  'duckdb',
  'soc',
  'daily',
  'Contoso',
  'CONTOSO',
  CONTOSO,
  'nobody',
  'mfa',
  'Require MFA',
  'SELECT 1',
  'DROP TABLE scores',
  "'",
  ';',
  's3://',
  's3://b',
  's3://my-bucket/p',
  'file:///x',
  '~',
  'a\nb',
  '\u001B[31m',
  '🙂',
  '\u202E',
  '$0',
  '%s',
  '{{}}',
  'x'.repeat(5_000),
  '../../..',
  '/dev/null',
  '/proc/self/mem',
];
const PATHS = ['archive', 'empty', 'file', 'good.json', 'missing', 'missing/deep', 'file/below', 'out.html'];

/** Words in any order: commands, flags with values of any kind or without one, values that stand alone. */
const commandLines = () => {
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...PATHS).map((name) => join(folder, name)) },
    { weight: 3, arbitrary: fc.constantFrom(...VALUES) },
    // No argument of a process can hold NUL, with which its text ends.
    fc.string({ unit: anyCharacter, maxLength: 8 }).map((text) => text.replaceAll('\0', '')),
  );
  const flag = fc.constantFrom(...FLAGS).map((name) => (name.length === 1 ? `-${name}` : `--${name}`));
  const word = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(flag, value).map((pair): string[] => pair) },
    fc.tuple(flag, value).map(([name, given]) => [`${name}=${given}`]),
    flag.map((name) => [name]),
    value.map((given) => [given]),
  );
  const usual = fc.constantFrom(
    [],
    ['--config', join(folder, 'good.json')],
    ['--config', join(folder, 'good.json'), '--archive', join(folder, 'archive')],
    ['--archive', join(folder, 'archive')],
  );
  return fc
    .tuple(fc.constantFrom(...COMMANDS), usual, fc.array(word, { maxLength: 4 }), fc.boolean())
    .map(([command, first, words, reversed]) => {
      const parts = [...(command === '' ? [] : command.split(' ')), ...first, ...words.flat()];
      return reversed && words.length === 1 ? parts.toReversed() : parts;
    });
};

const STACK =
  /\n\s+at \S.*[:)]\d*|is a defect of secure-score-monitor|\[object Object\]\n|TypeError|ReferenceError/;

test('every command line prints something, no stack, and ends with 0, 1 or 2', async () => {
  const printed: string[] = [];
  const print = (words: unknown) => void printed.push(String(words));
  const write = (words: unknown) => {
    print(words);
    return true;
  };
  const spies = [
    ...(['log', 'error', 'warn'] as const).map((name) => vi.spyOn(console, name).mockImplementation(print)),
    vi.spyOn(process.stdout, 'write').mockImplementation(write),
    vi.spyOn(process.stderr, 'write').mockImplementation(write),
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`process.exit(${code})`);
    }),
  ];
  try {
    await fc.assert(
      fc.asyncProperty(commandLines(), async (args) => {
        printed.length = 0;
        let timer: NodeJS.Timeout | undefined;
        const hung = new Promise<number>((done) => (timer = setTimeout(() => done(-1), HANGS_MS)));
        const code = await Promise.race([main(args), hung]);
        clearTimeout(timer);
        const output = stripVTControlCharacters(printed.join('\n'));
        expect({ args, code, output }).toEqual({
          args,
          code: expect.toSatisfy((each: number) => [0, 1, 2].includes(each)),
          output: expect.toSatisfy((words: string) => words.trim() !== '' && !STACK.test(words)),
        });
      }),
      { numRuns, seed },
    );
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}, 3_600_000);
