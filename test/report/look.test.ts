import { caniemail } from 'caniemail';
import { describe, expect, test } from 'vitest';
import { COLOURS, type ColourName } from '../../lambda/report/chart/palette.ts';
import { renderMail } from '../../lambda/report/render.ts';
import { readHtml } from './reading.ts';
import { reports } from './reports.ts';
import type { MailKind } from '../../lambda/ports.ts';
import type { Report } from '../../lambda/report/model.ts';

const MAILS = await Promise.all(
  Object.entries(reports).flatMap(([kind, sizes]) =>
    Object.entries<Report>(sizes).map(async ([size, report]) => ({
      name: `${kind}, ${size}`,
      html: (await renderMail(report, kind as MailKind)).html,
    })),
  ),
);

/** WCAG 2.2: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [darker, lighter] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (lighter! + 0.05) / (darker! + 0.05);
}

describe('colours', () => {
  const TEXT: ColourName[] = ['ink', 'soft', 'link', 'bad', 'good', 'bar'];
  const pairs = [0, 1].flatMap((theme) =>
    (['card', 'page'] as const).flatMap((ground) =>
      TEXT.map((name): [ColourName, string, string, string, string] => [
        name,
        ground,
        theme === 0 ? 'light' : 'dark',
        COLOURS[name][theme]!,
        COLOURS[ground][theme]!,
      ]),
    ),
  );

  test.each(pairs.filter(([name, ground]) => name !== 'bar' || ground === 'card'))(
    '%s on %s, %s: text that anybody can read',
    (_, __, ___, colour, ground) => {
      expect(contrast(colour, ground)).toBeGreaterThanOrEqual(4.5);
    },
  );

  test.each([0, 1])('the filled part of a bar stands out from the rest', (theme) => {
    expect(contrast(COLOURS.bar[theme]!, COLOURS.track[theme]!)).toBeGreaterThanOrEqual(3);
  });

  test('no mail has another colour, and each has its dark counterpart', () => {
    const named = new Map<string, ColourName>(
      (Object.keys(COLOURS) as ColourName[]).map((name) => [COLOURS[name][0], name]),
    );
    for (const { html } of MAILS) {
      const sheet = /<style>([^]*)<\/style>/.exec(html)![1]!;
      for (const { name, attributes } of readHtml(html).elements) {
        for (const [, property, colour] of (attributes.style ?? '').matchAll(
          /(?:^|;)([\w-]+):(?:1px solid )?(#\w+)/g,
        )) {
          const known = named.get(colour!);
          expect(known, `${colour} of ${name}`).toBeDefined();
          // An alternative text alone has its colour from its picture.
          if (name === 'img') continue;
          const classes = (attributes.class ?? '').split(' ');
          const wanted = property === 'background' && known === 'page' ? 'page' : known!;
          expect(classes, `${name} ${property}`).toContain(wanted);
          expect(sheet).toMatch(new RegExp(`\\.${wanted}\\{[^}]*${COLOURS[known!][1]}`));
        }
      }
    }
  });
});

/**
 * Of what the mail programs do not know, what they may do without: then words break elsewhere, lines under links are
 * thicker, colours stay light, a screen reader hears of a table for layout. What hides something hides it in several
 * ways, one for each program.
 */
const DISPENSABLE = new Set([
  '@media',
  '<body> element',
  '<style> element',
  'aria-hidden attribute',
  'color-scheme CSS property',
  'color-scheme meta tag',
  'display:none',
  'max-height property',
  'overflow',
  'overflow-wrap',
  'role attribute',
  'text-decoration-thickness',
  'text-underline-offset',
  'white-space',
  'word-break',
]);

test.each(MAILS.filter(({ name }) => !name.includes('monstrous')))(
  '$name needs nothing that Gmail, Outlook or Apple Mail does not know',
  ({ html }) => {
    const { issues } = caniemail({ clients: ['gmail.*', 'outlook.*', 'apple-mail.*'], html });
    const unknown = [...issues.errors.values()].flatMap((each) => each.map(({ title }) => title));
    expect(unknown.length).toBeGreaterThan(0);
    expect([...new Set(unknown)].filter((title) => !DISPENSABLE.has(title))).toEqual([]);
  },
);

test('hidden content is hidden in every way', () => {
  for (const { html } of MAILS) {
    const hidden = readHtml(html).elements.flatMap(({ attributes: { style = '' } }) =>
      style.includes('display:none') ? [style] : [],
    );
    expect(hidden.length).toBeGreaterThan(0);
    for (const style of hidden) {
      for (const way of ['max-height:0', 'overflow:hidden', 'mso-hide:all']) expect(style).toContain(way);
    }
  }
});

test('colour is never the only sign: what is good or bad has a sign or a mark', () => {
  const coloured = MAILS.flatMap(({ html }) => [
    ...html.matchAll(/class="(?:good|bad)"[^>]*>(?:<span aria-hidden="true">[^<]*<\/span>)?([^<]*)/g),
  ]);
  expect(coloured.length).toBeGreaterThan(20);
  for (const [, text] of coloured) expect(text).toMatch(/^\s*[−+]\d/);
});
