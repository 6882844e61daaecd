import { html } from 'htm/preact';
import { useId } from 'preact/hooks';
import type { Route } from '../route.ts';

/** What one types or chooses, with its name. */

interface SearchProps {
  label: string;
  value: string;
  onInput: (text: string) => void;
}

function Search({ label, value, onInput }: SearchProps) {
  return html`<input
    type="search"
    class="search"
    aria-label=${label}
    placeholder=${label}
    value=${value}
    maxlength="200"
    spellcheck="false"
    autocomplete="off"
    onInput=${(event: InputEvent) => onInput((event.currentTarget as HTMLInputElement).value)}
  />`;
}

interface SelectProps {
  label: string;
  /** Null: all. */
  value: string | null;
  options: [value: string, label: string][];
  /** What choosing none is called. */
  all: string;
  onChange: (value: string | null) => void;
}

function Select({ label, value, options, all, onChange }: SelectProps) {
  const id = useId();
  return html`
    <label class="hidden" for=${id}>${label}</label>
    <select
      id=${id}
      value=${value ?? ''}
      onChange=${(event: Event) => onChange((event.currentTarget as HTMLSelectElement).value || null)}
    >
      <option value="" selected=${value === null}>${all}</option>
      ${options.map(([name, text]) => html`<option value=${name} selected=${name === value}>${text}</option>`)}
    </select>
  `;
}

/** A field of the route that is chosen from a list. */
export interface Choice {
  field: 'cause' | 'category' | 'state' | 'tag';
  label: string;
  options: [value: string, label: string][];
  /** What choosing none is called. */
  all: string;
}

export const stateChoice = (options: Choice['options']): Choice => {
  return { field: 'state', label: 'State', options, all: 'Any state' };
};

export const categoryChoice = (categories: string[]): Choice => {
  return {
    field: 'category',
    label: 'Category',
    options: categories.map((name) => [name, name]),
    all: 'Any category',
  };
};

interface FiltersProps {
  /** What is searched. */
  label: string;
  choices?: Choice[];
  route: Route;
  go: (change: Partial<Route>) => void;
}

/** Above a list: what one searches, and chooses. */
export function Filters({ label, choices = [], route, go }: FiltersProps) {
  return html`
    <div class="filters no-print">
      <${Search} label=${label} value=${route.search} onInput=${(search: string) => go({ search })} />
      ${choices.map(
        ({ field, ...choice }) =>
          html`<${Select}
            key=${field}
            ...${choice}
            value=${route[field]}
            onChange=${(value: string | null) => go({ [field]: value })}
          />`,
      )}
    </div>
  `;
}
