import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../cli/main.ts';
import { allQuestions } from '../history/questions.ts';
import { parseConfig } from '../lambda/config.ts';
import { callOf, commandLine } from '../lambda/command-line.ts';
import { fencedBlocks } from './markdown.ts';

/** What README, runbook, help and messages name is there: taken out of them, not copied from them. */

const ROOT = resolve(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

const DOCUMENTS = ['README.md', 'CHANGELOG.md', 'SECURITY.md', ...globSync('docs/*.md', { cwd: ROOT })];
const SOURCES = globSync('{bin,cli,history,lambda,lib,simulator}/**/*.{ts,sql}', { cwd: ROOT });

interface Example {
  file: string;
  /** Without the folder, and without what a shell would leave out. */
  command: string;
}

/** Lines of code blocks that call us, and all that stands as code within a sentence. */
function examplesIn(file: string): Example[] {
  const text = read(file);
  const blocks = [...text.matchAll(/^ *```\w*\n(.*?)^ *```/gms)].flatMap(([, body = '']) => body.split('\n'));
  const spans = [...text.replace(/^ *```.*?^ *```/gms, '').matchAll(/`([^`]+)`/g)].map(
    ([, code = '']) => code,
  );
  return (
    [...blocks, ...spans]
      .map((code) => code.replace(/\s+/g, ' ').replace(/ +#.*/, '').trim())
      // The program alone is no example.
      .filter((code) => /^\.\/secure-score (?!…|--help$)/.test(code))
      .map((code) => ({ file, command: code.replace('./', '') }))
  );
}

/** The `examples` at the end of the commands' help. */
function examplesOfHelp(file: string): Example[] {
  const [, list = ''] = /^ {2}examples: \[(.*?)\],?\n {2}(?:act|\})/ms.exec(read(file)) ?? [];
  return [...list.matchAll(/\[\s*(['"`])(.+?)\1,/gs)].map(([, , rest = '']) => ({
    file,
    command: `secure-score ${rest}`,
  }));
}

/** What an example shows within the text that `npm start` ends with, or a template prints. */
function examplesOfPractice(): Example[] {
  return [...read('simulator/practice.ts').matchAll(/^ *\$\{commandLine\('(.*)'\)\}$/gm)].map(
    ([, words = '']) => ({ file: 'simulator/practice.ts', command: `secure-score ${words}` }),
  );
}

/** As a shell splits it; a placeholder stands for a value. */
function argumentsOf(command: string): string[] {
  return [...command.replace(/ < [\w.-]+$/, '').matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)]
    .map(([, double, single, plain]) => double ?? single ?? plain ?? '')
    .map((word) => word.replace(/<[^>]+>/g, 'x').replace(/^\[(\w+)\]$/, 'x'))
    .slice(1);
}

/** What the mocked commands were called with. */
const acted: Record<string, unknown>[] = [];

beforeAll(async () => {
  for (const file of readdirSync(join(ROOT, 'cli'), { recursive: true, encoding: 'utf8' })) {
    // A thread is no command, and begins when it is loaded.
    if (!file.endsWith('.ts') || file.endsWith('-thread.ts')) continue;
    const module = (await import(join(ROOT, 'cli', file))) as Record<string, unknown>;
    for (const value of Object.values(module)) {
      if (typeof value !== 'object' || value === null || !('act' in value) || !('flags' in value)) continue;
      vi.spyOn(value as { act: (flags: object) => Promise<number> }, 'act').mockImplementation(
        async (flags) => {
          acted.push({ ...flags });
          return 0;
        },
      );
    }
  }
});
beforeEach(() => acted.splice(0));

async function say(args: string[]): Promise<{ code: number; out: string; err: string }> {
  const out = vi.spyOn(console, 'log').mockImplementation(() => {});
  const err = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    const code = await main(args);
    return { code, out: out.mock.calls.join('\n'), err: err.mock.calls.join('\n') };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

const examples = [
  ...DOCUMENTS.flatMap(examplesIn),
  ...SOURCES.filter((file) => file.startsWith('cli/')).flatMap(examplesOfHelp),
  ...examplesOfPractice(),
];

describe('an example', () => {
  it('is found in all places that have some', () => {
    const count = (file: RegExp) => examples.filter((example) => file.test(example.file)).length;
    expect(count(/^README/)).toBeGreaterThanOrEqual(12);
    expect(count(/runbook/)).toBeGreaterThanOrEqual(8);
    expect(count(/^cli\//)).toBeGreaterThanOrEqual(12);
    expect(count(/practice/)).toBe(3);
  });

  it.each(examples)('$file: $command', async ({ command }) => {
    const args = argumentsOf(command);
    const { code, err } = await say(args);
    expect({ command, code, err }).toEqual({ command, code: 0, err: '' });
    expect(acted).toHaveLength(1);
    // Only `history` has a question; none, or a placeholder, is one as well.
    expect(['x', undefined, ...allQuestions().map(({ name }) => name)]).toContain(acted[0]!['question']);
  });

  it('"with the same flags" takes the flags of the command before it', async () => {
    const same = DOCUMENTS.flatMap((file) => {
      const text = read(file);
      return [...text.matchAll(/`\.\/secure-score (\w+)` with the same flags/g)].map((match) => ({
        command: match[1]!,
        before: [...text.slice(0, match.index).matchAll(/^ *\.\/(secure-score .*)$/gm)].at(-1)?.[1],
      }));
    });
    expect(same.length).toBeGreaterThan(0);
    for (const { command, before } of same) {
      const [, ...flags] = argumentsOf(before!);
      expect(flags).not.toEqual([]);
      expect(await say([command, ...flags])).toMatchObject({ code: 0, err: '' });
    }
  });

  it('doctor takes every flag of run', async () => {
    const flagsOf = async (command: string) =>
      new Set((await say([command, '--help'])).out.match(/--[a-z]+/g));
    const flags = await flagsOf('run');
    expect(flags.size).toBeGreaterThan(6);
    expect([...flags.difference(await flagsOf('doctor'))]).toEqual([]);
  });
});

/** Every mention in a sentence of ours: a message, an advice, a comment. */
function mentions(file: string): Example[] {
  return [
    ...read(file).matchAll(
      /(?:secure-score |commandLine\(\s*(?:\w+ === null \? )?['`])(?=[a-z])((?:(?!secure-score )[^\n'"`”])*)/g,
    ),
  ].map(([, rest = '']) => ({ file, command: rest }));
}

describe('a message', () => {
  const COMMANDS = /^(run|doctor|certificate|history|archive|tenant|channel|digest|completion)\b/;
  const found = [...SOURCES, ...DOCUMENTS].flatMap(mentions).filter(({ command }) => COMMANDS.test(command));

  it('contains only existing commands, with flags that they accept', async () => {
    expect(found.length).toBeGreaterThan(50);
    const wrong: string[] = [];
    const helps = new Map<string, string>();
    for (const { file, command } of found) {
      const words = command.split(/[^\w-]/);
      const [first = '', second = ''] = words;
      const group = ['certificate', 'archive', 'channel', 'tenant'].includes(first) && second !== '';
      const path =
        group || (first === 'history' && ['sql', 'open'].includes(second)) ? [first, second] : [first];
      const key = path.join(' ');
      if (!helps.has(key)) helps.set(key, (await say([...path, '--help'])).out);
      const help = helps.get(key)!;
      // Help of a group alone shows its commands; of a command that is not there, too.
      if (!help.startsWith(commandLine(key))) wrong.push(`${file}: no command ${key}`);
      for (const flag of command.match(/--[a-z][a-z-]*/g) ?? []) {
        if (!help.includes(flag)) wrong.push(`${file}: ${key} takes no ${flag}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('docs/local.md', () => {
  const blocksOf = (language: string) => fencedBlocks(read('docs/local.md'), language);
  /** What a timer calls, without the path that an example has. */
  const calls = (text: string) =>
    [
      ...text.matchAll(/(?:\.\/|\/opt\/secure-score-monitor\/|npm run -s )secure-score (?:-- )?([^><\n]*)/g),
    ].map(([, words = '']) => words.trim());
  const sections = (text: string) => {
    const found: Record<string, Record<string, string[]>> = {};
    let section = '';
    for (const line of text.split('\n').filter((each) => !/^(#|$)/.test(each))) {
      const [, name] = /^\[(\w+)\]$/.exec(line) ?? [];
      const [, key = '', value = ''] = /^([A-Za-z_]+)=(.*)$/.exec(line) ?? [];
      if (name !== undefined) found[(section = name)] = {};
      else ((found[section] ??= {})[key] ??= []).push(value);
    }
    return found;
  };

  it('shows units that systemd reads, and calls of a run and of the watch', () => {
    const [environment, service, timer] = blocksOf('ini').map(sections);
    expect(environment).toEqual({ '': { SMTP_PASSWORD: [expect.any(String)] } });
    expect(Object.keys(service!)).toEqual(['Unit', 'Service']);
    expect(service!['Service']).toMatchObject({
      Type: ['oneshot'],
      ExecStart: [/^-\//, /^\//].map((start) => expect.stringMatching(start)),
    });
    expect(timer).toMatchObject({
      Timer: { OnCalendar: [expect.stringMatching(/^\*-\*-\* \d\d:\d\d:\d\d$/)], Persistent: ['true'] },
      Install: { WantedBy: ['timers.target'] },
    });
  });

  it('shows lines that cron reads', () => {
    const lines = blocksOf('crontab').join('').trim().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^[A-Z_]+=\S+$/);
    for (const line of lines.slice(1)) expect(line).toMatch(/^\d+ \d+ \* \* \* cd \S+ && \.\/secure-score /);
  });

  it('shows a task that is well-formed', () => {
    const open: string[] = [];
    for (const [, slash, name, rest] of blocksOf('xml')
      .join('')
      .matchAll(/<(\/?)(\w+)([^>]*)>/g)) {
      if (slash && open.at(-1) === name) open.pop();
      else if (!rest!.endsWith('/')) open.push(`${slash}${name}`);
    }
    expect(open).toEqual([]);
  });

  it('calls only existing commands, with flags that they accept', async () => {
    const words = [...blocksOf('ini'), ...blocksOf('crontab'), ...blocksOf('xml')].flatMap(calls);
    expect(words.map((each) => each.split(' ')[0])).toEqual([
      'run',
      'watch',
      'run',
      'digest',
      'watch',
      'run',
      'watch',
    ]);
    for (const each of words) {
      expect(await say(each.split(' '))).toMatchObject({ code: 0, err: '' });
    }
  });

  it('shows fields that the config has', () => {
    const fields = blocksOf('ts').map((body) => body.trim().replace(/,$/, ''));
    expect(fields).toHaveLength(2);
    // JSON but for the names and the quotation marks.
    const json = fields
      .join(',')
      .replace(/(\w+): /g, '"$1": ')
      .replace(/'/g, '"')
      .replace(/,(\s*})/g, '$1');
    const id = '0b6b6ab0-3b1f-4c3a-9a51-0f4f8f3f6c11';
    const config: unknown = {
      ...(JSON.parse(`{${json}}`) as object),
      tenants: [{ name: 'a', tenantId: id, clientId: id, recipients: ['a@contoso.com'] }],
      operations: ['a@contoso.com'],
    };
    expect(parseConfig(config, 'docs/local.md')).toHaveProperty('heartbeat');
  });
});

describe('the call', () => {
  it.each([...SOURCES, ...DOCUMENTS, 'monitor.config.example.ts'])(
    'in %s asks no registry for a package of that name',
    (file) => {
      expect(read(file)).not.toMatch(/(?:npx|npm exec|bunx|dlx)(?: -\S+)* secure-score\b(?!`)/);
    },
  );

  it('is stated in one place', () => {
    const stated = SOURCES.filter((file) =>
      /[^$]['"`“][^'"`“\n]*\bsecure-score (run|doctor|certificate|history [<a-z]|archive)\b/.test(
        read(file).replace(/^\s*(?:\/\/|\/?\*).*$/gm, ''),
      ),
    );
    expect(stated).toEqual([]);
  });

  it('suits the place from which it is made', () => {
    expect(callOf('file:///home/me/secure-score-monitor/lambda/a.ts', 'linux')).toBe('./secure-score');
    expect(callOf('file:///C:/secure-score-monitor/lambda/a.ts', 'win32')).toBe('npm run -s secure-score --');
    const inside = '/node_modules/secure-score-monitor/dist/lambda/command-line.js';
    expect(callOf(`file:///home/me/app${inside}`)).toBe('node_modules/.bin/secure-score');
    expect(callOf(`file:///usr/lib${inside}`)).toBe('secure-score');
    expect(callOf(`file:///C:/Users/me/AppData/Roaming/npm${inside}`)).toBe('secure-score');
  });
});

describe('a document', () => {
  it.each(DOCUMENTS)('%s mentions only existing scripts, programs, files and context', (file) => {
    const text = read(file);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const lacking = [
      ...[...text.matchAll(/npm run (?:-s )?([\w:-]+)/g)].filter(([, script = '']) => !(script in scripts)),
      ...[...text.matchAll(/\bnode ([\w/.-]+\.ts)/g)].filter(
        ([, program = '']) => !existsSync(join(ROOT, program)),
      ),
      ...[
        ...text.matchAll(/`((?:bench|bin|cli|docs|history|lambda|lib|pack|simulator|test)\/[\w/.-]*\w)\/?`/g),
      ].filter(([, path = '']) => !existsSync(join(ROOT, path))),
      ...[...text.matchAll(/\]\(([\w/.-]+)(?:#[\w-]+)?\)/g)].filter(
        ([, link = '']) => !existsSync(resolve(join(ROOT, file), '..', link)),
      ),
      ...[...text.matchAll(/cdk [a-z ]*-c (\w+)=/g)].filter(
        ([, key = '']) => !read('bin/app.ts').includes(`'${key}'`),
      ),
    ].map(([all]) => all);
    expect(lacking).toEqual([]);
  });
});
