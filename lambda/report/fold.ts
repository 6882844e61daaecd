import type { Block, Cell, Detail, Entry, MailDocument } from './document.ts';

/** How much of a document is drawn: the numbers of rows in full and of rows on one line each, most important first. */
export interface Plan {
  full: number;
  compact: number;
  /** The maximum number of items of a list (notes, services). */
  items: number;
}

/**
 * The plans, from the preferred one to one that always fits. Even with room for more, nobody reads two dozen recommendations
 * in full, and the plain-text part has them all.
 */
export const PLANS: Plan[] = [
  { full: 24, compact: 250, items: 50 },
  { full: 16, compact: 200, items: 30 },
  { full: 10, compact: 150, items: 20 },
  { full: 10, compact: 100, items: 20 },
  { full: 5, compact: 40, items: 10 },
  { full: 3, compact: 10, items: 3 },
];

/** As a plan of a mail, for a message in a chat: it is read in ten seconds, and there is no second part with the rest. */
export interface MessagePlan extends Plan {
  /** The maximum length of texts, in characters. */
  text: number;
}

/** From the one we want to the smallest; what does not fit even so is condensed. */
const MESSAGE_PLANS: MessagePlan[] = [
  { full: 8, compact: 12, items: 8, text: 400 },
  { full: 5, compact: 8, items: 5, text: 300 },
  { full: 3, compact: 3, items: 3, text: 200 },
  { full: 2, compact: 0, items: 2, text: 120 },
];

/** Of a condensed message, in the order in which they are tried: as many rows as fit, the last plan without any. */
const CONDENSED_PLANS: MessagePlan[] = [3, 2, 1, 0].flatMap((full) =>
  Array.from({ length: 13 }, (_, fewer) => ({ full, compact: 12 - fewer, items: 3, text: 200 })),
);

/** Where everything stands that a message has no room for. */
export const WHERE_ALL = 'in the archived report';

/** Draws a message by the first plan that fits, and condensed where none does; without rows that always fits. */
export function drawFitting<Drawn>(
  document: MailDocument,
  draw: (document: MailDocument, plan: MessagePlan) => Drawn,
  fits: (drawn: Drawn) => boolean,
): Drawn {
  for (const plan of MESSAGE_PLANS) {
    const drawn = draw(document, plan);
    if (fits(drawn)) return drawn;
  }
  const short = condensed(document);
  const plan = CONDENSED_PLANS.find((each) => fits(draw(short, each)));
  return draw(short, plan ?? CONDENSED_PLANS.at(-1)!);
}

/**
 * A document whose length does not grow with the report's days and sections: the score, what it adds up to, all rows in
 * one list, the largest first, and where everything is. A document without rows has its headings in a list.
 */
function condensed(document: MailDocument): MailDocument {
  const { blocks, everything } = document;
  const entries = rankedEntries(document);
  const headings = blocks.flatMap((block) =>
    block.type === 'heading' && block.level === 2 ? [block.text] : [],
  );
  return {
    ...document,
    blocks: [
      ...blocks.filter(({ type }) => type === 'score' || type === 'chart' || type === 'sum'),
      ...(entries.length > 0
        ? [
            { type: 'heading' as const, level: 2 as const, text: 'Largest changes' },
            { type: 'entries' as const, entries },
          ]
        : [{ type: 'list' as const, items: headings }]),
      {
        type: 'paragraph',
        text: everything ? `All changes: ${everything}` : `Everything is ${WHERE_ALL}.`,
      },
    ],
  };
}

/** A block of entries, parted by how they are drawn. */
export interface Folded {
  full: Entry[];
  compact: Entry[];
  /** How many are left to the plain-text part. */
  more: number;
}

/** Divides the entries of a complete document by rank: important ones are drawn in full, wherever they are. */
export function fold(document: MailDocument, plan: Plan): (entries: Entry[]) => Folded {
  const ranked = rankedEntries(document);
  const full = new Set(ranked.slice(0, plan.full));
  const compact = new Set(ranked.slice(plan.full, plan.full + plan.compact));
  return (entries) => {
    const parted = {
      full: entries.filter((entry) => full.has(entry)),
      compact: entries.filter((entry) => compact.has(entry)),
    };
    return { ...parted, more: entries.length - parted.full.length - parted.compact.length };
  };
}

/** The rows of all blocks, most important first. */
function rankedEntries({ blocks }: MailDocument): Entry[] {
  return (
    blocks
      .flatMap((block) => (block.type === 'entries' ? block.entries : []))
      // What was lost asks for something to be done. Sorting is stable: of equals, the one listed first.
      .toSorted((a, b) => Number(b.tone === 'bad') - Number(a.tone === 'bad') || b.weight - a.weight)
  );
}

/**
 * The last resort of a page, bounded whatever the document holds: no recommendations, a few blocks of some types.
 * @param note says so, and where all of it stands
 */
export function withoutRows(document: MailDocument, note: string, types: Block['type'][]): MailDocument {
  const few = document.blocks.filter(({ type }) => types.includes(type)).slice(0, 6);
  return { ...document, blocks: [...few, { type: 'paragraph', text: note }] };
}

/** Of a row, what to do; where there is nothing to do, how it is now. */
export function adviceOf({ details }: Entry): Detail[] {
  const advice = details.filter(({ isAdvice }) => isAdvice);
  return advice.length > 0 ? advice : details.slice(-1);
}

/** The first items, and how many more there are. */
export function limited(items: string[], maximum: number): string[] {
  const more = items.length - maximum;
  return more > 1 ? [...items.slice(0, maximum), `… and ${more} more, ${WHERE_ALL}.`] : items;
}

/** The first rows, and the last one where that is the sum: it is the sum of all of them. */
export function firstRows(rows: Cell[][], sum: boolean, maximum: number): Cell[][] {
  if (rows.length <= maximum + 1) return rows;
  return [...rows.slice(0, maximum), ...(sum ? rows.slice(-1) : [])];
}
