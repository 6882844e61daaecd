import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const DOCUMENTS = ['docs/architecture.md', 'CONTRIBUTING.md'];

/** A path of the tree in backticks: `lambda/run/fetch.ts`, `history/`. */
const PATH = /`((?:bin|cli|docs|history|lambda|lib|pack|simulator|test|bench|\.ci|\.github)\/[\w./-]*)`/g;

test.each(DOCUMENTS)('every path that %s names exists', (name) => {
  const paths = [...readFileSync(join(ROOT, name), 'utf8').matchAll(PATH)].map(([, path]) => path!);
  expect(paths.length).toBeGreaterThan(0);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('a stranger gets an answer to each question, and it is a path', () => {
  const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  const answers = [...text.matchAll(/^\|\s*(.+\?)\s*\|\s*(.+?)\s*\|$/gm)];
  expect(answers.length).toBeGreaterThanOrEqual(10);
  for (const [, question, answer] of answers) {
    expect(`${question} ${answer}`).toMatch(/`[\w./-]+\.ts`/);
  }
});

test('no script of package.json needs a Unix shell', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  // cmd.exe knows && and double quotes, but no single quotes, variables like $X, assignments or Unix commands.
  const foreign = Object.values(scripts)
    .flatMap((script) => script.split(' && '))
    .filter((command) => {
      const [program = ''] = command.split(' ');
      const isOurs =
        ['npm', 'node'].includes(program) || existsSync(join(ROOT, 'node_modules/.bin', program));
      return !isOurs || !/^[\w ./:@"-]+$/.test(command);
    });
  expect(Object.keys(scripts).length).toBeGreaterThan(10);
  expect(foreign).toEqual([]);
});
