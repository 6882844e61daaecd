import { html } from 'htm/preact';
import type { Category, Span } from '../model.ts';
import { Sparkline } from './sparkline.ts';
import { counted, percent, tenths, toneOf } from './words.ts';

interface CategoriesProps {
  categories: Category[];
  span: Span;
  /** Names of those that stand in the chart. */
  shown: string[];
  onToggle: (name: string) => void;
}

/** Class of a category's colour, by its place among all. */
export const colourOf = (place: number): string => `category-${place % 6}`;

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
  if (first === null || last === null) {
    if (unknown === 0) return null;
    // Nothing can be drawn of it, and it is there all the same.
    return html`<p class="category">
      <span class="name">${name}</span>
      <span class="soft">${counted(unknown, 'recommendation')} of unknown maximum</span>
    </p>`;
  }
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
      <${Sparkline} values=${values} width=${160} height=${34} leastSpan=${4} />
    </button>
  `;
}
