import { html } from 'htm/preact';
import { MINUS, signedUnits } from '../../../lambda/report/format.ts';

/** What components draw. preact escapes every value; there is no way round it in this folder. */
export type Drawn = ReturnType<typeof html> | string | number | boolean | null | undefined | Drawn[];

interface Kind {
  name: string;
  mark: string;
  label: string;
  tone: 'good' | 'bad' | 'microsoft' | 'here' | 'soft';
}

const KINDS: Kind[] = [
  { name: 'lost', mark: '▼', label: 'lost', tone: 'bad' },
  { name: 'gained', mark: '▲', label: 'gained', tone: 'good' },
  { name: 'drift', mark: '≈', label: 'drift', tone: 'soft' },
  { name: 're-scored', mark: '↕', label: 're-scored', tone: 'microsoft' },
  { name: 'new', mark: '+', label: 'new', tone: 'microsoft' },
  { name: 'removed', mark: MINUS, label: 'removed', tone: 'microsoft' },
  { name: 'decided', mark: '✓', label: 'decided', tone: 'here' },
  { name: 'renamed', mark: '→', label: 'renamed', tone: 'soft' },
  { name: 'services', mark: '~', label: 'services', tone: 'soft' },
  { name: 'restated', mark: '↻', label: 'restated', tone: 'soft' },
];

/** In the order of filters; those that no list knows come at the end. */
export function kindsAmong(names: Iterable<string>): Kind[] {
  const found = new Set(names);
  const known = KINDS.filter(({ name }) => found.has(name));
  const others = [...found].filter((name) => !KINDS.some((kind) => kind.name === name)).toSorted();
  return [...known, ...others.map(kindOf)];
}

export function kindOf(name: string): Kind {
  return KINDS.find((kind) => kind.name === name) ?? { name, mark: '•', label: name, tone: 'soft' };
}

export const CAUSES = [
  { name: 'earned', label: 'earned or lost here' },
  { name: 'decided', label: 'by a decision' },
  { name: 'rescored', label: 're-scored by Microsoft' },
];

/** In one word, where a column has little room. */
export function causeOf(name: string | null): string {
  return { earned: 'here', decided: 'decision', rescored: 'Microsoft' }[name ?? ''] ?? '';
}

/** A state that somebody set on a control: an open list, as Graph spells it. */
export function stateOf(state: string): string {
  const bare = state.toLowerCase().replace(/[^a-z]/g, '');
  const known: Record<string, string> = {
    thirdparty: 'third party',
    ignored: 'risk accepted',
    riskaccepted: 'risk accepted',
    reviewed: 'reviewed',
    planned: 'planned',
    alternatemitigation: 'alternate mitigation',
    default: 'taken back',
  };
  return known[bare] ?? Object.entries(known).find(([name]) => bare.endsWith(name))?.[1] ?? state;
}

/** "+0.8", of a change in percentage points. */
export function tenths(change: number): string {
  return signedUnits(Math.round(10 * change), 1);
}

/** "48.1 %". */
export function percent(value: number | null, decimals = 1): string {
  return value === null ? 'no percentage' : `${value.toFixed(decimals)}\u00A0%`;
}

export function toneOf(change: number): 'good' | 'bad' | 'soft' {
  return Math.round(10 * change) > 0 ? 'good' : Math.round(10 * change) < 0 ? 'bad' : 'soft';
}

/** "12 changes". */
export function counted(number: number, noun: string): string {
  return `${number.toLocaleString('en-GB')} ${noun}${number === 1 ? '' : 's'}`;
}

/** A text shortened to a maximum number of letters. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}…`;
}

/** A whole percentage at the side of a chart. */
export const percentTick = (value: number): string => `${value} %`;
