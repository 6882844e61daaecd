import type { TextLink } from './plain-text.ts';

/**
 * The content of a mail before it is drawn. The HTML and the plain-text part are two drawings of one document, so that they
 * cannot contradict each other. Every text in it is for people: cleaned and bounded, but not yet escaped.
 */
export interface MailDocument {
  /** The tenant's name. */
  tenant: string;
  /** The essence, as the mail's heading. */
  title: string;
  /** Sentences about the limits that were crossed; absent or empty if it is not urgent. */
  urgent?: string[];
  /** What a list of mails shows beside the subject. */
  preview: string;
  blocks: Block[];
  /** Why this mail came, and what to know when reading it. */
  footer: string[];
  /** The command that lists every change, for a message that has no room for them. */
  everything?: string;
  /** Name of the attached list that has every row, for what the HTML part has no room for. */
  list?: string;
}

export type Block =
  | ScoreBlock
  | ChartBlock
  | SumBlock
  | { type: 'heading'; level: 2 | 3; text: string; aside?: string }
  | { type: 'paragraph'; text: string }
  /** What is good to know, small, a line each. */
  | { type: 'facts'; items: string[] }
  | { type: 'list'; items: string[] }
  | { type: 'details'; items: Detail[] }
  | EntriesBlock
  | TableBlock;

/** The score, large. */
export interface ScoreBlock {
  type: 'score';
  value: string;
  /** "−0.8 percentage points since 8 Jan 2026"; null if nothing was reported before. */
  change: { text: string; tone: Tone } | null;
}

/**
 * A picture: attached to the HTML part, which shows it by its content id. The plain-text part has its description, and
 * what shows no pictures has a line of characters.
 */
export interface ChartBlock {
  type: 'chart';
  /** At most 15 block characters for the last 30 days, a figure space where days are missing; the first and last day. */
  line: { bars: string; from: string; to: string };
  /** A description for those who do not see it. */
  alt: string;
  /** In CSS pixels. */
  width: number;
  contentId: { light: string; dark: string };
}

/** The origin of the change: a sentence, and the other parts of the sum. */
export interface SumBlock {
  type: 'sum';
  sentence: string;
  lines: { label: string; amount: string; note: string }[];
}

/** Good and bad have a mark and a sign as well as a colour. */
export type Tone = 'bad' | 'good' | 'neutral';

export interface EntriesBlock {
  type: 'entries';
  entries: Entry[];
  /** What their parts are, where they are not recommendations with points. */
  columns?: { title: string; figures: string; amount: string };
}

/** A recommendation, with what happened to it. */
export interface Entry {
  tone: Tone;
  /** ▼ ▲ + − →; decoration, which a sign or the heading says as well. */
  mark: string;
  /** "−3", in points; empty where none moved. */
  amount: string;
  title: string;
  /** Its name in Graph, if several share the title. */
  id: string | null;
  /** "8 → 5 of 9 points". */
  figures: string;
  /** "−0.22 percentage points"; null where the row has no share. */
  share: string | null;
  /** Category, service, tier. */
  context: string[];
  details: Detail[];
  /** What to know of the figures, a sentence each. */
  notes: string[];
  /** A safe link, or null. */
  link: string | null;
  /** Larger is more important: what is drawn small, or folded, where there is too much. */
  weight: number;
}

export interface Detail {
  label: string;
  /** True for advice, which is shown if there is room for only one. */
  isAdvice?: boolean;
  /** May have several lines. */
  text: string;
  /** The links in it, for `partsOf`. */
  links?: TextLink[];
}

export interface TableBlock {
  type: 'table';
  /** The first column heads its row. */
  columns: { label: string; align: 'left' | 'right' }[];
  rows: Cell[][];
  /** Whether the last row is the sum of the others. */
  sum?: boolean;
}

/** A text, or a fraction (0 to 1) as a bar that repeats what a neighbour says in digits. */
export type Cell = string | { bar: number };
