import type { Caption, Mark } from '../model.ts';
import type { Scale } from './plot.ts';
import { cut, tenths } from './words.ts';

export interface Label {
  x: number;
  y: number;
  anchor: 'start' | 'middle' | 'end';
  text: string;
  /** So far from its mark that a line leads there. */
  leader: { from: number; to: number } | null;
}

interface Point {
  x: number;
  y: number;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** About the width of a letter at the size of labels, in CSS pixels. */
const LETTER = 7;
/** So far beyond its mark a label begins, or ends, that does not stand in its middle. */
const OVERHANG = 4;
/** Baselines, from the mark's middle. */
const ABOVE = [-14, -32, -52];
const BELOW = [25, 43, 63];

/**
 * Labels stand above a rise and below a fall, where nothing else stands; the largest moves choose first. Where there
 * is no room for its words, a mark has its amount alone, or nothing.
 * @param captions what happened, in words; none where absent
 * @param line the score, and @param at a mark's place on it
 */
export function placeLabels(
  marks: Mark[],
  captions: Map<Mark, Caption | null>,
  line: Point[],
  at: (mark: Mark) => Point,
  scale: Scale,
): { mark: Mark; label: Label | null }[] {
  const taken = marks.map((mark) => boxAround(at(mark), 6));
  return marks.map((mark) => {
    const point = at(mark);
    const words = captions.get(mark) ?? null;
    const amount = tenths(mark.change);
    const texts = [...(words ? [40, 26].map((length) => `${inWords(words, length)} ${amount}`) : []), amount];
    for (const text of texts) {
      // An amount far from its mark says nothing.
      const reach = text === amount ? 1 : 3;
      const [first, second] = mark.change > 0 ? [ABOVE, BELOW] : [BELOW, ABOVE];
      for (const dy of [...first.slice(0, reach), ...second.slice(0, reach)]) {
        const found = placeAt(text, dy, point, taken, line, scale);
        if (!found) continue;
        taken.push(...found.boxes);
        return { mark, label: found.label };
      }
    }
    return { mark, label: null };
  });
}

/** "Block legacy authenti… and 2 more": the amount beside it is that of all of them. */
function inWords({ title, more }: Caption, length: number): string {
  const rest = more > 0 ? ` and ${more} more` : '';
  return `${cut(title, length - rest.length)}${rest}`;
}

function placeAt(text: string, dy: number, { x, y }: Point, taken: Box[], line: Point[], scale: Scale) {
  const width = text.length * LETTER;
  for (const anchor of ['middle', 'start', 'end'] as const) {
    const left = { middle: x - width / 2, start: x - OVERHANG, end: x - width + OVERHANG }[anchor];
    const box = { left, right: left + width, top: y + dy - 13, bottom: y + dy + 4 };
    const isFar = Math.abs(dy) > 30;
    const leader = isFar
      ? dy < 0
        ? { from: y - 6, to: y + dy + 5 }
        : { from: y + 6, to: y + dy - 13 }
      : null;
    const boxes = [box, ...(leader ? [around(leader, x)] : [])];
    const isFree =
      box.left > scale.left &&
      // One that ends at the newest day reaches past it by as much.
      box.right <= scale.right + OVERHANG &&
      box.top > 0 &&
      box.bottom < scale.bottom - 8 &&
      !taken.some((other) => boxes.some((each) => overlap(other, each))) &&
      !line.some(
        (on) => on.x > box.left - 2 && on.x < box.right + 2 && on.y > box.top - 2 && on.y < box.bottom + 2,
      );
    if (!isFree) continue;
    const start = { middle: x, start: x - OVERHANG, end: x + OVERHANG }[anchor];
    return { boxes, label: { x: start, y: y + dy, anchor, text, leader } satisfies Label };
  }
  return null;
}

/** Of a leader; it begins where its mark ends. */
function around({ from, to }: { from: number; to: number }, x: number): Box {
  return { left: x - 2, right: x + 2, top: Math.min(from, to), bottom: Math.max(from, to) };
}

function boxAround({ x, y }: Point, radius: number): Box {
  return { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/**
 * Places for labels at values: as near to them as they can be without coming closer than a gap. Those that would meet stand
 * around their middle.
 * @param values the highest first
 * @param within the lowest and the highest place
 */
export function apart(values: number[], gap: number, [lowest, highest]: [number, number]): number[] {
  const places = (group: number[]) => {
    const middle = group.reduce((sum, value) => sum + value, 0) / group.length;
    const reach = ((group.length - 1) / 2) * gap;
    const inside = Math.min(highest - reach, Math.max(lowest + reach, middle));
    return group.map((_, index) => inside + reach - index * gap);
  };
  const groups: number[][] = [];
  for (const value of values) {
    let group = [value];
    for (let above = groups.at(-1); above; above = groups.at(-1)) {
      if (places(above).at(-1)! - places(group)[0]! >= gap) break;
      group = [...groups.pop()!, ...group];
    }
    groups.push(group);
  }
  return groups.flatMap(places);
}
