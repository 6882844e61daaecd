/**
 * What a mail says, before it is drawn: the HTML and the plain-text part are two drawings of one document, so that
 * they cannot tell different things. Every text in it is for people: cleaned and bounded, not yet escaped.
 */
export interface MailDocument {
  /** The tenant's name. */
  tenant: string;
  /** The essence, as the mail's heading. */
  title: string;
  /** What a list of mails shows beside the subject. */
  preview: string;
  blocks: Block[];
  /** Why this mail came, and what to know when reading it. */
  footer: string[];
}

export type Block =
  | ScoreBlock
  | { type: 'heading'; level: 2 | 3; text: string; aside?: string }
  | { type: 'paragraph'; text: string }
  | { type: 'list'; items: string[] }
  | { type: 'details'; items: Detail[] }
  | EntriesBlock
  | TableBlock;

/** The score, large. */
export interface ScoreBlock {
  type: 'score';
  value: string;
  /** "−0.8 percentage points since 8 Jan 2026"; null where nothing was told before. */
  change: { text: string; tone: Tone } | null;
  detail: string;
  /** 0 to 1; null where there is no percentage. */
  fraction: number | null;
}

/** Good and bad have a mark and a sign as well as a colour. */
export type Tone = 'bad' | 'good' | 'neutral';

export interface EntriesBlock {
  type: 'entries';
  /** Most important first. */
  entries: Entry[];
}

/** One recommendation. */
export interface Entry {
  tone: Tone;
  /** "▼", "▲", "+" …: decoration, beside `amount` or a heading that says the same. */
  mark: string;
  /** "−3"; empty where no points moved. */
  amount: string;
  title: string;
  /** Its name in Graph, where the title does not tell it from another. */
  id: string | null;
  /** "8 → 5 of 9 points". */
  figures: string;
  /** Category, service, tier. */
  context: string[];
  details: Detail[];
  /** What to know of the figures; null where there is nothing. */
  note: string | null;
  /** A safe link, or null. */
  link: string | null;
  /** Larger is more important: what is drawn small, or folded, where there is too much. */
  weight: number;
}

export interface Detail {
  label: string;
  /** May have several lines. */
  text: string;
}

export interface TableBlock {
  type: 'table';
  /** The first column heads its row. */
  columns: { label: string; align: 'left' | 'right' }[];
  rows: Cell[][];
}

/** A text, or a fraction (0 to 1) as a bar that repeats what a neighbour says in digits. */
export type Cell = string | { bar: number };
