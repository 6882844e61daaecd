import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyCharacter } from '../any-character.ts';
import { linkedText, plainText } from '../../lambda/report/from-html.ts';
import { line, partsOf, prose, safeLink } from '../../lambda/report/plain-text.ts';

const ACTING = /[\p{Cc}\p{Cf}\p{Cs}]/u;

describe('plainText', () => {
  test.each<[what: string, html: string | null, expected: string | null]>([
    ['nothing', null, null],
    ['an empty text', '', null],
    ['markup without text', '<p> </p><br/>&nbsp;<ul><li></li></ul>', null],
    ['plain text', 'Feature in place: false.', 'Feature in place: false.'],
    ['white space', '\n\t\t\tIdle  session\r\n   sign-out\t', 'Idle session sign-out'],
    ['paragraphs and breaks', '<p>One</p> <p>Two<br />Three</p>', 'One\nTwo\nThree'],
    ['inline markup', 'In <strong>Entra</strong>, <em>Select </em>&nbsp;<u>Yes</u>', 'In Entra, Select Yes'],
    ['entities', 'Users &gt; Groups &amp; roles &#39;x&#x27; &hellip;', "Users > Groups & roles 'x' …"],
    ['typographic apostrophes', 'users that aren’t registered', 'users that aren’t registered'],
    ['bullets', '<ul> <li>Apps</li> <li><p>Data</p></li> </ul>', '• Apps\n• Data'],
    ['numbers', '<ol start=3><li>Go<li>Stop</ol>', '3. Go\n4. Stop'],
    ['lists in lists', '<ol><li>One<ul><li>a</li></ul></li><li>Two</li></ol>', '1. One\n• a\n2. Two'],
    ['unquoted links', 'See <a href=https://x.example/ target=_blank>the docs</a>.', 'See the docs.'],
    ['scripts and styles', 'a<script>alert("<p>x")</script><style>p{}</style>b', 'ab'],
    ['a script that never ends', 'a<script>alert(1)', 'a'],
    ['comments and svg', 'a<!-- b --><svg><text>c</text></svg>d', 'ad'],
    ['a bare less-than', 'fewer than < 5 users', 'fewer than < 5 users'],
    ['escaped markup', '&lt;script&gt;x&lt;/script&gt;', '<script>x</script>'],
    ['marks that act', 'a\u202Eb\u200Bc\u0007d\u2066e&#x202e;&rlm;f\u00ADg', 'abcdefg'],
    ['half a surrogate pair', 'a\uD83Db', 'ab'],
  ])('reads %s', (_, html, expected) => {
    expect(plainText(html, 1000)).toBe(expected);
  });

  test('cuts at the end of a word, and says so', () => {
    expect(plainText('<p>Block legacy authentication</p>', 20)).toBe('Block legacy…');
    expect(plainText('x'.repeat(100), 10)).toBe(`${'x'.repeat(9)}…`);
    expect(plainText('😀'.repeat(100), 10)).toBe(`${'😀'.repeat(4)}…`);
    expect(plainText('Block legacy', 12)).toBe('Block legacy');
  });

  test('keeps its bounds for any text, and leaves nothing that acts', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: anyCharacter, maxLength: 400 }),
        fc.integer({ min: 1, max: 100 }),
        (html, maximum) => {
          const text = plainText(html, maximum);
          expect(text).not.toBe('');
          expect((text ?? '').length).toBeLessThanOrEqual(maximum);
          expect((text ?? '').replaceAll('\n', '')).not.toMatch(ACTING);
        },
      ),
    );
  });

  test('takes no time for a flood of characters', () => {
    const started = performance.now();
    for (const flood of ['<b>', '<ul><li>', '</i>', '<p', '&amp', '<!--', '\u202E', ' ']) {
      plainText(flood.repeat(1_000_000), 100);
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('links in a text', () => {
  const parts = (html: string, maximum = 1000): (string | [text: string, url: string])[] => {
    const { text = '', links = [] } = linkedText(html, maximum) ?? {};
    return partsOf(text, links).map((part) => (part.url === null ? part.text : [part.text, part.url]));
  };

  test.each<[what: string, html: string, expected: ReturnType<typeof parts>]>([
    [
      'one',
      'See <a href=https://x.example target=_blank>the docs</a>.',
      ['See ', ['the docs', 'https://x.example/'], '.'],
    ],
    [
      'an address',
      'At <a href="https://x.example/a">https://x.example/a</a>',
      ['At ', ['https://x.example/a', 'https://x.example/a']],
    ],
    [
      'blanks inside',
      'See<a href="https://x.example"> the  docs </a>now',
      ['See ', ['the docs', 'https://x.example/'], ' now'],
    ],
    [
      'markup inside',
      '<a href="https://x.example"><b>the</b> <em>docs</em></a>',
      [['the docs', 'https://x.example/']],
    ],
    [
      'in an item',
      '<ol><li><p><a href="https://x.example">Go</a></p></li></ol>',
      ['1. ', ['Go', 'https://x.example/']],
    ],
    [
      'lines inside',
      '<a href="https://x.example">one<br>two</a>',
      [['one', 'https://x.example/'], '\n', ['two', 'https://x.example/']],
    ],
    ['http', '<a href="http://x.example">docs</a>', ['docs']],
    ['a script', '<a href="javascript:alert(1)">docs</a>', ['docs']],
    ['credentials', '<a href="https://a:b@x.example">docs</a>', ['docs']],
    ['no text', '<a href="https://x.example"> </a>docs', ['docs']],
    ['no end', '<a href="https://x.example">docs', [['docs', 'https://x.example/']]],
    [
      'one in another',
      '<a href="https://x.example">a<a href="http://y.example">b</a>c</a>',
      [['a', 'https://x.example/'], 'bc'],
    ],
    [
      'the address of another host',
      '<a href="https://evil.example">https://entra.microsoft.com</a>',
      ['https://entra.microsoft.com'],
    ],
    [
      'marks of our own',
      'a\uE000b\uE001 <a href="https://x.example">c\uE000d</a>',
      ['ab ', ['cd', 'https://x.example/']],
    ],
  ])('%s', (_, html, expected) => {
    expect(parts(html)).toEqual(expected);
  });

  test('are dropped where they are cut', () => {
    const html = 'See <a href="https://x.example">this</a> and <a href="https://y.example">that page</a>';
    expect(parts(html, 18)).toEqual(['See ', ['this', 'https://x.example/'], ' and that…']);
  });

  const piece = fc.oneof(
    // Without characters that begin or end markup: half a tag would swallow a link, or what stands in its place.
    fc.string({ unit: anyCharacter, maxLength: 20 }).map((text) => text.replaceAll(/[<>&'"]/g, '')),
    fc.constantFrom(
      '<a href="https://x.example/">',
      '<a href=http://y.example>',
      '<a href="javascript:x">',
      '</a>',
    ),
    fc.constantFrom(
      '<li>',
      '<ul>',
      '<ol>',
      '</ul>',
      '<br>',
      '<p>',
      '</p>',
      '<script>',
      ' ',
      '\n',
      '\uE000',
      '\uE001',
    ),
    fc.webUrl().map((url) => `<a href='${url.replaceAll("'", '%27')}'>`),
  );

  test('change no text, are only https, in order, and have text', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.integer({ min: 1, max: 200 }), (pieces, maximum) => {
        const html = pieces.join('');
        const { text = '', links = [] } = linkedText(html, maximum) ?? {};
        // Another tag in its place: it closes whatever was left open within it just the same.
        const unlinked = html
          .replace(/[\uE000\uE001]/g, '')
          .replaceAll(/<a href=[^>]*>/g, '<b>')
          .replaceAll('</a>', '</b>');
        // HTML has no links within links: a parser may close the outer one, and what is open in it.
        const isNested = /<a [^>]*>(?:(?!<\/a>)[\s\S])*<a /.test(html);
        expect(text).toBe(isNested ? text : (plainText(unlinked, maximum) ?? ''));
        expect(text).not.toMatch(/[\uE000\uE001]/);
        let end = 0;
        for (const link of links) {
          expect(link.start).toBeGreaterThanOrEqual(end);
          expect(text.slice(link.start, link.end)).toMatch(/^\S(.*\S)?$/);
          expect(link.url).toMatch(/^https:\/\//);
          end = link.end;
        }
        expect(
          partsOf(text, links)
            .map((part) => part.text)
            .join(''),
        ).toBe(text);
      }),
    );
  });

  test('of any report, as old or damaged as it may be, show the text and nothing unsafe', () => {
    const link = fc.record({
      start: fc.oneof(fc.integer({ min: -3, max: 30 }), fc.double()),
      end: fc.oneof(fc.integer({ min: -3, max: 30 }), fc.double()),
      url: fc.oneof(fc.webUrl(), fc.constantFrom('javascript:x', 'http://x.example/', 'https://x.example/')),
    });
    fc.assert(
      fc.property(
        fc.string({ maxLength: 30 }),
        fc.option(fc.array(link), { nil: undefined }),
        (text, links) => {
          const found = partsOf(text, links);
          expect(found.map((part) => part.text).join('')).toBe(text);
          for (const part of found) {
            expect(part.url === null || safeLink(part.url) === part.url).toBe(true);
            expect(part.text.isWellFormed()).toBe(true);
          }
        },
      ),
    );
  });
});

describe('line', () => {
  test('makes one line of anything', () => {
    expect(line('Subject\r\nBcc: x@example.com\u2028\u202Eabc\t!', 100)).toBe(
      'Subject Bcc: x@example.com abc !',
    );
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), fc.integer({ min: 1, max: 50 }), (text, maximum) => {
        const result = line(text, maximum);
        expect(result.length).toBeLessThanOrEqual(maximum);
        expect(result).not.toMatch(ACTING);
        expect(result).not.toMatch(/[\u2028\u2029]/);
        expect(result).toBe(result.trim());
      }),
    );
  });
});

test('prose keeps lines, and drops the empty ones', () => {
  expect(prose(' a  b \r\n\r\n\n • \n c\u2029d', 100)).toBe('a b\nc\nd');
});

describe('safeLink', () => {
  test.each<[url: string | null, expected: string | null]>([
    [' https://security.microsoft.com/a?tid=1', 'https://security.microsoft.com/a?tid=1'],
    ['HTTPS://Security.Microsoft.com', 'https://security.microsoft.com/'],
    ['https://aad.portal.azure.com/#view/X/~/Y', 'https://aad.portal.azure.com/#view/X/~/Y'],
    ['https://x.example/a b"c<d>\u202E', 'https://x.example/a%20b%22c%3Cd%3E%E2%80%AE'],
    ['https://münchen.example/', 'https://xn--mnchen-3ya.example/'],
    ['http://x.example/', null],
    ['javascript:alert(1)', null],
    [' java\nscript:alert(1)', null],
    ['data:text/html,x', null],
    ['https://user@x.example/', null],
    ['https://security.microsoft.com:pw@evil.example/', null],
    ['/relative', null],
    ['', null],
    [null, null],
    [`https://x.example/${'x'.repeat(4000)}`, null],
  ])('%s', (url, expected) => {
    expect(safeLink(url)).toBe(expected);
  });
});
