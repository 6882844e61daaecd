import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyCharacter } from '../any-character.ts';
import { contentHash } from '../../lambda/archive/content-hash.ts';

/** How every release has hashed: the library alone. */
const byLibrary = (content: unknown) =>
  createHash('sha256')
    .update(canonicalize(content) ?? 'null')
    .digest('hex');

const outcome = (hash: (content: unknown) => string, content: unknown): string => {
  try {
    return hash(content);
  } catch (error) {
    return String(error);
  }
};

const key = fc.oneof(
  fc.string({ unit: anyCharacter }),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
  fc.constantFrom(
    '__proto__',
    'toJSON',
    'constructor',
    '10',
    '9',
    '-1',
    '2026-11',
    '007',
    '1e3',
    '4294967294',
    '4294967295',
    '9007199254740991',
    '',
    'a',
    'é',
    '\u{1F600}',
    '\uFB33',
    '\\ud800',
  ),
);
const value = fc.oneof(
  fc.string({ unit: anyCharacter }),
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, 1e21, 1e-7, 5e-324, null, true, false, '\\ud800', '\ud800', '\u2028'),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    value,
    fc.array(tie('tree'), { maxLength: 5 }),
    fc.array(fc.tuple(key, tie('tree')), { maxLength: 6 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

test('the content hash of whatever JSON holds is that of the library for RFC 8785', () => {
  const parsed = tree.map((content): unknown => JSON.parse(JSON.stringify(content)));
  fc.assert(
    fc.property(parsed, (content) => {
      expect(outcome(contentHash, content)).toBe(outcome(byLibrary, content));
    }),
    { numRuns: 2000 },
  );
});

test('so is that of any other value, and what the library refuses is refused', () => {
  const anything = fc.anything({
    key,
    maxDepth: 4,
    values: [value, fc.constantFrom(undefined, Number.NaN, Number.POSITIVE_INFINITY, Symbol('a'), () => 1)],
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
  });
  fc.assert(
    fc.property(fc.oneof(anything, tree), (content) => {
      expect(outcome(contentHash, content)).toBe(outcome(byLibrary, content));
    }),
    { numRuns: 2000 },
  );
});

class Named {
  readonly b = 1;
  readonly a = 2;
  toJSON() {
    return { z: this.a, 1: this.b };
  }
}

const cycle: { b: unknown[]; a: number } = { b: [], a: 1 };
cycle.b.push(cycle, cycle, cycle);

test.each<[string, unknown]>([
  ['keys that look like an index', { b: 1, 10: 1, 9: 1 }],
  ['a key __proto__', JSON.parse('{"__proto__":{"b":1},"a":2}')],
  ['a key toJSON', { b: { toJSON: 1, a: 2 }, a: 1 }],
  ['a list with toJSON', Object.assign([1, 2], { toJSON: () => ({ b: 1, a: 2 }) })],
  ['a function with toJSON', { f: Object.assign(() => 1, { toJSON: () => 1 }), a: 1 }],
  ['a list of another class', { a: new (class extends Array<number> {})(3) }],
  ['an object of a class', [new Named()]],
  ['a time, and nothing', { at: new Date(0), a: [undefined], b: undefined }],
  ['a backslash before ud', { a: '\\ud800' }],
  ['deep nesting', JSON.parse(`${'[{"b":1,"a":'.repeat(100)}0${'}]'.repeat(100)}`)],
  ['nothing', undefined],
  ['a lone surrogate', { a: '\ud800' }],
  ['a key that is a lone surrogate', { '\ud800': 1 }],
  ['what is no number', { a: Number.NaN }],
  ['a cycle', cycle],
])('the same for %s', (_, content) => {
  expect(outcome(contentHash, content)).toBe(outcome(byLibrary, content));
});

test('refuses what is no JSON', () => {
  expect(() => contentHash({ a: '\ud800' })).toThrow('Lone surrogate is not allowed');
  expect(() => contentHash(cycle)).toThrow('Circular reference detected');
});
