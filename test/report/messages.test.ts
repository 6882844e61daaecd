import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ACTING } from '../../lambda/characters.ts';
import { drawBlocks, type SlackMessage } from '../../lambda/report/blocks.ts';
import { drawCard, type AdaptiveCard } from '../../lambda/report/card.ts';
import { documentOf as makeDocument } from '../../lambda/report/document-of.ts';
import { portalOf } from '../../lambda/report/portal.ts';
import { partsOf, safeLink } from '../../lambda/report/plain-text.ts';
import { drawText } from '../../lambda/report/text.ts';
import { HOSTILE, hostileReport, hostileText, oneDay } from './hostile.ts';
import { changeOf, dayOf, reportOf, reports, scoreLine, trendDay } from './reports.ts';
import type { MailKind } from '../../lambda/ports.ts';
import type { AnyReport, DigestReport } from '../../lambda/report/digest-model.ts';
import { digests } from './digests.ts';
import type { Report, ReportKind } from '../../lambda/report/model.ts';

/** The card of Teams and the message of Slack. */

const PORTAL = 'https://security.microsoft.com/securescore?tid=3f1b2c4d-0000-4000-8000-00000000c0de';
const KINDS: ReportKind[] = ['scores', 'controls', 'start', 'operations'];
const DIGESTS = Object.entries<DigestReport>(digests).map(([size, digest]): [string, MailKind, AnyReport] => [
  `digest, ${size}`,
  'digest',
  digest,
]);
const ALL = KINDS.flatMap((kind) =>
  Object.entries<Report>(reports[kind]).map(([size, report]): [string, MailKind, AnyReport] => [
    `${kind}, ${size}`,
    kind,
    report,
  ]),
);

// Microsoft's own reader of cards; what a bundler makes of it runs in Node as well.
interface Reader {
  AdaptiveCard: new () => {
    parse(card: unknown, context: unknown): void;
    validateProperties(): { validationEvents: { message: string }[] };
  };
  SerializationContext: new (version: unknown) => {
    eventCount: number;
    getEventAt(index: number): { message: string };
  };
  Versions: { v1_5: unknown };
}
const require = createRequire(import.meta.url);
const reader = require('adaptivecards/dist/adaptivecards.js') as Reader;

/** What Microsoft's reader says against it: unknown elements, wrong values, what is missing or younger than 1.5. */
function complaintsOf(card: unknown): string[] {
  const drawn = new reader.AdaptiveCard();
  const context = new reader.SerializationContext(reader.Versions.v1_5);
  drawn.parse(card, context);
  return [
    ...Array.from({ length: context.eventCount }, (_, index) => context.getEventAt(index).message),
    ...drawn.validateProperties().validationEvents.map(({ message }) => message),
  ];
}

const https = z
  .string()
  .regex(/^https:\/\/[!-~]+$/)
  .max(3000);

const openUrl = z.strictObject({
  type: z.literal('Action.OpenUrl'),
  title: z.string().optional(),
  url: https,
});
const placing = {
  spacing: z.enum(['None', 'Small', 'Medium', 'Large']).optional(),
  separator: z.literal(true).optional(),
};
const richText = z.strictObject({
  type: z.literal('RichTextBlock'),
  inlines: z.array(
    z.strictObject({
      type: z.literal('TextRun'),
      text: z.string().min(1),
      size: z.enum(['Small', 'Medium', 'Large', 'ExtraLarge']).optional(),
      weight: z.literal('Bolder').optional(),
      color: z.enum(['Attention', 'Good', 'Accent']).optional(),
      isSubtle: z.literal(true).optional(),
      selectAction: openUrl.optional(),
    }),
  ),
  ...placing,
});
const element = z.union([
  richText,
  z.strictObject({
    type: z.literal('Container'),
    items: z.array(richText).min(1),
    style: z.literal('attention').optional(),
    bleed: z.literal(true).optional(),
    ...placing,
  }),
  z.strictObject({
    type: z.literal('Table'),
    columns: z.array(
      z.strictObject({ width: z.number(), horizontalCellContentAlignment: z.enum(['Left', 'Right']) }),
    ),
    rows: z.array(
      z.strictObject({
        type: z.literal('TableRow'),
        cells: z.array(z.strictObject({ type: z.literal('TableCell'), items: z.array(richText) })),
      }),
    ),
    firstRowAsHeader: z.literal(true),
    showGridLines: z.literal(false),
    ...placing,
  }),
]);
/** Of https://adaptivecards.io/explorer what we use, and nothing else. */
const cardSchema = z.strictObject({
  type: z.literal('AdaptiveCard'),
  $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
  version: z.literal('1.5'),
  msteams: z.strictObject({ width: z.literal('Full') }),
  fallbackText: z.string().min(1).max(400),
  body: z.array(element),
  actions: z.array(openUrl).length(1),
});

const plainText = (longest: number) =>
  z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().min(1).max(longest),
    emoji: z.literal(false),
  });
const style = z.strictObject({ bold: z.literal(true) }).optional();
const section = z.strictObject({
  type: z.literal('rich_text_section'),
  elements: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('text'), text: z.string().min(1), style }),
        z.strictObject({ type: z.literal('link'), url: https, text: z.string().min(1), style }),
        z.strictObject({ type: z.literal('emoji'), name: z.literal('rotating_light') }),
      ]),
    )
    .min(1),
});
/** Of https://docs.slack.dev/reference/block-kit what we use, and nothing else, with the limits that stand there. */
const messageSchema = z.strictObject({
  text: z
    .string()
    .min(1)
    .max(3000)
    .regex(/^(?:[^&<>]|&amp;|&lt;|&gt;)*$/),
  blocks: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('header'), text: plainText(150) }),
        z.strictObject({ type: z.literal('context'), elements: z.array(plainText(3000)).min(1).max(10) }),
        z.strictObject({ type: z.literal('divider') }),
        z.strictObject({
          type: z.literal('rich_text'),
          elements: z
            .array(
              z.discriminatedUnion('type', [
                section,
                z.strictObject({
                  type: z.literal('rich_text_list'),
                  style: z.literal('bullet'),
                  elements: z.array(section).min(1),
                }),
              ]),
            )
            .min(1),
        }),
      ]),
    )
    .max(50),
});

/** All texts that people see, in order. */
function textsOf(face: unknown): string[] {
  if (Array.isArray(face)) return face.flatMap(textsOf);
  if (typeof face !== 'object' || face === null) return [];
  return Object.entries(face).flatMap(([name, value]) => {
    if (typeof value !== 'string') return textsOf(value);
    return ['text', 'fallbackText'].includes(name) ? [value] : [];
  });
}

function urlsOf(face: unknown): string[] {
  return [...JSON.stringify(face).matchAll(/"url":"(.*?)"/g)].map(([, url = '']) => url);
}

function harmsOf(card: AdaptiveCard, message: SlackMessage, links: string[]): string[] {
  const envelope = {
    type: 'message',
    attachments: [
      { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card },
    ],
  };
  const size = Buffer.byteLength(JSON.stringify(envelope));
  const perBlock = message.blocks.map((block) => textsOf(block).join('').length);
  const all = JSON.stringify(message).length;
  const texts = [...textsOf(card), ...textsOf(message)];
  return [
    ...(cardSchema.safeParse(card).error?.issues ?? []).map((issue) => `card: ${JSON.stringify(issue)}`),
    ...complaintsOf(card).map((each) => `reader: ${each}`),
    ...(messageSchema.safeParse(message).error?.issues ?? []).map(
      (issue) => `blocks: ${JSON.stringify(issue)}`,
    ),
    ...(size < 21_000 ? [] : [`a card of ${size} bytes`]),
    ...perBlock.filter((length) => length > 3000).map((length) => `a block of ${length} characters`),
    ...(all <= 13_000 ? [] : [`a message of ${all} characters`]),
    ...texts.filter((text) => text.replaceAll('\n', '').match(ACTING)).map((text) => `acting: ${text}`),
    ...textsOf(card).filter((text) => text.includes('{{')),
    ...[...urlsOf(card), ...urlsOf(message)]
      .filter((url) => url !== PORTAL && !(links.includes(url) && safeLink(url) === url))
      .map((url) => `link ${url}`),
  ];
}

/** Made once for each report and kind: the largest take as long as everything that is drawn from them. */
const documents = new WeakMap<AnyReport, Map<MailKind, ReturnType<typeof makeDocument>>>();
function documentOf(report: AnyReport, kind: MailKind): ReturnType<typeof makeDocument> {
  const made = documents.get(report) ?? new Map<MailKind, ReturnType<typeof makeDocument>>();
  documents.set(report, made);
  const document = made.get(kind) ?? makeDocument(report, kind);
  made.set(kind, document);
  return document;
}

function linksOf(report: AnyReport, kind: MailKind): string[] {
  return documentOf(report, kind).blocks.flatMap((block) =>
    block.type === 'entries'
      ? block.entries.flatMap(({ link, details }) => [
          ...(link === null ? [] : [link]),
          ...details.flatMap(({ text, links }) => partsOf(text, links).flatMap(({ url }) => url ?? [])),
        ])
      : [],
  );
}

function facesOf(report: AnyReport, kind: MailKind): { card: AdaptiveCard; message: SlackMessage } {
  const document = documentOf(report, kind);
  return { card: drawCard(document, { portal: PORTAL }), message: drawBlocks(document, { portal: PORTAL }) };
}

function allHarms(report: AnyReport, kind: MailKind): string[] {
  const { card, message } = facesOf(report, kind);
  return harmsOf(card, message, linksOf(report, kind));
}

const NUMBER = /[+−±]?\d+(?:\.\d+)?/g;

/** Numbers of a face that the mail does not print. What is left out is counted, which no mail does. */
function ownNumbers(face: unknown, report: AnyReport, kind: MailKind): string[] {
  const printed = new Set(drawText(documentOf(report, kind)).match(NUMBER));
  const { line } = documentOf(report, kind).blocks.find((block) => block.type === 'chart') ?? {};
  for (const number of `${line?.from} ${line?.to}`.match(NUMBER) ?? []) printed.add(number);
  return (
    textsOf(face)
      .map((text) => text.replace(/… and \d+ more/g, '').replace(/All changes: .*/, ''))
      // Where a text is cut, a number may be.
      .map((text) => text.replace(/\S+…/g, ''))
      .flatMap((text) => text.match(NUMBER) ?? [])
      .filter((number) => !printed.has(number))
  );
}

describe.each([...ALL, ...DIGESTS])('%s', (_, kind, report) => {
  test('is within all limits, and contains nothing foreign', () => {
    expect(allHarms(report, kind)).toEqual([]);
  });

  test('has the same numbers as the mail', () => {
    const { card, message } = facesOf(report, kind);
    expect(ownNumbers(card, report, kind)).toEqual([]);
    expect(ownNumbers(message, report, kind)).toEqual([]);
  });

  test('has the number, the change and the sentence of the mail', () => {
    const { blocks, urgent = [] } = documentOf(report, kind);
    const { card, message } = facesOf(report, kind);
    const facts = [
      ...urgent,
      ...blocks.flatMap((block) => {
        if (block.type === 'score') return [block.value, ...(block.change ? [block.change.text] : [])];
        if (block.type === 'sum') return [block.sentence, ...block.lines.map(({ amount }) => amount)];
        return block.type === 'chart' ? [block.line.bars] : [];
      }),
    ];
    for (const face of [card, message]) {
      const text = textsOf(face).join(' ');
      for (const fact of facts) expect(text).toContain(fact);
    }
  });

  test('gives each column of a table the room of its longest word', () => {
    const { card } = facesOf(report, kind);
    for (const each of card.body) {
      const { columns, rows } = 'columns' in each ? each : { columns: [], rows: [] };
      for (const [index, { width }] of columns.entries()) {
        const words = rows.flatMap(({ cells }) =>
          textsOf(cells[index]!.items)
            .join(' ')
            .split(/[ \n]+/),
        );
        const longest = Math.max(...words.map(({ length }) => length));
        expect(width).toBeGreaterThanOrEqual(Math.min(16, longest));
        // A heading is bold: where the font is wide, a longer word is broken on a phone.
        const heading = textsOf(rows[0]!.cells[index]!.items).join(' ');
        expect(heading).not.toMatch(/\S{11}/);
      }
    }
  });

  test('is the same each time', () => {
    expect(facesOf(report, kind)).toEqual(facesOf(report, kind));
  });
});

test('what the reader of cards complains about', () => {
  const card = facesOf(reports.scores.typical, 'scores').card;
  expect(complaintsOf({ ...card, body: [{ type: 'Nope' }] })).toHaveLength(1);
  expect(complaintsOf({ ...card, actions: [{ type: 'Action.OpenUrl', title: 'x' }] })).toHaveLength(1);
});

describe('urgent ones stand out', () => {
  test('on a background of their own on top of a card, and with a light in a message', () => {
    const { card, message } = facesOf(reports.scores.urgent, 'scores');
    expect(card.body[0]).toMatchObject({ type: 'Container', style: 'attention', bleed: true });
    expect(card.fallbackText).toMatch(/^Urgent: Contoso: /);
    expect(message.text).toMatch(/^Urgent: Contoso: 62\.2 %, −1\.0 percentage points since 8 Jan 2026\. /);
    expect(JSON.stringify(message.blocks[1])).toContain('rotating_light');
  });

  test('and others do not', () => {
    const { card, message } = facesOf(reports.scores.typical, 'scores');
    expect(JSON.stringify([card, message])).not.toMatch(/urgent|attention"|rotating_light/);
  });
});

describe('the line of the last days', () => {
  const lineOf = (percentages: [date: string, percentage: number][]) => {
    const trend = percentages.map(([date, percentage]) => trendDay(scoreLine(date, percentage, 100)));
    const chart = documentOf(reportOf({ trend }), 'scores').blocks.find((block) => block.type === 'chart');
    return chart && 'line' in chart ? chart.line : undefined;
  };
  const march = (day: number): string => `2026-03-${String(day).padStart(2, '0')}`;

  test('has a character per day if there are few, and a space for a missing one', () => {
    expect(
      lineOf([
        [march(1), 50],
        [march(2), 60],
        [march(4), 50],
      ]),
    ).toEqual({
      bars: '▁█\u2007▁',
      from: '1 Mar',
      to: '4 Mar',
    });
  });

  test('has one for two days if there are more: the later of them, up to today', () => {
    const days = Array.from({ length: 31 }, (_, index): [string, number] => [
      march(index + 1),
      index < 29 ? 50 : 60,
    ]);
    expect(lineOf(days)).toEqual({ bars: `${'▁'.repeat(14)}█`, from: '2 Mar', to: '31 Mar' });
    expect(lineOf(days.slice(0, 30))?.bars).toBe(`${'▁'.repeat(14)}█`);
  });

  test('does not make a fall of a wobble', () => {
    expect(
      lineOf([
        [march(1), 50.1],
        [march(2), 50],
      ])?.bars,
    ).toMatch(/^[▄▅]{2}$/);
  });

  test('is absent if there is nothing to draw', () => {
    expect(lineOf([[march(1), 50]])).toBeUndefined();
  });
});

describe('links in advice', () => {
  const advice = (length: number): Report =>
    oneDay([
      changeOf('lost', {
        remediation: `Open the portal.\n${'x '.repeat(length)}Then the docs.`,
        remediationLinks: [
          { start: 9, end: 15, url: 'https://portal.example/' },
          { start: 26 + 2 * length, end: 30 + 2 * length, url: 'https://docs.example/' },
        ],
      }),
    ]);

  test('keep their targets, in cards and blocks', () => {
    const { card, message } = facesOf(advice(2), 'scores');
    expect(JSON.stringify(card)).toContain(
      '"text":"portal","size":"Small","selectAction":{"type":"Action.OpenUrl","url":"https://portal.example/"}',
    );
    expect(JSON.stringify(message)).toContain('{"type":"link","url":"https://docs.example/","text":"docs"}');
  });

  test('are dropped with the text that is cut', () => {
    for (const face of Object.values(facesOf(advice(400), 'scores'))) {
      expect(urlsOf(face)).toContain('https://portal.example/');
      expect(urlsOf(face)).not.toContain('https://docs.example/');
    }
  });
});

describe('what does not fit', () => {
  const many = (number: number): Report =>
    oneDay(
      Array.from({ length: number }, (_, index) =>
        changeOf(index % 2 ? 'gained' : 'lost', {
          control: `c${index}`,
          title: `Control ${index}`,
          percentagePoints: index % 2 ? 3 : -1 - index / 1000,
          remediation: `Advice ${index}`,
        }),
      ),
    );

  test('is counted, and what was lost most comes first', () => {
    const { card, message } = facesOf(many(60), 'scores');
    for (const face of [card, message]) {
      const text = textsOf(face).join('\n');
      // All 30 losses stand before the gains: of those none has room.
      expect(text).toContain('Advice 58');
      expect(text).not.toContain('Control 1\n');
      const left = [...text.matchAll(/… and (\d+) more, in the archived report/g)].map(([, number]) =>
        Number(number),
      );
      const shown = new Set(text.match(/Control \d+/g)).size;
      expect(shown + left.reduce((a, b) => a + b, 0)).toBe(60);
    }
  });

  test('at all is condensed to the score, its sum, the largest rows, the number of the others, and where they are', () => {
    const [kind, report] = ['controls', reports.controls.monstrous] as const;
    const { blocks } = documentOf(report, kind);
    const entries = blocks.flatMap((block) => (block.type === 'entries' ? block.entries : []));
    const [largest] = entries.toSorted((a, b) => b.weight - a.weight);
    for (const face of Object.values(facesOf(report, kind))) {
      const text = textsOf(face).join('\n');
      expect(text).toContain('62.4 %');
      expect(text).toContain('−0.8 percentage points since 11 Oct 2025');
      expect(text).toContain(largest!.title);
      expect(text).toContain(
        `All changes: ./secure-score history changes --tenant ${report.tenantId} --from 2025-10-12 --to 2026-01-09`,
      );
      const shown = new Set(text.match(/Ensure that \w+ thing \d of day \d+/g)).size;
      expect(shown).toBeGreaterThanOrEqual(6);
      expect(text).toContain(`… and ${entries.length - shown} more, in the archived report.`);
    }
  });

  /** Each day has the rows, the later the smaller. */
  const daysOf = (
    days: number,
    rows: { kind: 'new' | 'removed' | 're-scored'; length: number }[],
  ): Report => {
    const date = (index: number) => new Date(Date.UTC(2026, 0, 1 + index)).toISOString().slice(0, 10);
    return reportOf({
      days: Array.from({ length: days }, (_, day) =>
        dayOf(
          rows.map(({ kind, length }, index) =>
            changeOf(kind, {
              control: `c${day}-${index}`,
              title: `Row ${index} of day ${day} ${'x'.repeat(length)}`,
              remediation: 'Do it. '.repeat(length),
              percentagePoints: -1 / (1 + day * rows.length + index),
            }),
          ),
          scoreLine(date(day), 800),
          scoreLine(date(day + 1), 800),
        ),
      ),
    });
  };

  test('keeps as many of the largest rows as fit, in order, whatever the days, rows and texts', () => {
    const row = fc.record({
      kind: fc.constantFrom('new' as const, 'removed' as const, 're-scored' as const),
      length: fc.integer({ min: 1, max: 200 }),
    });
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 20, max: 90 }),
        (rows, days) => {
          const report = daysOf(days, rows);
          const entries = documentOf(report, 'controls').blocks.flatMap((block) =>
            block.type === 'entries' ? block.entries : [],
          );
          const ranked = entries.toSorted((a, b) => b.weight - a.weight).map(({ title }) => title);
          expect(allHarms(report, 'controls')).toEqual([]);
          for (const face of Object.values(facesOf(report, 'controls'))) {
            const text = textsOf(face).join('\n');
            const shown = [...text.matchAll(/Row \d+ of day \d+ /g)].map(([each]) => each);
            const more = [...text.matchAll(/… and (\d+) more, in the archived report/g)];
            expect(shown.length + more.reduce((sum, [, number]) => sum + Number(number), 0)).toBe(
              entries.length,
            );
            expect(shown.length).toBeGreaterThan(0);
            const largest = ranked.slice(0, shown.length);
            expect(shown.filter((each) => !largest.some((title) => title.startsWith(each)))).toEqual([]);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  test('a few rows are never folded', () => {
    const text = JSON.stringify(facesOf(many(8), 'scores'));
    for (let index = 0; index < 8; index += 1) expect(text).toContain(`Advice ${index}`);
    expect(text).not.toContain('more,');
  });
});

describe('hostile texts', () => {
  test.each(HOSTILE.map((each) => [JSON.stringify(each).slice(0, 50), each]))(
    '%s ends harmless',
    (_, hostile) => {
      for (const kind of KINDS) expect(allHarms(hostileReport(hostile, hostile), kind)).toEqual([]);
    },
  );

  test('mean nothing in any of the languages of a chat', () => {
    const report = hostileReport(
      '<!channel> @channel *b* _i_ [x](http://evil.example) {{{DATE(2026-01-01T00:00:00Z)}}',
      '&lt;',
    );
    const { card, message } = facesOf(report, 'scores');
    expect(JSON.stringify(card)).not.toContain('"TextBlock"');
    expect(JSON.stringify(card)).not.toContain('{{');
    expect(JSON.stringify(message)).not.toContain('mrkdwn');
    expect(message.text).toContain('&lt;!channel&gt; @channel');
  });

  test('and so does any other, however many there are', () => {
    fc.assert(
      fc.property(
        hostileText,
        hostileText,
        fc.constantFrom(...KINDS),
        fc.integer({ min: 1, max: 25 }),
        (one, other, kind, times) => {
          const report = hostileReport(one, other);
          const days = Array.from({ length: times }, () => report.days).flat();
          const operations = Array.from({ length: times }, () => report.operations).flat();
          const notes = Array.from({ length: times }, () => report.notes).flat();
          expect(
            allHarms({ ...report, days, operations, notes, urgent: reports.scores.urgent.urgent! }, kind),
          ).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

test('the numbers are those of the mail, whatever the points', () => {
  const points = fc.double({ min: 0, max: 1000, noNaN: true }).map((value) => Math.round(100 * value) / 100);
  const change = fc
    .record({ before: points, after: points, kind: fc.constantFrom('lost', 'gained', 'new', 're-scored') })
    .map(({ before, after, kind }) =>
      changeOf(kind as 'lost', {
        control: `c${before}`,
        points: { before, after },
        maximum: { before: 1000, after: kind === 're-scored' ? 1100 : 1000 },
        percentagePoints: (after - before) / 20,
      }),
    );
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 20 }),
      points,
      points,
      fc.constantFrom<MailKind>('scores', 'controls'),
      (changes, before, after, kind) => {
        const [from, to] = [scoreLine('2026-01-08', before, 1000), scoreLine('2026-01-09', after, 1000)];
        const report = reportOf({
          before: from,
          after: to,
          days: [dayOf(changes, from, to)],
          trend: [from, to].map(trendDay),
        });
        const { card, message } = facesOf(report, kind);
        expect(ownNumbers(card, report, kind)).toEqual([]);
        expect(ownNumbers(message, report, kind)).toEqual([]);
      },
    ),
    { numRuns: 100 },
  );
});

test.each([
  ['https://graph.microsoft.com', 'https://security.microsoft.com/securescore?tid=abc'],
  ['https://graph.microsoft.us', 'https://security.microsoft.us/securescore?tid=abc'],
  ['https://dod-graph.microsoft.us', 'https://security.apps.mil/securescore?tid=abc'],
  ['https://localhost:8443', 'https://security.microsoft.com/securescore?tid=abc'],
])('the portal of %s', (graphEndpoint, portal) => {
  expect(
    portalOf({ tenantId: 'abc', cloud: { authorityHost: 'https://login.example', graphEndpoint } }),
  ).toBe(portal);
});
