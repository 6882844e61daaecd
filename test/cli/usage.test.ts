import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { describeError, main } from '../../cli/main.ts';
import { packagesLoadedBy } from './support.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'secure-score-'));
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const broken = file('broken.json', '{');
const wrong = file('wrong.json', '{}');
const throws = file('throws.mjs', 'throw new Error("no network at synth");');
const good = file(
  'good.json',
  JSON.stringify({
    tenants: [
      {
        name: 'Contoso',
        tenantId: '0b6b6ab0-3b1f-4c3a-9a51-0f4f8f3f6c11',
        clientId: '0b6b6ab0-3b1f-4c3a-9a51-0f4f8f3f6c11',
        recipients: ['a@contoso.com'],
      },
    ],
    operations: ['b@contoso.com'],
    mail: { from: 'c@contoso.com' },
  }),
);

afterEach(() => vi.restoreAllMocks());

describe('the start', () => {
  it('of the help loads no more than it takes to print it', () => {
    const loaded = packagesLoadedBy(['--help'], folder);
    expect(loaded).toContain('yargs');
    expect([...loaded].filter((name) => /zod|csv-parse|nodemailer|duckdb|aws/.test(name))).toEqual([]);
    // That of later versions of string-width, whose tables take a quarter of the time of the help (package.json, overrides).
    expect(loaded).not.toContain('get-east-asian-width');
  });

  it.each([
    ['is made in the folder', file('home', ''), { XDG_CACHE_HOME: folder }, ['.compiled']],
    ['is not wanted', folder, { XDG_CACHE_HOME: folder, NODE_DISABLE_COMPILE_CACHE: '1' }, []],
    // Node itself would try for ever to create a folder there.
    ['cannot be made in the home', '/proc', {}, []],
    ['cannot be made, nor its parents', '/proc/none', {}, []],
  ])('comes to an end where the cache of compiled code %s', (_, home, environment, made) => {
    const { NODE_COMPILE_CACHE: __, XDG_CACHE_HOME: ___, ...others } = process.env;
    const ours = join(folder, 'secure-score');
    const { stdout, status } = spawnSync(process.execPath, ['bin/secure-score.ts', '--version'], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...others, HOME: home, ...environment },
      timeout: 30_000,
      killSignal: 'SIGKILL',
    });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^\d/)]);
    expect(existsSync(ours) ? readdirSync(ours) : []).toEqual(made);
    rmSync(ours, { recursive: true, force: true });
  });

  it('of a later call strips no types, not even those of its first file', () => {
    const { NODE_COMPILE_CACHE: _, NODE_DISABLE_COMPILE_CACHE: __, ...others } = process.env;
    const call = () =>
      spawnSync(join(ROOT, 'secure-score'), ['--version'], {
        encoding: 'utf8',
        env: { ...others, XDG_CACHE_HOME: folder, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
      }).stderr;
    // The first call makes the folder, the second one fills it.
    const [first, , third] = [call(), call(), call()];
    const stripped = /no transpile cache for StrippedTypeScript/;
    expect(first).toMatch(stripped);
    expect(third).toMatch(
      /retrieving transpile cache for StrippedTypeScript .*bin\/secure-score\.ts\.\.\.success/,
    );
    expect(third).not.toMatch(stripped);
    rmSync(join(folder, 'secure-score'), { recursive: true });
  });
});

describe('the command line', () => {
  it.each([
    [[], 2, 'Choose a command'],
    [['run', '--nope'], 2, 'Unknown argument: nope'],
    [['runn'], 2, 'Did you mean run?'],
    [['--', 'run'], 2, 'Choose a command'],
    [['archive', 'pull'], 2, 'An argument is missing: pull needs <source> and <folder>.\n'],
    [['history', '2026'], 2, '"2026"'],
    [['history', 'sql'], 2, 'An argument is missing: sql needs <statement>.\n'],
    [['history', 'sql', ' '], 2, 'The statement is empty'],
    [['run', '--deployed=/tmp'], 2, '--deployed takes no value, but was given "/tmp".\n'],
    [['certificate', 'rotate', '--dry-run=yes'], 2, '--dry-run takes no value, but was given "yes".\n'],
    [['run', '--json='], 2, '--json takes no value, but was given "".\n'],
    // "false" is no value, but the switch off: then what is asked is the default, and not nothing.
    [['certificate', 'status', '--deployed=false', '--config', 'absent.ts'], 1, 'no config at "absent.ts"'],
    [['run', '--config'], 2, 'Not enough arguments following: config'],
    [
      ['run', '--config', 'absent.ts'],
      1,
      'There is no config at "absent.ts".\n→ Copy monitor.config.example.ts',
    ],
    [['run', '--config', broken], 1, 'cannot be loaded'],
    [['run', '--config', throws], 1, 'no network at synth'],
    [['run', '--config', wrong], 1, 'tenants: is missing, expected a list'],
    [['run', '--config', good, '--tenant', 'Fabrikam'], 1, '"Fabrikam".\n→ It has: Contoso.'],
    [['run', '--config', good, '--archive', 's3://'], 1, '"s3://"'],
    [['run', '--config', good, '--archive', ''], 2, '--archive must be given once, with one value'],
    [['run', '--config', good, '--config', good], 2, '--config must be given once, with one value'],
  ])('%j ends with %i and says what to do', async (args, code, message) => {
    const output = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(await main(args)).toBe(code);
    expect(output.mock.calls.join('\n')).toContain(message);
  });

  it.each(['tr_TR.UTF-8', 'de_DE.UTF-8'])('speaks English where the machine speaks %s', async (locale) => {
    vi.stubEnv('LC_ALL', locale);
    const output = vi.spyOn(console, 'error').mockImplementation(() => {});
    await main(['run', '--nope']);
    vi.unstubAllEnvs();
    expect(output.mock.calls.join('\n')).toContain('Unknown argument: nope');
  });

  it('says which version it is', async () => {
    const output = vi.spyOn(console, 'log').mockImplementation(() => {});
    expect(await main(['--version'])).toBe(0);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(output.mock.calls).toEqual([[version]]);
  });

  it('prints no stack, whatever is thrown', () => {
    const fault = Object.assign(new Error("EACCES: permission denied, scandir '/root'"), { code: 'EACCES' });
    expect(describeError(fault)).toBe(
      "EACCES: permission denied, scandir '/root'\n→ Give the user that runs this read and write access to the path above, or choose another path.",
    );
    for (const thrown of [new TypeError('x is not a function'), 'a text', undefined]) {
      expect(describeError(thrown)).toMatch(/^(x is not a function|a text|undefined)\n→ This is a defect/);
    }
  });

  it('appears in advice as it was called', async () => {
    const called = promisify(execFile)(join(ROOT, 'secure-score'), ['nope'], { cwd: folder });
    await expect(called).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`Try: ${join(ROOT, 'secure-score')} --help`),
    });
  });

  it('finishes with its own exit code even if the reader stops', async () => {
    const shell = promisify(execFile)(
      'sh',
      [
        '-c',
        './secure-score history nonsense 2>&1 | head -c 1; ./secure-score history | head -c 1; { ./secure-score --help; echo "code $?" >&2; } | true',
      ],
      { cwd: ROOT },
    );
    const { stderr } = await shell;
    expect(stderr).toBe('code 0\n');
  });

  it.each(['./secure-score', 'node_modules/.bin/secure-score'])(
    'called as %s, shows every command as it is typed, in 80 columns',
    async (call) => {
      vi.stubEnv('SECURE_SCORE_CALL', call);
      const output = vi.spyOn(console, 'log').mockImplementation(() => {});
      const open = [''];
      const seen: string[] = [];
      for (const command of open) {
        output.mockClear();
        expect(await main([...command.split(' ').filter((word) => word !== ''), '--help'])).toBe(0);
        const help = output.mock.calls.join('\n');
        seen.push(command);
        expect(help.split('\n')[0]).toMatch(
          new RegExp(`^${call.replaceAll('.', String.raw`\.`)} ${command}`),
        );
        expect(help).not.toContain('$0');
        // What stands among the positionals can be typed: the first line has it.
        const [, positionals = ''] = help.split('\nPositionals:\n');
        for (const [, name] of positionals.split('\n\n')[0]!.matchAll(/^ {2}([a-z-]+) /gm)) {
          expect(help.slice(0, help.indexOf('\n\n'))).toContain(name);
        }
        expect(help.split('\n').filter((line) => line.length > 80)).toEqual([]);
        const [, examples = ''] = help.split('\nExamples:\n');
        for (const line of examples.split('\n').filter((each) => each !== '')) {
          expect(line).toMatch(new RegExp(String.raw`^ {2}(# .*|${call} .*)$|^ {6}\S`));
        }
        const [, list = ''] = /^Commands:\n((?: .*\n)*)/m.exec(help) ?? [];
        const names = [...list.matchAll(/^ {2}((?:[a-z]+ ?)+)/gm)].map(([, name = '']) => name.trim());
        open.push(...names.filter((name) => name !== command && name !== 'completion'));
      }
      vi.unstubAllEnvs();
      expect(seen.length).toBeGreaterThan(15);
    },
  );

  it('proposes questions, tenants and channels to a shell that completes', async () => {
    const output = vi.spyOn(console, 'log').mockImplementation(() => {});
    const proposed = async (...words: string[]) => {
      output.mockClear();
      await main(['--get-yargs-completions', 'secure-score', ...words]);
      return output.mock.calls.join('\n').split('\n');
    };
    expect(await proposed('history', '')).toEqual(expect.arrayContaining(['sql', 'open', 'trend', 'life']));
    expect(await proposed('run', '--config', good, '--tenant', '')).toEqual(['Contoso']);
    // As bash splits --tenant=C.
    expect(await proposed('run', '--config', good, '--tenant', '=', 'C')).toEqual(['Contoso']);
    expect(await proposed('run', '--config', 'absent.json', '--tenant', '')).toEqual(['']);
    expect(await proposed('archive', '')).toEqual(expect.arrayContaining(['verify', 'pull']));
    expect(await proposed('run', '--')).toContain('--tenant');
  });

  /** What the program prints for a shell, asked once. */
  const scripts = new Map<string, Promise<{ stdout: string }>>();
  function completionOf(shell: string): Promise<{ stdout: string }> {
    const known = scripts.get(shell);
    if (known) return known;
    const env = { ...process.env, SHELL: shell };
    const script = promisify(execFile)('./secure-score', ['completion'], { cwd: ROOT, env });
    scripts.set(shell, script);
    return script;
  }

  it.each([
    ['./secure-score history tr', 'trend\n'],
    // In zsh, the program would say what a command does after a colon.
    ['./secure-score his', 'history\n'],
  ])(
    'completes "%s" in bash by the script that it prints, whatever the shell is by default',
    async (words, first) => {
      const call = promisify(execFile);
      const env = (shell: string) => ({ cwd: ROOT, env: { ...process.env, SHELL: shell } });
      const script = await completionOf('/bin/bash');
      const asked =
        'eval "$1"; COMP_WORDS=($2); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _secure-score_yargs_completions; echo "${COMPREPLY[@]}"';
      const { stdout } = await call('bash', ['-c', asked, '-', script.stdout, words], env('/bin/zsh'));
      expect(stdout).toBe(first);
    },
  );

  it('asks the program at its path, whatever the path is', async () => {
    vi.stubEnv('SHELL', '/bin/bash');
    vi.stubEnv('SECURE_SCORE_CALL', '/opt/my tools (2)/secure-score');
    const output = vi.spyOn(console, 'log').mockImplementation(() => {});
    await main(['completion']);
    vi.unstubAllEnvs();
    const ask = String.raw`SHELL=bash /opt/my\ tools\ \(2\)/secure-score --get-yargs-completions`;
    expect(output.mock.calls.join('\n')).toContain(`<(${ask} `);
  });

  const zsh = spawnSync('zsh', ['--version']).error === undefined;
  it.skipIf(!zsh)(
    `completes in zsh by the script that it prints${zsh ? '' : ' (not tried: no zsh)'}`,
    async () => {
      const config = file('colon.json', readFileSync(good, 'utf8').replace('"Contoso"', '"Contoso: Europe"'));
      // Keys are typed into a zsh with a terminal of its own. Ctrl-X prints the line as it has become.
      const typed = String.raw`
      zmodload zsh/zpty
      zpty z zsh -f -i
      zpty -w z "PS1=; unsetopt zle_bracketed_paste prompt_sp; autoload -Uz compinit; compinit -D -u"
      zpty -w z "show() { print -r -- \"<\$BUFFER>\"; BUFFER= }; zle -N show; bindkey '^X' show; bindkey '^I' complete-word"
      zpty -w z "eval \"\$(./secure-score completion)\"; print READY''NOW"
      zpty -r z out '*READYNOW*'
      for words in "$@"; do
        zpty -w -n z "./secure-score $words"$'\t\x18'
        zpty -r z out '*<./*>*'
        print -r -- "$out"
      done
      zpty -d z`;
      const { stdout } = await promisify(execFile)(
        'zsh',
        ['-f', '-c', typed, '-', 'his', 'history tr', 'run --te', `run --config ${config} --tenant C`],
        { cwd: ROOT, env: { ...process.env, SHELL: '/usr/bin/zsh' } },
      );
      expect([...stdout.matchAll(/<\.\/secure-score (.*)>/g)].map(([, line]) => line)).toEqual([
        'history ',
        'history trend ',
        'run --tenant ',
        String.raw`run --config ${config} --tenant Contoso:\ Europe `,
      ]);
    },
  );

  const fish = spawnSync('fish', ['--version']).error === undefined;
  it.each([
    ['his', 'history'],
    ['history tr', 'trend'],
    ['run --te', '--tenant'],
  ])(
    `completes "%s" in fish by the script that it prints${fish ? '' : ' (not tried: no fish)'}`,
    async (words, first) => {
      const run = promisify(execFile);
      const script = await completionOf('/usr/bin/fish');
      // The words with the program, and the one that is about to begin: as bash gives them.
      expect(script.stdout).toMatch(/ --get-yargs-completions \(commandline -opc\) \(commandline -ct\)\)'$/m);
      if (!fish) return;
      const asked = `eval $argv[1]; complete -C './secure-score ${words}'`;
      const { stdout } = await run('fish', ['-N', '-c', asked, script.stdout], { cwd: ROOT });
      expect(stdout.split(/[\t\n]/)[0]).toBe(first);
    },
  );

  it('explains the completion script in its help', async () => {
    const output = vi.spyOn(console, 'log').mockImplementation(() => {});
    expect(await main(['completion', '--help'])).toBe(0);
    expect(output.mock.calls.join('\n')).toMatch(
      /^\S+ completion\n\nPrint a completion script for bash, zsh or fish/,
    );
  });

  it('prints help, and a completion script', async () => {
    const output = vi.spyOn(console, 'log').mockImplementation(() => {});
    expect(await main(['run', '--help'])).toBe(0);
    expect(await main(['completion'])).toBe(0);
    const printed = output.mock.calls.join('\n');
    for (const flag of ['--config', '--tenant', '--archive', '--certificate', '--outbox', '--json']) {
      expect(printed).toContain(flag);
    }
    expect(printed).toContain('secure-score');
  });
});
