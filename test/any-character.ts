import * as fc from 'fast-check';

/** As many code points as there are halves of pairs, which stand for nothing alone. */
const HALVES = { first: 0xd800, count: 0x800 };

/**
 * Any character, as the unit 'binary' of fast-check draws them. That unit makes a table of all characters when it is first
 * used, which takes a second of each process.
 */
export const anyCharacter = fc.integer({ min: 0, max: 0x10ffff - HALVES.count }).map(
  (index) => String.fromCodePoint(index < HALVES.first ? index : index + HALVES.count),
  (character) => {
    const code = typeof character === 'string' ? character.codePointAt(0) : undefined;
    if (code === undefined || String.fromCodePoint(code) !== character)
      throw new TypeError('not one character');
    return code < HALVES.first ? code : code - HALVES.count;
  },
);
