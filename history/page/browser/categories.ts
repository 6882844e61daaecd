import { html } from 'htm/preact';
import { useMemo } from 'preact/hooks';
import { line } from 'd3-shape';
import { domainOf } from './plot.ts';
import type { Category, Span } from '../model.ts';
import { percent, tenths, toneOf } from './words.ts';

interface CategoriesProps {
  categories: Category[];
  span: Span;
  /** Names of those that stand in the chart. */
  shown: string[];
  onToggle: (name: string) => void;
}

/** Class of a category's colour, by its place among all. */
export const colourOf = (place: number): string => `category-${place % 6}`;

const WIDTH = 160;
const HEIGHT = 34;

/** A card a category: how it stands, how it moved, and a button that puts its line into the chart. */
export function Categories({ categories, span, shown, onToggle }: CategoriesProps) {
  return html`
    <div class="categories" role="group" aria-label="Categories: lines in the chart">
      ${categories.map(
        (category, place) => html`
          <${Card}
            category=${category}
            colour=${colourOf(place)}
            span=${span}
            pressed=${shown.includes(category.name)}
            onToggle=${onToggle}
          />
        `,
      )}
    </div>
  `;
}

interface CardProps {
  category: Category;
  colour: string;
  span: Span;
  pressed: boolean;
  onToggle: (name: string) => void;
}

function Card({ category, colour, span, pressed, onToggle }: CardProps) {
  const { name, percentages } = category;
  const unknown = category.unknown[span.to] ?? 0;
  const values = percentages.slice(span.from, span.to + 1);
  const [first, last] = [
    values.find((value) => value !== null) ?? null,
    values.findLast((value) => value !== null) ?? null,
  ];
  const path = useMemo(() => sparkline(values), [percentages, span.from, span.to]);
  if (first === null || last === null) return null;
  return html`
    <button
      type="button"
      class=${`category ${colour}`}
      aria-pressed=${String(pressed)}
      onClick=${() => onToggle(name)}
    >
      <span class="name"
        ><span class="key" aria-hidden="true"></span>${name}${
          unknown > 0 ? html` <span class="soft">(without ${unknown} of unknown maximum)</span>` : ''
        }</span
      >
      <span class="figure"
        >${percent(last)} <span class=${toneOf(last - first)}>${tenths(last - first)}</span></span
      >
      <svg
        viewBox=${`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
      >
        <path d=${path} vector-effect="non-scaling-stroke" />
      </svg>
    </button>
  `;
}

function sparkline(values: (number | null)[]): string {
  const points = values.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
  const [lowest, highest] = domainOf(
    points.map(({ value }) => value),
    4,
  );
  return (
    line<{ value: number; index: number }>(
      ({ index }) => 1 + (index * (WIDTH - 2)) / Math.max(1, values.length - 1),
      ({ value }) => HEIGHT - 2 - ((value - lowest) / (highest - lowest)) * (HEIGHT - 4),
    ).digits(1)(points) ?? ''
  );
}
