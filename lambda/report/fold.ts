import type { Block, Entry, MailDocument } from './document.ts';

/** How much of a document is drawn: so many of its most important rows in full, so many more on one line each. */
export interface Plan {
  full: number;
  compact: number;
  /** Of a list (notes, services), so many items. */
  items: number;
}

/**
 * From the one we want to the one that always fits. Even with room for more, nobody reads two dozen recommendations
 * in full: the plain-text part has them all.
 */
export const PLANS: Plan[] = [
  { full: 24, compact: 250, items: 50 },
  { full: 16, compact: 200, items: 30 },
  { full: 10, compact: 150, items: 20 },
  { full: 10, compact: 100, items: 20 },
  { full: 5, compact: 40, items: 10 },
  { full: 3, compact: 10, items: 3 },
];

/** A block of entries, parted by how they are drawn. */
export interface Folded {
  full: Entry[];
  compact: Entry[];
  /** How many are left to the plain-text part. */
  more: number;
}

/** Parts the entries of a whole document by rank: what is important is told in full, wherever it stands. */
export function fold(document: MailDocument, plan: Plan): (entries: Entry[]) => Folded {
  const ranked = document.blocks
    .flatMap((block) => (block.type === 'entries' ? block.entries : []))
    // What was lost asks for something to be done. Sorting is stable: of equals, the one told first.
    .toSorted((a, b) => Number(b.tone === 'bad') - Number(a.tone === 'bad') || b.weight - a.weight);
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

/** The last resort, bounded whatever the document holds: the score, its chart, sentences and tables, no recommendations. */
export function withoutRows(document: MailDocument): MailDocument {
  const kept = document.blocks
    .filter(({ type }) => ['score', 'sum', 'chart', 'paragraph', 'table'].includes(type))
    .slice(0, 6);
  const where =
    document.list === undefined
      ? 'the plain-text part of this mail lists all of it'
      : `the attached ${document.list} and the plain-text part of this mail list all of it`;
  const note: Block = { type: 'paragraph', text: `This is too much for one page: ${where}.` };
  return { ...document, blocks: [...kept, note] };
}
