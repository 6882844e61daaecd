import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonical, canonicalProfiles, contentHash } from '../../lambda/archive/content-hash.ts';
import { packed, unpacked } from '../../lambda/archive/envelope.ts';
import { provenProfiles, provenSnapshot } from '../../lambda/archive/proof.ts';
import { sha256 } from '../../lambda/archive/ledger.ts';
import { entry, TENANT_ID } from '../run/fakes.ts';

const DATE = '2026-03-01';
const FACTS = { fetchedAt: '2026-03-01T07:00:00.000Z', newest: true };
const HEAD = '{"fetchedAt":"2026-03-01T07:00:00.000Z","newest":true,"secureScore":';

const dayWith = (points: number) => entry(DATE, { controls: { a: points } }, true);
const jsonOf = (content: unknown) => canonical(content).bytes.toString();

/** Reads a text as a snapshot with this hash in its name. */
const read = (text: string | Uint8Array, hash: string) =>
  provenSnapshot(gzipSync(text), { tenantId: TENANT_ID, date: DATE, hash }).secureScore;

describe('a snapshot', () => {
  test('as it is archived is proven by its bytes alone, whatever is in it', () => {
    // Every character, but no half of one, which has no canonical form.
    const more = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }));
    fc.assert(
      fc.property(more, (unknownKeys) => {
        const secureScore = { ...unknownKeys, ...dayWith(8) };
        const content = canonical(secureScore);
        const bytes = packed(FACTS, 'secureScore', content);
        const found = provenSnapshot(bytes, { tenantId: TENANT_ID, date: DATE, hash: content.hash });
        expect(found).toMatchObject(FACTS);
        expect(found.secureScore).toEqual(JSON.parse(JSON.stringify(secureScore)));
        expect(unpacked(bytes, 'secureScore', content.hash).isProven).toBe(true);
      }),
    );
  });

  const secureScore = dayWith(8);
  const hash = contentHash(secureScore);
  const json = jsonOf(secureScore);

  test.each([
    ['in the order of keys of 0.1.0', JSON.stringify({ ...FACTS, secureScore })],
    ['with white space in it', `${HEAD}${json.replace(/\{/g, '{ ')}}`],
    ['with white space around it', `${HEAD}${json}}\n`],
    ['with white space before it', ` ${HEAD}${json}}`],
    ['before the facts', `{"secureScore":${json},"fetchedAt":"${FACTS.fetchedAt}","newest":true}`],
    ['beside another key', `${HEAD.replace('{', '{"more":1,')}${json}}`],
    ['after another one of that name', `${HEAD}${jsonOf(dayWith(1))},"secureScore":${json}}`],
    ['with escapes in the facts', `${HEAD.replace('07:00', String.raw`07:0\u0030`)}${json}}`],
  ])('in another form (%s) is proven by its content', (_, form) => {
    expect(read(form, hash)).toEqual(secureScore);
    expect(unpacked(gzipSync(form), 'secureScore', hash).isProven).toBe(false);
  });

  test.each<[string, string, string?]>([
    ['before another one of that name', `${HEAD}${json},"secureScore":${jsonOf(dayWith(1))}}`],
    ['of other points', `${HEAD}${jsonOf(dayWith(1))}}`],
    ['cut off', `${HEAD}${json.slice(0, -1)}}`],
    ['with more after it', `${HEAD}${json}}}`],
    ['with a fault in the facts', `${HEAD.replace('07:00', '07:\n00')}${json}}`],
    // Named by what stands between the head and the end: only the hash of the content that is read counts.
    ['and one more of that name', `${HEAD}${json},"secureScore":${jsonOf(dayWith(1))}}`, 'these bytes'],
    ['that is no JSON', `${HEAD}${json.slice(0, -1)}}`, 'these bytes'],
  ])('%s is not', (_, form, name) => {
    const hashInName = name ? sha256(Buffer.from(form.slice(HEAD.length, -1))) : hash;
    expect(() => read(form, hashInName)).toThrow(/does not match the hash|not gzipped JSON/);
  });
});

describe('a catalogue', () => {
  const profiles = [
    { id: 'b', maxScore: 10, title: 'ő' },
    { maxScore: 5, id: 'a' },
  ];
  const content = canonicalProfiles(profiles);

  test.each([[{ fetchedAt: FACTS.fetchedAt }], [{ fetchedAt: FACTS.fetchedAt, knownUntil: '2026-02-27' }]])(
    'as it is archived is proven by its bytes alone: %j',
    (facts) => {
      const bytes = packed(facts, 'profiles', content);
      const found = provenProfiles(bytes, content.hash);
      expect({ ...found, profiles: found.profiles() }).toEqual({ ...facts, profiles: profiles.toReversed() });
      expect(unpacked(bytes, 'profiles', content.hash).isProven).toBe(true);
    },
  );

  test('in the order in which Graph paged it is proven by its content', () => {
    const bytes = gzipSync(JSON.stringify({ fetchedAt: FACTS.fetchedAt, profiles }));
    expect(provenProfiles(bytes, content.hash).profiles()).toEqual(profiles);
    expect(unpacked(bytes, 'profiles', content.hash).isProven).toBe(false);
  });

  test.each([
    ['no list', '{}', 'it is not { fetchedAt, profiles }'],
    ['no JSON', '[', 'it is not gzipped JSON'],
  ])('that is %s, under the hash of its bytes, is none', (_, form, why) => {
    const bytes = gzipSync(`{"fetchedAt":"${FACTS.fetchedAt}","profiles":${form}}`);
    const found = provenProfiles(bytes, sha256(Buffer.from(form)));
    expect(found.fetchedAt).toBe(FACTS.fetchedAt);
    expect(() => found.profiles()).toThrow(why);
  });
});
