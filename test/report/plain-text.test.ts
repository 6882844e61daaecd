import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { line, plainText, prose, safeLink } from '../../lambda/report/plain-text.ts';

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

  test('holds its bounds for any text, and leaves nothing that acts', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
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

  test('takes no time over a flood', () => {
    const started = performance.now();
    for (const flood of ['<b>', '<ul><li>', '</i>', '<p', '&amp', '<!--', '\u202E', ' ']) {
      plainText(flood.repeat(1_000_000), 100);
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('line', () => {
  test('makes one line of anything', () => {
    expect(line('Subject\r\nBcc: x@example.com\u2028\u202Eabc\t!', 100)).toBe(
      'Subject Bcc: x@example.com abc !',
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 50 }), (text, maximum) => {
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
